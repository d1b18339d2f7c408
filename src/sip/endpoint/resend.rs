//! Requests that go out once more: with credentials, or another way.

use std::net::SocketAddr;

use super::Endpoint;
use super::clients::{ClientId, Outbound, User};
use super::command::Leg;
use super::incoming::uri_of;
use crate::sip::auth::Digest;
use crate::sip::message::{Hop, Request, Response};
use crate::sip::wire::fields::Fields;

impl Endpoint {
    /// Sends the request of a transaction once more, as a new one with the next CSeq number (RFC 3261 §8.1.3.5).
    /// `change` may add to it.
    pub(super) fn resend(&mut self, id: ClientId, hop: Hop, change: impl FnOnce(&mut Request)) -> Option<ClientId> {
        let old = self.clients.get_mut(id)?;
        let (user, leg, digest) = (old.user, old.leg, old.digest.take());
        let mut request = old.request.clone();
        let cseq = request.headers.cseq()?.number + 1;
        request.headers.remove("Via");
        request.headers.put("CSeq", format!("{cseq} {}", request.method));
        change(&mut request);
        let new = self.send(Outbound { request, hop, user, leg, digest });
        if let Some(leg) = leg {
            self.transaction_replaced(leg, id, new, cseq);
        }
        Some(new)
    }

    /// Sends a challenged request again with credentials (RFC 3261 §22.2). Only what an outgoing call began has a
    /// digest: a challenge inside a call that came in asks for what is nobody's business (the "SIP digest leak").
    pub(super) fn answer_challenge(&mut self, id: ClientId, response: &Response) -> Option<ClientId> {
        let transaction = self.clients.get(id)?;
        let (user, leg, hop) = (transaction.user, transaction.leg, transaction.hop);
        if user != User::Farewell && !self.is_live(leg?) {
            return None;
        }
        let request = transaction.request.clone();
        let mut own = self.clients.get_mut(id)?.digest.take();
        let answered = match own.as_deref_mut().or_else(|| self.digest_of(leg)) {
            Some(digest) => digest.answer(&request, response),
            None => return None,
        };
        self.clients.get_mut(id)?.digest = own;
        if answered.is_err() {
            self.count("challenge_unanswered");
            return None;
        }
        let new = self.resend(id, hop, |_| ())?;
        self.limit_ringing(new);
        Some(new)
    }

    pub(super) fn digest_of(&mut self, leg: Option<Leg>) -> Option<&mut Digest> {
        self.sessions.get_mut(&leg?)?.digest()
    }

    /// After a transport failure: by UDP what nobody takes by TCP, where it went for its size (RFC 3261 §18.1.1); over a
    /// new connection what belongs to a call whose connection is gone (§18.2.2 in the other direction).
    pub(super) fn resend_another_way(&mut self, id: ClientId) -> Option<ClientId> {
        let transaction = self.clients.get(id)?;
        if let Some(hop) = transaction.datagram_hop {
            let large_requests_by_tcp = std::mem::replace(&mut self.config.large_requests_by_tcp, false);
            let new = self.resend(id, hop, |_| ());
            self.config.large_requests_by_tcp = large_requests_by_tcp;
            return new;
        }
        let inside = transaction.request.headers.to_tag().is_some();
        let next = transaction.request.headers.routes().next().and_then(uri_of);
        let next = next.unwrap_or_else(|| transaction.request.uri.clone());
        let peer = SocketAddr::new(next.ip()?, next.port().unwrap_or(5060));
        let hop = Hop { peer, ..transaction.hop };
        let reconnects = inside && hop.transport.is_reliable() && hop != transaction.hop;
        reconnects.then(|| self.resend(id, hop, |_| ()))?
    }
}
