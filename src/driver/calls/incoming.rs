//! A call that comes in.

use std::sync::Arc;

use super::task::Line;
use super::{Calls, Sockets};
use crate::call::line;
use crate::call::{Call, Opening, Output};
use crate::clock::Now;
use crate::driver::sip::Incoming;
use crate::ivr::Caller;
use crate::sdp;
use crate::sip::{Command, IncomingInvite, Leg};
use crate::store::NewCall;
use crate::ticket::{CallId, Direction};

impl Calls {
    pub(super) async fn take_in(self: &Arc<Self>, incoming: Incoming) {
        let leg = incoming.leg;
        let reject = |status| Command::Reject { leg, status, retry_after_s: None };
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::counter!("hotline_calls_refused_total", "reason" => "full").increment(1);
            self.sip.command(reject(486)).await;
            return;
        };
        let Ok(sockets) = self.media.allocate() else {
            metrics::counter!("hotline_calls_refused_total", "reason" => "no_ports").increment(1);
            self.sip.command(reject(486)).await;
            return;
        };
        let now = self.clock.now();
        match self.open(&incoming.invite, leg, &sockets, now) {
            Ok((call, outputs, row)) => {
                metrics::counter!("hotline_calls_total", "city" => row.city.slug()).increment(1);
                let line = Line {
                    call,
                    row,
                    sockets,
                    ring: None,
                    signalling: incoming.invite.hop.peer.ip(),
                    events: Some(incoming.events),
                    routes: Default::default(),
                    permit,
                };
                self.start(line, None, outputs);
            }
            Err(refused) => {
                tracing::info!(reason = %refused, "an offer was refused");
                metrics::counter!("hotline_calls_refused_total", "reason" => "offer").increment(1);
                self.sip.command(reject(refused.status())).await;
            }
        }
    }

    fn open(
        &self,
        invite: &IncomingInvite,
        leg: Leg,
        sockets: &Sockets,
        now: Now,
    ) -> Result<(Call, Vec<Output>, NewCall), sdp::Refusal> {
        let lines = self.lines.now();
        let served = &lines[line::called(lines.iter().map(|served| &served.line), invite)];
        let phone = line::calling(invite);
        let caller = Caller {
            phone: phone.clone(),
            city: served.line.city,
            language: None,
            profile: served.line.profile,
            features: self.features(served, served.setup.synthetic),
            visit: None,
        };
        let ours = self.ours(invite.hop.local.ip(), sockets);
        let opening = Opening { leg, caller, offer: invite.offer.clone(), ours };
        let mut outputs = Vec::new();
        let call = Call::incoming(Arc::clone(&served.setup), opening, now, &mut outputs)?;
        let row = NewCall {
            id: CallId::new(now.wall, self.random()),
            node: self.node.clone(),
            direction: Direction::Inbound,
            sip_call_id: Some(invite.call_id.clone()),
            city: served.line.city,
            line: served.line.number.clone(),
            phone,
            language: None,
            started_at: now.wall,
            answered_at: None,
        };
        Ok((call, outputs, row))
    }
}
