//! What we call ourselves: addresses, tags, branches, the headers that say what we can do.

use std::hash::{DefaultHasher, Hash, Hasher};

use rand::RngExt;

use super::Endpoint;
use crate::sip::message::{Hop, Request, Transport};
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::{MAGIC_COOKIE, list};

pub(super) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO";
pub(super) const SUPPORTED: &str = "timer, 100rel";
pub(super) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";

/// Option tags that a peer may require.
pub(super) const OPTIONS: [&str; 2] = ["timer", "100rel"];

impl Endpoint {
    /// `host:port` as peers reach us over this hop.
    pub(super) fn sent_by(&self, hop: Hop) -> String {
        match &self.config.advertise {
            Some(address) => address.clone(),
            None => hop.local.to_string(),
        }
    }

    pub(super) fn contact(&self, hop: Hop, user: Option<&str>) -> String {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let transport = if hop.transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("<sip:{user}{}{transport}>", self.sent_by(hop))
    }

    /// A Via of our own (RFC 3261 §8.1.1.7) that asks for `rport` (RFC 3581).
    pub(super) fn via(&self, hop: Hop, branch: &str) -> String {
        format!("SIP/2.0/{} {};rport;branch={branch}", hop.transport.token(), self.sent_by(hop))
    }

    pub(super) fn new_branch(&mut self) -> String {
        format!("{MAGIC_COOKIE}{}", self.random_word())
    }

    /// 80 random bits, for a tag, a branch or a Call-ID (RFC 3261 §19.3 asks for 32).
    pub(super) fn random_word(&mut self) -> String {
        let (high, low): (u16, u64) = (self.rng.random(), self.rng.random());
        format!("{high:04x}{low:016x}")
    }

    /// Our tag in the answers to a request: the same for every retransmission, without remembering it.
    pub(super) fn tag_for(&self, request: &Request) -> String {
        let via = request.headers.find("Via").and_then(|text| list(text).next().map(str::to_owned));
        let mut hasher = DefaultHasher::new();
        (self.tag_seed, via, request.headers.call_id(), request.headers.find("From")).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}
