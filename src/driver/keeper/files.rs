//! A call's recordings on disk. Knows the database only as somebody who may say that a row is in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::rows::{Row, VisitRow};
use super::{Keep, Keeping};
use crate::call::{Ended, Input, Note, Settled};
use crate::driver::recorder::FileSpec;
use crate::ivr::{Draft, Spoken, Take};
use crate::live::Words;
use crate::store::{FinishedRecording, NewCall, NewRecording, Settlement};
use crate::ticket::{AttemptId, CallEnd, EndedBy, EventKind, Outcome, RecordingId, RecordingKind, Said};

/// A recording's row is waited for so long before its file begins without it.
const ROW_LIMIT: Duration = Duration::from_millis(500);

/// One recording of the call.
#[derive(Debug)]
struct File {
    id: RecordingId,
    kind: RecordingKind,
    path: String,
    take: Option<Take>,
    closed: bool,
}

/// One call's files.
pub(super) struct Files {
    keeping: Arc<Keeping>,
    call: NewCall,
    files: Vec<File>,
    known: Option<Box<Draft>>,
    submitted: bool,
    /// The attempt at a return visit that has not been settled.
    attempt: Option<AttemptId>,
    ended: bool,
    inbox: UnboundedSender<Input>,
    rows: UnboundedSender<Row>,
}

impl Files {
    pub(super) fn new(
        keeping: Arc<Keeping>,
        call: NewCall,
        inbox: UnboundedSender<Input>,
        rows: UnboundedSender<Row>,
    ) -> Files {
        Files {
            keeping,
            call,
            files: Vec::new(),
            known: None,
            submitted: false,
            attempt: None,
            ended: false,
            inbox,
            rows,
        }
    }

    pub(super) async fn run(mut self, mut orders: UnboundedReceiver<Keep>) {
        while let Some(order) = orders.recv().await {
            self.carry_out(order).await;
        }
        if !self.ended {
            // the call's task is gone without a word, which only a panic does: its end is ours to tell
            self.rescue().await;
        }
    }

    async fn carry_out(&mut self, order: Keep) {
        match order {
            Keep::Answered(at) => self.store(Row::Answered(at)),
            Keep::Note(note) => self.store(Row::Event(note)),
            Keep::OpenTake { take, kind, random } => self.open(kind, Some(take), random).await,
            Keep::OpenCallRecording { random } => self.open(RecordingKind::Call, None, random).await,
            Keep::CloseTake { take, ended_by, end_frame } => self.close(Some(take), ended_by, end_frame).await,
            Keep::Load { take } => self.load(take).await,
            Keep::Draft(draft) => {
                self.keeping.recorder.facts(self.call.id, draft.clone(), self.discarded(&draft));
                self.known = Some(draft);
            }
            Keep::Submit { ask, draft } => self.submit(Some(ask), draft),
            Keep::Visit(attempt) => self.attempt = Some(attempt),
            Keep::Dialled { trunk } => self.visit(|attempt| Some(VisitRow::Dialled { attempt, trunk })),
            Keep::Said(spoken) => self.said(spoken),
            Keep::Settled(settled) => self.settle(settled),
            Keep::Ended(ended) => self.end(ended).await,
        }
    }

    fn store(&self, row: Row) {
        // the other half runs as long as this one
        let _ = self.rows.send(row);
    }

    /// Sidecar and file, then the row; only then the recorder takes the first sample out of the ring.
    async fn open(&mut self, kind: RecordingKind, take: Option<Take>, random: [u8; 10]) {
        let started_at = self.keeping.clock.wall();
        let id = RecordingId::new(started_at, random);
        let spec = FileSpec { call: self.call.clone(), id, kind, started_at, draft: self.known.clone() };
        let path = match self.keeping.recorder.open(spec).await {
            Ok(path) => path,
            Err(error) => {
                tracing::error!(call.id = %self.call.id, %error, "a recording can't be written");
                metrics::counter!("hotline_recordings_failed_total").increment(1);
                self.keeping.live.report(
                    "recordings",
                    false,
                    Words::new("the last recording could not be created").said("recording_failed", &[]),
                );
                if let Some(take) = take {
                    // a call that is over hears of nothing more
                    let _ = self.inbox.send(Input::TakeFailed { take });
                }
                return;
            }
        };
        self.keeping.live.report(
            "recordings",
            true,
            Words::new("the last recording was created").said("recording_created", &[]),
        );
        let channels = if kind == RecordingKind::Call { 2 } else { 1 };
        let (call, node) = (self.call.id, self.call.node.clone());
        let row = NewRecording { id, call, kind, node, path: path.clone(), channels, started_at };
        self.files.push(File { id, kind, path, take, closed: false });
        let (inserted, stored) = oneshot::channel();
        self.store(Row::Recording { row, inserted });
        if timeout(ROW_LIMIT, stored).await.is_err() {
            tracing::warn!(call.id = %self.call.id, "a recording begins before its row: the store is slow");
        }
        self.keeping.recorder.begin(self.call.id, kind);
        self.tell(id, "begins");
    }

    fn tell(&self, id: RecordingId, what: &str) {
        let at = self.keeping.clock.wall();
        let offset_ms = u64::try_from((at - self.call.started_at).num_milliseconds()).unwrap_or(0);
        self.store(Row::Event(Note { at, offset_ms, kind: EventKind::Recording, text: format!("{id} {what}") }));
    }

    async fn close(&mut self, take: Option<Take>, ended_by: EndedBy, end_frame: Option<u32>) {
        let Some(file) = self.files.iter_mut().find(|file| file.take == take && !file.closed) else { return };
        file.closed = true;
        let (call, kind, id) = (self.call.id, file.kind, file.id);
        match self.keeping.recorder.close(call, kind, ended_by, end_frame).await {
            Ok(finished) => {
                self.store(Row::Finished(FinishedRecording { id, ..finished }));
                self.tell(id, "ends");
            }
            Err(error) => {
                tracing::error!(call.id = %call, %error, "a recording can't be closed; the next start repairs it");
            }
        }
    }

    /// Closed recordings that are no longer part of the request: recorded again, or cancelled.
    fn discarded(&self, draft: &Draft) -> Vec<RecordingId> {
        let of_request = |file: &&File| file.kind == RecordingKind::Request;
        let gone = |file: &&File| file.closed && file.take.is_some_and(|take| !draft.takes.contains(&take));
        self.files.iter().filter(of_request).filter(gone).map(|file| file.id).collect()
    }

    async fn load(&self, take: Take) {
        let path = self.files.iter().find(|file| file.take == Some(take)).map(|file| &file.path);
        let clip = match path {
            Some(path) => self.keeping.recorder.load(path).await,
            None => None,
        };
        // a caller who hung up needs no playback
        let _ = self.inbox.send(Input::Loaded { take, clip });
    }

    fn submit(&mut self, ask: Option<u32>, draft: Box<Draft>) {
        self.submitted = true;
        let of_take = |take: &Take| self.files.iter().find(|file| file.take == Some(*take)).map(|file| file.id);
        let recordings = draft.takes.iter().filter_map(of_take).collect();
        self.store(Row::Ticket { ask, draft, recordings });
    }

    fn id_of(&self, take: Take) -> Option<RecordingId> {
        self.files.iter().find(|file| file.take == Some(take)).map(|file| file.id)
    }

    fn visit(&self, row: impl FnOnce(AttemptId) -> Option<VisitRow>) {
        if let Some(row) = self.attempt.and_then(row) {
            self.store(Row::Visit { row, at: self.keeping.clock.wall() });
        }
    }

    fn said(&self, spoken: Spoken) {
        let said = match spoken {
            Spoken::Typed(said) => Some(said),
            Spoken::Reason(take) => self.id_of(take).map(Said::Reason),
        };
        self.visit(|attempt| Some(VisitRow::Said { attempt, said: said? }));
    }

    fn settle(&mut self, settled: Settled) {
        let Settled { outcome, status, q850, message_left, early } = settled;
        let early = early.and_then(|take| self.id_of(take));
        self.visit(|attempt| {
            Some(VisitRow::Settled(Settlement { attempt, outcome, status, q850, message_left, early }))
        });
        self.attempt = None;
    }

    async fn end(&mut self, ended: Ended) {
        self.ended = true;
        let open: Vec<Option<Take>> = self.files.iter().filter(|file| !file.closed).map(|file| file.take).collect();
        for take in open {
            self.close(take, EndedBy::Hangup, None).await;
        }
        self.keeping.recorder.detach(self.call.id);
        self.store(Row::Ended { ended, at: self.keeping.clock.wall() });
    }

    async fn rescue(&mut self) {
        tracing::error!(call.id = %self.call.id, "a call's task failed; what was said is kept");
        let language = self.known.as_ref().map(|draft| draft.language);
        if let Some(draft) = self.known.take().filter(|draft| !draft.takes.is_empty() && !self.submitted) {
            self.submit(None, draft);
        }
        let outcome = Outcome::Unknown;
        self.settle(Settled { outcome, status: None, q850: None, message_left: false, early: None });
        self.end(Ended { by: CallEnd::Lost, language }).await;
    }
}
