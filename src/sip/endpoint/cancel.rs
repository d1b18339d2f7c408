//! CANCEL of our own INVITEs (RFC 3261 §9.1), and the messages that repeat an INVITE's headers.

use super::clients::{ClientId, Machine, Outcome, User};
use super::command::Reason;
use super::{Endpoint, Wake};
use crate::sip::message::{Method, Request};
use crate::sip::transaction::{ClientInvite, client, client_invite};
use crate::sip::wire::fields::Fields;
use crate::sip::wire::header;
use crate::sip::wire::phrase::phrase;
use crate::sip::wire::value::CSeq;

/// CANCEL waits for a provisional response (RFC 3261 §9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    Wanted(Option<Reason>),
    Sent,
}

impl Endpoint {
    /// Cancels an INVITE: at once after a provisional response, else when one comes (RFC 3261 §9.1).
    pub(super) fn cancel(&mut self, id: ClientId, reason: Option<Reason>) {
        let Some(transaction) = self.clients.get_mut(id) else { return };
        if transaction.cancel != Cancel::No {
            return;
        }
        match &transaction.machine {
            Machine::Invite(ClientInvite::Calling { .. }) => transaction.cancel = Cancel::Wanted(reason),
            Machine::Invite(ClientInvite::Proceeding) => self.send_cancel(id, reason),
            Machine::Invite(_) | Machine::Other(_) => {}
        }
    }

    pub(super) fn cancel_if_wanted(&mut self, id: ClientId) {
        let Some(transaction) = self.clients.get(id) else { return };
        if let Cancel::Wanted(reason) = transaction.cancel.clone() {
            self.send_cancel(id, reason);
        }
    }

    fn send_cancel(&mut self, id: ClientId, reason: Option<Reason>) {
        let Some(transaction) = self.clients.get_mut(id) else { return };
        transaction.cancel = Cancel::Sent;
        let (hop, leg, branch) = (transaction.hop, transaction.leg, transaction.key.branch.clone());
        let mut request = repeating(&transaction.request, Method::Cancel);
        if let Some(reason) = reason {
            request.headers.add("Reason", reason_value(&reason));
        }
        self.trace(leg, true, "CANCEL".to_owned());
        self.start_client(request, branch, hop, User::Cancel, leg);
        let patience = self.patience();
        self.start(Wake::GiveUp(id), patience);
    }

    /// The first time: it rang for long enough, CANCEL. The second: the CANCEL was of no use (RFC 3261 §9.1).
    pub(super) fn give_up(&mut self, id: ClientId) {
        let Some(transaction) = self.clients.get(id) else { return };
        let (user, leg) = (transaction.user, transaction.leg);
        match transaction.cancel {
            Cancel::No => {
                self.rang_out(leg, user);
                self.cancel(id, None);
            }
            Cancel::Wanted(_) => {}
            Cancel::Sent => {
                if user == User::Invite {
                    self.invite_outcome(leg, id, Outcome::TimedOut);
                } else {
                    self.offer_outcome(leg, id, Outcome::TimedOut);
                }
                let mut actions = Vec::new();
                self.step_client(
                    id,
                    |_| client_invite::Input::Abandon,
                    client::Input::TransportFailed,
                    Vec::new(),
                    &mut actions,
                );
                self.forget_client_if_terminated(id);
            }
        }
    }
}

pub(super) fn reason_value(reason: &Reason) -> String {
    match reason {
        Reason::Q850(cause) => format!("Q.850;cause={cause}"),
        Reason::Sip(status) => format!("SIP;cause={status};text=\"{}\"", phrase(*status)),
    }
}

/// A CANCEL or the ACK to a failure: Request-URI, top Via, From, Call-ID, CSeq number and Route of the INVITE
/// (RFC 3261 §9.1, §17.1.1.3).
pub(super) fn repeating(invite: &Request, method: Method) -> Request {
    let number = invite.headers.cseq().map_or(0, |CSeq { number, .. }| number);
    let mut headers = Vec::with_capacity(10);
    for name in ["Via", "Route", "Max-Forwards", "From", "To", "Call-ID"] {
        headers.extend(invite.headers.all(name).map(|value| header::make(name, value)));
    }
    headers.push(header::make("CSeq", format!("{number} {method}")));
    Request { method, uri: invite.uri.clone(), headers: headers.into(), body: Vec::new() }
}
