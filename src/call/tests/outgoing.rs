//! Calls that the hotline makes.

use super::*;
use crate::ivr::{Spoken, Visit};
use crate::media::progress::Tone;
use crate::ticket::{Contacted, Given, Outcome, Said};

const SECOND: Leg = Leg::outgoing(2);

fn visit() -> Visit {
    Visit {
        ticket: NUMBER.parse().expect("a number"),
        language: Language::Zh,
        filed_on: "2026-11-22".parse().expect("a day"),
        confidential: false,
        given: Given::default(),
        may_leave_message: true,
        called_back: false,
    }
}

fn calling() -> Desk {
    let caller = ivr::Caller { visit: Some(visit()), ..caller() };
    let mut out = Vec::new();
    let dial = Dial { legs: vec![leg(), SECOND], caller, ours: ours() };
    let call = Call::outgoing(setup(), dial, now(Mono::ZERO), &mut out);
    Desk { call, at: Mono::ZERO, out, token: 0 }
}

impl Desk {
    fn rings(&mut self, sdp: Option<&str>) {
        self.signal(sip::Event::Ringing { leg: leg(), status: 183, sdp: sdp.map(Into::into) });
    }

    fn is_accepted(&mut self) {
        self.signal(sip::Event::Accepted { leg: leg(), sdp: Some(OFFER.into()) });
    }

    /// At the gate.
    fn gate() -> Desk {
        let mut desk = calling();
        desk.is_accepted();
        desk.played(); // who calls
        desk.played(); // the recording notice
        assert_eq!(desk.notes(EventKind::Node).last(), Some(&"gate"));
        desk
    }

    fn is_refused(&mut self, status: u16, q850: Option<u8>) {
        let ended = sip::Ended { side: Side::Peer, why: Why::Rejected { status }, q850 };
        let leg = self.call.leg();
        self.signal(sip::Event::Ended { leg, ended });
    }

    fn dialled(&self) -> Vec<Leg> {
        self.out
            .iter()
            .filter_map(|output| if let Output::Dial { leg, .. } = output { Some(*leg) } else { None })
            .collect()
    }

    fn trunks(&self) -> Vec<Option<u16>> {
        let told = |output: &Output| if let Output::Trunk { trouble } = output { Some(*trouble) } else { None };
        self.out.iter().filter_map(told).collect()
    }

    fn spoken(&self) -> Vec<Spoken> {
        self.out.iter().filter_map(|output| if let Output::Said(said) = output { Some(*said) } else { None }).collect()
    }

    fn settled(&self) -> Vec<Settled> {
        let settled = |output: &Output| if let Output::Settled(settled) = output { Some(*settled) } else { None };
        self.out.iter().filter_map(settled).collect()
    }

    fn outcome(&self) -> Outcome {
        let settled = self.settled();
        assert_eq!(settled.len(), 1, "{:?}", self.out);
        settled[0].outcome
    }
}

#[test]
fn a_call_that_is_answered_walks_the_survey() {
    let mut desk = Desk::gate();
    assert_eq!(desk.dialled(), [leg()]);
    for key in "1111".chars() {
        desk.key(key);
    }
    desk.played(); // thanks
    assert!(desk.has(is_hang_up));
    desk.closed();
    let said = [Said::Willing, Said::Contacted(Contacted::InTime)];
    assert_eq!(desk.spoken()[..2], said.map(Spoken::Typed));
    assert_eq!(desk.spoken().len(), 4);
    assert_eq!((desk.outcome(), desk.settled()[0].status), (Outcome::Complete, None));
    assert_eq!(desk.trunks(), [None]);
    let settled = desk.out.iter().position(|output| matches!(output, Output::Settled(_)));
    assert!(settled < desk.out.iter().position(|output| matches!(output, Output::Over(_))));
}

#[test]
fn a_refusal_is_settled_with_its_status_and_its_cause() {
    for (status, q850, wanted) in [
        (486, None, Outcome::Busy),
        (480, None, Outcome::NoAnswer),
        (603, None, Outcome::Declined),
        (404, None, Outcome::BadNumber),
        (480, Some(17), Outcome::Busy),
    ] {
        let mut desk = calling();
        desk.rings(None);
        desk.is_refused(status, q850);
        assert_eq!((desk.outcome(), desk.dialled().len()), (wanted, 1), "{status}");
        assert_eq!((desk.settled()[0].status, desk.settled()[0].q850), (Some(status), q850));
        assert_eq!((desk.trunks(), desk.over()), (vec![None], Some(CallEnd::Refused)));
    }
}

#[test]
fn a_trunk_in_trouble_gives_way_to_the_next_one() {
    let mut desk = calling();
    desk.is_refused(503, None);
    assert_eq!((desk.dialled(), desk.trunks()), (vec![leg(), SECOND], vec![Some(503)]));
    assert_eq!((desk.over(), desk.call.leg()), (None, SECOND));
    desk.is_refused(500, None);
    assert_eq!((desk.outcome(), desk.trunks()), (Outcome::LineTrouble, vec![Some(503), Some(500)]));
}

#[test]
fn a_trunk_that_does_not_answer_gives_way_and_one_that_rang_does_not() {
    let silent = || ended(Side::Network, Why::NoAnswer);
    let mut desk = calling();
    desk.signal(silent());
    assert_eq!((desk.dialled().len(), desk.trunks()), (2, vec![Some(408)]));
    let mut rang = calling();
    rang.rings(None);
    rang.is_refused(408, None);
    assert_eq!((rang.dialled().len(), rang.outcome(), rang.trunks()), (1, Outcome::NoAnswer, vec![None]));
}

#[test]
fn a_busy_line_is_not_tried_by_another_trunk() {
    let mut desk = calling();
    desk.is_refused(503, Some(17));
    assert_eq!((desk.dialled().len(), desk.outcome()), (1, Outcome::Busy));
}

#[test]
fn a_call_that_rings_out_was_not_answered() {
    let mut desk = calling();
    desk.rings(None);
    desk.signal(ended(Side::Local, Why::Cancel));
    assert_eq!((desk.outcome(), desk.over()), (Outcome::NoAnswer, Some(CallEnd::Cancelled)));
}

#[test]
fn what_the_network_says_is_kept_with_a_call_that_fails() {
    let mut desk = calling();
    desk.rings(Some(OFFER));
    assert!(desk.has(|output| matches!(output, Output::OpenMedia(_))));
    assert!(desk.has(|output| matches!(output, Output::OpenTake { kind: RecordingKind::Early, .. })));
    desk.rings(Some(OFFER));
    desk.is_refused(480, Some(20));
    assert!(desk.has(is_close));
    desk.record_ended(sound::EndedBy::Closed, 4_000);
    desk.closed();
    let takes = desk.out.iter().filter(|output| matches!(output, Output::OpenTake { .. })).count();
    assert_eq!((takes, desk.settled()[0].early, desk.outcome()), (1, Some(ivr::Take(1)), Outcome::NoAnswer));
}

#[test]
fn an_answer_ends_what_is_kept_of_the_network_before_the_flow_speaks() {
    let mut desk = calling();
    desk.rings(Some(OFFER));
    desk.is_accepted();
    let stop = desk.out.iter().position(|output| matches!(output, Output::Media(Command::StopRecord)));
    let says = desk.out.iter().position(|output| matches!(output, Output::Media(Command::Play { .. })));
    assert!(stop.is_some() && stop < says);
    desk.record_ended(sound::EndedBy::Stopped, 900);
    assert_eq!(desk.notes(EventKind::Node), ["begin", "hello"], "the flow heard of no recording");
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.closed();
    assert_eq!((desk.outcome(), desk.settled()[0].early), (Outcome::HungUp, None));
}

#[test]
fn a_busy_tone_ends_a_call_that_the_network_leaves_ringing() {
    for (tone, wanted, trunks) in
        [(Tone::Busy, Outcome::Busy, vec![None]), (Tone::Congestion, Outcome::LineTrouble, vec![Some(503)])]
    {
        let mut desk = calling();
        desk.rings(Some(OFFER));
        desk.handle(Input::Media(Sound::Tone(Tone::RingBack)));
        assert!(!desk.has(is_hang_up));
        desk.handle(Input::Media(Sound::Tone(tone)));
        assert!(desk.has(is_hang_up));
        desk.signal(ended(Side::Local, Why::Cancel));
        desk.record_ended(sound::EndedBy::Closed, 4_000);
        desk.closed();
        assert_eq!((desk.outcome(), desk.trunks()), (wanted, trunks));
    }
}

#[test]
fn silence_before_the_answer_is_no_lost_line() {
    let mut desk = calling();
    desk.rings(Some(OFFER));
    desk.handle(Input::Media(Sound::RtpTimeout));
    assert!(!desk.has(is_hang_up));
}

#[test]
fn a_hang_up_in_the_survey_keeps_what_was_said() {
    let mut desk = Desk::gate();
    desk.key('1');
    desk.key('2'); // over the matter, for the first question
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.closed();
    assert_eq!(desk.spoken(), [Said::Willing, Said::Contacted(Contacted::Late)].map(Spoken::Typed));
    assert_eq!(desk.outcome(), Outcome::Partial);
}

#[test]
fn who_wants_no_more_calls_is_heard_before_the_call_is_over() {
    let mut desk = Desk::gate();
    desk.key('4');
    assert_eq!((desk.outcome(), desk.over()), (Outcome::OptOut, None));
    desk.played();
    desk.closed();
    assert_eq!(desk.outcome(), Outcome::OptOut, "and once only");
}

#[test]
fn a_machine_is_left_a_message() {
    let mut desk = Desk::gate();
    desk.handle(Input::Media(Sound::LongSpeech));
    desk.played();
    desk.time_out();
    desk.played(); // in the other language
    desk.time_out();
    assert_eq!(desk.notes(EventKind::Node).last(), Some(&"message"));
    desk.played();
    desk.closed();
    assert_eq!((desk.outcome(), desk.settled()[0].message_left), (Outcome::Machine, true));
}

#[test]
fn a_line_that_is_lost_is_not_the_requesters_hanging_up() {
    let mut desk = Desk::gate();
    desk.handle(Input::Media(Sound::RtpTimeout));
    desk.closed();
    assert_eq!(desk.outcome(), Outcome::LineTrouble);
    let mut answered = Desk::gate();
    answered.key('1');
    answered.key('1');
    answered.handle(Input::Abort);
    answered.closed();
    assert_eq!(answered.outcome(), Outcome::Partial);
}

#[test]
fn a_service_that_ends_gives_the_calls_up_that_ring() {
    let mut desk = calling();
    desk.rings(None);
    desk.handle(Input::Leave);
    assert!(desk.has(is_hang_up));
    assert_eq!((desk.outcome(), desk.over()), (Outcome::NoAnswer, Some(CallEnd::Hotline)));
}

#[test]
fn an_answer_without_a_description_leaves_nothing_to_talk_over() {
    let mut desk = calling();
    desk.signal(sip::Event::Accepted { leg: leg(), sdp: None });
    assert!(desk.has(is_hang_up));
    assert_eq!(desk.outcome(), Outcome::LineTrouble);
}

#[test]
fn a_reason_is_kept_as_what_it_is() {
    let mut desk = Desk::gate();
    for key in "1131".chars() {
        desk.key(key);
    }
    desk.played(); // the question and the beep
    assert!(desk.has(|output| matches!(output, Output::OpenTake { kind: RecordingKind::Reason, .. })));
    desk.key('#');
    desk.record_ended(sound::EndedBy::Key, 6_000);
    assert_eq!(desk.spoken().last(), Some(&Spoken::Reason(ivr::Take(1))));
    desk.key('1');
    assert_eq!(desk.spoken().last(), Some(&Spoken::Typed(Said::Redo(true))));
    assert!(!desk.has(|output| matches!(output, Output::Draft(_))), "a reason is no request");
}

// ---- Calls back

fn calls_back() -> Desk {
    let mut desk = Desk::incoming(Some(OFFER));
    desk.call.may_go_on(Visit { called_back: true, ..visit() });
    desk.signal(sip::Event::Answered { leg: leg(), answer: None });
    desk.played();
    assert_eq!(desk.notes(EventKind::Node).last(), Some(&"resume"));
    desk
}

#[test]
fn who_calls_back_goes_from_the_menu_into_the_survey() {
    let mut desk = calls_back();
    desk.key('1');
    assert_eq!(desk.notes(EventKind::Node).last(), Some(&"notice_back"));
    assert!(!desk.has(is_hang_up));
    desk.played(); // the recording notice
    desk.key('3');
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.closed();
    assert_eq!(desk.spoken(), [Said::Willing, Said::Contacted(Contacted::No)].map(Spoken::Typed));
    assert_eq!((desk.outcome(), desk.settled()[0].status), (Outcome::Partial, None));
}

#[test]
fn who_calls_back_for_something_else_makes_a_request() {
    let mut desk = calls_back();
    desk.key('2');
    assert_eq!(desk.outcome(), Outcome::Later);
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.closed();
    assert_eq!((desk.outcome(), desk.over()), (Outcome::Later, Some(CallEnd::Caller)));
}

#[test]
fn a_call_without_a_visit_settles_none() {
    let mut desk = Desk::answered();
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.closed();
    assert_eq!(desk.settled(), []);
}

#[test]
fn no_prompt_is_a_tone_of_the_network() {
    let prompts = Prompts::embedded();
    let (mut tones, mut frames) = (crate::media::progress::Tones::default(), 0);
    for (language, id) in Language::ALL.into_iter().flat_map(|language| prompts.ids().map(move |id| (language, id))) {
        let Some(clip) = prompts.clip(language, id) else { continue };
        for frame in clip.alaw().chunks_exact(crate::media::FRAME) {
            assert_eq!(tones.hear(frame.try_into().expect("a frame")), None, "{language} {id}");
            frames += 1;
        }
    }
    assert!(frames > 50 * 60 * 5, "minutes of speech");
}
