//! From what the flow says to what is played.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{Call, Output, Speaking};
use crate::clock::Now;
use crate::ivr::{Take, Utterance};
use crate::language::Language;
use crate::media::clip::Clip;
use crate::media::command::{Command, Cue};
use crate::prompt::say::{self, Piece};
use crate::ticket::EventKind;

impl Call {
    /// Plays the utterances up to the first recording that must be loaded; the rest waits for it.
    pub(super) fn say(&mut self, now: Now, language: Language, utterances: Vec<Utterance>, out: &mut Vec<Output>) {
        let token = self.next_token;
        self.next_token += 1;
        // the session plays it after what it still plays
        let (mut until, mut to_begin) = match self.speaking.take() {
            Some(before) => (before.until.max(now.mono), before.to_begin),
            None => (now.mono, VecDeque::new()),
        };
        let mut cues = Vec::with_capacity(utterances.len());
        let mut waiting = utterances.into_iter();
        let mut rest = Vec::new();
        while let Some(utterance) = waiting.next() {
            if let Utterance::Recording(takes) = &utterance
                && let Some(missing) = takes.iter().find(|take| !self.loaded.contains_key(take))
            {
                out.push(Output::Load { take: *missing });
                rest.push(utterance);
                rest.extend(waiting.by_ref());
                break;
            }
            let first = cues.len();
            self.cues(&utterance, &mut cues);
            let length = length(&cues[first..]);
            if !length.is_zero() {
                to_begin.extend(row(&utterance).map(|text| (until, text)));
            }
            until += length;
        }
        self.speaking = Some(Speaking { token, rest, language, until, to_begin });
        self.tell_begun(now, out);
        if !cues.is_empty() || self.speaking.as_ref().is_some_and(|speaking| speaking.rest.is_empty()) {
            out.push(Output::Media(Command::Play { token, clips: cues }));
        }
    }

    /// Notes what has begun to play by now, each with its own time.
    pub(super) fn tell_begun(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(speaking) = &mut self.speaking
            && let Some((at, text)) = speaking.to_begin.pop_front_if(|(at, _)| *at <= now.mono)
        {
            self.note_at(now, at, EventKind::Prompt, text, out);
        }
    }

    /// All of it was heard, by whoever's clock.
    pub(super) fn tell_played(&mut self, now: Now, speaking: Speaking, out: &mut Vec<Output>) {
        for (at, text) in speaking.to_begin {
            self.note_at(now, at.min(now.mono), EventKind::Prompt, text, out);
        }
    }

    pub(super) fn hush(&mut self, out: &mut Vec<Output>) {
        self.speaking = None;
        out.push(Output::Media(Command::Stop));
    }

    /// A recording is there to be played back, or can't be had and counts as silence.
    pub(super) fn loaded(&mut self, now: Now, take: Take, clip: Option<Arc<Clip>>, out: &mut Vec<Output>) {
        let clip = clip.unwrap_or_else(|| Arc::new(Clip::from_linear(&[])));
        self.loaded.insert(take, clip);
        let Some(speaking) = &mut self.speaking else { return };
        if speaking.rest.is_empty() {
            return;
        }
        let (rest, language) = (std::mem::take(&mut speaking.rest), speaking.language);
        self.say(now, language, rest, out);
    }

    fn cues(&self, utterance: &Utterance, cues: &mut Vec<Cue>) {
        match utterance {
            Utterance::Prompt(language, id) => cues.extend(self.setup.prompts.clip(*language, id).map(Cue::Clip)),
            Utterance::Recording(takes) => {
                cues.extend(takes.iter().filter_map(|take| self.loaded.get(take)).cloned().map(Cue::Clip));
            }
            Utterance::Beep => cues.push(Cue::Clip(Arc::clone(&self.setup.beep))),
            Utterance::Pause { ms } => cues.push(Cue::Silence(*ms)),
            Utterance::TicketNumber(language, number) => {
                self.pieces(*language, &say::ticket_number(&number.to_string()), cues);
            }
            Utterance::Digits(language, digits) => self.pieces(*language, &say::groups(digits), cues),
            Utterance::Phone(language, phone) => self.pieces(*language, &say::phone(phone.digits()), cues),
            Utterance::Date(language, date) => self.pieces(*language, &say::date(*date), cues),
            Utterance::Count(language, count) => self.pieces(*language, &say::count(*language, *count), cues),
        }
    }

    fn pieces(&self, language: Language, pieces: &[Piece], cues: &mut Vec<Cue>) {
        cues.extend(self.setup.prompts.cues(language, pieces));
    }
}

/// How the timeline names what is heard. A number is not told: it may be a citizen's.
fn row(utterance: &Utterance) -> Option<String> {
    Some(match utterance {
        Utterance::Prompt(language, id) => format!("{language} {id}"),
        Utterance::TicketNumber(language, _) => format!("{language} ticket_number"),
        Utterance::Digits(language, _) => format!("{language} digits"),
        Utterance::Phone(language, _) => format!("{language} phone"),
        Utterance::Date(language, _) => format!("{language} date"),
        Utterance::Count(language, _) => format!("{language} count"),
        Utterance::Recording(_) => "recording".to_owned(),
        Utterance::Beep => "beep".to_owned(),
        Utterance::Pause { .. } => return None,
    })
}

fn length(cues: &[Cue]) -> Duration {
    let ms = cues.iter().map(|cue| match cue {
        Cue::Clip(clip) => u64::from(clip.duration_ms()),
        Cue::Silence(ms) => u64::from(*ms),
    });
    Duration::from_millis(ms.sum())
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Note, Opening, Setup};
    use super::*;
    use crate::clock::Mono;
    use crate::digit::Digit;
    use crate::ivr::{Caller, Features, Flow, Profile};
    use crate::media::event::{Event as Sound, Path};
    use crate::phone::Phone;
    use crate::prompt::Prompts;
    use crate::sdp::{Direction, Ours};
    use crate::sip;

    /// A withheld number that chose Mandarin before, on the line; with everything that has come out.
    struct Line {
        call: Call,
        ms: u64,
        out: Vec<Output>,
    }

    impl Line {
        fn open() -> Line {
            let setup = Setup {
                flow: Flow::parse(include_str!("../../prompts/flows/inbound.toml"), "inbound.toml").expect("a flow"),
                prompts: Prompts::embedded(),
                beep: Arc::new(crate::media::tone::beep()),
                record_calls: false,
                keep_early: true,
                visit_synthetic: false,
                visit: Flow::parse(include_str!("../../prompts/flows/visit.toml"), "visit.toml").expect("a flow"),
                synthetic: false,
                longest_call: Duration::from_secs(600),
            };
            let caller = Caller {
                phone: None,
                city: crate::city::City::Nyingchi,
                language: Some(Language::Zh),
                profile: Profile::SelfService,
                features: Features::default(),
                visit: None,
            };
            let address = "192.0.2.1".parse().expect("an address");
            let ours = Ours {
                address,
                rtp_port: 20_000,
                session_id: 1,
                version: 1,
                direction: Direction::SendRecv,
                own_addresses: vec![address],
                own_rtp_range: 20_000..=29_999,
            };
            let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                         m=audio 4000 RTP/AVP 8\r\n";
            let leg = sip::Leg::outgoing(1);
            let opening = Opening { leg, caller, offer: Some(offer.into()), ours };
            let mut out = Vec::new();
            let call = Call::incoming(Arc::new(setup), opening, now(0), &mut out).expect("a call");
            let mut line = Line { call, ms: 0, out };
            line.happens(Input::Sip(sip::Event::Answered { leg, answer: None }));
            line
        }

        fn happens(&mut self, input: Input) {
            self.call.handle(now(self.ms), input, &mut self.out);
        }

        fn presses(&mut self, key: char) {
            let digit = Digit::from_char(key).expect("a key");
            self.happens(Input::Media(Sound::Digit { digit, path: Path::InBand }));
        }

        /// Lets the last playback end after what its clips take, and 20 ms.
        fn plays(&mut self) {
            let plays = |one: &Output| match one {
                Output::Media(Command::Play { token, clips }) => Some((*token, length(clips))),
                _ => None,
            };
            let (token, length) = self.out.iter().rev().find_map(plays).expect("something is played");
            self.ms += u64::try_from(length.as_millis()).expect("a length") + 20;
            self.happens(Input::Media(Sound::Played { token, complete: true, at: now(self.ms).mono }));
        }

        fn notes(&self) -> Vec<&Note> {
            self.out.iter().filter_map(|one| if let Output::Note(note) = one { Some(note) } else { None }).collect()
        }

        fn told(&self, kind: EventKind) -> Vec<(u64, &str)> {
            let notes = self.notes().into_iter().filter(|note| note.kind == kind);
            notes.map(|note| (note.offset_ms, note.text.as_str())).collect()
        }
    }

    fn now(ms: u64) -> Now {
        let start = chrono::DateTime::from_timestamp(1_795_000_000, 0).expect("a time");
        Now { mono: Mono::from_micros(ms * 1_000), wall: start + Duration::from_millis(ms) }
    }

    #[test]
    fn each_prompt_stands_where_it_began() {
        let mut line = Line::open();
        line.plays();
        let prompts = Prompts::embedded();
        let mut at = 0;
        let mut wanted = Vec::new();
        for id in ["greet.hello", "city.nyingchi", "greet.line"] {
            wanted.push((at, format!("zh {id}")));
            at += u64::from(prompts.clip(Language::Zh, id).expect("a clip").duration_ms());
        }
        let told = line.told(EventKind::Prompt);
        let told: Vec<(u64, String)> = told.into_iter().map(|(at, text)| (at, text.to_owned())).collect();
        assert_eq!(told[..3], wanted);
        assert!(line.notes().iter().all(|note| note.at == now(note.offset_ms).wall));
    }

    #[test]
    fn what_a_key_cut_off_was_not_played() {
        let mut line = Line::open();
        line.ms = 100;
        line.presses('9');
        let before: Vec<&str> = line.notes().iter().map(|note| note.text.as_str()).take(5).collect();
        assert_eq!(before, ["answer", "greeting_known", "zh greet.hello", "9 in_band", "language_known"]);
        assert!(line.told(EventKind::Prompt).iter().all(|(_, text)| !text.ends_with("greet.line")));
    }

    #[test]
    fn a_typed_number_leaves_its_keys_but_not_its_figures() {
        let mut line = Line::open();
        line.plays();
        line.plays();
        line.ms += 6_000;
        line.happens(Input::Timeout);
        line.plays();
        for key in "2426#".chars() {
            line.ms += 200;
            line.presses(key);
        }
        let keys: Vec<&str> = line.told(EventKind::Key).into_iter().map(|(_, text)| text).collect();
        assert_eq!(keys, ["2 in_band", "digit in_band", "digit in_band", "digit in_band", "digit in_band"]);
    }

    #[test]
    fn a_row_names_what_was_read_out_and_not_the_number() {
        let phone = Phone::parse("13812345678").expect("a number");
        let number = "426112201378".parse().expect("a number");
        for (utterance, name) in [
            (Utterance::Phone(Language::Zh, phone), Some("zh phone")),
            (Utterance::TicketNumber(Language::Bo, number), Some("bo ticket_number")),
            (Utterance::Digits(Language::Bo, "5678".to_owned()), Some("bo digits")),
            (Utterance::Recording(vec![Take(1)]), Some("recording")),
            (Utterance::Beep, Some("beep")),
            (Utterance::Pause { ms: 400 }, None),
        ] {
            assert_eq!(row(&utterance).as_deref(), name);
        }
    }
}
