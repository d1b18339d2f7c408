//! `POST /tickets/dispatch`: several tickets to one unit, each by itself: what one is refused for stops no other.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::named::Named;
use super::{failed, give};
use crate::console::Shared;
use crate::console::pages::{Frame, Sent, render};
use crate::console::problem::{Kind, Problem};
use crate::console::tickets;
use crate::store::{NotDone, Order};
use crate::ticket::{Command, Number, UnitCode};

/// As many as a page of the list has.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "tickets/bulk.html")]
struct BulkPage {
    frame: Frame,
    unit: String,
    results: Vec<One>,
    dispatched: usize,
}

struct One {
    number: String,
    href: String,
    /// Why not.
    refused: Option<String>,
}

pub async fn dispatch(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let unit: UnitCode = fields.needed("unit")?;
    let chosen: Vec<(Number, u32)> =
        fields.all("ticket").take(MOST).map(number_and_version).collect::<Result<_, _>>()?;
    if chosen.is_empty() {
        return Err(Problem::new(Kind::BadBody, "No ticket was chosen.").parameter("ticket"));
    }
    let named = Named::read(&shared, &frame).await?;
    let mut results = Vec::new();
    for (number, version) in chosen {
        let refused = dispatch_one(&shared, &frame, &named, number, version, &unit).await?;
        results.push(One { number: number.to_string(), href: format!("/tickets/{number}"), refused });
    }
    let dispatched = results.iter().filter(|one| one.refused.is_none()).count();
    render(&BulkPage { unit: named.unit(unit.as_str()), frame, results, dispatched })
}

impl BulkPage {
    fn result(&self) -> String {
        self.frame.fill("bulk.result", &[&self.dispatched, &self.results.len(), &self.unit])
    }
}

/// Gives why it was not dispatched, in words.
async fn dispatch_one(
    shared: &Shared,
    frame: &Frame,
    named: &Named,
    number: Number,
    version: u32,
    unit: &UnitCode,
) -> Result<Option<String>, Problem> {
    let unknown = || Some(frame.t("bulk.unknown").to_owned());
    let ticket = shared.store.ticket_alone(number).await.map_err(failed)?;
    let Some(ticket) = ticket.filter(|ticket| frame.asking.caller.sees(ticket)) else { return Ok(unknown()) };
    let command = Command::Dispatch { unit: unit.clone(), assisting: Vec::new() };
    if frame.asking.caller.may_give(&command, &ticket).is_err() {
        return Ok(Some(frame.t("bulk.denied").to_owned()));
    }
    let order: Order = tickets::ordered(&frame.asking, number, Some(version), command);
    match shared.store.execute(&order, shared.clock.wall()).await {
        Ok(_) => Ok(None),
        Err(NotDone::Unknown) => Ok(unknown()),
        Err(NotDone::Changed(_)) => Ok(Some(frame.t("bulk.changed").to_owned())),
        Err(NotDone::Refused { why, ticket }) => Ok(Some(give::words(frame, named, why, &ticket))),
        Err(NotDone::Store(error)) => Err(failed(error)),
    }
}

/// `126112200012:3`
fn number_and_version(text: &str) -> Result<(Number, u32), Problem> {
    let parts = text.split_once(':').and_then(|(number, version)| Some((number.parse().ok()?, version.parse().ok()?)));
    parts.ok_or_else(|| Problem::new(Kind::BadBody, "A ticket is chosen by number and version.").parameter("ticket"))
}
