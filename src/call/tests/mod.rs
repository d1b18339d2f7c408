mod outgoing;

use super::*;
use crate::city::City;
use crate::digit::Digit;
use crate::media::command::Cue;
use crate::media::event::{Path, RecordEnded, Summary};
use crate::media::tone;
use crate::phone::Phone;
use crate::prompt::Prompts;
use crate::sip::{Leg, Side, Why};

const FLOW: &str = include_str!("../../../prompts/flows/inbound.toml");
const VISIT: &str = include_str!("../../../prompts/flows/visit.toml");
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                     m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
const NUMBER: &str = "426112201378";

/// A call and the driver's side of it.
struct Desk {
    call: Call,
    at: Mono,
    out: Vec<Output>,
    token: u64,
}

impl Desk {
    fn incoming(offer: Option<&str>) -> Desk {
        let offer = offer.map(|text| text.as_bytes().to_vec());
        let opening = Opening { leg: leg(), caller: caller(), offer, ours: ours() };
        let mut out = Vec::new();
        let call = Call::incoming(setup(), opening, now(Mono::ZERO), &mut out).expect("a good offer");
        Desk { call, at: Mono::ZERO, out, token: 0 }
    }

    fn answered() -> Desk {
        let mut desk = Desk::incoming(Some(OFFER));
        desk.signal(sip::Event::Answered { leg: leg(), answer: None });
        desk
    }

    /// A citizen's request for help is being recorded.
    fn recording() -> Desk {
        let mut desk = Desk::answered();
        desk.key('2'); // Mandarin, over the greeting
        desk.played(); // the recording notice
        for key in "1120".chars() {
            desk.key(key);
        }
        desk.played(); // the beep
        assert!(desk.has(|output| matches!(output, Output::OpenTake { .. })), "{:?}", desk.out);
        desk.out.clear();
        desk
    }

    fn handle(&mut self, input: Input) {
        self.at += Duration::from_millis(10);
        self.call.handle(now(self.at), input, &mut self.out);
        for output in &self.out {
            if let Output::Media(Command::Play { token, .. }) = output {
                self.token = *token;
            }
        }
    }

    fn signal(&mut self, event: sip::Event) {
        self.handle(Input::Sip(event));
    }

    fn key(&mut self, key: char) {
        let digit = Digit::from_char(key).expect("a key");
        self.handle(Input::Media(Sound::Digit { digit, path: Path::Rfc4733 }));
    }

    fn played(&mut self) {
        let token = self.token;
        self.handle(Input::Media(Sound::Played { token, complete: true, at: self.at }));
    }

    fn record_ended(&mut self, ended_by: sound::EndedBy, speech_ms: u32) {
        self.handle(Input::Media(Sound::RecordEnded(RecordEnded {
            ended_by,
            speech_ms,
            duration_ms: speech_ms,
            end_frame: 0,
        })));
    }

    fn closed(&mut self) {
        self.handle(Input::Media(Sound::Closed(Summary::default())));
    }

    fn reply(&mut self, ask: u32, reply: ivr::Reply) {
        self.handle(Input::Reply { ask, reply });
    }

    /// Time passes until the call asked to be woken.
    fn time_out(&mut self) {
        self.at = self.call.wake_at().expect("something is waited for");
        self.handle(Input::Timeout);
    }

    fn has(&self, is: impl Fn(&Output) -> bool) -> bool {
        self.out.iter().any(is)
    }

    fn submitted(&self) -> Option<u32> {
        self.out.iter().find_map(|output| match output {
            Output::Ask { ask, request: ivr::Request::Submit(_) } => Some(*ask),
            _ => None,
        })
    }

    fn over(&self) -> Option<CallEnd> {
        self.out.iter().find_map(|output| if let Output::Over(ended) = output { Some(ended.by) } else { None })
    }

    fn notes(&self, kind: EventKind) -> Vec<&str> {
        let notes =
            self.out.iter().filter_map(|output| if let Output::Note(note) = output { Some(note) } else { None });
        notes.filter(|note| note.kind == kind).map(|note| note.text.as_str()).collect()
    }
}

fn setup() -> Arc<Setup> {
    Arc::new(Setup {
        synthetic: true,
        flow: ivr::Flow::parse(FLOW, "inbound.toml").expect("the flow is sound"),
        prompts: Prompts::embedded(),
        beep: Arc::new(tone::beep()),
        record_calls: true,
        keep_early: true,
        visit_synthetic: false,
        visit: ivr::Flow::parse(VISIT, "visit.toml").expect("a flow"),
        longest_call: Duration::from_secs(3_600),
    })
}

fn caller() -> ivr::Caller {
    ivr::Caller {
        phone: Phone::parse("13812345678"),
        city: City::Lhasa,
        language: None,
        profile: ivr::Profile::SelfService,
        features: ivr::Features::default(),
        visit: None,
    }
}

fn ours() -> sdp::Ours {
    sdp::Ours {
        address: "192.0.2.1".parse().expect("an address"),
        rtp_port: 10_000,
        session_id: 1,
        version: 1,
        direction: sdp::Direction::SendRecv,
        own_addresses: Vec::new(),
        own_rtp_range: 10_000..=10_999,
    }
}

fn leg() -> Leg {
    Leg::outgoing(1)
}

fn now(mono: Mono) -> Now {
    let midnight: chrono::DateTime<chrono::Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    Now { mono, wall: midnight + mono.since(Mono::ZERO) }
}

fn ended(side: Side, why: Why) -> sip::Event {
    sip::Event::Ended { leg: leg(), ended: sip::Ended { side, why, q850: None } }
}

fn is_hang_up(output: &Output) -> bool {
    matches!(output, Output::Sip(sip::Command::HangUp { .. }))
}

fn is_close(output: &Output) -> bool {
    matches!(output, Output::Media(Command::Close))
}

fn submitted() -> ivr::Reply {
    ivr::Reply::Submitted { number: NUMBER.parse().expect("a number") }
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_the_ack_opens_the_sound() {
    let mut desk = Desk::incoming(None);
    assert!(matches!(&desk.out[..], [Output::Sip(sip::Command::Answer { sdp, .. })] if sdp.starts_with(b"v=0")));
    desk.signal(sip::Event::Answered { leg: leg(), answer: Some(OFFER.into()) });
    let opened = desk.out.iter().position(|output| matches!(output, Output::OpenMedia(_)));
    let plays = desk.out.iter().position(|output| matches!(output, Output::Media(Command::Play { .. })));
    assert!(opened.is_some() && opened < plays, "{:?}", desk.out);
}

#[test]
fn an_ack_that_owes_an_answer_and_brings_none_ends_the_call() {
    let mut desk = Desk::incoming(None);
    desk.signal(sip::Event::Answered { leg: leg(), answer: None });
    assert!(desk.has(is_hang_up));
    assert_eq!(desk.over(), Some(CallEnd::Refused));
    assert!(!desk.has(|output| matches!(output, Output::Media(_))), "{:?}", desk.out);
}

#[test]
fn leaving_while_recording_submits_says_goodbye_and_hangs_up() {
    let mut desk = Desk::recording();
    desk.handle(Input::Leave);
    assert!(desk.has(|output| matches!(output, Output::Media(Command::StopRecord))));
    assert!(!desk.has(is_hang_up));
    desk.record_ended(sound::EndedBy::Stopped, 4_000);
    let ask = desk.submitted().expect("a request");
    assert_eq!(desk.notes(EventKind::Prompt), ["zh greet.bye"]);
    desk.played();
    assert!(desk.has(is_hang_up) && desk.has(is_close));
    desk.closed();
    assert_eq!(desk.over(), None, "the reply is waited for");
    desk.reply(ask, submitted());
    assert_eq!(desk.over(), Some(CallEnd::Hotline));
}

#[test]
fn aborting_submits_what_the_session_still_hands_over() {
    let mut desk = Desk::recording();
    desk.handle(Input::Abort);
    assert!(desk.has(is_hang_up) && desk.has(is_close));
    assert_eq!(desk.submitted(), None);
    desk.record_ended(sound::EndedBy::Closed, 5_000);
    let ask = desk.submitted().expect("a request");
    desk.closed();
    assert_eq!(desk.over(), None, "the reply is waited for");
    desk.reply(ask, submitted());
    assert_eq!(desk.over(), Some(CallEnd::Hotline));
}

#[test]
fn a_session_that_never_closes_loses_neither_the_take_nor_the_call() {
    let mut desk = Desk::recording();
    desk.at += Duration::from_secs(8);
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.time_out();
    assert!(desk.has(|output| matches!(output, Output::CloseTake { end_frame: None, .. })));
    assert!(desk.submitted().is_some(), "all of it may have been speech");
    desk.time_out();
    assert_eq!(desk.over(), Some(CallEnd::Caller));
}

#[test]
fn a_take_that_loads_late_is_played_after_the_words_before_it() {
    let mut desk = Desk::recording();
    desk.key('#');
    desk.record_ended(sound::EndedBy::Key, 4_000);
    assert!(desk.has(|output| matches!(output, Output::Load { take: ivr::Take(1) })));
    assert_eq!(desk.notes(EventKind::Prompt), ["zh rec.review"]);
    let words = desk.token;
    desk.played();
    assert_eq!(desk.notes(EventKind::Node), ["review_play"], "the recording is still to come");
    let clip = Arc::new(Clip::from_linear(&[1_000; 160]));
    desk.handle(Input::Loaded { take: ivr::Take(1), clip: Some(Arc::clone(&clip)) });
    assert_ne!(desk.token, words);
    let plays = |output: &Output| matches!(output, Output::Media(Command::Play { clips, .. }) if *clips == [Cue::Clip(Arc::clone(&clip))]);
    assert!(desk.has(plays), "{:?}", desk.out);
    desk.played();
    assert_eq!(desk.notes(EventKind::Node), ["review_play", "review"]);
}

#[test]
fn a_line_that_brings_no_rtp_is_hung_up_as_lost() {
    let mut desk = Desk::recording();
    desk.handle(Input::Media(Sound::RtpTimeout));
    assert!(desk.has(is_hang_up));
    desk.record_ended(sound::EndedBy::Closed, 1_000);
    desk.closed();
    assert_eq!(desk.submitted(), None, "a second is no request");
    assert_eq!(desk.over(), Some(CallEnd::Lost));
}

#[test]
fn a_reply_after_the_hang_up_is_noted_before_the_call_is_over() {
    let mut desk = Desk::recording();
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.record_ended(sound::EndedBy::Closed, 3_000);
    desk.closed();
    let ask = desk.submitted().expect("a request");
    desk.reply(ask, submitted());
    assert_eq!(desk.notes(EventKind::Ticket), [NUMBER]);
    assert_eq!(desk.over(), Some(CallEnd::Caller));
    assert!(matches!(desk.out.last(), Some(Output::Over(_))));
}

#[test]
fn a_store_that_says_nothing_does_not_hold_the_end_up() {
    let mut desk = Desk::recording();
    desk.signal(ended(Side::Peer, Why::Bye));
    desk.record_ended(sound::EndedBy::Closed, 3_000);
    desk.closed();
    assert_eq!(desk.over(), None);
    desk.time_out();
    assert_eq!(desk.over(), Some(CallEnd::Caller));
    assert_eq!(desk.call.wake_at(), None);
}

#[test]
fn a_ticket_that_comes_after_the_store_was_away_is_noted() {
    let mut desk = Desk::recording();
    desk.key('#');
    desk.record_ended(sound::EndedBy::Key, 4_000);
    for key in "111".chars() {
        desk.key(key); // send it, confidential, this number
    }
    let ask = desk.submitted().expect("a request");
    desk.reply(ask, ivr::Reply::Failed);
    desk.reply(ask, submitted());
    assert_eq!(desk.notes(EventKind::Ticket), [NUMBER]);
}

#[test]
fn a_key_by_info_goes_to_the_sound_which_knows_the_other_ways() {
    let mut desk = Desk::answered();
    desk.signal(sip::Event::Digit { leg: leg(), digit: Digit::POUND, duration_ms: 160 });
    assert!(desk.has(|output| matches!(output, Output::Media(Command::InfoDigit(Digit::POUND)))));
    assert_eq!(desk.notes(EventKind::Key), [""; 0]);
}

#[test]
fn an_offer_that_is_refused_leaves_the_call_as_it_was() {
    let mut desk = Desk::recording();
    let multicast = OFFER.replace("c=IN IP4 192.0.2.9", "c=IN IP4 224.0.0.1");
    desk.signal(sip::Event::Offer { leg: leg(), sdp: Some(multicast.into()) });
    assert!(desk.has(|output| matches!(output, Output::Sip(sip::Command::RefuseOffer { status: 488, .. }))));
    assert!(!desk.has(|output| matches!(output, Output::Media(_))), "{:?}", desk.out);
    desk.signal(sip::Event::Offer { leg: leg(), sdp: Some(OFFER.into()) });
    assert!(desk.has(|output| matches!(output, Output::Sip(sip::Command::Accept { .. }))));
    assert!(desk.has(|output| matches!(output, Output::Media(Command::Reconfigure(_)))));
    assert_eq!(desk.over(), None);
}

#[test]
fn an_offer_is_asked_for_inside_the_call() {
    let mut desk = Desk::answered();
    desk.signal(sip::Event::Offer { leg: leg(), sdp: None });
    assert!(
        desk.has(|output| matches!(output, Output::Sip(sip::Command::Accept { sdp, .. }) if sdp.starts_with(b"v=0")))
    );
    desk.signal(sip::Event::OfferAnswered { leg: leg(), sdp: OFFER.into() });
    assert!(desk.has(|output| matches!(output, Output::Media(Command::Reconfigure(_)))));
}

#[test]
fn a_call_that_nobody_acknowledges_is_over_with_its_sound() {
    let mut desk = Desk::incoming(Some(OFFER));
    desk.signal(ended(Side::Network, Why::NoAck));
    assert!(desk.has(is_close));
    desk.closed();
    assert_eq!(desk.over(), Some(CallEnd::Lost));
    assert_eq!(desk.notes(EventKind::Node), [""; 0]);
}
