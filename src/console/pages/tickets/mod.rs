//! The pages of tickets: the inbox, one ticket with all that may be done to it, the agent's form, people's return visits.

mod address;
mod attachments;
mod bulk;
mod clock;
mod command;
mod form;
mod give;
pub mod history;
mod inbox;
pub mod named;
mod new;
mod offer;
mod reveal;
mod row;
mod show;
mod stage;
mod tab;
mod views;
mod visits;

use axum::routing::{get, post};

use super::{Frame, form, page, read, send, upload};
use crate::access::Right;
use crate::console::Shared;
use crate::console::problem::{Kind, Problem};
use crate::console::routes::Route;
use crate::console::tickets;
use crate::store::StoreError;
use crate::ticket::{Number, Ticket};

/// Of forms with texts as long as tickets take, whose every character may take nine bytes on the way.
const LONG_FORM: usize = 384 * 1024;
/// Room for the form around a file.
const AROUND_A_FILE: usize = 64 * 1024;

/// The pages of this area.
pub fn routes() -> Vec<Route> {
    vec![
        read("/tickets", page(Right::ReadTickets, tickets::KEYS), get(inbox::show)),
        send("/tickets/views", form(Right::ReadTickets), post(views::save)),
        send("/tickets/views/remove", form(Right::ReadTickets), post(views::remove)),
        send("/tickets/dispatch", form(Right::Receive), post(bulk::dispatch)),
        read("/tickets/new", page(Right::FileTickets, &[]), get(new::show)),
        send("/tickets/new", upload(Right::FileTickets, LONG_FORM), post(new::file)),
        read("/tickets/{number}", page(Right::ReadTickets, show::KEYS), get(show::show)),
        read("/tickets/{number}/form", page(Right::Receive, &[]), get(form::show)),
        send("/tickets/{number}/form", upload(Right::Receive, LONG_FORM), post(form::save)),
        send("/tickets/{number}/reveal", form(Right::Reveal), post(reveal::reveal)),
        send(
            "/tickets/{number}/attachments",
            upload(Right::ReadTickets, tickets::MAX_ATTACHMENT_BYTES + AROUND_A_FILE),
            post(attachments::add),
        ),
        read("/tickets/{number}/attachments/{id}", page(Right::Listen, &[]), get(attachments::download)),
        send("/tickets/{number}/{what}", upload(Right::ReadTickets, LONG_FORM), post(give::give)),
        read("/visits", page(Right::Receive, visits::KEYS), get(visits::list)),
        read("/visits/{number}", page(Right::Receive, &[]), get(visits::one)),
        send("/visits/{number}", form(Right::Receive), post(visits::answer)),
        send("/visits/{number}/skip", form(Right::Supervise), post(visits::skip)),
    ]
}

/// The ticket whose number stands in the path, if whoever looks sees it.
async fn seen(shared: &Shared, frame: &Frame, text: &str) -> Result<Ticket, Problem> {
    let number: Number = tickets::number(text)?;
    let found = shared.store.ticket_alone(number).await.map_err(failed)?;
    frame.asking.seen(found)
}

fn failed(error: StoreError) -> Problem {
    Problem::internal("page", &error)
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such thing here.")
}
