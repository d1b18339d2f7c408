//! A call's task: carries out what the call wants, and hands it what happens.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::timeout;

use super::{Calls, Stage};
use crate::call::{Call, Input, Output};
use crate::driver::asks::{self, Asked};
use crate::driver::keeper::{self, Keep};
use crate::driver::media::ports::Sockets;
use crate::driver::media::recording::{Sink, Source};
use crate::driver::media::{CallMedia, OpenError, Opened};
use crate::driver::route::{Route, Verdict};
use crate::driver::sleep_until;
use crate::ivr::{Request, Visit};
use crate::language::Language;
use crate::live::LiveCall;
use crate::sdp;
use crate::sip::{Command, Event, Invite, Leg};
use crate::store::NewCall;
use crate::ticket::{AttemptId, Direction, VisitCall};

/// The remembered language is waited for so long; a caller who has none hears both.
const LANGUAGE_LIMIT: Duration = Duration::from_millis(300);
/// So long, a survey that broke off: it is written down before it goes on.
const VISIT_LIMIT: Duration = Duration::from_millis(1_000);

/// What a call's task begins with.
pub(super) struct Line {
    pub(super) call: Call,
    pub(super) row: NewCall,
    pub(super) sockets: Sockets,
    /// Where its recordings go, when that is settled already.
    pub(super) ring: Option<(Sink, Source)>,
    /// The host that signals.
    pub(super) signalling: IpAddr,
    /// Of a call that came in.
    pub(super) events: Option<UnboundedReceiver<Event>>,
    /// Of a call that is made.
    pub(super) routes: VecDeque<Route>,
    pub(super) permit: OwnedSemaphorePermit,
}

impl Calls {
    /// Starts the call's keeper and its task.
    pub(super) fn start(self: &Arc<Self>, line: Line, attempt: Option<AttemptId>, outputs: Vec<Output>) {
        let (inbox, inputs) = mpsc::unbounded_channel();
        let (orders, queue) = mpsc::unbounded_channel();
        self.spawn(keeper::keep(Arc::clone(&self.keeping), line.row.clone(), inbox.clone(), queue));
        let Line { call, row, sockets, ring, signalling, events, routes, permit } = line;
        let shown = LiveCall {
            id: row.id.to_string(),
            direction: row.direction,
            city: row.city,
            language: None,
            node: String::new(),
            started_at: row.started_at,
            recording: false,
        };
        if let Some(attempt) = attempt {
            // the keeper has the other end
            let _ = orders.send(Keep::Visit(attempt));
        }
        let task = Task {
            calls: Arc::clone(self),
            call,
            row,
            sockets: Some(sockets),
            ring,
            signalling,
            media: None,
            events,
            routes,
            route: None,
            orders,
            inbox,
            shown,
            _permit: permit,
        };
        self.spawn(task.run(outputs, inputs, self.stage.clone()));
    }
}

/// One call's task.
struct Task {
    calls: Arc<Calls>,
    call: Call,
    row: NewCall,
    sockets: Option<Sockets>,
    signalling: IpAddr,
    media: Option<CallMedia>,
    ring: Option<(Sink, Source)>,
    events: Option<UnboundedReceiver<Event>>,
    routes: VecDeque<Route>,
    /// The way out that is taken, and its channel.
    route: Option<Route>,
    orders: UnboundedSender<Keep>,
    inbox: UnboundedSender<Input>,
    shown: LiveCall,
    _permit: OwnedSemaphorePermit,
}

impl Task {
    async fn run(
        mut self,
        outputs: Vec<Output>,
        mut inputs: UnboundedReceiver<Input>,
        mut stage: watch::Receiver<Stage>,
    ) {
        self.board(|_| {});
        self.carry_out(outputs).await;
        // the flow starts with what is known: it is asked for while the ACK is on its way
        let mut memory = (self.row.direction == Direction::Inbound).then(|| self.remember());
        let mut told = Stage::Draining;
        while !self.call.is_over() {
            let wake = self.call.wake_at().map(|at| self.calls.clock.instant(at));
            let input = tokio::select! {
                event = next_signal(&mut self.events) => match event {
                    Some(event) => {
                        if let Event::Ringing { .. } | Event::Accepted { .. } = event {
                            // it goes no other way any more: the other trunks have their channels back
                            self.routes.clear();
                        }
                        if let Event::Answered { .. } | Event::Accepted { .. } = event {
                            if let Some(memory) = memory.take() {
                                self.recall(memory).await;
                            }
                            self.keep(Keep::Answered(self.calls.clock.wall()));
                        }
                        Input::Sip(event)
                    }
                    // after the leg's end this changes nothing; without one the endpoint is gone
                    None => Input::Abort,
                },
                event = next_event(&mut self.media) => Input::Media(event),
                Some(input) = inputs.recv() => input,
                () = sleep_until(wake) => Input::Timeout,
                Ok(()) = stage.changed() => {
                    let now = *stage.borrow_and_update();
                    if now <= told {
                        continue;
                    }
                    told = now;
                    if now == Stage::Leaving { Input::Leave } else { Input::Abort }
                }
            };
            let mut outputs = Vec::new();
            self.call.handle(self.calls.clock.now(), input, &mut outputs);
            self.carry_out(outputs).await;
        }
    }

    /// Asks for what is known of the number: the language it chose, and the survey that it broke off.
    fn remember(&self) -> Memory {
        let (language_is, language) = oneshot::channel();
        let (visit_is, visit) = oneshot::channel();
        let (store, phone) = (self.calls.keeping.store.clone(), self.row.phone.clone());
        let (holder, call, clock) = (self.calls.holder.clone(), self.row.id, self.calls.clock);
        let offers = self.call.offers_to_go_on();
        tokio::spawn(async move {
            let Some(phone) = phone else { return };
            // who asked may have stopped waiting
            let _ = language_is.send(store.language_of(&phone).await.ok().flatten());
            if !offers {
                return;
            }
            let found = store.visit_to_continue(&phone, call, &holder, clock.wall()).await;
            let found = found.unwrap_or_else(|error| {
                tracing::warn!(call.id = %call, %error, "a survey that broke off could not be looked for");
                None
            });
            // a visit that is taken and that nobody waits for any more is given back
            if let Err(Some(visit)) = visit_is.send(found) {
                let now = clock.wall();
                if let Err(error) = store.release_attempt(visit.attempt, now, now).await {
                    tracing::warn!(call.id = %call, %error, "a survey could not be given back");
                }
            }
        });
        Memory { language, visit }
    }

    async fn recall(&mut self, memory: Memory) {
        let Memory { language, visit } = memory;
        if let Ok(Ok(language)) = timeout(LANGUAGE_LIMIT, language).await {
            self.call.remember(language);
        }
        if let Ok(Ok(Some(visit))) = timeout(VISIT_LIMIT, visit).await {
            self.call.may_go_on(Visit::of(&visit));
            self.keep(Keep::Visit(visit.attempt));
        }
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Sip(command) => self.calls.sip.command(command).await,
                Output::Dial { leg, offer } => self.dial(leg, offer).await,
                Output::Trunk { trouble } => self.tell_trunk(trouble),
                Output::Said(spoken) => self.keep(Keep::Said(spoken)),
                Output::Settled(settled) => self.keep(Keep::Settled(settled)),
                Output::OpenMedia(negotiated) => {
                    if let Err(error) = self.open_media(negotiated) {
                        tracing::error!(call.id = %self.row.id, %error, "a call's sound can't be opened");
                        let leg = self.call.leg();
                        if !leg.is_outgoing() {
                            self.calls.sip.command(Command::Reject { leg, status: 503, retry_after_s: None }).await;
                        }
                        // the inbox lives as long as this task
                        let _ = self.inbox.send(Input::Abort);
                        return;
                    }
                }
                Output::Media(command) => self.play(command),
                Output::OpenTake { take, kind } => {
                    self.keep(Keep::OpenTake { take, kind, random: self.calls.random() });
                    self.board(|shown| shown.recording = true);
                }
                Output::CloseTake { take, ended_by, end_frame } => {
                    self.keep(Keep::CloseTake { take, ended_by, end_frame });
                    self.board(|shown| shown.recording = false);
                }
                Output::OpenCallRecording => self.keep(Keep::OpenCallRecording { random: self.calls.random() }),
                Output::Load { take } => self.keep(Keep::Load { take }),
                Output::Ask { ask, request } => self.ask(ask, request),
                Output::Draft(draft) => self.keep(Keep::Draft(draft)),
                Output::Note(note) => self.keep(Keep::Note(note)),
                Output::Board { node, language } => self.board(|shown| {
                    shown.node = node.to_string();
                    shown.language = language;
                }),
                Output::Over(ended) => self.keep(Keep::Ended(ended)),
            }
        }
    }

    async fn dial(&mut self, leg: Leg, offer: Vec<u8>) {
        let Some(route) = self.routes.pop_front() else { return };
        let invite = Invite {
            leg,
            hops: route.hops.clone(),
            uri: route.uri.clone(),
            from: route.from.clone(),
            to: route.to.clone(),
            asserted: route.asserted.clone(),
            private: false,
            offer,
            credentials: route.credentials.clone(),
            ring_timeout_ms: Some(route.ring_timeout_ms),
        };
        let trunk = Arc::clone(&route.trunk);
        if self.route.replace(route).is_some() {
            self.keep(Keep::Dialled { trunk });
        }
        self.events = Some(self.calls.sip.follow(leg).await);
        self.calls.sip.command(Command::Invite(Box::new(invite))).await;
    }

    fn tell_trunk(&self, trouble: Option<u16>) {
        if let Some(route) = &self.route {
            route.tell(trouble.map_or(Verdict::Carried, |status| Verdict::Trouble { status }));
        }
    }

    fn keep(&self, order: Keep) {
        // the keeper outlives its call
        let _ = self.orders.send(order);
    }

    fn open_media(&mut self, negotiated: sdp::Negotiated) -> Result<(), NoMedia> {
        let sockets = self.sockets.take().ok_or(NoMedia::Twice)?;
        let ring = self.ring.take().or_else(|| self.calls.media.recording());
        let (recording, source) = ring.ok_or(NoMedia::NoRing)?;
        let (signalling, seed, recording) = (Some(self.signalling), self.calls.random(), Some(recording));
        let media = self.calls.media.open(Opened { sockets, negotiated, signalling, seed, recording })?;
        self.calls.keeping.recorder.attach(self.row.id, source);
        self.media = Some(media);
        Ok(())
    }

    fn play(&mut self, command: crate::media::command::Command) {
        if let Some(media) = &mut self.media
            && media.command(command).is_err()
        {
            tracing::error!(call.id = %self.row.id, "the media thread takes no more commands of a call");
            let _ = self.inbox.send(Input::Abort);
        }
    }

    fn ask(&self, ask: u32, request: Request) {
        match request {
            Request::Submit(draft) => self.keep(Keep::Submit { ask, draft: Box::new(draft) }),
            request => {
                let now = self.calls.clock.wall();
                let asked = Asked {
                    store: self.calls.keeping.store.clone(),
                    prompts: Arc::clone(self.call.prompts()),
                    unspoken: Arc::clone(&self.calls.unspoken),
                };
                let inbox = self.inbox.clone();
                tokio::spawn(async move {
                    if let Some(reply) = asks::answer(&asked, request, now).await {
                        // a caller who hung up needs no reply
                        let _ = inbox.send(Input::Reply { ask, reply });
                    }
                });
            }
        }
    }

    /// Puts the call on the live board, changed.
    fn board(&mut self, change: impl FnOnce(&mut LiveCall)) {
        change(&mut self.shown);
        self.calls.live.put(self.shown.clone());
    }
}

impl Drop for Task {
    /// Also when the task fails: nobody must wait for a call that is gone, nor a citizen in silence.
    fn drop(&mut self) {
        self.calls.live.remove(&self.row.id.to_string());
        if !self.call.is_over() {
            self.calls.sip.command_now(Command::HangUp { leg: self.call.leg(), reason: None });
        }
    }
}

/// What is asked for while the ACK is on its way.
struct Memory {
    language: oneshot::Receiver<Option<Language>>,
    visit: oneshot::Receiver<Option<VisitCall>>,
}

/// Why a call has no sound.
#[derive(Debug, thiserror::Error)]
enum NoMedia {
    #[error("its ports are in use already")]
    Twice,
    #[error("media.recordings is used up")]
    NoRing,
    #[error(transparent)]
    Thread(#[from] OpenError),
}

/// What the leg reports next; `None` once, after its last report.
async fn next_signal(events: &mut Option<UnboundedReceiver<Event>>) -> Option<Event> {
    let Some(inbox) = events else { return std::future::pending().await };
    let event = inbox.recv().await;
    if event.is_none() {
        *events = None;
    }
    event
}

/// The next event of the sound; never, before it is opened and after its last one.
async fn next_event(media: &mut Option<CallMedia>) -> crate::media::event::Event {
    if let Some(open) = media {
        if let Some(event) = open.event().await {
            return event;
        }
        *media = None;
    }
    std::future::pending().await
}
