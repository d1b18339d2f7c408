//! Return visits that make themselves: planned, leased, answered, settled. Every attempt is on record before a phone
//! rings, and one number is never called twice at once: unique indexes of the table `attempt` see to it on all nodes.
//!
//! Whoever changes a visit holds its ticket's row first, as commands do.

mod by_hand;
mod figures;
mod history;
mod lease;
mod list;
mod plan;
mod row;
mod settle;
mod sms;

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::callback::Next;
use crate::ticket::fields::{UnknownName, names};
use crate::ticket::{AttemptId, Outcome, RecordingId};

pub use by_hand::{NotSkipped, OptOut, Paused};
pub use figures::VisitFigures;
pub use list::{PlannedVisit, VisitAttempt, VisitCount, VisitFilter};
pub(super) use plan::number_corrected;
pub use plan::{PreviewedVisit, VISITS_A_PLAN};
pub use sms::Replied;

/// An attempt belongs to its holder for so long after it was last renewed.
const LEASE: TimeDelta = TimeDelta::seconds(30);

names! {
    /// What is done next for a visit that is due.
    VisitStep {
        /// An automatic call.
        Call = "call",
        /// A call goes on.
        Live = "live",
        /// The questions by SMS.
        Sms = "sms",
        /// An SMS has left, its answer is waited for.
        Reply = "reply",
        /// The answers so far become final.
        Final = "final",
        /// A person makes the visit.
        Person = "person",
    }
}

/// One process among all that share a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub node: String,
    /// Of this start of the program: random.
    pub start: String,
}

/// What all nodes together may do; counted in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Calls at the same time.
    pub live: u32,
    /// Calls that begin in one second.
    pub per_second: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub attempt: AttemptId,
    pub outcome: Outcome,
    /// The SIP status, if nobody answered.
    pub status: Option<u16>,
    pub q850: Option<u8>,
    pub message_left: bool,
    /// What the network played before an answer.
    pub early: Option<RecordingId>,
}

/// What came of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The visit goes on so; `None`: it had gone on without this attempt.
    Now(Option<Next>),
    /// It was settled before; nothing has changed.
    Already,
    /// There is no such attempt.
    Unknown,
}
