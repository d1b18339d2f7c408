//! `POST /api/v1/tickets/{number}/commands`: the one door through which a ticket moves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::out::TicketOut;
use super::{number, schema};
use crate::console::Shared;
use crate::console::asking::{Asking, no_ticket};
use crate::console::body::Body;
use crate::console::guard::forbidden;
use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segment;
use crate::store::{NotDone, Order};
use crate::ticket::{Command, Number, Ticket};

/// A command and the version of the ticket that whoever gives it has seen.
#[derive(Debug, Deserialize)]
pub struct Given {
    version: u32,
    #[serde(flatten)]
    command: Command,
}

/// Gives a command to a ticket.
///
/// `version` is that of the ticket as it was read; when somebody else was quicker the answer is 409 with the ticket as it
/// is now. A command that a rule of the hotline forbids is answered 422, with the rule's name in `refused`.
#[utoipa::path(
    post,
    path = "/api/v1/tickets/{number}/commands",
    operation_id = "command_ticket",
    tag = "tickets",
    params(("number" = crate::ticket::Number, Path, description = "The number of the ticket.")),
    request_body = schema::CommandIn,
    responses((status = 200, body = TicketOut))
)]
pub async fn give(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(given): Body<Given>,
) -> Result<Json<TicketOut>, Problem> {
    let number = number(&text)?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let ticket = asking.seen(found)?;
    asking.caller.may_give(&given.command, &ticket).map_err(|denied| forbidden(&denied))?;
    let order = ordered(&asking, number, Some(given.version), given.command);
    let after = shared.store.execute(&order, shared.clock.wall()).await.map_err(|error| problem(&asking, error))?;
    shown(&shared, &asking, after).await.map(Json)
}

/// The command as the store carries it out.
pub fn ordered(asking: &Asking, number: Number, version: Option<u32>, command: Command) -> Order {
    let (actor, side) = (asking.caller.actor, asking.caller.side());
    Order { number, version, command, actor, side, address: asking.address.clone() }
}

/// The ticket as this caller may see it.
pub async fn shown(shared: &Shared, asking: &Asking, ticket: Ticket) -> Result<TicketOut, Problem> {
    let recordings = shared.store.recordings_of_ticket(&ticket).await;
    let recordings = recordings.map_err(|error| Problem::internal("recordings", &error))?;
    Ok(TicketOut::new(ticket, recordings, &asking.caller))
}

fn problem(asking: &Asking, error: NotDone) -> Problem {
    let current = |ticket: Ticket| TicketOut::new(ticket, Vec::new(), &asking.caller);
    match error {
        NotDone::Unknown => no_ticket(),
        NotDone::Changed(ticket) => {
            let detail = format!("The ticket is at version {} by now. Read it again and decide anew.", ticket.version);
            Problem::new(Kind::Changed, detail).current(&current(*ticket))
        }
        NotDone::Refused { why, ticket } => {
            let mut words = why.to_string();
            words[..1].make_ascii_uppercase();
            Problem::new(Kind::Refused, words + ".").refused(why.name()).current(&current(*ticket))
        }
        NotDone::Store(error) => Problem::internal("command", &error),
    }
}

/// Why somebody wants to see what is masked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reason)]
pub struct ReasonIn {
    /// 2 to 200 characters; kept in the audit.
    #[schema(value_type = String)]
    pub reason: crate::ticket::Line,
}
