//! `/api/v1/tickets`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::recordings::RecordingOut;
use super::segment::Segment;
use crate::city::City;
use crate::language::Language;
use crate::store;
use crate::ticket::{
    Action, Actor, AuditEntry, CallId, Channel, Number, RequestType, Requester, State as TicketState, Ticket, Urgency,
};

pub const KEYS: &[&str] = &["phone", "city", "from", "to", "limit", "cursor"];

/// Tickets, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    operation_id = "list_tickets",
    tag = "tickets",
    responses((status = 200, body = Page<TicketOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<TicketOut>>, Problem> {
    let found = shared.store.tickets(&query.filter()?, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(|error| Problem::internal("tickets", &error))?;
    Ok(Json(Page::of(page, |listed| TicketOut::new(listed.ticket, listed.recordings))))
}

/// One ticket: its fields, its recordings and everything that was done to it.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{number}",
    operation_id = "read_ticket",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    responses((status = 200, body = TicketDetail))
)]
pub async fn one(State(shared): State<Arc<Shared>>, Segment(number): Segment) -> Result<Json<TicketDetail>, Problem> {
    let number: Number = number.parse().map_err(|wrong| not_found(format!("No ticket: {wrong}.")))?;
    let found = shared.store.ticket(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let file = found.ok_or_else(|| not_found("No ticket has this number."))?;
    let audit = file.audit.into_iter().map(AuditOut::from).collect();
    Ok(Json(TicketDetail { ticket: TicketOut::new(file.ticket, file.recordings), audit }))
}

fn not_found(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::NotFound, detail)
}

/// A request of a citizen or an enterprise (工单).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketOut {
    /// City, day, sequence and a Luhn digit.
    number: Number,
    city: City,
    channel: Channel,
    /// The called number; null for a channel without one.
    line: Option<String>,
    /// The id of the call it was made in.
    call: Option<CallId>,
    created_at: DateTime<Utc>,
    /// The day in Beijing.
    created_day: NaiveDate,
    /// The number is one of a later day, since those of the day were used up.
    numbered_ahead: bool,
    language: Language,
    requester: Requester,
    /// National digits; null when withheld.
    #[schema(examples("13812345678"))]
    phone: Option<String>,
    /// The caller ID, when the caller gave another number to be reached by.
    other_phone: Option<String>,
    /// Name and phone are kept from the unit.
    confidential: bool,
    /// Null when the caller never came to the question.
    #[serde(rename = "type")]
    request_type: Option<RequestType>,
    urgency: Urgency,
    /// The caller pressed the key that submits; false after a timeout or a hang-up.
    confirmed: bool,
    state: TicketState,
    /// The citizen's request first, then the whole call.
    recordings: Vec<RecordingOut>,
}

impl TicketOut {
    fn new(ticket: Ticket, recordings: Vec<store::Recording>) -> TicketOut {
        TicketOut {
            numbered_ahead: ticket.numbered_ahead(),
            number: ticket.number,
            city: ticket.city,
            channel: ticket.channel,
            line: ticket.line,
            call: ticket.call,
            created_at: ticket.created_at,
            created_day: ticket.created_day,
            language: ticket.language,
            requester: ticket.requester,
            phone: ticket.phone.map(|phone| phone.digits().to_owned()),
            other_phone: ticket.other_phone.map(|phone| phone.digits().to_owned()),
            confidential: ticket.confidential,
            request_type: ticket.request_type,
            urgency: ticket.urgency,
            confirmed: ticket.confirmed,
            state: ticket.state,
            recordings: recordings.into_iter().map(RecordingOut::from).collect(),
        }
    }
}

/// A ticket with everything that was done to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDetail {
    #[serde(flatten)]
    ticket: TicketOut,
    /// Oldest first.
    audit: Vec<AuditOut>,
}

/// One change of a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditOut {
    /// 1, 2, 3 … within the ticket.
    sequence: u32,
    at: DateTime<Utc>,
    actor: Actor,
    action: Action,
    /// The changed field; null when the whole ticket is meant.
    field: Option<String>,
    was: Option<String>,
    is: Option<String>,
}

impl From<AuditEntry> for AuditOut {
    fn from(entry: AuditEntry) -> AuditOut {
        let AuditEntry { sequence, at, actor, action, field, was, is } = entry;
        AuditOut { sequence, at, actor, action, field, was, is }
    }
}
