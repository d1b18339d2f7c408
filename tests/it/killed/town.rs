//! Two services share a database in which a town waits for its return visits, and are killed again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use hotline::callback;
use hotline::store::{self, DatabaseUrl, PlannedVisit, Store, StoreError, VisitAttempt, VisitFilter, VisitStep};
use hotline::ticket::{Number, Outcome};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::callee::{Callee, End, Logged};
use super::{calls_by, closings, judge};
use crate::peer::child::TempFolder;
use crate::peer::postgres::Postgres;
use crate::peer::service::{Service, Setup};
use crate::peer::time::{left, millis, now, seconds, wall};

/// How many visits are due: the environment may want more than is quick.
const VISITS: &str = "HOTLINE_KILLED_VISITS";
/// Of which services are killed and when.
const SEED: &str = "HOTLINE_KILLED_SEED";
const KILLING: Duration = seconds(40);
/// Leases of the dead run out in it, and midnight may have to be waited for.
const DRAINING: Duration = seconds(180);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn two_services_that_are_killed_again_and_again_call_no_number_twice() {
    let (visits, seed) = (setting(VISITS, 300), setting(SEED, 12_345));
    println!("{visits} visits, seed {seed}");
    let mut town = Town::open(usize::try_from(visits).expect("a count"));
    let killed = town.is_called_while_killing(StdRng::seed_from_u64(seed));
    let calls = town.callee.calls();
    assert_eq!(judge::faults(&calls), [""; 0], "seed {seed}");
    assert_eq!(town.callee.faults(), [""; 0], "seed {seed}");
    let cut = calls.iter().filter(|call| matches!(call.ended, Some((_, End::Cut)))).count();
    let unknown = town.agrees_with_the_log(&calls, &killed);
    println!("{} calls, {} kills, {cut} calls cut, {unknown} attempts unknown", calls.len(), killed.len());
    assert!(killed.len() >= 2 && cut > 0, "{} kills, {cut} calls cut", killed.len());
}

#[test]
fn a_database_that_goes_away_and_comes_back_leaves_no_visit_hanging() {
    let mut town = Town::open(200);
    town.first_call();
    let mut random = StdRng::seed_from_u64(setting(SEED, 12_345));
    for _ in 0..8 {
        std::thread::park_timeout(millis(random.random_range(100..900)));
        town.postgres.stop();
        std::thread::park_timeout(millis(500));
        town.postgres.start_again();
    }
    town.nothing_waits();
    let calls = town.callee.calls();
    assert_eq!(judge::faults(&calls), [""; 0]);
    println!("{} calls", calls.len());
}

struct Town {
    callee: Callee,
    /// The closed tickets of each number.
    tickets: BTreeMap<String, Vec<Number>>,
    services: [Service; 2],
    store: Store,
    runtime: Runtime,
    postgres: Postgres,
    _folder: TempFolder,
}

impl Town {
    /// Numbers have one ticket or two, so that some visits compete for theirs.
    fn open(visits: usize) -> Town {
        let (runtime, folder, postgres) =
            (Runtime::new().expect("a runtime"), TempFolder::new("town"), Postgres::start());
        let config = store::Config {
            url: Some(DatabaseUrl::from(postgres.url())),
            max_connections: 8,
            ..store::Config::default()
        };
        let store = runtime.block_on(Store::open(&config, folder.path())).expect("a store");
        let tickets = runtime.block_on(closed(&store, visits, visits * 7 / 10));
        let callee = Callee::start();
        let services = ["first", "second"].map(|node| {
            let service = Setup::default()
                .environment("HOTLINE__NODE", node)
                .environment("HOTLINE__CALLS__MAX_CALLS", "28")
                .config(&format!("[store]\nurl = {:?}\n{}", postgres.url(), calls_by(callee.address, 60)));
            service.start()
        });
        Town { callee, tickets, services, store, runtime, postgres, _folder: folder }
    }

    /// Kills one service or the other until everybody was called or it has lasted long enough, and waits until nothing is left
    /// to do today. Where the killed ones called from.
    fn is_called_while_killing(&mut self, mut random: StdRng) -> BTreeSet<SocketAddr> {
        self.first_call();
        let (mut killed, until) = (BTreeSet::new(), now() + KILLING);
        while !left(until).is_zero() && self.waiting(|visit| visit.step != Some(VisitStep::Live)) > 0 {
            // at a random moment of whatever is done
            std::thread::park_timeout(millis(random.random_range(1_000..3_000)));
            let service = &mut self.services[random.random_range(0..2)];
            let caller = service.sip;
            service.kill();
            self.callee.killed(caller);
            killed.insert(caller);
            service.begin();
            self.callee.begun(service.sip);
        }
        self.nothing_waits();
        killed
    }

    /// Waits until somebody is called.
    fn first_call(&self) {
        let deadline = now() + DRAINING;
        while self.callee.calls().is_empty() {
            assert!(!left(deadline).is_zero(), "nobody is called within {DRAINING:?}\n{}", self.services[0].log());
            std::thread::park_timeout(millis(20));
        }
    }

    /// Waits until nothing is left to do today.
    fn nothing_waits(&self) {
        let deadline = now() + DRAINING;
        loop {
            let waiting = self.waiting(|_| true);
            if waiting == 0 {
                return;
            }
            assert!(!left(deadline).is_zero(), "{waiting} visits wait after {DRAINING:?}\n{}", self.services[0].log());
            std::thread::park_timeout(millis(500));
        }
    }

    /// Visits of a kind that go on or are to go on within some minutes.
    fn waiting(&self, kind: impl Fn(&PlannedVisit) -> bool) -> usize {
        let soon = wall() + TimeDelta::minutes(10);
        let waits = |visit: &PlannedVisit| match visit.step {
            None | Some(VisitStep::Live) => true,
            Some(VisitStep::Call) => visit.next_at.is_some_and(|at| at <= soon),
            Some(_) => false,
        };
        self.due().iter().filter(|visit| waits(visit) && kind(visit)).count()
    }

    fn due(&self) -> Vec<PlannedVisit> {
        let deadline = now() + seconds(10);
        loop {
            match self.runtime.block_on(due(&self.store)) {
                Ok(due) => return due,
                // a connection from before the database went away
                Err(error) => assert!(!left(deadline).is_zero(), "{error}"),
            }
        }
    }

    /// Each number has one attempt, which ended as the callee saw it unless its process was killed; all visits of the
    /// number wait for the end of its cool-down and say so. How many attempts are unknown.
    fn agrees_with_the_log(&self, calls: &[Logged], killed: &BTreeSet<SocketAddr>) -> usize {
        let due: BTreeMap<Number, PlannedVisit> = self.due().into_iter().map(|visit| (visit.ticket, visit)).collect();
        let mut unknown = 0;
        for (number, tickets) in &self.tickets {
            let attempts: Vec<VisitAttempt> = tickets.iter().flat_map(|ticket| self.attempts(*ticket)).collect();
            let call = calls.iter().find(|call| call.number == *number);
            let [attempt] = attempts.as_slice() else { panic!("{attempts:?} for {call:?}") };
            judge::ended_as_seen(attempt, call, killed);
            unknown += usize::from(attempt.outcome == Some(Outcome::Unknown));
            // whoever leases asks the rules again, so that a plan may be some seconds early: by an attempt that was given back
            let cool = attempt.begun_at + callback::Config::default().cool_down() - TimeDelta::minutes(5);
            for ticket in tickets {
                let visit = &due[ticket];
                assert!(visit.next_at.is_some_and(|at| at >= cool) && visit.held.is_some(), "{visit:?}, {attempt:?}");
            }
        }
        unknown
    }

    fn attempts(&self, ticket: Number) -> Vec<VisitAttempt> {
        self.runtime.block_on(self.store.visit_attempts(ticket)).expect("attempts")
    }
}

async fn due(store: &Store) -> Result<Vec<PlannedVisit>, StoreError> {
    let filter = VisitFilter { states: vec!["due".to_owned()], ..VisitFilter::default() };
    let mut page = store.planned_visits(&filter, store::MAX_PAGE, None).await?;
    let mut due = page.items;
    while let Some(next) = page.next {
        page = store.planned_visits(&filter, store::MAX_PAGE, Some(&next)).await?;
        due.append(&mut page.items);
    }
    Ok(due)
}

/// Tickets of so many numbers, closed the day before yesterday.
async fn closed(store: &Store, visits: usize, numbers: usize) -> BTreeMap<String, Vec<Number>> {
    const AT_ONCE: usize = 6;
    let at = wall() - TimeDelta::days(2);
    let mut closing = JoinSet::new();
    for lane in 0..AT_ONCE {
        let store = store.clone();
        closing.spawn(async move {
            let mut closed = Vec::new();
            for visit in (lane..visits).step_by(AT_ONCE) {
                let phone = format!("13989{:06}", visit % numbers);
                let index = u32::try_from(visit).expect("a count");
                closed.push((closings::close(&store, index, &phone, at).await, phone));
            }
            closed
        });
    }
    let mut tickets = BTreeMap::<String, Vec<Number>>::new();
    for (ticket, phone) in closing.join_all().await.into_iter().flatten() {
        tickets.entry(phone).or_default().push(ticket);
    }
    tickets
}
