//! `/api/v1/visits`: return visits, why they have not been made yet, and what people do about them.

mod change;
mod numbers;
mod out;
mod pause;
mod reply;

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};

use super::Shared;
use super::asking::Asking;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::{Parameters, bad};
use super::segment::Segment;
use crate::store::{VisitFilter, VisitStep};
use crate::ticket::{Number, Ticket};
pub use out::{AttemptOut, VisitFile, VisitOut};

pub use change::{__path_answers, __path_skip, AnswersIn, answers, skip};
pub use numbers::{
    __path_opt_back, __path_opt_out, __path_opt_outs, KEYS as OPT_OUT_KEYS, opt_back, opt_out, opt_outs,
};
pub use pause::{__path_pause, __path_paused, __path_resume, pause, paused, resume};
pub use reply::{__path_sms_reply, sms_reply};

pub const KEYS: &[&str] = &["city", "state", "step", "due", "limit", "cursor"];
pub const TASK_KEYS: &[&str] = &["city", "limit", "cursor"];

/// What a visit can be.
const STATES: [&str; 6] = ["due", "answered", "unreached", "no_phone", "declined", "dropped"];

/// Return visits of the caller's cities by closing, each with its plan and why it has not been made yet.
#[utoipa::path(
    get,
    path = "/api/v1/visits",
    operation_id = "list_visits",
    tag = "visits",
    responses((status = 200, body = Page<VisitOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<VisitOut>>, Problem> {
    let states: Vec<String> =
        query.text("state").into_iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
    if !states.iter().all(|state| STATES.contains(&state.as_str())) {
        return Err(bad("state", format!("`state` is one of: {}.", STATES.join(" "))));
    }
    let filter = VisitFilter {
        states,
        step: query.value("step")?,
        due_before: query.flag("due")?.then(|| shared.clock.wall()),
        ..VisitFilter::default()
    };
    page(&shared, &asking, &query, filter).await
}

/// The visits that people make: those that no call and no SMS reached, and those that need a person.
#[utoipa::path(
    get,
    path = "/api/v1/visits/tasks",
    operation_id = "list_visit_tasks",
    tag = "visits",
    responses((status = 200, body = Page<VisitOut>))
)]
pub async fn tasks(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<VisitOut>>, Problem> {
    let filter = VisitFilter { step: Some(VisitStep::Person), ..VisitFilter::default() };
    page(&shared, &asking, &query, filter).await
}

async fn page(
    shared: &Shared,
    asking: &Asking,
    query: &Parameters,
    filter: VisitFilter,
) -> Result<Json<Page<VisitOut>>, Problem> {
    let cities = asking.caller.cities.among(query.value("city")?.map(|city| vec![city]));
    let filter = VisitFilter { cities, ..filter };
    let found = shared.store.planned_visits(&filter, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(|error| Problem::internal("visits", &error))?;
    let now = shared.clock.wall();
    Ok(Json(Page::of(page, |visit| VisitOut::new(visit, &asking.caller, now))))
}

/// A ticket's visits, the latest round first, and every attempt, the oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/visits/{number}",
    operation_id = "read_visits",
    tag = "visits",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    responses((status = 200, body = VisitFile))
)]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
) -> Result<Json<VisitFile>, Problem> {
    let ticket = seen(&shared, &asking, &text).await?;
    file(&shared, &asking, &ticket).await.map(Json)
}

/// The ticket of this number, if the caller sees it.
async fn seen(shared: &Shared, asking: &Asking, text: &str) -> Result<Ticket, Problem> {
    let number: Result<Number, _> = text.parse();
    let number = number.map_err(|wrong| Problem::new(Kind::NotFound, format!("No ticket: {wrong}.")))?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    asking.seen(found)
}

/// As the caller may see it.
pub async fn file(shared: &Shared, asking: &Asking, ticket: &Ticket) -> Result<VisitFile, Problem> {
    let failed = |error| Problem::internal("visits", &error);
    let filter = VisitFilter { ticket: Some(ticket.number), ..VisitFilter::default() };
    let visits = shared.store.planned_visits(&filter, 10, None).await.map_err(failed)?;
    let attempts = shared.store.visit_attempts(ticket.number).await.map_err(failed)?;
    let now = shared.clock.wall();
    let hidden = asking.caller.sees_requester(ticket).is_err();
    Ok(VisitFile {
        ticket: ticket.number,
        visits: visits.items.into_iter().map(|visit| VisitOut::new(visit, &asking.caller, now)).collect(),
        attempts: attempts.into_iter().map(|attempt| AttemptOut::new(attempt, hidden)).collect(),
    })
}

/// Words for the audit.
fn reason(reason: &crate::ticket::Line) -> Result<&str, Problem> {
    match reason.as_str() {
        words if words.chars().count() >= 2 => Ok(words),
        _ => Err(Problem::new(Kind::BadBody, "A reason has 2 to 200 characters.").parameter("why")),
    }
}
