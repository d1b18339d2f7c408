//! Our requests: their transactions, and what comes of them.

use std::collections::HashMap;

use super::cancel::{Cancel, repeating};
use super::command::Leg;
use super::{Endpoint, Wake};
use crate::sip::auth::Digest;
use crate::sip::message::{Hop, Method, Request, Response, Transport};
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::{Action, Client, ClientInvite, Timer, Timing, client, client_invite};
use crate::sip::wire::emit;
use crate::sip::wire::fields::Fields;
use crate::sip::wire::phrase::phrase;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(u64);

/// Who waits for the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// The first INVITE of an outgoing leg.
    Invite,
    /// A re-INVITE or UPDATE inside a call.
    Offer,
    Prack,
    /// An INFO: only the loss of the dialog matters.
    Digit,
    /// A BYE: nobody waits, but a challenge is answered.
    Farewell,
    /// A CANCEL: nobody waits.
    Cancel,
    Register(u32),
    Options(u32),
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Response(Response),
    TimedOut,
    TransportFailed,
}

/// A request to be sent, without Via.
#[derive(Debug)]
pub(super) struct Outbound {
    pub request: Request,
    pub hop: Hop,
    pub user: User,
    pub leg: Option<Leg>,
    /// Where the leg's session doesn't keep it: for a BYE that outlives it.
    pub digest: Option<Box<Digest>>,
}

#[derive(Debug)]
pub(super) struct ClientTransaction {
    pub(super) machine: Machine,
    pub(super) key: ClientKey,
    timing: Timing,
    pub hop: Hop,
    pub request: Request,
    pub user: User,
    pub leg: Option<Leg>,
    pub(super) digest: Option<Box<Digest>>,
    /// Went by TCP for its size: where it goes when nobody listens there (RFC 3261 §18.1.1).
    pub(super) datagram_hop: Option<Hop>,
    pub(super) cancel: Cancel,
    /// The ACKs to the 2xx of an INVITE, by the peer's tag.
    pub acknowledged: Vec<Acknowledged>,
}

#[derive(Debug)]
pub(super) struct Acknowledged {
    pub tag: String,
    pub hop: Hop,
    pub ack: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum Machine {
    Invite(ClientInvite),
    Other(Client),
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    next: u64,
    transactions: HashMap<ClientId, ClientTransaction>,
    by_key: HashMap<ClientKey, ClientId>,
}

impl Clients {
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    pub fn get(&self, id: ClientId) -> Option<&ClientTransaction> {
        self.transactions.get(&id)
    }

    pub fn get_mut(&mut self, id: ClientId) -> Option<&mut ClientTransaction> {
        self.transactions.get_mut(&id)
    }

    pub fn find(&self, key: &ClientKey) -> Option<ClientId> {
        self.by_key.get(key).copied()
    }

    fn insert(&mut self, transaction: ClientTransaction) -> ClientId {
        self.next += 1;
        let id = ClientId(self.next);
        self.by_key.insert(transaction.key.clone(), id);
        self.transactions.insert(id, transaction);
        id
    }

    fn over(&self, hop: Hop) -> Vec<ClientId> {
        let mut over: Vec<_> = self.transactions.iter().filter(|(_, one)| one.hop == hop).map(|(id, _)| *id).collect();
        over.sort_unstable();
        over
    }
}

/// Requests from this size on go by TCP (RFC 3261 §18.1.1).
const LARGE: usize = 1_300;
/// What Via and Contact add to a request.
const OUR_ADDRESSES: usize = 200;

impl Endpoint {
    /// Sends a request in a transaction of its own, with Via, Contact and User-Agent.
    pub(super) fn send(&mut self, outbound: Outbound) -> ClientId {
        let Outbound { mut request, hop, user, leg, mut digest } = outbound;
        let mut datagram_hop = None;
        let mut way = hop;
        if hop.transport == Transport::Udp && self.config.large_requests_by_tcp && wants_tcp(&request) {
            datagram_hop = Some(hop);
            way.transport = Transport::Tcp;
        }
        let branch = self.new_branch();
        request.headers.add_first("Via", self.via(way, &branch));
        let refreshes = matches!(request.method, Method::Invite | Method::Update | Method::Options);
        if refreshes {
            request.headers.put("Contact", self.contact(way, None));
        }
        request.headers.put("User-Agent", self.config.user_agent.clone());
        if let Some(digest) = digest.as_deref_mut().or_else(|| self.digest_of(leg)) {
            digest.authorize(&mut request);
        }
        self.trace(leg, true, request.method.to_string());
        let id = self.start_client(request, branch, way, user, leg);
        if let Some(transaction) = self.clients.get_mut(id) {
            transaction.digest = digest;
            transaction.datagram_hop = datagram_hop;
        }
        id
    }

    pub(super) fn start_client(
        &mut self,
        request: Request,
        branch: String,
        hop: Hop,
        user: User,
        leg: Option<Leg>,
    ) -> ClientId {
        let timing = self.timing(hop.transport);
        let bytes = emit::request(&request);
        let mut actions = Vec::new();
        let machine = match request.method {
            Method::Invite => Machine::Invite(ClientInvite::start(bytes, &timing, &mut actions)),
            _ => Machine::Other(Client::start(bytes, &timing, &mut actions)),
        };
        let id = self.clients.insert(ClientTransaction {
            machine,
            key: ClientKey { branch, method: request.method.clone() },
            timing,
            hop,
            request,
            user,
            leg,
            digest: None,
            datagram_hop: None,
            cancel: Cancel::No,
            acknowledged: Vec::new(),
        });
        self.client_actions(id, actions, None);
        id
    }

    pub(super) fn receive_response(&mut self, response: Response) {
        // §8.1.3.3: a response with a second Via is not for us
        let mut vias = response.headers.vias();
        let branch = vias.next().and_then(|via| via.branch().map(str::to_owned));
        let single = vias.next().is_none();
        drop(vias);
        let key = branch.zip(response.headers.cseq()).map(|(branch, cseq)| ClientKey { branch, method: cseq.method });
        let Some(id) = key.filter(|_| single).and_then(|key| self.clients.find(&key)) else {
            self.count("stray_response");
            return;
        };
        self.client_response(id, response);
    }

    fn client_response(&mut self, id: ClientId, response: Response) {
        let Some(transaction) = self.clients.get(id) else { return };
        let status = response.status.code();
        if let Machine::Invite(_) = transaction.machine
            && (200..300).contains(&status)
            && let Some(known) =
                transaction.acknowledged.iter().find(|one| response.headers.to_tag().unwrap_or("") == one.tag)
        {
            // §13.2.2.4: the 2xx again, so the ACK again
            let (hop, ack) = (known.hop, known.ack.clone());
            self.transmit(hop, ack);
            return;
        }
        let ack =
            matches!(transaction.machine, Machine::Invite(_)).then(|| ack_to_failure(&transaction.request, &response));
        let mut actions = Vec::new();
        self.step_client(
            id,
            |ack| match status {
                100..200 => client_invite::Input::Provisional,
                200..300 => client_invite::Input::Success,
                _ => client_invite::Input::Failure { ack },
            },
            if status < 200 { client::Input::Provisional } else { client::Input::Final },
            ack.unwrap_or_default(),
            &mut actions,
        );
        self.client_actions(id, actions, Some(response));
    }

    pub(super) fn client_timer(&mut self, id: ClientId, timer: Timer) {
        let mut actions = Vec::new();
        self.step_client(
            id,
            |_| client_invite::Input::Expired(timer),
            client::Input::Expired(timer),
            Vec::new(),
            &mut actions,
        );
        self.client_actions(id, actions, None);
    }

    /// Every request that waits for an answer over this hop has failed (RFC 3261 §17.1.4).
    pub(super) fn transport_failed(&mut self, hop: Hop) {
        for id in self.clients.over(hop) {
            let mut actions = Vec::new();
            self.step_client(
                id,
                |_| client_invite::Input::TransportFailed,
                client::Input::TransportFailed,
                Vec::new(),
                &mut actions,
            );
            self.client_actions(id, actions, None);
        }
        self.server_transport_failed(hop);
    }

    pub(super) fn step_client(
        &mut self,
        id: ClientId,
        invite: impl FnOnce(Vec<u8>) -> client_invite::Input,
        other: client::Input,
        ack: Vec<u8>,
        actions: &mut Vec<Action>,
    ) {
        let Some(transaction) = self.clients.get_mut(id) else { return };
        let timing = transaction.timing;
        match &mut transaction.machine {
            Machine::Invite(machine) => {
                let state = std::mem::replace(machine, ClientInvite::Terminated);
                *machine = state.handle(invite(ack), &timing, actions);
            }
            Machine::Other(machine) => {
                let state = std::mem::replace(machine, Client::Terminated);
                *machine = state.handle(other, &timing, actions);
            }
        }
    }

    fn client_actions(&mut self, id: ClientId, actions: Vec<Action>, mut response: Option<Response>) {
        let Some(hop) = self.clients.get(id).map(|one| one.hop) else { return };
        let mut outcome = None;
        for action in actions {
            match action {
                Action::Transmit(bytes) => self.transmit(hop, bytes),
                Action::Start(timer, after) => self.start(Wake::Client(id, timer), after),
                Action::Stop(timer) => self.timers.stop(Wake::Client(id, timer)),
                Action::Deliver => outcome = response.take().map(Outcome::Response),
                Action::TimedOut => outcome = Some(Outcome::TimedOut),
                Action::TransportFailed => outcome = Some(Outcome::TransportFailed),
            }
        }
        if let Some(outcome) = outcome {
            self.client_outcome(id, outcome);
        }
        self.forget_client_if_terminated(id);
    }

    pub(super) fn forget_client_if_terminated(&mut self, id: ClientId) {
        let Some(transaction) = self.clients.get(id) else { return };
        let terminated = match &transaction.machine {
            Machine::Invite(machine) => machine.is_terminated(),
            Machine::Other(machine) => machine.is_terminated(),
        };
        if !terminated {
            return;
        }
        self.clients.by_key.remove(&transaction.key.clone());
        self.clients.transactions.remove(&id);
        self.timers.stop(Wake::GiveUp(id));
        for timer in Timer::ALL {
            self.timers.stop(Wake::Client(id, timer));
        }
    }

    fn client_outcome(&mut self, id: ClientId, outcome: Outcome) {
        let Some(transaction) = self.clients.get(id) else { return };
        let (user, leg, invites) =
            (transaction.user, transaction.leg, matches!(transaction.machine, Machine::Invite(_)));
        if let Outcome::Response(response) = &outcome {
            let line = line(response);
            self.trace(leg, false, line);
            let status = response.status.code();
            if invites && status < 200 {
                self.cancel_if_wanted(id);
            } else {
                self.timers.stop(Wake::GiveUp(id));
            }
            if matches!(status, 401 | 407) && self.answer_challenge(id, response).is_some() {
                return;
            }
        }
        if matches!(outcome, Outcome::TransportFailed) && self.resend_another_way(id).is_some() {
            return;
        }
        match user {
            User::Invite => self.invite_outcome(leg, id, outcome),
            User::Offer => self.offer_outcome(leg, id, outcome),
            User::Digit => self.digit_outcome(leg, &outcome),
            User::Prack | User::Farewell | User::Cancel => {}
            User::Register(trunk) => self.register_outcome(trunk, &outcome),
            User::Options(trunk) => self.options_outcome(trunk, &outcome),
        }
    }
}

fn wants_tcp(request: &Request) -> bool {
    let by_udp = request.uri.param("transport").is_some_and(|transport| transport.eq_ignore_ascii_case("udp"));
    !by_udp && emit::request(request).len() + OUR_ADDRESSES > LARGE
}

/// `200 OK (INVITE)`.
pub(super) fn line(response: &Response) -> String {
    let method = response.headers.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default();
    let status = response.status.code();
    format!("{status} {} ({method})", phrase(status))
}

fn ack_to_failure(invite: &Request, response: &Response) -> Vec<u8> {
    let mut ack = repeating(invite, Method::Ack);
    if let Some(to) = response.headers.find("To") {
        ack.headers.put("To", to);
    }
    emit::request(&ack)
}
