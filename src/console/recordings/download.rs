//! A recording as a file that says who took it away.

use std::io::{Cursor, SeekFrom};
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::audio::{Transfer, open, with_reason};
use super::watermark::{Mark, PLAIN_HEAD, head};
use super::{heard, may_download, reason, text, unreadable};
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::schema::Wav;
use crate::console::segment::Segment;
use crate::store::Seen;
use crate::ticket::{Action, RecordingId};

/// A recording as a file to keep.
///
/// The file's name holds who took it and the day, and so does the file: a `LIST` chunk names the account, the time, the
/// ticket and the reason. Each download is on record.
#[utoipa::path(
    get,
    path = "/api/v1/recordings/{id}/download",
    operation_id = "download_recording",
    tag = "tickets",
    params(("id" = RecordingId, Path, description = "The id of a recording of a ticket or a call.")),
    responses((status = 200, content_type = "audio/wav", body = Wav, headers(
        ("content-disposition" = String, description = "The file's name: the recording, the account, the day.")
    )))
)]
pub async fn download(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    may_download(&asking)?;
    let heard = heard(&shared, &asking, &id).await?;
    heard.sounds()?;
    let why = reason(&query, true)?;
    let id = heard.recording.id;
    let (mut file, length, permit) = open(&shared, &heard).await?;
    let now = shared.clock.wall();
    let (subject, who) = (heard.subject(), asking.caller.name.as_str());
    let comment = format!("{subject}: {}", why.as_ref().map_or("", |why| why.as_str()));
    let mark = Mark { name: &id.to_string(), source: "hotline 12345", who, when: &now.to_rfc3339(), comment: &comment };
    let data = u32::try_from(length.saturating_sub(PLAIN_HEAD));
    let data = data.map_err(|error| Problem::internal("recording length", &error))?;
    let head = head(heard.recording.channels, data, &mark);
    file.seek(SeekFrom::Start(PLAIN_HEAD)).await.map_err(unreadable(id))?;

    let (action, actor) = (Action::Downloaded, asking.caller.actor);
    let seen =
        Seen { subject, action, actor, reason: Some(with_reason(id, why.as_ref())), address: asking.address.clone() };
    shared.store.record_seen(&seen, now).await.map_err(|error| Problem::internal("audit", &error))?;
    tracing::info!(recording.id = %id, "a recording is downloaded");

    let count = head.len() as u64 + u64::from(data);
    let sound = Transfer { sound: Cursor::new(head).chain(file.take(u64::from(data))), _permit: permit };
    let mut response = Response::new(sound.body());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(count));
    let name = format!("recording-{id}-{}-{}.wav", plain(who), beijing_day(now));
    headers.insert(header::CONTENT_DISPOSITION, text(format!("attachment; filename=\"{name}\"")));
    Ok(response)
}

/// An account's name as part of a file's.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect()
}
