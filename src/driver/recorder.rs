//! The threads that write recordings: they drain the rings of the media thread into files, hand them to the
//! operating system every half second and to the disk every second, each file at its own time. Beside each runs
//! another that waits for the disk, so that a disk which stalls for seconds costs a killed process no sound.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::oneshot;

use super::media::recording::Source;
use crate::clock::{Clock, Mono};
use crate::ivr::Draft;
use crate::media::clip::Clip;
use crate::media::codec::{ALAW_SILENCE, alaw_encode};
use crate::media::frame::Frame;
use crate::media::{FRAME, FRAME_MS};
use crate::store::{
    FinishedRecording, NewCall, RecordingError, RecordingFolder, RecordingWriter, RequestFacts, Sidecar, SidecarFile,
};
use crate::ticket::{CallId, EndedBy, RecordingId, RecordingKind, Requester, Urgency};

/// How often rings are drained; they hold two seconds.
const PASS: Duration = Duration::from_millis(100);
const FLUSH_EVERY: Duration = Duration::from_millis(500);
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// A hole in the sound longer than this is not filled with silence.
const LONGEST_HOLE_MS: u32 = 60_000;

/// How recordings are written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Threads that write and sync; a slow disk needs more.
    pub writers: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config { writers: 4 }
    }
}

/// A recording that is to begin.
#[derive(Clone, Debug)]
pub struct FileSpec {
    pub call: NewCall,
    pub id: RecordingId,
    pub kind: RecordingKind,
    pub started_at: chrono::DateTime<chrono::Utc>,
    pub draft: Option<Box<Draft>>,
}

/// The recorder is gone, or the disk refuses.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    #[error(transparent)]
    File(#[from] RecordingError),
    #[error("there is no such recording")]
    Unknown,
    #[error("the recording threads have ended")]
    Stopped,
}

enum Job {
    Attach {
        call: CallId,
        ring: Source,
    },
    Open {
        spec: Box<FileSpec>,
        done: oneshot::Sender<Result<String, RecorderError>>,
    },
    Begin {
        call: CallId,
        kind: RecordingKind,
    },
    Close {
        call: CallId,
        kind: RecordingKind,
        ended_by: EndedBy,
        end_frame: Option<u32>,
        done: oneshot::Sender<Result<FinishedRecording, RecorderError>>,
    },
    Facts {
        call: CallId,
        draft: Box<Draft>,
        discarded: Vec<RecordingId>,
    },
    Detach {
        call: CallId,
    },
}

/// The way to the recording threads. Clones share them; they end with the last one, after closing nothing: what is
/// open then is the next start's to repair.
#[derive(Clone, Debug)]
pub struct Recorder {
    threads: Arc<[Sender<Job>]>,
    folder: RecordingFolder,
}

impl Recorder {
    pub fn start(config: &Config, folder: RecordingFolder, clock: Clock) -> std::io::Result<Recorder> {
        let mut threads = Vec::new();
        for n in 0..config.writers.max(1) {
            let (jobs, queue) = channel();
            let (syncs, to_sync) = channel();
            let thread = Thread { folder: folder.clone(), clock, calls: HashMap::new(), syncs };
            std::thread::Builder::new().name(format!("recorder-sync-{n}")).spawn(move || sync_all(&to_sync))?;
            std::thread::Builder::new().name(format!("recorder-{n}")).spawn(move || thread.run(&queue))?;
            threads.push(jobs);
        }
        Ok(Recorder { threads: threads.into(), folder })
    }

    /// Takes over the ring of a call's session.
    pub fn attach(&self, call: CallId, ring: Source) {
        self.give(call, Job::Attach { call, ring });
    }

    /// Creates sidecar and file, on disk when this returns; no sample is taken before [`Recorder::begin`]. Gives the
    /// path below the folder of recordings.
    pub async fn open(&self, spec: FileSpec) -> Result<String, RecorderError> {
        let (done, opened) = oneshot::channel();
        self.give(spec.call.id, Job::Open { spec: Box::new(spec), done });
        opened.await.unwrap_or(Err(RecorderError::Stopped))
    }

    /// From now on samples go from the ring to the file.
    pub fn begin(&self, call: CallId, kind: RecordingKind) {
        self.give(call, Job::Begin { call, kind });
    }

    /// Ends a file before the frame of that number; without one, after the last in the ring.
    pub async fn close(
        &self,
        call: CallId,
        kind: RecordingKind,
        ended_by: EndedBy,
        end_frame: Option<u32>,
    ) -> Result<FinishedRecording, RecorderError> {
        let (done, closed) = oneshot::channel();
        self.give(call, Job::Close { call, kind, ended_by, end_frame, done });
        closed.await.unwrap_or(Err(RecorderError::Stopped))
    }

    /// Notes beside the call's open files what is known of the request; `discarded` are closed ones that are no
    /// longer part of it.
    pub fn facts(&self, call: CallId, draft: Box<Draft>, discarded: Vec<RecordingId>) {
        self.give(call, Job::Facts { call, draft, discarded });
    }

    /// The call is over and its files are closed.
    pub fn detach(&self, call: CallId) {
        self.give(call, Job::Detach { call });
    }

    /// A closed recording as a clip to play; `None` when it can't be read.
    pub async fn load(&self, path: &str) -> Option<Arc<Clip>> {
        let file = self.folder.file(path)?;
        tokio::task::spawn_blocking(move || read_clip(&file)).await.ok()?
    }

    fn give(&self, call: CallId, job: Job) {
        let at = spread(call) % self.threads.len();
        // a thread ends only when it panics; the next start repairs what it held
        let _ = self.threads[at].send(job);
    }
}

/// The same thread for all that belongs to a call.
fn spread(call: CallId) -> usize {
    call.to_string().bytes().rev().take(8).fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

fn read_clip(file: &std::path::Path) -> Option<Arc<Clip>> {
    let mut wav = hound::WavReader::open(file).ok()?;
    let alaw: Vec<u8> = wav.samples::<i16>().map(|sample| sample.map(alaw_encode)).collect::<Result<_, _>>().ok()?;
    Some(Arc::new(Clip::from_alaw(alaw)))
}

/// One file under way.
struct Open {
    writer: RecordingWriter,
    begun: bool,
    first: Option<u32>,
    next: u32,
    flushed: Mono,
    synced: Mono,
    syncing: Arc<Syncing>,
    failed: bool,
}

/// A file on its way to the disk.
struct Syncing {
    id: RecordingId,
    file: File,
    under_way: AtomicBool,
    failed: AtomicBool,
}

/// Until the writing thread ends.
fn sync_all(queue: &Receiver<Arc<Syncing>>) {
    for syncing in queue {
        if let Err(error) = syncing.file.sync_data() {
            tracing::error!(recording.id = %syncing.id, %error, "a recording can't be synced");
            syncing.failed.store(true, Ordering::Release);
        }
        syncing.under_way.store(false, Ordering::Release);
    }
}

/// What a kind of recording of a call is at.
#[derive(Default)]
enum Slot {
    /// None yet: its frames stay in the ring, for its file is on the way.
    #[default]
    Awaited,
    Open(Box<Open>),
    /// There is none and none will come: it could not be created, or the whole call is over. Its frames are lost.
    Gone,
}

/// One call's ring and files.
#[derive(Default)]
struct Held {
    ring: Option<Source>,
    /// Out of the ring, and waiting for its file.
    front: Option<Frame>,
    request: Slot,
    call: Slot,
    beside: HashMap<RecordingId, SidecarFile>,
    draft: Option<Box<Draft>>,
}

struct Thread {
    folder: RecordingFolder,
    clock: Clock,
    calls: HashMap<CallId, Held>,
    syncs: Sender<Arc<Syncing>>,
}

impl Thread {
    fn run(mut self, queue: &Receiver<Job>) {
        let mut pass_at = self.clock.mono() + PASS;
        loop {
            match queue.recv_timeout(pass_at.since(self.clock.mono())) {
                Ok(job) => self.carry_out(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.mono();
            if now >= pass_at {
                pass_at = now + PASS;
                for held in self.calls.values_mut() {
                    held.drain(None);
                    held.keep(now, &self.syncs);
                }
            }
        }
    }

    fn carry_out(&mut self, job: Job) {
        let now = self.clock.mono();
        match job {
            Job::Attach { call, ring } => self.calls.entry(call).or_default().ring = Some(ring),
            Job::Open { spec, done } => {
                let held = self.calls.entry(spec.call.id).or_default();
                let opened = held.open(&self.folder, *spec, now);
                // a keeper that no longer waits finds the file open all the same
                let _ = done.send(opened.map_err(RecorderError::File));
            }
            Job::Begin { call, kind } => {
                if let Some(Slot::Open(open)) = self.calls.get_mut(&call).map(|held| held.slot(kind)) {
                    open.begun = true;
                }
            }
            Job::Close { call, kind, ended_by, end_frame, done } => {
                let closed = match self.calls.get_mut(&call) {
                    Some(held) => held.close(kind, ended_by, end_frame),
                    None => Err(RecorderError::Unknown),
                };
                let _ = done.send(closed);
            }
            Job::Facts { call, draft, discarded } => {
                if let Some(held) = self.calls.get_mut(&call) {
                    held.note(draft, &discarded);
                }
            }
            Job::Detach { call } => {
                self.calls.remove(&call);
            }
        }
    }
}

impl Held {
    fn slot(&mut self, kind: RecordingKind) -> &mut Slot {
        match kind {
            RecordingKind::Request | RecordingKind::Reason | RecordingKind::Early => &mut self.request,
            RecordingKind::Call => &mut self.call,
        }
    }

    fn open(&mut self, folder: &RecordingFolder, spec: FileSpec, now: Mono) -> Result<String, RecordingError> {
        let kind = spec.kind;
        let sidecar = sidecar(spec, self.draft.as_deref());
        let created = folder.create(sidecar).and_then(|(writer, beside)| Ok((writer.handle()?, writer, beside)));
        match created {
            Ok((file, writer, beside)) => {
                let path = writer.path().to_owned();
                self.beside.insert(writer.id(), beside);
                let (under_way, failed) = (AtomicBool::new(false), AtomicBool::new(false));
                let syncing = Arc::new(Syncing { id: writer.id(), file, under_way, failed });
                let (flushed, synced) = (now, now);
                let open = Open { writer, begun: false, first: None, next: 0, flushed, synced, syncing, failed: false };
                *self.slot(kind) = Slot::Open(Box::new(open));
                Ok(path)
            }
            Err(error) => {
                *self.slot(kind) = Slot::Gone;
                Err(error)
            }
        }
    }

    /// Moves frames from the ring to the files, until one must wait for its file or is of a request after `end_frame`.
    fn drain(&mut self, end_frame: Option<u32>) {
        while let Some(frame) = self.front.take().or_else(|| self.ring.as_mut()?.pop()) {
            let past = end_frame.is_some_and(|end| frame.request && frame.number >= end);
            let waits = (frame.request && self.request.waits()) || (frame.call && self.call.waits());
            if past || waits {
                self.front = Some(frame);
                return;
            }
            if let (true, Slot::Open(open)) = (frame.request, &mut self.request) {
                open.append(&frame);
            }
            if let (true, Slot::Open(open)) = (frame.call, &mut self.call) {
                open.append(&frame);
            }
        }
    }

    /// Flushes what is due, and has it synced.
    fn keep(&mut self, now: Mono, syncs: &Sender<Arc<Syncing>>) {
        for slot in [&mut self.request, &mut self.call] {
            if let Slot::Open(open) = slot {
                open.keep(now, syncs);
            }
        }
    }

    fn close(
        &mut self,
        kind: RecordingKind,
        ended_by: EndedBy,
        end_frame: Option<u32>,
    ) -> Result<FinishedRecording, RecorderError> {
        if let Slot::Open(open) = self.slot(kind) {
            open.begun = true;
            if kind == RecordingKind::Call && matches!(self.request, Slot::Awaited) {
                // no request begins any more, so nothing of the call waits for one
                self.request = Slot::Gone;
            }
            self.drain(end_frame);
        }
        let over = if kind == RecordingKind::Call { Slot::Gone } else { Slot::Awaited };
        let Slot::Open(open) = std::mem::replace(self.slot(kind), over) else { return Err(RecorderError::Unknown) };
        let id = open.writer.id();
        let finished = open.writer.finish(ended_by)?;
        if let Some(beside) = self.beside.get_mut(&id)
            && let Err(error) = beside.finish(&finished)
        {
            tracing::warn!(recording.id = %id, %error, "the file beside a recording can't be written");
        }
        Ok(finished)
    }

    fn note(&mut self, draft: Box<Draft>, discarded: &[RecordingId]) {
        for (id, beside) in &mut self.beside {
            let changed = beside.change_request(|request| {
                *request = facts(&draft);
                request.discarded = discarded.contains(id);
            });
            if let Err(error) = changed {
                tracing::warn!(recording.id = %id, %error, "the file beside a recording can't be written");
            }
        }
        self.draft = Some(draft);
    }
}

impl Slot {
    fn waits(&self) -> bool {
        match self {
            Slot::Awaited => true,
            Slot::Open(open) => !open.begun,
            Slot::Gone => false,
        }
    }
}

impl Open {
    fn append(&mut self, frame: &Frame) {
        if self.failed {
            return;
        }
        if self.first.is_none() {
            self.first = Some(frame.number);
            self.next = frame.number;
        }
        self.fill(frame.number.saturating_sub(self.next));
        self.next = frame.number.wrapping_add(1);
        let written = self.writer.append(&frame.caller, &frame.system);
        self.judge(written);
    }

    /// Frames that the ring had no room for are silence, so that the rest keeps its time.
    fn fill(&mut self, frames: u32) {
        if frames == 0 {
            return;
        }
        self.writer.mark_damaged();
        metrics::counter!("hotline_recording_frames_lost_total").increment(u64::from(frames));
        let silence = [ALAW_SILENCE; FRAME];
        for _ in 0..frames.min(LONGEST_HOLE_MS / FRAME_MS) {
            let written = self.writer.append(&silence, &silence);
            self.judge(written);
        }
    }

    fn keep(&mut self, now: Mono, syncs: &Sender<Arc<Syncing>>) {
        if self.syncing.failed.swap(false, Ordering::Acquire) && !self.failed {
            self.failed = true;
            self.writer.mark_damaged();
            metrics::counter!("hotline_recordings_failed_total").increment(1);
        }
        if self.failed {
            return;
        }
        if now.since(self.flushed) >= FLUSH_EVERY {
            self.flushed = now;
            let flushed = self.writer.flush();
            self.judge(flushed);
        }
        if now.since(self.synced) >= SYNC_EVERY && !self.syncing.under_way.swap(true, Ordering::AcqRel) {
            self.synced = now;
            // the other thread ends only with this one
            let _ = syncs.send(Arc::clone(&self.syncing));
        }
    }

    fn judge(&mut self, result: Result<(), RecordingError>) {
        if let Err(error) = result
            && !self.failed
        {
            self.failed = true;
            tracing::error!(recording.id = %self.writer.id(), %error, "a recording stopped");
            metrics::counter!("hotline_recordings_failed_total").increment(1);
        }
    }
}

fn sidecar(spec: FileSpec, known: Option<&Draft>) -> Sidecar {
    let draft = spec.draft.as_deref().or(known);
    let request = (spec.kind == RecordingKind::Request).then(|| match draft {
        Some(draft) => facts(draft),
        None => unasked(&spec.call),
    });
    Sidecar {
        recording: spec.id,
        kind: spec.kind,
        started_at: spec.started_at,
        call: spec.call,
        request,
        outcome: None,
    }
}

fn facts(draft: &Draft) -> RequestFacts {
    RequestFacts {
        language: draft.language,
        requester: draft.requester,
        request_type: draft.request_type,
        urgency: Urgency::Normal,
        confidential: draft.confidential,
        phone: draft.phone.clone(),
        other_phone: draft.other_phone.clone(),
        confirmed: draft.confirmed,
        discarded: false,
    }
}

/// What is true of a request before its caller was asked anything.
fn unasked(call: &NewCall) -> RequestFacts {
    RequestFacts {
        language: call.language.unwrap_or(crate::language::Language::Zh),
        requester: Requester::Citizen,
        request_type: None,
        urgency: Urgency::Normal,
        confidential: false,
        phone: call.phone.clone(),
        other_phone: None,
        confirmed: false,
        discarded: false,
    }
}

#[cfg(test)]
mod tests;
