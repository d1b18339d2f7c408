//! A ticket's files: handed in by a form, and fetched.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::{not_found, seen};
use crate::console::Shared;
use crate::console::pages::sent::bad;
use crate::console::pages::{Frame, Uploaded, done};
use crate::console::problem::Problem;
use crate::console::segment::{Segment, Segments};
use crate::console::tickets;
use crate::ticket::{AttachmentId, Line};

/// Adds the file of the form.
pub async fn add(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
    Uploaded { file, .. }: Uploaded,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let file = file.ok_or_else(|| bad("file", "No file was chosen."))?;
    let name: Line = file.name.parse().map_err(|wrong| bad("file", format!("The file's name: {wrong}.")))?;
    if name.is_empty() {
        return Err(bad("file", "The file has no name."));
    }
    tickets::add(&shared, &frame.asking, &ticket, Ok(name), &file.media_type, file.bytes).await?;
    done(&format!("/tickets/{}#attachments", ticket.number), "attached")
}

/// The bytes of a file, to be kept and not shown. Each download is on record.
pub async fn download(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segments([number, id]): Segments<2>,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let id: AttachmentId = id.parse().map_err(|_| not_found())?;
    let (attachment, mut response) = tickets::bytes(&shared, frame.asking, id, Some(ticket.number)).await?;
    let disposition = format!("attachment; filename*=UTF-8''{}", encoded(&attachment.name));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A name as RFC 8187 has it: letters and digits, all else percent-encoded.
fn encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_name_can_hold_anything() {
        assert_eq!(encoded("a b\"\r\n.png"), "a%20b%22%0D%0A.png");
        assert_eq!(encoded("水.pdf"), "%E6%B0%B4.pdf");
    }
}
