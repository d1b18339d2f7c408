//! Requests of the peer inside a dialog (RFC 3261 §12.2.2).

use super::Endpoint;
use super::admit::{Scope, Unfit};
use super::clients::{Outbound, Outcome, User};
use super::command::Leg;
use super::event::{Ended, Event, Side, Why};
use super::incoming::q850;
use super::receive::abilities;
use super::servers::{Reply, ServerId};
use crate::digit::Digit;
use crate::sip::content::{self, Info};
use crate::sip::dialog::DialogId;
use crate::sip::message::{Method, Request};
use crate::sip::session::{Phase, Session};
use crate::sip::wire::fields::Fields;

impl Endpoint {
    pub(super) fn receive_inside(&mut self, leg: Leg, id: &DialogId, transaction: ServerId, request: Request) {
        self.adopt(transaction, leg);
        if let Err(Unfit { status, headers }) = self.check(&request, Scope::Inside) {
            return self.respond(transaction, status, Reply::with(headers));
        }
        let cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let Some(dialog) = self.sessions.get_mut(&leg).and_then(|session| session.dialog(id)) else {
            return self.respond(transaction, 481, Reply::default());
        };
        if dialog.receive(cseq).is_err() {
            self.count("out_of_order");
            return self.respond(transaction, 500, Reply::default());
        }
        match request.method {
            Method::Bye => self.receive_bye(leg, transaction, &request),
            Method::Invite => self.receive_reinvite(leg, transaction, cseq, &request),
            Method::Update => self.receive_update(leg, transaction, cseq, &request),
            Method::Prack => self.receive_prack(leg, transaction, &request),
            Method::Info => self.receive_info(leg, transaction, &request),
            Method::Options => self.respond(transaction, 200, Reply::with(abilities())),
            // `check` let no other method pass
            _ => self.respond(transaction, 405, Reply::default()),
        }
    }

    /// RFC 3261 §15.1.2: 200, and 487 to what the peer still waits for.
    fn receive_bye(&mut self, leg: Leg, transaction: ServerId, request: &Request) {
        self.respond(transaction, 200, Reply::default());
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let (pending, ours) = match &session.phase {
            Phase::Incoming(incoming) => (Some(incoming.transaction), None),
            Phase::Outgoing(outgoing) => (None, Some(outgoing.transaction)),
            Phase::Established(established) => (
                established.theirs.map(|theirs| theirs.transaction),
                established.ours.as_ref().map(|ours| ours.transaction),
            ),
        };
        if let Some(pending) = pending {
            self.respond(pending, 487, Reply::default());
        }
        if let Some(ours) = ours {
            self.cancel(ours, None);
        }
        self.end(leg, Ended { side: Side::Peer, why: Why::Bye, q850: q850(request) });
        self.remove(leg);
    }

    fn receive_info(&mut self, leg: Leg, transaction: ServerId, request: &Request) {
        let (status, digit) = match content::info(request) {
            Info::Digit { digit, duration_ms } => (200, Some((digit, duration_ms))),
            Info::Nothing => (200, None),
            Info::Package => (469, None),
            Info::Unsupported => {
                let Unfit { status, headers } = super::admit::unsupported_body();
                return self.respond(transaction, status, Reply::with(headers));
            }
            Info::Malformed => (400, None),
        };
        // RFC 6086 §4.2.2: 469 says which packages we take, none
        let headers = (status == 469).then(|| ("Recv-Info", String::new()));
        self.respond(transaction, status, Reply::with(headers));
        let live = self.sessions.get(&leg).is_some_and(|session| !session.ended);
        if let Some((digit, duration_ms)) = digit.filter(|_| live) {
            self.emit(Event::Digit { leg, digit, duration_ms });
        }
    }
}

impl Endpoint {
    /// `Command::Digit`
    pub(super) fn send_digit(&mut self, leg: Leg, digit: Digit, duration_ms: u32) -> Option<()> {
        let session = self.sessions.get_mut(&leg).filter(|session| !session.ended)?;
        let dialog = &mut session.established()?.dialog;
        let mut request = dialog.request(Method::Info);
        let hop = dialog.next_hop();
        request.headers.add("Content-Type", "application/dtmf-relay");
        request.body = format!("Signal={digit}\r\nDuration={duration_ms}\r\n").into_bytes();
        self.send(Outbound { request, hop, user: User::Digit, leg: Some(leg), digest: None });
        Some(())
    }

    /// RFC 3261 §12.2.1.2: a peer that no longer knows the call has ended it.
    pub(super) fn digit_outcome(&mut self, leg: Option<Leg>, outcome: &Outcome) {
        let Outcome::Response(response) = outcome else { return };
        if let Some(leg) = leg.filter(|_| matches!(response.status.code(), 408 | 481)) {
            self.lost(leg, Side::Peer, Why::DialogLost);
        }
    }

    /// The target refresh of a re-INVITE or UPDATE that is answered with a 2xx (RFC 3261 §12.2.2).
    pub(super) fn refresh_target(&mut self, leg: Leg, contact: Option<crate::sip::message::Uri>) {
        if let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) {
            established.dialog.refresh_target(contact);
        }
    }
}
