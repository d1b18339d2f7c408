//! What a ticket's fields may hold, with the names they have on the wire, in the database and in exports.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that none of a field's values has as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is one of: {names}")]
pub struct UnknownName {
    field: &'static str,
    names: &'static str,
}

macro_rules! names {
    ($(#[$doc:meta])* $field:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $field {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant),+
        }

        impl $field {
            pub const ALL: &'static [$field] = &[$($field::$variant),+];

            /// The name on the wire and in the database.
            pub const fn name(self) -> &'static str {
                match self {
                    $($field::$variant => $name),+
                }
            }
        }

        impl fmt::Display for $field {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $field {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<$field, UnknownName> {
                const UNKNOWN: UnknownName =
                    UnknownName { field: stringify!($field), names: concat!($($name, " "),+).trim_ascii_end() };
                $field::ALL.iter().copied().find(|value| value.name() == text).ok_or(UNKNOWN)
            }
        }
    };
}

names! {
    /// Where a ticket is in its life.
    State {
        /// 待受理
        Received = "received",
        /// 直接办结
        Closed = "closed",
        /// 不予受理
        Refused = "refused",
        /// 待签收
        Dispatched = "dispatched",
        /// 办理中, and 重办 in a later round
        InProgress = "in_progress",
        /// 退单待审
        ReturnUnderReview = "return_under_review",
        /// 挂账
        Suspended = "suspended",
        /// 待审核
        UnderReview = "under_review",
        /// 待回访
        AwaitingVisit = "awaiting_visit",
        /// 已归档
        Archived = "archived",
        /// 复核
        Recheck = "recheck",
        /// 已并案
        Merged = "merged",
        /// 已撤销
        Withdrawn = "withdrawn",
    }
}

impl State {
    /// Open tickets can be urged; archived, refused, withdrawn and merged ones are at their end.
    pub const fn is_open(self) -> bool {
        !matches!(self, State::Archived | State::Refused | State::Withdrawn | State::Merged)
    }
}

names! {
    /// What a citizen wants; the suffix of the prompts `type.*`.
    RequestType {
        /// 咨询
        Consult = "consult",
        /// 求助
        Help = "help",
        /// 投诉
        Complaint = "complaint",
        /// 举报
        Report = "report",
        /// 意见建议
        Suggest = "suggest",
        /// 表扬
        Praise = "praise",
    }
}

names! {
    /// Who asks; decides the service class.
    Requester {
        Citizen = "citizen",
        Enterprise = "enterprise",
    }
}

names! {
    /// How a request came in.
    Channel {
        Phone = "phone",
        Wechat = "wechat",
        Website = "website",
        Weibo = "weibo",
        MiniProgram = "mini_program",
        Paper = "paper",
    }
}

names! {
    Urgency {
        /// 一般
        Normal = "normal",
        /// 紧急
        Urgent = "urgent",
        /// 特急
        Critical = "critical",
    }
}

names! {
    /// What ended a recording.
    EndedBy {
        Key = "key",
        Silence = "silence",
        Limit = "limit",
        Hangup = "hangup",
        Crash = "crash",
    }
}

names! {
    /// What a recording holds.
    RecordingKind {
        /// The citizen's request alone, mono.
        Request = "request",
        /// The whole call, stereo: the caller left, the system right.
        Call = "call",
    }
}

names! {
    RecordingState {
        Open = "open",
        Closed = "closed",
    }
}

names! {
    /// Who began the call.
    Direction {
        Inbound = "inbound",
        Outbound = "outbound",
    }
}

names! {
    /// How a call came to its end.
    CallEnd {
        /// The other side hung up.
        Caller = "caller",
        /// We hung up.
        Hotline = "hotline",
        /// Given up before it was answered.
        Cancelled = "cancelled",
        /// Refused, by us or by the other side.
        Refused = "refused",
        /// The network or its media went away.
        Lost = "lost",
        /// This program died during the call.
        Crash = "crash",
    }
}

names! {
    /// What a row of a call's time line tells.
    EventKind {
        /// A node of the flow was entered; the text is its name.
        Node = "node",
        /// A prompt was played; the text is its id.
        Prompt = "prompt",
        /// A key was pressed; the text is the key and the way it came.
        Key = "key",
        /// A SIP message; the text is its method or status.
        Sip = "sip",
        /// Figures of the media stream, as JSON.
        Rtp = "rtp",
        /// A recording began or ended.
        Recording = "recording",
        /// A ticket was made, read or urged; the text is its number.
        Ticket = "ticket",
        /// Something failed.
        Fault = "fault",
    }
}

names! {
    /// Who changed a ticket.
    Actor {
        /// The citizen, by keys.
        Caller = "caller",
        /// This program, by a rule: a timeout, a hang-up.
        System = "system",
        /// This program at its start, after a crash.
        Repair = "repair",
    }
}

names! {
    /// What was done to a ticket.
    Action {
        Created = "created",
        /// 催办
        Urged = "urged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_its_name() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(*state));
            assert_eq!(serde_json::to_string(state).expect("text"), format!("\"{state}\""));
        }
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = "shouted".parse::<Requester>().expect_err("no such requester");
        assert_eq!(error.to_string(), "Requester is one of: citizen enterprise");
    }

    #[test]
    fn four_states_are_the_end() {
        let ends: Vec<_> = State::ALL.iter().filter(|state| !state.is_open()).map(|state| state.name()).collect();
        assert_eq!(ends, ["refused", "archived", "merged", "withdrawn"]);
    }
}
