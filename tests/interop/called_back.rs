//! The whole service calls foreign telephones back: SIPp answers or does not, and the attempt says how it went.

use std::time::Duration;

use serde_json::{Value, json};

use super::baresip::{self, Baresip};
use super::callee::{Act, Answer, Callee, Early, Refusal};
use super::kamailio::{Kamailio, PASSWORD, REALM};
use super::peer::service::{Service, Setup, book};
use super::peer::signal::{key, silence, sine, talk};
use super::peer::time::{left, millis, now, seconds};

/// A service that may call at any hour by these trunks: their names, those who are called there, and keys beside.
fn service(trunks: &[(&str, &Callee, &str)]) -> Service {
    let trunk = |(name, callee, more): &(&str, &Callee, &str)| {
        let peer = callee.address;
        format!("[trunk.{name}]\npeer = \"sip:{peer}\"\nnumber = \"12345\"\ncalls_out = true\n{more}\n")
    };
    started(&trunks.iter().map(trunk).collect::<String>())
}

/// A service that may call at any hour, with these tables of trunks.
fn started(trunks: &str) -> Service {
    let visits = "[visits]\nwindows = [\"00:00-23:59\"]\ncall_on_days_off = true\nsms = false\nring_timeout_s = 10\n";
    Setup::default().config(visits).config(trunks).file("password", PASSWORD).start()
}

const PLENTY: &str = "channels = 20\nkept_for_inbound = 5\n";

/// A complaint of this number that has just been answered directly.
pub fn closed(service: &Service, phone: &str) -> String {
    let request = json!({
        "city": "chamdo", "channel": "website", "type": "complaint", "title": "路灯不亮", "content": "三天不亮。",
        "class": "0101", "phone": phone, "language": "zh",
    });
    let (status, ticket) = service.post("/api/v1/tickets", &request);
    assert_eq!(status, 201, "{ticket}");
    let number = ticket["number"].as_str().expect("a number").to_owned();
    let answer = json!({ "command": "answer", "version": 1, "reply": "已修复" });
    let (status, answered) = service.post(&format!("/api/v1/tickets/{number}/commands"), &answer);
    assert_eq!(status, 200, "{answered}");
    number
}

/// Waits for the first attempt of a ticket to end.
#[track_caller]
fn attempt(service: &Service, ticket: &str, within: Duration) -> Value {
    let deadline = now() + within;
    loop {
        let visit = service.json(&format!("/api/v1/visits/{ticket}"));
        let first = visit["attempts"].as_array().and_then(|attempts| attempts.first()).cloned();
        if let Some(ended) = first.filter(|attempt| !attempt["outcome"].is_null()) {
            return ended;
        }
        assert!(!left(deadline).is_zero(), "no attempt has ended: {visit:#}\n{}", service.log());
        std::thread::park_timeout(millis(100));
    }
}

/// The outcome of the first attempt at this callee, who was called once.
#[track_caller]
fn outcome(callee: &Callee, phone: &str, within: Duration) -> Value {
    let service = service(&[("city", callee, PLENTY)]);
    let ticket = closed(&service, phone);
    let mut attempt = attempt(&service, &ticket, within);
    // for a failing test
    attempt["story"] = story(&service, &attempt).into();
    let calls = callee.calls();
    let numbers: Vec<&str> = calls.iter().map(|call| call.number.as_str()).collect();
    assert_eq!(numbers, [phone], "{attempt:#}");
    assert_eq!(attempt["trunk"], "city");
    attempt
}

/// What happened in the call of an attempt.
fn story(service: &Service, attempt: &Value) -> Vec<String> {
    let call = service.json(&format!("/api/v1/calls/{}", attempt["call"].as_str().unwrap_or_default()));
    let line = |event: &Value| format!("{} {} {}", event["offset_ms"], event["kind"], event["text"]);
    call["events"].as_array().into_iter().flatten().map(line).collect()
}

fn cadence(on_ms: u32, off_ms: u32, times: usize) -> Vec<i16> {
    [sine(450.0, 6_000.0, on_ms), silence(off_ms)].concat().repeat(times)
}

#[test]
fn what_the_network_says_is_the_outcome() {
    for (n, (status, q850, expected)) in [
        (486, None, "busy"),
        (480, None, "no_answer"),
        (603, None, "declined"),
        (404, None, "bad_number"),
        (503, None, "line_trouble"),
        (480, Some(17), "busy"),
        (503, Some(1), "bad_number"),
    ]
    .into_iter()
    .enumerate()
    {
        let callee = Callee::refuses(&Refusal { q850, ..Refusal::at_once(status) });
        let attempt = outcome(&callee, &format!("1398900600{n}"), seconds(30));
        assert_eq!(attempt["outcome"], expected, "{attempt:#}");
        assert_eq!(attempt["status"], status, "{attempt:#}");
    }
}

#[test]
fn a_telephone_that_rings_for_nothing_is_no_answer() {
    let callee = Callee::refuses(&Refusal::ringing(seconds(60)));
    let attempt = outcome(&callee, "13989006010", seconds(40));
    assert_eq!(attempt["outcome"], "no_answer", "{attempt:#}");
    let call = callee.calls().remove(0);
    let rang = call.ended_at.expect("it was taken back") - call.at;
    assert!((9_500_000..13_000_000).contains(&rang), "{rang} us");
}

#[test]
fn tones_of_the_network_are_recognised_before_an_answer() {
    for (n, (tone, expected)) in [
        (cadence(350, 350, 8), "busy"),
        (cadence(700, 700, 5), "line_trouble"),
        (cadence(1_000, 4_000, 2), "no_answer"),
    ]
    .into_iter()
    .enumerate()
    {
        let early = Early::Sound(tone);
        let callee = Callee::refuses(&Refusal { early, after: seconds(9), status: 480, q850: None });
        let attempt = outcome(&callee, &format!("1398900602{n}"), seconds(40));
        assert_eq!(attempt["outcome"], expected, "{attempt:#}");
        assert!(attempt["early"].is_string(), "what was played is kept: {attempt:#}");
    }
}

#[test]
fn somebody_who_says_nothing_is_no_machine() {
    let callee = Callee::answers(&Answer { after: millis(500), events: true, acts: Vec::new() });
    let attempt = outcome(&callee, "13989006030", seconds(120));
    assert_eq!((&attempt["outcome"], &attempt["willing"]), (&json!("no_key"), &json!(false)), "{attempt:#}");
}

#[test]
fn something_that_speaks_on_end_is_a_machine() {
    let acts = vec![Act::Wait(millis(500)), Act::Say(talk(61, 60_000))];
    let callee = Callee::answers(&Answer { after: millis(500), events: true, acts });
    let attempt = outcome(&callee, "13989006040", seconds(120));
    assert_eq!(attempt["outcome"], "machine", "{attempt:#}");
}

/// Key 1 at the gate and to each of the three questions.
fn ones(press: impl Fn(&mut Vec<Act>)) -> Vec<Act> {
    let mut acts = vec![Act::Wait(seconds(10))];
    for _ in 0..4 {
        press(&mut acts);
        acts.push(Act::Wait(seconds(6)));
    }
    acts
}

#[track_caller]
fn all_three_are_answered(phone: &str, events: bool, acts: Vec<Act>) {
    let callee = Callee::answers(&Answer { after: millis(500), events, acts });
    let attempt = outcome(&callee, phone, seconds(120));
    let said = ["outcome", "willing", "contacted", "solved", "satisfaction"].map(|key| attempt[key].clone());
    assert_eq!(said, [json!("complete"), json!(true), json!("in_time"), json!("yes"), json!(5)], "{attempt:#}");
}

#[test]
fn keys_by_events_answer_the_three_questions() {
    all_three_are_answered("13989006050", true, ones(|acts| acts.push(Act::Press('1'))));
}

#[test]
fn keys_by_info_answer_the_three_questions() {
    all_three_are_answered("13989006051", false, ones(|acts| acts.push(Act::PressByInfo('1'))));
}

#[test]
fn keys_in_band_answer_the_three_questions() {
    // one stream: SIPp begins each capture with the same sequence number
    let pressed = [silence(10_000), [key('1', 150), silence(6_000)].concat().repeat(4)].concat();
    all_three_are_answered("13989006052", false, vec![Act::Say(pressed)]);
}

#[test]
fn who_hangs_up_at_once_has_hung_up_and_keys_typed_before_are_kept() {
    let callee =
        Callee::answers(&Answer { after: millis(500), events: true, acts: vec![Act::Wait(seconds(2)), Act::HangUp] });
    let attempt = outcome(&callee, "13989006060", seconds(60));
    assert_eq!(attempt["outcome"], "hung_up", "{attempt:#}");
    let mut acts = ones(|acts| acts.push(Act::Press('1')));
    acts.truncate(5);
    acts.push(Act::HangUp);
    let callee = Callee::answers(&Answer { after: millis(500), events: true, acts });
    let attempt = outcome(&callee, "13989006061", seconds(60));
    assert_eq!((&attempt["outcome"], &attempt["contacted"]), (&json!("partial"), &json!("in_time")), "{attempt:#}");
}

#[test]
fn a_trunk_that_refuses_gives_way_to_the_next_and_is_paused_after_five() {
    let poor = Callee::refuses(&Refusal::at_once(503));
    let good = Callee::refuses(&Refusal::at_once(486));
    let first = format!("{PLENTY}priority = 1\n");
    let service = service(&[("poor", &poor, &first), ("good", &good, PLENTY)]);
    for n in 0..7 {
        let ticket = closed(&service, &format!("1398900607{n}"));
        let attempt = attempt(&service, &ticket, seconds(30));
        assert_eq!((&attempt["outcome"], &attempt["trunk"]), (&json!("busy"), &json!("good")), "{attempt:#}");
    }
    assert_eq!((poor.calls().len(), good.calls().len()), (5, 7));
    let (status, body) = service.get_with("/readyz", &[]);
    let ready: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        (status, &ready["parts"]["trunks"]["detail"]),
        (200, &json!("paused for troubles with calls out: poor"))
    );
    assert_eq!(service.metric("hotline_trunk_verdicts_total"), Some(12.0));
    assert_eq!(service.metric("hotline_trunk_paused"), Some(1.0));
    assert!(!service.log().contains("139890060"), "{}", service.log());
}

#[test]
fn what_may_not_be_dialled_goes_to_a_person_and_no_invite_leaves() {
    let callee = Callee::refuses(&Refusal::at_once(486));
    let service = service(&[("city", &callee, PLENTY)]);
    for phone in ["4008123456", "12345", "089512345", "+1 315 555 1234", "110", "12319", "6323111"] {
        let ticket = closed(&service, phone);
        let attempt = attempt(&service, &ticket, seconds(30));
        assert_eq!(attempt["outcome"], "undialable", "{phone}: {attempt:#}");
        let visit = service.json(&format!("/api/v1/visits/{ticket}"));
        assert_eq!(visit["visits"][0]["step"], "person", "{phone}: {visit:#}");
    }
    assert_eq!(callee.calls(), []);
}

#[test]
fn a_call_that_rings_holds_no_channel_of_another_trunk() {
    let callees = [Callee::refuses(&Refusal::ringing(seconds(60))), Callee::refuses(&Refusal::ringing(seconds(60)))];
    let one = "channels = 2\nkept_for_inbound = 1\n";
    let service = service(&[("one", &callees[0], one), ("two", &callees[1], one)]);
    closed(&service, "13989006090");
    closed(&service, "13989006091");
    for callee in &callees {
        callee.wait(seconds(20), |calls| calls.first().map(drop));
    }
    let [one, two] = callees.map(|callee| callee.calls().remove(0));
    assert!(one.at.abs_diff(two.at) < 8_000_000, "both rang at once: {one:?} {two:?}");
}

/// The trunk is a registrar that challenges the REGISTER by 401 and the INVITE by 407, and stays in the call's route.
#[test]
fn a_citizen_with_baresip_is_called_through_kamailio_and_answers() {
    let (kamailio, book) = (Kamailio::start(), book());
    let citizen = "13989006095";
    let account = format!(
        "<sip:{citizen}@{REALM}>;regint=60;auth_user={citizen};auth_pass={PASSWORD};outbound=\"sip:{}\";\
         answermode=auto;audio_codecs=PCMA/8000/1;dtmfmode=rtpevent",
        kamailio.address
    );
    let mut phone = Baresip::start(baresip::Setup { account: &account, says: silence(1_000) });
    phone.registered();
    let service = started(&format!(
        "[trunk.city]\nregistrar = \"sip:{}\"\nusername = \"ivr\"\nrealm = \"{REALM}\"\npassword_file = \"password\"\n\
         number = \"089512345\"\nkeep_alive_s = 1\ncalls_out = true\n{PLENTY}",
        kamailio.address
    ));
    let ticket = closed(&service, citizen);
    phone.event("CALL_ESTABLISHED", seconds(30));
    for prompt in ["zh/opt.rv_start", "zh/opt.q1_yes", "zh/opt.q2_yes", "zh/opt.q3_1"] {
        phone.hears(&book, prompt, seconds(20));
        phone.press("1");
    }
    phone.event("CALL_CLOSED", seconds(20));
    let attempt = attempt(&service, &ticket, seconds(10));
    let said = ["outcome", "contacted", "solved", "satisfaction"].map(|key| attempt[key].clone());
    let story = || story(&service, &attempt).join("\n");
    assert_eq!(said, [json!("complete"), json!("in_time"), json!("yes"), json!(5)], "{attempt:#}\n{}", story());
    assert!(story().contains("407"), "{}", story());
}
