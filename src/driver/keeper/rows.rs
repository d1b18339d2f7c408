//! A call's rows. Holds what the store has not taken yet and tries again until it has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Keeping;
use crate::call::{Ended, Input, Note};
use crate::clock::Mono;
use crate::ivr::{Draft, Reply};
use crate::store::{
    CallEvent, EndedCall, FinishedRecording, NewCall, NewRecording, NewTicket, Settled, Settlement, Store, StoreError,
    SubmitError,
};
use crate::ticket::{Actor, AttemptId, RecordingId, Said, Urgency};

/// How often events are written and what the store has refused is tried again: each time is a commit of one call.
const AGAIN: Duration = Duration::from_secs(2);
/// A call that is over need not press a store that is away.
const AGAIN_AT_MOST: Duration = Duration::from_secs(30);
/// One try at everything. A connection that is cut off without a word would hold it for minutes.
const TRY_LIMIT: Duration = Duration::from_secs(15);
/// Events held while the store is away; the oldest go first.
const MAX_HELD_EVENTS: usize = 10_000;

/// What the store is to take.
#[derive(Debug)]
pub(super) enum Row {
    Answered(DateTime<Utc>),
    Event(Note),
    /// `inserted` is told when the row is in.
    Recording {
        row: NewRecording,
        inserted: oneshot::Sender<()>,
    },
    Finished(FinishedRecording),
    Ticket {
        ask: Option<u32>,
        draft: Box<Draft>,
        recordings: Vec<RecordingId>,
    },
    /// What a return visit brought.
    Visit {
        row: VisitRow,
        at: DateTime<Utc>,
    },
    Ended {
        ended: Ended,
        at: DateTime<Utc>,
    },
}

/// What is kept of an attempt at a return visit.
#[derive(Debug)]
pub(super) enum VisitRow {
    Dialled { attempt: AttemptId, trunk: Arc<str> },
    Said { attempt: AttemptId, said: Said },
    Settled(Settlement),
}

impl Row {
    /// Events can wait for others; somebody waits for everything else.
    fn can_wait(&self) -> bool {
        matches!(self, Row::Event(_) | Row::Answered(_))
    }
}

/// A recording's row.
#[derive(Debug)]
struct Recording {
    row: NewRecording,
    inserted: Option<oneshot::Sender<()>>,
    stored: bool,
    finished: Option<FinishedRecording>,
}

/// A ticket that is to be.
#[derive(Debug)]
struct Ticket {
    /// The question of the flow that waits for it.
    ask: Option<u32>,
    /// The flow has heard that it takes longer.
    told_away: bool,
    new: NewTicket,
}

/// One call's rows.
pub(super) struct Rows {
    keeping: Arc<Keeping>,
    call: NewCall,
    inserted: bool,
    events: Vec<CallEvent>,
    sequence: u32,
    recordings: Vec<Recording>,
    ticket: Option<Ticket>,
    visits: VecDeque<(VisitRow, DateTime<Utc>)>,
    ended: Option<EndedCall>,
    away: bool,
    /// When the store was last asked to take what there is.
    tried: Mono,
    inbox: UnboundedSender<Input>,
}

impl Rows {
    pub(super) fn new(keeping: Arc<Keeping>, call: NewCall, inbox: UnboundedSender<Input>) -> Rows {
        Rows {
            keeping,
            call,
            inserted: false,
            events: Vec::new(),
            sequence: 0,
            recordings: Vec::new(),
            ticket: None,
            visits: VecDeque::new(),
            ended: None,
            away: false,
            tried: Mono::ZERO,
            inbox,
        }
    }

    pub(super) async fn run(mut self, mut queue: UnboundedReceiver<Row>) {
        self.store_all().await;
        let (mut open, mut again) = (true, AGAIN);
        while open || !self.is_done() {
            match timeout(again, queue.recv()).await {
                Ok(Some(row)) => {
                    let mut waits = row.can_wait();
                    self.take(row);
                    while let Ok(row) = queue.try_recv() {
                        waits &= row.can_wait();
                        self.take(row);
                    }
                    if waits && self.keeping.clock.mono().since(self.tried) < AGAIN {
                        continue;
                    }
                }
                Ok(None) if open => open = false,
                Ok(None) => {
                    tokio::time::sleep(again).await;
                    again = (again * 2).min(AGAIN_AT_MOST);
                }
                Err(_) => {}
            }
            self.store_all().await;
        }
    }

    fn is_done(&self) -> bool {
        let recorded = |recording: &Recording| recording.stored && recording.finished.is_none();
        self.inserted
            && self.events.is_empty()
            && self.ticket.is_none()
            && self.visits.is_empty()
            && self.ended.is_none()
            && self.recordings.iter().all(recorded)
    }

    fn take(&mut self, row: Row) {
        match row {
            Row::Answered(at) => self.call.answered_at = Some(at),
            Row::Event(note) => self.hold(note),
            Row::Recording { row, inserted } => {
                self.recordings.push(Recording { row, inserted: Some(inserted), stored: false, finished: None });
            }
            Row::Finished(finished) => {
                if let Some(recording) = self.recordings.iter_mut().find(|recording| recording.row.id == finished.id) {
                    recording.finished = Some(finished);
                }
            }
            Row::Ticket { ask, draft, recordings } => {
                self.ticket = Some(Ticket { ask, told_away: false, new: self.new_ticket(&draft, recordings) });
            }
            Row::Visit { row, at } => self.visits.push_back((row, at)),
            Row::Ended { ended, at } => {
                let (id, answered_at) = (self.call.id, self.call.answered_at);
                let (language, ended_by) = (ended.language, ended.by);
                self.ended = Some(EndedCall { id, answered_at, language, ended_at: at, ended_by });
            }
        }
    }

    fn hold(&mut self, note: Note) {
        let Note { at, offset_ms, kind, text } = note;
        self.events.push(CallEvent { call: self.call.id, sequence: self.sequence, at, offset_ms, kind, text });
        self.sequence += 1;
        if self.events.len() > MAX_HELD_EVENTS {
            self.events.remove(0);
            metrics::counter!("hotline_call_events_dropped_total").increment(1);
        }
    }

    /// Stores what is not stored yet, as far as the store lets us.
    async fn store_all(&mut self) {
        self.tried = self.keeping.clock.mono();
        let why = match timeout(TRY_LIMIT, self.try_store_all()).await {
            Ok(Ok(())) => {
                self.away = false;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer in {} s", TRY_LIMIT.as_secs()),
        };
        if !self.away {
            self.away = true;
            tracing::warn!(call.id = %self.call.id, error = why, "the store is away; the call is stored later");
            metrics::counter!("hotline_store_failures_total").increment(1);
        }
        if let Some(ticket) = self.ticket.as_mut().filter(|ticket| !ticket.told_away)
            && let Some(ask) = ticket.ask
        {
            ticket.told_away = true;
            // the caller must not wait for a store that is away; the ticket still comes
            let _ = self.inbox.send(Input::Reply { ask, reply: Reply::Failed });
        }
    }

    async fn try_store_all(&mut self) -> Result<(), SubmitError> {
        let keeping = Arc::clone(&self.keeping);
        let store = &keeping.store;
        if !self.inserted {
            store.insert_call(&self.call).await?;
            self.inserted = true;
        }
        for recording in &mut self.recordings {
            store_recording(store, recording).await?;
        }
        self.submit(store).await?;
        while let Some((row, at)) = self.visits.front() {
            store_visit(&keeping, &self.call, row, *at).await?;
            self.visits.pop_front();
        }
        store.append_events(&self.events).await?;
        self.events.clear();
        if let Some(ended) = &self.ended {
            store.close_call(ended).await?;
            self.ended = None;
        }
        Ok(())
    }

    async fn submit(&mut self, store: &Store) -> Result<(), SubmitError> {
        let Some(ticket) = &self.ticket else { return Ok(()) };
        let submitted = store.submit_ticket(&ticket.new, self.keeping.clock.wall()).await?;
        if let Some(ask) = ticket.ask {
            // a caller who hung up needs no number
            let _ = self.inbox.send(Input::Reply { ask, reply: Reply::Submitted { number: submitted.number } });
        }
        let (number, city) = (submitted.number.to_string(), ticket.new.city);
        self.ticket = None;
        self.keeping.live.ticket_created(&self.call.id.to_string(), &number);
        metrics::counter!("hotline_tickets_created_total", "city" => city.slug(), "channel" => "phone").increment(1);
        tracing::info!(call.id = %self.call.id, ticket.number = %number, "a ticket exists");
        Ok(())
    }

    fn new_ticket(&self, draft: &Draft, recordings: Vec<RecordingId>) -> NewTicket {
        NewTicket {
            call: self.call.id,
            recordings,
            city: self.call.city,
            line: self.call.line.clone(),
            language: draft.language,
            requester: draft.requester,
            phone: draft.phone.clone(),
            other_phone: draft.other_phone.clone(),
            confidential: draft.confidential,
            request_type: draft.request_type,
            urgency: Urgency::Normal,
            confirmed: draft.confirmed,
            actor: if draft.confirmed { Actor::Caller } else { Actor::System },
        }
    }
}

/// All of them may be done twice.
async fn store_visit(keeping: &Keeping, call: &NewCall, row: &VisitRow, at: DateTime<Utc>) -> Result<(), StoreError> {
    let store = &keeping.store;
    match row {
        VisitRow::Dialled { attempt, trunk } => store.attempt_dialled(*attempt, trunk, call.id, at).await.map(drop),
        VisitRow::Said { attempt, said } => store.attempt_said(*attempt, *said, at).await,
        VisitRow::Settled(settlement) => {
            if let Settled::Now(_) = store.settle_attempt(settlement, at).await? {
                let (city, outcome) = (call.city, settlement.outcome);
                let labels = [("city", city.slug()), ("outcome", outcome.name())];
                metrics::counter!("hotline_visit_outcomes_total", &labels).increment(1);
                keeping.live.visit_settled(&call.id.to_string(), city, outcome);
            }
            Ok(())
        }
    }
}

async fn store_recording(store: &Store, recording: &mut Recording) -> Result<(), StoreError> {
    if !recording.stored {
        store.begin_recording(&recording.row).await?;
        recording.stored = true;
        if let Some(inserted) = recording.inserted.take() {
            // nobody waits longer than the row's limit
            let _ = inserted.send(());
        }
    }
    if let Some(finished) = &recording.finished {
        store.finish_recording(finished).await?;
        recording.finished = None;
    }
    Ok(())
}
