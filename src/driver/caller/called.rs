//! A telephone that waits to be called.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc::UnboundedReceiver;

use super::line::Line;
use super::report::{Progress, Report};
use super::{CallError, Order, heard_by_all};
use crate::clock::Clock;
use crate::driver::media::ports::PortRange;
use crate::driver::media::{self, Media};
use crate::driver::sip::{self as agent, Incoming, Sip};
use crate::phone::Phone;
use crate::sip::Command;

/// Its SIP endpoint, and the calls that come in.
pub struct Telephone {
    sip: Sip,
    incoming: UnboundedReceiver<Incoming>,
    address: IpAddr,
    rtp_ports: PortRange,
    clock: Clock,
    random: StdRng,
}

impl Telephone {
    /// On a free port of the address.
    ///
    /// # Errors
    /// There is no socket.
    pub async fn start(
        address: IpAddr,
        rtp_ports: PortRange,
        clock: Clock,
        seed: [u8; 32],
    ) -> Result<Telephone, CallError> {
        let mut random = StdRng::from_seed(seed);
        let (sip, incoming, _others) = agent::start(&heard_by_all(address), random.random(), clock).await?;
        Ok(Telephone { sip, incoming, address, rtp_ports, clock, random })
    }

    pub fn address(&self) -> SocketAddr {
        self.sip.bound()
    }

    /// Waits for a call, lets it ring for so long, picks up and carries the orders out: the number that was called, and
    /// how it went. Hangs up by itself `talk` after the answer. `None`: the endpoint is gone.
    ///
    /// # Errors
    /// The call has no sound.
    pub async fn take_call(
        &mut self,
        rings: Duration,
        talk: Duration,
        orders: UnboundedReceiver<Order>,
        tell: impl FnMut(Progress),
    ) -> Result<Option<(Option<Phone>, Report)>, CallError> {
        let Some(Incoming { leg, invite, events }) = self.incoming.recv().await else { return Ok(None) };
        let media = media::Config { address: self.address, ports: self.rtp_ports, ..media::Config::default() };
        let media = Media::start(media, self.clock)?;
        let sockets = media.allocate()?;
        self.sip.command(Command::Ring { leg }).await;
        tokio::time::sleep(rings).await;
        let random = StdRng::from_seed(self.random.random());
        let parts = (self.sip.clone(), media, sockets);
        let mut line = Line::new(leg, talk, parts, invite.hop.local.ip(), self.clock, random, tell);
        line.answer(invite.offer.as_deref()).await;
        line.run(events, orders).await;
        let called = invite.request_user.as_deref().and_then(Phone::parse);
        Ok(Some((called, line.into_report())))
    }

    /// Takes no calls any more.
    pub async fn stop(self) {
        self.sip.stop().await;
    }
}
