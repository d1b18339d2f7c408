//! What an [`Endpoint`](super::Endpoint) tells the layer above.

use std::fmt;

use super::command::Leg;
use crate::clock::Mono;
use crate::digit::Digit;
use crate::phone::Masked;
use crate::sip::message::Hop;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call comes in; 100 Trying has been sent. `Ring`, `Progress`, `Answer` or `Reject` it.
    Incoming {
        leg: Leg,
        invite: Box<IncomingInvite>,
    },
    /// The ACK to our 200 came. `answer`: the answer in it, when our 200 carried the offer.
    Answered {
        leg: Leg,
        answer: Option<Vec<u8>>,
    },
    /// Outgoing: a provisional response over 100, with the SDP it brought.
    Ringing {
        leg: Leg,
        status: u16,
        sdp: Option<Vec<u8>>,
    },
    /// Outgoing: the 200, acknowledged. `sdp` is the answer to our offer.
    Accepted {
        leg: Leg,
        sdp: Option<Vec<u8>>,
    },
    /// A re-INVITE or UPDATE: answer by `Accept` or `RefuseOffer`. `None`: the peer wants an offer from us.
    Offer {
        leg: Leg,
        sdp: Option<Vec<u8>>,
    },
    /// The peer's answer to our offer in `Reinvite`, or in an `Accept` to an `Offer` without SDP.
    OfferAnswered {
        leg: Leg,
        sdp: Vec<u8>,
    },
    /// Our `Reinvite` was refused; the call goes on as it was.
    OfferRefused {
        leg: Leg,
        status: u16,
    },
    /// A key by INFO (`application/dtmf-relay`, `application/dtmf`).
    Digit {
        leg: Leg,
        digit: Digit,
        duration_ms: u32,
    },
    /// Exactly once a leg. Only `Trace` lines of the same leg may follow (the answer to our BYE).
    Ended {
        leg: Leg,
        ended: Ended,
    },
    Registered {
        trunk: u32,
        until: Mono,
    },
    /// `status` 408 stands for no answer too, 200 for a registrar that dropped our binding.
    RegistrationFailed {
        trunk: u32,
        status: u16,
        retry_at: Option<Mono>,
    },
    /// The binding is taken back, and the trunk forgotten.
    Unregistered {
        trunk: u32,
    },
    /// `None`: no answer within 32 s, or the transport failed.
    OptionsAnswered {
        trunk: u32,
        status: Option<u16>,
    },
    /// One message of a leg: `INVITE`, `200 OK (INVITE)`. Retransmissions are not repeated.
    Trace {
        leg: Leg,
        sent: bool,
        line: String,
    },
    /// Something to count, by a name that is a metric label: `malformed`, `stray_response`, …
    Counted(&'static str),
}

/// Why a leg is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub side: Side,
    pub why: Why,
    /// The ITU-T Q.850 cause of the peer's Reason header (RFC 3326).
    pub q850: Option<u8>,
}

/// Whose doing it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Local,
    Peer,
    /// Nobody's: something did not arrive.
    Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A BYE after the call was answered.
    Bye,
    /// A CANCEL (or our giving up) before it was answered.
    Cancel,
    /// A final refusal of the INVITE: ours when the side is `Local`.
    Rejected {
        status: u16,
    },
    /// Our 200 was not acknowledged within 64*T1 (RFC 3261 §13.3.1.4).
    NoAck,
    /// Our reliable provisional response was not acknowledged within 64*T1 (RFC 3262 §3).
    NoPrack,
    /// No answer to a request within 64*T1.
    NoAnswer,
    /// Nobody refreshed the session (RFC 4028 §10).
    SessionExpired,
    /// The peer no longer knows the call: 481 or 408 inside it (RFC 3261 §12.2.1.2).
    DialogLost,
    TransportFailed,
}

/// What an INVITE says about who calls whom. Numbers and names, which `Debug` masks: never for a log.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingInvite {
    pub hop: Hop,
    pub call_id: String,
    /// The user part of the Request-URI: the number that was dialled.
    pub request_user: Option<String>,
    pub from_user: Option<String>,
    /// P-Asserted-Identity (RFC 3325), to be believed from a trusted trunk only.
    pub asserted_user: Option<String>,
    /// `Privacy: id`, `user` or `header` (RFC 3323), or From is anonymous.
    pub privacy: bool,
    /// P-Called-Party-ID (RFC 7315 §4.2).
    pub called_party_user: Option<String>,
    /// The first Diversion (RFC 5806): who was called before.
    pub diversion_user: Option<String>,
    pub to_user: Option<String>,
    pub offer: Option<Vec<u8>>,
    pub user_agent: Option<String>,
}

fn masked(user: &Option<String>) -> Option<Masked<'_>> {
    user.as_deref().map(Masked)
}

impl fmt::Debug for IncomingInvite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingInvite")
            .field("hop", &self.hop)
            .field("call_id", &self.call_id)
            .field("request_user", &masked(&self.request_user))
            .field("from_user", &masked(&self.from_user))
            .field("asserted_user", &masked(&self.asserted_user))
            .field("privacy", &self.privacy)
            .field("called_party_user", &masked(&self.called_party_user))
            .field("diversion_user", &masked(&self.diversion_user))
            .field("to_user", &masked(&self.to_user))
            .field("offer", &self.offer.as_ref().map(Vec::len))
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Transport;

    #[test]
    fn nobody_can_be_read_from_the_debug_text_of_an_invite() {
        let address = "192.0.2.9:5060".parse().expect("an address");
        let user = || Some("13812345678".to_owned());
        let invite = IncomingInvite {
            hop: Hop { transport: Transport::Udp, local: address, peer: address },
            call_id: "call".to_owned(),
            request_user: user(),
            from_user: user(),
            asserted_user: user(),
            privacy: false,
            called_party_user: user(),
            diversion_user: user(),
            to_user: user(),
            offer: Some(b"o=13812345678".to_vec()),
            user_agent: None,
        };
        let text = format!("{:?}", Event::Incoming { leg: Leg::incoming(1), invite: Box::new(invite) });
        let runs = "13812345678".as_bytes().windows(4).map(|run| str::from_utf8(run).expect("digits"));
        assert_eq!(runs.filter(|run| text.contains(run)).count(), 0, "{text}");
        assert!(text.contains("from_user: Some(***********)"), "{text}");
    }
}
