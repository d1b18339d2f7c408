//! A line of a flow: what is spoken, in which voice, and when.

use std::collections::BTreeSet;

use super::event::{PromptId, Stage};
use super::flow::Fact;
use crate::city::City;
use crate::language::Language;
use crate::ticket;

/// One entry of a `say` list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) what: What,
    /// `None`: the caller's.
    pub(super) language: Option<Language>,
    pub(super) when: Option<Fact>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Prompt(PromptId),
    City,
    Ticket,
    LastFour,
    Phone,
    Stage,
    Due,
    /// The day of the request that a return visit asks about.
    Filed,
    Unit,
    /// Of the topic that was chosen in the consult menu.
    Answer,
    Recording,
    /// The name of the language that is not spoken now, said in it.
    OtherLanguage,
    Digits(String),
    Pause(u32),
}

/// No pause in a flow is longer.
const LONGEST_PAUSE_MS: u32 = 10_000;

impl Line {
    /// Reads `bo:lang.bo`, `tk.sms if sms` or `{ticket}`.
    pub(super) fn parse(text: &str) -> Result<Line, String> {
        let (said, when) = match text.split_once(" if ") {
            Some((said, fact)) => (said, Some(Fact::parse(fact)?)),
            None => (text, None),
        };
        let (language, said) = match said.split_once(':') {
            Some((code, said)) => (Some(code.parse().map_err(|e| format!("`{code}`: {e}"))?), said),
            None => (None, said),
        };
        let what = match said.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(placeholder) => What::parse(placeholder)?,
            None if is_prompt(said) => What::Prompt(said.into()),
            None => return Err(format!("`{said}` is no prompt's id")),
        };
        Ok(Line { what, language, when })
    }

    /// The languages it may be said in.
    pub(super) fn languages(&self) -> impl Iterator<Item = Language> + use<> {
        let fixed = self.language;
        Language::ALL.into_iter().filter(move |language| fixed.is_none_or(|fixed| fixed == *language))
    }

    /// What it reads out, in each language that it may do so in.
    pub(super) fn readings(&self) -> impl Iterator<Item = (Language, Reading)> + use<> {
        let reading = self.what.reading();
        self.languages().filter_map(move |language| Some((language, reading?)))
    }

    /// Adds the prompts it may need.
    pub(super) fn prompts(&self, prompts: &mut BTreeSet<(Language, PromptId)>) {
        for language in self.languages() {
            match &self.what {
                What::Prompt(id) => drop(prompts.insert((language, id.clone()))),
                What::City => prompts.extend(City::ALL.map(|city| (language, city_prompt(city)))),
                What::Stage => prompts.extend(Stage::ALL.map(|stage| (language, stage.prompt()))),
                What::OtherLanguage => drop(prompts.insert((language, language_prompt(language)))),
                What::Ticket | What::LastFour | What::Phone | What::Due | What::Filed | What::Unit => {}
                What::Answer | What::Recording | What::Digits(_) | What::Pause(_) => {}
            }
        }
    }
}

/// What is put together when it is said: the interpreter does not know of which prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Of a ticket, a phone or any other number.
    Digits,
    Date,
    /// The name of a unit.
    Unit,
    /// A topic of the consult menu, or its answer.
    Topic,
}

impl What {
    fn reading(&self) -> Option<Reading> {
        match self {
            What::Ticket | What::LastFour | What::Phone | What::Digits(_) => Some(Reading::Digits),
            What::Due | What::Filed => Some(Reading::Date),
            What::Unit => Some(Reading::Unit),
            What::Answer => Some(Reading::Topic),
            What::Prompt(_) | What::City | What::Stage | What::OtherLanguage => None,
            What::Recording | What::Pause(_) => None,
        }
    }

    fn parse(placeholder: &str) -> Result<What, String> {
        let (name, argument) = placeholder.split_once(' ').unwrap_or((placeholder, ""));
        Ok(match (name, argument) {
            ("city", "") => What::City,
            ("ticket", "") => What::Ticket,
            ("last_four", "") => What::LastFour,
            ("phone", "") => What::Phone,
            ("stage", "") => What::Stage,
            ("due", "") => What::Due,
            ("filed", "") => What::Filed,
            ("unit", "") => What::Unit,
            ("answer", "") => What::Answer,
            ("recording", "") => What::Recording,
            ("other_language", "") => What::OtherLanguage,
            ("digits", digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                What::Digits(digits.to_owned())
            }
            ("pause", ms) => match ms.parse() {
                Ok(ms) if ms <= LONGEST_PAUSE_MS => What::Pause(ms),
                _ => return Err(format!("a pause is 0-{LONGEST_PAUSE_MS} milliseconds")),
            },
            _ => return Err(format!("`{{{placeholder}}}` is nothing that can be said")),
        })
    }
}

pub(super) fn city_prompt(city: City) -> PromptId {
    format!("city.{city}").into()
}

pub(super) fn language_prompt(language: Language) -> PromptId {
    format!("lang.{language}").into()
}

fn is_prompt(id: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    id.contains('.') && id.split('.').all(part)
}

impl Stage {
    pub const ALL: [Stage; 11] = [
        Stage::Accepted,
        Stage::Assigned,
        Stage::Processing,
        Stage::Extended,
        Stage::Resolved,
        Stage::Closed,
        Stage::Redo,
        Stage::Suspended,
        Stage::Refused,
        Stage::Withdrawn,
        Stage::Merged,
    ];

    /// The prompt that tells it.
    pub fn prompt(self) -> PromptId {
        PromptId::from(match self {
            Stage::Accepted => "st.accepted",
            Stage::Assigned => "st.assigned",
            Stage::Processing => "st.processing",
            Stage::Extended => "st.extended",
            Stage::Resolved => "st.resolved",
            Stage::Closed => "st.closed",
            Stage::Redo => "st.redo",
            Stage::Suspended => "st.suspended",
            Stage::Refused => "st.refused",
            Stage::Withdrawn => "st.withdrawn",
            Stage::Merged => "st.merged",
        })
    }

    /// Is there still something to urge?
    pub fn is_open(self) -> bool {
        !matches!(self, Stage::Closed | Stage::Refused | Stage::Withdrawn | Stage::Merged)
    }
}

impl From<ticket::State> for Stage {
    /// A later round is [`Stage::Redo`] and an extended ticket [`Stage::Extended`], which the state alone doesn't tell.
    fn from(state: ticket::State) -> Stage {
        match state {
            ticket::State::Received => Stage::Accepted,
            ticket::State::Dispatched => Stage::Assigned,
            // a unit's work is not done before its reply has passed, and a recheck is not yet a redo
            ticket::State::InProgress
            | ticket::State::ReturnUnderReview
            | ticket::State::UnderReview
            | ticket::State::Recheck => Stage::Processing,
            ticket::State::Suspended => Stage::Suspended,
            ticket::State::AwaitingVisit => Stage::Resolved,
            ticket::State::Closed | ticket::State::Archived => Stage::Closed,
            ticket::State::Refused => Stage::Refused,
            ticket::State::Withdrawn => Stage::Withdrawn,
            ticket::State::Merged => Stage::Merged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_in_which_voice_and_when() {
        let line = Line::parse("bo:lang.bo if not sms").expect("a line");
        assert_eq!(line.language, Some(Language::Bo));
        assert!(matches!(line.what, What::Prompt(id) if &*id == "lang.bo"));
        assert!(!line.when.expect("a condition").holds);
    }

    #[test]
    fn what_can_not_be_said_is_refused() {
        for text in
            ["", "hello", "fr:menu.head", "{colour}", "{digits}", "{digits 1a}", "{pause}", "a.b if rain", "a..b"]
        {
            assert!(Line::parse(text).is_err(), "{text}");
        }
    }
}
