//! The softphone: one SIP socket, one thread that answers what must be answered at once, and any number of calls.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::dialog::{Dialog, Ended};
use super::net::LOOPBACK;
use super::sip::{self, Sip};
use super::time::{left, millis, now, seconds};
use super::tones::Book;

/// How a phone is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The local address of SIP and RTP.
    pub address: IpAddr,
    /// TCP to this peer instead of UDP.
    pub tcp: Option<SocketAddr>,
    /// A mistake of the peer fails the test when the phone is dropped.
    pub strict: bool,
    /// The chords the phone knows.
    pub book: Book,
}

impl Settings {
    pub fn new(book: &Book) -> Settings {
        Settings { address: LOOPBACK, tcp: None, strict: true, book: book.clone() }
    }
}

pub struct Phone {
    pub(super) inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

pub(super) struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    link: Link,
    stop: AtomicBool,
    /// The status that OPTIONS gets; 0: none.
    options: AtomicU16,
    pub(super) local: SocketAddr,
    pub(super) settings: Settings,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) dialogs: BTreeMap<String, Dialog>,
    /// Requests no dialog took: new INVITEs, OPTIONS, REGISTER …
    inbox: VecDeque<Incoming>,
    pub(super) responses: Vec<Sip>,
    /// Requests sent, by branch and method: what responses are held against.
    sent: BTreeMap<(String, String), Sip>,
    /// Answers given, by branch and method: repeated when the request is.
    answered: BTreeMap<(String, String), (Vec<u8>, SocketAddr)>,
    repeats: Vec<Repeat>,
    ladder: Vec<String>,
    faults: Vec<String>,
}

/// A request that came in, and from where.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub request: Sip,
    pub source: SocketAddr,
}

/// A message that is sent again until it is answered: T1 doubling to T2, 64*T1 in all (RFC 3261 §17).
struct Repeat {
    key: (String, String),
    bytes: Vec<u8>,
    to: SocketAddr,
    next: Instant,
    interval: Duration,
    until: Instant,
}

enum Link {
    Udp(UdpSocket),
    Tcp(Mutex<TcpStream>),
}

impl Phone {
    pub fn start(settings: Settings) -> Phone {
        let (link, reader) = connect(&settings);
        let local = match &link {
            Link::Udp(socket) => socket.local_addr(),
            Link::Tcp(stream) => stream.lock().expect("new").local_addr(),
        };
        let inner = Arc::new(Inner {
            state: Mutex::default(),
            changed: Condvar::new(),
            link,
            stop: AtomicBool::new(false),
            options: AtomicU16::new(200),
            local: local.expect("a bound socket"),
            settings,
        });
        let thread = std::thread::spawn({
            let inner = inner.clone();
            move || inner.run(reader)
        });
        Phone { inner, thread: Some(thread) }
    }

    /// A strict phone on UDP.
    pub fn udp(book: &Book) -> Phone {
        Phone::start(Settings::new(book))
    }

    /// A strict phone on a TCP connection to `peer`.
    pub fn tcp(book: &Book, peer: SocketAddr) -> Phone {
        Phone::start(Settings { tcp: Some(peer), ..Settings::new(book) })
    }

    pub fn address(&self) -> SocketAddr {
        self.inner.local
    }

    /// A request with Via, From, To, Call-ID, CSeq and Max-Forwards of its own.
    pub fn request(&self, method: &str, uri: &str, from_user: &str) -> Sip {
        let local = self.inner.local;
        Sip::request(method, uri)
            .with("Via", self.inner.via(&token("z9hG4bK")))
            .with("Max-Forwards", "70")
            .with("From", format!("<sip:{from_user}@{local}>;tag={}", token("f")))
            .with("To", format!("<{uri}>"))
            .with("Call-ID", token("call-"))
            .with("CSeq", format!("1 {method}"))
    }

    /// Sends a request as it is, repeated on UDP until answered, and waits for the final response.
    pub fn exchange(&self, request: &Sip, to: SocketAddr, within: Duration) -> Option<Sip> {
        self.inner.send_request(request, to, true);
        self.final_response(request, within)
    }

    pub fn final_response(&self, request: &Sip, within: Duration) -> Option<Sip> {
        self.inner.final_response(request, within)
    }

    /// Sends bytes that need not be SIP.
    pub fn send_bytes(&self, bytes: &[u8], to: SocketAddr) {
        self.inner.send(bytes, to);
    }

    /// The next request outside a dialog, if one comes.
    pub fn incoming(&self, within: Duration, wanted: impl Fn(&Sip) -> bool) -> Option<Incoming> {
        self.inner.wait(within, |state| {
            let at = state.inbox.iter().position(|incoming| wanted(&incoming.request))?;
            state.inbox.remove(at)
        })
    }

    /// From now on OPTIONS get this status, or no answer. Before, they get 200.
    pub fn answer_options(&self, status: Option<u16>) {
        self.inner.options.store(status.unwrap_or(0), Ordering::Relaxed);
    }

    /// Answers a request; the same answer goes out again when the request does.
    pub fn respond(&self, incoming: &Incoming, response: &Sip) {
        self.inner.respond(&mut self.inner.lock(), &incoming.request, response, incoming.source);
    }

    /// Waits until `wanted` finds a response among all that came.
    pub fn response(&self, within: Duration, wanted: impl Fn(&Sip) -> bool) -> Option<Sip> {
        self.inner.wait(within, |state| state.responses.iter().find(|response| wanted(response)).cloned())
    }

    /// Everything sent and received, a line each.
    pub fn ladder(&self) -> String {
        self.inner.lock().ladder.join("\n")
    }

    pub fn faults(&self) -> Vec<String> {
        self.inner.lock().faults.clone()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.inner.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        let faults = self.faults();
        if self.inner.settings.strict && !faults.is_empty() && !std::thread::panicking() {
            panic!("the peer's mistakes:\n{}\nladder:\n{}", faults.join("\n"), self.ladder());
        }
    }
}

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn wait<T>(&self, within: Duration, mut wanted: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let deadline = now() + within;
        let mut state = self.lock();
        loop {
            if let Some(found) = wanted(&mut state) {
                return Some(found);
            }
            if left(deadline).is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left(deadline)).expect("nobody panics with the lock").0;
        }
    }

    pub(super) fn final_response(&self, request: &Sip, within: Duration) -> Option<Sip> {
        let (branch, cseq) = (request.branch(), request.cseq());
        self.wait(within, |state| {
            let answers = |response: &&Sip| {
                response.branch() == branch && response.cseq().1 == cseq.1 && response.status() >= Some(200)
            };
            state.responses.iter().find(answers).cloned()
        })
    }

    pub(super) fn via(&self, branch: &str) -> String {
        let transport = if matches!(self.link, Link::Udp(_)) { "UDP" } else { "TCP" };
        format!("SIP/2.0/{transport} {};branch={branch};rport", self.local)
    }

    pub(super) fn contact(&self, user: &str) -> String {
        let transport = if matches!(self.link, Link::Udp(_)) { "" } else { ";transport=tcp" };
        format!("<sip:{user}@{}{transport}>", self.local)
    }

    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr) {
        match &self.link {
            Link::Udp(socket) => {
                socket.send_to(bytes, to).ok();
            }
            Link::Tcp(stream) => {
                stream.lock().expect("nobody panics with the lock").write_all(bytes).ok();
            }
        }
    }

    pub(super) fn send_request(&self, request: &Sip, to: SocketAddr, repeat: bool) {
        let mut state = self.lock();
        self.send_request_locked(&mut state, request, to, repeat);
    }

    pub(super) fn send_request_locked(&self, state: &mut State, request: &Sip, to: SocketAddr, repeat: bool) {
        let key = (request.branch(), request.method().unwrap_or_default().to_owned());
        state.sent.insert(key.clone(), request.clone());
        state.ladder.push(format!("-> {}", request.step()));
        if repeat && matches!(self.link, Link::Udp(_)) {
            state.repeats.push(Repeat::new(key, request.bytes(), to));
        }
        self.send(&request.bytes(), to);
    }

    pub(super) fn respond(&self, state: &mut State, request: &Sip, response: &Sip, to: SocketAddr) {
        let key = (request.branch(), request.method().unwrap_or_default().to_owned());
        state.ladder.push(format!("-> {}", response.step()));
        let bytes = with_rport(response.clone(), to).bytes();
        self.send(&bytes, to);
        let ok = response.status().is_some_and(|status| (200..300).contains(&status));
        if ok && key.1 == "INVITE" {
            state.repeats.push(Repeat::new(key.clone(), bytes.clone(), to));
        }
        state.answered.insert(key, (bytes, to));
    }

    /// Ends the repeats of a 2xx we sent: its ACK came.
    pub(super) fn acknowledged(state: &mut State, branch_of_invite: &str) {
        state.repeats.retain(|repeat| repeat.key != (branch_of_invite.to_owned(), "INVITE".into()));
    }

    pub(super) fn fault(state: &mut State, fault: impl Into<String>) {
        state.faults.push(fault.into());
    }

    pub(super) fn note(state: &mut State, line: String) {
        state.ladder.push(line);
    }

    fn run(&self, mut reader: Reader) {
        while !self.stop.load(Ordering::Relaxed) {
            match reader.next() {
                Ok(Some((bytes, source))) => self.receive(&bytes, source),
                Ok(None) => {}
                Err(fault) => {
                    Inner::fault(&mut self.lock(), fault);
                    break;
                }
            }
            self.repeat();
            self.changed.notify_all();
        }
    }

    fn repeat(&self) {
        let at = now();
        let mut state = self.lock();
        state.repeats.retain(|repeat| repeat.until > at);
        for repeat in state.repeats.iter_mut().filter(|repeat| repeat.next <= at) {
            self.send(&repeat.bytes, repeat.to);
            repeat.interval = (repeat.interval * 2).min(seconds(4));
            repeat.next = at + repeat.interval;
        }
    }

    fn receive(&self, bytes: &[u8], source: SocketAddr) {
        if bytes.iter().all(|byte| b"\r\n\0".contains(byte)) {
            return;
        }
        let mut state = self.lock();
        let read = if self.settings.strict { Sip::parse(bytes) } else { Sip::read(bytes) };
        let message = match read {
            Ok(message) => message,
            Err(fault) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return Inner::fault(&mut state, format!("{fault} in:\n{text}"));
            }
        };
        state.ladder.push(format!("<- {}", message.step()));
        if message.status().is_some() {
            self.receive_response(&mut state, &message);
        } else {
            self.receive_request(&mut state, message, source);
        }
    }

    fn receive_response(&self, state: &mut State, response: &Sip) {
        let method = response.cseq().1.to_owned();
        let key = (response.branch(), method.clone());
        let Some(request) = state.sent.get(&key).cloned() else {
            return Inner::fault(state, format!("{} answers nothing we sent", response.step()));
        };
        for fault in echo_faults(&request, response, self.local) {
            Inner::fault(state, fault);
        }
        if method == "INVITE" || response.status() >= Some(200) {
            state.repeats.retain(|repeat| repeat.key != key);
        }
        state.responses.push(response.clone());
        if method == "INVITE" {
            self.on_invite_response(state, &request, response);
        }
    }

    fn receive_request(&self, state: &mut State, request: Sip, source: SocketAddr) {
        let key = (request.branch(), request.method().unwrap_or_default().to_owned());
        if let Some((bytes, to)) = state.answered.get(&key) {
            return self.send(bytes, *to);
        }
        let known = request.tag("To").is_some() && state.dialogs.contains_key(request.call_id());
        let method = key.1.as_str();
        if known && method != "CANCEL" {
            self.on_dialog_request(state, &request, source);
        } else if method == "OPTIONS" {
            let status = self.options.load(Ordering::Relaxed);
            if status > 0 {
                self.respond(state, &request, &Sip::response(&request, status, "As told", &token("o")), source);
            }
        } else if method != "ACK" && !state.waits(&request) {
            if method == "INVITE" {
                self.send(&with_rport(Sip::response(&request, 100, "Trying", ""), source).bytes(), source);
            }
            state.inbox.push_back(Incoming { request, source });
        }
    }
}

impl Repeat {
    fn new(key: (String, String), bytes: Vec<u8>, to: SocketAddr) -> Repeat {
        let at = now();
        Repeat { key, bytes, to, next: at + millis(500), interval: millis(500), until: at + seconds(32) }
    }
}

/// RFC 3261 §8.2.6.2 and §18.2.2: what a response must copy from its request.
fn echo_faults(request: &Sip, response: &Sip, local: SocketAddr) -> Vec<String> {
    let mut faults = Vec::new();
    let step = response.step();
    for name in ["From", "Call-ID", "CSeq"] {
        if request.header(name) != response.header(name) {
            faults.push(format!("{step}: {name} {:?} came back as {:?}", request.header(name), response.header(name)));
        }
    }
    let (sent, got) = (request.list("Via"), response.list("Via"));
    if got.len() != sent.len() || !got[0].starts_with(sent[0].split(';').next().unwrap_or_default()) {
        faults.push(format!("{step}: Via {sent:?} came back as {got:?}"));
    }
    if sent[0].ends_with(";rport") && sip::parameter(&got[0], "rport") != Some(local.port().to_string()) {
        faults.push(format!("{step}: rport is not filled in: {:?}", got[0]));
    }
    let (asked, told) = (request.header("To").unwrap_or_default(), response.header("To").unwrap_or_default());
    if sip::uri_of(asked) != sip::uri_of(told) || request.tag("To").is_some_and(|tag| Some(tag) != response.tag("To")) {
        faults.push(format!("{step}: To {asked:?} came back as {told:?}"));
    }
    faults
}

/// RFC 3581 §4: a `rport` that asks is answered with the port the request came from.
fn with_rport(mut response: Sip, source: SocketAddr) -> Sip {
    let via = response.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("via"));
    if let Some((_, value)) = via {
        let (first, rest) = value.split_once(',').map_or((value.as_str(), None), |(first, rest)| (first, Some(rest)));
        let parts = first.split(';').map(|part| match part.trim() {
            "rport" => format!("received={};rport={}", source.ip(), source.port()),
            part => part.to_owned(),
        });
        let filled = parts.collect::<Vec<_>>().join(";");
        *value = rest.map_or(filled.clone(), |rest| format!("{filled},{rest}"));
    }
    response
}

/// Text nobody else uses.
pub fn token(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{:x}{:x}", std::process::id(), count.wrapping_mul(0x9E37_79B9))
}

struct Reader {
    link: Readable,
    buffer: Vec<u8>,
}

enum Readable {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

fn connect(settings: &Settings) -> (Link, Reader) {
    let wake = Some(millis(10));
    match settings.tcp {
        None => {
            let socket = UdpSocket::bind((settings.address, 0)).expect("a UDP port is free");
            let reader = socket.try_clone().expect("a socket can be shared");
            reader.set_read_timeout(wake).expect("a timeout above zero");
            (Link::Udp(socket), Reader { link: Readable::Udp(reader), buffer: vec![0; 65_536] })
        }
        Some(peer) => {
            let stream = TcpStream::connect(peer).unwrap_or_else(|error| panic!("no TCP to {peer}: {error}"));
            stream.set_nodelay(true).expect("TCP");
            let reader = stream.try_clone().expect("a socket can be shared");
            reader.set_read_timeout(wake).expect("a timeout above zero");
            (Link::Tcp(Mutex::new(stream)), Reader { link: Readable::Tcp(reader), buffer: Vec::new() })
        }
    }
}

impl Reader {
    /// The next message, or none after 10 ms.
    fn next(&mut self) -> Result<Option<(Vec<u8>, SocketAddr)>, String> {
        match &mut self.link {
            Readable::Udp(socket) => match socket.recv_from(&mut self.buffer) {
                Ok((length, source)) => Ok(Some((self.buffer[..length].to_vec(), source))),
                Err(_) => Ok(None),
            },
            Readable::Tcp(stream) => {
                while self.buffer.starts_with(b"\r\n") {
                    self.buffer.drain(..2);
                }
                if let Some(length) = Sip::framed(&self.buffer)? {
                    let peer = stream.peer_addr().map_err(|error| error.to_string())?;
                    return Ok(Some((self.buffer.drain(..length).collect(), peer)));
                }
                let mut part = [0; 8192];
                match stream.read(&mut part) {
                    Ok(0) => std::thread::park_timeout(millis(10)),
                    Ok(length) => self.buffer.extend(&part[..length]),
                    Err(_) => {}
                }
                Ok(None)
            }
        }
    }
}

impl State {
    /// The request is a repetition of one the test has not answered yet.
    fn waits(&self, request: &Sip) -> bool {
        let same =
            |known: &Incoming| known.request.branch() == request.branch() && known.request.first == request.first;
        self.inbox.iter().any(same)
    }

    pub(super) fn ladder_text(&self) -> String {
        self.ladder.join("\n")
    }

    pub(super) fn ended(&self, call_id: &str) -> Option<Ended> {
        self.dialogs.get(call_id)?.ended.clone()
    }
}
