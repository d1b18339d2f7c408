//! What the media threads cost: processor time a call-second, and memory a call.
//!
//! `cargo bench --bench media [-- CALLS SECONDS]` (200 calls, 10 s) plays to and records from so many calls on one
//! media thread and drains their recording rings. Their peers are a bare client in the same process: one thread that
//! reads all that comes to each socket and sends a packet on it every 20 ms. The system counts the processor time of
//! each thread (`/proc/self/task/*/schedstat`), so the client's is the measure of what sockets alone cost here. A
//! timed loop over one function could not show any of this, hence no criterion.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotline::clock::Clock;
use hotline::driver::media::recording::Source;
use hotline::driver::media::{CallMedia, Config, Figures, Media, Opened};
use hotline::media::clip::Clip;
use hotline::media::command::{Command, Cue};
use hotline::media::event::Event;
use hotline::media::{FRAME, rtp};
use hotline::sdp::{Codec, Direction, Negotiated};

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let calls = numbers.first().copied().unwrap_or(200).max(2);
    let seconds = numbers.get(1).copied().unwrap_or(10).max(1);

    let clock = Clock::start();
    let config = Config { ports: "20000-29999".parse()?, ..Config::default() };
    let media = Media::start(config, clock)?;
    let peers = (0..calls).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    let clip = Arc::new(Clip::from_alaw((0..8_000 * (seconds as usize + 10)).map(|i| i as u8).collect::<Vec<u8>>()));

    let mut lines = vec![open(&media, &peers[0], &clip)?];
    std::thread::sleep(Duration::from_millis(500));
    let memory_of_one = resident()?;
    for peer in &peers[1..] {
        lines.push(open(&media, peer, &clip)?);
    }
    let services: Vec<SocketAddr> = lines.iter().map(|line| line.service).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let client = std::thread::Builder::new()
        .name("client".to_owned())
        .spawn(move || bare_client(&peers, &services, clock, &stopped))?;

    let mut frames = drain(&mut lines, Duration::from_secs(3));
    let before = Times::read()?;
    frames += drain(&mut lines, Duration::from_secs(seconds));
    let spent = Times::read()?.since(&before);
    let memory_of_all = resident()?;
    let late_p99_us = media.late_p99_us();
    let lateness: Vec<_> =
        media.figures().map(|figures| (figures.late_p50_us(), late_p99_us, count(figures))).collect();
    let events = event_times(&mut lines[0].call, clock)?;
    stop.store(true, Ordering::Relaxed);
    client.join().map_err(|_| "the client panicked")??;

    let call_seconds = (calls * seconds) as f64;
    println!("{calls} calls, {seconds} s, RTP both ways, both sides recorded ({frames} frames)");
    println!("media thread   {:.3} ms a call-second", spent.worker / call_seconds);
    println!("dispatcher     {:.3} ms a call-second", spent.dispatcher / call_seconds);
    println!("bare client    {:.3} ms a call-second", spent.client / call_seconds);
    println!("memory         {:.1} KiB a call beyond the first", (memory_of_all - memory_of_one) / (calls - 1) as f64);
    println!("event to task  p50 {} us, p99 {} us after its visit began", events[50], events[99]);
    for (p50, p99, counts) in lateness {
        println!("lateness       p50 {p50} us, p99 {p99} us");
        println!("packets        {counts}");
    }
    Ok(())
}

fn count(figures: &Figures) -> String {
    let (input, output, unsent) = (figures.packets_in(), figures.packets_out(), figures.unsent());
    let (overruns, lost) = (figures.overruns(), figures.events_lost());
    format!("{input} in, {output} out, {unsent} unsent; {overruns} ring overruns, {lost} events lost")
}

struct Line {
    call: CallMedia,
    source: Source,
    service: SocketAddr,
}

fn open(media: &Media, peer: &UdpSocket, clip: &Arc<Clip>) -> Result<Line, Box<dyn Error>> {
    peer.set_nonblocking(true)?;
    let sockets = media.allocate()?;
    let service = SocketAddr::from(([127, 0, 0, 1], sockets.port()));
    let peer = peer.local_addr()?;
    let negotiated = Negotiated {
        codec: Codec::Pcma,
        payload: 8,
        dtmf_payload: Some(101),
        peer_rtp: peer,
        peer_rtcp: SocketAddr::new(peer.ip(), 9),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        comfort_noise: None,
    };
    let (sink, source) = media.recording().ok_or("no recording ring")?;
    let mut call =
        media.open(Opened { sockets, negotiated, signalling: None, seed: [5; 32], recording: Some(sink) })?;
    call.command(Command::CallRecording(true))?;
    call.command(Command::Play { token: 1, clips: vec![Cue::Clip(Arc::clone(clip))] })?;
    // A thread takes its new calls at 200 visits a second.
    std::thread::sleep(Duration::from_millis(2));
    Ok(Line { call, source, service })
}

/// Empties the recording rings as a writer does, twice a second.
fn drain(lines: &mut [Line], time: Duration) -> usize {
    let mut frames = 0;
    for _ in 0..time.as_millis() / 500 {
        std::thread::sleep(Duration::from_millis(500));
        for line in &mut *lines {
            frames += std::iter::from_fn(|| line.source.pop()).count();
            assert_eq!(line.call.try_event(), None, "nothing ends during the measurement");
        }
    }
    frames
}

/// Microseconds from the beginning of a visit to the arrival of its event at the call's task, sorted.
fn event_times(call: &mut CallMedia, clock: Clock) -> Result<Vec<u64>, Box<dyn Error>> {
    call.command(Command::Stop)?;
    let mut times = Vec::new();
    call.blocking_event().ok_or("the call ended")?;
    for token in 0..100 {
        call.command(Command::Play { token, clips: vec![Cue::Silence(20)] })?;
        let Some(Event::Played { at, .. }) = call.blocking_event() else { return Err("not played".into()) };
        times.push(u64::try_from(clock.mono().since(at).as_micros())?);
    }
    times.sort_unstable();
    Ok(times)
}

fn bare_client(peers: &[UdpSocket], services: &[SocketAddr], clock: Clock, stop: &AtomicBool) -> std::io::Result<()> {
    let mut buffer = [0; 2_048];
    let mut due = clock.mono();
    let (mut sequence, quarter) = (0_u16, peers.len().div_ceil(4));
    while !stop.load(Ordering::Relaxed) {
        for (peers, services) in peers.chunks(quarter).zip(services.chunks(quarter)) {
            std::thread::sleep(due.since(clock.mono()));
            due += Duration::from_millis(5);
            for (peer, service) in peers.iter().zip(services) {
                while peer.recv_from(&mut buffer).is_ok() {}
                let header = rtp::Header {
                    marker: false,
                    payload_type: 8,
                    sequence,
                    timestamp: u32::from(sequence).wrapping_mul(160),
                    ssrc: 6,
                };
                let mut packet = [0; rtp::MAX_SENT];
                let length = rtp::build(&header, &[0x35; FRAME], &mut packet);
                peer.send_to(&packet[..length], service)?;
            }
        }
        sequence = sequence.wrapping_add(1);
    }
    Ok(())
}

/// Processor time of the threads so far, in milliseconds.
struct Times {
    worker: f64,
    dispatcher: f64,
    client: f64,
}

impl Times {
    fn read() -> Result<Times, Box<dyn Error>> {
        Ok(Times { worker: time_of("media-0")?, dispatcher: time_of("media-0-events")?, client: time_of("client")? })
    }

    fn since(&self, before: &Times) -> Times {
        Times {
            worker: self.worker - before.worker,
            dispatcher: self.dispatcher - before.dispatcher,
            client: self.client - before.client,
        }
    }
}

fn time_of(thread: &str) -> Result<f64, Box<dyn Error>> {
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if std::fs::read_to_string(task.join("comm"))?.trim() == thread {
            let times = std::fs::read_to_string(task.join("schedstat"))?;
            let on_processor: f64 = times.split_whitespace().next().ok_or("an empty schedstat")?.parse()?;
            return Ok(on_processor / 1_000_000.0);
        }
    }
    Err(format!("no thread {thread}").into())
}

/// Resident memory in KiB.
fn resident() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().next().ok_or("an empty VmRSS")?.parse()?)
}
