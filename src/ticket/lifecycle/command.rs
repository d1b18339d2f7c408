//! What can be done to a ticket.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::super::calendar::WorkingDays;
use super::super::catalogue::{ClassCode, ReasonCode, UnitCode};
use super::super::fields::{Alarm, Contacted, Means, RequestType, Requester, Solved, Urgency};
use super::super::id::RecordingId;
use super::super::text::{Body, Line};
use super::super::{Number, Position};
use crate::language::Language;
use crate::phone::Phone;

/// One command, as the API takes it: `{"command": "dispatch", "unit": "lhasa-housing"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Classifies and edits what is received.
    Edit(Box<Edit>),
    /// Mends who to reach, in any open state: a wrong number came up on a visit.
    Correct {
        /// National digits; an empty text takes the number away.
        #[serde(default)]
        phone: Option<PhoneText>,
        #[serde(default)]
        name: Option<Line>,
    },
    /// Writes something down; nothing else changes.
    Note {
        text: Body,
    },
    /// 直接办结
    Answer {
        reply: Body,
    },
    /// 不予受理
    Refuse {
        reason: ReasonCode,
        note: Body,
    },
    Dispatch {
        unit: UnitCode,
        #[serde(default)]
        assisting: Vec<UnitCode>,
    },
    /// 签收
    Sign,
    /// 退回
    Return {
        ground: ReasonCode,
        note: Body,
    },
    AcceptReturn,
    RejectReturn {
        why: Body,
    },
    /// The unit has spoken with the requester.
    RecordContact {
        told: Body,
        /// When; now, if it is left out.
        #[serde(default)]
        at: Option<DateTime<Utc>>,
    },
    /// 延期, once, before the due date.
    AskExtension {
        working_days: WorkingDays,
        reason: ReasonCode,
        note: Body,
    },
    /// 挂账
    AskSuspension {
        until: NaiveDate,
        reason: ReasonCode,
        note: Body,
    },
    /// To be left out of the rates.
    AskExclusion {
        reason: ReasonCode,
        note: Body,
    },
    /// Grants what was asked for.
    Grant,
    Deny {
        why: Body,
    },
    Suspend {
        until: NaiveDate,
        reason: ReasonCode,
        note: Body,
    },
    Resume,
    Reply {
        text: Body,
    },
    Pass,
    Fail {
        why: Body,
    },
    /// The return visit's answers.
    Visited(Answers),
    /// The return visit came to nothing.
    EndVisit {
        because: NoVisit,
    },
    /// The recheck finds the requester right: the matter is handled again.
    Uphold,
    /// The recheck finds the matter solved.
    Dismiss {
        why: Body,
    },
    /// 并案
    Merge {
        into: Number,
    },
    /// By the requester.
    Withdraw {
        why: Body,
    },
    /// The requester says within 30 days that it is not solved.
    Reopen {
        why: Body,
    },
    /// 催办, by the requester.
    Urge,
    /// By a leader.
    Instruct {
        text: Body,
    },
    /// 改派
    Transfer {
        unit: UnitCode,
        #[serde(default)]
        assisting: Vec<UnitCode>,
        why: Body,
    },
    /// 督办, by hand.
    Supervise {
        level: Level,
        why: Body,
    },
    /// By the clock: two working days without progress.
    StepUp,
    /// By the clock.
    Raise {
        alarm: Alarm,
    },
}

/// Changes to a received ticket; what is left out stays, an empty text takes the field away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    pub title: Option<Line>,
    pub content: Option<Body>,
    /// In Chinese, of a recording in Tibetan.
    pub summary: Option<Body>,
    pub class: Option<ClassCode>,
    pub place: Option<Line>,
    pub position: Option<Position>,
    pub complained_party: Option<Line>,
    pub urgency: Option<Urgency>,
    #[serde(rename = "type")]
    pub request_type: Option<RequestType>,
    pub requester: Option<Requester>,
    pub name: Option<Line>,
    pub enterprise_name: Option<Line>,
    pub phone: Option<PhoneText>,
    pub anonymous: Option<bool>,
    pub confidential: Option<bool>,
    pub language: Option<Language>,
    pub valid: Option<bool>,
    pub media: Option<bool>,
    pub event: Option<Line>,
    pub repeat_of: Option<Number>,
}

/// A phone number as a person types it; empty means none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneText(pub Option<Phone>);

/// The text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number has 3 to 15 digits, such as 08916323111")]
pub struct BadPhone;

impl TryFrom<String> for PhoneText {
    type Error = BadPhone;

    fn try_from(text: String) -> Result<PhoneText, BadPhone> {
        match text.trim() {
            "" => Ok(PhoneText(None)),
            digits => Phone::parse(digits).map(|phone| PhoneText(Some(phone))).ok_or(BadPhone),
        }
    }
}

impl From<PhoneText> for String {
    fn from(text: PhoneText) -> String {
        text.0.map(|phone| phone.digits().to_owned()).unwrap_or_default()
    }
}

/// The three answers, as far as they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    pub means: Means,
    #[serde(default)]
    pub contacted: Option<Contacted>,
    #[serde(default)]
    pub solved: Option<Solved>,
    #[serde(default)]
    pub satisfaction: Option<Satisfaction>,
    /// The requester wants it handled again.
    #[serde(default)]
    pub redo: bool,
    /// Why, in the requester's own voice.
    #[serde(default)]
    pub recording: Option<RecordingId>,
}

impl Answers {
    pub fn is_dissatisfied(&self) -> bool {
        self.solved == Some(Solved::No) || self.satisfaction.is_some_and(|given| given.get() <= 2)
    }
}

/// Why a visit has no answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoVisit {
    /// All attempts are used up, that of a person last.
    Unreached,
    NoPhone,
    /// The requester wants no visit.
    Declined,
}

macro_rules! small {
    ($(#[$doc:meta])* $name:ident, $low:literal..=$high:literal, $bad:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        pub struct $name(u8);

        impl $name {
            pub const fn new(value: u8) -> Option<$name> {
                if $low <= value && value <= $high { Some($name(value)) } else { None }
            }

            pub const fn get(self) -> u8 {
                self.0
            }
        }

        impl TryFrom<u8> for $name {
            type Error = &'static str;

            fn try_from(value: u8) -> Result<$name, &'static str> {
                $name::new(value).ok_or($bad)
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> u8 {
                value.0
            }
        }
    };
}

small! {
    /// 5 非常满意, 4 满意, 3 基本满意, 2 不满意, 1 非常不满意.
    Satisfaction, 1..=5, "satisfaction is 1 to 5"
}

small! {
    /// Of supervision: 1 平台 platform, 2 电话 telephone, 3 现场 on site, 4 提级联合 raised jointly.
    Level, 1..=4, "a level of supervision is 1 to 4"
}
