//! `/api/v1/calls`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::recordings::RecordingOut;
use super::segment::Segment;
use crate::access::Caller;
use crate::city::City;
use crate::language::Language;
use crate::store::{self, Call, CallEvent};
use crate::ticket::{CallEnd, CallId, Direction, EventKind};

pub const KEYS: &[&str] = &["phone", "city", "from", "to", "limit", "cursor"];

/// Calls of the caller's cities by their start, newest first. Their numbers are for named people: the call may be that of
/// a confidential request.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    operation_id = "list_calls",
    tag = "calls",
    responses((status = 200, body = Page<CallOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<CallOut>>, Problem> {
    let mut filter = query.filter()?;
    filter.cities = asking.caller.cities.among(filter.cities);
    let found = shared.store.calls(&filter, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(|error| Problem::internal("calls", &error))?;
    Ok(Json(Page::of(page, |call| CallOut::new(call, &asking.caller))))
}

/// One call with its recordings and what happened in it.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{id}",
    operation_id = "read_call",
    tag = "calls",
    params(("id" = CallId, Path, description = "The id of the call.")),
    responses((status = 200, body = CallDetail))
)]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
) -> Result<Json<CallDetail>, Problem> {
    let missing = || Problem::new(Kind::NotFound, "No call has this id.");
    let failed = |error: store::StoreError| Problem::internal("call", &error);
    let id: CallId = id.parse().map_err(|_| missing())?;
    let call = shared.store.call(id).await.map_err(failed)?;
    let call = call.filter(|call| asking.caller.cities.contains(call.city)).ok_or_else(missing)?;
    let recordings = shared.store.recordings_of_call(id).await.map_err(failed)?;
    let events = shared.store.call_events(id).await.map_err(failed)?;
    Ok(Json(CallDetail {
        call: CallOut::new(call, &asking.caller),
        recordings: recordings.into_iter().map(RecordingOut::from).collect(),
        events: events.into_iter().map(|event| EventOut::new(event, &asking.caller)).collect(),
    }))
}

/// A call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub struct CallOut {
    id: CallId,
    direction: Direction,
    city: City,
    /// The called number.
    line: String,
    /// The other side's, masked; null when withheld, and for whoever is not named for confidential requests.
    phone: Option<String>,
    /// Null before the caller has chosen.
    language: Option<Language>,
    started_at: DateTime<Utc>,
    /// Null when it was never answered.
    answered_at: Option<DateTime<Utc>>,
    /// Null while it runs.
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<CallEnd>,
    /// The SIP Call-ID, which other systems' logs have too.
    sip_call_id: Option<String>,
}

impl CallOut {
    fn new(call: Call, caller: &Caller) -> CallOut {
        CallOut {
            id: call.id,
            direction: call.direction,
            city: call.city,
            line: call.line,
            phone: call.phone.filter(|_| caller.named).map(|phone| phone.masked()),
            language: call.language,
            started_at: call.started_at,
            answered_at: call.answered_at,
            ended_at: call.ended_at,
            ended_by: call.ended_by,
            sip_call_id: call.sip_call_id,
        }
    }
}

/// A call with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallDetail {
    #[serde(flatten)]
    call: CallOut,
    recordings: Vec<RecordingOut>,
    /// In their order.
    events: Vec<EventOut>,
}

/// One thing that happened in a call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallEvent)]
pub struct EventOut {
    /// 0, 1, 2 … within the call.
    sequence: u32,
    at: DateTime<Utc>,
    /// Milliseconds since the call's start.
    offset_ms: u64,
    kind: EventKind,
    /// By kind: the node, the prompt, the key, the SIP line, the figures. Which key, only named people see: keys may be a
    /// phone number.
    text: String,
}

impl EventOut {
    fn new(event: CallEvent, caller: &Caller) -> EventOut {
        let CallEvent { sequence, at, offset_ms, kind, text, .. } = event;
        let text = if kind == EventKind::Key && !caller.named { "*".to_owned() } else { text };
        EventOut { sequence, at, offset_ms, kind, text }
    }
}
