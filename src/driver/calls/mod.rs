//! Takes calls in and makes calls: a permit, ports, the pure call, and a task that carries its outputs out.

mod incoming;
mod outgoing;
mod task;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::consult::{self, Unspoken};
use super::keeper::Keeping;
use super::media::Media;
use super::media::ports::Sockets;
use super::sip::{Incoming, Sip};
use crate::call::Setup;
use crate::call::line::Line;
use crate::clock::Clock;
use crate::ivr::Features;
use crate::live::Live;
use crate::sdp;
use crate::sip::Leg;
use crate::store::Holder;
use crate::ticket::Catalogue;

pub use outgoing::{Placing, Unplaced};

/// How many calls, and what is kept of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Calls at a time; one more hears busy (486).
    pub max_calls: usize,
    /// Keep the whole call as a stereo recording, from the end of the recording notice.
    pub record_calls: bool,
    /// Keep what the network says before a call of ours is answered ("powered off"), for review.
    pub keep_early_audio: bool,
    /// A call that lasts longer is said goodbye to.
    pub longest_call_s: u32,
    /// New calls are refused (503) while the 99th percentile of the media threads' lateness is above this.
    pub late_limit_ms: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { max_calls: 200, record_calls: true, keep_early_audio: true, longest_call_s: 3_600, late_limit_ms: 40 }
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

/// The lines as they are served from the next call on; a call keeps what it began with. Never empty; the first one takes
/// the numbers that no line names.
#[derive(Debug)]
pub struct Lines(RwLock<Arc<[Served]>>);

impl Lines {
    pub fn new(lines: Vec<Served>) -> Lines {
        Lines(RwLock::new(lines.into()))
    }

    /// As a call that begins now has them.
    pub fn now(&self) -> Arc<[Served]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next call has these.
    pub fn replace(&self, lines: Vec<Served>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = lines.into();
    }
}

/// Everything a call's task needs.
pub struct Calls {
    pub sip: Sip,
    pub media: Arc<Media>,
    pub keeping: Arc<Keeping>,
    pub live: Arc<Live>,
    pub clock: Clock,
    pub lines: Arc<Lines>,
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
    /// This process, to those that share its database.
    pub holder: Holder,
    pub stage: watch::Receiver<Stage>,
    pub running: Running,
}

/// The tasks of the calls that go on, and the numbers of those that were made.
#[derive(Debug, Default)]
pub struct Running {
    tasks: Mutex<JoinSet<()>>,
    legs: AtomicU64,
}

impl Calls {
    /// Until the endpoint is gone and every call has ended and is kept.
    pub async fn run(self: Arc<Self>, mut incoming: UnboundedReceiver<Incoming>) {
        while let Some(call) = incoming.recv().await {
            self.take_in(call).await;
        }
        loop {
            let mut tasks = std::mem::take(&mut *self.tasks());
            if tasks.is_empty() {
                return;
            }
            while let Some(ended) = tasks.join_next().await {
                tell_failed(ended);
            }
        }
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.running.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while let Some(ended) = tasks.try_join_next() {
            tell_failed(ended);
        }
        tasks.spawn(task);
    }

    fn leg(&self) -> Leg {
        Leg::outgoing(self.running.legs.fetch_add(1, Ordering::Relaxed))
    }

    fn features(&self, served: &Served, synthetic: bool) -> Features {
        let (entries, prompts) = (&Catalogue::built_in().knowledge, &served.setup.prompts);
        let topics = consult::topics(entries, served.line.city, prompts, &self.unspoken);
        Features { sms: false, synthetic, event: None, topics: topics.into() }
    }

    fn ours(&self, local: IpAddr, sockets: &Sockets) -> sdp::Ours {
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

fn tell_failed(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a call's task failed");
    }
}
