//! One call's signalling: what is known of the dialog, and what is answered without asking the test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::media;
use super::phone::{Inner, State, token};
use super::sdp::{Description, Offer};
use super::sip::{Sip, address_of, uri_of};
use super::time::now;

/// How a call came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The other side sent BYE.
    ByPeer,
    /// We sent BYE.
    ByUs,
    /// The INVITE got this final status.
    Refused(u16),
}

/// What the phone does of itself in a dialog.
#[derive(Clone, Debug)]
pub struct Manners {
    /// ACK a 2xx.
    pub acknowledges: bool,
    /// PRACK a reliable provisional response.
    pub pracks: bool,
    /// Answer re-INVITE and UPDATE; when not, the test does it.
    pub answers_offers: bool,
    /// Challenge a BYE for credentials of this realm (401).
    pub challenges_bye: Option<String>,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners { acknowledges: true, pracks: true, answers_offers: true, challenges_bye: None }
    }
}

pub(super) struct Dialog {
    pub invite: Sip,
    pub user: String,
    pub caller: bool,
    /// From or To of ours, with our tag; and theirs.
    pub local: String,
    pub remote: String,
    pub target: String,
    pub routes: Vec<String>,
    pub hop: SocketAddr,
    pub cseq: u32,
    pub remote_cseq: u32,
    pub offer: Option<Offer>,
    pub manners: Manners,
    pub media: Arc<media::Shared>,
    pub version: u32,
    pub ack: Option<(Sip, SocketAddr)>,
    /// The INVITE's 2xx came (caller) or its ACK did (callee).
    pub answered: Option<Instant>,
    pub ended: Option<Ended>,
    pub description: Option<Description>,
    /// Requests of the other side inside the dialog.
    pub requests: Vec<Sip>,
    /// How often the 2xx was repeated.
    pub repeated_answers: u32,
    pub provisional: Vec<u16>,
}

impl Dialog {
    /// The address a request of this dialog goes to: the first route, else the target (RFC 3261 §12.2.1.1).
    pub fn next_hop(&self) -> SocketAddr {
        let uri = self.routes.first().map_or(self.target.as_str(), |route| uri_of(route));
        address_of(uri).unwrap_or(self.hop)
    }

    /// A request inside the dialog; its number is the next one, but the ACK's, which is the INVITE's.
    pub fn request(&mut self, inner: &Inner, method: &str, number: Option<u32>) -> Sip {
        let number = number.unwrap_or_else(|| {
            self.cseq += 1;
            self.cseq
        });
        let mut request = Sip::request(method, &self.target)
            .with("Via", inner.via(&token("z9hG4bK")))
            .with("Max-Forwards", "70")
            .with("From", self.local.clone())
            .with("To", self.remote.clone())
            .with("Call-ID", self.invite.call_id())
            .with("CSeq", format!("{number} {method}"));
        for route in &self.routes {
            request = request.with("Route", route.clone());
        }
        if ["INVITE", "UPDATE"].contains(&method) {
            request = request.with("Contact", inner.contact(&self.user));
        }
        request
    }

    /// The session description we would send now; its version grows each time.
    pub fn description_text(&mut self) -> String {
        self.version += 1;
        let offer = self.offer.clone().unwrap_or_default();
        offer.text(self.media.local, self.version)
    }
}

impl Inner {
    pub(super) fn on_invite_response(&self, state: &mut State, request: &Sip, response: &Sip) {
        let status = response.status().unwrap_or_default();
        if !state.dialogs.contains_key(request.call_id()) {
            if status >= 300 {
                self.acknowledge_refusal(state, request, response, None);
            }
            return;
        }
        match status {
            100..200 => self.on_provisional(state, request, response),
            200..300 => self.on_answer(state, request, response),
            _ => {
                let dialog = state.dialogs.get_mut(request.call_id()).expect("looked up above");
                if request.branch() == dialog.invite.branch() && dialog.answered.is_none() {
                    dialog.ended.get_or_insert(Ended::Refused(status));
                }
                let hop = dialog.hop;
                self.acknowledge_refusal(state, request, response, Some(hop));
            }
        }
    }

    fn on_provisional(&self, state: &mut State, request: &Sip, response: &Sip) {
        let dialog = state.dialogs.get_mut(request.call_id()).expect("the caller looked it up");
        dialog.provisional.push(response.status().unwrap_or_default());
        let reliable = response.list("Require").iter().any(|option| option == "100rel");
        let Some(number) = response.header("RSeq").filter(|_| reliable && dialog.manners.pracks) else { return };
        learn_peer(dialog, response);
        let prack = dialog
            .request(self, "PRACK", None)
            .with("RAck", format!("{number} {}", request.header("CSeq").unwrap_or_default()));
        if !response.body.is_empty() {
            take_description(dialog, response).into_iter().for_each(|fault| Inner::fault(state, fault));
        }
        let hop = state.dialogs[request.call_id()].next_hop();
        self.send_request_locked(state, &prack, hop, true);
    }

    fn on_answer(&self, state: &mut State, request: &Sip, response: &Sip) {
        let dialog = state.dialogs.get_mut(request.call_id()).expect("the caller looked it up");
        if let Some((ack, hop)) = dialog.ack.clone().filter(|(ack, _)| ack.cseq().0 == response.cseq().0) {
            dialog.repeated_answers += 1;
            Inner::note(state, format!("-> {} again", ack.step()));
            return self.send(&ack.bytes(), hop);
        }
        if dialog.answered.is_some() && request.branch() == dialog.invite.branch() {
            dialog.repeated_answers += 1;
            return;
        }
        let mut faults = learn_peer(dialog, response);
        let offerless = request.body.is_empty();
        if !response.body.is_empty() {
            faults.extend(take_description(dialog, response));
        } else {
            faults.extend(dialog.description.is_none().then(|| "a 2xx to INVITE without SDP".into()));
        }
        dialog.answered.get_or_insert_with(now);
        if dialog.manners.acknowledges {
            let ack = self.acknowledge(state, request, offerless);
            self.send_request_locked(state, &ack.0, ack.1, false);
        }
        faults.into_iter().for_each(|fault| Inner::fault(state, fault));
    }

    /// The ACK of a 2xx: a request of its own along the route set, with the answer when the 2xx held the offer.
    pub(super) fn acknowledge(&self, state: &mut State, request: &Sip, with_answer: bool) -> (Sip, SocketAddr) {
        let dialog = state.dialogs.get_mut(request.call_id()).expect("a dialog of ours");
        let mut ack = dialog.request(self, "ACK", Some(request.cseq().0));
        if with_answer {
            let offer = dialog.offer.get_or_insert_default();
            if let Some(law) = dialog.description.as_ref().and_then(Description::law) {
                offer.codecs = vec![law.payload()];
            }
            ack = ack.with_body("application/sdp", dialog.description_text());
        }
        let ack = (ack, dialog.next_hop());
        dialog.ack = Some(ack.clone());
        ack
    }

    /// The ACK of another final response belongs to the INVITE's transaction (RFC 3261 §17.1.1.3).
    fn acknowledge_refusal(&self, state: &mut State, request: &Sip, response: &Sip, hop: Option<SocketAddr>) {
        let Some(hop) = hop.or_else(|| address_of(request.uri())) else { return };
        let mut ack = Sip::request("ACK", request.uri())
            .with("Via", request.list("Via")[0].clone())
            .with("Max-Forwards", "70")
            .with("From", request.header("From").unwrap_or_default())
            .with("To", response.header("To").unwrap_or_default())
            .with("Call-ID", request.call_id())
            .with("CSeq", format!("{} ACK", request.cseq().0));
        for route in request.list("Route") {
            ack = ack.with("Route", route);
        }
        Inner::note(state, format!("-> {}", ack.step()));
        self.send(&ack.bytes(), hop);
    }

    pub(super) fn on_dialog_request(&self, state: &mut State, request: &Sip, source: SocketAddr) {
        let dialog = state.dialogs.get_mut(request.call_id()).expect("the caller looked it up");
        let (number, method) = request.cseq();
        let mut faults = Vec::new();
        if request.tag("To") != Sip::parse_tag(&dialog.local) || request.tag("From") != Sip::parse_tag(&dialog.remote) {
            faults.push(format!("{}: tags of another dialog", request.step()));
        }
        if uri_of(&self.contact(&dialog.user)) != request.uri() {
            faults.push(format!("{}: Request-URI {} is not our Contact", request.step(), request.uri()));
        }
        if method != "ACK" && number <= dialog.remote_cseq {
            faults.push(format!("{}: CSeq does not grow", request.step()));
        }
        dialog.remote_cseq = dialog.remote_cseq.max(number);
        dialog.requests.push(request.clone());
        let answer = match method {
            "ACK" => {
                dialog.answered.get_or_insert_with(now);
                if !request.body.is_empty() {
                    faults.extend(take_description(dialog, request));
                }
                let branch = dialog.invite.branch();
                Inner::acknowledged(state, &branch);
                None
            }
            "BYE" => {
                dialog.ended.get_or_insert(Ended::ByPeer);
                Some(match &dialog.manners.challenges_bye {
                    Some(realm) => challenge(request, realm),
                    None => Sip::response(request, 200, "OK", ""),
                })
            }
            "INVITE" | "UPDATE" if dialog.manners.answers_offers => {
                Some(self.answer_offer(dialog, request, &mut faults))
            }
            "INVITE" | "UPDATE" => None,
            _ => Some(Sip::response(request, 200, "OK", "")),
        };
        if let Some(answer) = answer {
            self.respond(state, request, &answer, source);
            if method == "INVITE" {
                let dialog = state.dialogs.get_mut(request.call_id()).expect("still there");
                dialog.invite = if dialog.caller { dialog.invite.clone() } else { request.clone() };
            }
        }
        faults.into_iter().for_each(|fault| Inner::fault(state, fault));
    }

    fn answer_offer(&self, dialog: &mut Dialog, request: &Sip, faults: &mut Vec<String>) -> Sip {
        let mut answer = Sip::response(request, 200, "OK", "").with("Contact", self.contact(&dialog.user));
        if let Some(expires) = request.header("Session-Expires") {
            answer = answer.with("Session-Expires", expires).with("Require", "timer");
        }
        if let Some(contact) = request.list("Contact").first() {
            dialog.target = uri_of(contact).to_owned();
        }
        if !request.body.is_empty() {
            match Description::parse(&request.body) {
                Ok(description) => {
                    dialog.media.connect(&description);
                    dialog.offer.get_or_insert_default().direction = description.mirrored();
                    dialog.description = Some(description);
                }
                Err(fault) => faults.push(format!("{}: {fault}", request.step())),
            }
        }
        if request.method() == Some("INVITE") || !request.body.is_empty() {
            answer = answer.with_body("application/sdp", dialog.description_text());
        }
        answer
    }
}

impl Sip {
    fn parse_tag(value: &str) -> Option<String> {
        super::sip::parameter(value, "tag")
    }
}

/// 401 to a request: whoever has credentials for the realm may try again with them.
pub fn challenge(request: &Sip, realm: &str) -> Sip {
    Sip::response(request, 401, "Unauthorized", &token("c"))
        .with("WWW-Authenticate", format!("Digest realm=\"{realm}\", nonce=\"{}\", algorithm=MD5", token("n")))
}

/// Takes tag, target and route set from a response that makes a dialog (RFC 3261 §12.1.2).
fn learn_peer(dialog: &mut Dialog, response: &Sip) -> Vec<String> {
    let mut faults = Vec::new();
    dialog.remote = response.header("To").unwrap_or_default().to_owned();
    if let Some(contact) = response.list("Contact").first() {
        dialog.target = uri_of(contact).to_owned();
        if !dialog.target.starts_with("sip:") {
            faults.push(format!("{}: Contact {contact}", response.step()));
        }
    }
    if dialog.answered.is_none() {
        dialog.routes = response.list("Record-Route").into_iter().rev().collect();
    }
    faults
}

fn take_description(dialog: &mut Dialog, message: &Sip) -> Vec<String> {
    if message.header("Content-Type") != Some("application/sdp") {
        return vec![format!("{}: a body of type {:?}", message.step(), message.header("Content-Type"))];
    }
    match Description::parse(&message.body) {
        Ok(description) => {
            let unfit = dialog.offer.as_ref().map_or(Ok(()), |offer| description.check_answer(offer));
            dialog.media.connect(&description);
            dialog.description = Some(description);
            unfit.err().map(|fault| format!("{}: {fault}", message.step())).into_iter().collect()
        }
        Err(fault) => vec![format!("{}: {fault}", message.step())],
    }
}
