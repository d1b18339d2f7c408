//! One datagram to a fresh endpoint whose owner answers every call, and what comes back.

use std::net::IpAddr;

use hotline::clock::Mono;
use hotline::sdp::{self, Direction, Ours};
use hotline::sip::{Command, Config, Endpoint, Event, Hop, Input, Output, Transport};

/// What a peer sees, provisional responses aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first final response.
    Answer(u16),
    /// Nothing, and what the endpoint counted it as.
    Silence(&'static str),
}

pub fn outcome(bytes: &[u8]) -> Outcome {
    let mut endpoint = Endpoint::new(Config::default(), [9; 32]);
    let hop = Hop { transport: Transport::Udp, local: address("192.0.2.100:5060"), peer: address("192.0.2.200:5060") };
    endpoint.handle(Mono::from_micros(1), Input::Received { hop, bytes });
    let mut counted = "nothing";
    loop {
        match endpoint.poll_output() {
            Output::Transmit { bytes, .. } => {
                if let Some(status) = final_status(&bytes) {
                    return Outcome::Answer(status);
                }
            }
            Output::Event(Event::Incoming { leg, invite }) => {
                let command = match invite.offer.as_deref().map(|offer| sdp::answer(offer, &ours())) {
                    Some(Ok((sdp, _))) => Command::Answer { leg, sdp },
                    Some(Err(refusal)) => Command::Reject { leg, status: refusal.status(), retry_after_s: None },
                    None => Command::Answer { leg, sdp: sdp::offer(&ours()) },
                };
                endpoint.handle(Mono::from_micros(2), Input::Command(command));
            }
            Output::Event(Event::Counted(what)) => counted = what,
            Output::Event(_) => {}
            Output::Wait(_) => return Outcome::Silence(counted),
        }
    }
}

/// By its first line: an answer to a malformed request repeats what was malformed.
fn final_status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or(bytes);
    let code = std::str::from_utf8(line).ok()?.strip_prefix("SIP/2.0 ")?.get(..3)?;
    code.parse().ok().filter(|status| *status >= 200)
}

fn ours() -> Ours {
    let ip: IpAddr = "192.0.2.100".parse().expect("an address");
    Ours {
        address: ip,
        rtp_port: 20000,
        session_id: 1,
        version: 1,
        direction: Direction::SendRecv,
        own_addresses: vec![ip],
        own_rtp_range: 20000..=29999,
    }
}

fn address(text: &str) -> std::net::SocketAddr {
    text.parse().expect("an address")
}
