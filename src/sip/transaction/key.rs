//! Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3).

use crate::sip::message::{Method, Request};
use crate::sip::wire::value::{CSeq, Via};

/// A client transaction: the branch that we made and the method (an ACK to a failure and a CANCEL share the INVITE's
/// branch).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey {
    pub branch: String,
    pub method: Method,
}

/// A server transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerKey {
    /// By branch, sent-by and method, the ACK counting as INVITE.
    Branch { branch: String, sent_by: String, method: Method },
    /// A peer of RFC 2543, whose branch says nothing: the fields that a retransmission repeats.
    Fields { uri: String, via: String, call_id: String, from_tag: String, cseq: u32, method: Method },
}

impl ServerKey {
    /// `via_text` is the top Via as received.
    pub fn new(
        request: &Request,
        via: &Via<'_>,
        via_text: &str,
        call_id: &str,
        from_tag: &str,
        cseq: &CSeq,
    ) -> ServerKey {
        let method = if request.method == Method::Ack { Method::Invite } else { request.method.clone() };
        match via.magic_branch() {
            Some(branch) => ServerKey::Branch {
                // branches and hosts are compared without case (§7.3.1, §19.1.4)
                branch: branch.to_ascii_lowercase(),
                sent_by: format!("{}:{}", via.host.to_ascii_lowercase(), via.port.unwrap_or(5060)),
                method,
            },
            None => ServerKey::Fields {
                uri: request.uri.to_string(),
                via: via_text.to_owned(),
                call_id: call_id.to_owned(),
                from_tag: from_tag.to_owned(),
                cseq: cseq.number,
                method,
            },
        }
    }

    /// The INVITE that a CANCEL of this key cancels (§9.2).
    pub fn of_cancelled(&self) -> ServerKey {
        let mut key = self.clone();
        match &mut key {
            ServerKey::Branch { method, .. } | ServerKey::Fields { method, .. } => *method = Method::Invite,
        }
        key
    }
}
