//! Takes calls in: a permit, ports, the pure call, and a task that carries its outputs out.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::asks::{self, Asked};
use super::consult::{self, Unspoken};
use super::keeper::{self, Keep, Keeping};
use super::media::ports::Sockets;
use super::media::{CallMedia, Media, OpenError, Opened};
use super::sip::{Incoming, Sip};
use crate::call::line::{self, Line};
use crate::call::{Call, Input, Opening, Output, Setup};
use crate::clock::{Clock, Now};
use crate::ivr::{Caller, Features, Request};
use crate::live::{Live, LiveCall};
use crate::sdp;
use crate::sip::{Command, Event, IncomingInvite};
use crate::store::NewCall;
use crate::ticket::{CallId, Catalogue, Direction};

/// The remembered language is waited for so long; a caller who has none hears both.
const LANGUAGE_LIMIT: Duration = Duration::from_millis(300);

/// How many calls, and what is kept of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Calls at a time; one more hears busy (486).
    pub max_calls: usize,
    /// Keep the whole call as a stereo recording, from the end of the recording notice.
    pub record_calls: bool,
    /// A call that lasts longer is said goodbye to.
    pub longest_call_s: u32,
    /// New calls are refused (503) while the 99th percentile of the media threads' lateness is above this.
    pub late_limit_ms: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { max_calls: 200, record_calls: true, longest_call_s: 3_600, late_limit_ms: 40 }
    }
}

/// How far the service is in ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Serving,
    /// No new calls; running ones go on.
    Draining,
    /// Running calls hear goodbye.
    Leaving,
    /// Running calls are cut, what was said is kept.
    Aborting,
}

/// What a line's calls run on.
#[derive(Debug)]
pub struct Served {
    pub line: Line,
    pub setup: Arc<Setup>,
}

/// Everything a call's task needs.
pub struct Calls {
    pub sip: Sip,
    pub media: Arc<Media>,
    pub keeping: Arc<Keeping>,
    pub live: Arc<Live>,
    pub clock: Clock,
    /// Never empty; the first one takes the numbers that no line names.
    pub lines: Vec<Served>,
    /// The address in our session descriptions, when it is not the one the INVITE came to.
    pub advertise: Option<IpAddr>,
    /// This machine's name in rows and sidecars.
    pub node: String,
    pub random: Mutex<StdRng>,
    pub permits: Arc<Semaphore>,
    /// The answers that were left out of the consult menu.
    pub unspoken: Arc<Unspoken>,
    /// The RTP ports of this machine, which no peer may point us at.
    pub own_ports: RangeInclusive<u16>,
}

impl Calls {
    /// Until the endpoint is gone and every call has ended and is kept.
    pub async fn run(self: Arc<Self>, mut incoming: UnboundedReceiver<Incoming>, stage: watch::Receiver<Stage>) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                call = incoming.recv() => match call {
                    Some(call) => self.take_in(call, &stage, &mut tasks).await,
                    None => break,
                },
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a call's task failed");
                    }
                }
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn take_in(self: &Arc<Self>, incoming: Incoming, stage: &watch::Receiver<Stage>, tasks: &mut JoinSet<()>) {
        let leg = incoming.leg;
        let reject = |status| Command::Reject { leg, status, retry_after_s: None };
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::counter!("hotline_calls_refused_total", "reason" => "full").increment(1);
            self.sip.command(reject(486)).await;
            return;
        };
        let Ok(sockets) = self.media.allocate() else {
            metrics::counter!("hotline_calls_refused_total", "reason" => "no_ports").increment(1);
            self.sip.command(reject(486)).await;
            return;
        };
        let now = self.clock.now();
        match self.open(&incoming.invite, leg, &sockets, now) {
            Ok((call, outputs, row)) => {
                metrics::counter!("hotline_calls_total", "city" => row.city.slug()).increment(1);
                let (inbox, inputs) = mpsc::unbounded_channel();
                let (orders, queue) = mpsc::unbounded_channel();
                tasks.spawn(keeper::keep(Arc::clone(&self.keeping), row.clone(), inbox.clone(), queue));
                let shown = LiveCall {
                    id: row.id.to_string(),
                    city: row.city,
                    language: None,
                    node: String::new(),
                    started_at: row.started_at,
                    recording: false,
                };
                let task = Task {
                    calls: Arc::clone(self),
                    call,
                    shown,
                    row,
                    sockets: Some(sockets),
                    signalling: incoming.invite.hop.peer.ip(),
                    media: None,
                    orders,
                    inbox,
                    _permit: permit,
                };
                tasks.spawn(task.run(outputs, incoming.events, inputs, stage.clone()));
            }
            Err(refused) => {
                tracing::info!(reason = %refused, "an offer was refused");
                metrics::counter!("hotline_calls_refused_total", "reason" => "offer").increment(1);
                self.sip.command(reject(refused.status())).await;
            }
        }
    }

    fn open(
        &self,
        invite: &IncomingInvite,
        leg: crate::sip::Leg,
        sockets: &Sockets,
        now: Now,
    ) -> Result<(Call, Vec<Output>, NewCall), sdp::Refusal> {
        let served = &self.lines[line::called(self.lines.iter().map(|served| &served.line), invite)];
        let phone = line::calling(invite);
        let caller = Caller {
            phone: phone.clone(),
            city: served.line.city,
            language: None,
            profile: served.line.profile,
            features: self.features(served),
        };
        let ours = self.ours(invite, sockets);
        let opening = Opening { leg, caller, offer: invite.offer.clone(), ours };
        let mut outputs = Vec::new();
        let call = Call::incoming(Arc::clone(&served.setup), opening, now, &mut outputs)?;
        let row = NewCall {
            id: CallId::new(now.wall, self.random()),
            node: self.node.clone(),
            direction: Direction::Inbound,
            sip_call_id: Some(invite.call_id.clone()),
            city: served.line.city,
            line: served.line.number.clone(),
            phone,
            language: None,
            started_at: now.wall,
            answered_at: None,
        };
        Ok((call, outputs, row))
    }

    fn features(&self, served: &Served) -> Features {
        let (entries, prompts) = (&Catalogue::built_in().knowledge, &served.setup.prompts);
        let topics = consult::topics(entries, served.line.city, prompts, &self.unspoken);
        Features { sms: false, synthetic: served.setup.synthetic, event: None, topics: topics.into() }
    }

    fn ours(&self, invite: &IncomingInvite, sockets: &Sockets) -> sdp::Ours {
        let local = invite.hop.local.ip();
        let address = self.advertise.unwrap_or(local);
        sdp::Ours {
            address,
            rtp_port: sockets.port(),
            session_id: u64::from_be_bytes(self.random()) >> 2,
            version: 1,
            direction: sdp::Direction::SendRecv,
            own_addresses: vec![address, local],
            own_rtp_range: self.own_ports.clone(),
        }
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random()
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
    orders: UnboundedSender<Keep>,
    inbox: UnboundedSender<Input>,
    shown: LiveCall,
    _permit: OwnedSemaphorePermit,
}

impl Task {
    async fn run(
        mut self,
        outputs: Vec<Output>,
        mut events: UnboundedReceiver<Event>,
        mut inputs: UnboundedReceiver<Input>,
        mut stage: watch::Receiver<Stage>,
    ) {
        self.board(|_| {});
        self.carry_out(outputs).await;
        // the flow starts with the language known: it is asked for while the ACK is on its way
        let mut language = Some(tokio::spawn(self.remembered_language()));
        let mut signalling = true;
        let mut told = Stage::Draining;
        while !self.call.is_over() {
            let wake = self.call.wake_at().map(|at| self.calls.clock.instant(at));
            let input = tokio::select! {
                event = events.recv(), if signalling => match event {
                    Some(Event::Answered { leg, answer }) => {
                        if let Some(language) = language.take() {
                            self.call.remember(language.await.ok().flatten());
                        }
                        self.keep(Keep::Answered(self.calls.clock.wall()));
                        Input::Sip(Event::Answered { leg, answer })
                    }
                    Some(event) => Input::Sip(event),
                    // after the leg's end this changes nothing; without one the endpoint is gone
                    None => {
                        signalling = false;
                        Input::Abort
                    }
                },
                event = next_event(&mut self.media) => Input::Media(event),
                Some(input) = inputs.recv() => input,
                () = super::sleep_until(wake) => Input::Timeout,
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

    fn remembered_language(&self) -> impl Future<Output = Option<crate::language::Language>> + Send + use<> {
        let store = self.calls.keeping.store.clone();
        let phone = self.row.phone.clone();
        async move {
            let phone = phone?;
            timeout(LANGUAGE_LIMIT, store.language_of(&phone)).await.ok()?.ok()?
        }
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Sip(command) => self.calls.sip.command(command).await,
                Output::OpenMedia(negotiated) => {
                    if let Err(error) = self.open_media(negotiated) {
                        tracing::error!(call.id = %self.row.id, %error, "a call's sound can't be opened");
                        let leg = self.call.leg();
                        self.calls.sip.command(Command::Reject { leg, status: 503, retry_after_s: None }).await;
                        // the inbox lives as long as this task
                        let _ = self.inbox.send(Input::Abort);
                        return;
                    }
                }
                Output::Media(command) => self.play(command),
                Output::OpenTake { take } => {
                    self.keep(Keep::OpenTake { take, random: self.calls.random() });
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

    fn keep(&self, order: Keep) {
        // the keeper outlives its call
        let _ = self.orders.send(order);
    }

    fn open_media(&mut self, negotiated: sdp::Negotiated) -> Result<(), NoMedia> {
        let sockets = self.sockets.take().ok_or(NoMedia::Twice)?;
        let (recording, source) = self.calls.media.recording().ok_or(NoMedia::NoRing)?;
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
