//! The service under load, seen from outside: how fast it answers, what a call costs.
//!
//! `cargo bench --bench calls [-- CALLS]` starts the built service on a temporary folder and calls it over loopback:
//! 1. 50 calls a second of 2 s each for 20 s: the time from INVITE to 200;
//! 2. CALLS (200) calls at once that hear prompts and send sound: CPU of the service's process a call-second, beside
//!    that of this client, which does the same packets and nothing else;
//! 3. the same calls' memory: resident pages beyond those of the first call;
//! 4. 30 return visits at once, whose requesters listen and say nothing, beside 100 calls: whether any sound is late.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time, beside the service and not in it")]

#[path = "calls/visits.rs"]
mod visits;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const RATE_PER_S: u32 = 50;
const RATE_SECONDS: u32 = 20;
const RATE_CALL: Duration = Duration::from_secs(2);
const LOAD_SECONDS: u32 = 15;
const FRAME: Duration = Duration::from_millis(20);

fn main() {
    let calls = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(200);
    let service = Service::start(calls);
    answer_times(&service);
    load(&service, calls);
    drop(service);
    visits::beside_calls();
}

/// The service's process and its addresses.
struct Service {
    child: Child,
    sip: SocketAddr,
    http: SocketAddr,
    folder: std::path::PathBuf,
}

impl Service {
    fn start(calls: usize) -> Service {
        Service::start_in(std::env::temp_dir().join(format!("hotline-bench-{}", std::process::id())), calls, &[])
    }

    fn start_in(folder: std::path::PathBuf, calls: usize, settings: &[(&str, String)]) -> Service {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["serve", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .env("HOTLINE__CALLS__MAX_CALLS", (calls + 200).to_string())
            .env("HOTLINE__LOG__FILTER", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("its ready line");
        let address = |key: &str| {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(key)).expect("a ready line");
            word.parse().expect("an address")
        };
        Service { sip: address("sip="), http: address("http="), child, folder }
    }

    /// Seconds of CPU so far.
    fn cpu_s(&self) -> f64 {
        cpu_s(&format!("/proc/{}/stat", self.child.id()))
    }

    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its resident set");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // it is ours alone, and a bench that fails must not leave it behind
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn cpu_s(stat: &str) -> f64 {
    let stat = std::fs::read_to_string(stat).expect("a process");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a stat line").1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
    ticks as f64 / 100.0
}

/// A caller without a phone: the texts of one call.
struct Caller {
    sip: UdpSocket,
    service: SocketAddr,
    local: SocketAddr,
}

impl Caller {
    fn new(service: SocketAddr) -> Caller {
        let sip = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        sip.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
        let local = sip.local_addr().expect("an address");
        Caller { sip, service, local }
    }

    fn invite(&self, call: u32, rtp_port: u16) {
        let sdp = format!(
            "v=0\r\no=- {call} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {rtp_port} RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        );
        self.send(call, "INVITE", 1, "", &sdp);
    }

    fn send(&self, call: u32, method: &str, sequence: u32, to_tag: &str, body: &str) {
        let Caller { local, service, .. } = self;
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} sip:12345@{service} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call}{method};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:139{call:08}@{local}>;tag=c{call}\r\nTo: <sip:12345@{service}>{to_tag}\r\n\
             Call-ID: {call}@bench\r\nCSeq: {sequence} {method}\r\nContact: <sip:c@{local}>\r\n{content}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.sip.send_to(text.as_bytes(), service).expect("loopback takes it");
    }

    /// The next 200 to an INVITE: the call, the To tag and the RTP port.
    fn answered(&self) -> Option<(u32, String, u16)> {
        let mut buffer = [0; 4_096];
        let (length, _) = self.sip.recv_from(&mut buffer).ok()?;
        let text = std::str::from_utf8(&buffer[..length]).ok()?;
        if !text.starts_with("SIP/2.0 200") || !text.contains("1 INVITE") {
            return None;
        }
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let call = header("Call-ID: ")?.split('@').next()?.parse().ok()?;
        let tag = header("To: ")?.split(";tag=").nth(1)?.to_owned();
        let port = header("m=audio ")?.split(' ').next()?.parse().ok()?;
        Some((call, tag, port))
    }
}

fn answer_times(service: &Service) {
    let caller = Caller::new(service.sip);
    let rtp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = rtp.local_addr().expect("an address").port();
    let mut asked: HashMap<u32, Instant> = HashMap::new();
    let mut talking: Vec<(Instant, u32, String)> = Vec::new();
    let mut times: Vec<Duration> = Vec::new();
    let start = Instant::now();
    let total = RATE_PER_S * RATE_SECONDS;
    let mut next = 0;
    while next < total || !asked.is_empty() || !talking.is_empty() {
        let now = Instant::now();
        if next < total && now >= start + next * Duration::from_secs(1) / RATE_PER_S {
            asked.insert(next, now);
            caller.invite(next, port);
            next += 1;
        }
        if let Some((call, tag, _)) = caller.answered()
            && let Some(at) = asked.remove(&call)
        {
            times.push(at.elapsed());
            caller.send(call, "ACK", 1, &tag, "");
            talking.push((Instant::now(), call, tag));
        }
        talking.retain(|(since, call, tag)| {
            let over = since.elapsed() >= RATE_CALL;
            if over {
                caller.send(*call, "BYE", 2, tag, "");
            }
            !over
        });
        assert!(start.elapsed() < Duration::from_secs(60), "{} calls were never answered", asked.len());
    }
    times.sort();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "INVITE to 200, {RATE_PER_S} calls a second of 2 s: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms ({} calls)",
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

fn sockets(calls: usize) -> Vec<UdpSocket> {
    let socket = |_| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_nonblocking(true).expect("non-blocking");
        socket
    };
    (0..calls).map(socket).collect()
}

fn load(service: &Service, calls: usize) {
    let caller = Caller::new(service.sip);
    let sockets = sockets(calls);
    let mut dialogs = Vec::new();
    let mut first_kib = 0;
    let mut ports = Vec::new();
    for (at, socket) in sockets.iter().enumerate() {
        let call = 1_000_000 + at as u32;
        caller.invite(call, socket.local_addr().expect("an address").port());
        let since = Instant::now();
        let (tag, port) = loop {
            if let Some((answered, tag, port)) = caller.answered()
                && answered == call
            {
                break (tag, port);
            }
            assert!(since.elapsed() < Duration::from_secs(5), "call {at} is not answered");
        };
        caller.send(call, "ACK", 1, &tag, "");
        dialogs.push((call, tag));
        ports.push(SocketAddr::from(([127, 0, 0, 1], port)));
        if at == 0 {
            settle();
            first_kib = service.resident_kib();
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let heard = Arc::new(AtomicU64::new(0));
    let sound = std::thread::spawn({
        let (stop, heard) = (Arc::clone(&stop), Arc::clone(&heard));
        move || exchange(&sockets, &ports, &stop, &heard)
    });
    settle();
    let (cpu, own, packets, since) =
        (service.cpu_s(), cpu_s("/proc/self/stat"), heard.load(Ordering::Relaxed), Instant::now());
    std::thread::sleep(Duration::from_secs(LOAD_SECONDS.into()));
    let call_seconds = calls as f64 * since.elapsed().as_secs_f64();
    let per = |cpu: f64| cpu * 1e3 / call_seconds;
    println!(
        "{calls} calls with sound both ways: service {:.2} ms CPU a call-second, this bare client {:.2}; heard {:.1} packets a call-second",
        per(service.cpu_s() - cpu),
        per(cpu_s("/proc/self/stat") - own),
        (heard.load(Ordering::Relaxed) - packets) as f64 / call_seconds
    );
    let grown = service.resident_kib().saturating_sub(first_kib);
    println!("memory: {:.1} KiB a call beyond the first", grown as f64 / (calls.max(2) - 1) as f64);
    stop.store(true, Ordering::Relaxed);
    sound.join().expect("the sound thread");
    for (call, tag) in &dialogs {
        caller.send(*call, "BYE", 2, tag, "");
    }
}

/// Long enough for what was started to be under way.
fn settle() {
    std::thread::sleep(Duration::from_secs(2));
}

/// One A-law packet each way a call and 20 ms.
fn exchange(sockets: &[UdpSocket], ports: &[SocketAddr], stop: &AtomicBool, heard: &AtomicU64) {
    let mut packet = [0xD5_u8; 172];
    packet[0] = 0x80;
    packet[1] = 8;
    let mut buffer = [0; 512];
    let start = Instant::now();
    for period in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        packet[2..4].copy_from_slice(&(period as u16).to_be_bytes());
        packet[4..8].copy_from_slice(&(period * 160).to_be_bytes());
        for (socket, port) in sockets.iter().zip(ports) {
            // what the kernel does not take is lost like on any network
            let _ = socket.send_to(&packet, port);
            while socket.recv_from(&mut buffer).is_ok() {
                heard.fetch_add(1, Ordering::Relaxed);
            }
        }
        std::thread::sleep((start + FRAME * (period + 1)).saturating_duration_since(Instant::now()));
    }
}
