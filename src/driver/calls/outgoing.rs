//! A call that is made, for a return visit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::task::Line;
use super::{Calls, Served, Stage};
use crate::call::{Call, Dial, Ended};
use crate::driver::keeper::{self, Keep};
use crate::driver::route::Route;
use crate::ivr::{Caller, Visit};
use crate::store::{NewCall, StoreError};
use crate::ticket::{AttemptId, CallEnd, CallId, Direction, VisitCall};

/// What must be on record before a telephone rings has so long.
const STORE_LIMIT: Duration = Duration::from_secs(5);

/// A return visit that is to be called, and the ways out for it.
#[derive(Debug)]
pub struct Placing {
    pub visit: VisitCall,
    /// Tried in their order: the next one when a trunk refuses (5xx), does not answer, or can't be reached.
    pub routes: Vec<Route>,
}

/// Why a call was not made. Nothing has rung.
#[derive(Debug, thiserror::Error)]
pub enum Unplaced {
    #[error("no trunk leads there")]
    NoRoute,
    #[error("the service is ending")]
    Draining,
    #[error("as many calls go on as there may be")]
    Full,
    #[error("no port is left for its sound")]
    NoPort,
    #[error("media.recordings is used up")]
    NoRing,
    #[error("the store could not take the attempt: {0}")]
    Store(#[from] StoreError),
    #[error("the store did not take the attempt in time")]
    StoreLate,
    /// Somebody settled it meanwhile, and may have dialled again.
    #[error("the attempt is over already")]
    Lapsed,
}

impl Calls {
    /// Makes the call, once the attempt's call is on record. How it went is settled with the attempt.
    ///
    /// # Errors
    /// Nothing has rung, and the attempt is still the caller's.
    pub async fn place(self: &Arc<Self>, placing: Placing) -> Result<(), Unplaced> {
        let Placing { visit, routes } = placing;
        let first = routes.first().ok_or(Unplaced::NoRoute)?;
        let hop = *first.hops.first().ok_or(Unplaced::NoRoute)?;
        if *self.stage.borrow() != Stage::Serving {
            return Err(Unplaced::Draining);
        }
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| Unplaced::Full)?;
        let sockets = self.media.allocate().map_err(|_| Unplaced::NoPort)?;
        let ring = self.media.recording().ok_or(Unplaced::NoRing)?;
        let lines = self.lines.now();
        let served = line_of(&lines, &visit);
        let row = self.row_of(&visit, served);
        self.record(&row, visit.attempt, &first.trunk).await?;

        let caller = Caller {
            phone: Some(visit.phone.clone()),
            city: visit.city,
            language: None,
            profile: served.line.profile,
            features: self.features(served, served.setup.visit_synthetic),
            visit: Some(Visit::of(&visit)),
        };
        let legs = routes.iter().map(|_| self.leg()).collect();
        let dial = Dial { legs, caller, ours: self.ours(hop.local.ip(), &sockets) };
        let mut outputs = Vec::new();
        let call = Call::outgoing(Arc::clone(&served.setup), dial, self.clock.now(), &mut outputs);
        let line = Line {
            call,
            row,
            sockets,
            ring: Some(ring),
            signalling: hop.peer.ip(),
            events: None,
            routes: routes.into(),
            permit,
        };
        self.start(line, Some(visit.attempt), outputs);
        Ok(())
    }

    fn row_of(&self, visit: &VisitCall, served: &Served) -> NewCall {
        let now = self.clock.wall();
        NewCall {
            id: CallId::new(now, self.random()),
            node: self.node.clone(),
            direction: Direction::Outbound,
            sip_call_id: None,
            city: visit.city,
            line: served.line.number.clone(),
            phone: Some(visit.phone.clone()),
            language: Some(visit.language),
            started_at: now,
            answered_at: None,
        }
    }

    async fn record(&self, row: &NewCall, attempt: AttemptId, trunk: &str) -> Result<(), Unplaced> {
        let store = &self.keeping.store;
        let recorded = timeout(STORE_LIMIT, async {
            store.insert_call(row).await?;
            store.attempt_dialled(attempt, trunk, row.id, row.started_at).await
        });
        let refused = match recorded.await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => Unplaced::Lapsed,
            Ok(Err(error)) => Unplaced::Store(error),
            Err(_) => Unplaced::StoreLate,
        };
        // the row may be there: its keeper ends it as soon as the store takes it
        let (inbox, _) = mpsc::unbounded_channel();
        let (orders, queue) = mpsc::unbounded_channel();
        let ended = Ended { by: CallEnd::Cancelled, language: None };
        let _ = orders.send(Keep::Ended(ended));
        self.spawn(keeper::keep(Arc::clone(&self.keeping), row.clone(), inbox, queue));
        Err(refused)
    }
}

/// The line that the request came in on; of another channel the first one of its city.
fn line_of<'a>(lines: &'a [Served], visit: &VisitCall) -> &'a Served {
    let by_number = lines.iter().find(|served| visit.line.as_ref() == Some(&served.line.number));
    let of_city = || lines.iter().find(|served| served.line.city == visit.city);
    by_number.or_else(of_city).unwrap_or(&lines[0])
}
