//! `hotline prompts play` and `hotline prompts say`: what a caller hears, as a WAV file.

use std::path::PathBuf;

use chrono::{NaiveDate, NaiveTime};

use super::{Source, write};
use crate::app::Failure;
use crate::language::Language;
use crate::media::clip::Clip;
use crate::media::codec;
use crate::phone::Phone;
use crate::prompt::reading::Part;
use crate::prompt::say::{self, Piece, Unit};
use crate::prompt::wav;
use crate::sdp::Codec;
use crate::ticket::Number;

const PLAY_EXAMPLES: &str = "\
Examples:
  hotline prompts play menu.head --lang bo --out head.wav
  hotline prompts play menu.head --lang zh --law ulaw --out head.wav

Exit code: 0 written, 2 when there is no such prompt or the file can't be written.";

const SAY_EXAMPLES: &str = "\
Examples:
  hotline prompts say ticket 126112200012 --lang zh --out ticket.wav
  hotline prompts say date 2026-11-25 --lang bo --out date.wav
  hotline prompts say time 15:45 --lang bo
  hotline prompts say duration 125 --lang zh
      minutes; without --out only the prompts are shown

Exit code: 0 said, 2 when there is nothing like that.";

/// How the line carries it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Law {
    Alaw,
    Ulaw,
}

#[derive(Debug, clap::Args)]
#[command(after_help = PLAY_EXAMPLES)]
pub struct Play {
    /// The prompt; `hotline prompts list` shows them
    #[arg(value_name = "ID")]
    id: String,
    /// Language that is heard: bo or zh
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    #[command(flatten)]
    source: Source,
    /// Coding of the line, which the file is decoded from
    #[arg(long, value_enum, default_value_t = Law::Alaw)]
    law: Law,
    /// Where the sound is written: 8 kHz mono 16-bit WAV
    #[arg(long, value_name = "WAV")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = SAY_EXAMPLES)]
pub struct Say {
    /// What it is
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
    /// A number, YYYY-MM-DD or HH:MM
    #[arg(value_name = "VALUE")]
    value: String,
    /// Language that is heard: bo or zh
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    #[command(flatten)]
    source: Source,
    /// Coding of the line, which the file is decoded from
    #[arg(long, value_enum, default_value_t = Law::Alaw)]
    law: Law,
    /// Where the sound is written: 8 kHz mono 16-bit WAV
    #[arg(long, value_name = "WAV")]
    out: Option<PathBuf>,
}

/// What can be read aloud.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    /// A ticket number of twelve digits
    Ticket,
    Phone,
    /// The last four digits of a ticket number
    LastFour,
    /// A number that stands alone
    Number,
    /// A number of things
    Count,
    /// First, second, …
    Ordinal,
    Date,
    Time,
    /// Minutes, said in hours and minutes
    Duration,
    Workdays,
    /// The day of the week of a date
    Weekday,
}

impl Play {
    pub fn run(&self) -> Result<(), Failure> {
        let Play { id, lang, .. } = self;
        let Some(out) = &self.out else {
            let what = format!("play writes what is heard and has no loudspeaker: name a file with --out {id}.wav");
            return Err(Failure::Setting(what));
        };
        let prompts = self.source.prompts()?;
        let Some(clip) = prompts.clip(*lang, id) else {
            let what = if prompts.is_left_out(*lang, id) { "is left out" } else { "is not known" };
            return Err(Failure::Setting(format!("{id} {what} in {lang}; `hotline prompts list` shows what there is")));
        };
        let text = prompts.text(*lang, id).unwrap_or_default();
        write(out, &wav::write(&heard(&clip, self.law), Some(text), "hotline prompts play"))?;
        println!("{}: {:.2} s: {text}", out.display(), f64::from(clip.duration_ms()) / 1_000.0);
        Ok(())
    }
}

impl Say {
    pub fn run(&self) -> Result<(), Failure> {
        let pieces = self.kind.pieces(self.lang, &self.value).map_err(|what| {
            let kind = clap::ValueEnum::to_possible_value(&self.kind);
            let kind = kind.as_ref().map_or("", |kind| kind.get_name());
            Failure::Setting(format!("{kind} {}: {what}", self.value))
        })?;
        let prompts = self.source.prompts()?;
        let parts = prompts.parts(self.lang, &pieces);
        let (mut samples, mut texts) = (Vec::new(), Vec::new());
        for part in &parts {
            match part {
                Part::Pause(ms) => {
                    println!("{:<12}  {ms} ms", "pause");
                    samples.resize(samples.len() + *ms as usize * 8, 0);
                }
                Part::Prompt(id) => {
                    let text = prompts.text(self.lang, id).unwrap_or_default();
                    println!("{id:<12}  {text}");
                    texts.push(text);
                    samples.extend(prompts.clip(self.lang, id).iter().flat_map(|clip| heard(clip, self.law)));
                }
            }
        }
        let Some(out) = &self.out else { return Ok(()) };
        write(out, &wav::write(&samples, Some(&texts.join(" ")), "hotline prompts say"))?;
        println!("{}: {:.2} s", out.display(), samples.len() as f64 / 8_000.0);
        Ok(())
    }
}

impl Kind {
    /// # Errors
    /// Why this can't be read aloud, in words.
    fn pieces(self, language: Language, value: &str) -> Result<Vec<Piece>, String> {
        Ok(match self {
            Kind::Ticket => say::ticket_number(&ticket(value)?),
            Kind::Phone => say::phone(Phone::parse(value).ok_or("a phone number has 3 to 15 digits")?.digits()),
            Kind::LastFour if value.len() == 12 => say::last_four(&ticket(value)?),
            Kind::LastFour => say::last_four(four(value)?),
            Kind::Number => say::number(language, number(value)?),
            Kind::Count => say::count(language, number(value)?),
            Kind::Ordinal => say::ordinal(language, number(value)?),
            Kind::Date => say::date(date(value)?),
            Kind::Time => say::time(language, time(value)?),
            Kind::Duration => say::duration(language, number(value)?),
            Kind::Workdays => say::quantity(language, number(value)?, Unit::Workdays),
            Kind::Weekday => say::weekday(date(value)?),
        })
    }
}

fn ticket(value: &str) -> Result<String, String> {
    value.parse::<Number>().map(|number| number.to_string()).map_err(|error| error.to_string())
}

fn four(value: &str) -> Result<&str, String> {
    let fits = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(value) } else { Err("four digits or a whole ticket number are wanted".to_owned()) }
}

fn number(value: &str) -> Result<u32, String> {
    value.parse().map_err(|_| format!("a whole number from 0 to {} is wanted", u32::MAX))
}

fn date(value: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(value, "%Y-%m-%d").map_err(|_| "a day of the calendar is wanted, YYYY-MM-DD".to_owned())
}

fn time(value: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(value, "%H:%M").map_err(|_| "a time of day is wanted, HH:MM".to_owned())
}

/// What comes out at the other end of the line.
fn heard(clip: &Clip, law: Law) -> Vec<i16> {
    let mut octets = vec![0; clip.len()];
    match law {
        Law::Alaw => {
            clip.copy_to(Codec::Pcma, 0, &mut octets);
            octets.into_iter().map(codec::alaw_decode).collect()
        }
        Law::Ulaw => {
            clip.copy_to(Codec::Pcmu, 0, &mut octets);
            octets.into_iter().map(codec::ulaw_decode).collect()
        }
    }
}
