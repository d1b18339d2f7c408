//! Visits and attempts as the API shows them: numbers masked, or hidden where only named people see the requester.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::city::City;
use crate::store::{PlannedVisit, VisitAttempt, VisitStep};
use crate::ticket::{AttemptId, CallId, Contacted, Means, Number, Outcome, RecordingId, Solved, Way};

/// A return visit (回访) with its plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnVisit)]
pub struct VisitOut {
    pub ticket: Number,
    pub round: u8,
    pub city: City,
    /// `due`, `answered`, `unreached`, `no_phone`, `declined`, or `dropped` when the ticket went on without it.
    pub state: String,
    /// The closing that it follows.
    pub closed_at: DateTime<Utc>,
    pub attempts: u32,
    /// The end of the working day after the closing, until the first attempt is made.
    pub first_by: Option<DateTime<Utc>>,
    /// Of a visit that is due: what is done next; null until it has a plan.
    pub step: Option<VisitStep>,
    /// When, at the earliest; of a person's visit since when it is theirs.
    pub next_at: Option<DateTime<Utc>>,
    /// What it waits for, or why a person makes it, as a name.
    pub held: Option<String>,
    /// The same in words; null when it is over.
    pub why: Option<String>,
    /// The city's automatic calls are paused.
    pub paused: bool,
    /// Masked; null when withheld or hidden.
    #[schema(examples("138****5678"))]
    pub phone: Option<String>,
    pub sms_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub means: Option<Means>,
}

impl VisitOut {
    pub fn new(visit: PlannedVisit, caller: &Caller, now: DateTime<Utc>) -> VisitOut {
        let hidden = visit.shielded && !caller.named;
        VisitOut {
            why: visit.why(now),
            ticket: visit.ticket,
            round: visit.round,
            city: visit.city,
            state: visit.state,
            closed_at: visit.closed_at,
            attempts: visit.attempts,
            first_by: visit.first_by,
            step: visit.step,
            next_at: visit.next_at,
            held: visit.held,
            paused: visit.paused,
            phone: visit.phone.map(|phone| phone.masked()).filter(|_| !hidden),
            sms_at: visit.sms_at,
            answered_at: visit.answered_at,
            means: visit.means,
        }
    }
}

/// A ticket's visits and attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitFile {
    pub ticket: Number,
    /// The latest round first.
    pub visits: Vec<VisitOut>,
    /// The oldest first.
    pub attempts: Vec<AttemptOut>,
}

/// One try to reach the requester, and what was said in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitAttempt)]
pub struct AttemptOut {
    pub id: AttemptId,
    pub round: u8,
    pub way: Way,
    pub begun_at: DateTime<Utc>,
    pub trunk: Option<String>,
    pub call: Option<CallId>,
    /// Null while it goes on.
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<Outcome>,
    /// The SIP status, if nobody answered.
    pub status: Option<u16>,
    /// The cause by ITU-T Q.850.
    pub q850: Option<u8>,
    pub message_left: bool,
    /// What the network played before an answer. This and `reason` are null where the requester is hidden.
    pub early: Option<RecordingId>,
    /// Key 1 at the gate.
    pub willing: bool,
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    /// 5 very satisfied to 1 very unsatisfied.
    pub satisfaction: Option<u8>,
    pub redo: Option<bool>,
    /// Why, in the requester's voice.
    pub reason: Option<RecordingId>,
}

impl AttemptOut {
    pub fn new(attempt: VisitAttempt, hidden: bool) -> AttemptOut {
        let given = attempt.given;
        AttemptOut {
            id: attempt.id,
            round: attempt.round,
            way: attempt.way,
            begun_at: attempt.begun_at,
            trunk: attempt.trunk,
            call: attempt.call,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            status: attempt.status,
            q850: attempt.q850,
            message_left: attempt.message_left,
            early: attempt.early.filter(|_| !hidden),
            willing: given.willing,
            contacted: given.contacted,
            solved: given.solved,
            satisfaction: given.satisfaction.map(|given| given.get()),
            redo: given.redo,
            reason: given.reason.filter(|_| !hidden),
        }
    }
}
