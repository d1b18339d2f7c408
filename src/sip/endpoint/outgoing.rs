//! The client side of a call: INVITE until its final response (RFC 3261 §13.2).

use std::collections::HashMap;
use std::time::Duration;

use rand::RngExt;

use super::clients::{ClientId, Outbound, Outcome, User};
use super::command::{Invite, Leg, Party};
use super::event::{Ended, Event, Side, Why};
use super::identity::{ALLOW, SUPPORTED};
use super::incoming::{q850_of, uri_of};
use super::offers::Farewell;
use super::{Endpoint, Wake};
use crate::sip::auth::Digest;
use crate::sip::content::session_description;
use crate::sip::dialog::{Dialog, DialogId};
use crate::sip::message::{Headers, Hop, Method, Request, Response};
use crate::sip::rel100;
use crate::sip::session::{Early, Established, Outgoing, Phase, Session};
use crate::sip::session_timer;
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::quote;

/// Early dialogs and forked answers of one INVITE that are kept apart.
const FORKS: usize = 8;

impl Endpoint {
    /// `Command::Invite`
    pub(super) fn place(&mut self, invite: Box<Invite>) -> Option<()> {
        let leg = invite.leg;
        if !leg.is_outgoing() || self.sessions.contains_key(&leg) {
            return None;
        }
        let Some(hop) = invite.hops.first().copied() else {
            self.emit(Event::Ended {
                leg,
                ended: Ended { side: Side::Network, why: Why::TransportFailed, q850: None },
            });
            return Some(());
        };
        if self.sessions.len() >= self.config.max_legs {
            self.emit(Event::Ended {
                leg,
                ended: Ended { side: Side::Local, why: Why::Rejected { status: 503 }, q850: None },
            });
            return Some(());
        }
        let (call_id, local_tag) = (self.random_word(), self.random_word());
        let cseq = self.rng.random_range(1..1 << 16);
        let (interval_s, min_se_s) = (self.config.session_expires_s, self.config.min_session_expires_s);
        let mut request = first_invite(&invite, &call_id, &local_tag, cseq, interval_s, min_se_s);
        if self.config.require_reliable_ringing {
            request.headers.add("Require", "100rel");
        }
        let account = invite.credentials.iter().cloned().collect();
        let digest = Digest::beginning_with(&request, account, self.rng.random()).map(Box::new);
        let transaction = self.send(Outbound { request, hop, user: User::Invite, leg: Some(leg), digest: None });
        let early = HashMap::new();
        let outgoing =
            Outgoing { transaction, invite, call_id, local_tag, cseq, hop: 0, interval_s, min_se_s, early, digest };
        self.open(leg, Session::new(Phase::Outgoing(Box::new(outgoing))));
        self.limit_ringing(transaction);
        Some(())
    }

    pub(super) fn invite_outcome(&mut self, leg: Option<Leg>, id: ClientId, outcome: Outcome) {
        let Some(leg) = leg else { return };
        match outcome {
            Outcome::Response(response) => match response.status.code() {
                100 => {}
                101..200 => self.invite_progress(leg, &response),
                200..300 => self.invite_accepted(leg, id, &response),
                status => self.invite_refused(leg, id, status, &response),
            },
            Outcome::TimedOut => self.invite_unanswered(leg, id, Why::NoAnswer),
            Outcome::TransportFailed => self.invite_unanswered(leg, id, Why::TransportFailed),
        }
    }

    fn invite_progress(&mut self, leg: Leg, response: &Response) {
        let headers = &response.headers;
        let tag = headers.to_tag().unwrap_or("").to_owned();
        let known = self.early_dialog(leg, &tag, response).is_some();
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let ended = session.ended;
        let Some(outgoing) = session.outgoing() else { return };
        let rseq = headers.rseq().filter(|_| headers.lists("Require", "100rel"));
        if let Some(rseq) = rseq {
            // RFC 3262 §4: a repeated or early one is passed over
            let next = outgoing.early.get_mut(&tag).is_some_and(|early| early.reliable.receive(rseq));
            if !known || !next {
                return;
            }
            self.send_prack(leg, &tag, rseq);
        }
        let sdp = session_description(headers, &response.body).ok().flatten();
        if let Some(early) = outgoing_early(&mut self.sessions, leg, &tag)
            && sdp.is_some()
        {
            early.answer.clone_from(&sdp);
        }
        if ended {
            return;
        }
        self.emit(Event::Ringing { leg, status: response.status.code(), sdp });
    }

    /// The early dialog that a provisional response makes (RFC 3261 §12.1.2).
    fn early_dialog(&mut self, leg: Leg, tag: &str, response: &Response) -> Option<()> {
        let outgoing = self.sessions.get_mut(&leg).and_then(Session::outgoing)?;
        if outgoing.early.contains_key(tag) {
            return Some(());
        }
        if tag.is_empty() || outgoing.early.len() >= FORKS {
            return None;
        }
        let transaction = self.clients.get(outgoing.transaction)?;
        let dialog = dialog_of_response(outgoing, transaction.hop, &transaction.request, response)?;
        self.dialogs.insert(dialog.id.clone(), leg);
        outgoing.early.insert(tag.to_owned(), Early { dialog, reliable: rel100::Receiver::default(), answer: None });
        Some(())
    }

    /// Every 2xx is acknowledged; the first one is the call, any other fork gets a BYE (RFC 3261 §13.2.2.4).
    fn invite_accepted(&mut self, leg: Leg, id: ClientId, response: &Response) {
        let Some(transaction) = self.clients.get(id) else { return };
        if transaction.acknowledged.len() >= FORKS {
            return;
        }
        let (hop, request) = (transaction.hop, transaction.request.clone());
        let tag = response.headers.to_tag().unwrap_or("").to_owned();
        let Some(mut dialog) = self.dialog_of_success(leg, &tag, hop, &request, response) else { return };
        let cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let mut ack = dialog.request_with(Method::Ack, cseq);
        // §22.1: the ACK carries the credentials of its INVITE
        for name in ["Authorization", "Proxy-Authorization"] {
            if let Some(value) = request.headers.find(name) {
                ack.headers.add(name, value);
            }
        }
        let way = dialog.next_hop();
        self.send_ack(id, way, Some(leg), ack, response);
        let wanted = self.sessions.get_mut(&leg).is_some_and(|one| !one.ended && one.outgoing().is_some());
        if wanted {
            return self.establish(leg, dialog, response);
        }
        self.count("fork_released");
        self.send_bye(leg, &mut dialog, Farewell { reason: None, digest: None });
        let waits_for_nothing = self.sessions.get_mut(&leg).is_some_and(|one| one.ended && one.outgoing().is_some());
        if waits_for_nothing {
            self.remove(leg);
        }
    }

    fn dialog_of_success(
        &mut self,
        leg: Leg,
        tag: &str,
        hop: Hop,
        request: &Request,
        response: &Response,
    ) -> Option<Dialog> {
        let mut dialog = dialog_of(hop, request, response)?;
        // the early dialog has counted its PRACKs
        if let Some(early) = self.sessions.get_mut(&leg).and_then(Session::outgoing).and_then(|one| one.early.get(tag))
        {
            dialog.local_cseq = early.dialog.local_cseq.max(dialog.local_cseq);
            dialog.remote_cseq = early.dialog.remote_cseq;
        }
        Some(dialog)
    }

    fn establish(&mut self, leg: Leg, dialog: Dialog, response: &Response) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        for id in session.dialog_ids() {
            self.dialogs.remove(&id);
        }
        let Some(outgoing) = session.outgoing() else { return };
        // an answer in a provisional response need not be repeated in the 200 (RFC 3261 §13.2.1)
        let early = outgoing.early.remove(&dialog.id.remote_tag).and_then(|early| early.answer);
        self.dialogs.insert(dialog.id.clone(), leg);
        let mut established = Established::new(dialog, true, std::mem::take(&mut outgoing.invite.offer));
        established.digest = outgoing.digest.take();
        established.timer = session_timer::accepted(response.headers.session_expires());
        established.peer_updates = response.headers.lists("Allow", "UPDATE");
        session.phase = Phase::Established(Box::new(established));
        self.run_session_timer(leg);
        let sdp = session_description(&response.headers, &response.body).ok().flatten().or(early);
        self.emit(Event::Accepted { leg, sdp });
    }

    fn invite_refused(&mut self, leg: Leg, id: ClientId, status: u16, response: &Response) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let ended = session.ended;
        let Some(outgoing) = session.outgoing().filter(|outgoing| outgoing.transaction == id) else { return };
        if ended {
            return self.remove(leg);
        }
        // RFC 4028 §7.3: once more with the interval that is wanted
        let min_se = response.headers.min_se().filter(|min| status == 422 && *min > outgoing.min_se_s);
        if let Some(min_se) = min_se {
            outgoing.min_se_s = min_se;
            outgoing.interval_s = outgoing.interval_s.max(min_se);
            let interval = outgoing.interval_s;
            let hop = outgoing.invite.hops[outgoing.hop];
            return self.invite_again(leg, id, hop, |headers| {
                headers.put("Session-Expires", interval.to_string());
                headers.put("Min-SE", min_se.to_string());
            });
        }
        // RFC 3263 §4.3
        if matches!(status, 408 | 503) && self.next_hop(leg, id) {
            return;
        }
        let ended = Ended { side: Side::Peer, why: Why::Rejected { status }, q850: q850_of(&response.headers) };
        self.end(leg, ended);
        self.remove(leg);
    }

    fn invite_unanswered(&mut self, leg: Leg, id: ClientId, why: Why) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let ended = session.ended;
        if session.outgoing().is_none_or(|outgoing| outgoing.transaction != id) || !ended && self.next_hop(leg, id) {
            return;
        }
        self.end(leg, Ended { side: Side::Network, why, q850: None });
        self.remove(leg);
    }

    /// Tries the next hop of the list; false when there is none.
    fn next_hop(&mut self, leg: Leg, id: ClientId) -> bool {
        let Some(outgoing) = self.sessions.get_mut(&leg).and_then(Session::outgoing) else { return false };
        let Some(hop) = outgoing.invite.hops.get(outgoing.hop + 1).copied() else { return false };
        outgoing.hop += 1;
        self.count("failover");
        self.invite_again(leg, id, hop, |_| ());
        true
    }

    fn invite_again(&mut self, leg: Leg, id: ClientId, hop: Hop, change: impl FnOnce(&mut Headers)) {
        self.forget_early_dialogs(leg);
        let Some(new) = self.resend(id, hop, |request| change(&mut request.headers)) else { return };
        self.limit_ringing(new);
    }

    /// How long an INVITE may go without a final response: a call rings, a re-INVITE has 64*T1.
    pub(super) fn limit_ringing(&mut self, id: ClientId) {
        let Some(transaction) = self.clients.get(id).filter(|one| one.request.method == Method::Invite) else { return };
        let (user, leg) = (transaction.user, transaction.leg);
        let asked = leg
            .and_then(|leg| self.sessions.get_mut(&leg).and_then(Session::outgoing))
            .and_then(|outgoing| outgoing.invite.ring_timeout_ms);
        let after = match (user, asked) {
            (User::Invite, Some(ms)) => Duration::from_millis(ms.into()),
            (User::Invite, None) => Duration::from_secs(self.config.max_ringing_s.into()),
            _ => self.patience(),
        };
        self.start(Wake::GiveUp(id), after);
    }

    fn forget_early_dialogs(&mut self, leg: Leg) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        for id in session.dialog_ids() {
            self.dialogs.remove(&id);
        }
        if let Some(outgoing) = session.outgoing() {
            outgoing.early.clear();
        }
    }
}

fn outgoing_early<'a>(sessions: &'a mut HashMap<Leg, Session>, leg: Leg, tag: &str) -> Option<&'a mut Early> {
    sessions.get_mut(&leg)?.outgoing()?.early.get_mut(tag)
}

fn first_invite(invite: &Invite, call_id: &str, tag: &str, cseq: u32, interval_s: u32, min_se_s: u32) -> Request {
    let mut headers = Headers::default();
    headers.add("Max-Forwards", "70");
    headers.add("From", format!("{};tag={tag}", party(&invite.from)));
    headers.add("To", format!("<{}>", invite.to));
    headers.add("Call-ID", call_id);
    headers.add("CSeq", format!("{cseq} INVITE"));
    headers.add("Allow", ALLOW);
    headers.add("Supported", SUPPORTED);
    if interval_s > 0 {
        headers.add("Session-Expires", interval_s.to_string());
        headers.add("Min-SE", min_se_s.to_string());
    }
    if let Some(asserted) = &invite.asserted {
        headers.add("P-Asserted-Identity", party(asserted));
    }
    if invite.private {
        headers.add("Privacy", "id");
    }
    headers.add("Content-Type", "application/sdp");
    let uri = invite.uri.clone().into_request_uri();
    Request { method: Method::Invite, uri, headers, body: invite.offer.clone() }
}

pub(super) fn party(party: &Party) -> String {
    match &party.display {
        Some(display) => format!("{} <{}>", quote(display), party.uri),
        None => format!("<{}>", party.uri),
    }
}

fn dialog_of_response(outgoing: &Outgoing, hop: Hop, request: &Request, response: &Response) -> Option<Dialog> {
    let dialog = dialog_of(hop, request, response)?;
    (dialog.id.local_tag == outgoing.local_tag && dialog.id.call_id == outgoing.call_id).then_some(dialog)
}

/// RFC 3261 §12.1.2: the route set is Record-Route from its end.
fn dialog_of(hop: Hop, request: &Request, response: &Response) -> Option<Dialog> {
    let headers = &response.headers;
    let mut routes: Vec<_> = headers.record_routes().filter_map(uri_of).collect();
    routes.reverse();
    let target = headers.contact().map(|contact| contact.uri()).filter(|uri| uri.is_sip());
    Some(Dialog {
        id: DialogId {
            call_id: request.headers.call_id()?.to_owned(),
            local_tag: request.headers.from_tag()?.to_owned(),
            remote_tag: headers.to_tag().unwrap_or("").to_owned(),
        },
        local: request.headers.find("From")?.to_owned(),
        remote: headers.find("To")?.to_owned(),
        local_cseq: request.headers.cseq()?.number,
        remote_cseq: None,
        // a 2xx without a Contact breaks §12.1.2; the way that the INVITE took is the best guess
        target: target.unwrap_or_else(|| request.uri.clone()),
        routes,
        hop,
    })
}
