//! Recordings: what the API tells of one, who may hear it, its sound, its waveform, and how it is taken away.

mod audio;
mod download;
mod outline;
mod search;
mod watermark;

use std::io;
use std::path::{Component, Path as FilePath, PathBuf};

use axum::http::{HeaderValue, header};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::guard::forbidden;
use super::problem::{Kind, Problem};
use super::query::{Parameters, bad};
use crate::access::Right;
use crate::city::City;
use crate::language::Language;
use crate::store;
use crate::ticket::{CallId, Direction, EndedBy, Line, Number, RecordingId, RecordingKind, RecordingState, Ticket};

pub use audio::{__path_audio, audio};
pub use download::{__path_download, download};
pub use outline::{__path_peaks, peaks};
pub use search::{__path_list, KEYS as SEARCH_KEYS, filter, list, whose};

pub const KEYS: &[&str] = &["reason"];

const SECONDS_TO_WAIT: &str = "10";
/// Characters of a reason at least.
const SHORTEST_REASON: usize = 2;

/// A recording. Its sound is at `/api/v1/recordings/{id}/audio`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recording)]
pub struct RecordingOut {
    pub id: RecordingId,
    pub call: CallId,
    /// The number of the ticket it belongs to.
    pub ticket: Option<Number>,
    pub kind: RecordingKind,
    pub started_at: DateTime<Utc>,
    /// `open` while it is being written; what is only known at the end is null until then.
    pub state: RecordingState,
    pub duration_ms: Option<u64>,
    /// Of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// Of the file.
    pub bytes: Option<u64>,
    pub channels: u8,
    pub ended_by: Option<EndedBy>,
    /// Sound was lost while it was written.
    pub damaged: bool,
    /// Under three seconds.
    pub short: bool,
    /// Nobody is heard on the caller's side.
    pub silent: bool,
    /// Its time was over: there is no sound any more.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl From<store::Recording> for RecordingOut {
    fn from(recording: store::Recording) -> RecordingOut {
        RecordingOut {
            short: recording.is_short(),
            silent: recording.is_silent(),
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
            deleted_at: recording.deleted_at,
        }
    }
}

/// A recording with what it is found by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundRecording)]
pub struct FoundOut {
    #[serde(flatten)]
    pub recording: RecordingOut,
    pub city: City,
    pub direction: Direction,
    /// Null when the caller never chose.
    pub language: Option<Language>,
    /// The other side's number, masked; null when withheld, and for whoever is not named for confidential requests.
    pub phone: Option<String>,
    /// The ticket of the recording, of its call, or of the return visit it was made in.
    pub belongs_to: Option<Number>,
    /// How satisfied that ticket's requester is, 5 to 1.
    pub satisfaction: Option<u8>,
    /// Answers of a return visit were given in its call.
    pub answered: bool,
}

impl FoundOut {
    pub fn new(recording: store::Recording, asking: &Asking) -> FoundOut {
        FoundOut {
            city: recording.city,
            direction: recording.direction,
            language: recording.language,
            phone: recording.phone.as_ref().filter(|_| asking.caller.named).map(|phone| phone.masked()),
            belongs_to: recording.owner,
            satisfaction: recording.satisfaction,
            answered: recording.answered,
            recording: recording.into(),
        }
    }
}

/// A recording that the caller may hear.
pub struct Heard {
    pub recording: store::Recording,
    pub ticket: Option<Ticket>,
}

impl Heard {
    /// What the audit names: the ticket, or the call when there is none.
    pub fn subject(&self) -> String {
        match &self.ticket {
            Some(ticket) => ticket.number.to_string(),
            None => format!("call {}", self.recording.call),
        }
    }

    /// Whether it takes a reason to hear it: its requester is for named people only.
    pub fn needs_reason(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.is_shielded() || ticket.anonymous)
    }

    /// Its sound can be fetched.
    ///
    /// # Errors
    /// It is being written, or gone.
    pub fn sounds(&self) -> Result<(), Problem> {
        if self.recording.deleted_at.is_some() {
            return Err(Problem::new(Kind::Gone, "Its time was over, or it was deleted before."));
        }
        match self.recording.state {
            RecordingState::Closed => Ok(()),
            RecordingState::Open => Err(still_open()),
        }
    }
}

/// The recording of this id, if the caller may hear it.
///
/// # Errors
/// There is none for this caller, or its requester is for named people only.
pub async fn heard(shared: &Shared, asking: &Asking, id: &str) -> Result<Heard, Problem> {
    let failed = |error: store::StoreError| Problem::internal("recording", &error);
    let missing = || Problem::new(Kind::NotFound, "No recording has this id.");
    let id: RecordingId = id.parse().map_err(|_| missing())?;
    let recording = shared.store.recording(id).await.map_err(failed)?.ok_or_else(missing)?;
    let ticket = shared.store.ticket_of_recording(&recording).await.map_err(failed)?;
    match &ticket {
        Some(ticket) if !asking.caller.sees(ticket) => return Err(missing()),
        Some(ticket) => asking.sees_requester(ticket)?,
        None if asking.caller.unit.is_some() || !asking.caller.cities.contains(recording.city) => return Err(missing()),
        None => {}
    }
    Ok(Heard { recording, ticket })
}

/// The words given as `reason`.
///
/// # Errors
/// There are none and it takes some.
pub fn reason(query: &Parameters, needed: bool) -> Result<Option<Line>, Problem> {
    let words: Option<Line> = query.value("reason")?;
    let words = words.filter(|words| words.as_str().chars().count() >= SHORTEST_REASON);
    if needed && words.is_none() {
        return Err(bad("reason", "Say why: a reason has 2 to 200 characters."));
    }
    Ok(words)
}

/// Whether the caller may take recordings away.
pub fn may_download(asking: &Asking) -> Result<(), Problem> {
    asking.caller.needs(Right::Download).map_err(|denied| forbidden(&denied))
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

/// The log says which recording, never where it lies.
fn unreadable(id: RecordingId) -> impl Fn(io::Error) -> Problem + Copy {
    move |error| Problem::internal("recording file", &io::Error::new(error.kind(), format!("recording {id}: {error}")))
}

fn still_open() -> Problem {
    Problem::new(Kind::RecordingOpen, "Ask again when the call has ended.")
        .header(header::RETRY_AFTER, HeaderValue::from_static(SECONDS_TO_WAIT))
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
