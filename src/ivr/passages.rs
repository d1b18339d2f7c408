//! What a caller hears in one go at each place of a flow, for those who record the prompts.

use super::flow::{Flow, Node, NodeIndex, Work};
use super::line::{Line, What};
use crate::language::Language;

/// What one node says in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// As the flow's file has it: `menu.main`.
    pub node: String,
    pub moment: Moment,
    /// Never empty.
    pub said: Vec<Said>,
    /// The node that is heard next if the caller does nothing; `None` where that depends on something.
    pub next: Option<String>,
}

/// When a node says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// On the way in.
    Enter,
    /// No key in time.
    Timeout,
    /// A key that leads nowhere.
    Invalid,
    /// Too little was said for a recording.
    Short,
    /// Nothing was said.
    Silence,
    /// The recording is as long as it may be.
    Limit,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `None`: the caller's.
    pub language: Option<Language>,
    /// A prompt (`menu.head`), one of a group (`city.*`), or what is put together: `{ticket}`.
    pub what: String,
}

impl Flow {
    /// Everything that the flow says, in the order of its file.
    pub fn passages(&self) -> Vec<Passage> {
        let mut nodes: Vec<&Node> = self.nodes.iter().collect();
        nodes.sort_by_key(|node| node.at);
        nodes.into_iter().flat_map(|node| self.passages_of(node)).collect()
    }

    fn passages_of(&self, node: &Node) -> Vec<Passage> {
        let passage = |moment, said: Vec<Said>, next: Option<NodeIndex>| {
            let next = next.and_then(|next| self.heard_from(next)).map(|node| node.title());
            (!said.is_empty()).then(|| Passage { node: node.title(), moment, said, next })
        };
        let again = |moment, lines: &[Line]| passage(moment, all(lines), None);
        let found = match &node.work {
            Work::Say(say) => vec![passage(Moment::Enter, all(&say.lines), Some(say.next))],
            Work::Menu(menu) => {
                let mut said = all(&menu.lines);
                for choice in &menu.choices {
                    let press = |language| Said { language, what: format!("press.{}", choice.key) };
                    if let Some(line) = &choice.say {
                        said.extend(one(line));
                        said.push(press(line.language));
                    } else if choice.topic.is_some() {
                        said.extend([Said { language: None, what: "kb.*".to_owned() }, press(None)]);
                    }
                }
                let misses = &menu.misses;
                vec![
                    passage(Moment::Enter, said, None),
                    again(Moment::Timeout, &misses.timeout_say),
                    again(Moment::Invalid, &misses.invalid_say),
                ]
            }
            Work::Collect(collect) => vec![
                again(Moment::Enter, &collect.lines),
                again(Moment::Timeout, &collect.misses.timeout_say),
                again(Moment::Invalid, &collect.misses.invalid_say),
            ],
            Work::Record(record) => vec![
                again(Moment::Enter, &record.lines),
                again(Moment::Short, &record.short),
                again(Moment::Silence, &record.silence),
                again(Moment::Limit, &record.limit),
            ],
            Work::Ask(_) | Work::Tell { .. } | Work::Branch { .. } | Work::End { .. } => Vec::new(),
        };
        found.into_iter().flatten().collect()
    }

    /// The node from here on that says something, if nothing is decided before it.
    fn heard_from(&self, mut index: NodeIndex) -> Option<&Node> {
        for _ in 0..self.nodes.len() {
            let node = &self.nodes[index];
            index = match &node.work {
                Work::Say(say) if say.lines.is_empty() => say.next,
                Work::Tell { next, .. } => *next,
                Work::Ask(_) | Work::Branch { .. } | Work::End { .. } => return None,
                Work::Say(_) | Work::Menu(_) | Work::Collect(_) | Work::Record(_) => return Some(node),
            };
        }
        None
    }
}

impl Node {
    /// As the flow's file has it: `menu.main`.
    fn title(&self) -> String {
        let kind = match &self.work {
            Work::Say(_) => "say",
            Work::Menu(_) => "menu",
            Work::Collect(_) => "collect",
            Work::Record(_) => "record",
            Work::Ask(_) => "ask",
            Work::Tell { .. } => "tell",
            Work::Branch { .. } => "branch",
            Work::End { .. } => "end",
        };
        format!("{kind}.{}", self.name)
    }
}

fn all(lines: &[Line]) -> Vec<Said> {
    lines.iter().filter_map(one).collect()
}

/// `None` for a pause.
fn one(line: &Line) -> Option<Said> {
    let what = match &line.what {
        What::Prompt(id) => id.to_string(),
        What::City => "city.*".to_owned(),
        What::Stage => "st.*".to_owned(),
        What::OtherLanguage => "lang.*".to_owned(),
        What::Unit => "office.*".to_owned(),
        What::Answer => "kbans.*".to_owned(),
        What::Ticket => "{ticket}".to_owned(),
        What::LastFour => "{last_four}".to_owned(),
        What::Phone => "{phone}".to_owned(),
        What::Due => "{due}".to_owned(),
        What::Filed => "{filed}".to_owned(),
        What::Recording => "{recording}".to_owned(),
        What::Digits(digits) => format!("{{digits {digits}}}"),
        What::Pause(_) => return None,
    };
    Some(Said { language: line.language, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ivr::tests::inbound;

    fn passage(node: &str, moment: Moment) -> Passage {
        let found = inbound().passages().into_iter().find(|passage| passage.node == node && passage.moment == moment);
        found.unwrap_or_else(|| panic!("{node} says nothing"))
    }

    fn said(passage: &Passage) -> Vec<&str> {
        passage.said.iter().map(|said| said.what.as_str()).collect()
    }

    #[test]
    fn a_menu_says_each_choice_with_its_key() {
        let main = passage("menu.main", Moment::Enter);
        assert_eq!(said(&main)[..5], ["menu.head", "opt.report", "press.1", "opt.progress", "press.2"]);
        assert_eq!(main.next, None);
        assert_eq!(said(&passage("menu.main", Moment::Invalid)), ["err.invalid"]);
    }

    #[test]
    fn what_is_said_in_one_language_names_it() {
        let greeting = passage("say.greeting", Moment::Enter);
        assert_eq!(said(&greeting)[..3], ["greet.hello", "city.*", "greet.line"]);
        assert_eq!(greeting.said[0].language, Some(Language::Bo));
        assert_eq!(greeting.next.as_deref(), Some("menu.language"));
    }

    #[test]
    fn a_silent_step_is_passed_on_the_way_to_what_is_heard_next() {
        assert_eq!(passage("say.topic", Moment::Enter).next.as_deref(), Some("menu.solved"));
        assert_eq!(passage("say.bye", Moment::Enter).next, None);
        assert_eq!(passage("say.notice_more", Moment::Enter).next, None, "a branch decides");
    }

    #[test]
    fn every_prompt_of_the_flow_is_in_a_passage() {
        let flow = inbound();
        let passages = flow.passages();
        let said: Vec<&str> = passages.iter().flat_map(said).collect();
        for (_, id) in flow.prompts() {
            let group = format!("{}.*", id.split('.').next().unwrap_or_default());
            assert!(said.contains(&&*id) || said.contains(&group.as_str()), "{id}");
        }
    }
}
