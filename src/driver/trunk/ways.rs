//! The ways out: which trunks a call may take now, and in which order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::choice::{self, Rank};
use super::condition::{Ailment, Condition};
use super::setup::{Outward, Trunk};
use crate::call::line::Line;
use crate::callback::dial_plan::{self, DialPlan, Dialable, Why};
use crate::city::City;
use crate::clock::Clock;
use crate::driver::route::{Route, Verdict};
use crate::phone::Phone;
use crate::sip::Hop;

/// So many trunks at most are tried for one call: each holds one of its channels meanwhile.
const MOST_ROUTES: usize = 3;

/// Why no call leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The dial plan refuses the number.
    #[error("the dial plan refuses the number: {0}")]
    Undialable(Why),
    /// No trunk is there that calls out and has a channel free: later one may be.
    #[error("no trunk has a free channel")]
    NoChannel,
}

/// All trunks, as far as calls out need them. The task of [`Trunks`](super::Trunks) keeps it up to date; who asks never
/// waits.
#[derive(Debug)]
pub struct WaysOut {
    plan: DialPlan,
    ways: Vec<Way>,
    ring_timeout_ms: u32,
    verdicts: UnboundedSender<(Arc<str>, Verdict)>,
    random: Mutex<StdRng>,
    clock: Clock,
}

/// One trunk.
#[derive(Debug)]
struct Way {
    name: Arc<str>,
    outward: Option<Arc<Outward>>,
    channels: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    condition: Condition,
    /// Best first.
    hops: Vec<Hop>,
}

/// What the plan must not let us dial: every line, with its city's area code and without, and the trunks' numbers.
pub fn plan(config: dial_plan::Config, lines: &[Line], trunks: &[Trunk]) -> DialPlan {
    let of_line = |line: &Line| [line.number.clone(), format!("{}{}", line.city.area_code(), line.number)];
    let lines = lines.iter().flat_map(of_line).filter_map(|number| Phone::parse(&number));
    DialPlan::new(config, lines.chain(trunks.iter().flat_map(|trunk| trunk.numbers().iter().cloned())))
}

impl WaysOut {
    /// And where the verdicts of its routes arrive. Who has not answered after `ring_timeout_ms` is given up.
    pub fn new(
        trunks: &[Trunk],
        plan: DialPlan,
        ring_timeout_ms: u32,
        seed: [u8; 32],
        clock: Clock,
    ) -> (WaysOut, UnboundedReceiver<(Arc<str>, Verdict)>) {
        let (verdicts, told) = mpsc::unbounded_channel();
        let ways = trunks.iter().map(Way::new).collect();
        (WaysOut { plan, ways, ring_timeout_ms, verdicts, random: Mutex::new(StdRng::from_seed(seed)), clock }, told)
    }

    /// The ways to a number for a call of this city, in the order to try them. Each holds a channel of its trunk until
    /// it is dropped: who has got through drops the others.
    ///
    /// # Errors
    /// The number is never dialled, or no trunk can be used now.
    pub fn routes(&self, city: City, phone: &Phone) -> Result<Vec<Route>, NoRoute> {
        let number = self.plan.check(phone).map_err(NoRoute::Undialable)?;
        let now = self.clock.mono();
        let open: Vec<(&Way, &Outward)> = (self.ways.iter())
            .filter(|way| way.lock().condition.ailment(now).is_none())
            .filter_map(|way| Some((way, way.outward.as_deref()?)))
            .collect();
        let ranks: Vec<Rank> = open.iter().map(|(_, outward)| outward.rank).collect();
        let order = choice::order(&ranks, &mut self.random.lock().unwrap_or_else(PoisonError::into_inner));
        let route = |at: usize| {
            let (way, outward) = open[at];
            way.route(outward, city, &number, self)
        };
        let routes: Vec<Route> = order.into_iter().filter_map(route).take(MOST_ROUTES).collect();
        if routes.is_empty() { Err(NoRoute::NoChannel) } else { Ok(routes) }
    }

    /// Whether any trunk calls out at all.
    pub fn is_configured(&self) -> bool {
        self.ways.iter().any(|way| way.outward.is_some())
    }

    /// Channels that a call could take now, of all trunks together.
    pub fn free(&self) -> usize {
        let now = self.clock.mono();
        let open = self.ways.iter().filter(|way| way.outward.is_some() && way.lock().condition.ailment(now).is_none());
        open.map(|way| way.channels.available_permits()).sum()
    }

    pub(super) fn change<T>(&self, at: usize, change: impl FnOnce(&mut Condition) -> T) -> Option<T> {
        self.ways.get(at).map(|way| change(&mut way.lock().condition))
    }

    pub(super) fn ailment(&self, at: usize) -> Option<Ailment> {
        self.ways[at].lock().condition.ailment(self.clock.mono())
    }

    /// Takes in how a call went by the trunk of this name. The length of the pause that follows from it.
    pub(super) fn judge(&self, name: &str, verdict: Verdict) -> Option<Duration> {
        let way = self.ways.iter().find(|way| &*way.name == name)?;
        way.lock().condition.judge(self.clock.mono(), verdict)
    }

    /// Where a trunk's name leads now. The hop that answered last stays first while it is among them.
    pub(super) fn set_hops(&self, at: usize, mut hops: Vec<Hop>) {
        let mut state = self.ways[at].lock();
        if let Some(first) = state.hops.first().and_then(|first| hops.iter().position(|hop| hop == first)) {
            hops.rotate_left(first);
        }
        state.condition.set_found(!hops.is_empty());
        state.hops = hops;
    }

    pub(super) fn hops(&self, at: usize) -> Vec<Hop> {
        self.ways[at].lock().hops.clone()
    }

    /// The first hop is silent: the next one is tried before it.
    pub(super) fn turn_hops(&self, at: usize) {
        let mut state = self.ways[at].lock();
        if !state.hops.is_empty() {
            state.hops.rotate_left(1);
        }
    }

    /// Calls that go out by each trunk, of those that call out.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&str, usize)> {
        self.ways.iter().filter_map(|way| {
            let outward = way.outward.as_deref()?;
            Some((&*way.name, outward.channels.saturating_sub(way.channels.available_permits())))
        })
    }
}

impl Way {
    fn new(trunk: &Trunk) -> Way {
        let channels = trunk.outward.as_ref().map_or(0, |outward| outward.channels);
        Way {
            name: Arc::clone(&trunk.name),
            outward: trunk.outward.clone(),
            channels: Arc::new(Semaphore::new(channels.min(Semaphore::MAX_PERMITS))),
            state: Mutex::new(State { condition: trunk.condition(), hops: Vec::new() }),
        }
    }

    /// None without a free channel.
    fn route(&self, outward: &Outward, city: City, number: &Dialable, of: &WaysOut) -> Option<Route> {
        let channel = Arc::clone(&self.channels).try_acquire_owned().ok()?;
        let hops = self.lock().hops.clone();
        let addresses = outward.addresses(city, number);
        Some(Route {
            trunk: Arc::clone(&self.name),
            hops,
            to: addresses.uri.clone(),
            uri: addresses.uri,
            from: addresses.from,
            asserted: addresses.asserted,
            credentials: outward.credentials.clone(),
            ring_timeout_ms: of.ring_timeout_ms,
            verdicts: of.verdicts.clone(),
            channel,
        })
    }

    /// A panic elsewhere leaves it whole: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
