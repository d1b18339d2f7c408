//! How the return visits of a city go: what the metrics show.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::city::City;
use crate::store::row::{count, micros, text};
use crate::store::{Store, StoreError, on};

/// Closings since some time, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisitFigures {
    pub closed: u64,
    /// Visits with an attempt.
    pub attempted: u64,
    /// Visits with an answer.
    pub reached: u64,
    /// Seconds from the closing to the first attempt, ascending.
    pub first_attempt_s: Vec<u32>,
    /// Calls that rang or may have.
    pub called: u64,
    /// Calls that somebody, or something, picked up.
    pub picked_up: u64,
}

/// So many closings at most are looked at.
const MOST: i64 = 50_000;

impl Store {
    /// By city, of what was closed and called since then.
    pub async fn visit_figures(&self, since: DateTime<Utc>) -> Result<BTreeMap<City, VisitFigures>, StoreError> {
        const CLOSED: &str = "select city, made.closed_at, made.attempted_at, made.state = 'answered' \
             from (select ticket, closed_at, attempted_at, state from visit where closed_at >= $1 \
             order by closed_at limit $2) made join ticket on number = made.ticket";
        const CALLED: &str = "select city, attempt.outcome in ('complete', 'partial', 'machine', 'no_key', 'hung_up', \
             'later', 'wrong_person', 'opt_out'), count(*) from attempt join ticket on number = attempt.ticket \
             where begun_at >= $1 and way = 'call' and attempt.ended_at is not null \
             and attempt.outcome not in ('line_trouble', 'undialable') group by 1, 2";
        type Closed = (String, DateTime<Utc>, Option<DateTime<Utc>>, bool);
        let since = micros(since);
        let closed: Vec<Closed> =
            on!(&self.read, pool => sqlx::query_as(CLOSED).bind(since).bind(MOST).fetch_all(pool).await)?;
        let called: Vec<(String, bool, i64)> =
            on!(&self.read, pool => sqlx::query_as(CALLED).bind(since).fetch_all(pool).await)?;
        let mut cities: BTreeMap<City, VisitFigures> = BTreeMap::new();
        for (city, closed_at, attempted_at, answered) in closed {
            let figures = cities.entry(text("ticket.city", &city)?).or_default();
            figures.closed += 1;
            figures.attempted += u64::from(attempted_at.is_some());
            figures.reached += u64::from(answered);
            let waited = attempted_at.map(|at| (at - closed_at).num_seconds());
            figures.first_attempt_s.extend(waited.and_then(|seconds| u32::try_from(seconds).ok()));
        }
        for (city, picked_up, calls) in called {
            let figures = cities.entry(text("ticket.city", &city)?).or_default();
            let calls: u64 = count("attempt.id", calls)?;
            figures.called += calls;
            figures.picked_up += if picked_up { calls } else { 0 };
        }
        cities.values_mut().for_each(|figures| figures.first_attempt_s.sort_unstable());
        Ok(cities)
    }
}
