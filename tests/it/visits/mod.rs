//! Return visits over real sockets: the hotline calls the citizen's softphone (domain.md §4).

mod house;

use hotline::language::Language;
use hotline::store::Settlement;
use hotline::ticket::{CallEnd, Contacted, Direction, Outcome, RecordingKind, Satisfaction, Solved, State, Way};

use super::peer::call::{Call, Dial};
use super::peer::dialog::Ended;
use super::peer::phone::Phone;
use super::peer::sdp::Offer;
use super::peer::service::book;
use super::peer::signal::{silence, sine, talk};
use super::peer::sip::Sip;
use super::peer::time::seconds;
use hotline::driver::calls::{Placing, Stage, Unplaced};
use hotline::driver::route::Verdict;
use house::{CITIZEN, House};

/// Hears the gate and answers each question by its key.
fn answers_by(call: &Call, press: impl Fn(&Call, char), keys: [char; 4]) {
    for (prompt, key) in ["zh/opt.rv_start", "zh/rv.q1", "zh/rv.q2", "zh/rv.q3"].into_iter().zip(keys) {
        call.hear_until(prompt, seconds(15));
        press(call, key);
    }
}

fn by_event(call: &Call, key: char) {
    call.press(&key.to_string());
}

#[test]
fn a_citizen_who_is_called_back_answers_by_rfc_4733() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.answers();
    call.hear(&["zh/greet.hello", "zh/greet.line", "zh/rv.purpose", "zh/notice.record", "zh/opt.rv_start"]);
    call.press("1");
    call.hear_until("zh/rv.matter1", seconds(10));
    call.hear_until("zh/rv.matter2", seconds(10));
    for (prompt, key) in [("zh/rv.q1", '2'), ("zh/rv.q2", '1'), ("zh/rv.q3", '1')] {
        call.hear_until(prompt, seconds(10));
        by_event(&call, key);
    }
    call.hear_until("zh/rv.thanks", seconds(10));
    assert_eq!(call.ended(seconds(5)), Ended::ByPeer);

    let attempt = house.settled(&placed);
    assert_eq!((attempt.way, attempt.outcome), (Way::Call, Some(Outcome::Complete)));
    assert_eq!(attempt.trunk.as_deref(), Some("trunk-0"));
    let given = attempt.given;
    assert!(given.willing);
    assert_eq!((given.contacted, given.solved), (Some(Contacted::Late), Some(Solved::Yes)));
    assert_eq!(given.satisfaction, Satisfaction::new(5));
    let row = house.call_row(&attempt);
    assert_eq!((row.direction, row.ended_by), (Direction::Outbound, Some(CallEnd::Hotline)));
    assert!(row.answered_at.is_some());
    assert_eq!(house.ticket(&placed).state, State::Archived);
}

#[test]
fn a_citizen_who_is_called_back_answers_by_info() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.answers();
    answers_by(&call, Call::info_key, ['1', '1', '1', '2']);
    assert_eq!(call.ended(seconds(10)), Ended::ByPeer);
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::Complete));
}

#[test]
fn a_citizen_who_is_called_back_answers_by_tones() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.phone.answer(&Offer { telephone_event: None, ..Offer::default() }, seconds(5));
    answers_by(&call, |call, key| call.press_in_band(&key.to_string()), ['1', '1', '1', '2']);
    assert_eq!(call.ended(seconds(10)), Ended::ByPeer);
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::Complete));
}

#[test]
fn who_says_that_it_is_not_solved_says_why_and_has_it_handled_again() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.answers();
    answers_by(&call, by_event, ['1', '1', '3', '5']);
    call.hear_until("zh/rv.why", seconds(10));
    call.hear_until("beep", seconds(10));
    call.say(talk(11, 3_000));
    call.press("#");
    call.hear_until("zh/rv.reopen", seconds(15));
    call.press("1");
    call.hear_until("zh/rv.reopened", seconds(10));
    assert_eq!(call.ended(seconds(10)), Ended::ByPeer);

    let attempt = house.settled(&placed);
    assert_eq!((attempt.outcome, attempt.given.redo), (Some(Outcome::Complete), Some(true)));
    house.call_row(&attempt);
    let recordings = house.recordings(&attempt);
    let reason = recordings.iter().find(|recording| recording.kind == RecordingKind::Reason).expect("a reason");
    assert_eq!((attempt.given.reason, reason.ticket), (Some(reason.id), Some(placed.ticket)));
    assert!(reason.duration_ms.is_some_and(|ms| ms >= 2_500), "{reason:?}");
    assert!(recordings.iter().any(|recording| recording.kind == RecordingKind::Call));
    assert_eq!(house.ticket(&placed).state, State::Recheck);
}

#[test]
fn a_refusal_is_settled_as_what_it_is() {
    for (status, header, outcome) in [
        (486, None, Outcome::Busy),
        (480, None, Outcome::NoAnswer),
        (603, None, Outcome::Declined),
        (404, None, Outcome::BadNumber),
        (503, Some(("Reason", "Q.850;cause=21")), Outcome::Declined),
    ] {
        let house = House::open();
        let mut placed = house.calls_back();
        house.refuses(status, header);
        let attempt = house.settled(&placed);
        assert_eq!((attempt.outcome, attempt.status), (Some(outcome), Some(status)));
        let (_, verdict) = house.wait(placed.verdicts.recv()).expect("the trunk hears of it");
        assert_eq!(verdict, Verdict::Carried, "{status}");
        assert_eq!(house.call_row(&attempt).answered_at, None);
    }
}

#[test]
fn a_trunk_in_trouble_gives_way_to_the_next_one_and_the_phone_rings_once() {
    let (house, broken) = (House::open(), Phone::udp(&book()));
    let visit = house.due(Language::Zh);
    let mut placed = house.places(visit, &[broken.address(), house.phone.address()], seconds(30));
    let refused = house.invite(&broken);
    broken.respond(&refused, &Sip::response(&refused.request, 503, "No", "r1"));
    let call = house.answers();
    call.hear_until("zh/opt.rv_start", seconds(10));
    call.hang_up();
    let attempt = house.settled(&placed);
    assert_eq!((attempt.outcome, attempt.trunk.as_deref()), (Some(Outcome::HungUp), Some("trunk-1")));
    let verdicts = [house.wait(placed.verdicts.recv()), house.wait(placed.verdicts.recv())];
    let told = verdicts.map(|told| told.map(|(trunk, verdict)| (trunk.to_string(), verdict)));
    let wanted = [("trunk-0".to_owned(), Verdict::Trouble { status: 503 }), ("trunk-1".to_owned(), Verdict::Carried)];
    assert_eq!(told, wanted.map(Some));
}

#[test]
fn a_phone_that_rings_for_nothing_is_given_up_after_its_time() {
    let house = House::open();
    let visit = house.due(Language::Zh);
    let placed = house.places(visit, &[house.phone.address()], seconds(2));
    let invite = house.invite(&house.phone);
    house.phone.respond(&invite, &Sip::response(&invite.request, 180, "Ringing", "r1"));
    let cancel = house.phone.incoming(seconds(10), |request| request.method() == Some("CANCEL")).expect("a CANCEL");
    house.phone.respond(&cancel, &Sip::response(&cancel.request, 200, "OK", "r1"));
    house.phone.respond(&invite, &Sip::response(&invite.request, 487, "Request Terminated", "r1"));
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::NoAnswer));
}

#[test]
fn what_the_network_says_in_place_of_an_answer_is_kept() {
    let house = House::open();
    let placed = house.calls_back();
    let invite = house.invite(&house.phone);
    let early = house.phone.speaks_early(&invite, "r1");
    early.say(talk(5, 2_000));
    early.said_all(seconds(10));
    house.phone.respond(&invite, &Sip::response(&invite.request, 480, "No", "r1"));
    let attempt = house.settled(&placed);
    house.call_row(&attempt);
    let recordings = house.recordings(&attempt);
    let kept = recordings.iter().find(|recording| recording.kind == RecordingKind::Early).expect("early audio");
    assert_eq!((attempt.outcome, attempt.early), (Some(Outcome::NoAnswer), Some(kept.id)));
    assert!(kept.duration_ms.is_some_and(|ms| (1_500..6_000).contains(&ms)), "{kept:?}");
}

#[test]
fn a_busy_tone_before_the_answer_is_busy() {
    let house = House::open();
    let placed = house.calls_back();
    let invite = house.invite(&house.phone);
    let early = house.phone.speaks_early(&invite, "r1");
    for _ in 0..4 {
        early.say([sine(450.0, 6_000.0, 350), silence(350)].concat());
    }
    let cancel = house.phone.incoming(seconds(10), |request| request.method() == Some("CANCEL")).expect("a CANCEL");
    house.phone.respond(&cancel, &Sip::response(&cancel.request, 200, "OK", "r1"));
    house.phone.respond(&invite, &Sip::response(&invite.request, 487, "Request Terminated", "r1"));
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::Busy));
}

#[test]
fn silence_at_the_gate_is_no_key_and_speech_on_end_is_a_machine() {
    let (silent, machine) = (House::open(), House::open());
    let (nobody, somebody) = (silent.calls_back(), machine.calls_back());
    let quiet = silent.answers();
    let recorded = machine.answers();
    recorded.say(talk(3, 9_000));
    recorded.hear_until("zh/rv.vm", seconds(60));
    assert_eq!(recorded.ended(seconds(5)), Ended::ByPeer);
    assert_eq!(quiet.ended(seconds(30)), Ended::ByPeer);
    assert!(!quiet.heard_names().iter().any(|name| name.contains("rv.matter") || name.contains("rv.vm")));
    assert_eq!(silent.settled(&nobody).outcome, Some(Outcome::NoKey));
    let attempt = machine.settled(&somebody);
    assert_eq!((attempt.outcome, attempt.message_left), (Some(Outcome::Machine), true));
}

/// As an elderly citizen answers a robot.
#[test]
fn talk_in_pieces_without_a_key_is_no_machine() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.answers();
    for seed in 0..8 {
        call.say([talk(seed, 2_000), silence(900)].concat());
    }
    assert_eq!(call.ended(seconds(40)), Ended::ByPeer);
    assert!(!call.heard_names().iter().any(|name| name.contains("rv.vm")));
    assert_eq!(house.settled(&placed).outcome, Some(Outcome::NoKey));
}

#[test]
fn each_key_of_the_gate_is_kept_as_soon_as_it_is_pressed() {
    for (key, outcome) in [('2', Outcome::Later), ('3', Outcome::WrongPerson), ('4', Outcome::OptOut)] {
        let house = House::open();
        let placed = house.calls_back();
        let call = house.answers();
        call.hear_until("zh/opt.rv_start", seconds(10));
        by_event(&call, key);
        let attempt = house.settled(&placed);
        assert_eq!(attempt.outcome, Some(outcome));
        assert_eq!(call.ended(seconds(10)), Ended::ByPeer);
        assert!(!call.heard_names().iter().any(|name| name.contains("rv.matter")));
        let wants_no_more = house.wait(house.store.opt_outs(10)).expect("the store");
        assert_eq!(wants_no_more.len(), usize::from(outcome == Outcome::OptOut));
    }
}

#[test]
fn a_survey_that_broke_off_goes_on_when_the_citizen_calls_back() {
    let house = House::open();
    let placed = house.calls_back();
    let call = house.answers();
    call.hear_until("zh/opt.rv_start", seconds(10));
    call.press("1");
    call.hear_until("zh/rv.q1", seconds(10));
    call.press("3");
    call.hear_until("zh/rv.q2", seconds(10));
    call.hang_up();
    let first = house.settled(&placed);
    assert_eq!((first.outcome, first.given.contacted), (Some(Outcome::Partial), Some(Contacted::No)));

    let back = house.phone.call(&Dial::new(house.calls.sip.bound(), CITIZEN));
    back.answered(seconds(5));
    back.hear_until("zh/rv.resume", seconds(10));
    back.press("1");
    back.hear_until("zh/notice.record", seconds(10));
    assert_eq!(back.hear_until("zh/rv.q2", seconds(15)).iter().filter(|name| *name == "zh/rv.q1").count(), 0);
    back.press("1");
    back.hear_until("zh/rv.q3", seconds(10));
    back.press("2");
    back.hear_until("zh/rv.thanks", seconds(10));
    assert_eq!(back.ended(seconds(5)), Ended::ByPeer);
    let attempt = house.settled(&placed);
    assert_eq!((attempt.way, attempt.outcome), (Way::CallBack, Some(Outcome::Complete)));
    assert_eq!(house.ticket(&placed).state, State::Archived);
}

#[test]
fn an_attempt_that_is_over_is_not_dialled() {
    let house = House::open();
    let visit = house.due(Language::Zh);
    let unknown = Settlement {
        attempt: visit.attempt,
        outcome: Outcome::Unknown,
        status: None,
        q850: None,
        message_left: false,
        early: None,
    };
    house.wait(house.store.settle_attempt(&unknown, house.calls.clock.wall())).expect("settled");
    let (routes, _verdicts) = house.routes(&[house.phone.address()], seconds(30));
    let refused = house.wait(house.calls.place(Placing { visit, routes }));
    assert!(matches!(refused, Err(Unplaced::Lapsed)));
    assert_eq!(house.phone.ladder(), "");
}

#[test]
fn a_service_that_ends_places_no_call() {
    let house = House::open();
    let visit = house.due(Language::Zh);
    house.stage(Stage::Draining);
    let (routes, _verdicts) = house.routes(&[house.phone.address()], seconds(30));
    let refused = house.wait(house.calls.place(Placing { visit, routes }));
    assert!(matches!(refused, Err(Unplaced::Draining)));
    assert_eq!(house.phone.ladder(), "");
}
