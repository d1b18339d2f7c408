//! One endpoint, spoken to in written messages.

use std::time::Duration;

use hotline::clock::Mono;
use hotline::sip::{Command, Config, Endpoint, Event, Hop, Input, Leg, Output, Transport};

pub const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

pub fn hop(transport: Transport) -> Hop {
    Hop {
        transport,
        local: "192.0.2.1:5060".parse().expect("an address"),
        peer: "192.0.2.9:5060".parse().expect("an address"),
    }
}

pub struct Bench {
    pub endpoint: Endpoint,
    pub now: Mono,
    pub sent: Vec<String>,
    pub hops: Vec<Hop>,
    pub events: Vec<Event>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(Config::default())
    }

    pub fn with(config: Config) -> Bench {
        let endpoint = Endpoint::new(config, [1; 32]);
        Bench { endpoint, now: Mono::from_micros(1_000_000), sent: Vec::new(), hops: Vec::new(), events: Vec::new() }
    }

    /// Hands a message in and gives back what was sent for it.
    pub fn receive(&mut self, text: &str) -> Vec<String> {
        self.receive_over(hop(Transport::Udp), text)
    }

    pub fn receive_over(&mut self, hop: Hop, text: &str) -> Vec<String> {
        let before = self.sent.len();
        self.receive_bytes(hop, text.as_bytes());
        self.sent[before..].to_vec()
    }

    pub fn receive_bytes(&mut self, hop: Hop, bytes: &[u8]) {
        self.endpoint.handle(self.now, Input::Received { hop, bytes });
        self.drain();
    }

    pub fn command(&mut self, command: Command) -> Vec<String> {
        let before = self.sent.len();
        self.endpoint.handle(self.now, Input::Command(command));
        self.drain();
        self.sent[before..].to_vec()
    }

    pub fn transport_failed(&mut self, hop: Hop) -> Vec<String> {
        let before = self.sent.len();
        self.endpoint.handle(self.now, Input::TransportFailed { hop });
        self.drain();
        self.sent[before..].to_vec()
    }

    /// Lets time pass, timer by timer, and gives back what was sent meanwhile.
    pub fn pass(&mut self, time: Duration) -> Vec<String> {
        let (before, end) = (self.sent.len(), self.now + time);
        while let Output::Wait(Some(at)) = self.endpoint.poll_output() {
            if at > end {
                break;
            }
            self.now = at;
            self.endpoint.handle(at, Input::Timeout);
            self.drain();
        }
        self.now = end;
        self.sent[before..].to_vec()
    }

    pub fn leg(&self) -> Leg {
        self.events
            .iter()
            .find_map(|event| match event {
                Event::Incoming { leg, .. } => Some(*leg),
                _ => None,
            })
            .expect("a call has come in")
    }

    pub fn ended(&self) -> Vec<String> {
        let ended = |event: &Event| match event {
            Event::Ended { ended, .. } => Some(format!("{:?} {:?}", ended.side, ended.why)),
            _ => None,
        };
        self.events.iter().filter_map(ended).collect()
    }

    fn drain(&mut self) {
        loop {
            match self.endpoint.poll_output() {
                Output::Transmit { hop, bytes } => {
                    self.sent.push(String::from_utf8_lossy(&bytes).into_owned());
                    self.hops.push(hop);
                }
                Output::Event(event) => self.events.push(event),
                Output::Wait(_) => break,
            }
        }
    }
}

/// A request of the peer's: method, CSeq number, our tag when inside a dialog, lines of headers more, body.
pub fn request(method: &str, cseq: u32, tag: Option<&str>, more: &str, body: &str) -> String {
    let to = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    format!(
        "{method} sip:12345@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{method}{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:13800138000@192.0.2.9>;tag=peer\r\nTo: <sip:12345@192.0.2.1>{to}\r\n\
         Call-ID: call-1\r\nCSeq: {cseq} {method}\r\nContact: <sip:13800138000@192.0.2.9:5060>\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn invite(more: &str) -> String {
    request("INVITE", 1, None, &format!("Content-Type: application/sdp\r\n{more}"), SDP)
}

/// The status of a response, the method of a request.
pub fn head(message: &str) -> &str {
    let line = message.lines().next().unwrap_or("");
    line.strip_prefix("SIP/2.0 ").unwrap_or(line).split(' ').next().unwrap_or("")
}

pub fn heads(messages: &[String]) -> Vec<&str> {
    messages.iter().map(|message| head(message)).collect()
}

pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.split_once(": ").filter(|(one, _)| *one == name).map(|(_, value)| value))
}

pub fn tag_of(message: &str, name: &str) -> String {
    header(message, name).and_then(|to| to.split_once(";tag=")).map(|(_, tag)| tag.to_owned()).expect("a tag")
}

/// A response to a request of ours, with the peer's tag.
pub fn response(request: &str, status: &str, tag: &str, more: &str, body: &str) -> String {
    let copy = |name| header(request, name).unwrap_or_default();
    let to = copy("To");
    let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:peer@192.0.2.9:5060>\r\n{more}Content-Length: {}\r\n\r\n{body}",
        copy("Via"),
        copy("From"),
        copy("Call-ID"),
        copy("CSeq"),
        body.len()
    )
}
