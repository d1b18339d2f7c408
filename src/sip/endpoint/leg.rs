//! How a leg ends: told once, then freed.

use super::clients::{ClientId, User};
use super::command::{Leg, Reason};
use super::event::{Ended, Event, Side, Why};
use super::offers::Farewell;
use super::servers::Reply;
use super::{Endpoint, LegTimer, Wake};
use crate::sip::session::{Phase, Session};

impl Endpoint {
    /// `Command::HangUp`
    pub(super) fn hang_up(&mut self, leg: Leg, reason: Option<Reason>) -> Option<()> {
        let session = self.sessions.get_mut(&leg).filter(|session| !session.ended)?;
        match &mut session.phase {
            Phase::Incoming(_) => return self.reject(leg, 603, None),
            Phase::Outgoing(outgoing) => {
                let transaction = outgoing.transaction;
                self.cancel(transaction, reason);
                self.end(leg, Ended { side: Side::Local, why: Why::Cancel, q850: None });
            }
            Phase::Established(established) => {
                // §15: no BYE by the callee before the ACK or its timeout
                let first = established.unacknowledged.as_ref().is_some_and(|waiting| waiting.first);
                let ended = Ended { side: Side::Local, why: Why::Bye, q850: None };
                if first {
                    established.farewell = Some(reason);
                    self.end(leg, ended);
                } else {
                    self.end_with_bye(leg, ended, reason.as_ref());
                }
            }
        }
        Some(())
    }

    /// Ends the leg with a BYE, which stands before the end in what is told: nobody listens after it.
    pub(super) fn end_with_bye(&mut self, leg: Leg, ended: Ended, reason: Option<&Reason>) {
        self.say_bye(leg, reason);
        self.end(leg, ended);
        self.remove(leg);
    }

    /// Says BYE, answers what the peer still waits for and takes back what we still wait for.
    pub(super) fn say_bye(&mut self, leg: Leg, reason: Option<&Reason>) {
        let Some(established) = self.sessions.get_mut(&leg).and_then(Session::established) else { return };
        let mut dialog = established.dialog.clone();
        let digest = established.digest.take();
        let theirs = established.theirs.map(|theirs| theirs.transaction);
        let ours = established.ours.as_ref().map(|ours| ours.transaction);
        if let Some(theirs) = theirs {
            self.respond(theirs, 487, Reply::default());
        }
        if let Some(ours) = ours {
            self.cancel(ours, None);
        }
        self.send_bye(leg, &mut dialog, Farewell { reason, digest });
    }

    /// Tells the end of a leg, once.
    pub(super) fn end(&mut self, leg: Leg, ended: Ended) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        if !std::mem::replace(&mut session.ended, true) {
            self.emit(Event::Ended { leg, ended });
        }
    }

    /// Frees a leg with its timers and dialogs. Its transactions end by themselves.
    pub(super) fn remove(&mut self, leg: Leg) {
        let Some(session) = self.sessions.remove(&leg) else { return };
        self.half_open -= usize::from(matches!(session.phase, Phase::Incoming(_)));
        for id in session.dialog_ids() {
            self.dialogs.remove(&id);
        }
        for timer in LegTimer::ALL {
            self.timers.stop(Wake::Leg(leg, timer));
        }
    }

    /// An outgoing call has rung for as long as it may.
    pub(super) fn rang_out(&mut self, leg: Option<Leg>, user: User) {
        if let Some(leg) = leg.filter(|_| user == User::Invite) {
            self.end(leg, Ended { side: Side::Local, why: Why::Cancel, q850: None });
        }
    }

    /// A request was sent once more, as another transaction.
    pub(super) fn transaction_replaced(&mut self, leg: Leg, old: ClientId, new: ClientId, cseq: u32) {
        match self.sessions.get_mut(&leg).map(|session| &mut session.phase) {
            Some(Phase::Outgoing(outgoing)) if outgoing.transaction == old => {
                outgoing.transaction = new;
                outgoing.cseq = cseq;
            }
            Some(Phase::Established(established)) => {
                established.dialog.local_cseq = established.dialog.local_cseq.max(cseq);
                if let Some(ours) = established.ours.as_mut().filter(|ours| ours.transaction == old) {
                    ours.transaction = new;
                }
            }
            _ => {}
        }
    }
}
