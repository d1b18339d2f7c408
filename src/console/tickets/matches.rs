//! `GET /api/v1/tickets/{number}/matches`: likely repeats, for a person to merge or to mark.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::number;
use crate::console::Shared;
use crate::console::asking::{Asking, no_ticket};
use crate::console::problem::Problem;
use crate::console::segment::Segment;
use crate::store::{Likely, NotMatched};
use crate::ticket::likeness::Parts;
use crate::ticket::{self, Number};

/// Tickets that may be about the same, best first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Matches)]
pub struct MatchesOut {
    items: Vec<MatchOut>,
}

/// A ticket that may be about the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Match)]
pub struct MatchOut {
    number: Number,
    state: ticket::State,
    created_at: DateTime<Utc>,
    /// The class's code.
    class: Option<String>,
    /// Null in a shielded ticket.
    title: Option<String>,
    /// Null in a shielded ticket.
    place: Option<String>,
    /// Its caller is for named people only: the number is not compared.
    shielded: bool,
    /// The sum of the parts, at most 1000.
    score: u32,
    parts: PartsOut,
}

/// What speaks for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchParts)]
pub struct PartsOut {
    /// The same number: 400.
    phone: u32,
    /// The same class: 100.
    class: u32,
    /// The same place: 150.
    place: u32,
    /// Shared words: up to 300.
    text: u32,
    /// Near in time: up to 50.
    time: u32,
}

impl From<Likely> for MatchOut {
    fn from(likely: Likely) -> MatchOut {
        let Parts { phone, class, place, text, time } = likely.parts;
        MatchOut {
            number: likely.number,
            state: likely.state,
            created_at: likely.created_at,
            class: likely.class.map(|class| class.to_string()),
            title: likely.title.map(String::from),
            place: likely.place.map(String::from),
            shielded: likely.shielded,
            score: likely.score,
            parts: PartsOut { phone, class, place, text, time },
        }
    }
}

/// Tickets of the same city that this one likely repeats, or that repeat it.
///
/// Nothing is merged by itself: `merge`, or `edit` with `repeat_of`, does it.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{number}/matches",
    operation_id = "match_ticket",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    responses((status = 200, body = MatchesOut))
)]
pub async fn matches(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
) -> Result<Json<MatchesOut>, Problem> {
    let number = number(&text)?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    asking.seen(found)?;
    match shared.store.likely_repeats(number, shared.clock.wall()).await {
        Ok(likely) => Ok(Json(MatchesOut { items: likely.into_iter().map(MatchOut::from).collect() })),
        Err(NotMatched::Unknown) => Err(no_ticket()),
        Err(NotMatched::Store(error)) => Err(Problem::internal("matches", &error)),
    }
}
