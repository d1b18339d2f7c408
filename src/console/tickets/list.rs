//! The list of tickets, and what it can be narrowed to.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::NaiveDate;

use super::TicketOut;
use crate::access::Caller;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::page::Page;
use crate::console::problem::Problem;
use crate::console::query::{self, Parameters, bad};
use crate::store::{ListError, TicketFilter, TicketOrder};
use crate::ticket::{self, Level, UnitCode};

pub const KEYS: &[&str] = &[
    "q",
    "number",
    "phone",
    "city",
    "state",
    "open",
    "overdue",
    "due_before",
    "unit",
    "class",
    "type",
    "channel",
    "language",
    "urgency",
    "asked",
    "supervised",
    "alarm",
    "needs_tibetan_speaker",
    "repeat_of",
    "merged_into",
    "from",
    "to",
    "order",
    "limit",
    "cursor",
];

/// Tickets of the caller's cities, and of their unit if they are of one.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    operation_id = "list_tickets",
    tag = "tickets",
    responses((status = 200, body = Page<TicketOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<TicketOut>>, Problem> {
    let today = beijing_day(shared.clock.wall());
    let filter = seen(filter(&query, today)?, &asking.caller);
    let found = shared.store.tickets(&filter, order(&query)?, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(|error| match error {
        ListError::Cursor(_) => query::bad_cursor(),
        ListError::Store(error) => Problem::internal("tickets", &error),
    })?;
    Ok(Json(Page::of(page, |listed| TicketOut::new(listed.ticket, listed.recordings, &asking.caller))))
}

/// What the query asks for, whoever asks.
pub fn filter(query: &Parameters, today: NaiveDate) -> Result<TicketFilter, Problem> {
    Ok(TicketFilter {
        text: query.text("q").map(str::to_owned),
        number: query.value("number")?,
        states: query.values::<ticket::State>("state")?,
        open: query.flag("open")?,
        overdue_on: query.flag("overdue")?.then_some(today),
        due_before: query.text("due_before").map(|text| day("due_before", text)).transpose()?,
        unit: query.value::<UnitCode>("unit")?,
        class: query.value("class")?,
        request_type: query.value("type")?,
        channel: query.value("channel")?,
        language: query.value("language")?,
        urgency: query.value("urgency")?,
        asked: query.flag("asked")?,
        supervised: query.text("supervised").map(level).transpose()?,
        alarm: query.value("alarm")?,
        needs_tibetan_speaker: query.flag("needs_tibetan_speaker")?,
        repeat_of: query.value("repeat_of")?,
        merged_into: query.value("merged_into")?,
        ..query.filter()?.into()
    })
}

/// The part of it that the caller sees. To a unit's own people another unit is one that leads.
pub fn seen(mut filter: TicketFilter, caller: &Caller) -> TicketFilter {
    filter.cities = caller.cities.among(filter.cities);
    if let Some(unit) = &caller.unit {
        filter.lead = filter.unit.take().filter(|asked| asked != unit);
        filter.unit = Some(unit.clone());
    }
    filter
}

/// The order that the query asks for.
pub fn order(query: &Parameters) -> Result<TicketOrder, Problem> {
    match query.text("order") {
        None | Some("created") => Ok(TicketOrder::Created),
        Some("due") => Ok(TicketOrder::Due),
        Some(_) => Err(bad("order", "`order` is created or due.")),
    }
}

fn day(key: &str, text: &str) -> Result<NaiveDate, Problem> {
    let written = text.parse().ok().filter(|_| text.len() == "2026-11-22".len());
    written.ok_or_else(|| bad(key, format!("`{key}` has to be a day such as 2026-11-22.")))
}

fn level(text: &str) -> Result<Level, Problem> {
    let level = text.parse().ok().and_then(Level::new);
    level.ok_or_else(|| bad("supervised", "`supervised` is a level of supervision, 1 to 4."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Cities, Role};
    use crate::city::City;
    use crate::ticket::Actor;

    fn caller(cities: Cities, unit: Option<&str>) -> Caller {
        Caller {
            actor: Actor::System,
            name: "somebody".to_owned(),
            rights: Role::Unit.rights().iter().copied().collect(),
            cities,
            unit: unit.map(|unit| unit.parse().expect("a code")),
            named: false,
        }
    }

    #[test]
    fn nobody_lists_more_than_they_see() {
        let lhasa = || Cities::Only([City::Lhasa].into());
        let of = |cities: &[City]| TicketFilter { cities: Some(cities.to_vec()), ..TicketFilter::default() };
        let listed = |filter, cities| seen(filter, &caller(cities, None)).cities;
        assert_eq!(listed(TicketFilter::default(), lhasa()), Some(vec![City::Lhasa]));
        assert_eq!(listed(of(&[City::Ngari, City::Lhasa]), lhasa()), Some(vec![City::Lhasa]));
        assert_eq!(listed(of(&[City::Ngari]), lhasa()), Some(vec![]));
        assert_eq!(listed(of(&[City::Ngari]), Cities::All), Some(vec![City::Ngari]));
        assert_eq!(listed(TicketFilter::default(), Cities::All), None);
    }

    #[test]
    fn a_unit_lists_its_own_tickets_whatever_it_asks_for() {
        let unit = |code: &str| code.parse::<UnitCode>().ok();
        for (asked, lead) in [(None, None), (Some("lhasa-health"), None), (Some("lhasa-city"), Some("lhasa-city"))] {
            let filter = TicketFilter { unit: asked.and_then(unit), ..TicketFilter::default() };
            let seen = seen(filter, &caller(Cities::All, Some("lhasa-health")));
            assert_eq!((seen.unit, seen.lead), (unit("lhasa-health"), lead.and_then(unit)));
        }
    }
}
