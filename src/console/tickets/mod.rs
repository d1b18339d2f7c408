//! `/api/v1/tickets`.

mod attachments;
mod commands;
mod due;
mod file;
mod list;
mod matches;
mod out;
mod reveal;
mod schema;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::asking::{Asking, no_ticket};
use super::problem::{Kind, Problem};
use super::segment::Segment;
use crate::ticket::Number;

pub use attachments::{
    __path_attach, __path_download, KEYS as ATTACHMENT_KEYS, MAX_BYTES as MAX_ATTACHMENT_BYTES, add, attach, bytes,
    download,
};
pub use commands::{__path_give, give, ordered};
pub use due::{__path_due, due};
pub use file::{__path_file, RequestIn, file, filed, once_by};
pub use list::{__path_list, KEYS, filter, list, order, seen};
pub use matches::{__path_matches, matches};
pub use out::{AuditOut, ChangeOut, TicketDetail, TicketOut};
pub use reveal::{__path_reveal, RequesterOut, reveal, revealed};

/// One ticket: its fields, its recordings, its attachments and everything that was done to it.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{number}",
    operation_id = "read_ticket",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    responses((status = 200, body = TicketDetail))
)]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
) -> Result<Json<TicketDetail>, Problem> {
    let number = number(&text)?;
    detail(&shared, &asking, number).await.map(Json)
}

/// A ticket that the caller sees, whole.
pub async fn detail(shared: &Shared, asking: &Asking, number: Number) -> Result<TicketDetail, Problem> {
    let found = shared.store.ticket(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let file = found.ok_or_else(no_ticket)?;
    asking.seen(Some(file.ticket.clone()))?;
    let acted = file.audit.iter().map(|entry| entry.actor).filter(|_| asking.caller.sees_names());
    let names = shared.store.actor_names(acted).await.map_err(|error| Problem::internal("ticket", &error))?;
    Ok(TicketDetail::new(file, &asking.caller, &names))
}

/// A number as it stands in a path.
pub fn number(text: &str) -> Result<Number, Problem> {
    text.parse().map_err(|wrong| Problem::new(Kind::NotFound, format!("No ticket: {wrong}.")))
}
