//! Sums of roll-ups, and the few figures that are counted from the tickets when they are asked for.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::figures::facts;
use super::{ReportQuery, Store, StoreError, on};
use crate::clock::end_of_beijing_day;
use crate::ticket::figure::{Counts, Figure, Standing, Standings};
use crate::ticket::{State, UnitCode};

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

/// ` and COLUMN in (…)`
macro_rules! among {
    ($sql:expr, $column:literal, $values:expr) => {{
        let mut values = $sql.push(concat!(" and ", $column, " in (")).separated(", ");
        for value in $values {
            values.push_bind(value);
        }
        $sql.push(")");
    }};
}
pub(super) use among;

/// `, cast(sum(…) as bigint) …` for each figure; a limit counts once its day is over.
macro_rules! sum_up {
    ($sql:expr, $today:expr) => {
        for figure in Figure::ALL {
            if figure.event().is_limit() {
                $sql.push(", cast(coalesce(sum(case when day < ").push_bind($today);
                $sql.push(format!(" then {figure} end), 0) as bigint)"));
            } else {
                $sql.push(format!(", cast(sum({figure}) as bigint)"));
            }
        }
    };
}

/// ` and …`: what is so of a ticket now.
macro_rules! stands {
    ($sql:expr, $standing:expr, $today:expr) => {
        match $standing {
            Standing::Open => among!($sql, "state", names_of(State::is_open)),
            Standing::Suspended => {
                $sql.push(" and state = 'suspended'");
            }
            Standing::Overdue => {
                among!($sql, "state", names_of(State::is_timed));
                $sql.push(" and due_day < ").push_bind($today);
            }
            Standing::Supervised => {
                among!($sql, "state", names_of(State::is_open));
                $sql.push(" and supervision > 0");
            }
        }
    };
}
pub(super) use stands;

impl Store {
    pub(super) async fn sums(&self, query: &ReportQuery) -> Result<Vec<(String, Counts)>, StoreError> {
        let rolled = if query.unit.is_some() { "unit" } else { query.dimension.rolled() };
        Ok(on!(&self.read, pool => {
            let mut sql = sqlx::QueryBuilder::new(format!("select {}", query.dimension.key("key")));
            sum_up!(sql, query.today);
            sql.push(" from report_day where dimension = ").push_bind(rolled);
            sql.push(" and day >= ").push_bind(query.from).push(" and day <= ").push_bind(query.to);
            if let Some(unit) = &query.unit {
                sql.push(" and key = ").push_bind(unit.as_str());
            }
            among!(sql, "city", query.slugs());
            sql.push(" group by 1");
            sql.build().fetch_all(pool).await?.iter().map(counts).collect::<Result<Vec<_>, sqlx::Error>>()
        })?)
    }

    /// A unit's figures by a dimension that no roll-up has crossed with units.
    pub(super) async fn counted_now(
        &self,
        query: &ReportQuery,
        unit: &UnitCode,
    ) -> Result<Vec<(String, Counts)>, StoreError> {
        let column = query.dimension.column().unwrap_or("lead_unit");
        let key = query.dimension.key(&format!("coalesce({column}, '')"));
        let days: Vec<Day> = days(query.from, query.to).collect();
        if days.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(&self.read, pool => {
            let mut sql = sqlx::QueryBuilder::new("with d (day, starts, ends) as (");
            sql.push_values(days, |mut row, day| {
                row.push_bind(day.day).push_bind(day.starts).push_bind(day.ends);
            });
            sql.push("), c (city) as (");
            sql.push_values(query.slugs(), |mut row, city| {
                row.push_bind(city);
            });
            sql.push("), s as (select * from d cross join c");
            sql.push(format!(") select {key}"));
            sum_up!(sql, query.today);
            sql.push(format!(" from ({}) f where lead_unit = ", facts())).push_bind(unit.as_str());
            sql.push(" group by 1");
            sql.build().fetch_all(pool).await?.iter().map(counts).collect::<Result<Vec<_>, sqlx::Error>>()
        })?)
    }

    pub(super) async fn standings(&self, query: &ReportQuery) -> Result<Vec<(String, Standings)>, StoreError> {
        let key = match query.dimension.column() {
            Some(column) => format!("coalesce({column}, '')"),
            None => "''".to_owned(),
        };
        Ok(on!(&self.read, pool => {
            let mut sql = sqlx::QueryBuilder::new(format!("select {}", query.dimension.key(&key)));
            for standing in Standing::ALL {
                sql.push(", cast(sum(case when true");
                stands!(sql, *standing, query.today);
                sql.push(" then 1 else 0 end) as bigint)");
            }
            sql.push(" from ticket where true");
            stands!(sql, Standing::Open, query.today);
            if let Some(unit) = &query.unit {
                sql.push(" and lead_unit = ").push_bind(unit.as_str());
            }
            among!(sql, "city", query.slugs());
            sql.push(" group by 1");
            let read = sql.build().fetch_all(pool).await?;
            read.iter().map(standings).collect::<Result<Vec<_>, sqlx::Error>>()
        })?)
    }
}

/// The names of such states.
pub(super) fn names_of(such: fn(State) -> bool) -> impl Iterator<Item = &'static str> {
    State::ALL.iter().copied().filter(move |state| such(*state)).map(State::name)
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
