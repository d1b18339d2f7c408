//! Tickets: their number, their fields, and who changed what.

mod fields;
mod id;
mod number;

use chrono::{DateTime, NaiveDate, Utc};

use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;

pub use fields::{
    Action, Actor, CallEnd, Channel, Direction, EndedBy, EventKind, RecordingKind, RecordingState, RequestType,
    Requester, State, UnknownName, Urgency,
};
pub use id::{BadId, CallId, RecordingId};
pub use number::{BadNumber, Number};

/// A request of a citizen or an enterprise (工单).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: Number,
    pub city: City,
    pub channel: Channel,
    /// The called number it came in on; `None` for a channel without one.
    pub line: Option<String>,
    /// The call it was made in.
    pub call: Option<CallId>,
    pub created_at: DateTime<Utc>,
    /// The day of `created_at` in Beijing. The number's day is later when that day's numbers were used up.
    pub created_day: NaiveDate,
    pub language: Language,
    pub requester: Requester,
    /// `None` when withheld.
    pub phone: Option<Phone>,
    /// The caller ID, when the caller gave another number to be reached by.
    pub other_phone: Option<Phone>,
    /// Name and phone are kept from the unit, and the ticket is never read out on the phone.
    pub confidential: bool,
    /// `None` when the caller never came to the question (an overflow, an early hang-up).
    pub request_type: Option<RequestType>,
    pub urgency: Urgency,
    /// The caller pressed the key that submits; a ticket by timeout, hang-up or repair is unconfirmed.
    pub confirmed: bool,
    pub state: State,
}

impl Ticket {
    /// The number is one of a later day, since those of the day it was created were used up.
    pub fn numbered_ahead(&self) -> bool {
        self.number.day() != self.created_day
    }
}

/// Confidential tickets and reports of wrongdoing (举报) are never read out on the phone (domain §3, progress), nor is
/// one whose type is not known: it may be a report.
pub const fn may_be_read_out(confidential: bool, request_type: Option<RequestType>) -> bool {
    !confidential && !matches!(request_type, None | Some(RequestType::Report))
}

/// One change of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// 1, 2, 3 … within the ticket.
    pub sequence: u32,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub action: Action,
    /// The changed field; `None` when the whole ticket is meant.
    pub field: Option<String>,
    pub was: Option<String>,
    pub is: Option<String>,
}
