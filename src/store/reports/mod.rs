//! Reports: figures by day, counted when something of the day has changed, summed over any period.

mod behind;
mod figures;
mod hours;
mod recount;
mod sums;
mod trends;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::sql::{Sql, builder, explain};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::ticket::figure::{Counts, Event, Standings};
use crate::ticket::{Line, UnitCode};

use sums::Day;

pub use behind::{Behind, Counted};
pub use hours::Hours;
pub use recount::Recounted;
pub use trends::{ClassWeeks, TREND_DAYS};

/// What a list to choose from holds.
const MOST_EVENTS: i64 = 200;

/// What the rows of a report stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// One row.
    Total,
    City,
    Day,
    /// The unit that leads the ticket now.
    Unit,
    Class,
    /// The upper level of the classes.
    Group,
    Channel,
    Language,
    RequestType,
}

impl Dimension {
    pub const ALL: [Dimension; 9] = [
        Dimension::Total,
        Dimension::City,
        Dimension::Day,
        Dimension::Unit,
        Dimension::Class,
        Dimension::Group,
        Dimension::Channel,
        Dimension::Language,
        Dimension::RequestType,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Dimension::Total => "total",
            Dimension::City => "city",
            Dimension::Day => "day",
            Dimension::Unit => "unit",
            Dimension::Class => "class",
            Dimension::Group => "group",
            Dimension::Channel => "channel",
            Dimension::Language => "language",
            Dimension::RequestType => "type",
        }
    }

    /// The dimension whose roll-ups are summed.
    const fn rolled(self) -> &'static str {
        match self {
            Dimension::Total | Dimension::City | Dimension::Day => "total",
            Dimension::Group => "class",
            Dimension::Unit | Dimension::Class | Dimension::Channel | Dimension::Language | Dimension::RequestType => {
                self.name()
            }
        }
    }

    /// A row's key in SQL; `key` is how the roll-up's is written.
    fn key(self, key: &str) -> String {
        match self {
            Dimension::Total => "''".to_owned(),
            Dimension::City => "city".to_owned(),
            Dimension::Day => "cast(day as text)".to_owned(),
            Dimension::Group => format!("substr({key}, 1, 2)"),
            Dimension::Unit | Dimension::Class | Dimension::Channel | Dimension::Language | Dimension::RequestType => {
                key.to_owned()
            }
        }
    }

    /// The ticket's column that holds the roll-up's key; `None` for a key that is empty.
    const fn column(self) -> Option<&'static str> {
        match self {
            Dimension::Total | Dimension::City | Dimension::Day => None,
            Dimension::Unit => Some("lead_unit"),
            Dimension::Class | Dimension::Group => Some("class"),
            Dimension::Channel => Some("channel"),
            Dimension::Language => Some("language"),
            Dimension::RequestType => Some("request_type"),
        }
    }
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a report is by total, city, day, unit, class, group, channel, language or type")]
pub struct UnknownDimension;

impl std::str::FromStr for Dimension {
    type Err = UnknownDimension;

    fn from_str(text: &str) -> Result<Dimension, UnknownDimension> {
        Dimension::ALL.into_iter().find(|dimension| dimension.name() == text).ok_or(UnknownDimension)
    }
}

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct ReportQuery {
    pub dimension: Dimension,
    /// The first day, in Beijing.
    pub from: NaiveDate,
    /// The last day; it counts.
    pub to: NaiveDate,
    /// These only; empty: all seven.
    pub cities: Vec<City>,
    /// What this unit leads only.
    pub unit: Option<UnitCode>,
    /// What came in at this leaders' event only (一把手听民声).
    pub event: Option<Line>,
    /// The day it is: limits that end today or later could still be kept and count in no rate.
    pub today: NaiveDate,
}

impl ReportQuery {
    /// Whether the figures are sums of days that were counted, which is what [`Store::recount`] is for; a unit's own by
    /// class, channel and the like, and those of an event, are counted when they are asked for.
    pub fn is_rolled_up(&self) -> bool {
        self.event.is_none() && (self.unit.is_none() || matches!(self.dimension.rolled(), "unit" | "total"))
    }

    /// ` and …`: of which tickets it is, but for their cities.
    fn narrow(&self, sql: &mut Sql) {
        if let Some(unit) = &self.unit {
            sql.push(" and lead_unit = ").bind(unit.as_str());
        }
        if let Some(event) = &self.event {
            sql.push(" and event = ").bind(event.as_str());
        }
    }

    /// `), few as (…`: the tickets of the event, if one is asked for; whether it is.
    fn few(&self, sql: &mut Sql) -> bool {
        if self.event.is_some() {
            sql.push("), few as (select * from ticket where true");
            self.narrow(sql);
            sql.push(" and city || ''").any_of(self.slugs().into_iter());
        }
        self.event.is_some()
    }

    fn slugs(&self) -> Vec<&'static str> {
        slugs(&self.cities)
    }
}

/// City and unit are looked at only: nearly all tickets of a city came in at no event.
fn events(cities: &[City], unit: Option<&UnitCode>) -> Sql {
    let mut sql = Sql::default();
    sql.push("select event from ticket where event is not null and city || ''").any_of(slugs(cities).into_iter());
    if let Some(unit) = unit {
        sql.push(" and lead_unit || '' = ").bind(unit.as_str());
    }
    sql.push(" group by event order by max(created_at) desc, event limit ").bind(MOST_EVENTS);
    sql
}

pub(super) fn slugs(cities: &[City]) -> Vec<&'static str> {
    if cities.is_empty() { City::ALL.map(City::slug).into() } else { cities.iter().map(|city| city.slug()).collect() }
}

/// A row of a report. The key is empty in the one row of a total, and for tickets without a value: no unit, no class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportRow {
    pub key: String,
    pub counts: Counts,
    pub standings: Standings,
}

/// What a code is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub zh: String,
    pub bo: String,
}

impl Store {
    /// The rows of a report by key, those that have anything to show. Days of the period that have changed are counted
    /// anew first.
    pub async fn report(&self, query: &ReportQuery) -> Result<Vec<ReportRow>, StoreError> {
        let mut rows: BTreeMap<String, ReportRow> = BTreeMap::new();
        let counted = if query.is_rolled_up() {
            self.recount(query.from, query.to, &query.cities).await?;
            self.sums(query).await?
        } else {
            self.counted_now(query).await?
        };
        for (key, counts) in counted {
            rows.entry(key).or_default().counts = counts;
        }
        if query.dimension != Dimension::Day {
            for (key, standings) in self.standings(query).await? {
                rows.entry(key).or_default().standings = standings;
            }
        }
        rows.retain(|_, row| *row != ReportRow::default());
        Ok(rows.into_iter().map(|(key, row)| ReportRow { key, ..row }).collect())
    }

    /// How the database goes about a report, in its own words: the days that have changed, counting one of them, the sums,
    /// what stands now.
    pub async fn explain_report(&self, query: &ReportQuery) -> Result<Vec<Vec<String>>, StoreError> {
        let mut statements = vec![recount::stale(query.from, query.to, &query.cities)];
        statements.extend(Event::ALL.map(|event| recount::happened(event, Day::of(query.from), &query.cities)));
        statements.extend([sums::sums(query), sums::standings_now(query)]);
        if query.event.is_some() {
            statements.extend([sums::counted_now(query), events(&query.cities, query.unit.as_ref())]);
        }
        let mut transaction = self.begin().await?;
        recount::go_by_indexes(&mut transaction).await?;
        let mut plans = Vec::new();
        for statement in statements {
            plans.push(explain(&mut transaction, statement).await?);
        }
        Ok(plans)
    }

    /// The leaders' events that tickets of these cities came in at, the latest first; empty: of all cities. With a unit: those
    /// of tickets that it leads.
    pub async fn events(&self, cities: &[City], unit: Option<&UnitCode>) -> Result<Vec<String>, StoreError> {
        let sql = events(cities, unit);
        Ok(on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?)
    }

    /// What units, or classes and their groups, are called, by code.
    pub async fn names(&self, dimension: Dimension) -> Result<BTreeMap<String, Name>, StoreError> {
        let sql = match dimension {
            Dimension::Unit => "select code, zh, bo from unit",
            Dimension::Class | Dimension::Group => "select code, zh, bo from class",
            _ => return Ok(BTreeMap::new()),
        };
        let rows: Vec<(String, String, String)> = on!(&self.read, pool => sqlx::query_as(sql).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(|(code, zh, bo)| (code, Name { zh, bo })).collect())
    }
}
