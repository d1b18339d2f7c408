//! A call's audio: a thread that sends every 20 ms by an absolute schedule, and keeps what it hears.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::g711::Law;
use super::rtp::{self, Packet, Press, Report};
use super::sdp::Description;
use super::time::{left, millis, now};
use super::tones::{Book, Ear, Heard};

/// Something to send.
#[derive(Clone, Debug)]
pub enum Cue {
    Sound(Vec<i16>),
    /// A key as a telephone event.
    Key(char, Press),
}

/// What goes out while there is nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Frames of silence.
    Frames,
    /// Nothing (silence suppression).
    Nothing,
    /// One comfort noise packet, payload type 13, then nothing (RFC 3389).
    ComfortNoise,
}

/// The sockets and the thread of one call's audio.
pub struct Media {
    pub shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and the test both see.
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Where the phone receives RTP; RTCP is one above.
    pub local: SocketAddr,
}

/// The figures and sounds of a call so far.
struct State {
    remote: Option<SocketAddr>,
    law: Law,
    telephone_event: Option<u8>,
    sends: bool,
    quiet: Quiet,
    reports_every: Option<Duration>,
    script: VecDeque<Vec<Slot>>,
    said: Vec<i16>,
    stop: bool,
    strict: bool,
    ear: Ear,
    heard: Vec<i16>,
    /// The same without the gaps.
    played: Vec<i16>,
    /// Arrival of every audio packet and the sample it begins at.
    arrivals: Vec<(Instant, usize)>,
    incoming: Option<Stream>,
    keys: Vec<(char, u32)>,
    packets: u64,
    strangers: u64,
    ticks: u64,
    reports: Vec<Report>,
    faults: Vec<String>,
}

/// The stream that comes in: its source and the sequence number before.
#[derive(Clone, Copy)]
struct Stream {
    ssrc: u32,
    first_timestamp: u32,
    sequence: u16,
}

/// 20 ms to send.
enum Slot {
    Audio(Vec<i16>),
    /// Packets of one event; `first` is the slot the event's timestamp is taken from.
    Event {
        first: bool,
        packets: Vec<(bool, [u8; 4])>,
    },
}

impl Media {
    /// Starts on a bound pair of sockets; sends once [`Shared::connect`] was told where to.
    pub fn start(rtp: UdpSocket, rtcp: UdpSocket, book: Book, strict: bool) -> Media {
        let local = rtp.local_addr().expect("a bound socket");
        let state = State {
            remote: None,
            law: Law::A,
            telephone_event: None,
            sends: true,
            quiet: Quiet::Frames,
            reports_every: Some(millis(1000)),
            script: VecDeque::new(),
            said: Vec::new(),
            stop: false,
            strict,
            ear: Ear::new(book),
            heard: Vec::new(),
            played: Vec::new(),
            arrivals: Vec::new(),
            incoming: None,
            keys: Vec::new(),
            packets: 0,
            strangers: 0,
            ticks: 0,
            reports: Vec::new(),
            faults: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), local });
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || run(&shared, &rtp, &rtcp)
        });
        Media { shared, thread: Some(thread) }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    /// Takes what the other side described: where to send, in which codec.
    pub fn connect(&self, description: &Description) {
        let mut state = self.lock();
        state.remote = (description.audio.port() != 0).then_some(description.audio);
        state.law = description.law().unwrap_or(Law::A);
        state.telephone_event = description.telephone_event;
        state.sends = matches!(description.direction.as_str(), "sendrecv" | "recvonly");
    }

    /// Stops or starts sending, whatever the session says.
    pub fn send(&self, on: bool) {
        self.lock().sends = on;
    }

    pub fn quiet(&self, quiet: Quiet) {
        self.lock().quiet = quiet;
    }

    pub fn send_reports(&self, every: Option<Duration>) {
        self.lock().reports_every = every;
    }

    pub fn cue(&self, cue: Cue) {
        let slots = match cue {
            Cue::Sound(samples) => samples.chunks(160).map(|frame| Slot::Audio(frame.to_vec())).collect(),
            Cue::Key(digit, press) => event_slots(digit, press),
        };
        self.lock().script.push_back(slots);
    }

    /// Drops what has not been said yet.
    pub fn fall_silent(&self) {
        self.lock().script.clear();
    }

    /// Waits until all cues went out.
    pub fn all_said(&self, within: Duration) -> bool {
        self.wait(within, |state| state.script.is_empty().then_some(())).is_some()
    }

    /// All audio sent so far, silence included, from the first packet on.
    pub fn said(&self) -> Vec<i16> {
        self.lock().said.clone()
    }

    /// All audio received so far by its timestamps, 8 kHz; gaps are silence.
    pub fn heard_audio(&self) -> Vec<i16> {
        self.lock().heard.clone()
    }

    /// All audio received so far, packet after packet: what a sender that was late left out is no gap here.
    pub fn played_audio(&self) -> Vec<i16> {
        self.lock().played.clone()
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.lock().ear.heard().cloned().collect()
    }

    /// Waits until `wanted` finds something in what was heard.
    pub fn wait_heard<T>(&self, within: Duration, wanted: impl Fn(&[Heard]) -> Option<T>) -> Option<T> {
        self.wait(within, |state| wanted(&state.ear.heard().cloned().collect::<Vec<_>>()))
    }

    /// When the sample at `ms` of what was heard arrived.
    pub fn arrival(&self, ms: u64) -> Option<Instant> {
        let sample = usize::try_from(ms * 8).expect("a short call");
        self.lock().arrivals.iter().rev().find(|(_, at)| *at <= sample).map(|(arrived, _)| *arrived)
    }

    /// Keys received as telephone events, each timestamp once.
    pub fn keys(&self) -> String {
        self.lock().keys.iter().map(|(key, _)| *key).collect()
    }

    pub fn wait_keys(&self, count: usize, within: Duration) -> String {
        self.wait(within, |state| (state.keys.len() >= count).then_some(()));
        self.keys()
    }

    /// Waits until at least this many RTP packets came.
    pub fn wait_packets(&self, count: u64, within: Duration) -> bool {
        self.wait(within, |state| (state.packets >= count).then_some(())).is_some()
    }

    pub fn wait_audio(&self, ms: u64, within: Duration) -> bool {
        let samples = usize::try_from(ms * 8).expect("a short call");
        self.wait(within, |state| (state.heard.len() >= samples).then_some(())).is_some()
    }

    /// Lets so much of the call's own time pass, counted in frames of 20 ms.
    pub fn let_pass(&self, time: Duration) {
        let until = self.lock().ticks + u64::try_from(time.as_millis() / 20).expect("a short time");
        self.wait(time * 2 + millis(1000), |state| (state.ticks >= until).then_some(()));
    }

    pub fn packets(&self) -> u64 {
        self.lock().packets
    }

    /// Packets from elsewhere than the session named.
    pub fn strangers(&self) -> u64 {
        self.lock().strangers
    }

    /// Waits for a report about our stream.
    pub fn wait_report(&self, within: Duration) -> Option<Report> {
        self.wait(within, |state| state.reports.last().copied())
    }

    pub fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    fn wait<T>(&self, within: Duration, wanted: impl Fn(&State) -> Option<T>) -> Option<T> {
        let deadline = now() + within;
        let mut state = self.lock();
        loop {
            if let Some(found) = wanted(&state) {
                return Some(found);
            }
            if left(deadline).is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left(deadline)).expect("the thread does not panic").0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the thread does not panic")
    }
}

impl State {
    fn take_packet(&mut self, bytes: &[u8], source: SocketAddr) {
        let arrived = now();
        if self.remote.is_some_and(|remote| remote != source) {
            self.strangers += 1;
            return;
        }
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(fault) => return self.fault(fault),
        };
        self.packets += 1;
        let mut stream = self.incoming.unwrap_or_else(|| self.stream_from_here(&packet));
        if packet.ssrc != stream.ssrc {
            self.fault(format!("SSRC changed from {:#x} to {:#x}", stream.ssrc, packet.ssrc));
            stream = self.stream_from_here(&packet);
        }
        if packet.sequence != stream.sequence.wrapping_add(1) {
            self.fault(format!("sequence number {} after {}", packet.sequence, stream.sequence));
        }
        self.incoming = Some(Stream { sequence: packet.sequence, ..stream });
        if Some(packet.payload_type) == self.telephone_event || (packet.payload_type >= 96 && packet.payload.len() == 4)
        {
            return self.take_event(&packet);
        }
        let Some(law) = Law::of_payload(packet.payload_type) else {
            return self.fault(format!("payload type {}", packet.payload_type));
        };
        if law != self.law && self.remote.is_some() {
            self.fault(format!("{law:?}-law where {:?}-law was agreed", self.law));
        }
        let at = packet.timestamp.wrapping_sub(stream.first_timestamp) as usize;
        let end = self.heard.len();
        if at < end || at > end + 60 * 8000 {
            return self.fault(format!("a timestamp at sample {at} where {end} was due"));
        }
        let samples = law.decode_all(&packet.payload);
        self.arrivals.push((arrived, at));
        self.ear.skip(at - end);
        self.ear.push(&samples);
        self.played.extend(&samples);
        self.heard.resize(at, 0);
        self.heard.extend(samples);
    }

    /// A stream whose first packet continues what was heard so far.
    fn stream_from_here(&self, packet: &Packet) -> Stream {
        let heard = u32::try_from(self.heard.len()).expect("a short call");
        Stream {
            ssrc: packet.ssrc,
            first_timestamp: packet.timestamp.wrapping_sub(heard),
            sequence: packet.sequence.wrapping_sub(1),
        }
    }

    fn take_event(&mut self, packet: &Packet) {
        let key = packet.payload.first().and_then(|code| "0123456789*#ABCD".chars().nth(usize::from(*code)));
        let Some(key) = key else { return self.fault("a telephone event that is no key".into()) };
        if self.keys.last() != Some(&(key, packet.timestamp)) {
            self.keys.push((key, packet.timestamp));
        }
    }

    fn fault(&mut self, fault: String) {
        if self.strict && self.faults.len() < 20 {
            self.faults.push(format!("RTP: {fault}"));
        }
    }
}

/// The outgoing stream.
struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    event_timestamp: u32,
    silent: bool,
    packets: u32,
}

fn run(shared: &Shared, rtp: &UdpSocket, rtcp: &UdpSocket) {
    rtcp.set_nonblocking(true).expect("a socket can be made non-blocking");
    let port = u32::from(shared.local.port());
    let mut sender = Sender {
        ssrc: 0x5046_0000 | port,
        sequence: 65_500,
        timestamp: port.wrapping_mul(77_777),
        event_timestamp: 0,
        silent: true,
        packets: 0,
    };
    let start = now();
    let mut reported = start;
    for tick in 1_u32.. {
        receive_until(start + millis(20) * tick, shared, rtp);
        receive_reports(shared, rtcp);
        let mut state = shared.lock();
        if state.stop {
            return;
        }
        if let Some(remote) = state.remote.filter(|_| state.sends) {
            send_slot(&mut state, &mut sender, rtp, remote);
            if state.reports_every.is_some_and(|every| now() >= reported + every) {
                reported = now();
                let report = rtp::sender_report(sender.ssrc, sender.timestamp, sender.packets, sender.packets * 160);
                rtcp.send_to(&report, SocketAddr::new(remote.ip(), remote.port() + 1)).ok();
            }
        }
        sender.timestamp = sender.timestamp.wrapping_add(160);
        state.ticks += 1;
        drop(state);
        shared.changed.notify_all();
    }
}

fn receive_until(due: Instant, shared: &Shared, rtp: &UdpSocket) {
    let mut buffer = [0; 2048];
    loop {
        let time = left(due);
        if time.is_zero() {
            return;
        }
        rtp.set_read_timeout(Some(time.max(millis(1)))).expect("a timeout above zero");
        if let Ok((length, source)) = rtp.recv_from(&mut buffer) {
            shared.lock().take_packet(&buffer[..length], source);
            shared.changed.notify_all();
        }
    }
}

fn receive_reports(shared: &Shared, rtcp: &UdpSocket) {
    let mut buffer = [0; 2048];
    while let Ok((length, _)) = rtcp.recv_from(&mut buffer) {
        let read = rtp::read_compound(&buffer[..length]);
        let mut state = shared.lock();
        match read {
            Ok(reports) => state.reports.extend(reports),
            Err(fault) => state.fault(fault),
        }
    }
}

fn send_slot(state: &mut State, sender: &mut Sender, socket: &UdpSocket, remote: SocketAddr) {
    match next_slot(state) {
        Some(Slot::Audio(mut samples)) => {
            samples.resize(160, 0);
            let payload = rtp::frame(state.law, &samples);
            sender.send(socket, remote, sender.silent, state.law.payload(), sender.timestamp, payload);
            sender.silent = false;
            state.said.extend(samples);
        }
        Some(Slot::Event { first, packets }) => {
            if first {
                sender.event_timestamp = sender.timestamp;
            }
            let kind = state.telephone_event.unwrap_or(101);
            for (marker, payload) in packets {
                sender.send(socket, remote, marker, kind, sender.event_timestamp, payload.to_vec());
            }
            state.said.extend([0; 160]);
        }
        None => {
            if state.quiet == Quiet::Frames {
                let payload = rtp::frame(state.law, &[]);
                sender.send(socket, remote, sender.silent, state.law.payload(), sender.timestamp, payload);
                sender.silent = false;
            } else {
                if state.quiet == Quiet::ComfortNoise && !sender.silent {
                    sender.send(socket, remote, false, 13, sender.timestamp, vec![70]);
                }
                sender.silent = true;
            }
            state.said.extend([0; 160]);
        }
    }
}

fn next_slot(state: &mut State) -> Option<Slot> {
    let cue = state.script.front_mut()?;
    let slot = (!cue.is_empty()).then(|| cue.remove(0));
    if cue.is_empty() {
        state.script.pop_front();
    }
    slot
}

/// A key and the 60 ms of silence that keep it apart from the next.
fn event_slots(digit: char, press: Press) -> Vec<Slot> {
    let events = rtp::event(digit, press).into_iter().enumerate();
    let mut slots: Vec<Slot> = events.map(|(index, packets)| Slot::Event { first: index == 0, packets }).collect();
    slots.extend((0..3).map(|_| Slot::Audio(vec![0; 160])));
    slots
}

impl Sender {
    fn send(&mut self, socket: &UdpSocket, to: SocketAddr, marker: bool, kind: u8, timestamp: u32, payload: Vec<u8>) {
        let packet =
            Packet { marker, payload_type: kind, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload };
        socket.send_to(&packet.bytes(), to).ok();
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
    }
}

/// Sends `sound` as a well-formed RTP stream from a socket of its own, paced, and tells how many packets came back.
pub fn intrude(socket: &UdpSocket, to: SocketAddr, law: Law, sound: &[i16]) -> usize {
    let mut sender =
        Sender { ssrc: 0xBAD0_BAD0, sequence: 1, timestamp: 1, event_timestamp: 0, silent: false, packets: 0 };
    let (start, mut buffer, mut answered) = (now(), [0; 2048], 0);
    for (index, frame) in (0_u32..).zip(sound.chunks(160)) {
        sender.send(socket, to, index == 0, law.payload(), sender.timestamp, rtp::frame(law, frame));
        sender.timestamp += 160;
        let due = start + millis(20) * (index + 1);
        while !left(due).is_zero() {
            socket.set_read_timeout(Some(left(due).max(millis(1)))).expect("a timeout above zero");
            answered += usize::from(socket.recv_from(&mut buffer).is_ok());
        }
    }
    answered
}
