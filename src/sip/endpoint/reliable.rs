//! Reliable provisional responses and PRACK inside the endpoint (RFC 3262), both sides.

use super::clients::{Outbound, User};
use super::command::Leg;
use super::event::{Ended, Event, Side, Why};
use super::servers::{Reply, ServerId};
use super::{Endpoint, LegTimer, Wake};
use crate::sip::content::session_description;
use crate::sip::message::{Method, Request};
use crate::sip::session::{Description, Provisional, Session};
use crate::sip::wire::fields::Fields;

impl Endpoint {
    pub(super) fn send_provisional(&mut self, leg: Leg, provisional: Provisional) -> Option<()> {
        let t1 = self.t1();
        let incoming = self.sessions.get_mut(&leg).and_then(Session::incoming)?;
        let transaction = incoming.transaction;
        let mut reply = Reply { headers: Vec::new(), sdp: provisional.sdp };
        if let Some(sender) = &mut incoming.reliable {
            let (rseq, repeat) = sender.send(t1);
            if reply.sdp.is_some() {
                incoming.described = Description::Reliable;
            }
            reply.headers.extend([("Require", "100rel".to_owned()), ("RSeq", rseq.to_string())]);
            let patience = self.patience();
            self.start(Wake::Leg(leg, LegTimer::RepeatReliable), repeat);
            self.start(Wake::Leg(leg, LegTimer::ReliableDeadline), patience);
        }
        self.respond(transaction, provisional.status, reply);
        Some(())
    }

    pub(super) fn repeat_reliable(&mut self, leg: Leg) {
        let Some(incoming) = self.sessions.get_mut(&leg).and_then(Session::incoming) else { return };
        let transaction = incoming.transaction;
        let Some(repeat) = incoming.reliable.as_mut().and_then(|sender| sender.repeat()) else { return };
        // what waits is the last provisional response, which the transaction repeats
        self.request_again(transaction);
        self.start(Wake::Leg(leg, LegTimer::RepeatReliable), repeat);
    }

    /// RFC 3262 §3: no PRACK within 64*T1, so the INVITE is refused with a 5xx.
    pub(super) fn reliable_deadline(&mut self, leg: Leg) {
        let Some(incoming) = self.sessions.get_mut(&leg).and_then(Session::incoming) else { return };
        let transaction = incoming.transaction;
        self.respond(transaction, 504, Reply::default());
        self.end(leg, Ended { side: Side::Network, why: Why::NoPrack, q850: None });
        self.remove(leg);
    }

    /// RFC 3262 §3: 200 when it names what waits, else 481.
    pub(super) fn receive_prack(&mut self, leg: Leg, transaction: ServerId, request: &Request) {
        let Some(rack) = request.headers.rack() else {
            return self.respond(transaction, 400, Reply::default());
        };
        let Some(incoming) = self.sessions.get_mut(&leg).and_then(Session::incoming) else {
            return self.respond(transaction, 481, Reply::default());
        };
        let sdp = session_description(&request.headers, &request.body).ok().flatten();
        let answers = incoming.described == Description::Reliable && !incoming.offered;
        if !incoming.reliable.as_mut().is_some_and(|sender| sender.acknowledge(&rack)) {
            return self.respond(transaction, 481, Reply::default());
        }
        self.timers.stop(Wake::Leg(leg, LegTimer::RepeatReliable));
        self.timers.stop(Wake::Leg(leg, LegTimer::ReliableDeadline));
        match sdp {
            Some(sdp) if answers => {
                self.emit(Event::OfferAnswered { leg, sdp });
                self.respond(transaction, 200, Reply::default());
            }
            // a new offer in a PRACK (RFC 3262 §5): the response is acknowledged, the offer is not taken
            Some(_) => self.respond(transaction, 488, Reply::default()),
            None => self.respond(transaction, 200, Reply::default()),
        }
        self.after_prack(leg);
    }

    fn after_prack(&mut self, leg: Leg) {
        let Some(incoming) = self.sessions.get_mut(&leg).and_then(Session::incoming) else { return };
        if incoming.answer.is_some() {
            self.answer_now(leg);
        } else if let Some(next) = incoming.queued.pop_front() {
            self.send_provisional(leg, next);
        }
    }

    /// RFC 3262 §4: acknowledges a reliable provisional response inside its early dialog.
    pub(super) fn send_prack(&mut self, leg: Leg, peer_tag: &str, rseq: u32) {
        let Some(outgoing) = self.sessions.get_mut(&leg).and_then(Session::outgoing) else { return };
        let cseq = outgoing.cseq;
        let Some(early) = outgoing.early.get_mut(peer_tag) else { return };
        let mut request = early.dialog.request(Method::Prack);
        let hop = early.dialog.next_hop();
        request.headers.add("RAck", format!("{rseq} {cseq} INVITE"));
        self.send(Outbound { request, hop, user: User::Prack, leg: Some(leg), digest: None });
    }
}
