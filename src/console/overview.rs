//! `/api/v1/overview`: what is waiting, in figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::problem::Problem;
use crate::store::CityFigures;
use crate::ticket;

/// What is open now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Overview)]
pub struct OverviewOut {
    at: DateTime<Utc>,
    /// By the city's name; a city without open tickets is left out.
    cities: BTreeMap<String, CityOut>,
}

/// Of a city's open tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CityOverview)]
pub struct CityOut {
    /// How many are in each open state.
    states: BTreeMap<String, u64>,
    /// Past their due day.
    overdue: u64,
    /// The requester was not contacted within the hour, nor since.
    contact_breached: u64,
    /// A contact is due within 15 minutes.
    contact_soon: u64,
    /// How many are supervised on each of the levels 1 to 4.
    supervised: [u64; 4],
    /// A unit asks for something, and waits.
    asked: u64,
}

impl From<CityFigures> for CityOut {
    fn from(figures: CityFigures) -> CityOut {
        let open = ticket::State::ALL.iter().filter(|state| state.is_open());
        CityOut {
            states: open.map(|state| (state.to_string(), figures.of_state(*state))).collect(),
            overdue: figures.overdue,
            contact_breached: figures.contact_breached,
            contact_soon: figures.contact_soon,
            supervised: figures.supervised,
            asked: figures.asked,
        }
    }
}

/// Counts the open tickets of the caller's cities, or those that their unit leads.
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "read_overview",
    tag = "tickets",
    responses((status = 200, body = OverviewOut))
)]
pub async fn read(State(shared): State<Arc<Shared>>, asking: Asking) -> Result<Json<OverviewOut>, Problem> {
    let now = shared.clock.wall();
    let found = shared.store.overview(now, asking.caller.unit.as_ref()).await;
    let overview = found.map_err(|error| Problem::internal("overview", &error))?;
    let seen = overview.cities.into_iter().filter(|(city, _)| asking.caller.cities.contains(*city));
    let cities = seen.map(|(city, figures)| (city.to_string(), figures.into())).collect();
    Ok(Json(OverviewOut { at: now, cities }))
}
