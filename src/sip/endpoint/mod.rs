//! The user agent as one pure machine: datagrams, commands and time in, datagrams and events out.

mod admit;
mod cancel;
mod clients;
pub mod command;
mod config;
pub mod event;
mod identity;
mod in_dialog;
mod incoming;
mod leg;
mod offers;
mod outgoing;
mod receive;
mod reliable;
mod resend;
mod servers;
mod trunk;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

pub use config::Config;

use super::dialog::DialogId;
use super::overload::{Limits, Load};
use super::session::{Phase, Session};
use super::timer::Timers;
use super::transaction::{Timer, Timing};
use crate::clock::Mono;
use crate::sip::message::{Hop, Transport};
pub(crate) use clients::ClientId;
use clients::Clients;
use command::{Admission, Command, Leg};
use event::Event;
pub(crate) use servers::ServerId;
use servers::Servers;
use trunk::Trunk;

/// What an [`Endpoint`] is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// One datagram, or one framed message of a stream, from a peer that the driver trusts.
    Received {
        hop: Hop,
        bytes: &'a [u8],
    },
    /// A `Transmit` could not be delivered: connection refused, reset, no route.
    TransportFailed {
        hop: Hop,
    },
    /// The time named by [`Output::Wait`] has come. Harmless when it has not.
    Timeout,
    Command(Command),
}

/// What an [`Endpoint`] wants done. Drain it after every [`Endpoint::handle`] until it says `Wait`.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    Transmit {
        hop: Hop,
        bytes: Vec<u8>,
    },
    Event(Event),
    /// Nothing more now; hand in [`Input::Timeout`] at that time. `None`: nothing is under way.
    Wait(Option<Mono>),
}

/// A SIP user agent (RFC 3261) for many calls at a time.
#[derive(Debug)]
pub struct Endpoint {
    config: Config,
    rng: StdRng,
    /// Keys the tags that we give to peers' requests, so that a stateless answer repeats its own (RFC 3261 §8.2.7).
    tag_seed: u64,
    /// The time of the input that is being handled.
    now: Mono,
    admission: Admission,
    outputs: VecDeque<Output>,
    timers: Timers<Wake>,
    clients: Clients,
    servers: Servers,
    sessions: HashMap<Leg, Session>,
    dialogs: HashMap<DialogId, Leg>,
    trunks: HashMap<u32, Trunk>,
    /// Incoming legs so far.
    incoming: u64,
    /// Incoming legs without a final response.
    half_open: usize,
}

/// What a timer wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wake {
    Client(ClientId, Timer),
    /// An INVITE has rung for long enough, or its CANCEL was of no use (RFC 3261 §9.1).
    GiveUp(ClientId),
    Server(ServerId, Timer),
    Leg(Leg, LegTimer),
    Trunk(u32),
}

/// The timers of a leg, beside those of its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum LegTimer {
    /// Repeats a reliable provisional response (RFC 3262 §3).
    RepeatReliable,
    ReliableDeadline,
    /// Repeats a 2xx until its ACK (RFC 3261 §13.3.1.4).
    RepeatSuccess,
    AckDeadline,
    /// Session timer (RFC 4028 §10).
    Refresh,
    Expire,
    /// After a 491 (RFC 3261 §14.1).
    RetryOffer,
    /// The layer above did not answer an offer in time.
    OfferDeadline,
    /// The layer above answers a call neither way.
    RingDeadline,
}

impl LegTimer {
    const ALL: [LegTimer; 9] = [
        LegTimer::RepeatReliable,
        LegTimer::ReliableDeadline,
        LegTimer::RepeatSuccess,
        LegTimer::AckDeadline,
        LegTimer::Refresh,
        LegTimer::Expire,
        LegTimer::RetryOffer,
        LegTimer::OfferDeadline,
        LegTimer::RingDeadline,
    ];
}

/// How much is under way, for metrics and for tests that nothing is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub legs: usize,
    pub half_open: usize,
    pub dialogs: usize,
    pub client_transactions: usize,
    pub server_transactions: usize,
    pub timers: usize,
}

impl Endpoint {
    /// `seed` makes tags, branches, Call-IDs and retry times.
    pub fn new(config: Config, seed: [u8; 32]) -> Endpoint {
        let mut rng = StdRng::from_seed(seed);
        let tag_seed = rand::RngExt::random(&mut rng);
        Endpoint {
            config,
            rng,
            tag_seed,
            now: Mono::ZERO,
            admission: Admission::Open,
            outputs: VecDeque::new(),
            timers: Timers::default(),
            clients: Clients::default(),
            servers: Servers::default(),
            sessions: HashMap::new(),
            dialogs: HashMap::new(),
            trunks: HashMap::new(),
            incoming: 0,
            half_open: 0,
        }
    }

    pub fn handle(&mut self, now: Mono, input: Input<'_>) {
        self.now = now;
        match input {
            Input::Received { hop, bytes } => self.receive(hop, bytes),
            Input::TransportFailed { hop } => self.transport_failed(hop),
            Input::Timeout => {}
            Input::Command(command) => self.command(command),
        }
        while let Some(wake) = self.timers.pop(now) {
            self.wake(wake);
        }
    }

    pub fn poll_output(&mut self) -> Output {
        self.outputs.pop_front().unwrap_or_else(|| Output::Wait(self.timers.next()))
    }

    pub fn counts(&self) -> Counts {
        Counts {
            legs: self.sessions.len(),
            half_open: self.half_open,
            dialogs: self.dialogs.len(),
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            timers: self.timers.len(),
        }
    }

    /// Nothing is known, awaited or remembered: every leg, transaction and timer is gone.
    pub fn is_idle(&self) -> bool {
        self.outputs.is_empty() && self.trunks.is_empty() && self.counts() == Counts::default()
    }

    fn command(&mut self, command: Command) {
        let done = match command {
            Command::Ring { leg } => self.provisional(leg, 180, None),
            Command::Progress { leg, sdp } => self.provisional(leg, 183, Some(sdp)),
            Command::Answer { leg, sdp } => self.answer(leg, sdp),
            Command::Reject { leg, status, retry_after_s } => self.reject(leg, status, retry_after_s),
            Command::Accept { leg, sdp } => self.accept_offer(leg, sdp),
            Command::RefuseOffer { leg, status } => self.refuse_offer(leg, status),
            Command::Reinvite { leg, sdp } => self.want_offer(leg, sdp),
            Command::Digit { leg, digit, duration_ms } => self.send_digit(leg, digit, duration_ms),
            Command::HangUp { leg, reason } => self.hang_up(leg, reason),
            Command::Invite(invite) => self.place(invite),
            Command::Register(registration) => self.register(*registration),
            Command::Unregister { trunk } => self.unregister(trunk),
            Command::Options(options) => self.options(*options),
            Command::Admission(admission) => {
                self.admission = admission;
                Some(())
            }
        };
        if done.is_none() {
            self.count("command_late");
        }
    }

    fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Client(id, timer) => self.client_timer(id, timer),
            Wake::GiveUp(id) => self.give_up(id),
            Wake::Server(id, timer) => self.server_timer(id, timer),
            Wake::Leg(leg, timer) => self.leg_timer(leg, timer),
            Wake::Trunk(trunk) => self.trunk_timer(trunk),
        }
    }

    fn leg_timer(&mut self, leg: Leg, timer: LegTimer) {
        match timer {
            LegTimer::RepeatReliable => self.repeat_reliable(leg),
            LegTimer::ReliableDeadline => self.reliable_deadline(leg),
            LegTimer::RepeatSuccess => self.repeat_success(leg),
            LegTimer::AckDeadline => self.ack_deadline(leg),
            LegTimer::Refresh => self.refresh(leg),
            LegTimer::Expire => self.session_expired(leg),
            LegTimer::RetryOffer => self.offer_what_is_wanted(leg),
            LegTimer::OfferDeadline => {
                self.count("offer_unanswered");
                self.refuse_offer(leg, 500);
            }
            LegTimer::RingDeadline => {
                self.count("call_unanswered");
                self.reject(leg, 480, None);
            }
        }
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn count(&mut self, what: &'static str) {
        self.emit(Event::Counted(what));
    }

    fn trace(&mut self, leg: Option<Leg>, sent: bool, line: String) {
        if let Some(leg) = leg {
            self.emit(Event::Trace { leg, sent, line });
        }
    }

    fn transmit(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit { hop, bytes });
    }

    fn start(&mut self, wake: Wake, after: Duration) {
        self.timers.start(wake, self.now + after);
    }

    fn timing(&self, transport: Transport) -> Timing {
        // a timer that fires at once for ever would be no timer
        let ms = |ms: u32| Duration::from_millis(u64::from(ms.max(10)));
        Timing {
            t1: ms(self.config.t1_ms),
            t2: ms(self.config.t2_ms),
            t4: ms(self.config.t4_ms),
            reliable: transport.is_reliable(),
        }
    }

    /// 64*T1.
    fn patience(&self) -> Duration {
        self.timing(Transport::Udp).patience()
    }

    fn t1(&self) -> Duration {
        self.timing(Transport::Udp).t1
    }

    fn limits(&self) -> Limits {
        Limits {
            transactions: self.config.max_transactions,
            legs: self.config.max_legs,
            half_open: self.config.max_half_open,
        }
    }

    fn load(&self) -> Load {
        Load { transactions: self.servers.len(), legs: self.sessions.len(), half_open: self.half_open }
    }

    fn open(&mut self, leg: Leg, session: Session) {
        self.half_open += usize::from(matches!(session.phase, Phase::Incoming(_)));
        for id in session.dialog_ids() {
            self.dialogs.insert(id, leg);
        }
        self.sessions.insert(leg, session);
    }
}
