//! Reads a ticket back as a user of the API does, and checks its recording.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fetch::{Api, FetchError};
use super::teller::Teller;

/// After a call its recordings are closed and hashed within this.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    #[error("{0}")]
    Fetch(#[from] FetchError),
    #[error("it has no finished recording of the request")]
    NoRecording,
    #[error("the sound is not the one that was hashed")]
    OtherSound,
}

/// Tells the ticket once its recordings are whole.
pub async fn show(teller: &Teller, api: &Api, number: &str) -> Result<(), TicketError> {
    let path = format!("/api/v1/tickets/{number}");
    let finished = async {
        loop {
            let ticket = api.json(&path).await?;
            if is_finished(&ticket) {
                return Ok(ticket);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ticket: Value = match tokio::time::timeout(CLOSE_LIMIT, finished).await {
        Ok(ticket) => ticket.map_err(TicketError::Fetch)?,
        Err(_) => return Err(TicketError::NoRecording),
    };
    let request = request_of(&ticket).ok_or(TicketError::NoRecording)?;
    let sound = api.bytes(&format!("/api/v1/recordings/{}/audio", text(&request["id"]))).await?;
    let sha256 = hex(&Sha256::digest(&sound));
    if sha256 != text(&request["sha256"]) {
        return Err(TicketError::OtherSound);
    }
    let seconds = request["duration_ms"].as_u64().unwrap_or(0) as f64 / 1e3;
    let [city, language, kind] = ["city", "language", "type"].map(|key| text(&ticket[key]));
    let facts = json!({
        "number": number, "city": city, "language": language, "type": kind,
        "confirmed": ticket["confirmed"], "state": ticket["state"], "recordings": ticket["recordings"],
    });
    let told =
        format!("{number}  {city}  {language}  {kind}  {seconds:.1} s recorded\nsha256 {sha256}, read back and equal");
    teller.step("ticket", "工单", &told, facts);
    Ok(())
}

fn is_finished(ticket: &Value) -> bool {
    let finished = |recording: &Value| recording["sha256"].is_string();
    request_of(ticket).is_some() && ticket["recordings"].as_array().is_some_and(|all| all.iter().all(finished))
}

fn request_of(ticket: &Value) -> Option<&Value> {
    ticket["recordings"].as_array()?.iter().find(|recording| recording["kind"] == "request")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
