//! What a ticket's fields may hold, with the names they have on the wire, in the database and in exports.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that none of a field's values has as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is one of: {names}")]
pub struct UnknownName {
    pub(crate) field: &'static str,
    pub(crate) names: &'static str,
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

pub(crate) use names;

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
        /// Why a requester is not satisfied, said in a return visit, mono.
        Reason = "reason",
        /// What the network said before a call was answered, mono.
        Early = "early",
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
    /// What was done, as the audit names it: a ticket's commands first, then what is done to other things.
    Action {
        Created = "created",
        Edited = "edited",
        Corrected = "corrected",
        Noted = "noted",
        /// 直接办结
        Answered = "answered",
        /// 不予受理
        Refused = "refused",
        /// 交办
        Dispatched = "dispatched",
        /// 签收
        Signed = "signed",
        /// 退回
        Returned = "returned",
        ReturnAccepted = "return_accepted",
        ReturnRejected = "return_rejected",
        Contacted = "contacted",
        /// A unit asks for an extension (延期), a suspension (挂账) or to be left out of the rates.
        Asked = "asked",
        Granted = "granted",
        Denied = "denied",
        Suspended = "suspended",
        Resumed = "resumed",
        Replied = "replied",
        Passed = "passed",
        Failed = "failed",
        Visited = "visited",
        VisitEnded = "visit_ended",
        Upheld = "upheld",
        Dismissed = "dismissed",
        /// 并案
        Merged = "merged",
        Withdrawn = "withdrawn",
        Reopened = "reopened",
        /// 催办
        Urged = "urged",
        Instructed = "instructed",
        /// 改派
        Transferred = "transferred",
        /// 督办
        Supervised = "supervised",
        SteppedUp = "stepped_up",
        SupervisionEnded = "supervision_ended",
        /// The clock has noticed something.
        Raised = "raised",
        /// An announcement moved a due date.
        Rescheduled = "rescheduled",
        Attached = "attached",
        /// Somebody saw a phone number whole.
        Revealed = "revealed",
        Listened = "listened",
        /// Somebody took a recording away.
        Downloaded = "downloaded",
        /// Recordings are kept whatever their age (legal hold).
        Held = "held",
        Released = "released",
        /// A recording's time was over.
        Erased = "erased",
        /// 质检
        Scored = "scored",
        Appealed = "appealed",
        Exported = "exported",
        Added = "added",
        Changed = "changed",
        Removed = "removed",
        LoggedIn = "logged_in",
        LoginRefused = "login_refused",
        LoggedOut = "logged_out",
        Imported = "imported",
        BackedUp = "backed_up",
        Restored = "restored",
    }
}

names! {
    /// How well the matter was solved (rv.q2).
    Solved {
        Yes = "yes",
        Partly = "partly",
        No = "no",
    }
}

names! {
    /// Whether the unit contacted the requester (rv.q1).
    Contacted {
        InTime = "in_time",
        Late = "late",
        No = "no",
    }
}

names! {
    /// How a return visit was made.
    Means {
        /// The hotline's own call.
        Call = "call",
        Sms = "sms",
        /// A person asked.
        Person = "person",
    }
}

names! {
    /// What the clock raises, each once a ticket and round.
    Alarm {
        /// 30 min without a dispatch.
        Undispatched = "undispatched",
        /// 30 min without a signature.
        Unsigned = "unsigned",
        /// The hour for the first contact has passed.
        ContactBreached = "contact_breached",
        /// The due day has passed.
        Overdue = "overdue",
        /// The review day of a suspension has come.
        ReviewDue = "review_due",
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
