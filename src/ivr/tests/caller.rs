//! A scripted caller: a list of moves, each made when the flow waits for one.

use std::fmt::Write;

use super::{inbound, topics};
use crate::city::City;
use crate::digit::Digit;
use crate::ivr::{
    Action, Caller, Draft, EndedBy, Event, Features, Flow, Profile, Reply, Request, State, Take, Utterance, step,
};
use crate::language::Language;
use crate::phone::Phone;

pub(super) const NUMBER: &str = "426112201378";
/// A silent caller is out of the flow after fewer events.
pub(super) const MOST_EVENTS: usize = 400;

pub(super) fn citizen() -> Caller {
    Caller {
        phone: Phone::parse("13812345678"),
        city: City::Nyingchi,
        language: None,
        profile: Profile::SelfService,
        features: Features { topics: topics(), ..Features::default() },
        visit: None,
    }
}

pub(super) fn withheld() -> Caller {
    Caller { phone: None, ..citizen() }
}

pub(super) fn known(language: Language) -> Caller {
    Caller { language: Some(language), ..citizen() }
}

/// What the store answers: `None` is no answer at all.
pub(super) type StoreReplies = fn(&Request) -> Option<Reply>;

pub(super) fn empty_store(request: &Request) -> Option<Reply> {
    Some(match request {
        Request::Submit(_) => Reply::Submitted { number: NUMBER.parse().expect("a number") },
        _ => Reply::NotFound,
    })
}

/// Makes the moves of `script`, then stays on the line in silence until the flow ends.
///
/// `5` presses a key when one is waited for, `1390…` several; `8 over rec.review` while that prompt is being said;
/// `-` waits a time-out out; `speak 12` talks so many seconds and presses a key, `speak 12 silence|limit|hangup` ends
/// otherwise; `talk` talks for four seconds on end; `hangup` hangs up at the next wait, `hangup over tk.created` within that prompt.
pub(super) fn call(caller: Caller, store: StoreReplies, script: &[&str]) -> Heard {
    call_on(&inbound(), caller, store, script)
}

pub(super) fn call_on(flow: &Flow, caller: Caller, store: StoreReplies, script: &[&str]) -> Heard {
    let mut line = Line { flow, state: State::default(), waits: Waits::default(), heard: Heard::default() };
    let mut moves = script.iter().copied().peekable();
    line.happens(Event::Start(caller));
    for _ in 0..MOST_EVENTS {
        if line.state.is_over() {
            assert_eq!(moves.next(), None, "the call ended before this move:\n{}", line.heard.transcript);
            line.heard.state = line.state;
            return line.heard;
        }
        line.turn(store, &mut moves);
    }
    panic!("the call does not end:\n{}", line.heard.transcript);
}

/// Everything a call gave.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) transcript: String,
    pub(super) actions: Vec<Action>,
    /// At the end.
    pub(super) state: State,
}

impl Heard {
    pub(super) fn prompts(&self) -> Vec<String> {
        let said = self.actions.iter().filter_map(|action| match action {
            Action::Say { utterances, .. } => Some(utterances),
            _ => None,
        });
        said.flatten().map(spoken).collect()
    }

    pub(super) fn nodes(&self) -> Vec<&str> {
        let entered = |action: &'_ Action| matches!(action, Action::Enter(_));
        let nodes = self.actions.iter().filter(|action| entered(action));
        nodes.map(|action| if let Action::Enter(node) = action { &**node } else { "" }).collect()
    }

    pub(super) fn requests(&self) -> Vec<&Request> {
        self.actions
            .iter()
            .filter_map(|action| if let Action::Ask { request, .. } = action { Some(request) } else { None })
            .collect()
    }

    pub(super) fn drafts(&self) -> Vec<&Draft> {
        self.requests()
            .into_iter()
            .filter_map(|request| if let Request::Submit(draft) = request { Some(draft) } else { None })
            .collect()
    }

    /// The one ticket of the call.
    pub(super) fn draft(&self) -> &Draft {
        let drafts = self.drafts();
        assert_eq!(drafts.len(), 1, "one submit:\n{}", self.transcript);
        drafts[0]
    }

    pub(super) fn said(&self, prompt: &str) -> usize {
        self.prompts().iter().filter(|said| *said == prompt).count()
    }

    pub(super) fn entered(&self, node: &str) -> usize {
        self.nodes().into_iter().filter(|entered| *entered == node).count()
    }
}

pub(super) fn spoken(utterance: &Utterance) -> String {
    match utterance {
        Utterance::Prompt(language, id) => format!("{language} {id}"),
        Utterance::TicketNumber(language, number) => format!("{language} ticket {number}"),
        Utterance::Digits(language, digits) => format!("{language} digits {digits}"),
        Utterance::Phone(language, phone) => format!("{language} phone {}", phone.digits()),
        Utterance::Date(language, date) => format!("{language} date {date}"),
        Utterance::Count(language, count) => format!("{language} count {count}"),
        Utterance::Recording(takes) => format!("recording {:?}", takes.iter().map(|take| take.0).collect::<Vec<_>>()),
        Utterance::Beep => "beep".to_owned(),
        Utterance::Pause { ms } => format!("pause {ms} ms"),
    }
}

/// What the flow waits for.
#[derive(Default)]
struct Waits {
    saying: Vec<String>,
    timer: bool,
    recording: bool,
    asking: Option<(u32, Request)>,
    takes: u32,
}

struct Line<'f> {
    flow: &'f Flow,
    state: State,
    waits: Waits,
    heard: Heard,
}

impl Line<'_> {
    fn turn<'s>(&mut self, store: StoreReplies, moves: &mut std::iter::Peekable<impl Iterator<Item = &'s str>>) {
        if !self.waits.saying.is_empty() {
            let over = moves.peek().and_then(|next| next.split_once(" over "));
            let now = over.filter(|(_, prompt)| self.waits.saying.iter().any(|said| said.ends_with(prompt)));
            let Some((what, _)) = now else { return self.played() };
            moves.next();
            self.makes(what);
        } else if let Some((ask, request)) = self.waits.asking.take() {
            match store(&request) {
                Some(reply) => self.happens(Event::Answer { ask, reply }),
                None => self.happens(Event::Timer),
            }
        } else if self.waits.recording {
            let next = moves.next().unwrap_or("speak 0 silence");
            self.makes(next);
        } else {
            assert!(self.waits.timer, "the flow waits for nothing:\n{}", self.heard.transcript);
            let next = moves.next().unwrap_or("-");
            self.makes(next);
        }
    }

    fn played(&mut self) {
        self.waits.saying.clear();
        self.happens(Event::Played);
    }

    fn makes(&mut self, what: &str) {
        writeln!(self.heard.transcript, "                          caller: {what}").expect("a String takes it");
        let words: Vec<&str> = what.split(' ').collect();
        match words[..] {
            ["-"] => self.happens(Event::Timer),
            ["talk"] => self.happens(Event::LongSpeech),
            ["hangup"] => {
                let recording = self.waits.recording;
                self.happens(Event::HungUp);
                if recording {
                    self.recorded(EndedBy::HangUp, 0);
                }
            }
            ["speak", seconds] => {
                self.happens(Event::Digit(Digit::POUND));
                self.recorded(EndedBy::Key, seconds.parse().expect("seconds"));
            }
            ["speak", seconds, ended_by] => {
                let ended_by = match ended_by {
                    "silence" => EndedBy::Silence,
                    "limit" => EndedBy::Limit,
                    "hangup" => EndedBy::HangUp,
                    other => panic!("nothing ends by {other}"),
                };
                if ended_by == EndedBy::HangUp {
                    self.happens(Event::HungUp);
                }
                self.recorded(ended_by, seconds.parse().expect("seconds"));
            }
            [keys] => {
                for key in keys.chars() {
                    self.happens(Event::Digit(Digit::from_char(key).expect("a key")));
                }
            }
            _ => panic!("no caller can `{what}`"),
        }
    }

    fn recorded(&mut self, ended_by: EndedBy, seconds: u32) {
        self.waits.takes += 1;
        self.waits.recording = false;
        let take = Take(self.waits.takes);
        self.happens(Event::Recorded { ended_by, speech_ms: seconds * 1_000, duration_ms: seconds * 1_100, take });
    }

    fn happens(&mut self, event: Event) {
        if event == Event::Timer {
            self.waits.timer = false;
        }
        let (state, actions) = step(self.flow, std::mem::take(&mut self.state), event);
        self.state = state;
        for action in actions {
            self.write(&action);
            self.waits.take(&action);
            self.heard.actions.push(action);
        }
    }

    fn write(&mut self, action: &Action) {
        let out = &mut self.heard.transcript;
        match action {
            Action::Enter(node) => *out += &format!("[{node}]\n"),
            Action::Say { utterances, interruptible } => {
                let mut lines: Vec<String> = Vec::new();
                for said in utterances.iter().map(spoken) {
                    match lines.last_mut().filter(|_| said.contains(" press.")) {
                        Some(line) => *line = format!("{line}, {}", &said[3..]),
                        None => lines.push(said),
                    }
                }
                let mark = if *interruptible { "  " } else { "! " };
                lines.iter().for_each(|line| *out += &format!("  {mark}{line}\n"));
            }
            Action::Ask { request, .. } => *out += &format!("    → {request:?}\n"),
            Action::Record { .. }
            | Action::HangUp
            | Action::GoOnVisiting
            | Action::CallRecording(_)
            | Action::StartTimer { .. } => {
                *out += &format!("    → {action:?}\n");
            }
            Action::Hush | Action::StopTimer | Action::StopRecord => {}
        }
    }
}

impl Waits {
    fn take(&mut self, action: &Action) {
        match action {
            Action::Say { utterances, .. } => self.saying = utterances.iter().map(spoken).collect(),
            Action::Hush => self.saying.clear(),
            Action::StartTimer { .. } => self.timer = true,
            Action::StopTimer => self.timer = false,
            Action::Record { .. } => self.recording = true,
            Action::Ask { ask, request } if wants_reply(request) => self.asking = Some((*ask, request.clone())),
            Action::Ask { .. } | Action::StopRecord | Action::Enter(_) | Action::CallRecording(_) => {}
            Action::HangUp | Action::GoOnVisiting => {}
        }
    }
}

pub(super) fn wants_reply(request: &Request) -> bool {
    !matches!(request, Request::RememberLanguage { .. } | Request::DirectAnswer { .. } | Request::Said(_))
}
