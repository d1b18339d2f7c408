//! The media threads: outside the runtime, plain non-blocking sockets, each call visited every 20 ms.
//!
//! A thread has four slots 5 ms apart and a call lives in one of them. A visit carries out the call's commands, drains
//! its sockets and lets its session advance. The thread allocates nothing, frees nothing, takes no lock and writes no
//! log: commands come by a ring per call, new calls by a ring per thread, and one ring takes events and everything
//! that is to be freed to the thread's dispatcher, which sleeps until it is unparked (a futex) and hands each event to
//! the channel of its call within a millisecond or so.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rtrb::{Producer, RingBuffer};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::media;
use crate::media::command::Command;
use crate::media::event::Event;
use crate::media::session::Session;
use crate::sdp::Negotiated;

mod dispatch;
mod figures;
pub mod ports;
pub mod recording;
mod worker;

pub use figures::Figures;
use ports::{PortRange, Ports, Sockets};
use recording::{Recordings, Sink};
use worker::{Call, Worker};

/// Commands that may wait for a visit.
const COMMANDS: usize = 16;

/// Events that may wait for the call's task.
const EVENTS: usize = 64;

/// New calls that may wait for a thread.
const NEW_CALLS: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address that RTP and RTCP sockets are bound to.
    pub address: IpAddr,
    /// Where port pairs are taken from, such as "20000-29999"; RTP has the even port.
    pub ports: PortRange,
    /// A port pair is not used again for so long after its call.
    pub quarantine_ms: u32,
    /// Media threads; a second one is of use above 1,500 calls.
    pub threads: usize,
    pub calls_per_thread: usize,
    /// Recordings at a time; each holds a ring of 33 KiB.
    pub recordings: usize,
    pub session: media::config::Config,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: PortRange::new(20_000, 29_999).expect("a range"),
            quarantine_ms: 5_000,
            threads: 1,
            calls_per_thread: 2_000,
            recordings: 4_000,
            session: media::config::Config::default(),
        }
    }
}

/// All media threads, their ports and their recording rings. Dropping it ends the threads and their calls.
pub struct Media {
    config: Config,
    clock: Clock,
    threads: Vec<Thread>,
    ports: Ports,
    recordings: Recordings,
    opened: AtomicU64,
}

/// What a call needs to have sound.
pub struct Opened {
    /// From [`Media::allocate`].
    pub sockets: Sockets,
    pub negotiated: Negotiated,
    /// The host that the call's signalling came from; see [`media::latch::Trust`].
    pub signalling: Option<IpAddr>,
    /// For SSRC, first sequence number and timestamp, canonical name and report times.
    pub seed: [u8; 32],
    /// From [`Media::recording`]; without it nothing is recorded.
    pub recording: Option<Sink>,
}

/// One call's end of its media. Dropping it closes the media as `Command::Close` does.
pub struct CallMedia {
    commands: Producer<Command>,
    events: mpsc::Receiver<Event>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start a media thread: {0}")]
    Thread(#[from] std::io::Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("all media threads have as many calls as they may")]
    Full,
    #[error("the media thread has not yet taken the calls opened before")]
    Busy,
}

/// Sixteen commands already wait for the visit; the command is handed back.
#[derive(Debug, thiserror::Error)]
#[error("too many commands wait for the media thread")]
pub struct Crowded(pub Command);

/// One thread and its dispatcher.
struct Thread {
    new_calls: Mutex<Producer<Box<Call>>>,
    channels: Channels,
    load: Arc<AtomicUsize>,
    figures: Arc<Figures>,
    stop: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
    dispatcher: Option<JoinHandle<()>>,
}

type Channels = Arc<Mutex<HashMap<u64, mpsc::Sender<Event>>>>;

impl Media {
    pub fn start(config: Config, clock: Clock) -> Result<Media, StartError> {
        let threads = (0..config.threads.max(1)).map(|number| Thread::start(number, &config, clock));
        let threads = threads.collect::<Result<Vec<Thread>, StartError>>()?;
        // the microsecond of the start is as good as random, and is not that of the start before
        let start = clock.wall().timestamp_micros().unsigned_abs();
        let ports = Ports::new(config.address, config.ports, config.quarantine_ms, start, clock);
        let recordings = Recordings::new(config.recordings);
        Ok(Media { config, clock, threads, ports, recordings, opened: AtomicU64::new(0) })
    }

    /// A pair of bound sockets, for the description that is answered before the call is opened.
    pub fn allocate(&self) -> Result<Sockets, ports::Exhausted> {
        self.ports.allocate()
    }

    /// Both ends of a recording ring; `None` when there are as many as there may be.
    pub fn recording(&self) -> Option<(Sink, recording::Source)> {
        self.recordings.open()
    }

    /// Begins a call's RTP, within 20 ms. From now on it sends silence.
    pub fn open(&self, opened: Opened) -> Result<CallMedia, OpenError> {
        let thread = self.threads.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed));
        let thread = thread.expect("there is at least one thread");
        if thread.load.fetch_add(1, Ordering::Relaxed) >= self.config.calls_per_thread {
            thread.load.fetch_sub(1, Ordering::Relaxed);
            return Err(OpenError::Full);
        }
        let id = self.opened.fetch_add(1, Ordering::Relaxed);
        let (commands, command_queue) = RingBuffer::new(COMMANDS);
        let (sender, events) = mpsc::channel(EVENTS);
        let Opened { sockets, negotiated, signalling, seed, recording } = opened;
        let session = Session::new(&self.config.session, negotiated, signalling, seed, self.clock.now());
        locked(&thread.channels).insert(id, sender);
        let call = Box::new(Call::new(id, session, sockets, command_queue, recording));
        if locked(&thread.new_calls).push(call).is_err() {
            locked(&thread.channels).remove(&id);
            thread.load.fetch_sub(1, Ordering::Relaxed);
            return Err(OpenError::Busy);
        }
        Ok(CallMedia { commands, events })
    }

    /// Calls that have media.
    pub fn calls(&self) -> usize {
        self.threads.iter().map(|thread| thread.load.load(Ordering::Relaxed)).sum()
    }

    /// How late the visits of the worst thread are, in microseconds: the 99th percentile of the last full second, or
    /// the time since its last visit if that is longer. The sign by which new calls are refused.
    pub fn late_p99_us(&self) -> u32 {
        let now = self.clock.mono();
        self.threads.iter().map(|thread| thread.figures.late_p99_us(now)).max().unwrap_or(0)
    }

    /// The counters of each thread.
    pub fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.threads.iter().map(|thread| &*thread.figures)
    }
}

impl CallMedia {
    /// Asks for something; carried out at the next visit, within 20 ms.
    pub fn command(&mut self, command: Command) -> Result<(), Crowded> {
        self.commands.push(command).map_err(|rtrb::PushError::Full(command)| Crowded(command))
    }

    /// The next event; `None` after `Event::Closed`. Losing the future loses no event; a task that lets 64 events wait
    /// loses those after them.
    pub async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The next event for a caller without a runtime.
    pub fn blocking_event(&mut self) -> Option<Event> {
        self.events.blocking_recv()
    }

    /// The next event that is there already.
    pub fn try_event(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Thread {
    fn start(number: usize, config: &Config, clock: Clock) -> Result<Thread, StartError> {
        let (new_calls, new_call_queue) = RingBuffer::new(NEW_CALLS);
        let channels = Channels::default();
        let load = Arc::new(AtomicUsize::new(0));
        let figures = Arc::new(Figures::default());
        figures.visited(clock.mono());
        let stop = Arc::new(AtomicBool::new(false));
        let (products, dispatcher) =
            dispatch::start(number, Arc::clone(&channels), Arc::clone(&load), Arc::clone(&stop))?;
        let wake = dispatcher.thread().clone();
        let worker = Worker::new(new_call_queue, products, wake, Arc::clone(&figures), config.calls_per_thread);
        let running = Arc::clone(&stop);
        let worker =
            std::thread::Builder::new().name(format!("media-{number}")).spawn(move || worker.run(clock, &running))?;
        let (worker, dispatcher) = (Some(worker), Some(dispatcher));
        Ok(Thread { new_calls: Mutex::new(new_calls), channels, load, figures, stop, worker, dispatcher })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // The worker first: what it has sent is still delivered. A thread that panicked has said so on its own.
        for thread in [self.worker.take(), self.dispatcher.take()].into_iter().flatten() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

/// A poisoned lock guards a map or a ring that is whole at every step.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
