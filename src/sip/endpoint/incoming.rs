//! The server side of a call: from its INVITE to the ACK of our 200 (RFC 3261 §13.3).

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;

use super::command::Leg;
use super::event::{Ended, Event, IncomingInvite, Side, Why};
use super::identity::SUPPORTED;
use super::receive::dialog_id;
use super::servers::{Reply, ServerId};
use super::{Endpoint, LegTimer, Wake};
use crate::sip::content::session_description;
use crate::sip::dialog::{Dialog, DialogId};
use crate::sip::message::{Hop, Request, Uri};
use crate::sip::rel100;
use crate::sip::session::{Description, Established, Incoming, Phase, Provisional, Session, Unacknowledged};
use crate::sip::session_timer::{self, Agreed, Asked, TooSmall};
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::{NameAddr, Reason as ReasonValue};

impl Endpoint {
    pub(super) fn receive_invite(&mut self, transaction: ServerId, hop: Hop, request: &Request, busy: bool) {
        if let Some((status, headers)) = self.refusal(busy) {
            self.count("call_refused");
            self.respond(transaction, status, Reply::with(headers));
            return;
        }
        let timer = match self.session_timer(request) {
            Ok(timer) => timer,
            Err(too_small) => return self.too_small(transaction, too_small),
        };
        let Some(dialog) = self.dialog_of_invite(transaction, hop, request) else {
            // §8.1.1.8: an INVITE without a Contact makes no dialog
            return self.respond(transaction, 400, Reply::default());
        };
        let leg = Leg::incoming(self.incoming);
        self.incoming += 1;
        let offer = session_description(&request.headers, &request.body).ok().flatten();
        let cseq = dialog.remote_cseq.unwrap_or(0);
        let first = self.rng.random_range(1..1 << 30);
        let requires = request.headers.lists("Require", "100rel");
        let incoming = Incoming {
            transaction,
            dialog,
            cseq,
            offered: offer.is_some(),
            reliable: requires.then(|| rel100::Sender::new(cseq, first)),
            queued: VecDeque::new(),
            answer: None,
            described: Description::None,
            timer,
            peer_updates: request.headers.lists("Allow", "UPDATE"),
        };
        self.open(leg, Session::new(Phase::Incoming(Box::new(incoming))));
        self.emit(Event::Incoming { leg, invite: Box::new(facts(hop, request, offer)) });
        self.adopt(transaction, leg);
        self.respond(transaction, 100, Reply::default());
        let ringing = Duration::from_secs(self.config.max_ringing_s.into());
        self.start(Wake::Leg(leg, LegTimer::RingDeadline), ringing);
    }

    fn dialog_of_invite(&mut self, transaction: ServerId, hop: Hop, request: &Request) -> Option<Dialog> {
        let headers = &request.headers;
        let target = match headers.contact() {
            Some(contact) => contact.uri(),
            None if is_rfc_2543(request) => headers.from_header()?.uri(),
            None => return None,
        };
        if !target.is_sip() {
            return None;
        }
        let local_tag = self.servers.get(transaction)?.tag.clone();
        Some(Dialog {
            id: DialogId {
                call_id: headers.call_id()?.to_owned(),
                local_tag: local_tag.clone(),
                remote_tag: headers.from_tag().unwrap_or("").to_owned(),
            },
            local: format!("{};tag={local_tag}", headers.find("To")?),
            remote: headers.find("From")?.to_owned(),
            local_cseq: self.rng.random_range(1..1 << 16),
            remote_cseq: Some(headers.cseq()?.number),
            target,
            // §12.1.1: in the order of the request
            routes: headers.record_routes().filter_map(uri_of).collect(),
            hop,
        })
    }

    /// RFC 4028 §9.
    pub(super) fn session_timer(&self, request: &Request) -> Result<Option<Agreed>, TooSmall> {
        let headers = &request.headers;
        let asked = Asked {
            session_expires: headers.session_expires(),
            min_se: headers.min_se(),
            supported: headers.lists("Supported", "timer") || headers.lists("Require", "timer"),
        };
        let limits =
            session_timer::Limits { interval: self.config.session_expires_s, min: self.config.min_session_expires_s };
        session_timer::agree(&asked, limits)
    }

    pub(super) fn too_small(&mut self, transaction: ServerId, _: TooSmall) {
        let min = self.config.min_session_expires_s.to_string();
        self.respond(transaction, 422, Reply::with([("Min-SE", min)]));
    }

    /// `Command::Answer`. Waits for the PRACK of what went before it.
    pub(super) fn answer(&mut self, leg: Leg, sdp: Vec<u8>) -> Option<()> {
        let incoming = self.sessions.get_mut(&leg).and_then(Session::incoming)?;
        if incoming.answer.is_some() {
            return None;
        }
        incoming.answer = Some(sdp);
        let waits = incoming.reliable.as_ref().is_some_and(rel100::Sender::is_waiting);
        if waits { Some(()) } else { self.answer_now(leg) }
    }

    pub(super) fn answer_now(&mut self, leg: Leg) -> Option<()> {
        let session = self.sessions.get_mut(&leg)?;
        let sdp = session.incoming()?.answer.take()?;
        let placeholder =
            Phase::Established(Box::new(Established::new(session.incoming()?.dialog.clone(), false, Vec::new())));
        let Phase::Incoming(incoming) = std::mem::replace(&mut session.phase, placeholder) else { return None };
        self.half_open -= 1;
        self.timers.stop(Wake::Leg(leg, LegTimer::RingDeadline));
        let headers = timer_headers(incoming.timer);
        let body = (incoming.described == Description::None).then(|| sdp.clone());
        let offers = body.is_some() && !incoming.offered;
        let response = self.prepare(incoming.transaction, 200, Reply { headers, sdp: body })?;
        let t1 = self.t1();
        let mut established = Established::new(incoming.dialog, false, sdp);
        established.peer_updates = incoming.peer_updates;
        established.timer = incoming.timer.map(|agreed| agreed.timer);
        established.unacknowledged = Some(Unacknowledged {
            transaction: incoming.transaction,
            cseq: incoming.cseq,
            response: response.clone(),
            repeat: t1,
            first: true,
            offers,
        });
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.phase = Phase::Established(Box::new(established));
        }
        self.respond_with(incoming.transaction, 200, response);
        self.wait_for_ack(leg);
        self.run_session_timer(leg);
        Some(())
    }

    pub(super) fn wait_for_ack(&mut self, leg: Leg) {
        let (t1, patience) = (self.t1(), self.patience());
        self.start(Wake::Leg(leg, LegTimer::RepeatSuccess), t1);
        self.start(Wake::Leg(leg, LegTimer::AckDeadline), patience);
    }

    /// `Command::Reject`.
    pub(super) fn reject(&mut self, leg: Leg, status: u16, retry_after_s: Option<u32>) -> Option<()> {
        let transaction = self.sessions.get_mut(&leg).and_then(Session::incoming)?.transaction;
        let status = if (300..700).contains(&status) { status } else { 500 };
        let headers = retry_after_s.map(|seconds| ("Retry-After", seconds.to_string()));
        self.respond(transaction, status, Reply::with(headers));
        self.end(leg, Ended { side: Side::Local, why: Why::Rejected { status }, q850: None });
        self.remove(leg);
        Some(())
    }

    /// A CANCEL found its INVITE without a final response (RFC 3261 §9.2).
    pub(super) fn cancelled(&mut self, leg: Leg, invite: ServerId, cancel: &Request) {
        self.respond(invite, 487, Reply::default());
        match self.sessions.get_mut(&leg).map(|session| &mut session.phase) {
            Some(Phase::Incoming(_)) => {
                self.end(leg, Ended { side: Side::Peer, why: Why::Cancel, q850: q850(cancel) });
                self.remove(leg);
            }
            Some(Phase::Established(established)) => {
                // a re-INVITE taken back: the call stays as it was (§14.2)
                established.theirs = established.theirs.filter(|theirs| theirs.transaction != invite);
                self.timers.stop(Wake::Leg(leg, LegTimer::OfferDeadline));
                self.offer_what_is_wanted(leg);
            }
            Some(Phase::Outgoing(_)) | None => {}
        }
    }

    pub(super) fn receive_ack(&mut self, ack: &Request) {
        let leg = dialog_id(ack).and_then(|id| self.leg_of(&id));
        let cseq = ack.headers.cseq().map_or(0, |cseq| cseq.number);
        let Some(leg) = leg else { return self.count("stray_ack") };
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        let Some(done) = established.unacknowledged.take_if(|waiting| waiting.cseq == cseq) else { return };
        self.trace(Some(leg), false, "ACK".to_owned());
        let answer = session_description(&ack.headers, &ack.body).ok().flatten().filter(|_| done.offers);
        self.acknowledged(leg, &done, answer);
    }

    pub(super) fn acknowledged(&mut self, leg: Leg, done: &Unacknowledged, answer: Option<Vec<u8>>) {
        self.timers.stop(Wake::Leg(leg, LegTimer::RepeatSuccess));
        self.timers.stop(Wake::Leg(leg, LegTimer::AckDeadline));
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        if let Some(reason) = session.established().and_then(|established| established.farewell.take()) {
            self.say_bye(leg, reason.as_ref());
            return self.remove(leg);
        }
        match answer {
            answer if done.first => self.emit(Event::Answered { leg, answer }),
            Some(sdp) => self.emit(Event::OfferAnswered { leg, sdp }),
            None => {}
        }
        self.offer_what_is_wanted(leg);
    }

    pub(super) fn repeat_success(&mut self, leg: Leg) {
        let t2 = self.timing(crate::sip::message::Transport::Udp).t2;
        let Some(waiting) =
            self.sessions.get_mut(&leg).and_then(Session::established).and_then(|one| one.unacknowledged.as_mut())
        else {
            return;
        };
        // §13.3.1.4: from T1, doubling up to T2, whatever the transport
        waiting.repeat = (waiting.repeat * 2).min(t2);
        let (transaction, response, repeat) = (waiting.transaction, waiting.response.clone(), waiting.repeat);
        self.respond_with(transaction, 200, response);
        self.start(Wake::Leg(leg, LegTimer::RepeatSuccess), repeat);
    }

    /// §13.3.1.4: no ACK within 64*T1, so the session ends with a BYE.
    pub(super) fn ack_deadline(&mut self, leg: Leg) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        established.unacknowledged = None;
        let reason = established.farewell.take().flatten();
        let ended = Ended { side: Side::Network, why: Why::NoAck, q850: None };
        self.end_with_bye(leg, ended, reason.as_ref());
    }

    /// The connection of an INVITE is gone before its answer.
    pub(super) fn leg_transport_failed(&mut self, leg: Leg, transaction: ServerId) {
        let first =
            self.sessions.get_mut(&leg).and_then(Session::incoming).is_some_and(|one| one.transaction == transaction);
        if first {
            self.end(leg, Ended { side: Side::Network, why: Why::TransportFailed, q850: None });
            self.remove(leg);
        }
    }

    /// Commands to an incoming leg that has no final response.
    pub(super) fn provisional(&mut self, leg: Leg, status: u16, sdp: Option<Vec<u8>>) -> Option<()> {
        const QUEUE: usize = 8;
        let incoming = self.sessions.get_mut(&leg).and_then(Session::incoming)?;
        if incoming.answer.is_some() {
            return None;
        }
        let provisional = Provisional { status, sdp };
        if incoming.reliable.as_ref().is_some_and(rel100::Sender::is_waiting) {
            if incoming.queued.len() < QUEUE {
                incoming.queued.push_back(provisional);
            }
            return Some(());
        }
        self.send_provisional(leg, provisional)
    }
}

/// Session-Expires, Require and Supported of a 2xx.
pub(super) fn timer_headers(agreed: Option<Agreed>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("Supported", SUPPORTED.to_owned())];
    if let Some(agreed) = agreed {
        headers.push(("Session-Expires", format!("{};refresher={}", agreed.timer.seconds, agreed.refresher.token())));
        if agreed.required {
            headers.push(("Require", "timer".to_owned()));
        }
    }
    headers
}

/// The Q.850 cause of a Reason header (RFC 3326).
pub(super) fn q850_of(headers: &impl Fields) -> Option<u8> {
    headers.elements("Reason").filter_map(|text| ReasonValue::parse(text).ok()).find_map(|reason| reason.q850())
}

pub(super) fn q850(request: &Request) -> Option<u8> {
    q850_of(&request.headers)
}

pub(super) fn uri_of(text: &str) -> Option<Uri> {
    NameAddr::parse(text).ok().map(|address| address.uri())
}

/// A peer from before RFC 3261, whose INVITE needed no Contact: its From is where requests to it go (RFC 2543,
/// RFC 4475 §3.4.1).
fn is_rfc_2543(request: &Request) -> bool {
    request.headers.via().is_some_and(|via| via.magic_branch().is_none())
}

fn facts(hop: Hop, request: &Request, offer: Option<Vec<u8>>) -> IncomingInvite {
    let headers = &request.headers;
    let user = |name: &str| {
        headers.elements(name).filter_map(|text| NameAddr::parse(text).ok()).find_map(|one| one.uri().subscriber())
    };
    let from = headers.from_header();
    let anonymous = from.is_some_and(|from| {
        let uri = from.uri();
        let user = uri.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
        user || uri.host().is_some_and(|host| host.to_string().eq_ignore_ascii_case("anonymous.invalid"))
    });
    let asked = headers
        .all("Privacy")
        .flat_map(|text| text.split([';', ',']))
        .any(|one| matches!(one.trim().to_ascii_lowercase().as_str(), "id" | "user" | "header"));
    IncomingInvite {
        hop,
        call_id: headers.call_id().unwrap_or("").to_owned(),
        request_user: request.uri.subscriber(),
        from_user: user("From"),
        asserted_user: user("P-Asserted-Identity"),
        privacy: anonymous || asked,
        called_party_user: user("P-Called-Party-ID"),
        diversion_user: user("Diversion"),
        to_user: user("To"),
        offer,
        user_agent: headers.find("User-Agent").map(str::to_owned),
    }
}
