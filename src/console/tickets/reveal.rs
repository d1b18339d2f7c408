//! `POST /api/v1/tickets/{number}/reveal`: a name and a phone number whole, with a reason that the audit keeps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::commands::ReasonIn;
use super::number;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segment;
use crate::phone::Phone;
use crate::store::Seen;
use crate::ticket::{Action, Line, Number, Ticket};

/// Who made the request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Requester)]
pub struct RequesterOut {
    pub name: Option<String>,
    /// National digits.
    pub phone: Option<String>,
    pub other_phone: Option<String>,
}

/// Shows the requester's name and numbers whole.
///
/// Each time is on record with the reason. Of confidential, anonymous and reporting requesters only to named people.
#[utoipa::path(
    post,
    path = "/api/v1/tickets/{number}/reveal",
    operation_id = "reveal_requester",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body = ReasonIn,
    responses((status = 200, body = RequesterOut))
)]
pub async fn reveal(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(ReasonIn { reason }): Body<ReasonIn>,
) -> Result<Json<RequesterOut>, Problem> {
    let number = number(&text)?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let ticket = asking.seen(found)?;
    revealed(&shared, &asking, &ticket, &reason).await.map(Json)
}

/// The requester of a ticket that the caller sees; the audit has it before it is given.
pub async fn revealed(
    shared: &Shared,
    asking: &Asking,
    ticket: &Ticket,
    reason: &Line,
) -> Result<RequesterOut, Problem> {
    asking.sees_requester(ticket)?;
    if reason.as_str().chars().count() < 2 {
        return Err(Problem::new(Kind::BadBody, "A reason has 2 to 200 characters.").parameter("reason"));
    }
    let seen = Seen {
        subject: ticket.number.to_string(),
        action: Action::Revealed,
        actor: asking.caller.actor,
        reason: Some(reason.as_str().to_owned()),
        address: asking.address.clone(),
    };
    let kept = shared.store.record_seen(&seen, shared.clock.wall()).await;
    kept.map_err(|error| Problem::internal("audit", &error))?;
    let whole = |phone: Option<Phone>| phone.map(|phone| phone.digits().to_owned());
    Ok(RequesterOut {
        name: ticket.name.clone().map(Line::into),
        phone: whole(ticket.phone.clone()),
        other_phone: whole(ticket.other_phone.clone()),
    })
}
