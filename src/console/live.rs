//! `/api/v1/live`: the calls of this moment, as a list and as a stream of events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::guard::busy;
use super::page::Page;
use super::problem::Problem;
use crate::access::Cities;
use crate::city::City;
use crate::language::Language;
use crate::live::{DiskLevel, Live, LiveCall, LiveEvent};
use crate::ticket::{Direction, Number, Outcome};

/// What a reader may fall behind, in bytes, before the stream waits for it.
const PIPE_BYTES: usize = 16 * 1024;
/// A comment this often tells a reader, and whatever stands between, that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
const RETRY_MS: u32 = 3000;

/// A call in progress. It carries no phone number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveCall)]
pub struct CallNow {
    id: String,
    direction: Direction,
    city: City,
    /// Null before the caller has chosen.
    language: Option<Language>,
    /// The node of the flow the caller is in.
    node: String,
    started_at: DateTime<Utc>,
    /// Whether the call is being recorded at this moment.
    recording: bool,
}

impl From<LiveCall> for CallNow {
    fn from(call: LiveCall) -> CallNow {
        let LiveCall { id, direction, city, language, node, started_at, recording } = call;
        CallNow { id, direction, city, language, node, started_at, recording }
    }
}

/// The calls in progress in the caller's cities, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/live/calls",
    operation_id = "list_live_calls",
    tag = "live",
    responses((status = 200, body = Page<CallNow>))
)]
pub async fn calls(State(shared): State<Arc<Shared>>, asking: Asking) -> Json<Page<CallNow>> {
    Json(now(&shared.live, &asking.caller.cities))
}

/// What happens, as it happens (server-sent events).
///
/// The first event is `calls`: the list of `/api/v1/live/calls`. Then `call_started` and `call_moved` with `call`,
/// `ticket_created` with `call` (an id) and `number`, `visit_settled` with `call` (an id) and the `outcome` of a call
/// back, `call_ended` with `call` (an id), `disk_changed` with `level` (`enough`, `warn`, `stop`) and `free_percent`. A
/// reader that is too slow gets `missed` with the number of events it lost, followed by `calls` again. A comment every
/// 15 s keeps the connection.
#[utoipa::path(
    get,
    path = "/api/v1/live/events",
    operation_id = "follow_live_events",
    tag = "live",
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
pub async fn events(State(shared): State<Arc<Shared>>, asking: Asking) -> Result<impl IntoResponse, Problem> {
    let permit = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| busy())?;
    let (reading, mut writing) = tokio::io::duplex(PIPE_BYTES);
    // subscribed before the list is taken: what happens between is told twice rather than not at all
    let happening = shared.live.subscribe();
    tokio::spawn(async move {
        let _permit = permit;
        tokio::select! {
            // ends with an error when the reader has gone, which is how every stream ends
            _ = tell(&shared.live, &asking.caller.cities, happening, &mut writing) => {}
            () = shared.closing.cancelled() => {}
        }
    });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(ReaderStream::new(reading))))
}

async fn tell(
    live: &Live,
    cities: &Cities,
    mut happening: Receiver<LiveEvent>,
    to: &mut DuplexStream,
) -> std::io::Result<Infallible> {
    to.write_all(format!("retry: {RETRY_MS}\n\n").as_bytes()).await?;
    to.write_all(&frame("calls", &now(live, cities))).await?;
    loop {
        let frames = match tokio::time::timeout(HEARTBEAT, happening.recv()).await {
            Err(_) => b":\n\n".to_vec(),
            Ok(Ok(event)) if !is_of(&event, cities) => continue,
            Ok(Ok(event)) => event_frame(event),
            Ok(Err(RecvError::Lagged(missed))) => {
                [frame("missed", &Missed { missed }), frame("calls", &now(live, cities))].concat()
            }
            // the board lives as long as we hold it
            Ok(Err(RecvError::Closed)) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        to.write_all(&frames).await?;
    }
}

fn now(live: &Live, cities: &Cities) -> Page<CallNow> {
    let theirs = live.calls().into_iter().filter(|call| cities.contains(call.city));
    Page { items: theirs.map(CallNow::from).collect(), next: None }
}

/// Whether it happened in one of these cities; what names none happened everywhere.
fn is_of(event: &LiveEvent, cities: &Cities) -> bool {
    match event {
        LiveEvent::CallStarted { call } | LiveEvent::CallMoved { call } => cities.contains(call.city),
        LiveEvent::VisitSettled { city, .. } => cities.contains(*city),
        LiveEvent::TicketCreated { number, .. } => {
            number.parse::<Number>().is_ok_and(|number| cities.contains(number.city()))
        }
        LiveEvent::CallEnded { .. } | LiveEvent::DiskChanged { .. } => true,
    }
}

#[derive(Serialize)]
struct Missed {
    missed: u64,
}

#[derive(Serialize)]
struct OnCall {
    call: CallNow,
}

#[derive(Serialize)]
struct OnId {
    call: String,
}

#[derive(Serialize)]
struct OnTicket {
    call: String,
    number: String,
}

#[derive(Serialize)]
struct OnVisit {
    call: String,
    outcome: Outcome,
}

#[derive(Serialize)]
struct OnDisk {
    level: DiskLevel,
    free_percent: f64,
}

fn event_frame(event: LiveEvent) -> Vec<u8> {
    match event {
        LiveEvent::CallStarted { call } => frame("call_started", &OnCall { call: call.into() }),
        LiveEvent::CallMoved { call } => frame("call_moved", &OnCall { call: call.into() }),
        LiveEvent::TicketCreated { call, number } => frame("ticket_created", &OnTicket { call, number }),
        LiveEvent::CallEnded { call } => frame("call_ended", &OnId { call }),
        LiveEvent::VisitSettled { call, outcome, .. } => frame("visit_settled", &OnVisit { call, outcome }),
        LiveEvent::DiskChanged { level, free_percent } => frame("disk_changed", &OnDisk { level, free_percent }),
    }
}

/// JSON has no line breaks of its own, so one `data` line holds it.
fn frame(event: &str, data: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(data).expect("plain data has a JSON form");
    format!("event: {event}\ndata: {json}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_reader_that_is_too_slow_learns_what_it_missed_and_goes_on() {
        let live = Live::default();
        let happening = live.subscribe();
        for n in 0..300 {
            live.ticket_created(&n.to_string(), "126112200012");
        }
        let (mut reading, mut writing) = tokio::io::duplex(1 << 20);
        // nothing happens after the last event, so this ends at the limit
        let telling = tell(&live, &Cities::All, happening, &mut writing);
        assert!(tokio::time::timeout(Duration::from_millis(200), telling).await.is_err());
        drop(writing);
        let mut text = String::new();
        reading.read_to_string(&mut text).await.expect("UTF-8");
        let missed = text.find("event: missed\ndata: {\"missed\":44}\n\nevent: calls\n").expect("it was told");
        assert!(missed < text.find("\"call\":\"44\"").expect("the oldest kept event"));
        assert_eq!(text.matches("event: ticket_created").count(), 256);
    }
}
