//! Sums of roll-ups, and the few figures that are counted from the tickets when they are asked for.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::figures::facts;
use super::{ReportQuery, Store, StoreError, on};
use crate::clock::end_of_beijing_day;
use crate::store::sql::{Sql, Value, builder};
use crate::ticket::State;
use crate::ticket::figure::{Counts, Figure, Standing, Standings};

/// A day in Beijing, as times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub day: NaiveDate,
    pub starts: DateTime<Utc>,
    /// The first moment of the next day.
    pub ends: DateTime<Utc>,
}

impl Day {
    pub fn of(day: NaiveDate) -> Day {
        let ends = end_of_beijing_day(day) + TimeDelta::seconds(1);
        Day { day, starts: ends - TimeDelta::days(1), ends }
    }
}

pub(super) fn days(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = Day> {
    from.iter_days().take_while(move |day| *day <= to).map(Day::of)
}

impl Day {
    /// As [`Sql::values`] takes it.
    pub fn values(self) -> [Value; 3] {
        [self.day.into(), self.starts.into(), self.ends.into()]
    }
}

/// `, cast(sum(…) as bigint) …` for each figure; a limit counts once its day is over.
fn sum_up(sql: &mut Sql, today: NaiveDate) {
    for figure in Figure::ALL {
        if figure.event().is_limit() {
            sql.push(", cast(coalesce(sum(case when day < ").bind(today);
            sql.push(format!(" then {figure} end), 0) as bigint)"));
        } else {
            sql.push(format!(", cast(sum({figure}) as bigint)"));
        }
    }
}

/// ` and …`: what is so of a ticket now.
pub(super) fn stands(sql: &mut Sql, standing: Standing, today: NaiveDate) {
    match standing {
        Standing::Open => {
            sql.push(" and state").any_of(names_of(State::is_open).into_iter());
        }
        Standing::Suspended => {
            sql.push(" and state = 'suspended'");
        }
        Standing::Overdue => {
            sql.push(" and state").any_of(names_of(State::is_timed).into_iter());
            sql.push(" and due_day < ").bind(today);
        }
        Standing::Supervised => {
            sql.push(" and state").any_of(names_of(State::is_open).into_iter());
            sql.push(" and supervision > 0");
        }
    }
}

impl Store {
    pub(super) async fn sums(&self, query: &ReportQuery) -> Result<Vec<(String, Counts)>, StoreError> {
        self.counts(sums(query)).await
    }

    /// A unit's figures by a dimension that no roll-up has crossed with units, or those of an event.
    pub(super) async fn counted_now(&self, query: &ReportQuery) -> Result<Vec<(String, Counts)>, StoreError> {
        if query.from > query.to {
            return Ok(Vec::new());
        }
        self.counts(counted_now(query)).await
    }

    async fn counts(&self, sql: Sql) -> Result<Vec<(String, Counts)>, StoreError> {
        Ok(on!(&self.read, pool => {
            let read = builder!(sql).build().fetch_all(pool).await?;
            read.iter().map(counts).collect::<Result<Vec<_>, sqlx::Error>>()
        })?)
    }

    pub(super) async fn standings(&self, query: &ReportQuery) -> Result<Vec<(String, Standings)>, StoreError> {
        let sql = standings_now(query);
        Ok(on!(&self.read, pool => {
            let read = builder!(sql).build().fetch_all(pool).await?;
            read.iter().map(standings).collect::<Result<Vec<_>, sqlx::Error>>()
        })?)
    }
}

/// Roll-ups by the query's keys.
pub(super) fn sums(query: &ReportQuery) -> Sql {
    let rolled = if query.unit.is_some() { "unit" } else { query.dimension.rolled() };
    let mut sql = Sql::default();
    sql.push(format!("select {}", query.dimension.key("key")));
    sum_up(&mut sql, query.today);
    sql.push(" from report_day where dimension = ").bind(rolled);
    sql.push(" and day >= ").bind(query.from).push(" and day <= ").bind(query.to);
    if let Some(unit) = &query.unit {
        sql.push(" and key = ").bind(unit.as_str());
    }
    sql.push(" and city").any_of(query.slugs().into_iter()).push(" group by 1");
    sql
}

/// The figures of tickets that no roll-up has by these keys.
pub(super) fn counted_now(query: &ReportQuery) -> Sql {
    let column = query.dimension.column().unwrap_or("lead_unit");
    let key = query.dimension.key(&format!("coalesce({column}, '')"));
    let mut sql = Sql::default();
    sql.push("with d (day, starts, ends) as (").values(days(query.from, query.to).map(Day::values));
    let of_few = query.few(&mut sql);
    if of_few {
        sql.push("), s as (select * from d)");
    } else {
        sql.push("), c (city) as (").values(query.slugs().into_iter().map(|city| [city.into()]));
        sql.push("), s as (select * from d cross join c)");
    }
    sql.push(format!(" select {key}"));
    sum_up(&mut sql, query.today);
    sql.push(format!(" from ({}) f where true", facts(of_few)));
    query.narrow(&mut sql);
    sql.push(" group by 1");
    sql
}

/// Open tickets by the query's keys.
pub(super) fn standings_now(query: &ReportQuery) -> Sql {
    let key = match query.dimension.column() {
        Some(column) => format!("coalesce({column}, '')"),
        None => "''".to_owned(),
    };
    let mut sql = Sql::default();
    sql.push(format!("select {}", query.dimension.key(&key)));
    for standing in Standing::ALL {
        sql.push(", cast(sum(case when true");
        stands(&mut sql, *standing, query.today);
        sql.push(" then 1 else 0 end) as bigint)");
    }
    sql.push(" from ticket where true");
    stands(&mut sql, Standing::Open, query.today);
    query.narrow(&mut sql);
    sql.push(" and city").any_of(query.slugs().into_iter()).push(" group by 1");
    sql
}

/// The names of such states.
fn names_of(such: fn(State) -> bool) -> Vec<&'static str> {
    State::ALL.iter().copied().filter(|state| such(*state)).map(State::name).collect()
}

fn counts<'r, R: Row>(row: &'r R) -> Result<(String, Counts), sqlx::Error>
where
    usize: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut counts = Counts::default();
    for (at, figure) in Figure::ALL.iter().enumerate() {
        counts.add(*figure, number(row.try_get(at + 1)?));
    }
    Ok((row.try_get(0)?, counts))
}

fn standings<'r, R: Row>(row: &'r R) -> Result<(String, Standings), sqlx::Error>
where
    usize: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut standings = Standings::default();
    for (at, standing) in Standing::ALL.iter().enumerate() {
        standings.add(*standing, number(row.try_get(at + 1)?));
    }
    Ok((row.try_get(0)?, standings))
}

/// Sums of counts are not below zero.
fn number(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or_default()
}
