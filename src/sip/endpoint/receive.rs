//! From bytes to what a request means: transaction, then dialog, then core (RFC 3261 §8.2, §12.2.2, §17.2.3).

use std::net::SocketAddr;

use super::Endpoint;
use super::admit::{Scope, Unfit};
use super::command::Leg;
use super::identity::{ACCEPT, ALLOW, SUPPORTED};
use super::servers::{MergeKey, Reply, ServerId};
use crate::sip::dialog::DialogId;
use crate::sip::message::{Header, Hop, Message, Method, Request};
use crate::sip::overload::Verdict;
use crate::sip::transaction::key::ServerKey;
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::Via;
use crate::sip::wire::{self, emit, header};

impl Endpoint {
    pub(super) fn receive(&mut self, hop: Hop, bytes: &[u8]) {
        match wire::parse(bytes) {
            Ok(Message::Request(request)) => self.receive_request(hop, request),
            Ok(Message::Response(response)) => self.receive_response(response),
            Err(malformed) => self.receive_malformed(hop, malformed),
        }
    }

    fn receive_malformed(&mut self, hop: Hop, malformed: wire::Malformed) {
        self.count(match &malformed.reply {
            wire::Reply::Silence(wire::Silence::KeepAlive) => "keep_alive",
            wire::Reply::Silence(_) => "malformed_dropped",
            wire::Reply::Answer(_) => "malformed_answered",
        });
        let wire::Reply::Answer(answer) = malformed.reply else { return };
        let back = answer.headers.via().map_or(hop, |via| response_hop(hop, &via));
        let tag = self.random_word();
        let mut response = answer.into_response(hop.peer, &tag);
        response.headers.add("Server", self.config.user_agent.clone());
        self.transmit(back, emit::response(&response));
    }

    fn receive_request(&mut self, hop: Hop, mut request: Request) {
        let Some(arrival) = Arrival::read(&request, hop) else {
            self.count("malformed_dropped");
            return;
        };
        stamp(&mut request, arrival.stamped);
        let known =
            self.servers.find(&arrival.key).filter(|id| request.method != Method::Ack || self.acks(*id, &request));
        match (known, &request.method) {
            (Some(id), Method::Ack) => {
                if self.ack_again(id) {
                    self.receive_ack(&request);
                }
            }
            (Some(id), _) => self.request_again(id),
            (None, Method::Ack) => self.receive_ack(&request),
            (None, Method::Cancel) => self.receive_cancel(arrival.key, arrival.back, &request),
            (None, _) => self.receive_new(arrival.key, arrival.back, hop, request),
        }
    }

    /// Whether an ACK that matches by its fields carries the tag of our response (RFC 3261 §17.2.3, for RFC 2543 peers).
    fn acks(&self, id: ServerId, ack: &Request) -> bool {
        self.servers.get(id).is_some_and(|transaction| {
            transaction.request.headers.to_tag().is_some()
                || ack.headers.to_tag().is_none_or(|tag| tag == transaction.tag)
        })
    }

    /// RFC 3261 §9.2: 200 to the CANCEL whatever became of the INVITE, 487 to an INVITE without a final response.
    fn receive_cancel(&mut self, key: ServerKey, back: Hop, cancel: &Request) {
        let invite = self.servers.find(&key.of_cancelled());
        let id = self.start_server(cancel, key, back, None);
        let Some(invite) = invite else {
            self.respond(id, 481, Reply::default());
            return;
        };
        let (leg, tag) = match self.servers.get(invite) {
            Some(transaction) => (transaction.leg, transaction.tag.clone()),
            None => (None, String::new()),
        };
        if let Some(transaction) = self.servers.get_mut(id) {
            transaction.tag = tag;
        }
        if let Some(leg) = leg {
            self.adopt(id, leg);
        }
        self.respond(id, 200, Reply::default());
        if self.is_unanswered(invite)
            && let Some(leg) = leg
        {
            self.cancelled(leg, invite, cancel);
        }
    }

    fn receive_new(&mut self, key: ServerKey, back: Hop, hop: Hop, request: Request) {
        match dialog_id(&request) {
            Some(id) => {
                if self.limits().inside(self.load()) == Verdict::Drop {
                    self.count("overload_dropped");
                    return;
                }
                let leg = self.dialogs.get(&id).copied();
                let transaction = self.start_server(&request, key, back, None);
                match leg {
                    Some(leg) => self.receive_inside(leg, &id, transaction, request),
                    // RFC 3261 §12.2.2
                    None => self.respond(transaction, 481, Reply::default()),
                }
            }
            None => self.receive_outside(key, back, hop, request),
        }
    }

    fn receive_outside(&mut self, key: ServerKey, back: Hop, hop: Hop, request: Request) {
        let verdict = self.limits().outside(self.load(), request.method == Method::Invite);
        if verdict == Verdict::Refuse {
            self.count("overload_refused");
            if self.limits().inside(self.load()) == Verdict::Admit {
                self.respond_statelessly(&request, back, 503, Reply::default());
            }
            return;
        }
        let merge = merge_key(&request);
        // RFC 3261 §8.2.2.2: the same request by two ways
        let merged = merge.as_ref().is_some_and(|merge| self.servers.is_merged(merge));
        let transaction = self.start_server(&request, key, back, merge.filter(|_| !merged));
        if merged {
            self.count("merged");
            self.respond(transaction, 482, Reply::default());
            return;
        }
        if let Err(Unfit { status, headers }) = self.check(&request, Scope::Outside) {
            self.respond(transaction, status, Reply::with(headers));
            return;
        }
        match request.method {
            Method::Invite => self.receive_invite(transaction, hop, &request, verdict == Verdict::Busy),
            Method::Options => self.receive_options(transaction),
            // BYE, PRACK, UPDATE and INFO have no meaning outside a dialog
            _ => self.respond(transaction, 481, Reply::default()),
        }
    }

    /// What an INVITE would be answered (RFC 3261 §11.2).
    fn receive_options(&mut self, transaction: ServerId) {
        let (status, mut headers) = match self.refusal(false) {
            Some((status, headers)) => (status, headers),
            None => (200, Vec::new()),
        };
        headers.extend(abilities());
        self.respond(transaction, status, Reply::with(headers));
    }

    pub(super) fn leg_of(&self, id: &DialogId) -> Option<Leg> {
        self.dialogs.get(id).copied()
    }
}

/// Allow, Accept and Supported.
pub(super) fn abilities() -> [(&'static str, String); 4] {
    [
        ("Allow", ALLOW.to_owned()),
        ("Accept", ACCEPT.to_owned()),
        ("Accept-Encoding", "identity".to_owned()),
        ("Supported", SUPPORTED.to_owned()),
    ]
}

struct Arrival {
    key: ServerKey,
    back: Hop,
    /// The top Via with `received` and `rport`.
    stamped: String,
}

impl Arrival {
    fn read(request: &Request, hop: Hop) -> Option<Arrival> {
        let headers = &request.headers;
        let text = headers.find("Via")?;
        let via = headers.via()?;
        let from_tag = headers.from_tag().unwrap_or("");
        let key = ServerKey::new(request, &via, text, headers.call_id()?, from_tag, &headers.cseq()?);
        Some(Arrival { key, back: response_hop(hop, &via), stamped: via.stamped(hop.peer) })
    }
}

fn stamp(request: &mut Request, via: String) {
    if let Some(top) = request.headers.iter_mut().find(|one| matches!(one, Header::Via(_))) {
        *top = header::make("Via", via);
    }
}

/// Where the responses go (RFC 3261 §18.2.2, RFC 3581 §4): back over the connection; to `maddr`; to the source port
/// that asked for it; else to the source address and the port of sent-by.
fn response_hop(hop: Hop, via: &Via<'_>) -> Hop {
    if hop.transport.is_reliable() || via.wants_rport() {
        return hop;
    }
    let port = via.port.unwrap_or(5060);
    let maddr = via.params.get("maddr").and_then(|text| text.trim_matches(['[', ']']).parse().ok());
    Hop { peer: SocketAddr::new(maddr.unwrap_or(hop.peer.ip()), port), ..hop }
}

/// The dialog that a request names by its To tag; `None` for a request outside every dialog.
pub(super) fn dialog_id(request: &Request) -> Option<DialogId> {
    let headers = &request.headers;
    Some(DialogId {
        call_id: headers.call_id()?.to_owned(),
        local_tag: headers.to_tag()?.to_owned(),
        remote_tag: headers.from_tag().unwrap_or("").to_owned(),
    })
}

fn merge_key(request: &Request) -> Option<MergeKey> {
    let headers = &request.headers;
    Some(MergeKey {
        call_id: headers.call_id()?.to_owned(),
        from_tag: headers.from_tag()?.to_owned(),
        cseq: headers.cseq()?.number,
        method: request.method.clone(),
    })
}
