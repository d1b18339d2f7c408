//! At start: what a crash or an absent database left open becomes calls, recordings and tickets.
//!
//! Every step may be done twice, and a call is closed last, so a repair that is killed is simply done again: whatever
//! is not settled is looked at. Days before the last whole repair are not searched.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::sidecar::{RequestFacts, Sidecar};
use super::wav::{self, Figures};
use super::{
    Call, EndedCall, FinishedRecording, NewRecording, NewTicket, Recording, RecordingFolder, Store, StoreError,
    SubmitError, speech_ms,
};
use crate::clock::beijing_day;
use crate::language::Language;
use crate::media::peaks::Peaks;
use crate::ticket::{Actor, CallEnd, CallId, EndedBy, Number, RecordingKind, RecordingState, Requester, Urgency};

/// From so much speech on, a request is a ticket even if the caller hung up (domain §2).
const REQUEST_SPEECH_MS: u64 = 3_000;

/// Before any recording.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    pub calls: u32,
    pub recordings: u32,
    pub tickets: Vec<Number>,
    /// Sound whose call is not known: neither a sidecar nor a row. The files stay as they are.
    pub orphans: Vec<PathBuf>,
    /// Calls that could not be repaired, with the reason; the next start tries again.
    pub failed: Vec<(CallId, String)>,
}

/// Why the repair stopped.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    #[error("the folder of recordings can't be searched: {0}")]
    Folder(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One recording with all that is known of it.
struct Piece {
    relative: String,
    sidecar: Option<Sidecar>,
    row: Option<Recording>,
}

impl Piece {
    fn call(&self) -> Option<CallId> {
        let named = self.sidecar.as_ref().map(|sidecar| sidecar.call.id);
        self.row.as_ref().map(|row| row.call).or(named)
    }
}

/// A recording that is part of the request.
struct Take {
    row: Recording,
    facts: Option<RequestFacts>,
}

/// Repairs this machine's calls. Run it before the first call is answered: a running call would be taken for a dead one.
pub async fn repair(
    store: &Store,
    folder: &RecordingFolder,
    node: &str,
    now: DateTime<Utc>,
) -> Result<Repaired, RepairError> {
    let first = store.repaired_until(node).await?.map_or(FIRST_DAY, |day| day - Days::new(1));
    let mut repaired = Repaired::default();
    let calls = unsettled(store, folder, node, first, &mut repaired).await?;
    for (call, pieces) in calls {
        match repair_call(store, folder, call, &pieces, now, &mut repaired).await {
            Ok(()) => {}
            Err(CallError::Store(error)) => return Err(error.into()),
            Err(error) => repaired.failed.push((call, error.to_string())),
        }
    }
    if repaired.failed.is_empty() {
        store.set_repaired_until(node, beijing_day(now)).await?;
    }
    Ok(repaired)
}

#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Store(StoreError),
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Submit(SubmitError),
    #[error("neither its row nor a sidecar is there")]
    NothingKnown,
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> CallError {
        CallError::Store(error)
    }
}

impl From<SubmitError> for CallError {
    fn from(error: SubmitError) -> CallError {
        match error {
            SubmitError::Store(error) => CallError::Store(error),
            other => CallError::Submit(other),
        }
    }
}

/// The calls that are open or have a recording that is not settled, with all their recordings.
async fn unsettled(
    store: &Store,
    folder: &RecordingFolder,
    node: &str,
    first: NaiveDate,
    repaired: &mut Repaired,
) -> Result<BTreeMap<CallId, Vec<Piece>>, RepairError> {
    let mut calls: BTreeMap<CallId, Vec<Piece>> = BTreeMap::new();
    let mut open: Vec<CallId> = store.open_calls(node).await?.iter().map(|call| call.id).collect();
    open.extend(store.open_recordings(node).await?.iter().map(|recording| recording.call));
    for call in open {
        calls.entry(call).or_default();
    }
    let settled = store.settled_recordings(node, beijing_midnight(first)).await?;
    let searched = folder.clone();
    let found = blocking(move || searched.since(first)).await?;
    for found in found.into_iter().filter(|found| !settled.contains(&found.id)) {
        let row = store.recording(found.id).await?;
        if row.as_ref().is_some_and(|row| row.node != node) {
            continue;
        }
        let piece = piece(folder, found.relative, row).await?;
        match piece.call() {
            Some(call) => calls.entry(call).or_default().push(piece),
            None => repaired.orphans.extend(folder.file(&piece.relative)),
        }
    }
    for (call, pieces) in &mut calls {
        add_other_rows(store, folder, *call, pieces).await?;
    }
    Ok(calls)
}

/// The call's rows that the search did not come by: settled, of an earlier day, or without a file.
async fn add_other_rows(
    store: &Store,
    folder: &RecordingFolder,
    call: CallId,
    pieces: &mut Vec<Piece>,
) -> Result<(), RepairError> {
    for row in store.recordings_of_call(call).await? {
        if !pieces.iter().any(|piece| piece.relative == row.path) {
            pieces.push(piece(folder, row.path.clone(), Some(row)).await?);
        }
    }
    pieces.sort_by(|one, other| one.relative.cmp(&other.relative));
    Ok(())
}

async fn piece(folder: &RecordingFolder, relative: String, row: Option<Recording>) -> io::Result<Piece> {
    let sidecar = match folder.file(&relative) {
        Some(path) => blocking(move || Sidecar::read(&path.with_extension("json"))).await?,
        None => None,
    };
    Ok(Piece { relative, sidecar, row })
}

fn beijing_midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}

async fn repair_call(
    store: &Store,
    folder: &RecordingFolder,
    id: CallId,
    pieces: &[Piece],
    now: DateTime<Utc>,
    repaired: &mut Repaired,
) -> Result<(), CallError> {
    let call = ensure_call(store, id, pieces).await?;
    let mut end = call.answered_at.unwrap_or(call.started_at);
    let mut takes = Vec::new();
    for piece in pieces {
        let row = ensure_row(store, piece).await?;
        let finished = finish(store, folder, piece, &row, repaired).await?;
        end = end.max(row.started_at + TimeDelta::milliseconds(finished.unwrap_or(0) as i64));
        takes.extend(take(piece, row));
    }
    // a call is closed only after its ticket, so one that is closed owes none: its takes were too short, or cancelled
    if call.ended_at.is_none() && is_request(folder, &takes).await? {
        let submitted = store.submit_late_ticket(&new_ticket(&call, takes), end, now).await?;
        repaired.tickets.extend(submitted.new.then_some(submitted.number));
    }
    let end = EndedCall { id, answered_at: None, language: None, ended_at: end, ended_by: CallEnd::Crash };
    repaired.calls += u32::from(store.close_call(&end).await?);
    Ok(())
}

async fn ensure_call(store: &Store, id: CallId, pieces: &[Piece]) -> Result<Call, CallError> {
    if let Some(call) = store.call(id).await? {
        return Ok(call);
    }
    let known = pieces.iter().find_map(|piece| piece.sidecar.as_ref()).ok_or(CallError::NothingKnown)?;
    store.insert_call(&known.call).await?;
    store.call(id).await?.ok_or(CallError::NothingKnown)
}

async fn ensure_row(store: &Store, piece: &Piece) -> Result<Recording, CallError> {
    if let Some(row) = &piece.row {
        return Ok(row.clone());
    }
    let sidecar = piece.sidecar.as_ref().ok_or(CallError::NothingKnown)?;
    let new: NewRecording = sidecar.new_recording(&piece.relative);
    store.begin_recording(&new).await?;
    store.recording(new.id).await?.ok_or(CallError::NothingKnown)
}

/// Closes an open recording; gives its duration.
async fn finish(
    store: &Store,
    folder: &RecordingFolder,
    piece: &Piece,
    row: &Recording,
    repaired: &mut Repaired,
) -> Result<Option<u64>, CallError> {
    if row.state == RecordingState::Closed {
        return Ok(row.duration_ms);
    }
    let figures = restore(folder, &piece.relative, row.channels).await?;
    let outcome = piece.sidecar.as_ref().and_then(|sidecar| sidecar.outcome);
    let finished = FinishedRecording {
        id: row.id,
        duration_ms: figures.duration_ms,
        sha256: figures.sha256,
        bytes: figures.bytes,
        ended_by: outcome.map_or(EndedBy::Crash, |outcome| outcome.ended_by),
        damaged: figures.headless || outcome.is_some_and(|outcome| outcome.damaged),
        peaks: outline(folder, &piece.relative, row.channels).await?,
    };
    repaired.recordings += u32::from(store.finish_recording(&finished).await?);
    Ok(Some(finished.duration_ms))
}

/// What the caller said for their request; `None` for what was cancelled or recorded again, and for a whole call.
fn take(piece: &Piece, row: Recording) -> Option<Take> {
    let facts = piece.sidecar.as_ref().and_then(|sidecar| sidecar.request.clone());
    let counts = row.kind == RecordingKind::Request && !facts.as_ref().is_some_and(|facts| facts.discarded);
    counts.then_some(Take { row, facts })
}

/// Whether the takes are a request that must not be lost: a ticket has one of them, the caller confirmed, or one holds
/// enough speech. The others then belong to it however short they are: they are additions.
async fn is_request(folder: &RecordingFolder, takes: &[Take]) -> io::Result<bool> {
    let confirmed = |take: &Take| take.facts.as_ref().is_some_and(|facts| facts.confirmed);
    if takes.iter().any(|take| take.row.ticket.is_some() || confirmed(take)) {
        return Ok(true);
    }
    for take in takes {
        let Some(path) = folder.file(&take.row.path).filter(|path| path.exists()) else { continue };
        let samples = blocking(move || wav::samples(&path)).await?;
        if speech_ms(&samples) >= REQUEST_SPEECH_MS {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The facts are those of the last take, what the caller said last; a confirmed one comes before.
fn new_ticket(call: &Call, takes: Vec<Take>) -> NewTicket {
    let facts = takes.iter().filter_map(|take| take.facts.clone()).max_by_key(|facts| facts.confirmed);
    let facts = facts.unwrap_or_else(|| unknown_facts(call));
    NewTicket {
        call: call.id,
        recordings: takes.into_iter().map(|take| take.row.id).collect(),
        city: call.city,
        line: call.line.clone(),
        language: facts.language,
        requester: facts.requester,
        phone: facts.phone,
        other_phone: facts.other_phone,
        confidential: facts.confidential,
        request_type: facts.request_type,
        urgency: facts.urgency,
        confirmed: facts.confirmed,
        actor: Actor::Repair,
    }
}

/// Without its sidecar a recording may be anything: it is kept confidential until somebody has listened to it.
fn unknown_facts(call: &Call) -> RequestFacts {
    RequestFacts {
        language: call.language.unwrap_or(Language::Bo),
        requester: Requester::Citizen,
        request_type: None,
        urgency: Urgency::Normal,
        confidential: true,
        phone: call.phone.clone(),
        other_phone: None,
        confirmed: false,
        discarded: false,
    }
}

/// A file that is gone is an empty, damaged recording.
async fn restore(folder: &RecordingFolder, relative: &str, channels: u8) -> io::Result<Figures> {
    const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let gone = Figures { duration_ms: 0, sha256: SHA256_OF_NOTHING.to_owned(), bytes: 0, headless: true };
    let Some(path) = folder.file(relative) else { return Ok(gone) };
    match blocking(move || wav::restore(&path, channels)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(gone),
        other => other,
    }
}

/// `None` for a file that is gone.
async fn outline(folder: &RecordingFolder, relative: &str, channels: u8) -> io::Result<Option<Peaks>> {
    let Some(path) = folder.file(relative) else { return Ok(None) };
    match blocking(move || wav::peaks(&path, channels)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
