//! What a catalogue lists.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::super::fields::{UnknownName, names};
use super::value::{
    BadValue, Body, ClassCode, GroupCode, KnowledgeId, PromptId, ReasonCode, TemplateId, Title, UnitCode, UnitPhone,
};
use crate::city::City;

/// The upper of the two levels that requests are sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub code: GroupCode,
    pub zh: Title,
    pub bo: Title,
    /// A retired entry stays with the tickets that have it and is offered for no other; so in every entry.
    #[serde(default = "active")]
    pub active: bool,
}

/// The lower level: what a request is about. Its group is [`ClassCode::group`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub code: ClassCode,
    pub zh: Title,
    pub bo: Title,
    /// Words of a request that speak for this class, in either language.
    #[serde(default)]
    pub keywords: Vec<Title>,
    #[serde(default = "active")]
    pub active: bool,
}

/// Who handles requests (承办单位).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub code: UnitCode,
    pub city: City,
    pub zh: Title,
    pub bo: Title,
    #[serde(default)]
    pub phone: Option<UnitPhone>,
    /// What it usually handles: a suggestion, never a limit.
    #[serde(default)]
    pub classes: Vec<Subject>,
    #[serde(default = "active")]
    pub active: bool,
}

impl Unit {
    /// Whether the class or its whole group is among what the unit usually handles.
    pub fn handles(&self, class: ClassCode) -> bool {
        self.classes.iter().any(|subject| subject.holds(class))
    }
}

/// A class, or all classes of a group: `0103` or `01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    Group(GroupCode),
    Class(ClassCode),
}

impl Subject {
    pub fn holds(self, class: ClassCode) -> bool {
        match self {
            Subject::Group(group) => class.group() == group,
            Subject::Class(only) => class == only,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Group(group) => group.fmt(f),
            Subject::Class(class) => class.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Subject, BadValue> {
        match text.len() {
            2 => text.parse().map(Subject::Group),
            _ => text.parse().map(Subject::Class),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = BadValue;

    fn try_from(text: String) -> Result<Subject, BadValue> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> String {
        subject.to_string()
    }
}

names! {
    /// What a reason is given for.
    ReasonKind {
        /// 不予受理
        Refusal = "refusal",
        /// 退回
        Return = "return",
        /// 延期
        Extension = "extension",
        /// 挂账
        Suspension = "suspension",
        /// Left out of the rates.
        Exclusion = "exclusion",
    }
}

/// A reason that a person picks. Its code belongs to one kind only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub kind: ReasonKind,
    pub code: ReasonCode,
    pub zh: Title,
    pub bo: Title,
    /// A refusal's: what the requester is told, with the place to go to instead; in Chinese. `None` for other kinds.
    #[serde(default)]
    pub told_to_requester: Option<Body>,
    #[serde(default = "active")]
    pub active: bool,
}

/// An answer to a common question (知识库).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    pub id: KnowledgeId,
    /// `None`: every city.
    #[serde(default)]
    pub city: Option<City>,
    /// Who wrote it and reads it again; of that city, if there is one.
    pub unit: UnitCode,
    pub title_zh: Title,
    pub title_bo: Title,
    pub text_zh: Body,
    pub text_bo: Body,
    /// The day it has to be read again.
    pub review_on: NaiveDate,
    /// The prompt that offers the entry in the consult menu; it and `prompt` are there together or not at all.
    #[serde(default)]
    pub choice: Option<PromptId>,
    /// The prompt that reads out the text. Without one the entry is for those who answer calls.
    #[serde(default)]
    pub prompt: Option<PromptId>,
    #[serde(default = "active")]
    pub active: bool,
}

names! {
    /// What a template is the beginning of.
    TemplateKind {
        /// A unit's answer (答复), or the hotline's own.
        Reply = "reply",
        /// What the requester was told in a contact (联系).
        Contact = "contact",
        /// 不予受理
        Refusal = "refusal",
        /// 退回
        Return = "return",
    }
}

/// A text that somebody begins with and then changes (模板).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyTemplate {
    pub id: TemplateId,
    /// `None`: every city.
    #[serde(default)]
    pub city: Option<City>,
    /// Whose it is; of that city, if there is one. `None`: everybody's.
    #[serde(default)]
    pub unit: Option<UnitCode>,
    pub kind: TemplateKind,
    /// In Chinese.
    pub title: Title,
    pub text_zh: Body,
    #[serde(default)]
    pub text_bo: Option<Body>,
    #[serde(default = "active")]
    pub active: bool,
}

const fn active() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_class_or_a_whole_group() {
        let class = |text: &str| text.parse::<ClassCode>().expect("a code");
        let subject = |text: &str| text.parse::<Subject>().expect("a subject");
        assert!(subject("01").holds(class("0103")) && !subject("01").holds(class("0203")));
        assert!(subject("0103").holds(class("0103")) && !subject("0103").holds(class("0104")));
        assert_eq!([subject("01").to_string(), subject("0103").to_string()], ["01", "0103"]);
        assert_eq!("103".parse::<Subject>().expect_err("three digits").to_string(), "a class's code has four digits");
    }

    #[test]
    fn an_entry_is_written_as_it_is_read() {
        let text = r#"{"kind":"return","code":"other_unit","zh":"属其他单位","bo":"གཞན","told_to_requester":null,"active":false}"#;
        let reason: Reason = serde_json::from_str(text).expect("a reason");
        assert_eq!((reason.kind, reason.active), (ReasonKind::Return, false));
        assert_eq!(serde_json::to_string(&reason).expect("text"), text);
    }
}
