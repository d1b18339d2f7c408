//! When people call: what was received, by hour and day of the week.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};

use super::recount::HOUR;
use super::sums::Day;
use super::{ReportQuery, Store, StoreError, on};
use crate::clock::beijing_day;
use crate::store::row::{count, text};
use crate::store::sql::{Sql, builder};

/// Tickets received, by day of the week from Monday on and by hour, both in Beijing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hours(pub [[u64; 24]; 7]);

impl Hours {
    fn add(&mut self, day: NaiveDate, hour: usize, received: u64) {
        self.0[day.weekday().num_days_from_monday() as usize][hour % 24] += received;
    }
}

/// In Beijing.
pub(super) fn hour(at: DateTime<Utc>) -> u32 {
    (at + TimeDelta::hours(8)).hour()
}

impl Store {
    /// What was received in the query's days, whatever its dimension. They are counted already ([`Store::recount`]); a
    /// unit's own tickets, and those of an event, are read one by one.
    pub async fn hours(&self, query: &ReportQuery) -> Result<Hours, StoreError> {
        if query.unit.is_none() && query.event.is_none() {
            self.rolled_hours(query).await
        } else {
            self.hours_now(query).await
        }
    }

    async fn rolled_hours(&self, query: &ReportQuery) -> Result<Hours, StoreError> {
        let mut sql = Sql::default();
        sql.push("select day, key, cast(sum(received) as bigint) from report_day where dimension = ").bind(HOUR);
        sql.push(" and day >= ").bind(query.from).push(" and day <= ").bind(query.to);
        sql.push(" and city").any_of(query.slugs().into_iter()).push(" group by day, key");
        let rows: Vec<(NaiveDate, String, i64)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let mut hours = Hours::default();
        for (day, hour, received) in rows {
            hours.add(day, text("report_day.key", &hour)?, count("report_day.received", received)?);
        }
        Ok(hours)
    }

    async fn hours_now(&self, query: &ReportQuery) -> Result<Hours, StoreError> {
        let mut sql = Sql::default();
        sql.push("select created_at from ticket where created_at >= ").bind(Day::of(query.from).starts);
        sql.push(" and created_at < ").bind(Day::of(query.to).ends);
        query.narrow(&mut sql);
        sql.push(" and city").any_of(query.slugs().into_iter());
        let created: Vec<DateTime<Utc>> =
            on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?;
        let mut hours = Hours::default();
        for at in created {
            hours.add(beijing_day(at), hour(at) as usize, 1);
        }
        Ok(hours)
    }
}
