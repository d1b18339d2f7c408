//! The task that owns the SIP endpoint: moves datagrams, commands, events and its timer, and nothing else.

mod address;
mod tcp;
mod udp;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::clock::{Clock, Mono};
use crate::sip::endpoint::{self, Input, Output};
use crate::sip::{Command, Endpoint, Event, Hop, IncomingInvite, Leg, Transport};

pub use address::LocalAddresses;
use tcp::Connections;
use udp::{Sent, Udp};

/// Messages of streams that may wait for the endpoint.
const ARRIVALS: usize = 1_024;
/// Requests of calls that may wait for the endpoint.
const REQUESTS: usize = 4_096;
/// Datagrams taken at one go, so that commands and timers get their turn in a flood.
const BATCH: usize = 64;
/// What was begun has so long to be finished when the service ends.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// After a connection could not be taken in.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Legs that ended whose last trace lines (the answer to our BYE) still find their way.
const PARTED: usize = 64;

/// Where SIP is served and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// UDP and TCP.
    pub listen: SocketAddr,
    /// The host or `host:port` that peers reach us at, in Via, Contact and SDP, when it is not `listen` (0.0.0.0, NAT).
    pub advertise: Option<String>,
    /// Networks whose messages are read. Everybody else gets no answer at all; an empty list lets nobody in.
    pub allow: Vec<IpNet>,
    /// TCP connections at a time, in and out.
    pub max_connections: usize,
    /// A TCP connection without a byte for this long is closed.
    pub connection_idle_s: u32,
    pub agent: endpoint::Config,
}

impl Default for Config {
    fn default() -> Config {
        let loopback = ["127.0.0.0/8", "::1/128"];
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 5060)),
            advertise: None,
            allow: loopback.map(|net| net.parse().expect("a network")).to_vec(),
            max_connections: 256,
            connection_idle_s: 900,
            agent: endpoint::Config::default(),
        }
    }
}

/// An incoming call and the inbox of everything that will happen to it.
#[derive(Debug)]
pub struct Incoming {
    pub leg: Leg,
    pub invite: Box<IncomingInvite>,
    pub events: mpsc::UnboundedReceiver<Event>,
}

/// What a stream's task tells the endpoint's.
#[derive(Debug)]
pub(super) enum Arrival {
    Message { hop: Hop, bytes: Vec<u8> },
    Failed { hop: Hop },
}

enum Ask {
    Command(Command),
    /// An outgoing leg's events go there.
    Follow {
        leg: Leg,
        events: mpsc::UnboundedSender<Event>,
    },
    Stop(oneshot::Sender<()>),
}

/// The way to the endpoint for tasks.
#[derive(Clone, Debug)]
pub struct Sip {
    requests: mpsc::Sender<Ask>,
    bound: SocketAddr,
}

impl Sip {
    /// The address that is served, with the real port.
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Hands a command to the endpoint; after its end commands go nowhere.
    pub async fn command(&self, command: Command) {
        let _ = self.requests.send(Ask::Command(command)).await;
    }

    /// The same for those who can't wait; lost when the endpoint has more to do than it can take.
    pub fn command_now(&self, command: Command) {
        let _ = self.requests.try_send(Ask::Command(command));
    }

    /// Sends the events of an outgoing leg to the returned inbox. To be called before the leg's `Invite`.
    pub async fn follow(&self, leg: Leg) -> mpsc::UnboundedReceiver<Event> {
        let (events, inbox) = mpsc::unbounded_channel();
        let _ = self.requests.send(Ask::Follow { leg, events }).await;
        inbox
    }

    /// Ends the task when what it has begun is through — a BYE is answered, a binding taken back — or after 5 s.
    pub async fn stop(&self) {
        let (done, over) = oneshot::channel();
        if self.requests.send(Ask::Stop(done)).await.is_ok() {
            let _ = over.await;
        }
    }
}

/// Binds UDP and TCP, on the same port when it was left to us.
async fn bind(listen: SocketAddr) -> io::Result<(Udp, TcpListener)> {
    let tries = if listen.port() == 0 { 16 } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        let udp = Udp::bind(listen).await?;
        match tcp::listen(udp.bound()).await {
            Ok(listener) => return Ok((udp, listener)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

/// Starts the endpoint. Incoming calls arrive on the returned channel, everything that belongs to no call (trunks,
/// counts) on the second.
pub async fn start(
    config: &Config,
    seed: [u8; 32],
    clock: Clock,
) -> io::Result<(Sip, mpsc::UnboundedReceiver<Incoming>, mpsc::UnboundedReceiver<Event>)> {
    let (udp, listener) = bind(config.listen).await?;
    let bound = udp.bound();
    let (requests, asks) = mpsc::channel(REQUESTS);
    let (arrived, arrivals) = mpsc::channel(ARRIVALS);
    let (calls, incoming) = mpsc::unbounded_channel();
    let (others, other) = mpsc::unbounded_channel();
    let agent = endpoint::Config { advertise: config.advertise.clone(), ..config.agent.clone() };
    let idle = Duration::from_secs(config.connection_idle_s.into());
    let task = Task {
        endpoint: Endpoint::new(agent, seed),
        clock,
        udp,
        allow: config.allow.clone(),
        connections: Connections::new(arrived, config.max_connections, idle),
        addresses: LocalAddresses::default(),
        inboxes: HashMap::new(),
        parted: VecDeque::with_capacity(PARTED),
        calls,
        others,
        failed: VecDeque::new(),
        wake: None,
        refused_accept: None,
    };
    tokio::spawn(task.run(listener, asks, arrivals));
    Ok((Sip { requests, bound }, incoming, other))
}

struct Task {
    endpoint: Endpoint,
    clock: Clock,
    udp: Udp,
    allow: Vec<IpNet>,
    connections: Connections,
    addresses: LocalAddresses,
    inboxes: HashMap<Leg, mpsc::UnboundedSender<Event>>,
    parted: VecDeque<(Leg, mpsc::UnboundedSender<Event>)>,
    calls: mpsc::UnboundedSender<Incoming>,
    others: mpsc::UnboundedSender<Event>,
    failed: VecDeque<Hop>,
    wake: Option<Mono>,
    /// No connection is taken in before.
    refused_accept: Option<Mono>,
}

impl Task {
    async fn run(
        mut self,
        listener: TcpListener,
        mut asks: mpsc::Receiver<Ask>,
        mut arrivals: mpsc::Receiver<Arrival>,
    ) {
        let mut buffer = vec![0; udp::LARGEST];
        let mut until: Option<Mono> = None;
        // dropped with the task, which tells who waits for its end
        let mut _stopped: Option<oneshot::Sender<()>> = None;
        while until.is_none_or(|limit| !self.is_through(limit)) {
            let due = [self.wake, self.refused_accept, until].into_iter().flatten().min();
            let wake = due.map(|at| self.clock.instant(at));
            tokio::select! {
                (length, from) = self.udp.receive(&mut buffer) => {
                    self.datagram(&buffer[..length], from);
                    for _ in 1..BATCH {
                        let Some((length, from)) = self.udp.try_receive(&mut buffer) else { break };
                        self.datagram(&buffer[..length], from);
                    }
                }
                Some(arrival) = arrivals.recv() => match arrival {
                    Arrival::Message { hop, bytes } => self.handle(Input::Received { hop, bytes: &bytes }),
                    Arrival::Failed { hop } => self.handle(Input::TransportFailed { hop }),
                },
                accepted = listener.accept(), if self.refused_accept.is_none() => match accepted {
                    Ok((stream, peer)) => self.connection(stream, udp::canonical(peer)),
                    Err(error) => {
                        // out of descriptors, most likely: asking again at once would only spin
                        tracing::warn!(%error, "a connection could not be taken in");
                        self.refused_accept = Some(self.clock.mono() + ACCEPT_AGAIN);
                    }
                },
                ask = asks.recv() => match ask {
                    Some(Ask::Command(command)) => self.handle(Input::Command(command)),
                    Some(Ask::Follow { leg, events }) => {
                        self.inboxes.insert(leg, events);
                    }
                    Some(Ask::Stop(done)) => {
                        _stopped = Some(done);
                        until = Some(self.clock.mono() + STOP_LIMIT);
                    }
                    None => return,
                },
                () = super::sleep_until(wake) => {
                    self.refused_accept = None;
                    self.handle(Input::Timeout);
                }
            }
        }
    }

    /// Nothing that we began is unfinished, or nobody waits any longer.
    fn is_through(&self, limit: Mono) -> bool {
        let counts = self.endpoint.counts();
        (counts.legs == 0 && counts.client_transactions == 0) || self.clock.mono() >= limit
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        let trusted = self.allow.iter().any(|net| net.contains(&peer));
        if !trusted {
            metrics::counter!("hotline_sip_dropped_total", "reason" => "untrusted_source").increment(1);
        }
        trusted
    }

    fn datagram(&mut self, bytes: &[u8], peer: SocketAddr) {
        if self.trusts(peer.ip()) {
            let local = self.addresses.towards(self.udp.bound(), peer.ip());
            self.handle(Input::Received { hop: Hop { transport: Transport::Udp, local, peer }, bytes });
        }
    }

    fn connection(&self, stream: tokio::net::TcpStream, peer: SocketAddr) {
        if self.trusts(peer.ip()) {
            self.connections.take_in(stream, peer);
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.endpoint.handle(self.clock.mono(), input);
        self.drain();
        while let Some(hop) = self.failed.pop_front() {
            self.endpoint.handle(self.clock.mono(), Input::TransportFailed { hop });
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            match self.endpoint.poll_output() {
                Output::Transmit { hop, bytes } => self.transmit(hop, bytes),
                Output::Event(event) => self.tell(event),
                Output::Wait(at) => {
                    self.wake = at;
                    return;
                }
            }
        }
    }

    fn transmit(&mut self, hop: Hop, bytes: Vec<u8>) {
        let delivered = match hop.transport {
            Transport::Udp => match self.udp.send(hop.peer, &bytes) {
                Sent::Yes => true,
                Sent::Dropped => {
                    metrics::counter!("hotline_sip_dropped_total", "reason" => "send_buffer_full").increment(1);
                    true
                }
                Sent::Failed => false,
            },
            Transport::Tcp => self.connections.send(hop, bytes),
        };
        if !delivered {
            self.failed.push_back(hop);
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Incoming { leg, invite } => {
                let (events, inbox) = mpsc::unbounded_channel();
                self.inboxes.insert(leg, events);
                // with nobody to take calls the task is about to end
                let _ = self.calls.send(Incoming { leg, invite, events: inbox });
            }
            Event::Counted(what) => metrics::counter!("hotline_sip_events_total", "event" => what).increment(1),
            event => match leg_of(&event) {
                Some(leg) => self.pass(leg, event),
                None => {
                    let _ = self.others.send(event);
                }
            },
        }
    }

    /// A task that has read all it wanted is gone before its leg.
    fn pass(&mut self, leg: Leg, event: Event) {
        if !matches!(event, Event::Ended { .. }) {
            let parted = || self.parted.iter().find(|(one, _)| *one == leg).map(|(_, inbox)| inbox);
            if let Some(inbox) = self.inboxes.get(&leg).or_else(parted) {
                let _ = inbox.send(event);
            }
        } else if let Some(inbox) = self.inboxes.remove(&leg) {
            let _ = inbox.send(event);
            self.parted.truncate(PARTED - 1);
            self.parted.push_front((leg, inbox));
        }
    }
}

/// The leg an event is about; `None` for what belongs to a trunk or to nobody.
fn leg_of(event: &Event) -> Option<Leg> {
    match event {
        Event::Incoming { leg, .. }
        | Event::Answered { leg, .. }
        | Event::Ringing { leg, .. }
        | Event::Accepted { leg, .. }
        | Event::Offer { leg, .. }
        | Event::OfferAnswered { leg, .. }
        | Event::OfferRefused { leg, .. }
        | Event::Digit { leg, .. }
        | Event::Ended { leg, .. }
        | Event::Trace { leg, .. } => Some(*leg),
        Event::Registered { .. }
        | Event::RegistrationFailed { .. }
        | Event::Unregistered { .. }
        | Event::OptionsAnswered { .. }
        | Event::Counted(_) => None,
    }
}
