//! The INVITE usage of a dialog (RFC 3261 §13, §14, RFC 5057): one leg from its INVITE to its end.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::auth::Digest;
use super::dialog::{Dialog, DialogId};
use super::endpoint::command::{Invite, Reason};
use super::endpoint::{ClientId, ServerId};
use super::offer_answer::OfferAnswer;
use super::rel100;
use super::session_timer::{Agreed, SessionTimer};

/// One leg.
#[derive(Debug)]
pub(crate) struct Session {
    pub phase: Phase,
    /// `Ended` has been told; what is left is the network's.
    pub ended: bool,
}

#[derive(Debug)]
pub(crate) enum Phase {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
    Established(Box<Established>),
}

/// An incoming call without a final response.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub transaction: ServerId,
    pub dialog: Dialog,
    /// CSeq number of the INVITE.
    pub cseq: u32,
    /// Whether the INVITE brought an offer.
    pub offered: bool,
    /// There when the peer requires reliable provisional responses.
    pub reliable: Option<rel100::Sender>,
    /// Provisional responses that wait for the PRACK of the one before.
    pub queued: VecDeque<Provisional>,
    /// The answer given while a reliable response was not acknowledged (RFC 3262 §3).
    pub answer: Option<Vec<u8>>,
    /// Our description went out reliably: the 200 carries none.
    pub described: Description,
    pub timer: Option<Agreed>,
    pub peer_updates: bool,
}

/// How far our session description got before the 200.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Description {
    #[default]
    None,
    /// In a reliable response; the exchange is complete, or is with its PRACK.
    Reliable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provisional {
    pub status: u16,
    pub sdp: Option<Vec<u8>>,
}

/// An outgoing call without a final response.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub transaction: ClientId,
    pub invite: Box<Invite>,
    pub call_id: String,
    pub local_tag: String,
    pub cseq: u32,
    /// Which of the hops is tried.
    pub hop: usize,
    /// Session-Expires and Min-SE of the INVITE, raised by a 422.
    pub interval_s: u32,
    pub min_se_s: u32,
    /// Early dialogs by the peer's tag.
    pub early: HashMap<String, Early>,
    pub digest: Option<Box<Digest>>,
}

#[derive(Debug)]
pub(crate) struct Early {
    pub dialog: Dialog,
    pub reliable: rel100::Receiver,
    /// The answer that came with a provisional response.
    pub answer: Option<Vec<u8>>,
}

/// A call with a 200.
#[derive(Debug)]
pub(crate) struct Established {
    pub dialog: Dialog,
    /// Whether we made the Call-ID (RFC 3261 §14.1).
    pub caller: bool,
    /// There in calls that we made with an account.
    pub digest: Option<Box<Digest>>,
    pub timer: Option<SessionTimer>,
    pub peer_updates: bool,
    /// The description that we sent last.
    pub local: Vec<u8>,
    pub unacknowledged: Option<Unacknowledged>,
    /// The peer's offer that waits for `Accept` or `RefuseOffer`.
    pub theirs: Option<Theirs>,
    /// Our request that waits for its response.
    pub ours: Option<Ours>,
    /// A `Reinvite` that waits for its turn.
    pub wanted: Option<Vec<u8>>,
    /// Hung up before the ACK came: BYE must wait for it (RFC 3261 §15).
    pub farewell: Option<Option<Reason>>,
}

/// A 2xx that the core repeats until its ACK (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(crate) struct Unacknowledged {
    pub transaction: ServerId,
    pub cseq: u32,
    pub response: Vec<u8>,
    pub repeat: Duration,
    /// The call's first INVITE.
    pub first: bool,
    /// Our offer is in it: the ACK brings the answer.
    pub offers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theirs {
    pub transaction: ServerId,
    pub invite: bool,
    pub cseq: u32,
    /// Whether it holds an offer; else it asks for ours.
    pub offered: bool,
    pub timer: Option<Agreed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ours {
    pub transaction: ClientId,
    pub invite: bool,
    /// The offer, `None` in an UPDATE that only refreshes.
    pub offer: Option<Vec<u8>>,
    /// Sent by the session timer: the layer above need not know.
    pub refresh: bool,
}

impl Session {
    pub fn new(phase: Phase) -> Session {
        Session { phase, ended: false }
    }

    pub fn established(&mut self) -> Option<&mut Established> {
        match &mut self.phase {
            Phase::Established(established) => Some(established),
            Phase::Incoming(_) | Phase::Outgoing(_) => None,
        }
    }

    pub fn outgoing(&mut self) -> Option<&mut Outgoing> {
        match &mut self.phase {
            Phase::Outgoing(outgoing) => Some(outgoing),
            Phase::Incoming(_) | Phase::Established(_) => None,
        }
    }

    pub fn incoming(&mut self) -> Option<&mut Incoming> {
        match &mut self.phase {
            Phase::Incoming(incoming) => Some(incoming),
            Phase::Outgoing(_) | Phase::Established(_) => None,
        }
    }

    pub fn digest(&mut self) -> Option<&mut Digest> {
        match &mut self.phase {
            Phase::Incoming(_) => None,
            Phase::Outgoing(outgoing) => outgoing.digest.as_deref_mut(),
            Phase::Established(established) => established.digest.as_deref_mut(),
        }
    }

    /// The dialog that a request with this id is in.
    pub fn dialog(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        match &mut self.phase {
            Phase::Incoming(incoming) => Some(&mut incoming.dialog),
            Phase::Outgoing(outgoing) => outgoing.early.get_mut(&id.remote_tag).map(|early| &mut early.dialog),
            Phase::Established(established) => Some(&mut established.dialog),
        }
    }

    /// Every dialog id under which this leg can be found.
    pub fn dialog_ids(&self) -> Vec<DialogId> {
        match &self.phase {
            Phase::Incoming(incoming) => vec![incoming.dialog.id.clone()],
            Phase::Outgoing(outgoing) => outgoing.early.values().map(|early| early.dialog.id.clone()).collect(),
            Phase::Established(established) => vec![established.dialog.id.clone()],
        }
    }
}

impl Established {
    pub fn new(dialog: Dialog, caller: bool, local: Vec<u8>) -> Established {
        Established {
            dialog,
            caller,
            digest: None,
            timer: None,
            peer_updates: false,
            local,
            unacknowledged: None,
            theirs: None,
            ours: None,
            wanted: None,
            farewell: None,
        }
    }

    /// Where the negotiation stands: it follows from what waits.
    pub fn negotiation(&self) -> OfferAnswer {
        if self.theirs.is_some() {
            OfferAnswer::Received
        } else if self.ours.as_ref().is_some_and(|ours| ours.invite || ours.offer.is_some())
            || self.unacknowledged.as_ref().is_some_and(|waiting| waiting.offers)
        {
            OfferAnswer::Sent
        } else {
            OfferAnswer::Stable
        }
    }

    /// Whether a request of ours with an offer may go out now (RFC 3261 §14.1, RFC 3311 §5.1).
    pub fn may_offer(&self) -> bool {
        self.negotiation().is_stable() && self.ours.is_none() && self.unacknowledged.is_none()
    }
}
