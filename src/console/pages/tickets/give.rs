//! `POST /tickets/{number}/{what}`: a command from a form.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::command::CommandForm;
use super::named::Named;
use super::offer::Typed;
use super::show::{Page, Trouble};
use super::{failed, not_found, seen};
use crate::console::Shared;
use crate::console::asking::no_ticket;
use crate::console::guard::forbidden;
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::Problem;
use crate::console::segment::Segments;
use crate::console::tickets;
use crate::store::NotDone;
use crate::ticket::{Refused, Ticket};

pub async fn give(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segments([number, what]): Segments<2>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let form = CommandForm::named(&what).ok_or_else(not_found)?;
    let command = match form.command(&fields) {
        Ok(command) => command,
        Err(problem) => return again(&shared, frame, ticket, form, &fields, Trouble::Unusable(problem)).await,
    };
    frame.asking.caller.may_give(&command, &ticket).map_err(|denied| forbidden(&denied))?;
    let order = tickets::ordered(&frame.asking, ticket.number, Some(fields.needed("version")?), command);
    match shared.store.execute(&order, shared.clock.wall()).await {
        // who has moved it on may see it no more
        Ok(after) if frame.asking.caller.sees(&after) => done(&format!("/tickets/{}", after.number), "given"),
        Ok(_) => done("/tickets", "given"),
        Err(NotDone::Unknown) => Err(no_ticket()),
        Err(NotDone::Changed(now)) => {
            let now = frame.asking.seen(Some(*now))?;
            let sequence = fields.value("sequence")?.unwrap_or(u32::MAX);
            again(&shared, frame, now, form, &fields, Trouble::Changed { sequence }).await
        }
        Err(NotDone::Refused { why, ticket }) => {
            again(&shared, frame, *ticket, form, &fields, Trouble::Refused(why)).await
        }
        Err(NotDone::Store(error)) => Err(failed(error)),
    }
}

/// The ticket as it is, with what was typed.
async fn again(
    shared: &Shared,
    frame: Frame,
    ticket: Ticket,
    form: &CommandForm,
    fields: &Fields,
    trouble: Trouble,
) -> Result<Response, Problem> {
    let typed = Typed { command: form.name, fields };
    Page { trouble: Some(trouble), typed: Some(typed), ..Page::of(ticket) }.render(shared, frame).await
}

/// Why a rule forbids it.
pub fn words(frame: &Frame, named: &Named, why: Refused, ticket: &Ticket) -> String {
    let by_name = frame.name("trouble_rule", why.name());
    match why {
        Refused::State { .. } => frame.fill("ticket.refused_state", &[&frame.name("state", ticket.state)]),
        Refused::ExtensionTooLong { most } => frame.fill("ticket.refused_extension", &[&most]),
        Refused::ReviewDay { most } => frame.fill("ticket.refused_review_day", &[&most]),
        Refused::ReopenTooLate { days } => frame.fill("ticket.refused_reopen", &[&days]),
        Refused::SameUnit => {
            let unit = ticket.handling.lead.as_ref().map(|unit| named.unit(unit.as_str())).unwrap_or_default();
            frame.fill("ticket.refused_same_unit", &[&unit])
        }
        _ => by_name,
    }
}
