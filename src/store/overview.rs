//! What is going on now, in figures: for badges and for the metrics.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::late::names;
use super::row::{count, micros, text};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::{State, UnitCode};

/// A contact that is due within so long is shown as due soon.
const SOON: TimeDelta = TimeDelta::minutes(15);

/// Open tickets, city by city; a city without any is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    pub cities: BTreeMap<City, CityFigures>,
    /// Active knowledge entries whose review day has come, of all cities.
    pub knowledge_to_review: u64,
}

/// Of a city's open tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CityFigures {
    pub states: BTreeMap<State, u64>,
    /// Past their due day.
    pub overdue: u64,
    /// Nobody has contacted the requester within the hour, nor since.
    pub contact_breached: u64,
    /// A contact is due within 15 minutes.
    pub contact_soon: u64,
    /// Supervised, by level 1 to 4.
    pub supervised: [u64; 4],
    /// Waiting for a decision of somebody: an extension, a suspension, an exclusion.
    pub asked: u64,
}

impl CityFigures {
    pub fn of_state(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    city: String,
    state: String,
    supervision: i64,
    tickets: i64,
    overdue: i64,
    breached: i64,
    soon: i64,
    asked: i64,
}

impl Store {
    /// Counts the open tickets of all cities, or of those alone that a unit leads.
    pub async fn overview(&self, now: DateTime<Utc>, lead: Option<&UnitCode>) -> Result<Overview, StoreError> {
        const REVIEW: &str = "select count(*) from knowledge where active and review_on <= $1";
        let now = micros(now);
        let today = beijing_day(now);
        let rows: Vec<Row> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new("select city, state, supervision, count(*) as tickets, ");
            query.push("sum(case when state in (").push(names(State::is_timed)).push(") and due_day < ");
            query.push_bind(today).push(" then 1 else 0 end) as overdue, ");
            query.push("sum(case when state in (").push(names(State::is_handled)).push(") and contact_at is null ");
            query.push("and contact_due_at < ").push_bind(now).push(" then 1 else 0 end) as breached, ");
            query.push("sum(case when state in (").push(names(State::is_handled)).push(") and contact_at is null ");
            query.push("and contact_due_at >= ").push_bind(now).push(" and contact_due_at < ");
            query.push_bind(now + SOON).push(" then 1 else 0 end) as soon, ");
            query.push("sum(case when asked is null then 0 else 1 end) as asked from ticket where state in (");
            query.push(names(State::is_open)).push(")");
            if let Some(unit) = lead {
                query.push(" and lead_unit = ").push_bind(unit.as_str());
            }
            query.push(" group by city, state, supervision");
            query.build_query_as().fetch_all(pool).await
        })?;
        let knowledge: i64 = on!(&self.read, pool => sqlx::query_scalar(REVIEW).bind(today).fetch_one(pool).await)?;
        let mut overview = Overview { knowledge_to_review: count("count", knowledge)?, ..Overview::default() };
        for row in rows {
            overview.cities.entry(text("ticket.city", &row.city)?).or_default().add(&row)?;
        }
        Ok(overview)
    }
}

impl CityFigures {
    fn add(&mut self, row: &Row) -> Result<(), StoreError> {
        let tickets: u64 = count("count", row.tickets)?;
        *self.states.entry(text("ticket.state", &row.state)?).or_default() += tickets;
        self.overdue += count::<u64>("count", row.overdue)?;
        self.contact_breached += count::<u64>("count", row.breached)?;
        self.contact_soon += count::<u64>("count", row.soon)?;
        self.asked += count::<u64>("count", row.asked)?;
        let level = usize::try_from(row.supervision).ok().and_then(|level| level.checked_sub(1));
        if let Some(supervised) = level.and_then(|level| self.supervised.get_mut(level)) {
            *supervised += tickets;
        }
        Ok(())
    }
}
