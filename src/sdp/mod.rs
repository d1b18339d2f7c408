//! Session descriptions (RFC 8866) and their exchange (RFC 3264): an offer becomes an answer and what both sides agreed on.

mod exchange;
mod parse;
mod write;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

pub use exchange::{accept, answer, offer};

/// The largest description read, in bytes.
pub const MAX_DESCRIPTION: usize = 16 * 1024;
/// The most lines read.
pub const MAX_LINES: usize = 512;
/// The most media streams read.
pub const MAX_STREAMS: usize = 16;

/// The speech codec of a call. Both are 8,000 samples a second, a byte a sample (ITU-T G.711).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// A-law, RTP payload type 8.
    Pcma,
    /// µ-law, RTP payload type 0.
    Pcmu,
}

impl Codec {
    /// The static payload type of RFC 3551 §6.
    pub const fn payload(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// The encoding name of an `a=rtpmap` line.
    pub const fn encoding(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
        }
    }
}

/// Which way a stream flows, seen from our side (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same stream seen from the other side.
    pub const fn mirrored(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What both allow.
    pub const fn and(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    const fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The name of its attribute.
    pub const fn token(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// What offer and answer agreed on for the one audio stream of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    pub codec: Codec,
    /// The RTP payload type both sides put on speech.
    pub payload: u8,
    /// The payload type of telephone-event at 8,000 Hz (RFC 4733), when both sides know it.
    pub dtmf_payload: Option<u8>,
    /// Where the peer wants RTP.
    pub peer_rtp: SocketAddr,
    /// Where the peer wants RTCP: `a=rtcp` (RFC 3605), else the RTP port and one.
    pub peer_rtcp: SocketAddr,
    /// Seen from our side.
    pub direction: Direction,
    /// Sound in each packet that we send, in milliseconds.
    pub ptime_ms: u32,
    /// The payload type of comfort noise (RFC 3389), when offered.
    pub comfort_noise: Option<u8>,
}

/// Our side of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// The address that the peer shall send to.
    pub address: IpAddr,
    /// The even port of RTP; RTCP is the next one.
    pub rtp_port: u16,
    /// Stays the same for a call (RFC 8866 §5.2).
    pub session_id: u64,
    /// Goes up by one with each description that differs from the last (RFC 3264 §8); [`Session`] sees to that.
    pub version: u64,
    /// What we are willing to do.
    pub direction: Direction,
    /// Every address that is ours: a peer may not point our own RTP ports at us.
    pub own_addresses: Vec<IpAddr>,
    pub own_rtp_range: RangeInclusive<u16>,
}

/// The descriptions of one call: ours, and what we last said, so that the version follows RFC 3264 §8.
#[derive(Clone, Debug)]
pub struct Session {
    ours: Ours,
    said: Option<Vec<u8>>,
}

impl Session {
    pub fn new(ours: Ours) -> Session {
        Session { ours, said: None }
    }

    /// What we are willing to do from the next description on.
    pub fn set_direction(&mut self, direction: Direction) {
        self.ours.direction = direction;
    }

    /// An offer of ours.
    pub fn offer(&mut self) -> Vec<u8> {
        let body = offer(&self.ours);
        if self.repeats(&body) {
            return body;
        }
        self.ours.version += 1;
        let body = offer(&self.ours);
        self.said = Some(body.clone());
        body
    }

    /// Whether this may be said with the version as it is: it is the first, or what was said last.
    fn repeats(&mut self, body: &[u8]) -> bool {
        self.said.get_or_insert_with(|| body.to_vec()) == body
    }

    /// Our answer to an offer.
    ///
    /// # Errors
    /// Why the offer is refused; what was agreed before stays.
    pub fn answer(&mut self, peer_offer: &[u8]) -> Result<(Vec<u8>, Negotiated), Refusal> {
        let (body, negotiated) = answer(peer_offer, &self.ours)?;
        if self.repeats(&body) {
            return Ok((body, negotiated));
        }
        self.ours.version += 1;
        let (body, negotiated) = answer(peer_offer, &self.ours)?;
        self.said = Some(body.clone());
        Ok((body, negotiated))
    }

    /// The peer's answer to an offer of ours.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn accept(&self, peer_answer: &[u8]) -> Result<Negotiated, Refusal> {
        accept(peer_answer, &self.ours)
    }
}

/// Why a description is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} can't be read")]
    Malformed(&'static str),
    #[error("there is no audio stream, or it is switched off")]
    NoAudio,
    #[error("there is no common codec")]
    NoCodec,
    #[error("there is no plain RTP/AVP audio stream")]
    Protocol,
    #[error("the address is no IP address to send to")]
    Address,
    #[error("the address is multicast")]
    Multicast,
    #[error("the address and port are our own")]
    OwnPort,
}

impl Refusal {
    /// 400 for what can't be read, 488 for what can't be agreed on (RFC 3261 §13.3.1.3, §21.4.26).
    pub const fn status(self) -> u16 {
        match self {
            Refusal::Malformed(_) => 400,
            _ => 488,
        }
    }

    /// The value of a Warning header (RFC 3261 §20.43); `agent` is the host that warns.
    pub fn warning(self, agent: &str) -> String {
        let code = match self {
            Refusal::Malformed(_) | Refusal::OwnPort => 399,
            Refusal::NoAudio => 304,
            Refusal::NoCodec => 305,
            Refusal::Protocol => 302,
            Refusal::Address => 301,
            Refusal::Multicast => 330,
        };
        format!("{code} {agent} \"{self}\"")
    }
}
