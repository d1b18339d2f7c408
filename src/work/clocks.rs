//! The clocks of the tickets' lives: raises what is late, steps up the supervision of what stands still, and shows how
//! much there is of both.
//!
//! Each look reads what is due from the store, so that it may be missed, come twice, or run on several nodes at once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::supervision;
use crate::city::City;
use crate::clock::{Clock, Mono, Steady};
use crate::store::{NotDone, Order, Overview, Store, StoreError};
use crate::ticket::{Actor, Command, Number, Side, State};

/// How often the clocks are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub every_s: u32,
    /// The most tickets of each kind that one look takes; the next one goes on.
    pub batch: u32,
    /// How often matters and units are counted, and the figures of open tickets.
    pub count_every_s: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { every_s: 15, batch: 200, count_every_s: 60 }
    }
}

pub struct Clocks {
    pub store: Store,
    pub clock: Clock,
    pub config: Config,
}

impl Clocks {
    /// Until it is cancelled; what a look was about is undone then, and done by the next start.
    pub async fn run(self, cancelled: CancellationToken) {
        tokio::select! {
            () = self.look_again_and_again() => {}
            () = cancelled.cancelled() => {}
        }
    }

    async fn look_again_and_again(&self) {
        let every = Duration::from_secs(self.config.every_s.max(1).into());
        let mut steady = Steady::default();
        let mut counted: Option<Mono> = None;
        let mut failing = false;
        loop {
            let now = self.clock.now();
            if let Err(jump) = steady.check(now) {
                let seconds = jump.num_seconds();
                tracing::warn!(seconds, "the machine's wall clock has jumped: this look at the clocks is left out");
            } else {
                let count_every = Duration::from_secs(self.config.count_every_s.into());
                let count = counted.is_none_or(|last| now.mono.since(last) >= count_every);
                if count {
                    counted = Some(now.mono);
                }
                failing = report(self.look(now.wall, count).await, failing);
            }
            tokio::time::sleep(every).await;
        }
    }

    async fn look(&self, now: DateTime<Utc>, count: bool) -> Result<(), StoreError> {
        let done = round(&self.store, now, self.config.batch).await;
        if count {
            let steps = supervision::round(&self.store, now).await;
            show(&self.store.overview(now, None).await?);
            steps?;
        }
        done.map(drop)
    }
}

/// Says once that the store fails, and once that it does no longer; returns whether it does.
fn report(looked: Result<(), StoreError>, failing: bool) -> bool {
    match (&looked, failing) {
        (Err(error), false) => tracing::error!(%error, "the clocks can't be looked at; they are tried again"),
        (Ok(()), true) => tracing::info!("the clocks are looked at again"),
        _ => {}
    }
    looked.is_err()
}

/// What one look has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub raised: u32,
    pub stepped_up: u32,
}

/// One look at all clocks, with at most `batch` tickets of each kind. A ticket that fails does not keep the others
/// waiting; one that somebody else has moved on meanwhile needs nothing.
///
/// # Errors
/// The first failure, after all others have been tried.
pub async fn round(store: &Store, now: DateTime<Utc>, batch: u32) -> Result<Done, StoreError> {
    let mut done = Done::default();
    let mut failed = None;
    for (number, alarm) in store.late(now, batch).await? {
        done.raised += u32::from(carry_out(store, number, Command::Raise { alarm }, now, &mut failed).await);
    }
    for number in store.standing_still(now, batch).await? {
        done.stepped_up += u32::from(carry_out(store, number, Command::StepUp, now, &mut failed).await);
    }
    failed.map_or(Ok(done), Err)
}

async fn carry_out(
    store: &Store,
    number: Number,
    command: Command,
    now: DateTime<Utc>,
    failed: &mut Option<StoreError>,
) -> bool {
    let (actor, side) = (Actor::System, Side::System);
    match store.execute(&Order { number, version: None, command, actor, side, address: None }, now).await {
        Ok(_) => true,
        // somebody was quicker
        Err(NotDone::Refused { .. } | NotDone::Changed(_) | NotDone::Unknown) => false,
        Err(NotDone::Store(error)) => {
            failed.get_or_insert(error);
            false
        }
    }
}

fn show(overview: &Overview) {
    let none = Default::default();
    for city in City::ALL {
        let (figures, label) = (overview.cities.get(&city).unwrap_or(&none), city.slug());
        for state in State::ALL.iter().copied().filter(|state| state.is_open()) {
            let tickets = figures.of_state(state) as f64;
            metrics::gauge!("hotline_tickets_open", "city" => label, "state" => state.name()).set(tickets);
        }
        metrics::gauge!("hotline_tickets_overdue", "city" => label).set(figures.overdue as f64);
        metrics::gauge!("hotline_tickets_contact_breached", "city" => label).set(figures.contact_breached as f64);
        for (level, tickets) in ["1", "2", "3", "4"].into_iter().zip(figures.supervised) {
            metrics::gauge!("hotline_tickets_supervised", "city" => label, "level" => level).set(tickets as f64);
        }
    }
    metrics::gauge!("hotline_knowledge_to_review").set(overview.knowledge_to_review as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_and_the_first_success_after_it_are_told() {
        let away = || Err(StoreError::Database("away".to_owned()));
        assert!(report(away(), false) && report(away(), true));
        assert!(!report(Ok(()), true) && !report(Ok(()), false));
    }
}
