//! A ticket as users of the API see and move it: read back with its recording, handled by a unit, scored by its requester.

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
    #[error("the return visit did not make it {0}")]
    NotMoved(String),
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

/// What an agent makes of a request.
#[derive(Clone, Copy, Debug)]
pub struct Matter {
    pub title: &'static str,
    pub class: &'static str,
    pub unit: &'static str,
}

/// What the hotline, the unit and the supervisor do until the matter is closed.
///
/// # Errors
/// The command that was refused.
pub async fn close(teller: &Teller, api: &Api, number: &str, matter: &Matter) -> Result<(), TicketError> {
    let Matter { title, class, unit } = matter;
    for (command, zh, en) in [
        (
            json!({"command": "edit", "title": title, "summary": title, "class": class}),
            "登记",
            "an agent listens and classifies",
        ),
        (json!({"command": "dispatch", "unit": unit}), "交办", "dispatched to a unit"),
        (json!({"command": "sign"}), "签收", "the unit signs"),
        (
            json!({"command": "record_contact", "told": "已告知受理情况和办理时限"}),
            "联系群众",
            "the unit contacts the requester",
        ),
        (json!({"command": "reply", "text": "已办理"}), "办结反馈", "the unit answers"),
        (json!({"command": "pass"}), "审核通过", "a supervisor lets it pass: a return visit is due"),
    ] {
        let path = format!("/api/v1/tickets/{number}");
        let mut command = command;
        command["version"] = api.json(&path).await?["version"].clone();
        let ticket = api.post(&format!("{path}/commands"), &command).await?;
        let facts = json!({"number": number, "command": command["command"], "state": ticket["state"]});
        teller.step("command", zh, &format!("{en}: {number} is {}", text(&ticket["state"])), facts);
    }
    Ok(())
}

/// Waits until the visit's answers have moved the ticket, and tells them.
///
/// # Errors
/// The ticket does not come to that state.
pub async fn visited(teller: &Teller, api: &Api, number: &str, state: &str) -> Result<(), TicketError> {
    let path = format!("/api/v1/tickets/{number}");
    let moved = async {
        loop {
            let ticket = api.json(&path).await?;
            if text(&ticket["state"]) == state {
                return Ok(ticket);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ticket: Value = match tokio::time::timeout(CLOSE_LIMIT, moved).await {
        Ok(ticket) => ticket.map_err(TicketError::Fetch)?,
        Err(_) => return Err(TicketError::NotMoved(state.to_owned())),
    };
    let visit = ticket["visits"].as_array().and_then(|visits| visits.last()).cloned().unwrap_or_default();
    let [contacted, solved] = ["contacted", "solved"].map(|key| text(&visit[key]));
    let score = visit["satisfaction"].as_u64().unwrap_or(0);
    let zh = if state == "recheck" { "复核重办" } else { "归档" };
    let told = format!("{number} is {state}: contacted {contacted}, solved {solved}, satisfaction {score} of 5");
    teller.step("visited", zh, &told, json!({"number": number, "state": state, "visit": visit}));
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
