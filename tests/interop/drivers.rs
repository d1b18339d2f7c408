//! The drivers and the softphone against each other: whoever is to judge must be trusted first.

use super::baresip::{Baresip, Setup};
use super::kamailio::Kamailio;
use super::linphone::Linphone;
use super::peer::call::Dial;
use super::peer::compare::assert_same_sound;
use super::peer::dialog::{Ended, Manners};
use super::peer::g711::Law;
use super::peer::media::intrude;
use super::peer::net::rtp_pair;
use super::peer::phone::{Phone, Settings};
use super::peer::rtp::Press;
use super::peer::sdp::Offer;
use super::peer::signal::{keys_in, talk};
use super::peer::time::{millis, seconds};
use super::peer::tones::Book;
use super::sipp::Sipp;

fn book() -> Book {
    Book::of(["greet.hello", "menu.head", "digit.1"])
}

/// A phone that forgives foreign programs their dialects of RTP.
fn forgiving() -> Phone {
    Phone::start(Settings { strict: false, ..Settings::new(&book()) })
}

#[test]
fn two_softphones_talk_type_hold_and_hang_up() {
    let (book, caller, called) = (book(), Phone::udp(&book()), Phone::udp(&book()));
    let call = caller.call(&Dial::new(called.address(), "13989001234"));
    let answered = called.answer(&Offer::default(), seconds(5));
    call.answered(seconds(5));
    answered.answered(seconds(5));
    for prompt in ["bo/greet.hello", "zh/greet.hello", "zh/digit.1", "zh/digit.1", "bo/menu.head"] {
        answered.say(book.clip(prompt));
    }
    let talked = talk(1, 3000);
    call.press("1");
    call.press_as("5", Press { lost_marker: true, ..Press::default() });
    call.press_as("5", Press { lost_ends: true, duplicated: true, ..Press::default() });
    call.say(talked.clone());
    call.hear(&["bo/greet.hello", "zh/greet.hello", "zh/digit.1", "zh/digit.1", "bo/menu.head"]);
    call.said_all(seconds(8));
    assert_eq!(answered.audio().keys(), "155");
    call.hold();
    assert_eq!(answered.description().map(|held| held.direction).as_deref(), Some("sendonly"));
    call.resume();
    assert!(answered.audio().wait_audio(3500, seconds(5)));
    assert_same_sound(&talked, &answered.audio().heard_audio(), 2900);
    assert!(call.audio().strangers() == 0 && call.repeated_answers() == 0);
    answered.hang_up();
    assert_eq!(call.ended(seconds(5)), Ended::ByPeer);
}

#[test]
fn an_invite_without_an_offer_gets_its_answer_in_the_ack() {
    let (caller, called) = (Phone::udp(&book()), Phone::udp(&book()));
    let call = caller.call(&Dial { offer: None, ..Dial::new(called.address(), "13989001234") });
    let answered = called.answer(&Offer::default(), seconds(5));
    answered.answered(seconds(5));
    call.answered(seconds(5));
    answered.say(book().clip("zh/menu.head"));
    call.hear(&["zh/menu.head"]);
    call.hang_up();
    assert_eq!(answered.ended(seconds(5)), Ended::ByPeer);
}

#[test]
fn a_late_ack_a_stranger_and_keys_by_other_paths_are_seen_for_what_they_are() {
    let (caller, called) = (Phone::udp(&book()), Phone::udp(&book()));
    let manners = Manners { acknowledges: false, ..Manners::default() };
    let call = caller.call(&Dial { manners, ..Dial::new(called.address(), "13989001234") });
    let answered = called.answer(&Offer::default(), seconds(5));
    call.answered(seconds(5));
    assert!(call.wait_repeated_answer(seconds(3)), "{}", call.trace());
    call.acknowledge();
    answered.answered(seconds(5));
    let loopback = "127.0.0.1".parse().expect("an address");
    let (stranger, _) = rtp_pair(loopback);
    assert_eq!(intrude(&stranger, answered.audio().local, Law::A, &talk(6, 200)), 0);
    assert_eq!(answered.audio().strangers(), 10);
    call.info_key('4');
    let info = answered.peer_request("INFO", seconds(1)).expect("the INFO came");
    assert!(info.body.starts_with(b"Signal=4\r\n"));
    call.press_in_band("90");
    call.said_all(seconds(5));
    answered.audio().let_pass(millis(200));
    assert_eq!(keys_in(&answered.audio().heard_audio()), "90");
    call.hang_up();
    assert_eq!(answered.ended(seconds(5)), Ended::ByPeer);
}

#[test]
fn sipp_calls_the_softphone() {
    let (phone, talked) = (forgiving(), talk(2, 4000));
    let mut sipp = Sipp::call("caller.xml", phone.address(), "13989001111", false, &talked);
    let call = phone.answer(&Offer::default(), seconds(10));
    assert_eq!(call.ended(seconds(20)), Ended::ByPeer);
    sipp.succeeds(seconds(10));
    assert_eq!(call.audio().keys(), "12");
    assert_same_sound(&talked, &call.audio().heard_audio(), 3900);
}

#[test]
fn baresip_calls_the_softphone() {
    let (book, phone, talked) = (book(), forgiving(), talk(3, 4000));
    let mut baresip = Baresip::caller(talked.clone());
    baresip.dial_only(&format!("sip:12345@{}", phone.address()));
    let call = phone.answer(&Offer::default(), seconds(10));
    baresip.event("CALL_ESTABLISHED", seconds(10));
    call.say(book.clip("bo/greet.hello"));
    baresip.hears(&book, "bo/greet.hello", seconds(5));
    assert!(call.audio().wait_audio(4300, seconds(10)), "{}", call.trace());
    baresip.press("12");
    assert_eq!(call.audio().wait_keys(2, seconds(5)), "12");
    baresip.hang_up();
    assert_eq!(call.ended(seconds(5)), Ended::ByPeer);
    assert_same_sound(&talked, &call.audio().heard_audio(), 3800);
    assert_eq!(baresip.heard_names(&book), ["bo/greet.hello"]);
}

#[test]
fn linphonec_calls_the_softphone() {
    let (phone, talked) = (forgiving(), talk(4, 4000));
    let mut linphone = Linphone::start(&talked);
    linphone.command(&format!("call sip:12345@{}", phone.address()));
    let call = phone.answer(&Offer::default(), seconds(10));
    call.answered(seconds(10));
    linphone.line("connected", seconds(5));
    call.say(book().clip("zh/menu.head"));
    linphone.hears(&book(), "zh/menu.head", seconds(5));
    assert!(call.audio().wait_audio(4500, seconds(10)), "{}", call.trace());
    linphone.press("12");
    assert_eq!(call.audio().wait_keys(2, seconds(5)), "12");
    linphone.hang_up();
    assert_eq!(call.ended(seconds(5)), Ended::ByPeer);
    assert_same_sound(&talked, &call.audio().heard_audio(), 3500);
}

#[test]
fn a_call_through_kamailio_follows_its_record_route() {
    let kamailio = Kamailio::start();
    let account = format!(
        "<sip:ivr@hotline.test>;regint=60;auth_user=ivr;auth_pass=s3cret;outbound=\"sip:{}\";answermode=auto;audio_codecs=PCMA/8000/1",
        kamailio.address
    );
    let talked = talk(5, 3000);
    let mut baresip = Baresip::start(Setup { account: &account, says: talked.clone() });
    baresip.registered();
    let phone = forgiving();
    let uri = Some(format!("sip:ivr@{}", kamailio.address));
    let call = phone.call(&Dial { uri, ..Dial::new(kamailio.address, "13989002222") });
    call.answered(seconds(10));
    call.press("7");
    baresip.event("CALL_DTMF_START", seconds(5));
    assert!(call.audio().wait_audio(3200, seconds(10)), "{}", call.trace());
    assert_same_sound(&talked, &call.audio().heard_audio(), 2800);
    assert!(!call.wait_repeated_answer(millis(700)), "the ACK went astray\n{}", call.trace());
    call.hang_up();
    baresip.event("CALL_CLOSED", seconds(5));
}
