//! `/api/v1/calendar`: what is announced about working days.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::header;
use axum::{Extension, Json};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::body::Body;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use crate::access::Cities;
use crate::city::City;
use crate::store::{By, Moved};
use crate::ticket::Number;
use crate::ticket::calendar::{Announcement, Calendar, Scope};

pub const KEYS: &[&str] = &["dry_run"];

/// One year's days off and make-up working days of the nation, the region or a city.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Announcement)]
pub struct AnnouncementOut {
    /// `national`, `region`, or a city.
    #[schema(value_type = String)]
    scope: Scope,
    year: i32,
    #[serde(default)]
    off: Vec<NaiveDate>,
    /// Worked, most of them on a weekend.
    #[serde(default)]
    work: Vec<NaiveDate>,
}

/// Announcements, by scope and year.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Calendar)]
pub struct CalendarOut {
    announcements: Vec<AnnouncementOut>,
}

/// What an import moved, or would move.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportOut {
    /// Nothing was changed.
    dry_run: bool,
    /// By number.
    moved: Vec<MovedOut>,
}

/// An open ticket whose due day is another one, or certain now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Moved)]
pub struct MovedOut {
    number: Number,
    city: City,
    /// The due day before.
    was: Option<NaiveDate>,
    was_provisional: bool,
    /// The due day now.
    is: NaiveDate,
    provisional: bool,
}

/// Everything that is announced.
#[utoipa::path(
    get,
    path = "/api/v1/calendar",
    operation_id = "read_calendar",
    tag = "catalogue",
    responses((status = 200, body = CalendarOut))
)]
pub async fn read(State(shared): State<Arc<Shared>>) -> Result<Json<CalendarOut>, Problem> {
    let calendar = shared.store.calendar().await.map_err(|error| Problem::internal("calendar", &error))?;
    Ok(Json(CalendarOut { announcements: calendar.announcements().map(AnnouncementOut::from).collect() }))
}

/// Announces days: each announcement takes the place of that of its scope and year, others stay.
///
/// JSON, or TOML (`application/toml`) as `seed/calendar.toml` is written. Every open ticket is counted anew; with
/// `dry_run=true` the answer is the same and nothing changes.
#[utoipa::path(
    put,
    path = "/api/v1/calendar",
    operation_id = "import_calendar",
    tag = "catalogue",
    request_body = CalendarOut,
    responses((status = 200, body = ImportOut))
)]
pub async fn import(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Sent(announcements): Sent,
) -> Result<Json<ImportOut>, Problem> {
    let dry_run = query.value("dry_run")?.unwrap_or(false);
    let moved = announce(&shared, &asking, &announcements, dry_run).await?;
    Ok(Json(ImportOut { dry_run, moved: moved.into_iter().map(MovedOut::from).collect() }))
}

/// Imports, or shows what an import would do: the tickets of the caller's cities that it moves.
pub async fn announce(
    shared: &Shared,
    asking: &Asking,
    announcements: &[Announcement],
    dry_run: bool,
) -> Result<Vec<Moved>, Problem> {
    for announcement in announcements {
        may_announce(&asking.caller.cities, announcement.scope())?;
    }
    let by = By { actor: asking.caller.actor, address: asking.address.clone() };
    let moved = shared.store.import_announcements(announcements, &by, shared.clock.wall(), dry_run).await;
    let mut moved = moved.map_err(|error| Problem::internal("calendar", &error))?;
    moved.retain(|moved| asking.caller.cities.contains(moved.city));
    Ok(moved)
}

/// Announcements as `seed/calendar.toml` is written.
pub fn parsed(text: &str) -> Result<Vec<Announcement>, Problem> {
    Calendar::parse(text).map_err(|error| {
        let problem = Problem::new(Kind::BadBody, format!("Line {}: {}.", error.line, error.what));
        if error.place().is_empty() { problem } else { problem.parameter(error.place()) }
    })
}

/// Who is given some cities announces for those.
fn may_announce(cities: &Cities, scope: Scope) -> Result<(), Problem> {
    let may = match scope {
        Scope::City(city) => cities.contains(city),
        Scope::Nation | Scope::Region => *cities == Cities::All,
    };
    let detail = || format!("Days of the scope {scope} are announced by somebody who is given it.");
    if may { Ok(()) } else { Err(Problem::new(Kind::Forbidden, detail())) }
}

/// Announcements, as JSON or as TOML.
pub struct Sent(Vec<Announcement>);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Sent, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/toml") {
            let unread = |_| Problem::new(Kind::BadBody, "The body did not arrive whole.");
            let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
            let text =
                std::str::from_utf8(&bytes).map_err(|_| Problem::new(Kind::BadBody, "The body is not UTF-8."))?;
            return parsed(text).map(Sent);
        }
        let Body(sent) = Body::<CalendarOut>::from_request(request, state).await?;
        let announcements =
            sent.announcements.into_iter().enumerate().map(|(at, AnnouncementOut { scope, year, off, work })| {
                Announcement::new(scope, year, off, work).map_err(|wrong| {
                    Problem::new(Kind::BadBody, format!("{scope}.{year}: {wrong}."))
                        .parameter(format!("announcements[{at}]"))
                })
            });
        announcements.collect::<Result<_, _>>().map(Sent)
    }
}

impl From<&Announcement> for AnnouncementOut {
    fn from(announcement: &Announcement) -> AnnouncementOut {
        AnnouncementOut {
            scope: announcement.scope(),
            year: announcement.year(),
            off: announcement.off().iter().copied().collect(),
            work: announcement.work().iter().copied().collect(),
        }
    }
}

impl From<Moved> for MovedOut {
    fn from(moved: Moved) -> MovedOut {
        let Moved { number, city, was, was_provisional, is, provisional } = moved;
        MovedOut { number, city, was, was_provisional, is, provisional }
    }
}
