//! The flow's file: its TOML, and the names in it resolved to nodes.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::event::RecordKind;
use super::flow::{
    Ask, AskKind, Choice, Collect, Fact, Flow, Menu, Misses, Node, NodeIndex, Outcome, Problems, Record, Say, Set,
    Slot, TellKind, Work,
};
use super::line::Line;

/// A flow has no more nodes.
const MOST_NODES: usize = 512;
/// A menu has the keys 1-6 for what it offers, beside 7, 8, 9 and 0.
const MOST_TOPICS: usize = 6;
const TRIES: std::ops::RangeInclusive<u8> = 1..=9;
const MS: std::ops::RangeInclusive<u32> = 1..=600_000;
const DIGITS: std::ops::RangeInclusive<u8> = 1..=20;

type Text = Spanned<String>;
type Nodes<T> = BTreeMap<Text, T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    start: Text,
    defaults: Defaults,
    #[serde(default)]
    say: Nodes<SaySource>,
    #[serde(default)]
    menu: Nodes<MenuSource>,
    #[serde(default)]
    collect: Nodes<CollectSource>,
    #[serde(default)]
    record: Nodes<RecordSource>,
    #[serde(default)]
    ask: Nodes<AskSource>,
    #[serde(default)]
    tell: Nodes<TellSource>,
    #[serde(default)]
    branch: Nodes<BranchSource>,
    #[serde(default)]
    end: Nodes<EndSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    first_key_ms: Spanned<u32>,
    between_keys_ms: Spanned<u32>,
    tries: Spanned<u8>,
    store_ms: Spanned<u32>,
    timeout_say: Vec<Text>,
    invalid_say: Vec<Text>,
    before_number: Vec<Text>,
    hangup: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaySource {
    #[serde(default)]
    set: Set,
    #[serde(default)]
    say: Vec<Text>,
    interruptible: Option<bool>,
    next: Option<Text>,
    visits: Option<Spanned<u8>>,
    then: Option<Text>,
    hangup: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuSource {
    #[serde(default)]
    set: Set,
    #[serde(default)]
    say: Vec<Text>,
    choices: Vec<ChoiceSource>,
    tries: Option<Spanned<u8>>,
    first_key_ms: Option<Spanned<u32>>,
    timeout_say: Option<Vec<Text>>,
    invalid_say: Option<Vec<Text>>,
    timeout: Option<Text>,
    invalid: Option<Text>,
    hangup: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceSource {
    key: Spanned<toml::Value>,
    say: Option<Text>,
    topic: Option<Spanned<usize>>,
    to: Text,
    r#if: Option<Text>,
    #[serde(default)]
    set: Set,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectSource {
    #[serde(default)]
    set: Set,
    say: Vec<Text>,
    into: Slot,
    digits: Spanned<u8>,
    tries: Option<Spanned<u8>>,
    first_key_ms: Option<Spanned<u32>>,
    between_keys_ms: Option<Spanned<u32>>,
    timeout_say: Option<Vec<Text>>,
    invalid_say: Option<Vec<Text>>,
    done: Option<Text>,
    timeout: Option<Text>,
    invalid: Option<Text>,
    hangup: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordSource {
    #[serde(default)]
    set: Set,
    kind: RecordKind,
    say: Vec<Text>,
    short_say: Vec<Text>,
    silence_say: Vec<Text>,
    limit_say: Vec<Text>,
    min_speech_ms: Spanned<u32>,
    max_ms: Spanned<u32>,
    silence_ms: Spanned<u32>,
    tries: Option<Spanned<u8>>,
    done: Option<Text>,
    failed: Option<Text>,
    hangup: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskSource {
    #[serde(default)]
    set: Set,
    request: AskKind,
    on: BTreeMap<Spanned<Outcome>, Text>,
    hangup: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TellSource {
    #[serde(default)]
    set: Set,
    request: TellKind,
    next: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BranchSource {
    cases: Vec<CaseSource>,
    otherwise: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseSource {
    r#if: Text,
    to: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndSource {
    #[serde(default)]
    set: Set,
    #[serde(default)]
    visits: bool,
}

/// Reads and resolves. `None` when nothing can be made of it; otherwise the flow stands only if no problem was added.
pub(super) fn read(text: &str, problems: &mut Problems<'_>) -> Option<Flow> {
    let source: Source = match toml::from_str(text) {
        Ok(source) => source,
        Err(error) => {
            problems.add(error.span().map_or(0, |span| span.start), error.message());
            return None;
        }
    };
    let names = source.names(problems)?;
    Some(Reader { names, defaults: &source.defaults, problems }.flow(&source))
}

impl Source {
    /// Every node's name, with its place.
    fn names(&self, problems: &mut Problems<'_>) -> Option<BTreeMap<String, NodeIndex>> {
        let all = self.say.keys().chain(self.menu.keys()).chain(self.collect.keys()).chain(self.record.keys());
        let all = all.chain(self.ask.keys()).chain(self.tell.keys()).chain(self.branch.keys()).chain(self.end.keys());
        let mut names = BTreeMap::new();
        for (index, name) in all.enumerate() {
            if names.insert(name.get_ref().clone(), index).is_some() {
                problems.add(name.span().start, format!("two nodes are named `{}`", name.get_ref()));
            }
        }
        if names.is_empty() || names.len() > MOST_NODES {
            problems.add(0, format!("a flow has 1-{MOST_NODES} nodes"));
            return None;
        }
        Some(names)
    }
}

/// Resolves names and reads lines; what can't be resolved becomes a problem and a harmless value.
struct Reader<'a, 'p, 't> {
    names: BTreeMap<String, NodeIndex>,
    defaults: &'a Defaults,
    problems: &'p mut Problems<'t>,
}

impl Reader<'_, '_, '_> {
    /// The nodes come in the same order as in [`Source::names`].
    fn flow(mut self, source: &Source) -> Flow {
        let mut nodes = Vec::with_capacity(self.names.len());
        nodes.extend(source.say.iter().map(|(name, say)| self.say(name, say)));
        nodes.extend(source.menu.iter().map(|(name, menu)| self.menu(name, menu)));
        nodes.extend(source.collect.iter().map(|(name, collect)| self.collect(name, collect)));
        nodes.extend(source.record.iter().map(|(name, record)| self.record(name, record)));
        nodes.extend(source.ask.iter().map(|(name, ask)| self.ask(name, ask)));
        nodes.extend(source.tell.iter().map(|(name, tell)| self.tell(name, tell)));
        nodes.extend(source.branch.iter().map(|(name, branch)| self.branch(name, branch)));
        let ends = source.end.iter();
        nodes.extend(ends.map(|(name, end)| self.node(name, &end.set, None, Work::End { visits: end.visits })));
        let start = self.target(&source.start);
        let store_ms = self.within(&self.defaults.store_ms, MS);
        Flow { nodes, start, store_ms }
    }

    fn say(&mut self, name: &Text, say: &SaySource) -> Node {
        let visits = match (&say.visits, &say.then) {
            (Some(visits), Some(then)) => Some((self.within(visits, TRIES), self.target(then))),
            (None, None) => None,
            _ => {
                self.problems.add(name.span().start, format!("`{}` needs both `visits` and `then`", name.get_ref()));
                None
            }
        };
        let work = Work::Say(Say {
            lines: self.lines(&say.say),
            interruptible: say.interruptible.unwrap_or(true),
            next: self.edge(name, "next", say.next.as_ref()),
            visits,
        });
        self.node(name, &say.set, say.hangup.as_ref(), work)
    }

    fn menu(&mut self, name: &Text, menu: &MenuSource) -> Node {
        self.hangup_is_named(name, menu.hangup.as_ref());
        let work = Work::Menu(Menu {
            lines: self.lines(&menu.say),
            choices: menu.choices.iter().filter_map(|choice| self.choice(choice)).collect(),
            misses: Misses {
                tries: self.within(menu.tries.as_ref().unwrap_or(&self.defaults.tries), TRIES),
                first_key_ms: self.within(menu.first_key_ms.as_ref().unwrap_or(&self.defaults.first_key_ms), MS),
                between_keys_ms: self.within(&self.defaults.between_keys_ms, MS),
                timeout_say: self.lines(menu.timeout_say.as_ref().unwrap_or(&self.defaults.timeout_say)),
                invalid_say: self.lines(menu.invalid_say.as_ref().unwrap_or(&self.defaults.invalid_say)),
                timeout: self.edge(name, "timeout", menu.timeout.as_ref()),
                invalid: self.edge(name, "invalid", menu.invalid.as_ref()),
            },
        });
        if let Work::Menu(read) = &work {
            self.keys_are_unique(name, menu, read);
        }
        self.node(name, &menu.set, menu.hangup.as_ref(), work)
    }

    fn keys_are_unique(&mut self, name: &Text, menu: &MenuSource, read: &Menu) {
        if read.choices.is_empty() {
            self.problems.add(name.span().start, format!("menu `{}` has no choices", name.get_ref()));
        }
        let mut seen = Vec::new();
        for choice in &menu.choices {
            let key = choice.key.get_ref();
            if seen.contains(&key) {
                self.problems.add(choice.key.span().start, format!("key {key} is in menu `{}` twice", name.get_ref()));
            }
            seen.push(key);
        }
    }

    fn choice(&mut self, choice: &ChoiceSource) -> Option<Choice> {
        let key = choice.key.get_ref().as_integer().and_then(|key| u8::try_from(key).ok()).filter(|key| *key < 10);
        if key.is_none() {
            let what = format!("key {}: a menu has the keys 0-9 only", choice.key.get_ref());
            self.problems.add(choice.key.span().start, what);
        }
        let to = (choice.to.get_ref() != "again").then(|| self.target(&choice.to));
        let topic = choice.topic.as_ref().map(|topic| self.within(topic, 1..=MOST_TOPICS).saturating_sub(1));
        if let (Some(topic), Some(_)) = (&choice.topic, &choice.say) {
            self.problems.add(topic.span().start, "a choice has `say` or `topic`, not both");
        }
        Some(Choice {
            key: key?,
            topic,
            say: choice.say.as_ref().and_then(|line| self.line(line)),
            to,
            when: choice.r#if.as_ref().and_then(|fact| self.fact(fact)),
            set: choice.set.clone(),
        })
    }

    fn collect(&mut self, name: &Text, collect: &CollectSource) -> Node {
        self.hangup_is_named(name, collect.hangup.as_ref());
        let mut lines = self.lines(&self.defaults.before_number);
        lines.extend(self.lines(&collect.say));
        let defaults = self.defaults;
        let work = Work::Collect(Collect {
            lines,
            into: collect.into,
            digits: self.within(&collect.digits, DIGITS),
            done: self.edge(name, "done", collect.done.as_ref()),
            misses: Misses {
                tries: self.within(collect.tries.as_ref().unwrap_or(&defaults.tries), TRIES),
                first_key_ms: self.within(collect.first_key_ms.as_ref().unwrap_or(&defaults.first_key_ms), MS),
                between_keys_ms: self.within(collect.between_keys_ms.as_ref().unwrap_or(&defaults.between_keys_ms), MS),
                timeout_say: self.lines(collect.timeout_say.as_ref().unwrap_or(&defaults.timeout_say)),
                invalid_say: self.lines(collect.invalid_say.as_ref().unwrap_or(&defaults.invalid_say)),
                timeout: self.edge(name, "timeout", collect.timeout.as_ref()),
                invalid: self.edge(name, "invalid", collect.invalid.as_ref()),
            },
        });
        self.node(name, &collect.set, collect.hangup.as_ref(), work)
    }

    fn record(&mut self, name: &Text, record: &RecordSource) -> Node {
        self.hangup_is_named(name, record.hangup.as_ref());
        let work = Work::Record(Record {
            kind: record.kind,
            lines: self.lines(&record.say),
            short: self.lines(&record.short_say),
            silence: self.lines(&record.silence_say),
            limit: self.lines(&record.limit_say),
            min_speech_ms: self.within(&record.min_speech_ms, MS),
            max_ms: self.within(&record.max_ms, MS),
            silence_ms: self.within(&record.silence_ms, MS),
            tries: self.within(record.tries.as_ref().unwrap_or(&self.defaults.tries), TRIES),
            done: self.edge(name, "done", record.done.as_ref()),
            failed: self.edge(name, "failed", record.failed.as_ref()),
        });
        self.node(name, &record.set, record.hangup.as_ref(), work)
    }

    fn ask(&mut self, name: &Text, ask: &AskSource) -> Node {
        let mut on = Vec::new();
        for (outcome, to) in &ask.on {
            if !ask.request.outcomes().contains(outcome.get_ref()) {
                let what = format!("`{}` never ends in {:?}", name.get_ref(), outcome.get_ref());
                self.problems.add(outcome.span().start, what);
            }
            on.push((*outcome.get_ref(), self.target(to)));
        }
        for outcome in ask.request.outcomes() {
            if !on.iter().any(|(known, _)| known == outcome) {
                self.problems.add(name.span().start, format!("`{}` has no edge for {outcome:?}", name.get_ref()));
            }
        }
        self.node(name, &ask.set, ask.hangup.as_ref(), Work::Ask(Ask { request: ask.request, on }))
    }

    fn tell(&mut self, name: &Text, tell: &TellSource) -> Node {
        let work = Work::Tell { request: tell.request, next: self.edge(name, "next", tell.next.as_ref()) };
        self.node(name, &tell.set, None, work)
    }

    fn branch(&mut self, name: &Text, branch: &BranchSource) -> Node {
        let mut cases = Vec::new();
        for case in &branch.cases {
            let to = self.target(&case.to);
            cases.extend(self.fact(&case.r#if).map(|fact| (fact, to)));
        }
        let work = Work::Branch { cases, otherwise: self.edge(name, "otherwise", branch.otherwise.as_ref()) };
        self.node(name, &Set::default(), None, work)
    }

    fn node(&mut self, name: &Text, set: &Set, hangup: Option<&Text>, work: Work) -> Node {
        let hangup = self.target(hangup.unwrap_or(&self.defaults.hangup));
        Node { name: name.get_ref().as_str().into(), at: name.span().start, set: set.clone(), hangup, work }
    }

    /// Where a citizen can be lost, the file must say what then.
    fn hangup_is_named(&mut self, name: &Text, hangup: Option<&Text>) {
        if hangup.is_none() {
            self.problems.add(name.span().start, format!("`{}` has no `hangup` edge", name.get_ref()));
        }
    }

    fn edge(&mut self, name: &Text, key: &str, to: Option<&Text>) -> NodeIndex {
        match to {
            Some(to) => self.target(to),
            None => {
                self.problems.add(name.span().start, format!("`{}` has no `{key}` edge", name.get_ref()));
                0
            }
        }
    }

    fn target(&mut self, to: &Text) -> NodeIndex {
        let known = self.names.get(to.get_ref()).copied();
        if known.is_none() {
            self.problems.add(to.span().start, format!("there is no node `{}`", to.get_ref()));
        }
        known.unwrap_or(0)
    }

    fn lines(&mut self, lines: &[Text]) -> Vec<Line> {
        lines.iter().filter_map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: &Text) -> Option<Line> {
        Line::parse(line.get_ref()).map_err(|what| self.problems.add(line.span().start, what)).ok()
    }

    fn fact(&mut self, fact: &Text) -> Option<Fact> {
        Fact::parse(fact.get_ref()).map_err(|what| self.problems.add(fact.span().start, what)).ok()
    }

    fn within<T: Copy + PartialOrd + std::fmt::Display>(
        &mut self,
        value: &Spanned<T>,
        range: std::ops::RangeInclusive<T>,
    ) -> T {
        if !range.contains(value.get_ref()) {
            let what = format!("{} is not within {}-{}", value.get_ref(), range.start(), range.end());
            self.problems.add(value.span().start, what);
        }
        *value.get_ref()
    }
}
