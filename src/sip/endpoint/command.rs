//! What the layer above may ask of an [`Endpoint`](super::Endpoint).

use std::fmt;

use crate::digit::Digit;
use crate::sip::auth::Account;
use crate::sip::message::{Hop, Uri};

/// One INVITE usage, in or out. Unique in the process: the endpoint numbers incoming legs itself, whoever places a
/// call names its leg by [`Leg::outgoing`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leg(u64);

impl Leg {
    /// The leg of an incoming call; the endpoint counts `n`.
    pub(super) const fn incoming(n: u64) -> Leg {
        Leg(n << 1)
    }

    /// The leg of an outgoing call; `n` must be used once.
    pub const fn outgoing(n: u64) -> Leg {
        Leg(n << 1 | 1)
    }

    pub const fn is_outgoing(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leg({self})")
    }
}

/// `in7`, `out3`.
impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_outgoing() { "out" } else { "in" }, self.0 >> 1)
    }
}

/// A command that names a leg which has ended, or which is not in a state to carry it out, does nothing and is
/// counted ([`Event::Counted`](super::event::Event::Counted) `command_late`): the network may always have been faster.
#[derive(Clone, Debug)]
pub enum Command {
    /// 180 Ringing to an incoming call.
    Ring {
        leg: Leg,
    },
    /// 183 Session Progress with an answer to the offer (or an offer, when the INVITE had none).
    Progress {
        leg: Leg,
        sdp: Vec<u8>,
    },
    /// 200 OK with the answer to the offer (or an offer, when the INVITE had none).
    Answer {
        leg: Leg,
        sdp: Vec<u8>,
    },
    /// A final refusal (300-699) of an incoming call.
    Reject {
        leg: Leg,
        status: u16,
        retry_after_s: Option<u32>,
    },
    /// Answers [`Event::Offer`](super::event::Event::Offer): with the answer, or with our offer when it had none.
    Accept {
        leg: Leg,
        sdp: Vec<u8>,
    },
    /// Refuses [`Event::Offer`](super::event::Event::Offer), usually with 488. The call goes on as it was.
    RefuseOffer {
        leg: Leg,
        status: u16,
    },
    /// Offers new media inside a call, in either role. Waits for an offer that is on its way; 491 is retried within.
    Reinvite {
        leg: Leg,
        sdp: Vec<u8>,
    },
    /// Sends a key by INFO (`application/dtmf-relay`), for peers that take no telephone events.
    Digit {
        leg: Leg,
        digit: Digit,
        duration_ms: u32,
    },
    /// Ends a leg in whatever state: refuses (603), cancels or says BYE. `Ended` follows at once.
    HangUp {
        leg: Leg,
        reason: Option<Reason>,
    },
    Invite(Box<Invite>),
    Register(Box<Registration>),
    /// Takes the registration back (Expires: 0) and forgets the trunk.
    Unregister {
        trunk: u32,
    },
    /// One OPTIONS request to a trunk, answered by [`Event::OptionsAnswered`](super::event::Event::OptionsAnswered).
    Options(Box<Options>),
    /// Whom to let in from now on. Requests inside calls, ACK and CANCEL are served in any case.
    Admission(Admission),
}

/// Whether new calls are let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    #[default]
    Open,
    /// 503 with Retry-After to INVITE and OPTIONS: this node is going away.
    Draining { retry_after_s: u32 },
    /// 503 without Retry-After: a peer that obeys one would send nothing at all (RFC 3261 §21.5.4).
    Late,
    /// 486 Busy Here.
    Full,
}

/// The Reason header of a BYE or CANCEL that we send (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// ITU-T Q.850 cause, 1-127.
    Q850(u8),
    /// A SIP status, for instance 200 `Call completed elsewhere`.
    Sip(u16),
}

/// A name and a URI for From or P-Asserted-Identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub display: Option<String>,
    pub uri: Uri,
}

/// An outgoing call.
#[derive(Clone, Debug)]
pub struct Invite {
    /// From [`Leg::outgoing`].
    pub leg: Leg,
    /// Where the request may go, best first (RFC 3263 §4): the next one is tried when a hop fails, times out or says 503.
    pub hops: Vec<Hop>,
    /// The Request-URI.
    pub uri: Uri,
    pub from: Party,
    pub to: Uri,
    /// P-Asserted-Identity (RFC 3325), towards a trunk that trusts us.
    pub asserted: Option<Party>,
    /// Asks for `Privacy: id`.
    pub private: bool,
    /// `application/sdp`
    pub offer: Vec<u8>,
    /// Answers challenges of its realm.
    pub credentials: Option<Account>,
    /// Gives up ringing after this time (CANCEL), `None`: after `Config::max_ringing_s`.
    pub ring_timeout_ms: Option<u32>,
}

/// A binding at a trunk's registrar, kept fresh until [`Command::Unregister`].
#[derive(Clone, Debug)]
pub struct Registration {
    /// The configuration's number of the trunk, repeated in events.
    pub trunk: u32,
    pub hops: Vec<Hop>,
    /// `sip:registrar.example`.
    pub registrar: Uri,
    /// `sip:user@registrar.example`.
    pub address_of_record: Uri,
    /// The user part of our Contact.
    pub contact_user: String,
    pub credentials: Option<Account>,
    pub expires_s: u32,
}

/// One OPTIONS request outside any call.
#[derive(Clone, Debug)]
pub struct Options {
    pub trunk: u32,
    pub hops: Vec<Hop>,
    pub uri: Uri,
    pub from: Party,
}
