//! A ticket's files: pictures, documents, sound and video that a requester or a unit adds.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;

use super::number;
use super::out::AttachmentOut;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::guard::{forbidden, too_large};
use crate::console::problem::{Kind, Problem};
use crate::console::query::{Parameters, bad};
use crate::console::segment::Segment;
use crate::store::{Attachment, Seen};
use crate::ticket::{Action, AttachmentId, Line, Number, Ticket};

pub const MAX_BYTES: usize = 20 * 1024 * 1024;

/// What may be added, with the bytes that such a file begins with. Nothing here is ever run or shown as a page.
const TYPES: &[(&str, &[&[u8]])] = &[
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/webp", &[b"RIFF"]),
    ("application/pdf", &[b"%PDF-"]),
    ("audio/wav", &[b"RIFF"]),
    ("audio/mpeg", &[b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"]),
    ("audio/amr", &[b"#!AMR"]),
    ("video/mp4", &[]),
    ("text/plain", &[]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &[b"PK"]),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &[b"PK"]),
];

pub const KEYS: &[&str] = &["name"];

/// Adds a file to a ticket: its bytes are the body, its media type the header `Content-Type`.
///
/// At most 20 MiB; pictures (JPEG, PNG, WebP), PDF, sound (WAV, MP3, AMR), MP4, plain text, Word and Excel documents.
///
/// Who files requests may, and the units that have the ticket.
#[utoipa::path(
    post,
    path = "/api/v1/tickets/{number}/attachments",
    operation_id = "attach_to_ticket",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentOut))
)]
pub async fn attach(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Segment(text): Segment,
    headers: HeaderMap,
    bytes: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<(StatusCode, Json<AttachmentOut>), Problem> {
    let number = number(&text)?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let ticket = asking.seen(found)?;
    let bytes = bytes.map_err(|_| too_large(MAX_BYTES))?;
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name: Option<Line> = query.value("name")?;
    let nameless = || bad("name", "Give the file's name: `?name=photo.jpg`.");
    let named = name.filter(|name| !name.is_empty()).ok_or_else(nameless);
    let attachment = add(&shared, &asking, &ticket, named, given, bytes).await?;
    Ok((StatusCode::CREATED, Json(attachment.into())))
}

/// Keeps a file of a ticket that the caller sees.
///
/// # Errors
/// The caller may not, or it is no such file.
pub async fn add(
    shared: &Shared,
    asking: &Asking,
    ticket: &Ticket,
    name: Result<Line, Problem>,
    media_type: &str,
    bytes: Bytes,
) -> Result<Attachment, Problem> {
    asking.caller.may_attach(ticket).map_err(|denied| forbidden(&denied))?;
    let media_type = known_type(media_type, &bytes)?;
    let name = name?;
    let now = shared.clock.wall();
    let id = AttachmentId::new(now, shared.request_ids.random());
    let (folder, length) = (shared.attachments.clone(), bytes.len() as u64);
    let kept = tokio::task::spawn_blocking(move || folder.keep(id, &bytes)).await;
    let sha256 = kept
        .map_err(std::io::Error::other)
        .and_then(|kept| kept)
        .map_err(|error| Problem::internal("attachment", &error))?;
    let attachment = Attachment {
        id,
        ticket: ticket.number,
        name: name.into(),
        media_type: media_type.to_owned(),
        bytes: length,
        sha256,
        added_at: now,
        actor: asking.caller.actor,
    };
    let added = shared.store.attach(&attachment, asking.address.as_deref()).await;
    added.map_err(|error| Problem::internal("attachment", &error))?;
    Ok(attachment)
}

/// The bytes of an attachment. Each download is on record.
#[utoipa::path(
    get,
    path = "/api/v1/attachments/{id}",
    operation_id = "read_attachment",
    tag = "tickets",
    params(("id" = String, Path, description = "The id of the attachment.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub async fn download(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
) -> Result<Response, Problem> {
    let id = text.parse().map_err(|_| missing())?;
    bytes(&shared, asking, id, None).await.map(|(_, response)| response)
}

fn missing() -> Problem {
    Problem::new(Kind::NotFound, "No attachment has this id.")
}

/// An attachment that the caller sees, of this ticket if one is named, and its bytes on their way.
pub async fn bytes(
    shared: &Shared,
    asking: Asking,
    id: AttachmentId,
    of: Option<Number>,
) -> Result<(Attachment, Response), Problem> {
    let failed = |error| Problem::internal("attachment", &error);
    let attachment = shared.store.attachment(id).await.map_err(failed)?.ok_or_else(missing)?;
    let ticket = shared.store.ticket_alone(attachment.ticket).await.map_err(failed)?;
    let is_seen = |ticket: &Ticket| asking.caller.sees(ticket) && of.is_none_or(|of| of == ticket.number);
    let ticket = ticket.filter(is_seen).ok_or_else(missing)?;
    asking.sees_requester(&ticket)?;
    let file = tokio::fs::File::open(shared.attachments.path(&attachment.sha256)).await;
    let file = file.map_err(|error| Problem::internal("attachment", &error))?;
    let seen = Seen {
        subject: attachment.ticket.to_string(),
        action: Action::Exported,
        actor: asking.caller.actor,
        reason: Some(format!("attachment {id}")),
        address: asking.address,
    };
    shared.store.record_seen(&seen, shared.clock.wall()).await.map_err(failed)?;
    let mut response = Body::from_stream(ReaderStream::new(file)).into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(&attachment.media_type);
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(attachment.bytes));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok((attachment, response))
}

/// The announced type, when it is one of ours and the bytes look like it.
fn known_type(given: &str, bytes: &[u8]) -> Result<&'static str, Problem> {
    let given = given.split(';').next().unwrap_or_default().trim();
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(given));
    let Some((name, beginnings)) = known else {
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        return Err(Problem::new(Kind::MediaType, format!("An attachment is one of: {}.", names.join(", "))));
    };
    if bytes.is_empty() {
        return Err(Problem::new(Kind::BadBody, "The file is empty."));
    }
    if !beginnings.is_empty() && !beginnings.iter().any(|beginning| bytes.starts_with(beginning)) {
        return Err(Problem::new(Kind::MediaType, format!("The file does not begin as {name} does.")));
    }
    Ok(name)
}
