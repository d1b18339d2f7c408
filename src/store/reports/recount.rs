//! Counting days anew: what happened on a day is read once, event by event, and counted here in every dimension.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::figures::{bits, city, figures_of, source};
use super::hours::hour;
use super::sums::Day;
use super::{Dimension, Store, StoreError, on, slugs};
use crate::city::City;
use crate::store::Transaction;
use crate::store::database::Database;
use crate::store::row::{bigint, text};
use crate::store::sql::{Sql, builder};
use crate::ticket::figure::{Counts, Event, Figure};

/// Days of cities that one transaction counts: writers wait for it.
const BATCH: usize = 8;

/// As many when nobody waits: about a week.
const LARGE_BATCH: usize = 7 * City::ALL.len();

/// The dimensions with roll-ups of their own.
const ROLLED: [Dimension; 6] = [
    Dimension::Total,
    Dimension::Unit,
    Dimension::Class,
    Dimension::Channel,
    Dimension::Language,
    Dimension::RequestType,
];

/// Beside them, of what was received: the hour in Beijing, `00` to `23`, for [`Store::hours`].
pub(super) const HOUR: &str = "hour";

/// Rows of roll-ups that one statement writes, of 34 values each.
const ROWS: usize = 100;

/// How far a count went, in days of cities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recounted {
    pub counted: usize,
    /// Not counted yet.
    pub left: usize,
}

impl Store {
    /// Counts the days of the period anew that have changed since they were counted; gives their number.
    pub async fn recount(&self, from: NaiveDate, to: NaiveDate, cities: &[City]) -> Result<usize, StoreError> {
        Ok(self.recount_while(from, to, cities, || true).await?.counted)
    }

    /// As [`Store::recount`], a few days a transaction for as long as it is to go on; some are counted whatever `go_on`
    /// says, so that who asks often enough gets to the end.
    pub async fn recount_while(
        &self,
        from: NaiveDate,
        to: NaiveDate,
        cities: &[City],
        go_on: impl Fn() -> bool,
    ) -> Result<Recounted, StoreError> {
        self.recount_batches(from, to, cities, BATCH, |_| go_on()).await
    }

    /// As [`Store::recount`] where nothing else writes; `progress` hears how far it is.
    pub(in crate::store) async fn recount_all(
        &self,
        from: NaiveDate,
        to: NaiveDate,
        mut progress: impl FnMut(Recounted),
    ) -> Result<(), StoreError> {
        let heard = |done| {
            progress(done);
            true
        };
        self.recount_batches(from, to, &[], LARGE_BATCH, heard).await.map(drop)
    }

    async fn recount_batches(
        &self,
        from: NaiveDate,
        to: NaiveDate,
        cities: &[City],
        most: usize,
        mut go_on: impl FnMut(Recounted) -> bool,
    ) -> Result<Recounted, StoreError> {
        let stale = self.stale_days(from, to, cities).await?;
        let mut done = Recounted { counted: 0, left: stale.len() };
        for batch in stale.chunks(most) {
            let mut transaction = self.begin().await?;
            lock(&mut transaction).await?;
            for day in batch.chunk_by(same_day) {
                let mut changed = Vec::with_capacity(day.len());
                for (day, city) in day {
                    // without marks now, another count has taken them
                    if forget(&mut transaction, day.day, *city).await? {
                        changed.push(*city);
                    }
                }
                if !changed.is_empty() {
                    count(&mut transaction, day[0].0, &changed).await?;
                }
                done.counted += changed.len();
            }
            transaction.commit().await?;
            done.left -= batch.len();
            if !go_on(done) {
                break;
            }
        }
        Ok(done)
    }

    async fn stale_days(
        &self,
        from: NaiveDate,
        to: NaiveDate,
        cities: &[City],
    ) -> Result<Vec<(Day, City)>, StoreError> {
        let sql = stale(from, to, cities);
        let stale: Vec<(NaiveDate, String)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        stale.into_iter().map(|(day, city)| Ok((Day::of(day), text::<City>("report_stale.city", &city)?))).collect()
    }
}

fn same_day(one: &(Day, City), other: &(Day, City)) -> bool {
    one.0.day == other.0.day
}

/// Two counts come one after the other.
async fn lock(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ('recount', '') \
         on conflict (name) do update set value = excluded.value";
    on!(&mut *transaction, transaction => sqlx::query(SQL).execute(&mut **transaction).await.map(drop))?;
    go_by_indexes(transaction).await
}

/// PostgreSQL takes the times of a day, which it does not know when it plans, for an eighth of all visits, and reads the whole
/// table of tickets for them.
pub(super) async fn go_by_indexes(transaction: &mut Transaction) -> Result<(), StoreError> {
    if let Database::Postgres(transaction) = transaction {
        for setting in ["enable_hashjoin", "enable_mergejoin"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("set local {setting} = off"))).execute(&mut **transaction).await?;
        }
    }
    Ok(())
}

/// The marks go before the count: what is committed in between leaves a mark that this takes no notice of. Whether there
/// were any.
async fn forget(transaction: &mut Transaction, day: NaiveDate, city: City) -> Result<bool, StoreError> {
    const MARKS: &str = "delete from report_stale where day = $1 and city = $2";
    let marks = on!(transaction, transaction => sqlx::query(MARKS)
        .bind(day)
        .bind(city.slug())
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    if marks == 0 {
        return Ok(false);
    }
    let mut sql = Sql::default();
    sql.push("delete from report_day where day = ").bind(day).push(" and city = ").bind(city.slug());
    sql.push(" and dimension").any_of(names().into_iter());
    on!(transaction, transaction => builder!(sql).build().execute(&mut **transaction).await.map(drop))?;
    Ok(true)
}

/// One day of these cities. An eventful day of all seven has a few thousand rows an event.
async fn count(transaction: &mut Transaction, day: Day, cities: &[City]) -> Result<(), StoreError> {
    let mut tally = Tally::default();
    for event in Event::ALL {
        let sql = happened(event, day, cities);
        let rows: Vec<Happened> =
            on!(&mut *transaction, transaction => builder!(sql).build_query_as().fetch_all(&mut **transaction).await)?;
        let figures: Vec<Figure> = figures_of(event).collect();
        rows.iter().for_each(|row| tally.add(&figures, row));
        if event == Event::Created {
            rows.iter().for_each(|row| tally.add_hour(&figures, row));
        }
    }
    tally.write(transaction, day.day).await
}

/// City, the keys of the rolled-up dimensions but for the total, when the ticket was created, and which of the event's
/// figures count it.
type Happened = (String, String, String, String, String, String, DateTime<Utc>, i64);

/// What happened on a day.
pub(super) fn happened(event: Event, day: Day, cities: &[City]) -> Sql {
    let mut sql = Sql::default();
    sql.push("with s (day, starts, ends) as (").values(std::iter::once(day.values())).push(") select t.city");
    for column in ROLLED.iter().filter_map(|dimension| dimension.column()) {
        sql.push(format!(", coalesce(t.{column}, '')"));
    }
    sql.push(format!(", t.created_at, {} from {} and {}", bits(event), source(event), city(event)));
    sql.any_of(slugs(cities).into_iter());
    sql
}

/// A day's roll-ups, by city, by dimension ([`names`]) and by key.
#[derive(Default)]
struct Tally(HashMap<String, [HashMap<String, Counts>; ROLLED.len() + 1]>);

/// The roll-ups' dimensions.
fn names() -> [&'static str; ROLLED.len() + 1] {
    let [total, unit, class, channel, language, request_type] = ROLLED.map(Dimension::name);
    [total, unit, class, channel, language, request_type, HOUR]
}

impl Tally {
    fn add(&mut self, figures: &[Figure], (city, unit, class, channel, language, request_type, _, bits): &Happened) {
        let rolled = entry(&mut self.0, city);
        for (counts, key) in rolled.iter_mut().zip(["", unit, class, channel, language, request_type]) {
            add_bits(entry(counts, key), figures, *bits);
        }
    }

    fn add_hour(&mut self, figures: &[Figure], (city, .., created_at, bits): &Happened) {
        let hours = &mut entry(&mut self.0, city)[ROLLED.len()];
        add_bits(entry(hours, &format!("{:02}", hour(*created_at))), figures, *bits);
    }

    async fn write(self, transaction: &mut Transaction, day: NaiveDate) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for (city, rolled) in &self.0 {
            for (dimension, counts) in names().into_iter().zip(rolled) {
                rows.extend(counts.iter().map(|(key, counts)| (dimension, city.as_str(), key.as_str(), counts)));
            }
        }
        // in the order of the table's key, whose pages are then written once
        rows.sort_unstable_by_key(|(dimension, city, key, _)| (*dimension, *city, *key));
        let columns: Vec<&str> = Figure::ALL.iter().map(|figure| figure.name()).collect();
        let into = format!("insert into report_day (dimension, day, city, key, {}) ", columns.join(", "));
        on!(transaction, transaction => for rows in rows.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::new(into.as_str());
            query.push_values(rows, |mut row, (dimension, city, key, counts)| {
                row.push_bind(*dimension).push_bind(day).push_bind(*city).push_bind(*key);
                for figure in Figure::ALL {
                    row.push_bind(bigint(counts.of(*figure)));
                }
            });
            query.build().persistent(rows.len() == ROWS).execute(&mut **transaction).await?;
        });
        Ok(())
    }
}

fn add_bits(counts: &mut Counts, figures: &[Figure], bits: i64) {
    for (at, figure) in figures.iter().enumerate() {
        counts.add(*figure, u64::from(bits >> at & 1 == 1));
    }
}

fn entry<'a, T: Default>(map: &'a mut HashMap<String, T>, key: &str) -> &'a mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.get_mut(key).expect("put there")
}

/// The days of cities that have marks.
pub(super) fn stale(from: NaiveDate, to: NaiveDate, cities: &[City]) -> Sql {
    let mut sql = Sql::default();
    sql.push("select distinct day, city from report_stale where day >= ").bind(from).push(" and day <= ").bind(to);
    sql.push(" and city").any_of(slugs(cities).into_iter()).push(" order by day, city");
    sql
}
