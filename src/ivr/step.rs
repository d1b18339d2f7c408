//! The interpreter: one event in, the next state and what to do out.

use super::event::{Action, EndedBy, Event, RecordKind, Reply, Request, Spoken, Take, Utterance};
use super::flow::{AskKind, Collect, Flow, Menu, Node, NodeIndex, Outcome, Record, Say, Set, Work};
use super::keys::Miss;
use super::state::{Known, MOST_TAKES, Phase, Place, State};
use crate::digit::Digit;

/// So many nodes may be passed in one step before it is taken for an endless loop.
const MOST_HOPS: usize = 1_024;
/// Less speech than this is silence.
const SILENCE_MS: u32 = 500;

/// Walks one event on. Total: an event that doesn't fit the state changes nothing and does nothing.
///
/// Keys typed while the recording notice or the ticket number is spoken are dropped. Keys typed over any other
/// prompt stop it and count where they are typed; over a prompt that asks for nothing they count for the next
/// question. `*` and `#` end a number or a recording and are never carried on.
pub fn step(flow: &Flow, state: State, event: Event) -> (State, Vec<Action>) {
    match (state.place, state.known) {
        (Place::BeforeStart, _) => start(flow, event),
        (Place::In { node, phase }, Some(known)) => {
            let mut walk = Walk { flow, node, phase, over: false, known, out: Vec::new() };
            walk.handle(event);
            walk.finish()
        }
        (place, known) => (State { place, known }, Vec::new()),
    }
}

fn start(flow: &Flow, event: Event) -> (State, Vec<Action>) {
    match event {
        Event::Start(caller) => {
            let known = Known::new(caller);
            let phase = Phase::Speaking;
            let mut walk = Walk { flow, node: flow.start, phase, over: false, known, out: Vec::new() };
            walk.go(flow.start);
            walk.finish()
        }
        Event::HungUp => (State { place: Place::Over, known: None }, Vec::new()),
        _ => (State::default(), Vec::new()),
    }
}

/// One step on its way.
pub(super) struct Walk<'f> {
    flow: &'f Flow,
    node: NodeIndex,
    pub(super) phase: Phase,
    over: bool,
    pub(super) known: Known,
    pub(super) out: Vec<Action>,
}

impl<'f> Walk<'f> {
    fn finish(self) -> (State, Vec<Action>) {
        let place = if self.over { Place::Over } else { Place::In { node: self.node, phase: self.phase } };
        (State { place, known: Some(self.known) }, self.out)
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Start(_) => {}
            Event::HungUp => self.hung_up(),
            Event::Digit(digit) => self.digit(digit),
            Event::Played => self.played(),
            Event::Timer => self.timer(),
            Event::Recorded { ended_by, speech_ms, take, .. } => self.recorded(ended_by, speech_ms, take),
            Event::LongSpeech => self.known.long_speech = true,
            Event::Answer { ask, reply } => self.answer(ask, reply),
        }
    }

    pub(super) fn current(&self) -> &'f Node {
        &self.flow.nodes[self.node]
    }

    // ---- Events

    fn hung_up(&mut self) {
        if std::mem::replace(&mut self.known.gone, true) {
            return;
        }
        if self.phase == Phase::Recording {
            // what was said counts: `Recorded` decides
            self.out.push(Action::StopRecord);
        } else {
            self.go(self.current().hangup);
        }
    }

    fn digit(&mut self, digit: Digit) {
        let node = self.current();
        match (&node.work, self.phase) {
            (Work::Say(say), Phase::Speaking) => self.digit_over(say, digit),
            (Work::Menu(menu), Phase::Speaking | Phase::Listening | Phase::Parting { .. }) => {
                self.quiet();
                if let Some(to) = self.choose(menu, digit) {
                    self.go(to);
                }
            }
            (Work::Collect(collect), Phase::Speaking | Phase::Listening | Phase::Parting { .. }) => {
                if let Some(to) = self.collect(collect, digit) {
                    self.go(to);
                }
            }
            (Work::Record(_), Phase::Speaking) => {
                self.out.push(Action::Hush);
                self.beep();
            }
            (Work::Record(_), Phase::Recording) if !self.known.gone => self.out.push(Action::StopRecord),
            (Work::Ask(_), Phase::Asking { .. }) => drop(self.carry(digit)),
            _ => {}
        }
    }

    fn digit_over(&mut self, say: &Say, digit: Digit) {
        if say.interruptible && self.carry(digit) {
            self.out.push(Action::Hush);
            self.go(say.next);
        }
    }

    fn played(&mut self) {
        let node = self.current();
        match (&node.work, self.phase) {
            (Work::Say(say), Phase::Speaking) => self.go(say.next),
            (Work::Menu(Menu { misses, .. }) | Work::Collect(Collect { misses, .. }), Phase::Speaking) => {
                self.listen(misses.first_key_ms);
            }
            (_, Phase::Parting { to }) => self.go(to),
            (Work::Record(record), Phase::Speaking | Phase::Beeping) => {
                let Record { max_ms, silence_ms, kind, .. } = *record;
                self.phase = Phase::Recording;
                self.out.push(Action::Record { max_ms, silence_ms, kind });
            }
            _ => {}
        }
    }

    fn timer(&mut self) {
        let node = self.current();
        let to = match (&node.work, self.phase) {
            (Work::Menu(menu), Phase::Listening) => self.miss(Miss::Timeout, &menu.misses, node),
            (Work::Collect(collect), Phase::Listening) => {
                let miss = if self.known.typed.is_empty() { Miss::Timeout } else { Miss::Invalid };
                self.miss(miss, &collect.misses, node)
            }
            (Work::Ask(ask), Phase::Asking { .. }) => Some(ask.edge(Outcome::Failed)),
            _ => None,
        };
        if let Some(to) = to {
            self.go(to);
        }
    }

    fn recorded(&mut self, ended_by: EndedBy, speech_ms: u32, take: Take) {
        let node = self.current();
        let (Work::Record(record), Phase::Recording) = (&node.work, self.phase) else { return };
        self.known.gone |= ended_by == EndedBy::HangUp;
        let enough = speech_ms >= record.min_speech_ms;
        if enough {
            self.keep(record.kind, take, speech_ms);
        }
        if self.known.gone {
            self.go(node.hangup);
        } else if enough {
            self.said_enough(record, ended_by);
        } else {
            self.said_too_little(record, speech_ms);
        }
    }

    fn answer(&mut self, ask: u32, reply: Reply) {
        let Work::Ask(node) = &self.current().work else { return };
        if self.phase != (Phase::Asking { ask }) {
            return;
        }
        self.out.push(Action::StopTimer);
        let outcome = self.learn(reply);
        self.go(node.edge(outcome));
    }

    // ---- Moving

    /// Enters a node, and those it leads to at once.
    fn go(&mut self, to: NodeIndex) {
        let mut to = Some(to);
        for _ in 0..MOST_HOPS {
            let Some(next) = to else { return };
            to = self.arrive(next);
        }
        // a checked flow doesn't come here; a caller is never left in silence if one does
        self.end(false);
    }

    fn arrive(&mut self, to: NodeIndex) -> Option<NodeIndex> {
        let node = &self.flow.nodes[to];
        self.node = to;
        self.phase = Phase::Speaking;
        self.known.misses = 0;
        self.known.typed.clear();
        self.out.push(Action::Enter(node.name.clone()));
        self.note(&node.set);
        if self.known.gone && node.waits() && !matches!(node.work, Work::Ask(_)) {
            self.end(false);
            return None;
        }
        match &node.work {
            Work::Say(say) => self.arrive_say(say),
            Work::Menu(menu) => self.arrive_menu(menu, node),
            Work::Collect(collect) => self.arrive_collect(collect, node),
            Work::Record(record) => self.arrive_record(record),
            Work::Ask(ask) => match self.known.request(ask.request) {
                Some(request) => self.ask(request),
                None => Some(ask.edge(Outcome::of_nothing(ask.request))),
            },
            Work::Tell { request, next } => {
                if let Some(request) = self.known.order(*request) {
                    self.send(request);
                }
                Some(*next)
            }
            Work::Branch { cases, otherwise } => {
                let case = cases.iter().find(|(fact, _)| self.known.holds(*fact));
                Some(case.map_or(*otherwise, |(_, to)| *to))
            }
            Work::End { visits } => {
                self.end(*visits);
                None
            }
        }
    }

    pub(super) fn note(&mut self, set: &Set) {
        self.known.note(set);
        for said in set.said() {
            self.send(Request::Said(Spoken::Typed(said)));
        }
        if let Some(on) = set.call_recording.filter(|_| !self.known.gone) {
            self.out.push(Action::CallRecording(on));
        }
    }

    fn arrive_say(&mut self, say: &Say) -> Option<NodeIndex> {
        if let Some((most, then)) = say.visits {
            let visits = self.known.visits.entry(self.node).or_default();
            if *visits >= most {
                return Some(then);
            }
            *visits += 1;
        }
        if !say.interruptible {
            self.known.ahead.clear();
        }
        let utterances = self.known.utterances(&say.lines);
        if utterances.is_empty() || !self.known.ahead.is_empty() {
            return Some(say.next);
        }
        self.out.push(Action::Say { utterances, interruptible: say.interruptible });
        None
    }

    fn arrive_menu(&mut self, menu: &'f Menu, node: &Node) -> Option<NodeIndex> {
        if self.known.ahead.is_empty() {
            self.present(Vec::new(), node);
            return None;
        }
        let digit = self.known.ahead.remove(0);
        self.choose(menu, digit)
    }

    fn arrive_collect(&mut self, collect: &'f Collect, node: &Node) -> Option<NodeIndex> {
        if self.known.ahead.is_empty() {
            self.present(Vec::new(), node);
            return None;
        }
        // nothing is being said and no timer runs: the first key of these starts it
        for digit in std::mem::take(&mut self.known.ahead) {
            let to = self.collect(collect, digit);
            if to.is_some() || self.phase == Phase::Speaking {
                return to;
            }
        }
        None
    }

    fn arrive_record(&mut self, record: &Record) -> Option<NodeIndex> {
        self.known.ahead.clear();
        self.speak_and_beep(self.known.utterances(&record.lines));
        None
    }

    fn end(&mut self, goes_on_visiting: bool) {
        self.over = true;
        if !self.known.gone {
            self.out.push(if goes_on_visiting { Action::GoOnVisiting } else { Action::HangUp });
        }
    }

    // ---- Speaking, waiting, asking

    /// Says `first`, then what the node has to say, choices and all.
    pub(super) fn present(&mut self, first: Vec<Utterance>, node: &Node) {
        let mut utterances = first;
        let (lines, choices, misses) = match &node.work {
            Work::Menu(menu) => (&menu.lines, &menu.choices[..], &menu.misses),
            Work::Collect(collect) => (&collect.lines, &[][..], &collect.misses),
            _ => return,
        };
        utterances.extend(self.known.utterances(lines));
        for choice in choices.iter().filter(|choice| self.known.offers(choice)) {
            utterances.extend(self.known.choice_utterances(choice));
        }
        if utterances.is_empty() {
            return self.listen(misses.first_key_ms);
        }
        self.phase = Phase::Speaking;
        self.out.push(Action::Say { utterances, interruptible: true });
    }

    fn speak_and_beep(&mut self, mut utterances: Vec<Utterance>) {
        utterances.push(Utterance::Beep);
        self.phase = Phase::Speaking;
        self.out.push(Action::Say { utterances, interruptible: true });
    }

    fn beep(&mut self) {
        self.phase = Phase::Beeping;
        self.out.push(Action::Say { utterances: vec![Utterance::Beep], interruptible: false });
    }

    /// Stops what is being said or waited for in a menu or a number.
    pub(super) fn quiet(&mut self) {
        let waiting = self.phase == Phase::Listening;
        self.out.push(if waiting { Action::StopTimer } else { Action::Hush });
    }

    pub(super) fn listen(&mut self, ms: u32) {
        self.phase = Phase::Listening;
        self.out.push(Action::StartTimer { ms });
    }

    fn ask(&mut self, request: Request) -> Option<NodeIndex> {
        self.known.submitted |= matches!(request, Request::Submit(_));
        let ask = self.send(request);
        if self.known.gone {
            self.end(false);
            return None;
        }
        self.phase = Phase::Asking { ask };
        self.out.push(Action::StartTimer { ms: self.flow.store_ms });
        None
    }

    fn send(&mut self, request: Request) -> u32 {
        self.known.asked = self.known.asked.wrapping_add(1);
        self.out.push(Action::Ask { ask: self.known.asked, request });
        self.known.asked
    }

    fn learn(&mut self, reply: Reply) -> Outcome {
        match reply {
            Reply::Submitted { number } => {
                self.known.ticket = Some(number);
                Outcome::Submitted
            }
            Reply::Found(status) => {
                self.known.ticket = Some(status.number);
                self.known.status = Some(status);
                Outcome::Found
            }
            Reply::VerifyPhone => Outcome::Verify,
            Reply::NotFound => Outcome::NotFound,
            Reply::Mismatch => Outcome::Mismatch,
            Reply::Locked => Outcome::Locked,
            Reply::Urged => Outcome::Urged,
            Reply::AlreadyUrged => Outcome::AlreadyUrged,
            Reply::Topics(topics) if topics.is_empty() => Outcome::Nothing,
            Reply::Topics(topics) => {
                self.known.topics = topics.into();
                Outcome::Found
            }
            Reply::Failed => Outcome::Failed,
        }
    }

    // ---- Recording

    fn keep(&mut self, kind: RecordKind, take: Take, speech_ms: u32) {
        if kind == RecordKind::Reason {
            self.send(Request::Said(Spoken::Reason(take)));
            return;
        }
        let takes = &mut self.known.matter.takes;
        if kind != RecordKind::Add {
            takes.clear();
        }
        if takes.len() < MOST_TAKES {
            takes.push((take, speech_ms));
        }
    }

    fn said_enough(&mut self, record: &Record, ended_by: EndedBy) {
        let utterances = if ended_by == EndedBy::Limit { self.known.utterances(&record.limit) } else { Vec::new() };
        if utterances.is_empty() {
            return self.go(record.done);
        }
        self.phase = Phase::Parting { to: record.done };
        self.out.push(Action::Say { utterances, interruptible: false });
    }

    fn said_too_little(&mut self, record: &Record, speech_ms: u32) {
        self.known.misses = self.known.misses.saturating_add(1);
        if self.known.misses >= record.tries {
            return self.go(record.failed);
        }
        let lines = if speech_ms < SILENCE_MS { &record.silence } else { &record.short };
        self.speak_and_beep(self.known.utterances(lines));
    }
}

impl Outcome {
    /// What a question that can't be asked ends in.
    fn of_nothing(request: AskKind) -> Outcome {
        match request {
            AskKind::Submit => Outcome::Nothing,
            AskKind::Urge => Outcome::Failed,
            _ => Outcome::NotFound,
        }
    }
}
