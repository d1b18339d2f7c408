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
    ticket: Number,
    round: u8,
    city: City,
    /// `due`, `answered`, `unreached`, `no_phone`, `declined`, or `dropped` when the ticket went on without it.
    state: String,
    /// The closing that it follows.
    closed_at: DateTime<Utc>,
    attempts: u32,
    /// The end of the working day after the closing, until the first attempt is made.
    first_by: Option<DateTime<Utc>>,
    /// Of a visit that is due: what is done next; null until it has a plan.
    step: Option<VisitStep>,
    /// When, at the earliest; of a person's visit since when it is theirs.
    next_at: Option<DateTime<Utc>>,
    /// What it waits for, or why a person makes it, as a name.
    held: Option<String>,
    /// The same in words; null when it is over.
    why: Option<String>,
    /// The city's automatic calls are paused.
    paused: bool,
    /// Masked; null when withheld or hidden.
    #[schema(examples("138****5678"))]
    phone: Option<String>,
    sms_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    means: Option<Means>,
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
    id: AttemptId,
    round: u8,
    way: Way,
    begun_at: DateTime<Utc>,
    trunk: Option<String>,
    call: Option<CallId>,
    /// Null while it goes on.
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
    /// The SIP status, if nobody answered.
    status: Option<u16>,
    /// The cause by ITU-T Q.850.
    q850: Option<u8>,
    message_left: bool,
    /// What the network played before an answer. This and `reason` are null where the requester is hidden.
    early: Option<RecordingId>,
    /// Key 1 at the gate.
    willing: bool,
    contacted: Option<Contacted>,
    solved: Option<Solved>,
    /// 5 very satisfied to 1 very unsatisfied.
    satisfaction: Option<u8>,
    redo: Option<bool>,
    /// Why, in the requester's voice.
    reason: Option<RecordingId>,
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
