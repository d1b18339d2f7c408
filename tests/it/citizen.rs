//! A citizen on the phone: the walk through the menus that most tests share.

use std::time::Duration;

use serde_json::Value;

use super::peer::call::{Call, Dial};
use super::peer::dialog::Ended;
use super::peer::phone::Phone;
use super::peer::service::{Service, book};
use super::peer::time::{millis, seconds};

pub const TIBETAN: char = '1';
pub const MANDARIN: char = '2';

pub struct Citizen {
    pub call: Call,
    pub phone: Phone,
    pub number: String,
    language: &'static str,
}

impl Citizen {
    /// Calls 12345 and is answered.
    #[track_caller]
    pub fn calls(service: &Service, number: &str) -> Citizen {
        Citizen::dials(Phone::udp(&book()), &Dial::new(service.sip, number))
    }

    #[track_caller]
    pub fn dials(phone: Phone, dial: &Dial) -> Citizen {
        let call = phone.call(dial);
        call.answered(seconds(5));
        Citizen { call, phone, number: dial.from.clone(), language: "zh" }
    }

    /// `bo/rec.intro` for `rec.intro`.
    pub fn prompt(&self, id: &str) -> String {
        format!("{}/{id}", self.language)
    }

    #[track_caller]
    pub fn hears(&self, ids: &[&str]) {
        let prompts: Vec<String> =
            ids.iter().map(|id| if *id == "beep" { "beep".into() } else { self.prompt(id) }).collect();
        self.call.hear(&prompts.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[track_caller]
    pub fn waits_for(&self, id: &str) -> Vec<String> {
        self.waits_longer_for(id, seconds(15))
    }

    #[track_caller]
    pub fn waits_longer_for(&self, id: &str, within: Duration) -> Vec<String> {
        let prompt = if id == "beep" { id.to_owned() } else { self.prompt(id) };
        self.call.hear_until(&prompt, within)
    }

    pub fn presses(&self, digits: &str) {
        self.call.press(digits);
    }

    /// Chooses over the greeting, hears the notice, and is at the main menu.
    #[track_caller]
    pub fn chooses(&mut self, key: char) {
        self.call.hear_until("bo/greet.hello", seconds(5));
        self.presses(&key.to_string());
        self.language = if key == TIBETAN { "bo" } else { "zh" };
        self.waits_for("notice.record");
        self.waits_for("menu.head");
    }

    /// From the main menu to the beep: report, as a citizen, of this kind (1 consult … 6 praise).
    #[track_caller]
    pub fn reports(&self, kind: char) {
        self.presses("1");
        self.waits_for("who.citizen");
        self.presses("1");
        self.waits_for("type.consult");
        self.presses(&kind.to_string());
        self.hears_to_the_beep();
    }

    /// The recording begins when the beep has ended.
    #[track_caller]
    pub fn hears_to_the_beep(&self) {
        self.waits_for("rec.intro");
        self.hears_the_beep();
    }

    #[track_caller]
    pub fn hears_the_beep(&self) {
        self.waits_for("beep");
        self.call.hear_silence(millis(100), seconds(5));
    }

    /// Talks, ends with a key, and hears the review begin.
    #[track_caller]
    pub fn records(&self, talk: &[i16]) {
        self.call.say(talk.to_vec());
        self.presses("#");
        self.waits_longer_for("rec.review", seconds(40));
    }

    /// From the review to the spoken number: submit, not confidential, this phone.
    #[track_caller]
    pub fn submits(&self) {
        self.waits_for("opt.rec_submit");
        self.presses("1");
        self.waits_for("conf.ask");
        self.presses("2");
        self.waits_for("phone.is");
        self.presses("1");
        self.waits_for("tk.created");
    }

    /// Hears the number twice; the digits.
    #[track_caller]
    pub fn hears_the_number(&self) -> String {
        let digits = |count: usize| -> String {
            let heard = (0..count).map(|_| self.call.hear_next(seconds(5)));
            heard.map(|sound| digit_of(super::peer::call::name(&sound.sound), self.language)).collect()
        };
        let number = digits(12);
        self.hears(&["tk.again"]);
        assert_eq!(digits(12), number, "the number said again\n{}", self.call.trace());
        number
    }

    /// The promise, the goodbye, and the service hangs up.
    #[track_caller]
    pub fn is_sent_home(&self, promise: &str) {
        self.hears(&["tk.contact1h", promise, "greet.bye"]);
        assert_eq!(self.call.ended(seconds(5)), Ended::ByPeer);
    }

    #[track_caller]
    pub fn hangs_up(&self) {
        self.call.hang_up();
    }

    /// The one ticket of this number.
    #[track_caller]
    pub fn ticket(&self, service: &Service) -> Value {
        service.ticket(&self.number, seconds(10), |_| true)
    }
}

#[track_caller]
fn digit_of(prompt: &str, language: &str) -> char {
    let digit = prompt.strip_prefix(language).and_then(|rest| rest.strip_prefix("/digit."));
    digit.and_then(|digit| digit.parse().ok()).unwrap_or_else(|| panic!("{prompt} is no digit in {language}"))
}

/// Luhn's check over all digits (ISO/IEC 7812-1 annex B), written again for the tests.
pub fn luhn_holds(number: &str) -> bool {
    let digits = number.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

#[test]
fn the_ticket_numbers_of_the_rules_hold() {
    for number in ["126112200012", "426112201378", "326022700420"] {
        assert!(luhn_holds(number), "{number}");
    }
    assert!(!luhn_holds("126112200021"));
}
