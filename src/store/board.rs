//! What the live board shows beside the calls of this moment.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

use super::complaints::counted_complaints;
use super::reports::slugs;
use super::row::{count, micros, text};
use super::sql::{Sql, builder};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::clock::{beijing_time, from_beijing};
use crate::ticket::ClassCode;

/// So many complaints before its threshold a matter is shown.
const NEAR: u32 = 3;

/// One thing at one place about which so many complain that it will soon be supervised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMatter {
    pub city: City,
    pub class: ClassCode,
    /// As places are compared.
    pub place: String,
    pub tickets: u32,
    /// With so many it is supervised.
    pub threshold: u32,
}

impl Store {
    /// Matters that lack three complaints or fewer, those with the most first.
    pub async fn near_matters(&self, now: DateTime<Utc>, cities: &[City]) -> Result<Vec<NearMatter>, StoreError> {
        let mut near = Vec::new();
        for city in if cities.is_empty() { &City::ALL[..] } else { cities } {
            let thresholds = self.rules.supervision.of(*city);
            let threshold = thresholds.matter_tickets;
            let mut sql = Sql::default();
            sql.push("select class, place_key, count(*) from ticket where city = ").bind(city.slug());
            sql.push(" and created_at >= ").bind(thresholds.since(micros(now))).push(counted_complaints(&thresholds));
            sql.push(" and class is not null and place_key is not null group by class, place_key having count(*) >= ");
            sql.bind(i64::from(threshold.saturating_sub(NEAR).max(1))).push(" and count(*) < ");
            sql.bind(i64::from(threshold));
            let rows: Vec<(String, String, i64)> =
                on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
            for (class, place, tickets) in rows {
                let (class, tickets) = (text("ticket.class", &class)?, count("count", tickets)?);
                near.push(NearMatter { city: *city, class, place, tickets, threshold });
            }
        }
        near.sort_by_key(|matter| (std::cmp::Reverse(matter.tickets), matter.city, matter.class.to_string()));
        Ok(near)
    }

    /// How many calls of a day went from one node of a flow to another.
    pub async fn steps_of_calls(
        &self,
        day: NaiveDate,
        cities: &[City],
    ) -> Result<Vec<(String, String, u64)>, StoreError> {
        let starts = from_beijing(day, NaiveTime::MIN);
        let mut sql = Sql::default();
        sql.push("select was, node, count(distinct call) from (select e.call, e.text as node, lag(e.text) over ");
        sql.push("(partition by e.call order by e.sequence) as was from call c join call_event e on e.call = c.id ");
        sql.push("where e.kind = 'node' and c.started_at >= ").bind(starts);
        sql.push(" and c.started_at < ")
            .bind(starts + TimeDelta::days(1))
            .push(" and c.city")
            .any_of(slugs(cities).into_iter());
        sql.push(") s where was is not null group by was, node");
        let rows: Vec<(String, String, i64)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        rows.into_iter().map(|(from, to, calls)| Ok((from, to, count("count", calls)?))).collect()
    }

    /// Calls that began in each hour of a day, in Beijing.
    pub async fn calls_by_hour(&self, day: NaiveDate, cities: &[City]) -> Result<[u64; 24], StoreError> {
        let starts = from_beijing(day, NaiveTime::MIN);
        let mut sql = Sql::default();
        sql.push("select started_at from call where started_at >= ").bind(starts);
        sql.push(" and started_at < ")
            .bind(starts + TimeDelta::days(1))
            .push(" and city")
            .any_of(slugs(cities).into_iter());
        let calls: Vec<DateTime<Utc>> =
            on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?;
        let mut hours = [0; 24];
        for at in calls {
            hours[beijing_time(at).hour() as usize] += 1;
        }
        Ok(hours)
    }
}
