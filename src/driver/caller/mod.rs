//! Places one call as a phone would: an endpoint and a media thread of its own, orders by the clock, a report.

mod called;
mod heard;
mod line;
mod report;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc::UnboundedReceiver;

use super::dns::Dns;
use super::media::ports::{Exhausted, PortRange};
use super::media::{self, Media, StartError};
use super::sip::{self as agent, LocalAddresses, Sip};
use crate::clock::Clock;
use crate::media::clip::Clip;
use crate::media::command::Digits;
use crate::sip::target::NoTarget;
use crate::sip::{Admission, Command, Hop, Invite, Leg, Party, Uri};

pub use called::Telephone;
pub use heard::Heard;
use line::Line;
pub use report::{Answered, Message, Pressed, Progress, Report};

/// Who has not answered by then is not called any longer.
const RING_LIMIT_MS: u32 = 120_000;
/// The only leg of its endpoint.
const LEG: Leg = Leg::outgoing(1);

/// Whom to call, and what to do there.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `sip:12345@host`; `;transport=tcp` asks for TCP.
    pub uri: Uri,
    /// The user part of From: the number that calls, or a name, which stands for no number.
    pub from: String,
    /// What to do, by the time since the answer, in its order.
    pub script: Vec<(Duration, Order)>,
    /// From the answer to our BYE.
    pub talk: Duration,
    /// Where the RTP port is taken from.
    pub rtp_ports: PortRange,
}

/// What a caller does.
#[derive(Clone, Debug)]
pub enum Order {
    Press(Digits),
    /// Says this after what is being said already.
    Play(Arc<Clip>),
    /// At once, answered or not.
    HangUp,
}

/// Why a call could not even be tried.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("{0}")]
    Target(#[from] NoTarget),
    #[error("the host of the URI leads to no address")]
    Nowhere,
    #[error("SIP has no socket: {0}")]
    Sip(#[from] io::Error),
    #[error("{0}")]
    Media(#[from] StartError),
    #[error("{0}")]
    Ports(#[from] Exhausted),
}

/// Calls, carries out the plan and the `orders` that come meanwhile, and tells what happens as it happens. Ends with
/// the call, which ends itself when [`Plan::talk`] is over.
///
/// # Errors
/// The call could not be tried. A refusal is a [`Report`].
pub async fn call(
    plan: Plan,
    clock: Clock,
    seed: [u8; 32],
    orders: UnboundedReceiver<Order>,
    tell: impl FnMut(Progress),
) -> Result<Report, CallError> {
    let mut random = StdRng::from_seed(seed);
    let places = Dns::of_the_system().resolve(&plan.uri, random.random()).await?;
    // one socket speaks one family, and a host with both is more likely to serve calls on the older one
    let family = places.iter().find(|place| place.address.is_ipv4()).or(places.first());
    let first = family.ok_or(CallError::Nowhere)?.address.ip();
    let address = listen_for(first);
    let media = media::Config { address, ports: plan.rtp_ports, ..media::Config::default() };
    let media = Media::start(media, clock)?;
    let sockets = media.allocate()?;

    let sip = start(address, random.random(), clock).await?;
    let mut addresses = LocalAddresses::default();
    let hop = |place: &crate::sip::target::Destination| Hop {
        transport: place.transport,
        local: addresses.towards(sip.bound(), place.address.ip()),
        peer: place.address,
    };
    let same_family = places.iter().filter(|place| place.address.is_ipv4() == first.is_ipv4());
    let hops: Vec<Hop> = same_family.map(hop).collect();
    let local = hops.first().ok_or(CallError::Nowhere)?.local;

    let events = sip.follow(LEG).await;
    let line = Line::new(LEG, plan.talk, (sip.clone(), media, sockets), local.ip(), clock, random, tell);
    let mut line = line.with_script(plan.script.clone());
    let invite = invite(plan, hops, local, line.offer());
    sip.command(Command::Invite(Box::new(invite))).await;
    line.run(events, orders).await;
    sip.stop().await;
    Ok(line.into_report())
}

/// An endpoint that takes no calls.
async fn start(address: IpAddr, seed: [u8; 32], clock: Clock) -> io::Result<Sip> {
    let (sip, _incoming, _others) = agent::start(&heard_by_all(address), seed, clock).await?;
    sip.command(Command::Admission(Admission::Full)).await;
    Ok(sip)
}

fn heard_by_all(address: IpAddr) -> agent::Config {
    let everybody = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network")).to_vec();
    agent::Config { listen: SocketAddr::new(address, 0), allow: everybody, ..agent::Config::default() }
}

/// Every address of ours, unless the peer is on this machine: then nobody else needs to reach us.
fn listen_for(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(peer) if peer.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(peer) if peer.is_loopback() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

fn invite(plan: Plan, hops: Vec<Hop>, local: SocketAddr, offer: Vec<u8>) -> Invite {
    Invite {
        leg: LEG,
        hops,
        from: Party { display: None, uri: Uri::sip(Some(&plan.from), local) },
        to: plan.uri.clone(),
        uri: plan.uri.into_request_uri(),
        asserted: None,
        private: false,
        offer,
        credentials: None,
        ring_timeout_ms: Some(RING_LIMIT_MS),
    }
}
