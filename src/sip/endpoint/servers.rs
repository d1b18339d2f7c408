//! Requests of peers: their transactions and our responses.

use std::collections::HashMap;

use super::command::Leg;
use super::identity::ALLOW;
use super::{Endpoint, Wake};
use crate::sip::message::{Headers, Hop, Method, Request, Response, StatusCode};
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::{Action, Server, ServerInvite, Timer, Timing, server, server_invite};
use crate::sip::wire::emit;
use crate::sip::wire::fields::Fields;
use crate::sip::wire::header;

use super::clients::line;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(u64);

/// A request outside every dialog as a fork sees it: From tag, Call-ID and CSeq (RFC 3261 §8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MergeKey {
    pub call_id: String,
    pub from_tag: String,
    pub cseq: u32,
    pub method: Method,
}

#[derive(Debug)]
pub(super) struct ServerTransaction {
    machine: Machine,
    key: ServerKey,
    timing: Timing,
    /// Where responses go (RFC 3261 §18.2.2).
    pub hop: Hop,
    /// Without its body.
    pub request: Request,
    pub tag: String,
    pub leg: Option<Leg>,
    merge: Option<MergeKey>,
}

#[derive(Debug)]
enum Machine {
    Invite(ServerInvite),
    Other(Server),
}

#[derive(Debug, Default)]
pub(super) struct Servers {
    next: u64,
    transactions: HashMap<ServerId, ServerTransaction>,
    by_key: HashMap<ServerKey, ServerId>,
    merged: HashMap<MergeKey, ServerId>,
}

impl Servers {
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    pub fn get(&self, id: ServerId) -> Option<&ServerTransaction> {
        self.transactions.get(&id)
    }

    pub fn get_mut(&mut self, id: ServerId) -> Option<&mut ServerTransaction> {
        self.transactions.get_mut(&id)
    }

    pub fn find(&self, key: &ServerKey) -> Option<ServerId> {
        self.by_key.get(key).copied()
    }

    pub fn is_merged(&self, key: &MergeKey) -> bool {
        self.merged.contains_key(key)
    }
}

/// What a response says beside its status.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub headers: Vec<(&'static str, String)>,
    /// `application/sdp`
    pub sdp: Option<Vec<u8>>,
}

impl Reply {
    pub fn with(headers: impl IntoIterator<Item = (&'static str, String)>) -> Reply {
        Reply { headers: headers.into_iter().collect(), sdp: None }
    }
}

impl Endpoint {
    pub(super) fn start_server(
        &mut self,
        request: &Request,
        key: ServerKey,
        hop: Hop,
        merge: Option<MergeKey>,
    ) -> ServerId {
        let machine = match request.method {
            Method::Invite => Machine::Invite(ServerInvite::start()),
            _ => Machine::Other(Server::Trying),
        };
        let request = Request {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            body: Vec::new(),
        };
        let tag = self.tag_for(&request);
        let servers = &mut self.servers;
        servers.next += 1;
        let id = ServerId(servers.next);
        servers.by_key.insert(key.clone(), id);
        if let Some(merge) = &merge {
            servers.merged.insert(merge.clone(), id);
        }
        let timing = self.timing(hop.transport);
        let transaction = ServerTransaction { machine, key, timing, hop, request, tag, leg: None, merge };
        self.servers.transactions.insert(id, transaction);
        id
    }

    /// Makes a transaction one of a leg, and the request a line of its trace.
    pub(super) fn adopt(&mut self, id: ServerId, leg: Leg) {
        let Some(transaction) = self.servers.get_mut(id) else { return };
        transaction.leg = Some(leg);
        let line = transaction.request.method.to_string();
        self.trace(Some(leg), false, line);
    }

    /// Answers a request. A second final answer does nothing.
    pub(super) fn respond(&mut self, id: ServerId, status: u16, reply: Reply) {
        let Some(bytes) = self.prepare(id, status, reply) else { return };
        self.respond_with(id, status, bytes);
    }

    /// The bytes of an answer, to be sent now and perhaps again.
    pub(super) fn prepare(&mut self, id: ServerId, status: u16, reply: Reply) -> Option<Vec<u8>> {
        let transaction = self.servers.get(id)?;
        let (leg, hop) = (transaction.leg, transaction.hop);
        let mut response = response(&transaction.request, &transaction.tag, status);
        let invites = matches!(transaction.machine, Machine::Invite(_));
        if invites && (101..300).contains(&status) || transaction.request.method == Method::Update && status < 300 {
            response.headers.add("Contact", self.contact(hop, None));
            response.headers.add("Allow", ALLOW);
        }
        for (name, value) in reply.headers {
            response.headers.add(name, value);
        }
        response.headers.add("Server", self.config.user_agent.clone());
        if let Some(sdp) = reply.sdp {
            response.headers.add("Content-Type", "application/sdp");
            response.body = sdp;
        }
        self.trace(leg, true, line(&response));
        Some(emit::response(&response))
    }

    pub(super) fn respond_with(&mut self, id: ServerId, status: u16, bytes: Vec<u8>) {
        let repeat = bytes.clone();
        self.step_server(
            id,
            match status {
                100..200 => server_invite::Input::Provisional(bytes),
                200..300 => server_invite::Input::Success(bytes),
                _ => server_invite::Input::Failure(bytes),
            },
            server::Input::Final(repeat),
        );
    }

    /// An answer without a transaction (RFC 3261 §8.2.7).
    pub(super) fn respond_statelessly(&mut self, request: &Request, hop: Hop, status: u16, reply: Reply) {
        let mut response = response(request, &self.tag_for(request), status);
        for (name, value) in reply.headers {
            response.headers.add(name, value);
        }
        response.headers.add("Server", self.config.user_agent.clone());
        self.transmit(hop, emit::response(&response));
    }

    /// The request again: its last response again.
    pub(super) fn request_again(&mut self, id: ServerId) {
        self.step_server(id, server_invite::Input::Request, server::Input::Request);
    }

    /// An ACK that matches the INVITE's transaction. Returns whether it answers a 2xx, which is the core's affair.
    pub(super) fn ack_again(&mut self, id: ServerId) -> bool {
        let accepted =
            self.servers.get(id).is_some_and(|one| matches!(one.machine, Machine::Invite(ServerInvite::Accepted)));
        self.step_server(id, server_invite::Input::Ack, server::Input::Request);
        accepted
    }

    pub(super) fn is_unanswered(&self, id: ServerId) -> bool {
        self.servers.get(id).is_some_and(|one| match &one.machine {
            Machine::Invite(machine) => machine.is_proceeding(),
            Machine::Other(machine) => *machine == Server::Trying,
        })
    }

    pub(super) fn server_timer(&mut self, id: ServerId, timer: Timer) {
        self.step_server(id, server_invite::Input::Expired(timer), server::Input::Expired(timer));
    }

    /// A response can't go back over a connection that is gone. Over UDP the peer repeats its request, and the same
    /// response may get through.
    pub(super) fn server_transport_failed(&mut self, hop: Hop) {
        if !hop.transport.is_reliable() {
            return;
        }
        let mut over: Vec<_> = self
            .servers
            .transactions
            .iter()
            .filter(|(_, one)| one.hop == hop)
            .map(|(id, one)| (*id, one.leg))
            .collect();
        over.sort_unstable();
        for (id, leg) in over {
            let unanswered = self.is_unanswered(id);
            self.step_server(id, server_invite::Input::TransportFailed, server::Input::TransportFailed);
            if let Some(leg) = leg.filter(|_| unanswered) {
                self.leg_transport_failed(leg, id);
            }
        }
    }

    fn step_server(&mut self, id: ServerId, invite: server_invite::Input, other: server::Input) {
        let Some(transaction) = self.servers.get_mut(id) else { return };
        let (timing, hop) = (transaction.timing, transaction.hop);
        let mut actions = Vec::new();
        let terminated = match &mut transaction.machine {
            Machine::Invite(machine) => {
                let state = std::mem::replace(machine, ServerInvite::Terminated);
                *machine = state.handle(invite, &timing, &mut actions);
                machine.is_terminated()
            }
            Machine::Other(machine) => {
                let state = std::mem::replace(machine, Server::Terminated);
                *machine = state.handle(other, &timing, &mut actions);
                machine.is_terminated()
            }
        };
        for action in actions {
            match action {
                Action::Transmit(bytes) => self.transmit(hop, bytes),
                Action::Start(timer, after) => self.start(Wake::Server(id, timer), after),
                Action::Stop(timer) => self.timers.stop(Wake::Server(id, timer)),
                Action::TimedOut => self.count("ack_missing"),
                Action::Deliver | Action::TransportFailed => {}
            }
        }
        if terminated {
            self.forget_server(id);
        }
    }

    fn forget_server(&mut self, id: ServerId) {
        let Some(transaction) = self.servers.transactions.remove(&id) else { return };
        self.servers.by_key.remove(&transaction.key);
        if let Some(merge) = &transaction.merge {
            self.servers.merged.remove(merge);
        }
        for timer in Timer::ALL {
            self.timers.stop(Wake::Server(id, timer));
        }
    }
}

/// What every response repeats of its request (RFC 3261 §8.2.6.2), with our tag in To.
fn response(request: &Request, tag: &str, status: u16) -> Response {
    let from = &request.headers;
    let mut headers = Vec::with_capacity(16);
    headers.extend(from.all("Via").map(|via| header::make("Via", via)));
    if (101..300).contains(&status) && request.method == Method::Invite {
        headers.extend(from.all("Record-Route").map(|route| header::make("Record-Route", route)));
    }
    headers.extend(from.find("From").map(|value| header::make("From", value)));
    headers.extend(from.find("To").map(|to| header::make("To", tagged(from, to, tag, status))));
    headers.extend(from.call_id().map(|value| header::make("Call-ID", value)));
    headers.extend(from.find("CSeq").map(|value| header::make("CSeq", value)));
    if status == 100 {
        headers.extend(from.find("Timestamp").map(|value| header::make("Timestamp", value)));
    }
    Response { status: StatusCode::from(status), reason: String::new(), headers: headers.into(), body: Vec::new() }
}

fn tagged(request: &Headers, to: &str, tag: &str, status: u16) -> String {
    // §8.2.6.2: 100 may go without a tag
    if status == 100 || request.to_tag().is_some() { to.to_owned() } else { format!("{to};tag={tag}") }
}
