//! Calls requesters back: a reconciler that takes what is due, finds a way out for it, and has it placed.
//!
//! Nothing is kept here. The store says what is due and holds a row of every attempt before a telephone rings; a dialer
//! that died is a lease that runs out. So several nodes may dial from one database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::watch;

use crate::city::City;
use crate::clock::{Clock, Mono, Steady};
use crate::driver::calls::{Calls, Placing, Stage};
use crate::driver::trunk::{NoRoute, WaysOut};
use crate::live::{Live, Words};
use crate::store::{Ceilings, Holder, Settlement, Store, StoreError, VisitCount, VisitFigures, VisitStep};
use crate::ticket::{AttemptId, Outcome, VisitCall};

/// How often what is due is asked for.
const TICK: Duration = Duration::from_millis(500);
/// Leases last 30 s.
const RENEW: Duration = Duration::from_secs(10);
/// New closings get their plan, and attempts of the dead their end.
const PLAN: Duration = Duration::from_secs(5);
/// The figures of all cities are counted so often, for so many days back.
const COUNT: Duration = Duration::from_secs(60);
const DAYS_COUNTED: TimeDelta = TimeDelta::days(7);
/// Parts without which a requester would be called for nothing: late sound, and nowhere to keep what is said.
const UNFIT: [&str; 2] = ["media", "disk"];
/// A visit for which there is no line now is asked for again.
const NO_LINE: TimeDelta = TimeDelta::seconds(15);

/// How much is dialled at a time. The ceilings are of all nodes together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Calls of return visits at the same time.
    pub max_calls: u32,
    /// New ones a second.
    pub calls_per_second: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { max_calls: 10, calls_per_second: 2 }
    }
}

pub struct Dialer {
    pub store: Store,
    pub calls: Arc<Calls>,
    pub ways: Arc<WaysOut>,
    pub live: Arc<Live>,
    pub clock: Clock,
    pub config: Config,
    /// This process among all that share the database.
    pub holder: Holder,
}

/// What a look is left to do at.
#[derive(Debug, Default)]
struct Seen {
    steady: Steady,
    renewed: Option<Mono>,
    planned: Option<Mono>,
    counted: Option<Mono>,
    /// Attempts that nothing rang for, and that the store could not take back yet.
    unplaced: Vec<AttemptId>,
    failing: bool,
}

impl Dialer {
    /// Until the service aborts. A draining service places no new call and keeps its leases.
    pub async fn run(self, mut stage: watch::Receiver<Stage>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = Seen::default();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                changed = stage.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            }
            let now = *stage.borrow();
            if now == Stage::Aborting {
                return;
            }
            let looked = self.look(&mut seen, now == Stage::Serving).await;
            if let (Err(error), false) = (&looked, seen.failing) {
                tracing::warn!(%error, "return visits can't be looked at; the dialer tries again");
            }
            seen.failing = looked.is_err();
        }
    }

    async fn look(&self, seen: &mut Seen, dials: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_due = |last: &mut Option<Mono>, every| {
            let due = last.is_none_or(|last| now.mono.since(last) >= every);
            if due {
                *last = Some(now.mono);
            }
            due
        };
        if let Err(jump) = seen.steady.check(now) {
            let seconds = jump.num_seconds();
            tracing::warn!(seconds, "the machine's wall clock has jumped: nobody is dialled by it at this look");
            let words = Words::new("the wall clock has jumped: dialling waits for the next look");
            self.live.report("dialer", true, words.said("clock_jumped", &[]));
            return Ok(());
        }
        if is_due(&mut seen.renewed, RENEW) {
            self.store.renew_attempts(&self.holder, now.wall).await?;
        }
        if is_due(&mut seen.planned, PLAN) {
            let lapsed = self.store.settle_lapsed(now.wall).await?;
            if lapsed > 0 {
                tracing::warn!(attempts = lapsed, "calls of return visits whose program died are settled as unknown");
            }
            self.store.plan_visits(now.wall).await?;
        }
        while let Some(attempt) = seen.unplaced.last() {
            self.give_back(*attempt, now.wall).await?;
            seen.unplaced.pop();
        }
        if dials {
            self.dial(&mut seen.unplaced, now.wall).await?;
        }
        if is_due(&mut seen.counted, COUNT) {
            show(&self.store.visit_counts().await?, &self.store.visit_figures(now.wall - DAYS_COUNTED).await?);
        }
        Ok(())
    }

    async fn dial(&self, unplaced: &mut Vec<AttemptId>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let health = self.live.health();
        let unfit = UNFIT.into_iter().find(|part| health.get(part).is_some_and(|health| !health.ok));
        if let Some(part) = unfit {
            let words = Words::new(format!("nobody is called while this is not well: {part}"));
            let name = if part == "disk" { "waits_for_disk" } else { "waits_for_media" };
            self.live.report("dialer", true, words.said(name, &[]));
            return Ok(());
        }
        let lines = self.ways.free();
        if lines == 0 {
            let words = match self.ways.is_configured() {
                true => Words::new("no trunk that calls out is free").said("no_trunk_free", &[]),
                false => Words::new("no trunk calls out").said("no_trunk_out", &[]),
            };
            self.live.report("dialer", true, words);
            return Ok(());
        }
        let Config { max_calls, calls_per_second } = self.config;
        // a look takes half of what a second may
        let most = calls_per_second.div_ceil(2).min(u32::try_from(lines).unwrap_or(u32::MAX));
        let ceilings = Ceilings { live: max_calls, per_second: calls_per_second };
        let mut failed = None;
        for visit in self.store.lease_visits(&self.holder, most, ceilings, now).await? {
            let attempt = visit.attempt;
            if let Err(error) = self.place(visit, now).await {
                unplaced.push(attempt);
                failed = Some(error);
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let words = Words::new("return visits are called when they are due").said("dialling", &[]);
        self.live.report("dialer", true, words);
        Ok(())
    }

    async fn place(&self, visit: VisitCall, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (attempt, city, ticket) = (visit.attempt, visit.city, visit.ticket);
        let routes = match self.ways.routes(city, &visit.phone) {
            Ok(routes) => routes,
            Err(NoRoute::Undialable(why)) => {
                tracing::info!(ticket.number = %ticket, %why, "a requester's number is not dialled");
                return self.undialable(attempt, now).await;
            }
            Err(NoRoute::NoChannel) => return self.give_back(attempt, now).await,
        };
        match self.calls.place(Placing { visit, routes }).await {
            Ok(()) => {
                metrics::counter!("hotline_visit_attempts_total", "city" => city.slug()).increment(1);
                Ok(())
            }
            Err(why) => {
                tracing::warn!(ticket.number = %ticket, %why, "a return visit could not be placed; it waits");
                self.give_back(attempt, now).await
            }
        }
    }

    async fn undialable(&self, attempt: AttemptId, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.store.settle_attempt(&never_rang(attempt, Outcome::Undialable), now).await.map(drop)
    }

    /// Nothing rang. Of an attempt that is on record as dialled the store's answer was lost: that was the line's trouble.
    async fn give_back(&self, attempt: AttemptId, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.store.release_attempt(attempt, now + NO_LINE, now).await?;
        self.store.settle_attempt(&never_rang(attempt, Outcome::LineTrouble), now).await.map(drop)
    }
}

fn never_rang(attempt: AttemptId, outcome: Outcome) -> Settlement {
    Settlement { attempt, outcome, status: None, q850: None, message_left: false, early: None }
}

fn show(due: &[VisitCount], figures: &BTreeMap<City, VisitFigures>) {
    let none = VisitFigures::default();
    for city in City::ALL {
        let label = city.slug();
        for step in VisitStep::ALL {
            let of_step = |count: &&VisitCount| count.city == city && count.step == Some(*step);
            let visits: u64 = due.iter().filter(of_step).map(|count| count.visits).sum();
            metrics::gauge!("hotline_visits_due", "city" => label, "step" => step.name()).set(visits as f64);
        }
        let figures = figures.get(&city).unwrap_or(&none);
        metrics::gauge!("hotline_visits_closed", "city" => label).set(figures.closed as f64);
        metrics::gauge!("hotline_visits_attempted", "city" => label).set(figures.attempted as f64);
        metrics::gauge!("hotline_visits_reached", "city" => label).set(figures.reached as f64);
        metrics::gauge!("hotline_visit_calls", "city" => label).set(figures.called as f64);
        if figures.closed > 0 {
            let reached = figures.reached as f64 / figures.closed as f64;
            metrics::gauge!("hotline_visits_reached_ratio", "city" => label).set(reached);
        }
        if figures.called > 0 {
            let answered = figures.picked_up as f64 / figures.called as f64;
            metrics::gauge!("hotline_visit_calls_answered_ratio", "city" => label).set(answered);
        }
        for (quantile, percent) in [("0.5", 50), ("0.95", 95)] {
            let waits = &figures.first_attempt_s;
            if let Some(seconds) = waits.get(waits.len() * percent / 100) {
                let labels = [("city", label), ("quantile", quantile)];
                metrics::gauge!("hotline_visit_first_attempt_seconds", &labels).set(f64::from(*seconds));
            }
        }
    }
}
