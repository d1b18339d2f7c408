//! A way out for one call: a trunk that leads to the number, and one of its channels.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

use crate::sip::{Account, Hop, Party, Uri};

/// Made by the trunks for one number; whoever places a call tries one after the other.
pub struct Route {
    pub trunk: Arc<str>,
    /// Best first; the endpoint tries the next one when a hop fails, times out or says 503.
    pub hops: Vec<Hop>,
    /// The Request-URI.
    pub uri: Uri,
    pub from: Party,
    pub to: Uri,
    pub asserted: Option<Party>,
    pub credentials: Option<Account>,
    pub ring_timeout_ms: u32,
    /// Where the trunks are told how it went.
    pub verdicts: UnboundedSender<(Arc<str>, Verdict)>,
    /// A channel of the trunk, taken for as long as this lives.
    pub channel: OwnedSemaphorePermit,
}

/// What a trunk made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It rang, was answered or refused by the called side: the trunk works.
    Carried,
    /// The trunk refused, or nobody answered there.
    Trouble { status: u16 },
}

/// Without the addresses: they hold a citizen's number.
impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("trunk", &self.trunk).field("hops", &self.hops).finish_non_exhaustive()
    }
}

impl Route {
    /// Tells the trunks; the channel stays taken.
    pub fn tell(&self, verdict: Verdict) {
        // nobody listens any more when the service ends
        let _ = self.verdicts.send((Arc::clone(&self.trunk), verdict));
    }
}
