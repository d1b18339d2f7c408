//! `/api/v1/holds`: tickets whose recordings are kept whatever their age (legal hold).

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::asking::{Asking, no_ticket};
use super::body::Body;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::segment::Segment;
use crate::store::{self, Cursor, Held, LegalHold};
use crate::ticket::{Actor, Line, Number};

pub const KEYS: &[&str] = &["limit", "cursor"];

/// Why and since when a ticket's recordings are kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldOut {
    ticket: Number,
    at: DateTime<Utc>,
    actor: Actor,
    reason: String,
}

impl From<LegalHold> for HoldOut {
    fn from(hold: LegalHold) -> HoldOut {
        let LegalHold { ticket, at, actor, reason } = hold;
        HoldOut { ticket, at, actor, reason }
    }
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldReason)]
pub struct WhyIn {
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    reason: Line,
}

/// What is held now.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldState {
    ticket: Number,
    held: bool,
}

/// Holds of the caller's cities, the newest first; those of shielded requesters for named people only.
#[utoipa::path(
    get,
    path = "/api/v1/holds",
    operation_id = "list_holds",
    tag = "tickets",
    responses((status = 200, body = Page<HoldOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<HoldOut>>, Problem> {
    let page = listed(&shared, &asking, query.limit()?, query.cursor()?.as_ref()).await?;
    Ok(Json(Page::of(page, HoldOut::from)))
}

/// Those that the caller may know of.
pub async fn listed(
    shared: &Shared,
    asking: &Asking,
    limit: u32,
    cursor: Option<&Cursor>,
) -> Result<store::Page<LegalHold>, Problem> {
    let caller = &asking.caller;
    let (cities, shielded) = (caller.cities.among(None), caller.sees_shielded());
    let found = shared.store.legal_holds(cities.as_deref(), shielded, limit, cursor).await;
    found.map_err(|error| Problem::internal("holds", &error))
}

/// Keeps the recordings of a ticket beyond their time.
#[utoipa::path(
    post,
    path = "/api/v1/holds/{number}",
    operation_id = "hold_recordings",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body = WhyIn,
    responses((status = 200, body = HoldState))
)]
pub async fn hold(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(WhyIn { reason }): Body<WhyIn>,
) -> Result<Json<HoldState>, Problem> {
    change(&shared, &asking, &text, &reason, true).await
}

/// Lets the recordings of a ticket go when their time is over.
///
/// Those of confidential, anonymous and reporting requesters are let go by named people only.
#[utoipa::path(
    post,
    path = "/api/v1/holds/{number}/release",
    operation_id = "release_recordings",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body = WhyIn,
    responses((status = 200, body = HoldState))
)]
pub async fn release(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(WhyIn { reason }): Body<WhyIn>,
) -> Result<Json<HoldState>, Problem> {
    change(&shared, &asking, &text, &reason, false).await
}

/// An administrator reads no ticket, and holds its recordings by its number all the same.
async fn change(
    shared: &Shared,
    asking: &Asking,
    number: &str,
    reason: &Line,
    held: bool,
) -> Result<Json<HoldState>, Problem> {
    let ticket: Number = number.parse().map_err(|_| no_ticket())?;
    keep(shared, asking, ticket, reason, held).await.map(Json)
}

/// Holds a ticket's recordings, or lets them go: those of a shielded requester are let go by named people only.
///
/// # Errors
/// It is of another city, or held already, or not held; its hold is none that the caller may know of.
pub async fn keep(
    shared: &Shared,
    asking: &Asking,
    ticket: Number,
    reason: &Line,
    held: bool,
) -> Result<HoldState, Problem> {
    if !asking.caller.cities.contains(ticket.city()) {
        return Err(no_ticket());
    }
    if reason.as_str().chars().count() < 2 {
        return Err(Problem::new(Kind::BadBody, "A reason has 2 to 200 characters.").parameter("reason"));
    }
    let failed = |error| Problem::internal("hold", &error);
    if !held {
        let there = shared.store.ticket_alone(ticket).await.map_err(failed)?;
        asking.sees_requester(&there.ok_or_else(no_ticket)?)?;
    }
    let (by, now) = (asking.by(), shared.clock.wall());
    let changed = match held {
        true => shared.store.hold(ticket, reason.as_str(), &by, now).await,
        false => shared.store.release(ticket, reason.as_str(), &by, now).await,
    };
    match changed.map_err(failed)? {
        Held::Done => Ok(HoldState { ticket, held }),
        Held::Unknown => Err(no_ticket()),
        Held::Already if held => {
            Err(Problem::new(Kind::Conflict, "Its recordings are held already.").refused("held_already"))
        }
        Held::Already => Err(Problem::new(Kind::Conflict, "Its recordings are not held.").refused("not_held")),
    }
}
