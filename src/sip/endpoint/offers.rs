//! New offers inside a call: re-INVITE and UPDATE in both directions (RFC 3261 §14, RFC 3311).

use std::time::Duration;

use rand::RngExt;

use super::clients::{ClientId, Outbound, Outcome, User};
use super::command::Leg;
use super::event::{Ended, Event, Side, Why};
use super::incoming::timer_headers;
use super::servers::{Reply, ServerId};
use super::{Endpoint, LegTimer, Wake};
use crate::sip::content::session_description;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Method, Request, Response};
use crate::sip::offer_answer::{Busy, retry_after_glare};
use crate::sip::session::{Ours, Session, Theirs, Unacknowledged};
use crate::sip::session_timer::{self, Agreed};
use crate::sip::wire::emit;
use crate::sip::wire::fields::Fields;

use super::identity::{ALLOW, SUPPORTED};

impl Endpoint {
    pub(super) fn receive_reinvite(&mut self, leg: Leg, transaction: ServerId, cseq: u32, request: &Request) {
        self.respond(transaction, 100, Reply::default());
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else {
            // §14.2: the first INVITE has no final answer yet
            return self.try_later(transaction);
        };
        if let Some(done) = established.unacknowledged.take_if(|waiting| !waiting.offers) {
            // a peer that sends the next INVITE has had our 200: its ACK is late or lost (RFC 5407 §3.1.5)
            self.acknowledged(leg, &done, None);
        }
        let sdp = session_description(&request.headers, &request.body).ok().flatten();
        self.take_offer(leg, transaction, cseq, request, sdp, true);
    }

    pub(super) fn receive_update(&mut self, leg: Leg, transaction: ServerId, cseq: u32, request: &Request) {
        let sdp = session_description(&request.headers, &request.body).ok().flatten();
        if sdp.is_some() {
            if self.sessions.get_mut(&leg).and_then(Session::established).is_none() {
                return self.try_later(transaction);
            }
            return self.take_offer(leg, transaction, cseq, request, sdp, false);
        }
        match self.session_timer(request) {
            Err(too_small) => self.too_small(transaction, too_small),
            Ok(timer) => {
                self.refresh_target(leg, request.headers.contact().map(|contact| contact.uri()));
                self.respond(transaction, 200, Reply::with(timer_headers(timer)));
                self.agreed(leg, timer);
            }
        }
    }

    /// RFC 3261 §14.2, RFC 3311 §5.2: 500 with a Retry-After of 0 to 10 s.
    fn try_later(&mut self, transaction: ServerId) {
        let seconds: u32 = self.rng.random_range(0..=10);
        self.respond(transaction, 500, Reply::with([("Retry-After", seconds.to_string())]));
    }

    fn take_offer(
        &mut self,
        leg: Leg,
        transaction: ServerId,
        cseq: u32,
        request: &Request,
        sdp: Option<Vec<u8>>,
        invite: bool,
    ) {
        let Some(session) = self.sessions.get_mut(&leg).filter(|session| !session.ended) else {
            return self.respond(transaction, 481, Reply::default());
        };
        let Some(established) = session.established() else { return self.try_later(transaction) };
        let glare = invite && established.ours.as_ref().is_some_and(|ours| ours.invite);
        match established.negotiation().receive() {
            Err(Busy::Glare) => return self.respond(transaction, 491, Reply::default()),
            Ok(_) if glare => return self.respond(transaction, 491, Reply::default()),
            Err(Busy::Unanswered) => return self.try_later(transaction),
            Ok(_) => {}
        }
        let timer = match self.session_timer(request) {
            Ok(timer) => timer,
            Err(too_small) => return self.too_small(transaction, too_small),
        };
        self.refresh_target(leg, request.headers.contact().map(|contact| contact.uri()));
        if let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) {
            established.theirs = Some(Theirs { transaction, invite, cseq, offered: sdp.is_some(), timer });
        }
        let deadline = self.patience() / 4;
        self.start(Wake::Leg(leg, LegTimer::OfferDeadline), deadline);
        self.emit(Event::Offer { leg, sdp });
    }

    /// `Command::Accept`
    pub(super) fn accept_offer(&mut self, leg: Leg, sdp: Vec<u8>) -> Option<()> {
        let t1 = self.t1();
        let theirs = self.sessions.get_mut(&leg).and_then(Session::established)?.theirs.take()?;
        self.timers.stop(Wake::Leg(leg, LegTimer::OfferDeadline));
        let reply = Reply { headers: timer_headers(theirs.timer), sdp: Some(sdp.clone()) };
        let response = self.prepare(theirs.transaction, 200, reply)?;
        let established = self.sessions.get_mut(&leg).and_then(Session::established)?;
        established.local = sdp;
        if theirs.invite {
            established.unacknowledged = Some(Unacknowledged {
                transaction: theirs.transaction,
                cseq: theirs.cseq,
                response: response.clone(),
                repeat: t1,
                first: false,
                offers: !theirs.offered,
            });
        }
        self.respond_with(theirs.transaction, 200, response);
        if theirs.invite {
            self.wait_for_ack(leg);
        }
        self.agreed(leg, theirs.timer);
        self.offer_what_is_wanted(leg);
        Some(())
    }

    /// `Command::RefuseOffer`
    pub(super) fn refuse_offer(&mut self, leg: Leg, status: u16) -> Option<()> {
        let theirs = self.sessions.get_mut(&leg).and_then(Session::established)?.theirs.take()?;
        self.timers.stop(Wake::Leg(leg, LegTimer::OfferDeadline));
        let status = if (400..700).contains(&status) { status } else { 488 };
        self.respond(theirs.transaction, status, Reply::default());
        self.offer_what_is_wanted(leg);
        Some(())
    }

    /// `Command::Reinvite`
    pub(super) fn want_offer(&mut self, leg: Leg, sdp: Vec<u8>) -> Option<()> {
        let session = self.sessions.get_mut(&leg).filter(|session| !session.ended)?;
        session.established()?.wanted = Some(sdp);
        self.offer_what_is_wanted(leg);
        Some(())
    }

    /// Sends the offer that waits, as soon as none is open and no 491 says otherwise.
    pub(super) fn offer_what_is_wanted(&mut self, leg: Leg) {
        let Some(session) = self.sessions.get_mut(&leg).filter(|session| !session.ended) else { return };
        let Some(established) = session.established().filter(|established| established.may_offer()) else { return };
        let Some(sdp) = established.wanted.take() else { return };
        self.timers.stop(Wake::Leg(leg, LegTimer::RetryOffer));
        self.send_offer(leg, true, Some(sdp), false);
    }

    /// A session timer's refresh (RFC 4028 §7.4): UPDATE where the peer takes it, else the last description again.
    pub(super) fn refresh(&mut self, leg: Leg) {
        let Some(session) = self.sessions.get_mut(&leg).filter(|session| !session.ended) else { return };
        let Some(established) = session.established() else { return };
        if !established.may_offer() {
            self.start(Wake::Leg(leg, LegTimer::Refresh), Duration::from_secs(2));
            return;
        }
        let (update, local) = (established.peer_updates, established.local.clone());
        self.send_offer(leg, !update, Some(local).filter(|_| !update), true);
    }

    fn send_offer(&mut self, leg: Leg, invite: bool, offer: Option<Vec<u8>>, refresh: bool) {
        let (interval, min) = (self.config.session_expires_s, self.config.min_session_expires_s);
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        let method = if invite { Method::Invite } else { Method::Update };
        let mut request = established.dialog.request(method);
        let hop = established.dialog.next_hop();
        let headers = &mut request.headers;
        headers.add("Allow", ALLOW);
        headers.add("Supported", SUPPORTED);
        if let Some(timer) = established.timer {
            // §7.4: the refresher stays who it is
            let refresher = if timer.we_refresh { "uac" } else { "uas" };
            headers.add("Session-Expires", format!("{};refresher={refresher}", timer.seconds));
        } else if interval > 0 {
            headers.add("Session-Expires", interval.to_string());
        }
        headers.add("Min-SE", min.to_string());
        if let Some(sdp) = &offer {
            headers.add("Content-Type", "application/sdp");
            request.body = sdp.clone();
        }
        let transaction = self.send(Outbound { request, hop, user: User::Offer, leg: Some(leg), digest: None });
        if let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) {
            established.ours = Some(Ours { transaction, invite, offer, refresh });
        }
        self.limit_ringing(transaction);
    }

    pub(super) fn offer_outcome(&mut self, leg: Option<Leg>, id: ClientId, outcome: Outcome) {
        if let Outcome::Response(response) = &outcome {
            let status = response.status.code();
            if status < 200 {
                return;
            }
            if status < 300 {
                self.acknowledge_inside(id, response);
            }
        }
        let Some(leg) = leg else { return };
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        let Some(ours) = established.ours.take_if(|ours| ours.transaction == id) else { return };
        match outcome {
            Outcome::Response(response) => self.offer_response(leg, ours, &response),
            Outcome::TimedOut => self.lost(leg, Side::Network, Why::NoAnswer),
            // §8.1.3.1 takes it for a 503: the call itself may well go on
            Outcome::TransportFailed => self.offer_refused(leg, &ours, 503),
        }
    }

    fn offer_response(&mut self, leg: Leg, ours: Ours, response: &Response) {
        let status = response.status.code();
        let retry_after = response.headers.retry_after().map(|after| after.seconds).filter(|seconds| *seconds <= 10);
        match (status, retry_after) {
            (200..300, _) => self.offer_taken(leg, ours, response),
            (405 | 500 | 501, _) if ours.refresh && !ours.invite => self.refresh_by_invite(leg, retry_after),
            (491, _) => self.offer_again(leg, ours, None),
            (500, Some(seconds)) => self.offer_again(leg, ours, Some(seconds)),
            (422, _) => self.interval_too_small(leg, ours, response),
            // §12.2.1.2
            (408 | 481, _) => self.lost(leg, Side::Peer, Why::DialogLost),
            _ => self.offer_refused(leg, &ours, status),
        }
    }

    fn offer_taken(&mut self, leg: Leg, ours: Ours, response: &Response) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        established.dialog.refresh_target(response.headers.contact().map(|contact| contact.uri()));
        established.timer = session_timer::accepted(response.headers.session_expires());
        let offered = ours.offer.is_some();
        if let Some(offer) = ours.offer {
            established.local = offer;
        }
        self.run_session_timer(leg);
        let answer = session_description(&response.headers, &response.body).ok().flatten();
        // a refresh that brings no answer leaves everything as it was
        let answer = if ours.refresh { answer } else { Some(answer.unwrap_or_default()) };
        if let Some(sdp) = answer.filter(|_| offered && self.is_live(leg)) {
            self.emit(Event::OfferAnswered { leg, sdp });
        }
        self.offer_what_is_wanted(leg);
    }

    /// A peer may list UPDATE in Allow and refuse it all the same: from here on a re-INVITE refreshes.
    fn refresh_by_invite(&mut self, leg: Leg, after_s: Option<u32>) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        established.peer_updates = false;
        self.offer_what_is_wanted(leg);
        match after_s {
            Some(seconds) => self.start(Wake::Leg(leg, LegTimer::Refresh), pause(seconds)),
            None => self.refresh(leg),
        }
    }

    /// §14.1. A newer offer takes the place of the refused one.
    fn offer_again(&mut self, leg: Leg, ours: Ours, after_s: Option<u32>) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        let after = match after_s {
            Some(seconds) => pause(seconds),
            None => retry_after_glare(established.caller, &mut self.rng),
        };
        if ours.refresh {
            self.start(Wake::Leg(leg, LegTimer::Refresh), after);
            return self.offer_what_is_wanted(leg);
        }
        established.wanted = established.wanted.take().or(ours.offer);
        self.start(Wake::Leg(leg, LegTimer::RetryOffer), after);
    }

    /// RFC 4028 §7.4: a proxy on the way wants a longer interval.
    fn interval_too_small(&mut self, leg: Leg, ours: Ours, response: &Response) {
        let min = response.headers.min_se().unwrap_or(0);
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        match &mut established.timer {
            Some(timer) if timer.seconds < min => {
                timer.seconds = min;
                self.send_offer(leg, ours.invite, ours.offer, ours.refresh);
            }
            _ => self.offer_refused(leg, &ours, 422),
        }
    }

    fn offer_refused(&mut self, leg: Leg, ours: &Ours, status: u16) {
        if !ours.refresh && self.is_live(leg) {
            self.emit(Event::OfferRefused { leg, status });
        }
        self.offer_what_is_wanted(leg);
    }

    /// The ACK to the 2xx of a re-INVITE, which follows its request's way (RFC 3261 §13.2.2.4). Sent even when the call
    /// has ended meanwhile.
    fn acknowledge_inside(&mut self, id: ClientId, response: &Response) {
        let Some(transaction) = self.clients.get(id) else { return };
        if transaction.request.method != Method::Invite {
            return;
        }
        let (hop, leg) = (transaction.hop, transaction.leg);
        let request = &transaction.request;
        let mut ack = Request {
            method: Method::Ack,
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            body: Vec::new(),
        };
        let cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        for name in ["Via", "Contact", "Allow", "Supported", "Session-Expires", "Min-SE", "Content-Type"] {
            ack.headers.remove(name);
        }
        ack.headers.put("CSeq", format!("{cseq} ACK"));
        self.send_ack(id, hop, leg, ack, response);
    }

    pub(super) fn agreed(&mut self, leg: Leg, timer: Option<Agreed>) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        established.timer = timer.map(|agreed| agreed.timer);
        self.run_session_timer(leg);
    }

    /// Starts the session timer over: after every 2xx to an INVITE or UPDATE (RFC 4028 §7.2, §9).
    pub(super) fn run_session_timer(&mut self, leg: Leg) {
        self.timers.stop(Wake::Leg(leg, LegTimer::Refresh));
        self.timers.stop(Wake::Leg(leg, LegTimer::Expire));
        let timer =
            self.sessions.get_mut(&leg).and_then(Session::established).and_then(|established| established.timer);
        let Some(timer) = timer else { return };
        if timer.we_refresh {
            self.start(Wake::Leg(leg, LegTimer::Refresh), timer.refresh_after());
        }
        self.start(Wake::Leg(leg, LegTimer::Expire), timer.end_after());
    }

    /// RFC 4028 §10: nobody refreshed in time.
    pub(super) fn session_expired(&mut self, leg: Leg) {
        self.lost(leg, Side::Network, Why::SessionExpired);
    }

    /// The call is over for a reason that is not a BYE: it ends with one all the same (RFC 3261 §12.2.1.2).
    pub(super) fn lost(&mut self, leg: Leg, side: Side, why: Why) {
        self.end_with_bye(leg, Ended { side, why, q850: None }, None);
    }
}

impl Endpoint {
    pub(super) fn send_ack(
        &mut self,
        id: ClientId,
        hop: crate::sip::message::Hop,
        leg: Option<Leg>,
        mut ack: Request,
        response: &Response,
    ) {
        let branch = self.new_branch();
        ack.headers.add_first("Via", self.via(hop, &branch));
        let bytes = emit::request(&ack);
        self.trace(leg, true, "ACK".to_owned());
        self.transmit(hop, bytes.clone());
        let tag = response.headers.to_tag().unwrap_or("").to_owned();
        if let Some(transaction) = self.clients.get_mut(id) {
            transaction.acknowledged.push(super::clients::Acknowledged { tag, hop, ack: bytes });
        }
    }

    pub(super) fn is_live(&self, leg: Leg) -> bool {
        self.sessions.get(&leg).is_some_and(|session| !session.ended)
    }

    /// A BYE in a dialog that needs no session any more.
    pub(super) fn send_bye(&mut self, leg: Leg, dialog: &mut Dialog, outbound: Farewell<'_>) {
        let mut request = dialog.request(Method::Bye);
        if let Some(reason) = outbound.reason {
            request.headers.add("Reason", super::cancel::reason_value(reason));
        }
        let hop = dialog.next_hop();
        self.send(Outbound { request, hop, user: User::Farewell, leg: Some(leg), digest: outbound.digest });
    }
}

/// How long a Retry-After is waited for: a peer that says 0 s is not asked without a break.
fn pause(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.max(1)))
}

/// What a BYE carries.
pub(super) struct Farewell<'a> {
    pub reason: Option<&'a super::command::Reason>,
    pub digest: Option<Box<crate::sip::auth::Digest>>,
}
