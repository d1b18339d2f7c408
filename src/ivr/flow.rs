//! A checked flow: every edge leads somewhere, every way ends.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::event::{PromptId, RecordKind};
use super::line::{Line, Reading};
use super::{check, source};
use crate::language::Language;
use crate::ticket::{self, Contacted, RequestType, Requester, Said, Satisfaction, Solved};

/// A call flow that [`step`](super::step()) can walk: made by [`Flow::parse`] only, so what it says holds.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(super) nodes: Vec<Node>,
    pub(super) start: NodeIndex,
    pub(super) store_ms: u32,
}

impl Flow {
    /// Reads a flow from TOML and checks it: unknown keys and prompts' placeholders, edges that are missing or lead
    /// nowhere, nodes that can't be reached, ways that never end, loops that neither a key nor a limit stops.
    ///
    /// # Errors
    /// All problems found, each with its line; a text that is no TOML gives one.
    pub fn parse(text: &str, file_name: &str) -> Result<Flow, Vec<Problem>> {
        let mut problems = Problems::new(text, file_name);
        let Some(flow) = source::read(text, &mut problems) else { return Err(problems.found) };
        if problems.found.is_empty() {
            check::check(&flow, &mut problems);
        }
        if problems.found.is_empty() { Ok(flow) } else { Err(problems.found) }
    }

    /// Every prompt this flow names and the language it is said in. Those that a number or a date is put together
    /// from, the units' names and the topics of the consult menu are not among them: [`Flow::readings`].
    pub fn prompts(&self) -> BTreeSet<(Language, PromptId)> {
        let mut prompts = BTreeSet::new();
        for line in self.nodes.iter().flat_map(Node::lines) {
            line.prompts(&mut prompts);
        }
        for choice in self.nodes.iter().flat_map(Node::choices) {
            let press: PromptId = format!("press.{}", choice.key).into();
            match &choice.say {
                Some(line) => prompts.extend(line.languages().map(|language| (language, press.clone()))),
                None if choice.topic.is_some() => {
                    prompts.extend(Language::ALL.map(|language| (language, press.clone())));
                }
                None => {}
            }
        }
        prompts
    }

    /// What this flow reads out beside its prompts, and the language it does so in.
    pub fn readings(&self) -> BTreeSet<(Language, Reading)> {
        let offers_topics = self.nodes.iter().flat_map(Node::choices).any(|choice| choice.topic.is_some());
        let topics = Language::ALL.into_iter().filter(|_| offers_topics).map(|language| (language, Reading::Topic));
        self.nodes.iter().flat_map(Node::lines).flat_map(Line::readings).chain(topics).collect()
    }

    /// Does this node take a number, or lead to one without asking for anything else first?
    pub(super) fn comes_to_a_number(&self, node: NodeIndex) -> bool {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![node];
        while let Some(index) = open.pop() {
            let node = &self.nodes[index];
            match node.work {
                Work::Collect(_) => return true,
                Work::Menu(_) | Work::Record(_) => {}
                _ if std::mem::replace(&mut seen[index], true) => {}
                _ => open.extend(node.edges().into_iter().filter(|(_, by)| *by != By::HangUp).map(|(to, _)| to)),
            }
        }
        false
    }

    /// Can a call come from here into the flow of return visits?
    pub fn goes_on_visiting(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.work, Work::End { visits: true }))
    }

    /// The node that a call begins in.
    pub fn start(&self) -> &str {
        &self.nodes[self.start].name
    }

    /// From which node to which a call can go, each way once; hanging up is none.
    pub fn ways(&self) -> BTreeSet<(&str, &str)> {
        let of = |node: &'_ Node| node.edges().into_iter().filter(|(_, by)| *by != By::HangUp).map(|(to, _)| to);
        let ways = self.nodes.iter().flat_map(|node| of(node).map(move |to| (&*node.name, &*self.nodes[to].name)));
        ways.collect()
    }

    /// The nodes' names, in no order that means anything.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.name)
    }
}

/// Something wrong in a flow's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Where problems are gathered while a file is read.
pub(super) struct Problems<'a> {
    text: &'a str,
    file: &'a str,
    pub(super) found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    fn new(text: &'a str, file: &'a str) -> Problems<'a> {
        Problems { text, file, found: Vec::new() }
    }

    /// `at` is a byte offset into the text.
    pub(super) fn add(&mut self, at: usize, what: impl Into<String>) {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        self.found.push(Problem { file: self.file.to_owned(), line, what: what.into() });
    }
}

/// A place in [`Flow::nodes`].
pub(super) type NodeIndex = usize;

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    /// Byte offset in the file, for problems.
    pub(super) at: usize,
    /// Noted on the way in.
    pub(super) set: Set,
    pub(super) hangup: NodeIndex,
    pub(super) work: Work,
}

impl Node {
    fn lines(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = Vec::new();
        match &self.work {
            Work::Say(say) => lines.extend(&say.lines),
            Work::Menu(menu) => {
                lines.extend(&menu.lines);
                lines.extend(menu.choices.iter().filter_map(|choice| choice.say.as_ref()));
                lines.extend(menu.misses.lines());
            }
            Work::Collect(collect) => {
                lines.extend(&collect.lines);
                lines.extend(collect.misses.lines());
            }
            Work::Record(record) => {
                lines.extend(record.lines.iter().chain(&record.short).chain(&record.silence).chain(&record.limit));
            }
            Work::Ask(_) | Work::Tell { .. } | Work::Branch { .. } | Work::End { .. } => {}
        }
        lines
    }

    fn choices(&self) -> &[Choice] {
        if let Work::Menu(menu) = &self.work { &menu.choices } else { &[] }
    }

    /// Where it can lead, and what it takes to get there.
    pub(super) fn edges(&self) -> Vec<(NodeIndex, By)> {
        let mut edges = Vec::new();
        match &self.work {
            Work::Say(say) => {
                let by = if say.visits.is_some() { By::Limited } else { By::Itself };
                edges.push((say.next, by));
                edges.extend(say.visits.map(|(_, then)| (then, By::Itself)));
            }
            Work::Menu(menu) => {
                edges.extend(menu.choices.iter().filter_map(|choice| choice.to).map(|to| (to, By::Caller)));
                edges.extend(menu.misses.edges());
            }
            Work::Collect(collect) => {
                edges.push((collect.done, By::Caller));
                edges.extend(collect.misses.edges());
            }
            Work::Record(record) => edges.extend([(record.done, By::Caller), (record.failed, By::Itself)]),
            Work::Ask(ask) => edges.extend(ask.on.iter().map(|(_, to)| (*to, By::Itself))),
            Work::Tell { next, .. } => edges.push((*next, By::Itself)),
            Work::Branch { cases, otherwise } => {
                edges.extend(cases.iter().map(|(_, to)| (*to, By::Itself)));
                edges.push((*otherwise, By::Itself));
            }
            Work::End { .. } => {}
        }
        if self.waits() {
            edges.push((self.hangup, By::HangUp));
        }
        edges
    }

    /// Can time pass, and so the caller hang up, in it?
    pub(super) fn waits(&self) -> bool {
        match &self.work {
            Work::Say(say) => !say.lines.is_empty(),
            Work::Menu(_) | Work::Collect(_) | Work::Record(_) | Work::Ask(_) => true,
            Work::Tell { .. } | Work::Branch { .. } | Work::End { .. } => false,
        }
    }
}

/// What makes the flow take an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A key or speech.
    Caller,
    /// Nothing the caller did.
    Itself,
    /// Nothing the caller did, but only so many times in a call.
    Limited,
    HangUp,
}

/// What a node does.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Say(Say),
    Menu(Menu),
    Collect(Collect),
    Record(Record),
    Ask(Ask),
    Tell {
        request: TellKind,
        next: NodeIndex,
    },
    Branch {
        cases: Vec<(Fact, NodeIndex)>,
        otherwise: NodeIndex,
    },
    /// With `visits` the call goes on in the flow of return visits.
    End {
        visits: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Say {
    pub(super) lines: Vec<Line>,
    pub(super) interruptible: bool,
    pub(super) next: NodeIndex,
    /// At most so many times in a call, afterwards there.
    pub(super) visits: Option<(u8, NodeIndex)>,
}

#[derive(Clone, Debug)]
pub(super) struct Menu {
    pub(super) lines: Vec<Line>,
    pub(super) choices: Vec<Choice>,
    pub(super) misses: Misses,
}

#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// 0-9.
    pub(super) key: u8,
    pub(super) say: Option<Line>,
    /// The topic of the consult menu that it offers, from 0: it says that one's words, and is there only with it.
    pub(super) topic: Option<usize>,
    /// `None`: hear the menu again.
    pub(super) to: Option<NodeIndex>,
    pub(super) when: Option<Fact>,
    pub(super) set: Set,
}

#[derive(Clone, Debug)]
pub(super) struct Collect {
    pub(super) lines: Vec<Line>,
    pub(super) into: Slot,
    pub(super) digits: u8,
    pub(super) done: NodeIndex,
    pub(super) misses: Misses,
}

/// What a menu or a number does about wrong and missing keys.
#[derive(Clone, Debug)]
pub(super) struct Misses {
    pub(super) tries: u8,
    pub(super) first_key_ms: u32,
    pub(super) between_keys_ms: u32,
    pub(super) timeout_say: Vec<Line>,
    pub(super) invalid_say: Vec<Line>,
    pub(super) timeout: NodeIndex,
    pub(super) invalid: NodeIndex,
}

impl Misses {
    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.timeout_say.iter().chain(&self.invalid_say)
    }

    fn edges(&self) -> [(NodeIndex, By); 2] {
        [(self.timeout, By::Itself), (self.invalid, By::Caller)]
    }
}

/// A number a caller types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Slot {
    Phone,
    Ticket,
    LastFour,
}

#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) kind: RecordKind,
    pub(super) lines: Vec<Line>,
    pub(super) short: Vec<Line>,
    pub(super) silence: Vec<Line>,
    pub(super) limit: Vec<Line>,
    pub(super) min_speech_ms: u32,
    pub(super) max_ms: u32,
    pub(super) silence_ms: u32,
    pub(super) tries: u8,
    pub(super) done: NodeIndex,
    pub(super) failed: NodeIndex,
}

#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) request: AskKind,
    /// One edge for each of `request.outcomes()`.
    pub(super) on: Vec<(Outcome, NodeIndex)>,
}

impl Ask {
    pub(super) fn edge(&self, outcome: Outcome) -> NodeIndex {
        let edge = |wanted| self.on.iter().find(|(outcome, _)| *outcome == wanted).map(|(_, to)| *to);
        edge(outcome).or_else(|| edge(Outcome::Failed)).expect("a checked flow has an edge for `failed`")
    }
}

/// A question to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskKind {
    Submit,
    Latest,
    Lookup,
    Verify,
    Urge,
    Consult,
}

impl AskKind {
    /// What can come of it.
    pub(super) fn outcomes(self) -> &'static [Outcome] {
        match self {
            AskKind::Submit => &[Outcome::Submitted, Outcome::Failed, Outcome::Nothing],
            AskKind::Latest => &[Outcome::Found, Outcome::NotFound, Outcome::Failed],
            AskKind::Lookup => &[Outcome::Found, Outcome::Verify, Outcome::NotFound, Outcome::Locked, Outcome::Failed],
            AskKind::Verify => {
                &[Outcome::Found, Outcome::Mismatch, Outcome::NotFound, Outcome::Locked, Outcome::Failed]
            }
            AskKind::Urge => &[Outcome::Urged, Outcome::AlreadyUrged, Outcome::Failed],
            AskKind::Consult => &[Outcome::Found, Outcome::Nothing, Outcome::Failed],
        }
    }
}

/// How a question to the store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Submitted,
    /// There is nothing to submit, or it has been submitted; there is nothing to offer.
    Nothing,
    Found,
    Verify,
    NotFound,
    Mismatch,
    Locked,
    Urged,
    AlreadyUrged,
    /// No reply in time, or the store is away.
    Failed,
}

/// Something the store is told without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TellKind {
    RememberLanguage,
    DirectAnswer,
}

/// A condition, or its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) what: FactKind,
    pub(super) holds: bool,
}

impl Fact {
    /// `sms` or `not sms`.
    pub(super) fn parse(text: &str) -> Result<Fact, String> {
        let (name, holds) = text.strip_prefix("not ").map_or((text, true), |name| (name, false));
        let what = FactKind::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, what)| what);
        what.map(|what| Fact { what, holds }).ok_or_else(|| format!("`{name}` is nothing that can hold"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FactKind {
    Sms,
    Synthetic,
    EventOpen,
    HumanFirst,
    LanguageKnown,
    CallerId,
    Contact,
    Citizen,
    Enterprise,
    Due,
    Open,
    Room,
    Visit,
    CalledBack,
    Confidential,
    ContactedKnown,
    SolvedKnown,
    SatisfactionKnown,
    Dissatisfied,
    ReasonKnown,
    RedoKnown,
    LongSpeech,
    MayLeaveMessage,
}

impl FactKind {
    const ALL: [(&'static str, FactKind); 23] = [
        ("sms", FactKind::Sms),
        ("synthetic", FactKind::Synthetic),
        ("event", FactKind::EventOpen),
        ("human_first", FactKind::HumanFirst),
        ("language_known", FactKind::LanguageKnown),
        ("caller_id", FactKind::CallerId),
        ("contact", FactKind::Contact),
        ("citizen", FactKind::Citizen),
        ("enterprise", FactKind::Enterprise),
        ("due", FactKind::Due),
        ("open", FactKind::Open),
        ("room", FactKind::Room),
        ("visit", FactKind::Visit),
        ("called_back", FactKind::CalledBack),
        ("confidential", FactKind::Confidential),
        ("contacted_known", FactKind::ContactedKnown),
        ("solved_known", FactKind::SolvedKnown),
        ("satisfaction_known", FactKind::SatisfactionKnown),
        ("dissatisfied", FactKind::Dissatisfied),
        ("reason_known", FactKind::ReasonKnown),
        ("redo_known", FactKind::RedoKnown),
        ("long_speech", FactKind::LongSpeech),
        ("may_leave_message", FactKind::MayLeaveMessage),
    ];
}

/// What is noted on the way: only what is named changes.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Set {
    pub(super) language: Option<SetLanguage>,
    pub(super) requester: Option<Requester>,
    pub(super) r#type: Option<RequestType>,
    pub(super) confidential: Option<bool>,
    pub(super) confirmed: Option<bool>,
    /// Link the request with the open event, or don't.
    pub(super) event: Option<bool>,
    /// What the consult answer was about.
    pub(super) topic: Option<String>,
    pub(super) call_recording: Option<bool>,
    /// Forget the request and its recordings.
    pub(super) cancel: Option<bool>,
    /// The right person is there, and willing.
    pub(super) willing: Option<bool>,
    pub(super) contacted: Option<Contacted>,
    pub(super) solved: Option<Solved>,
    pub(super) satisfaction: Option<Satisfaction>,
    pub(super) redo: Option<bool>,
    /// How the return visit has ended, if not by what was answered.
    pub(super) outcome: Option<ticket::Outcome>,
    /// The message was left on the machine, to its end.
    pub(super) message_left: Option<bool>,
}

impl Set {
    /// What it says in answer to a return visit.
    pub(super) fn said(&self) -> impl Iterator<Item = Said> + use<> {
        let said = [
            self.willing.and_then(|willing| willing.then_some(Said::Willing)),
            self.contacted.map(Said::Contacted),
            self.solved.map(Said::Solved),
            self.satisfaction.map(Said::Satisfaction),
            self.redo.map(Said::Redo),
        ];
        said.into_iter().flatten()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SetLanguage {
    Bo,
    Zh,
    Other,
}
