//! A recording's sound, whole or by ranges.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::io::ReaderStream;

use super::{Heard, heard, inside, reason, text, unreadable};
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::guard::busy;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::range::{self, Selected};
use crate::console::schema::Wav;
use crate::console::segment::Segment;
use crate::store::Seen;
use crate::ticket::{Action, Line, RecordingId};

/// Seconds of sound: few reads, little memory.
const CHUNK_BYTES: usize = 64 * 1024;

/// A player fetches a recording piece by piece: all that one person fetches within this time is one listening.
const ONE_LISTENING: TimeDelta = TimeDelta::minutes(30);

/// The sound of a recording: WAV, 8000 Hz.
///
/// Takes one `Range` of bytes, with `If-Range`; several ranges are answered with the whole. The `ETag` is the
/// recording's SHA-256, `If-None-Match` saves a second transfer. While it is being written there is nothing to fetch:
/// 409. Of confidential, anonymous and reporting requesters only named people hear it, with a `reason`. Each listening
/// is on record, with `reason` if one is given: what one person fetches of a recording within 30 minutes is one listening,
/// another one begins with each fetch from the start.
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
    let heard = heard(&shared, &asking, &id).await?;
    heard.sounds()?;
    let why = reason(&query, heard.needs_reason())?;
    let (id, tag) = (heard.recording.id, heard.recording.sha256.clone().unwrap_or_default());
    let entity_tag = format!("\"{tag}\"");
    if range::client_has(&headers, &entity_tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, entity_tag)]).into_response());
    }

    let (mut file, length, permit) = open(&shared, &heard).await?;
    // a range is defined for GET alone (RFC 9110 §14.2)
    let selected = if method == Method::GET { range::select(&headers, &entity_tag, length) } else { Selected::Whole };
    let (first, count) = selected.bytes(length)?;
    file.seek(SeekFrom::Start(first)).await.map_err(unreadable(id))?;
    let entity_tag =
        HeaderValue::try_from(entity_tag).map_err(|error| Problem::internal("recording digest", &error))?;
    if method == Method::GET {
        tracing::info!(recording.id = %id, first, count, "a recording is read");
        write_down(&shared, &asking, &heard, why, first == 0).await?;
    }

    let sound = Transfer { sound: file.take(count), _permit: permit };
    let mut response = selected.wav(length, entity_tag, sound.body());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(count));
    headers.insert(header::CONTENT_DISPOSITION, text(format!("inline; filename=\"recording-{id}.wav\"")));
    Ok(response)
}

/// The file, its length, and leave to send it.
pub(super) async fn open(shared: &Shared, heard: &Heard) -> Result<(File, u64, OwnedSemaphorePermit), Problem> {
    let failed = unreadable(heard.recording.id);
    let permit = Arc::clone(&shared.transfers).try_acquire_owned().map_err(|_| busy())?;
    let path = inside(&shared.recordings, &heard.recording.path).map_err(failed)?;
    let file = File::open(path).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    Ok((file, length, permit))
}

/// Whoever begins in the middle listens too, once.
async fn write_down(
    shared: &Shared,
    asking: &Asking,
    heard: &Heard,
    why: Option<Line>,
    from_the_start: bool,
) -> Result<(), Problem> {
    let (id, now) = (heard.recording.id, shared.clock.wall());
    let failed = |error| Problem::internal("audit", &error);
    if !from_the_start {
        let recently =
            shared.store.listened_since(asking.caller.actor, &heard.subject(), id, now - ONE_LISTENING).await;
        if recently.map_err(failed)? {
            return Ok(());
        }
    }
    let seen = Seen {
        subject: heard.subject(),
        action: Action::Listened,
        actor: asking.caller.actor,
        reason: Some(with_reason(id, why.as_ref())),
        address: asking.address.clone(),
    };
    shared.store.record_seen(&seen, now).await.map_err(failed)
}

/// What the audit keeps of a recording that was heard or taken away.
pub(super) fn with_reason(id: RecordingId, why: Option<&Line>) -> String {
    why.map_or_else(|| id.to_string(), |why| format!("{id}: {}", why.as_str()))
}

/// Sound on its way out; counts as a transfer until it is sent or given up.
pub(super) struct Transfer<R> {
    pub sound: R,
    pub _permit: OwnedSemaphorePermit,
}

impl<R: AsyncRead + Send + Unpin + 'static> Transfer<R> {
    pub fn body(self) -> Body {
        Body::from_stream(ReaderStream::with_capacity(self, CHUNK_BYTES))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Transfer<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.sound).poll_read(cx, buffer)
    }
}
