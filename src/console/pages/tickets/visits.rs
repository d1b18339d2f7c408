//! `/visits`: the return visits that people make, and the three questions as a form.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::address::Query;
use super::named::{Choice, Named};
use super::show::{Page, Trouble};
use super::{failed, give, row, seen};
use crate::access::Right;
use crate::console::Shared;
use crate::console::asking::no_ticket;
use crate::console::body::{Body, of_value};
use crate::console::guard::forbidden;
use crate::console::pages::sent::bad;
use crate::console::pages::{Fields, Frame, Sent, done, render};
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::console::segment::Segment;
use crate::console::tickets::{self, TicketOut};
use crate::console::visits::{self as api, AnswersIn, VisitFile, VisitOut};
use crate::store::{NotDone, VisitFilter, VisitStep};
use crate::ticket::{Contacted, Solved, State as TicketState, Ticket};

pub const KEYS: &[&str] = api::TASK_KEYS;

#[derive(Template)]
#[template(path = "tickets/visits.html")]
struct VisitsPage {
    frame: Frame,
    tasks: Vec<VisitOut>,
    cities: Vec<Choice>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "tickets/visit.html")]
struct VisitPage {
    frame: Frame,
    ticket: TicketOut,
    title: String,
    unit: Option<String>,
    file: VisitFile,
    /// It can be answered now.
    open: bool,
    may_reveal: bool,
    contacted: Vec<Choice>,
    solved: Vec<Choice>,
    satisfaction: Vec<Choice>,
    redo: bool,
    wrong: Option<String>,
}

pub async fn list(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(parameters): Extension<Parameters>,
) -> Result<Response, Problem> {
    let cities = frame.asking.caller.cities.among(parameters.value("city")?.map(|city| vec![city]));
    let filter = VisitFilter { step: Some(VisitStep::Person), cities, ..VisitFilter::default() };
    let cursor = parameters.cursor()?;
    let found = shared.store.planned_visits(&filter, parameters.limit()?, cursor.as_ref()).await.map_err(failed)?;
    let now = shared.clock.wall();
    let query = Query::of(&parameters, KEYS);
    let own = frame.asking.caller.cities.list();
    let page = VisitsPage {
        tasks: found.items.into_iter().map(|visit| VisitOut::new(visit, &frame.asking.caller, now)).collect(),
        cities: Choice::all(&frame, "city", own.iter().map(|city| city.slug()), query.value("city")),
        next: found.next.map(|next| query.with("cursor", &next.to_string()).at("/visits")),
        frame,
    };
    render(&page)
}

pub async fn one(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    page(&shared, frame, ticket, &Fields::default(), None).await
}

async fn page(
    shared: &Shared,
    frame: Frame,
    ticket: Ticket,
    typed: &Fields,
    wrong: Option<(StatusCode, String)>,
) -> Result<Response, Problem> {
    let named = Named::read(shared, &frame).await?;
    let (status, wrong) = wrong.map_or((StatusCode::OK, None), |(status, words)| (status, Some(words)));
    let chosen = |key: &str| typed.text(key).unwrap_or_default();
    let page = VisitPage {
        title: row::title(&frame, &ticket),
        unit: ticket.handling.lead.as_ref().map(|unit| named.unit(unit.as_str())),
        file: api::file(shared, &frame.asking, &ticket).await?,
        open: matches!(ticket.state, TicketState::AwaitingVisit | TicketState::Closed | TicketState::Merged),
        may_reveal: frame.may(Right::Reveal) && frame.asking.caller.sees_requester(&ticket).is_ok(),
        contacted: Choice::all(&frame, "contacted", Contacted::ALL.iter(), chosen("contacted")),
        solved: Choice::all(&frame, "solved", Solved::ALL.iter(), chosen("solved")),
        satisfaction: Choice::all(&frame, "satisfaction", (1..=5).rev(), chosen("satisfaction")),
        redo: typed.ticked("redo"),
        ticket: TicketOut::new(ticket, Vec::new(), &frame.asking.caller),
        wrong,
        frame,
    };
    let mut response = render(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

/// The three answers as they were heard, or why there are none.
pub async fn answer(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let Ok(command) = answers(&fields).and_then(AnswersIn::command) else {
        let wrong = (StatusCode::BAD_REQUEST, frame.t("visits.unusable").to_owned());
        return page(&shared, frame, ticket, &fields, Some(wrong)).await;
    };
    frame.asking.caller.may_give(&command, &ticket).map_err(|denied| forbidden(&denied))?;
    let order = tickets::ordered(&frame.asking, ticket.number, Some(fields.needed("version")?), command);
    match shared.store.execute(&order, shared.clock.wall()).await {
        Ok(_) => done("/visits", "answered"),
        Err(NotDone::Unknown) => Err(no_ticket()),
        Err(NotDone::Changed(now)) => {
            let now = frame.asking.seen(Some(*now))?;
            let wrong = (StatusCode::CONFLICT, frame.t("ticket.changed").to_owned());
            page(&shared, frame, now, &fields, Some(wrong)).await
        }
        Err(NotDone::Refused { why, ticket }) => {
            let named = Named::read(&shared, &frame).await?;
            let wrong = (StatusCode::UNPROCESSABLE_ENTITY, give::words(&frame, &named, why, &ticket));
            page(&shared, frame, *ticket, &fields, Some(wrong)).await
        }
        Err(NotDone::Store(error)) => Err(failed(error)),
    }
}

fn answers(fields: &Fields) -> Result<AnswersIn, Problem> {
    let mut document = Map::new();
    if let Some(because) = fields.text("none_because") {
        document.insert("none_because".to_owned(), json!(because));
    } else {
        for name in ["contacted", "solved"] {
            document.extend(fields.text(name).map(|value| (name.to_owned(), json!(value))));
        }
        if let Some(given) = fields.value::<u8>("satisfaction")? {
            document.insert("satisfaction".to_owned(), json!(given));
        }
        document.insert("redo".to_owned(), json!(fields.ticked("redo")));
    }
    serde_json::from_value(Value::Object(document)).map_err(|_| bad("answers", "An answer can't be used."))
}

/// No more automatic attempts: a person makes the visit.
pub async fn skip(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let why = fields.text("why").unwrap_or_default();
    match skipped(&shared, &frame, &number, why).await {
        Ok(()) => done(&format!("/tickets/{}#visits", ticket.number), "skipped"),
        Err(problem) if matches!(problem.kind(), Kind::BadBody | Kind::Refused) => {
            let trouble = Some(Trouble::NotSkipped(problem));
            Page { trouble, skip: why, ..Page::of(ticket) }.render(&shared, frame).await
        }
        Err(problem) => Err(problem),
    }
}

async fn skipped(shared: &Arc<Shared>, frame: &Frame, number: &str, why: &str) -> Result<(), Problem> {
    let sent = Body(of_value(&json!({ "why": why }))?);
    let (shared, number) = (State(Arc::clone(shared)), Segment(number.to_owned()));
    api::skip(shared, frame.asking.clone(), number, sent).await.map(drop)
}
