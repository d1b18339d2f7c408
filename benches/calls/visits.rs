//! Return visits beside calls: 30 requesters pick up, listen and press nothing, so that each is asked twice, for longer
//! than this measures.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{Config, NewCall, NewTicket, Order, Store};
use hotline::ticket::{Actor, CallId, Command, Direction, RequestType, Requester, Side, Urgency};

use super::{Caller, Service, exchange, settle, sockets};

const VISITS: usize = 30;
const CALLS: usize = 100;
const MEASURED: Duration = Duration::from_secs(30);

pub fn beside_calls() {
    let folder = std::env::temp_dir().join(format!("hotline-bench-visits-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(fill(&folder));
    let phones = Phones::new();
    let settings = [
        ("HOTLINE__TRUNK__PHONES__PEER", format!("sip:{}", phones.address)),
        ("HOTLINE__TRUNK__PHONES__CALLS_OUT", "true".to_owned()),
        ("HOTLINE__TRUNK__PHONES__NUMBER", "12345".to_owned()),
        ("HOTLINE__TRUNK__PHONES__CHANNELS", "60".to_owned()),
        ("HOTLINE__TRUNK__PHONES__KEPT_FOR_INBOUND", "0".to_owned()),
        ("HOTLINE__DIALER__MAX_CALLS", VISITS.to_string()),
        ("HOTLINE__DIALER__CALLS_PER_SECOND", "10".to_owned()),
        ("HOTLINE__VISITS__WINDOWS", "[\"00:00-23:59\"]".to_owned()),
        ("HOTLINE__VISITS__CALL_ON_DAYS_OFF", "true".to_owned()),
    ];
    let service = Service::start_in(folder, CALLS + VISITS, &settings);
    let dialogs = call(&service);
    let since = Instant::now();
    while phones.answered.load(Ordering::Relaxed) < VISITS as u64 {
        let answered = phones.answered.load(Ordering::Relaxed);
        assert!(since.elapsed() < Duration::from_secs(30), "{answered} of {VISITS} visits were called");
        std::thread::sleep(Duration::from_millis(50));
    }
    settle();
    let heard = || (phones.heard.load(Ordering::Relaxed), dialogs.heard.load(Ordering::Relaxed));
    let (before, skipped, since) = (heard(), service.figure("hotline_rtp_periods_skipped_total"), Instant::now());
    let mut late: f64 = 0.0;
    while since.elapsed() < MEASURED {
        std::thread::sleep(Duration::from_secs(1));
        late = late.max(service.figure("hotline_media_lateness_p99_seconds"));
    }
    let (after, seconds) = (heard(), since.elapsed().as_secs_f64());
    let over = phones.over.load(Ordering::Relaxed);
    println!(
        "{VISITS} return visits beside {CALLS} calls for {seconds:.0} s: {:.1} and {:.1} packets a call-second, \
         lateness p99 at most {:.1} ms, {} periods skipped, {over} visits over meanwhile",
        (after.0 - before.0) as f64 / seconds / VISITS as f64,
        (after.1 - before.1) as f64 / seconds / CALLS as f64,
        late * 1e3,
        service.figure("hotline_rtp_periods_skipped_total") - skipped,
    );
}

/// Closed two days ago, each with a number of its own.
async fn fill(folder: &std::path::Path) {
    let store = Store::open(&Config::default(), folder).await.expect("the store opens");
    let closed: DateTime<Utc> = Utc::now() - TimeDelta::days(2);
    for at in 0..VISITS as u8 {
        let call = NewCall {
            id: CallId::new(closed, [at; 10]),
            node: "bench".to_owned(),
            direction: Direction::Inbound,
            sip_call_id: None,
            city: City::Lhasa,
            line: "12345".to_owned(),
            phone: Phone::parse(&format!("138000001{at:02}")),
            language: None,
            started_at: closed,
            answered_at: Some(closed),
        };
        store.insert_call(&call).await.expect("a call");
        let new = NewTicket {
            call: call.id,
            recordings: Vec::new(),
            city: call.city,
            line: call.line.clone(),
            language: if at % 2 == 0 { Language::Bo } else { Language::Zh },
            requester: Requester::Citizen,
            phone: call.phone.clone(),
            other_phone: None,
            confidential: false,
            request_type: Some(RequestType::Help),
            urgency: Urgency::Normal,
            confirmed: true,
            actor: Actor::Caller,
        };
        let number = store.submit_ticket(&new, closed).await.expect("a ticket").number;
        let command = Command::Answer { reply: "The lamp is mended.".to_owned().try_into().expect("a text") };
        let (actor, side) = (Actor::System, Side::Hotline);
        let order = Order { number, version: None, command, actor, side, address: None };
        store.execute(&order, closed).await.expect("answered");
    }
    store.close().await;
}

/// The requesters' telephones: one SIP socket, a thread for it and one for their sound.
struct Phones {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
    over: Arc<AtomicU64>,
    heard: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Phones {
    fn new() -> Phones {
        let sip = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        sip.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let phones = Phones {
            address: sip.local_addr().expect("an address"),
            answered: Arc::default(),
            over: Arc::default(),
            heard: Arc::default(),
            stop: Arc::default(),
        };
        let (answered, over) = (Arc::clone(&phones.answered), Arc::clone(&phones.over));
        let (heard, stop) = (Arc::clone(&phones.heard), Arc::clone(&phones.stop));
        std::thread::spawn(move || {
            let sounds = sockets(VISITS);
            let ports: Vec<u16> = sounds.iter().map(|one| one.local_addr().expect("an address").port()).collect();
            let (mut calls, mut peers) = (Vec::<String>::new(), Vec::new());
            let mut sounds = Some(sounds);
            let mut buffer = [0; 4_096];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = sip.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let call = header(&text, "Call-ID: ").unwrap_or_default().to_owned();
                if text.starts_with("INVITE") {
                    let at = calls.iter().position(|known| *known == call).unwrap_or_else(|| {
                        calls.push(call);
                        peers.push(SocketAddr::from(([127, 0, 0, 1], audio_port(&text))));
                        calls.len() - 1
                    });
                    let _ = sip.send_to(answer(&text, ports[at % VISITS], sip.local_addr().ok()).as_bytes(), from);
                    answered.store(calls.len() as u64, Ordering::Relaxed);
                    if calls.len() == VISITS
                        && let Some(sounds) = sounds.take()
                    {
                        let (peers, stop, heard) = (peers.clone(), Arc::clone(&stop), Arc::clone(&heard));
                        std::thread::spawn(move || exchange(&sounds, &peers, &stop, &heard));
                    }
                } else if text.starts_with("BYE") {
                    over.fetch_add(1, Ordering::Relaxed);
                    let _ = sip.send_to(answer(&text, 0, None).as_bytes(), from);
                }
            }
        });
        phones
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

fn audio_port(text: &str) -> u16 {
    header(text, "m=audio ").and_then(|line| line.split(' ').next()?.parse().ok()).expect("an offer of sound")
}

/// 200 to a request; with sound for an INVITE.
fn answer(request: &str, port: u16, contact: Option<SocketAddr>) -> String {
    let same = |name: &str| format!("{name}{}\r\n", header(request, name).unwrap_or_default());
    let vias: String =
        request.lines().filter(|line| line.starts_with("Via: ")).map(|line| format!("{line}\r\n")).collect();
    let to = header(request, "To: ").unwrap_or_default();
    let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag=phone") };
    let (from, call, sequence) = (same("From: "), same("Call-ID: "), same("CSeq: "));
    let (contact, sdp) = match contact {
        Some(contact) => (
            format!("Contact: <sip:phone@{contact}>\r\nContent-Type: application/sdp\r\n"),
            format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
                 a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
            ),
        ),
        None => (String::new(), String::new()),
    };
    let length = sdp.len();
    format!("SIP/2.0 200 OK\r\n{vias}{from}To: {to}\r\n{call}{sequence}{contact}Content-Length: {length}\r\n\r\n{sdp}")
}

/// Calls under way, with sound both ways.
struct Dialogs {
    heard: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Drop for Dialogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn call(service: &Service) -> Dialogs {
    let caller = Caller::new(service.sip);
    let sounds = sockets(CALLS);
    let mut peers = Vec::new();
    for (at, socket) in sounds.iter().enumerate() {
        let call = 2_000_000 + at as u32;
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
        peers.push(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let dialogs = Dialogs { heard: Arc::default(), stop: Arc::default() };
    let (heard, stop) = (Arc::clone(&dialogs.heard), Arc::clone(&dialogs.stop));
    std::thread::spawn(move || exchange(&sounds, &peers, &stop, &heard));
    dialogs
}

impl Service {
    /// A figure of `/metrics`: the sum over its labels.
    fn figure(&self, name: &str) -> f64 {
        let token = std::fs::read_to_string(self.folder.join("api-token")).expect("the API's token");
        let request = ureq::get(format!("http://{}/metrics", self.http));
        let response = request.header("Authorization", format!("Bearer {}", token.trim())).call();
        let text = response.expect("metrics").body_mut().read_to_string().expect("text");
        let lines =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}
