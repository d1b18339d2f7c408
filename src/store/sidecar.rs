//! The file beside each recording from which call and ticket can be rebuilt when the database was away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{FinishedRecording, NewCall, NewRecording};
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{EndedBy, RecordingId, RecordingKind, RequestType, Requester, Urgency};

/// A sidecar is some 1 kB; more is not one of ours.
const MAX_BYTES: u64 = 64 * 1024;

/// What is known of a recording, its call and the request in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    pub recording: RecordingId,
    pub kind: RecordingKind,
    pub started_at: DateTime<Utc>,
    pub call: NewCall,
    /// The request as far as it is known; `None` beside the recording of a whole call.
    pub request: Option<RequestFacts>,
    /// `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// A request before it is a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFacts {
    pub language: Language,
    pub requester: Requester,
    /// `None` until the caller says it.
    pub request_type: Option<RequestType>,
    pub urgency: Urgency,
    /// Until the caller is asked: whether it is a report of wrongdoing.
    pub confidential: bool,
    /// The number to call back: the caller's, or the one they typed.
    #[serde(with = "super::row::digits")]
    pub phone: Option<Phone>,
    /// The caller ID, when they typed another number.
    #[serde(with = "super::row::digits")]
    pub other_phone: Option<Phone>,
    /// The caller pressed the key that submits.
    pub confirmed: bool,
    /// Cancelled, or recorded again: never part of a ticket.
    pub discarded: bool,
}

/// How the recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub ended_by: EndedBy,
    pub damaged: bool,
}

impl Sidecar {
    /// 2 for a whole call, 1 for one side alone.
    pub fn channels(&self) -> u8 {
        match self.kind {
            RecordingKind::Request | RecordingKind::Reason | RecordingKind::Early => 1,
            RecordingKind::Call => 2,
        }
    }

    /// The row of this recording; `path` is below the folder of recordings.
    pub fn new_recording(&self, path: &str) -> NewRecording {
        NewRecording {
            id: self.recording,
            call: self.call.id,
            kind: self.kind,
            node: self.call.node.clone(),
            path: path.to_owned(),
            channels: self.channels(),
            started_at: self.started_at,
        }
    }

    /// `Ok(None)` when there is none, or none that can be read as one.
    pub(super) fn read(path: &Path) -> io::Result<Option<Sidecar>> {
        match fs::metadata(path) {
            Ok(found) if found.len() > MAX_BYTES => Ok(None),
            Ok(_) => Ok(serde_json::from_slice(&fs::read(path)?).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A sidecar on disk. It outlives its recording: what the caller says after it (confidential, the number, confirmed)
/// is written here too, until the ticket exists.
#[derive(Debug)]
pub struct SidecarFile {
    path: PathBuf,
    sidecar: Sidecar,
}

impl SidecarFile {
    pub(super) fn create(path: PathBuf, sidecar: Sidecar) -> io::Result<SidecarFile> {
        let file = SidecarFile { path, sidecar };
        file.write()?;
        Ok(file)
    }

    pub fn sidecar(&self) -> &Sidecar {
        &self.sidecar
    }

    /// Changes what is known, on disk when this returns. Blocks for two syncs; nothing is written when nothing changes.
    pub fn change(&mut self, change: impl FnOnce(&mut Sidecar)) -> io::Result<()> {
        let before = self.sidecar.clone();
        change(&mut self.sidecar);
        if self.sidecar == before { Ok(()) } else { self.write() }
    }

    /// Changes what is known of the request.
    pub fn change_request(&mut self, change: impl FnOnce(&mut RequestFacts)) -> io::Result<()> {
        self.change(|sidecar| {
            if let Some(request) = &mut sidecar.request {
                change(request);
            }
        })
    }

    /// Notes how the recording ended, so that a repair need not take it for a crash.
    pub fn finish(&mut self, finished: &FinishedRecording) -> io::Result<()> {
        let outcome = Outcome { ended_by: finished.ended_by, damaged: finished.damaged };
        self.change(|sidecar| sidecar.outcome = Some(outcome))
    }

    fn write(&self) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.sidecar)?;
        text.push(b'\n');
        replace(&self.path, &text)
    }
}

/// Writes a file so that after a crash it is the old or the new one, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("json.part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    sync_folder(path)
}

/// Makes the name of a file last.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().ok_or_else(|| io::Error::other("a file in no folder"))?;
    File::open(folder)?.sync_all()
}
