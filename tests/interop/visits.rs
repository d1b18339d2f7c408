//! baresip is called back, by the calls alone: `called_back` has the dialer before them.

use hotline::language::Language;
use hotline::ticket::Outcome;

use super::baresip::{Baresip, Setup};
use super::house::{CITIZEN, House};
use super::peer::service::book;
use super::peer::signal::{silence, talk};
use super::peer::time::seconds;

/// A phone that answers by itself and says this.
fn citizen(rest: &str, says: Vec<i16>) -> Baresip {
    let account = format!("{rest};answermode=auto;audio_codecs=PCMA/8000/1;dtmfmode=rtpevent");
    Baresip::start(Setup { account: &account, says })
}

/// Types the gate's key and an answer to each question.
fn answers(baresip: &mut Baresip) {
    let book = book();
    baresip.event("CALL_ESTABLISHED", seconds(10));
    for prompt in ["zh/opt.rv_start", "zh/rv.q1", "zh/rv.q2", "zh/rv.q3"] {
        baresip.hears(&book, prompt, seconds(20));
        baresip.press("1");
    }
}

#[test]
fn baresip_answers_the_survey() {
    let house = House::open();
    let mut baresip = citizen(&format!("<sip:{CITIZEN}@127.0.0.1:{{sip}}>;regint=0"), silence(1_000));
    let placed = house.places(house.due(Language::Zh), &[baresip.sip], seconds(30));
    answers(&mut baresip);
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::Complete));
    baresip.event("CALL_CLOSED", seconds(10));
}

#[test]
fn baresip_talks_like_a_machine() {
    let house = House::open();
    let baresip = citizen(&format!("<sip:{CITIZEN}@127.0.0.1:{{sip}}>;regint=0"), talk(9, 12_000));
    let placed = house.places(house.due(Language::Zh), &[baresip.sip], seconds(30));
    let attempt = house.settled_within(&placed, seconds(60));
    assert_eq!((attempt.outcome, attempt.message_left), (Some(Outcome::Machine), true));
}
