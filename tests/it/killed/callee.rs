//! All citizens of a town at one address, and the log of what happened to them: it alone says who was called how often.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::peer::net::LOOPBACK;
use crate::peer::sdp::Offer;
use crate::peer::sip::{Sip, address_of, uri_of};
use crate::peer::time::{millis, now, seconds};

/// How the holder of a number takes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Refuses so, at once or after it has rung for so long.
    Refuses { status: u16, after: Duration },
    /// Lets it ring until the caller gives up.
    LetsRing,
    /// Answers and hangs up.
    HangsUp,
}

impl Habit {
    /// By the last digit of the number.
    pub fn of(number: &str) -> Habit {
        let refuses = |status, after| Habit::Refuses { status, after };
        match number.bytes().last() {
            Some(b'0' | b'1') => refuses(486, Duration::ZERO),
            Some(b'2' | b'3') => refuses(480, seconds(1)),
            Some(b'4') => refuses(603, Duration::ZERO),
            Some(b'5'..=b'7') => Habit::LetsRing,
            _ => Habit::HangsUp,
        }
    }
}

/// How a call ended for the callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Refused(u16),
    Cancelled,
    HungUp,
    /// The process that called was killed.
    Cut,
}

/// A call as the callee saw it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub id: String,
    pub number: String,
    /// Whose call it is.
    pub caller: SocketAddr,
    pub begun: Instant,
    pub ended: Option<(Instant, End)>,
}

pub struct Callee {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    stop: AtomicBool,
}

#[derive(Default)]
struct Log {
    calls: Vec<Logged>,
    /// Callers that were killed: what they sent before is read after their end.
    killed: BTreeSet<SocketAddr>,
    faults: Vec<String>,
}

impl Callee {
    pub fn start() -> Callee {
        let socket = UdpSocket::bind((LOOPBACK, 0)).expect("a socket");
        socket.set_read_timeout(Some(millis(10))).expect("a time limit");
        let address = socket.local_addr().expect("a bound socket");
        let shared = Arc::new(Shared::default());
        let town = Town {
            // bound and never read: sound that nobody listens to
            ear: UdpSocket::bind((LOOPBACK, 0)).expect("a socket"),
            socket,
            address,
            shared: Arc::clone(&shared),
            phones: Vec::new(),
        };
        let thread = std::thread::spawn(move || town.run());
        Callee { address, shared, thread: Some(thread) }
    }

    pub fn calls(&self) -> Vec<Logged> {
        self.shared.lock().calls.clone()
    }

    /// A process that called from there is dead, and so are its calls.
    pub fn killed(&self, caller: SocketAddr) {
        let mut log = self.shared.lock();
        log.killed.insert(caller);
        let open = log.calls.iter_mut().filter(|call| call.caller == caller && call.ended.is_none());
        open.for_each(|call| call.ended = Some((now(), End::Cut)));
    }

    /// A process calls from there.
    pub fn begun(&self, caller: SocketAddr) {
        self.shared.lock().killed.remove(&caller);
    }

    /// What the callers did against the rules of SIP.
    pub fn faults(&self) -> Vec<String> {
        self.shared.lock().faults.clone()
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Log {
    fn end(&mut self, id: &str, end: End) {
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id && call.ended.is_none()) {
            call.ended = Some((now(), end));
        }
    }
}

/// The thread's own side.
struct Town {
    socket: UdpSocket,
    ear: UdpSocket,
    address: SocketAddr,
    shared: Arc<Shared>,
    phones: Vec<Ringing>,
}

/// A call that was offered.
struct Ringing {
    invite: Sip,
    caller: SocketAddr,
    /// The latest answer, given again to whoever asks again.
    answer: Sip,
    /// The refusal that is still to come.
    refuses: Option<(Instant, u16)>,
}

impl Town {
    fn run(mut self) {
        let mut buffer = [0; 4096];
        while !self.shared.stop.load(Ordering::Relaxed) {
            if let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
                match Sip::parse(&buffer[..length]) {
                    Ok(message) => self.receive(message, source),
                    Err(fault) => self.shared.lock().faults.push(fault),
                }
            }
            self.refuse_what_has_rung();
        }
    }

    fn receive(&mut self, message: Sip, source: SocketAddr) {
        let id = message.call_id().to_owned();
        let known = self.phones.iter().position(|phone| phone.invite.call_id() == id);
        match (message.method(), known) {
            (Some("INVITE"), None) => self.ring(message, source),
            (Some("INVITE"), Some(at)) => self.send(&self.phones[at].answer, source),
            (Some("CANCEL"), Some(at)) => {
                self.send(&Sip::response(&message, 200, "OK", "town"), source);
                self.answer(at, 487);
                self.shared.lock().end(&id, End::Cancelled);
            }
            (Some("ACK"), Some(at)) if self.phones[at].answer.status() == Some(200) => self.hang_up(at),
            (Some("ACK"), _) | (None, _) => {}
            (Some(_), _) => self.send(&Sip::response(&message, 200, "OK", "town"), source),
        }
    }

    fn ring(&mut self, invite: Sip, caller: SocketAddr) {
        let uri = invite.uri();
        let number = uri.split(['@', ';']).next().unwrap_or(uri).trim_start_matches("sip:").to_owned();
        let habit = Habit::of(&number);
        let begun = now();
        {
            let mut log = self.shared.lock();
            let ended = log.killed.contains(&caller).then_some((begun, End::Cut));
            log.calls.push(Logged { id: invite.call_id().to_owned(), number, caller, begun, ended });
        }
        let answer = Sip::response(&invite, 180, "Ringing", "town").with("Contact", self.contact());
        self.phones.push(Ringing { invite, caller, answer, refuses: None });
        let at = self.phones.len() - 1;
        match habit {
            Habit::Refuses { status, after: Duration::ZERO } => self.refuse(at, status),
            Habit::Refuses { status, after } => {
                self.phones[at].refuses = Some((begun + after, status));
                self.send(&self.phones[at].answer, caller);
            }
            Habit::LetsRing => self.send(&self.phones[at].answer, caller),
            Habit::HangsUp => self.answer(at, 200),
        }
    }

    fn refuse_what_has_rung(&mut self) {
        let at = now();
        for phone in 0..self.phones.len() {
            if let Some((_, status)) = self.phones[phone].refuses.take_if(|(due, _)| *due <= at) {
                self.refuse(phone, status);
            }
        }
    }

    fn refuse(&mut self, at: usize, status: u16) {
        self.answer(at, status);
        self.shared.lock().end(self.phones[at].invite.call_id(), End::Refused(status));
    }

    /// The final answer, unless there is one.
    fn answer(&mut self, at: usize, status: u16) {
        let phone = &mut self.phones[at];
        if phone.answer.status() >= Some(200) {
            return;
        }
        let mut answer = Sip::response(&phone.invite, status, "As told", "town");
        if status == 200 {
            let ear = self.ear.local_addr().expect("a bound socket");
            let contact = format!("<sip:{}>", self.address);
            answer = answer.with("Contact", contact).with_body("application/sdp", Offer::default().text(ear, 1));
        }
        phone.answer = answer;
        phone.refuses = None;
        self.send(&self.phones[at].answer, self.phones[at].caller);
    }

    fn hang_up(&self, at: usize) {
        let invite = &self.phones[at].invite;
        let contact = invite.list("Contact").first().map(|contact| uri_of(contact).to_owned()).unwrap_or_default();
        let bye = Sip::request("BYE", &contact)
            .with("Via", format!("SIP/2.0/UDP {};branch=z9hG4bKbye{}", self.address, invite.call_id()))
            .with("Max-Forwards", "70")
            .with("From", format!("{};tag=town", invite.header("To").unwrap_or_default()))
            .with("To", invite.header("From").unwrap_or_default())
            .with("Call-ID", invite.call_id())
            .with("CSeq", "1 BYE");
        self.send(&bye, address_of(&contact).unwrap_or(self.phones[at].caller));
        self.shared.lock().end(invite.call_id(), End::HungUp);
    }

    fn contact(&self) -> String {
        format!("<sip:{}>", self.address)
    }

    fn send(&self, message: &Sip, to: SocketAddr) {
        // who was killed hears nothing
        self.socket.send_to(&message.bytes(), to).ok();
    }
}
