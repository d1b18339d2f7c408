//! Cities whose automatic calls are paused.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason;
use crate::city::City;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::page::Page;
use crate::console::problem::{Kind, Problem};
use crate::store::Paused;
use crate::ticket::{Actor, Line};

/// A city whose automatic calls are paused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitPause)]
pub struct PauseOut {
    city: City,
    at: DateTime<Utc>,
    actor: Actor,
    why: String,
}

/// Which city, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVisitPause)]
pub struct PauseIn {
    city: City,
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    why: Line,
}

/// Which city.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisitResumption)]
pub struct ResumeIn {
    city: City,
}

impl From<Paused> for PauseOut {
    fn from(Paused { city, at, actor, why }: Paused) -> PauseOut {
        PauseOut { city, at, actor, why }
    }
}

/// The caller's cities whose automatic calls are paused, on one page.
#[utoipa::path(
    get,
    path = "/api/v1/visits/pauses",
    operation_id = "list_visit_pauses",
    tag = "visits",
    responses((status = 200, body = Page<PauseOut>))
)]
pub async fn paused(State(shared): State<Arc<Shared>>, asking: Asking) -> Result<Json<Page<PauseOut>>, Problem> {
    pauses(&shared, &asking).await
}

/// Pauses the automatic calls of a city: none begins from now on.
#[utoipa::path(
    post,
    path = "/api/v1/visits/pause",
    operation_id = "pause_visits",
    tag = "visits",
    request_body = PauseIn,
    responses((status = 200, body = Page<PauseOut>))
)]
pub async fn pause(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(PauseIn { city, why }): Body<PauseIn>,
) -> Result<Json<Page<PauseOut>>, Problem> {
    own(&asking, city)?;
    let paused = shared.store.pause_visits(city, reason(&why)?, &asking.by(), shared.clock.wall()).await;
    if !paused.map_err(|error| Problem::internal("visits", &error))? {
        return Err(Problem::new(Kind::Conflict, "The city's calls are paused already."));
    }
    pauses(&shared, &asking).await
}

/// Lets the automatic calls of a city begin again.
#[utoipa::path(
    post,
    path = "/api/v1/visits/resume",
    operation_id = "resume_visits",
    tag = "visits",
    request_body = ResumeIn,
    responses((status = 200, body = Page<PauseOut>))
)]
pub async fn resume(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(ResumeIn { city }): Body<ResumeIn>,
) -> Result<Json<Page<PauseOut>>, Problem> {
    own(&asking, city)?;
    let resumed = shared.store.resume_visits(city, &asking.by(), shared.clock.wall()).await;
    if !resumed.map_err(|error| Problem::internal("visits", &error))? {
        return Err(Problem::new(Kind::Conflict, "The city's calls are not paused."));
    }
    pauses(&shared, &asking).await
}

fn own(asking: &Asking, city: City) -> Result<(), Problem> {
    let own = asking.caller.cities.contains(city);
    if own { Ok(()) } else { Err(Problem::new(Kind::NotFound, "This city is not one of yours.")) }
}

async fn pauses(shared: &Shared, asking: &Asking) -> Result<Json<Page<PauseOut>>, Problem> {
    let paused = shared.store.paused_visits().await.map_err(|error| Problem::internal("visits", &error))?;
    let own = paused.into_iter().filter(|paused| asking.caller.cities.contains(paused.city));
    Ok(Json(Page { items: own.map(PauseOut::from).collect(), next: None }))
}
