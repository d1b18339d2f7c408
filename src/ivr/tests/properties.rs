//! What holds whatever happens.

use proptest::prelude::*;

use super::caller::{MOST_EVENTS, NUMBER, citizen, known, wants_reply, withheld};
use super::{inbound, topics};
use crate::digit::Digit;
use crate::ivr::{
    Action, Caller, EndedBy, Event, Features, LeaderEvent, Profile, Reply, Request, Stage, State, Status, Take, step,
};
use crate::language::Language;

fn callers() -> impl Strategy<Value = Caller> {
    let who = prop_oneof![Just(citizen()), Just(withheld()), Just(known(Language::Bo)), Just(known(Language::Zh))];
    (who, any::<[bool; 4]>()).prop_map(|(caller, [human, sms, synthetic, event])| Caller {
        profile: if human { Profile::HumanFirst } else { Profile::SelfService },
        features: Features {
            sms,
            synthetic,
            event: event.then_some(LeaderEvent { id: 1, unit: None }),
            topics: topics(),
        },
        ..caller
    })
}

fn replies() -> impl Strategy<Value = Reply> {
    let number = || NUMBER.parse().expect("a number");
    prop_oneof![
        Just(Reply::Submitted { number: number() }),
        Just(Reply::Found(Status { number: number(), stage: Stage::Processing, due: None })),
        Just(Reply::VerifyPhone),
        Just(Reply::NotFound),
        Just(Reply::Mismatch),
        Just(Reply::Locked),
        Just(Reply::Urged),
        Just(Reply::AlreadyUrged),
        (0..9_usize).prop_map(|number| Reply::Topics(topics().iter().cycle().take(number).cloned().collect())),
        Just(Reply::Failed),
    ]
}

fn digits() -> impl Strategy<Value = Digit> {
    // mostly what menus have, so that walks get far
    prop_oneof![8 => 0..5_u8, 3 => 5..10_u8, 1 => 10..16_u8].prop_map(|event| Digit::from_event(event).expect("a key"))
}

fn ended_by() -> impl Strategy<Value = EndedBy> {
    prop_oneof![Just(EndedBy::Key), Just(EndedBy::Silence), Just(EndedBy::Limit), Just(EndedBy::HangUp)]
}

/// Any event at any time, sensible or not.
fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => digits().prop_map(Event::Digit),
        8 => Just(Event::Played),
        4 => Just(Event::Timer),
        4 => (ended_by(), 0..200_000_u32, 0..9_u32).prop_map(|(ended_by, speech_ms, take)| Event::Recorded {
            ended_by,
            speech_ms,
            duration_ms: speech_ms,
            take: Take(take),
        }),
        4 => (0..6_u32, replies()).prop_map(|(ask, reply)| Event::Answer { ask, reply }),
        1 => callers().prop_map(Event::Start),
        1 => Just(Event::HungUp),
    ]
}

/// One move of a caller who keeps to what a line can do.
#[derive(Clone, Debug)]
enum Move {
    Key(Digit),
    Wait,
    Speak { ended_by: EndedBy, seconds: u32 },
    HangUp,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        20 => digits().prop_map(Move::Key),
        6 => Just(Move::Wait),
        6 => (ended_by(), 0..20_u32).prop_map(|(ended_by, seconds)| Move::Speak { ended_by, seconds }),
        1 => Just(Move::HangUp),
    ]
}

/// A line that keeps the books: which recordings count, how often a request was submitted.
struct Books {
    flow: &'static crate::ivr::Flow,
    state: State,
    saying: bool,
    recording: bool,
    asking: Option<u32>,
    takes: u32,
    /// A recording of three seconds or more is the citizen's request.
    kept: bool,
    submits: usize,
}

impl Books {
    fn happens(&mut self, event: Event) {
        let (state, actions) = step(self.flow, std::mem::take(&mut self.state), event);
        self.state = state;
        for action in actions {
            match action {
                Action::Say { .. } => self.saying = true,
                Action::Hush => self.saying = false,
                Action::Record { .. } => self.recording = true,
                Action::Enter(node) if &*node == "cancelled" => self.kept = false,
                Action::Ask { request, ask } => {
                    self.submits += usize::from(matches!(request, Request::Submit(_)));
                    self.asking = Some(ask).filter(|_| wants_reply(&request));
                }
                _ => {}
            }
        }
    }

    fn recorded(&mut self, ended_by: EndedBy, seconds: u32) {
        self.recording = false;
        self.takes += 1;
        self.kept |= seconds >= 3;
        let take = Take(self.takes);
        self.happens(Event::Recorded { ended_by, speech_ms: seconds * 1_000, duration_ms: seconds * 1_000, take });
    }

    fn makes(&mut self, what: Move, reply: Reply) {
        match what {
            Move::HangUp => {
                self.happens(Event::HungUp);
                if self.recording {
                    self.recorded(EndedBy::HangUp, 1);
                }
            }
            Move::Speak { ended_by, seconds } if self.recording => self.recorded(ended_by, seconds),
            Move::Wait if self.recording => self.recorded(EndedBy::Silence, 0),
            Move::Key(digit) => self.happens(Event::Digit(digit)),
            Move::Speak { .. } | Move::Wait => self.goes_on(reply),
        }
    }

    /// What the machine does when the caller does nothing.
    fn goes_on(&mut self, reply: Reply) {
        if std::mem::take(&mut self.saying) {
            self.happens(Event::Played);
        } else if let Some(ask) = self.asking.take() {
            self.happens(Event::Answer { ask, reply });
        } else {
            self.happens(Event::Timer);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_breaks_the_flow(caller in callers(), events in prop::collection::vec(events(), 0..200)) {
        let flow = inbound_once();
        let mut state = State::default();
        let mut submits = 0;
        for event in std::iter::once(Event::Start(caller)).chain(events) {
            let over = state.is_over();
            let (next, actions) = step(flow, state, event);
            prop_assert!(!over || actions.is_empty(), "a call that is over does nothing");
            prop_assert!(actions.len() < 64);
            submits += actions.iter().filter(|action| is_submit(action)).count();
            state = next;
        }
        prop_assert!(submits <= 1);
    }

    #[test]
    fn a_request_is_submitted_exactly_once_and_a_silent_line_ends(
        caller in callers(),
        moves in prop::collection::vec((moves(), replies()), 0..120),
        start in prop_oneof![Just(""), Just("-1113"), Just("1113"), Just("0")],
    ) {
        let (flow, state) = (inbound_once(), State::default());
        let mut books =
            Books { flow, state, saying: false, recording: false, asking: None, takes: 0, kept: false, submits: 0 };
        books.happens(Event::Start(caller));
        // into the flow's depths, where the recordings are
        for key in start.chars() {
            while books.saying && !books.state.is_over() {
                books.saying = false;
                books.happens(Event::Played);
            }
            match Digit::from_char(key) {
                Some(digit) => books.happens(Event::Digit(digit)),
                None => books.happens(Event::Timer),
            }
        }
        for (what, reply) in moves {
            if !books.state.is_over() {
                books.makes(what, reply);
            }
        }
        for _ in 0..MOST_EVENTS {
            if !books.state.is_over() {
                books.makes(Move::Wait, Reply::Failed);
            }
        }
        prop_assert!(books.state.is_over(), "a silent line ends");
        prop_assert_eq!(books.submits, usize::from(books.kept));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[a-z\\[\\]\"{}=.,: \n0-9]{0,200}") {
        prop_assert!(crate::ivr::Flow::parse(&text, "f.toml").is_err());
    }
}

fn is_submit(action: &Action) -> bool {
    matches!(action, Action::Ask { request: Request::Submit(_), .. })
}

fn inbound_once() -> &'static crate::ivr::Flow {
    static FLOW: std::sync::OnceLock<crate::ivr::Flow> = std::sync::OnceLock::new();
    FLOW.get_or_init(inbound)
}
