//! Lists of recordings. As those of tickets they are put together of ranges of indexes, each in the list's order and cut
//! to a page, so that a page costs the same whatever is asked and however many recordings there are.

use chrono::{DateTime, Utc};

use super::span;
use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;
use crate::store::recordings::{COLUMNS, RecordingRow};
use crate::store::row::bigint;
use crate::store::sql::{self, Sql, builder};
use crate::store::{Cursor, MAX_PAGE, Page, Recording, Store, StoreError, on};
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{Direction, Number, RecordingKind};

/// What a list of recordings is narrowed to; nothing set: all that may be heard.
#[derive(Clone, Debug, Default)]
pub struct RecordingFilter {
    pub from: Option<DateTime<Utc>>,
    /// The first moment that no longer counts.
    pub to: Option<DateTime<Utc>>,
    pub ticket: Option<Number>,
    pub phone: Option<Phone>,
    /// Its last four digits.
    pub phone_end: Option<String>,
    pub language: Option<Language>,
    pub direction: Option<Direction>,
    pub kind: Option<RecordingKind>,
    /// At least so long.
    pub min_ms: Option<u64>,
    /// At most so long.
    pub max_ms: Option<u64>,
    /// How satisfied its ticket's requester is; any of these, 1 to 5. None named: all.
    pub satisfaction: Vec<u8>,
    /// Answers were given in its call.
    pub answered: bool,
}

/// Whose ears they are for.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    /// Any of these; `Some` of none at all finds nothing.
    pub cities: Option<Vec<City>>,
    /// Only those of tickets that this unit leads or assists.
    pub unit: Option<UnitCode>,
    /// Those of shielded and anonymous requesters too.
    pub shielded: bool,
}

impl Store {
    /// Recordings by their start, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn search_recordings(
        &self,
        filter: &RecordingFilter,
        whose: &Whose,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Recording>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let Some(sql) = statement(filter, whose, limit, cursor) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let rows: Vec<RecordingRow> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let recordings = rows.into_iter().map(Recording::try_from).collect::<Result<Vec<Recording>, _>>()?;
        let place = |recording: &Recording| Cursor { at: recording.started_at, key: recording.id.to_string() };
        Ok(Page::cut(recordings, limit, place))
    }

    /// How the database goes about such a list, in its own words: what the tests of query plans read.
    pub async fn explain_recordings(&self, filter: &RecordingFilter, whose: &Whose) -> Result<Vec<String>, StoreError> {
        match statement(filter, whose, 50, None) {
            Some(statement) => sql::explain(&mut self.begin().await?, statement).await,
            None => Ok(Vec::new()),
        }
    }
}

/// `None` when nothing can be found.
fn statement(filter: &RecordingFilter, whose: &Whose, limit: u32, cursor: Option<&Cursor>) -> Option<Sql> {
    let ranges = ranges(filter, whose);
    if ranges.is_empty() {
        return None;
    }
    let mut sql = Sql::default();
    let by_city = is_by_city(filter, whose);
    for (at, range) in ranges.into_iter().enumerate() {
        sql.push(if at == 0 { "select * from (" } else { " union select * from (" });
        sql.push(COLUMNS).extend(range);
        narrow(&mut sql, filter, whose, by_city);
        if let Some(cursor) = cursor {
            sql.push(" and (started_at, id) < (").bind(cursor.at).push(", ").bind(cursor.key.as_str()).push(")");
        }
        sql.push(" order by started_at desc, id desc limit ").bind(i64::from(limit) + 1).push(") as part");
    }
    sql.push(" order by started_at desc, id desc limit ").bind(i64::from(limit) + 1);
    Some(sql)
}

/// The beginnings of indexes that hold all that is asked for, the narrowest that there is.
fn ranges(filter: &RecordingFilter, whose: &Whose) -> Vec<Sql> {
    let one = |column: &str, value: &str| {
        let mut sql = Sql::default();
        sql.push(format!("{column} = ")).bind(value);
        sql
    };
    if whose.cities.as_ref().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    if let Some(ticket) = filter.ticket {
        return vec![one("owner", &ticket.to_string())];
    }
    if let Some(phone) = &filter.phone {
        return vec![one("phone", phone.digits())];
    }
    if let Some(end) = &filter.phone_end {
        return vec![one("phone_end", end)];
    }
    if let Some(unit) = &whose.unit {
        let mut assisting = Sql::default();
        assisting.push("owner in (select ticket from assisting where unit = ").bind(unit.as_str()).push(")");
        return vec![one("unit", unit.as_str()), assisting];
    }
    let steps = steps(filter);
    if steps.is_empty() && whose.cities.is_none() {
        let mut all = Sql::default();
        all.push("true");
        return vec![all];
    }
    let steps = if steps.is_empty() { vec![Sql::default()] } else { steps };
    let cities = whose.cities.clone().unwrap_or_else(|| City::ALL.to_vec());
    let ranges = cities.iter().flat_map(|city| {
        steps.iter().map(|step| {
            let mut range = one("city", city.slug());
            range.extend(step.clone());
            range
        })
    });
    ranges.collect()
}

/// What follows the city in an index.
fn steps(filter: &RecordingFilter) -> Vec<Sql> {
    let step = |column: &str, value: i64| {
        let mut sql = Sql::default();
        sql.push(format!(" and {column} = ")).bind(value);
        sql
    };
    if !filter.satisfaction.is_empty() {
        return filter.satisfaction.iter().map(|given| step("satisfaction", i64::from(*given))).collect();
    }
    let mut sql = Sql::default();
    if filter.answered {
        sql.push(" and answered");
        return vec![sql];
    }
    if let Some(kind) = filter.kind {
        sql.push(" and kind = ").bind(kind.name());
        return vec![sql];
    }
    if filter.min_ms.is_some() || filter.max_ms.is_some() {
        let spans = span(filter.min_ms.unwrap_or(0))..=span(filter.max_ms.unwrap_or(u64::MAX));
        return spans.map(|span| step("span", span)).collect();
    }
    Vec::new()
}

/// Whether each range is of one city.
fn is_by_city(filter: &RecordingFilter, whose: &Whose) -> bool {
    let narrower = filter.ticket.is_some() || filter.phone.is_some() || filter.phone_end.is_some();
    !narrower && whose.unit.is_none()
}

/// Everything asked for, whatever the range holds of it already; but for the city, where that is the range.
fn narrow(sql: &mut Sql, filter: &RecordingFilter, whose: &Whose, by_city: bool) {
    if let Some(cities) = whose.cities.as_ref().filter(|_| !by_city) {
        // not the column itself: no index of cities is to be preferred to that of the range
        sql.push(" and city || ''").any_of(cities.iter().map(|city| city.slug()));
    }
    if let Some(unit) = &whose.unit {
        sql.push(" and owner is not null and (coalesce(unit, '') = ").bind(unit.as_str());
        sql.push(" or exists (select 1 from assisting where assisting.ticket = recording.owner and assisting.unit = ");
        sql.bind(unit.as_str()).push("))");
    }
    if !whose.shielded {
        sql.push(" and not shielded");
    }
    if let Some(from) = filter.from {
        sql.push(" and started_at >= ").bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" and started_at < ").bind(to);
    }
    let texts = [
        ("owner", filter.ticket.map(|ticket| ticket.to_string())),
        ("phone", filter.phone.as_ref().map(|phone| phone.digits().to_owned())),
        ("phone_end", filter.phone_end.clone()),
        ("language", filter.language.map(|language| language.code().to_owned())),
        ("direction", filter.direction.map(|direction| direction.name().to_owned())),
        ("kind", filter.kind.map(|kind| kind.name().to_owned())),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            sql.push(format!(" and {column} = ")).bind(value);
        }
    }
    if let Some(min) = filter.min_ms {
        sql.push(" and duration_ms >= ").bind(bigint(min));
    }
    if let Some(max) = filter.max_ms {
        sql.push(" and duration_ms <= ").bind(bigint(max));
    }
    if !filter.satisfaction.is_empty() {
        sql.push(" and satisfaction").any_of(filter.satisfaction.iter().map(|given| i64::from(*given)));
    }
    if filter.answered {
        sql.push(" and answered");
    }
}
