//! What `hotline call` is asked to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::wav;
use crate::app::Failure;
use crate::driver::caller::{Order, Plan};
use crate::driver::media::ports::PortRange;
use crate::media::command::Digits;
use crate::sip::Uri;

/// Presses of `--digits`.
const MOST_PRESSES: usize = 256;
const LONGEST_NAME: usize = 64;

const EXAMPLES: &str = "\
Examples:
  hotline call sip:12345@127.0.0.1
      listens for 30 seconds
  hotline call sip:12345@127.0.0.1 --digits \"2@4 1@16 1@19\" --for 25 --record heard.wav
      Mandarin after 4 seconds, later report (1) as a citizen (1)
  hotline call 'sip:12345@192.0.2.10:5060;transport=tcp' --from 13908990001 --play request.wav --json

Exit code: 0 answered, 1 not answered, 2 an argument that can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The line: sip:NUMBER@HOST or sip:NUMBER@HOST:PORT, with ;transport=tcp behind it for TCP
    #[arg(value_parser = uri)]
    uri: Uri,
    /// Keys, each with the seconds after the answer: "1@4 2@9"; several at once: "13800138000@20"
    #[arg(long, value_name = "KEYS@SECONDS …", value_parser = presses)]
    digits: Option<Presses>,
    /// What the caller says after the answer: 8 kHz mono 16-bit WAV
    #[arg(long, value_name = "WAV")]
    play: Option<PathBuf>,
    /// Where to write what is heard: 8 kHz mono 16-bit WAV
    #[arg(long, value_name = "WAV")]
    pub(super) record: Option<PathBuf>,
    /// Hang up so long after the answer, up to an hour
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// The number that calls; a name counts as withheld
    #[arg(long, value_name = "NUMBER", default_value = "hotline-call", value_parser = name)]
    from: String,
    /// Where the RTP port is taken from
    #[arg(long, value_name = "LOW-HIGH", default_value = "10000-11999")]
    rtp_ports: PortRange,
    /// One JSON document at the end in place of the text
    #[arg(long)]
    pub(super) json: bool,
}

/// What `--digits` says, by time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Presses(Vec<(Duration, Digits)>);

impl Arguments {
    /// # Errors
    /// The sound can't be used, or a key would come after the end.
    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        let talk = Duration::from_secs(self.seconds.into());
        let presses = self.digits.as_ref().map_or(&[][..], |presses| &presses.0);
        if let Some((after, _)) = presses.last().filter(|(after, _)| *after >= talk) {
            let (after, talk) = (after.as_secs_f64(), talk.as_secs());
            return Err(Failure::Setting(format!(
                "--digits: a key after {after} s, but --for ends the call at {talk} s"
            )));
        }
        let press = |(after, digits): &(Duration, Digits)| (*after, Order::Press(*digits));
        let mut script: Vec<(Duration, Order)> = presses.iter().map(press).collect();
        if let Some(path) = &self.play {
            script.insert(0, (Duration::ZERO, Order::Play(Arc::new(wav::read(path)?))));
        }
        Ok(Plan { uri: self.uri.clone(), from: self.from.clone(), script, talk, rtp_ports: self.rtp_ports })
    }
}

fn uri(text: &str) -> Result<Uri, String> {
    let wanted = "sip:NUMBER@HOST is wanted, such as sip:12345@127.0.0.1:5060";
    let uri: Uri = text.parse().map_err(|_| wanted.to_owned())?;
    match uri.scheme() {
        "sip" => Ok(uri),
        "sips" => Err("TLS is not spoken here: sip: in place of sips:".to_owned()),
        _ => Err(wanted.to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err(format!("1 to {LONGEST_NAME} letters or digits are wanted")) }
}

fn presses(text: &str) -> Result<Presses, String> {
    let mut presses: Vec<(Duration, Digits)> = text.split_whitespace().map(press).collect::<Result<_, _>>()?;
    if presses.is_empty() || presses.len() > MOST_PRESSES {
        return Err(format!("1 to {MOST_PRESSES} presses such as 1@4 are wanted"));
    }
    presses.sort_by_key(|(after, _)| *after);
    Ok(Presses(presses))
}

fn press(word: &str) -> Result<(Duration, Digits), String> {
    let (keys, after) = word
        .split_once('@')
        .ok_or_else(|| format!("{word} says no time: KEYS@SECONDS after the answer, such as {word}@10"))?;
    let digits = Digits::parse(keys).filter(|digits| !digits.as_slice().is_empty());
    let digits = digits.ok_or_else(|| format!("{keys:?} is not 1 to {} keys of 0-9, *, # and A-D", Digits::MAX))?;
    let after = after.parse().ok().and_then(|after| Duration::try_from_secs_f64(after).ok());
    Ok((after.ok_or_else(|| format!("{word} has no number of seconds behind the @"))?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(u64, String)> {
        let presses = presses(text).expect("keys").0;
        let text = |digits: &Digits| digits.as_slice().iter().map(ToString::to_string).collect();
        presses.iter().map(|(after, digits)| (after.as_millis() as u64, text(digits))).collect()
    }

    #[test]
    fn keys_are_ordered_by_their_time() {
        let expected = [(1_500, "#"), (4_000, "12")].map(|(ms, keys)| (ms, keys.to_owned()));
        assert_eq!(keys("12@4 #@1.5"), expected);
    }

    #[test]
    fn keys_that_cannot_be_meant_are_refused() {
        for bad in ["", "4", "@4", "1@", "1@x", "x@4", "1@-2", "1@inf", "1@4 4"] {
            assert!(presses(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_sip_uris_are_called() {
        assert!(uri("sip:12345@[::1]:5070;transport=tcp").is_ok());
        for bad in ["12345", "127.0.0.1:5060", "tel:12345", "sips:12345@host", "sip:", "sip:a b@host"] {
            assert!(uri(bad).is_err(), "{bad}");
        }
    }
}
