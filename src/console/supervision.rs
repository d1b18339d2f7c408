//! `/api/v1/supervision`: matters and units that are looked after.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::body::Body;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::segment::Segment;
use crate::city::City;
use crate::store::{Hand, NotSupervised, Supervised};
use crate::ticket::supervision::Subject;
use crate::ticket::{Actor, ClassCode, Level, Line, SupervisionId, UnitCode, place_key};

pub const KEYS: &[&str] = &["city", "ended", "limit", "cursor"];

/// The supervision (督办) of a matter, which is one class at one place, or of a unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Supervision)]
pub struct SupervisionOut {
    id: SupervisionId,
    city: City,
    /// Of a matter: the class's code.
    class: Option<String>,
    /// Of a matter: the place, as it is compared.
    place: Option<String>,
    /// Of a unit: its code.
    unit: Option<String>,
    /// 1 platform, 2 telephone, 3 on site, 4 raised jointly.
    level: u8,
    /// Complaints in the window, as counted at the last step.
    tickets: u32,
    opened_at: DateTime<Utc>,
    /// Since when at this level.
    level_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<Actor>,
}

impl From<Supervised> for SupervisionOut {
    fn from(one: Supervised) -> SupervisionOut {
        let city = one.subject.city();
        let (class, place, unit) = match one.subject {
            Subject::Matter { class, place, .. } => (Some(class.to_string()), Some(place), None),
            Subject::Unit { unit, .. } => (None, None, Some(unit.to_string())),
        };
        let level = one.level.get();
        let Supervised { id, tickets, opened_at, level_at, ended_at, ended_by, .. } = one;
        SupervisionOut { id, city, class, place, unit, level, tickets, opened_at, level_at, ended_at, ended_by }
    }
}

/// What is to be supervised: a class with a place, or a unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSupervision)]
pub struct OpenIn {
    city: City,
    #[schema(value_type = Option<String>)]
    class: Option<ClassCode>,
    #[schema(value_type = Option<String>)]
    place: Option<Line>,
    #[schema(value_type = Option<String>)]
    unit: Option<UnitCode>,
    /// 1 to 4.
    #[schema(value_type = u8, minimum = 1, maximum = 4)]
    level: Level,
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    why: Line,
}

/// The level to go to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupervisionStep)]
pub struct StepIn {
    /// 1 to 4.
    #[schema(value_type = u8, minimum = 1, maximum = 4)]
    level: Level,
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    why: Line,
}

/// Why it ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupervisionEnd)]
pub struct EndIn {
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    why: Line,
}

/// What is supervised in the caller's cities, newest first; with `ended` also what no longer is.
///
/// Who is of a unit sees that unit's own.
#[utoipa::path(
    get,
    path = "/api/v1/supervision",
    operation_id = "list_supervision",
    tag = "supervision",
    responses((status = 200, body = Page<SupervisionOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<SupervisionOut>>, Problem> {
    let mut cities = asking.caller.cities.list();
    if let Some(city) = query.value::<City>("city")? {
        cities.retain(|seen| *seen == city);
    }
    let open_only = !query.value::<bool>("ended")?.unwrap_or(false);
    let found = shared.store.supervisions(&cities, open_only, query.limit()?, query.cursor()?.as_ref()).await;
    let mut page = found.map_err(|error| Problem::internal("supervision", &error))?;
    page.items.retain(|one| is_seen(&asking, &one.subject));
    Ok(Json(Page::of(page, SupervisionOut::from)))
}

/// Supervises a matter or a unit by hand, with its open tickets.
#[utoipa::path(
    post,
    path = "/api/v1/supervision",
    operation_id = "open_supervision",
    tag = "supervision",
    request_body = OpenIn,
    responses((status = 200, body = SupervisionOut))
)]
pub async fn open(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(given): Body<OpenIn>,
) -> Result<Json<SupervisionOut>, Problem> {
    let subject = given.subject()?;
    if !is_seen(&asking, &subject) {
        return Err(unknown());
    }
    let by = hand(&asking, &given.why)?;
    let opened = shared.store.open_supervision(&subject, given.level, &by, shared.clock.wall()).await;
    opened.map(|one| Json(one.into())).map_err(problem)
}

/// Puts a supervision on another level by hand.
#[utoipa::path(
    post,
    path = "/api/v1/supervision/{id}/step",
    operation_id = "step_supervision",
    tag = "supervision",
    params(("id" = SupervisionId, Path, description = "The id of the supervision.")),
    request_body = StepIn,
    responses((status = 200, body = SupervisionOut))
)]
pub async fn step(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(given): Body<StepIn>,
) -> Result<Json<SupervisionOut>, Problem> {
    let id = seen(&shared, &asking, &text).await?;
    let by = hand(&asking, &given.why)?;
    let moved = shared.store.step_supervision(id, given.level, &by, shared.clock.wall()).await;
    moved.map(|one| Json(one.into())).map_err(problem)
}

/// Ends a supervision by hand: only complaints made from now on count for the next one.
#[utoipa::path(
    post,
    path = "/api/v1/supervision/{id}/end",
    operation_id = "end_supervision",
    tag = "supervision",
    params(("id" = SupervisionId, Path, description = "The id of the supervision.")),
    request_body = EndIn,
    responses((status = 200, body = SupervisionOut))
)]
pub async fn end(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(EndIn { why }): Body<EndIn>,
) -> Result<Json<SupervisionOut>, Problem> {
    let id = seen(&shared, &asking, &text).await?;
    let by = hand(&asking, &why)?;
    let ended = shared.store.end_supervision(id, &by, shared.clock.wall()).await;
    ended.map(|one| Json(one.into())).map_err(problem)
}

impl OpenIn {
    fn subject(&self) -> Result<Subject, Problem> {
        let city = self.city;
        let place = self.place.as_ref().map(|place| place_key(place.as_str())).filter(|place| !place.is_empty());
        match (self.class, place, &self.unit) {
            (Some(class), Some(place), None) => Ok(Subject::Matter { city, class, place }),
            (None, None, Some(unit)) => Ok(Subject::Unit { city, unit: unit.clone() }),
            _ => Err(Problem::new(Kind::BadBody, "Give either `class` and `place`, or `unit`.")),
        }
    }
}

async fn seen(shared: &Shared, asking: &Asking, text: &str) -> Result<SupervisionId, Problem> {
    let id = text.parse().map_err(|_| unknown())?;
    let found = shared.store.supervision(id).await.map_err(|error| Problem::internal("supervision", &error))?;
    found.filter(|one| is_seen(asking, &one.subject)).map(|_| id).ok_or_else(unknown)
}

fn is_seen(asking: &Asking, subject: &Subject) -> bool {
    let own = match (&asking.caller.unit, subject) {
        (None, _) => true,
        (Some(own), Subject::Unit { unit, .. }) => own == unit,
        (Some(_), Subject::Matter { .. }) => false,
    };
    own && asking.caller.cities.contains(subject.city())
}

fn hand<'a>(asking: &'a Asking, why: &'a Line) -> Result<Hand<'a>, Problem> {
    if why.as_str().chars().count() < 2 {
        return Err(Problem::new(Kind::BadBody, "A reason has 2 to 200 characters.").parameter("why"));
    }
    Ok(Hand { actor: asking.caller.actor, why: why.as_str(), address: asking.address.as_deref() })
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "No supervision has this id, or nothing of yours is named here.")
}

fn problem(error: NotSupervised) -> Problem {
    let refused = |rule, words| Problem::new(Kind::Refused, words).refused(rule);
    match error {
        NotSupervised::Unknown => unknown(),
        NotSupervised::NoSubject => refused("unknown", "There is no such class, or no such unit in this city."),
        NotSupervised::Ended => refused("ended", "This supervision has ended."),
        NotSupervised::OpenAlready => refused("open_already", "It is supervised already."),
        NotSupervised::SameLevel => refused("same_level", "It is supervised at this level already."),
        NotSupervised::Store(error) => Problem::internal("supervision", &error),
    }
}
