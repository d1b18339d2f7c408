//! The media thread neither allocates nor frees, whatever its calls do: a counting allocator watches it.
//!
//! One test in a binary of its own, since a process has one allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use hotline::clock::Clock;
use hotline::digit::Digit;
use hotline::driver::media::{CallMedia, Config, Media, Opened};
use hotline::media::clip::Clip;
use hotline::media::command::{Command, Cue, Digits, Record};
use hotline::media::event::Event;
use hotline::media::{FRAME, rtp, tone};
use hotline::sdp::{Codec, Direction, Negotiated};

/// The thread that is watched, by the number that the system gave it.
static WATCHED: AtomicI32 = AtomicI32::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static NUMBER: Cell<i32> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator is an unsafe trait; this one only counts and hands on to the system's")]
// SAFETY: each call is handed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the pointer came from `alloc` above, which is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    let number = NUMBER.get();
    let number = if number == 0 { rustix::thread::gettid().as_raw_nonzero().get() } else { number };
    NUMBER.set(number);
    if number == WATCHED.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

/// The number of this process's thread of a name.
fn thread_of(name: &str) -> i32 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
    let mut numbers = tasks.map(|task| task.expect("a thread").file_name().into_string().expect("a number"));
    let is_named = |number: &String| {
        std::fs::read_to_string(format!("/proc/self/task/{number}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    numbers.find(is_named).and_then(|number| number.parse().ok()).expect("a thread of that name")
}

struct Line {
    call: CallMedia,
    socket: UdpSocket,
    service: SocketAddr,
    sequence: u16,
}

impl Line {
    fn open(media: &Media, dtmf_payload: Option<u8>) -> (Line, hotline::driver::media::recording::Source, Negotiated) {
        let sockets = media.allocate().expect("ports");
        let service = SocketAddr::from(([127, 0, 0, 1], sockets.port()));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let peer = socket.local_addr().expect("an address");
        let negotiated = Negotiated {
            codec: Codec::Pcma,
            payload: 8,
            dtmf_payload,
            peer_rtp: peer,
            peer_rtcp: SocketAddr::new(peer.ip(), peer.port() ^ 1),
            direction: Direction::SendRecv,
            ptime_ms: 20,
            comfort_noise: Some(13),
        };
        let (sink, source) = media.recording().expect("a ring");
        let opened =
            Opened { sockets, negotiated: negotiated.clone(), signalling: None, seed: [1; 32], recording: Some(sink) };
        let call = media.open(opened).expect("a call");
        (Line { call, socket, service, sequence: 0 }, source, negotiated)
    }

    /// So many periods: hears a packet, then says one.
    fn talk(&mut self, periods: u32, payload_type: u8, mut payload: impl FnMut(u32) -> Vec<u8>) {
        for n in 0..periods {
            self.socket.recv(&mut [0; 2_048]).expect("RTP within the time");
            let timestamp = if payload_type == 101 { 1 } else { u32::from(self.sequence) * 160 };
            let header = rtp::Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: 4 };
            self.sequence += 1;
            let mut buffer = [0; rtp::MAX_SENT];
            let length = rtp::build(&header, &payload(n), &mut buffer);
            self.socket.send_to(&buffer[..length], self.service).expect("sent");
        }
    }

    fn command(&mut self, command: Command) {
        self.call.command(command).expect("room");
    }
}

#[test]
fn the_media_thread_neither_allocates_nor_frees() {
    let config = Config { ports: "30200-30299".parse().expect("a range"), ..Config::default() };
    let media = Media::start(config, Clock::start()).expect("a thread");
    let clip = Arc::new(tone::beep());
    let (mut line, mut source, negotiated) = Line::open(&media, Some(101));
    line.talk(1, 8, |_| vec![0x11; FRAME]);

    // The counter counts.
    WATCHED.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Relaxed);
    drop(std::hint::black_box(Box::new(7)));
    WATCHED.store(thread_of("media-0"), Ordering::Relaxed);
    assert!(ALLOCATIONS.swap(0, Ordering::Relaxed) >= 2);

    let (mut without_events, _frames, _) = Line::open(&media, None);
    line.command(Command::CallRecording(true));
    line.command(Command::Play { token: 1, clips: vec![Cue::Clip(Arc::clone(&clip)), Cue::Silence(10)] });
    line.talk(25, 8, |n| vec![0x11 + n as u8; FRAME]);
    line.command(Command::Listen);
    line.command(Command::Play { token: 2, clips: vec![Cue::Clip(Arc::new(Clip::from_alaw(vec![1; 8_000])))] });
    line.command(Command::Record(Record { max_ms: 9_000, silence_ms: 5_000, stop_on_key: true }));
    line.talk(5, 13, |_| vec![60]);
    line.command(Command::Stop);
    line.talk(20, 8, |_| vec![0x2A; FRAME]);
    line.talk(5, 101, |n| vec![5, 0, 0, n as u8]);
    line.command(Command::InfoDigit(Digit::STAR));
    line.command(Command::SendDigits(Digits::parse("12").expect("keys")));
    line.talk(25, 8, |_| vec![0xD5; FRAME]);
    line.command(Command::Reconfigure(Negotiated { codec: Codec::Pcmu, payload: 0, dtmf_payload: None, ..negotiated }));
    line.talk(5, 0, |_| vec![0x2A; FRAME]);
    line.talk(5, 99, |n| vec![n as u8; 3]);
    without_events.talk(20, 8, |n| {
        tone::key_frame(Digit::POUND, n as usize % 10 * FRAME).map(hotline::media::codec::alaw_encode).to_vec()
    });
    line.command(Command::Close);
    drop(without_events);
    let events: Vec<Event> = std::iter::from_fn(|| line.call.blocking_event()).collect();

    let keys = events.iter().filter(|event| matches!(event, Event::Digit { .. })).count();
    assert_eq!(keys, 2, "{events:?}");
    assert!(events.iter().any(|event| matches!(event, Event::RecordEnded(_))), "{events:?}");
    assert!(matches!(events.last(), Some(Event::Closed(_))), "{events:?}");
    assert!(std::iter::from_fn(|| source.pop()).count() > 50);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), 0, "allocations and frees on the media thread");
}
