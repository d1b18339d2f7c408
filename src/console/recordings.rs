//! Recordings: what the API tells of one, and its sound.

use std::io::{self, SeekFrom};
use std::path::{Component, Path as FilePath, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf, Take};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::guard::busy;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::range::{self, Selected};
use super::schema::Wav;
use super::segment::Segment;
use crate::store::{self, Seen};
use crate::ticket::{Action, CallId, EndedBy, Number, RecordingId, RecordingKind, RecordingState};

pub const KEYS: &[&str] = &["reason"];

/// Seconds of sound: few reads, little memory.
const CHUNK_BYTES: usize = 64 * 1024;
const SECONDS_TO_WAIT: &str = "10";

/// A recording. Its sound is at `/api/v1/recordings/{id}/audio`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recording)]
pub struct RecordingOut {
    id: RecordingId,
    call: CallId,
    /// The number of the ticket it belongs to.
    ticket: Option<Number>,
    kind: RecordingKind,
    started_at: DateTime<Utc>,
    /// `open` while it is being written; what is only known at the end is null until then.
    state: RecordingState,
    duration_ms: Option<u64>,
    /// Of the file, in hexadecimal.
    sha256: Option<String>,
    /// Of the file.
    bytes: Option<u64>,
    channels: u8,
    ended_by: Option<EndedBy>,
    /// Sound was lost while it was written.
    damaged: bool,
}

impl From<store::Recording> for RecordingOut {
    fn from(recording: store::Recording) -> RecordingOut {
        RecordingOut {
            id: recording.id,
            call: recording.call,
            ticket: recording.ticket,
            kind: recording.kind,
            started_at: recording.started_at,
            state: recording.state,
            duration_ms: recording.duration_ms,
            sha256: recording.sha256,
            bytes: recording.bytes,
            channels: recording.channels,
            ended_by: recording.ended_by,
            damaged: recording.damaged,
        }
    }
}

/// The sound of a recording: WAV, 8000 Hz.
///
/// Takes one `Range` of bytes, with `If-Range`; several ranges are answered with the whole. The `ETag` is the
/// recording's SHA-256, `If-None-Match` saves a second transfer. While it is being written there is nothing to fetch:
/// 409. Of confidential, anonymous and reporting requesters only named people hear it. Each listening from the start is on
/// record, with `reason` if one is given.
#[utoipa::path(
    get,
    path = "/api/v1/recordings/{id}/audio",
    operation_id = "read_audio",
    tag = "tickets",
    params(("id" = RecordingId, Path, description = "The id of a recording of a ticket or a call.")),
    responses(
        (status = 200, content_type = "audio/wav", body = Wav, headers(
            ("etag" = String, description = "The SHA-256 of the file in quotes."),
            ("accept-ranges" = String, description = "bytes")
        )),
        (status = 206, description = "The range asked for.", content_type = "audio/wav", body = Wav, headers(
            ("content-range" = String, description = "Which bytes of how many.")
        )),
        (status = 304, description = "The client has it.")
    )
)]
pub async fn audio(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Segment(id): Segment,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::new(Kind::NotFound, "No recording has this id.");
    let id: RecordingId = id.parse().map_err(|_| missing())?;
    let found = shared.store.recording(id).await;
    let recording = found.map_err(|error| Problem::internal("recording", &error))?.ok_or_else(missing)?;
    let subject = heard(&shared, &asking, &recording).await?;
    let Some(entity_tag) = recording.sha256.as_ref().map(|sha256| format!("\"{sha256}\"")) else {
        return Err(still_open());
    };
    if range::client_has(&headers, &entity_tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, entity_tag)]).into_response());
    }

    let permit = Arc::clone(&shared.transfers).try_acquire_owned().map_err(|_| busy())?;
    let unreadable = |error: io::Error| {
        Problem::internal("recording file", &io::Error::new(error.kind(), format!("recording {id}: {error}")))
    };
    let path = inside(&shared.recordings, &recording.path).map_err(unreadable)?;
    let mut file = File::open(path).await.map_err(unreadable)?;
    let length = file.metadata().await.map_err(unreadable)?.len();
    // a range is defined for GET alone (RFC 9110 §14.2)
    let selected = if method == Method::GET { range::select(&headers, &entity_tag, length) } else { Selected::Whole };
    let (status, first, count) = match selected {
        Selected::Whole => (StatusCode::OK, 0, length),
        Selected::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Selected::Nothing => return Err(unsatisfiable(length)),
    };
    file.seek(SeekFrom::Start(first)).await.map_err(unreadable)?;
    let entity_tag =
        HeaderValue::try_from(entity_tag).map_err(|error| Problem::internal("recording digest", &error))?;
    if method == Method::GET {
        tracing::info!(recording.id = %id, first, count, "a recording is read");
        if first == 0 {
            let reason = query.text("reason").map_or_else(|| id.to_string(), |reason| format!("{id}: {reason}"));
            let (action, actor) = (Action::Listened, asking.caller.actor);
            let seen = Seen { subject, action, actor, reason: Some(reason), address: asking.address };
            let kept = shared.store.record_seen(&seen, shared.clock.wall()).await;
            kept.map_err(|error| Problem::internal("audit", &error))?;
        }
    }

    let sound = Transfer { file: file.take(count), _permit: permit };
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(sound, CHUNK_BYTES)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(count));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, entity_tag);
    headers.insert(header::CONTENT_DISPOSITION, text(format!("inline; filename=\"recording-{id}.wav\"")));
    if let Selected::Part { first, last } = selected {
        headers.insert(header::CONTENT_RANGE, text(format!("bytes {first}-{last}/{length}")));
    }
    Ok(response)
}

/// Whether this caller may hear it; gives what the audit names: the ticket, or the call when there is none.
async fn heard(shared: &Shared, asking: &Asking, recording: &store::Recording) -> Result<String, Problem> {
    let failed = |error: store::StoreError| Problem::internal("recording", &error);
    let missing = || Problem::new(Kind::NotFound, "No recording has this id.");
    if let Some(ticket) = shared.store.ticket_of_recording(recording).await.map_err(failed)? {
        if !asking.caller.sees(&ticket) {
            return Err(missing());
        }
        asking.sees_requester(&ticket)?;
        return Ok(ticket.number.to_string());
    }
    let call = shared.store.call(recording.call).await.map_err(failed)?;
    let of_their_city = call.is_some_and(|call| asking.caller.cities.contains(call.city));
    if of_their_city && asking.caller.unit.is_none() { Ok(format!("call {}", recording.call)) } else { Err(missing()) }
}

/// A file on its way out; counts as a transfer until it is sent or given up.
struct Transfer {
    file: Take<File>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Transfer {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_read(cx, buffer)
    }
}

/// A row can't lead out of the folder, whoever wrote it.
fn inside(folder: &FilePath, relative: &str) -> io::Result<PathBuf> {
    let relative = FilePath::new(relative);
    if relative.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(folder.join(relative))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of a recording leads out of its folder"))
    }
}

fn still_open() -> Problem {
    Problem::new(Kind::RecordingOpen, "Ask again when the call has ended.")
        .header(header::RETRY_AFTER, HeaderValue::from_static(SECONDS_TO_WAIT))
}

fn unsatisfiable(length: u64) -> Problem {
    Problem::new(Kind::RangeNotSatisfiable, format!("The recording has {length} bytes."))
        .header(header::CONTENT_RANGE, text(format!("bytes */{length}")))
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("ids and numbers are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_cannot_lead_out_of_the_folder() {
        let folder = FilePath::new("/data/recordings");
        for outside in ["../hotline.db", "/etc/passwd", "2026/../../hotline.db"] {
            assert!(inside(folder, outside).is_err(), "{outside}");
        }
        assert!(inside(folder, "2026/11/22/a.wav").is_ok());
    }
}
