//! Counting days anew: whole days of whole cities, by one statement over all that happened on them.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::figures::{columns, facts};
use super::sums::Day;
use super::{Dimension, Store, StoreError, on, slugs};
use crate::city::City;
use crate::store::Transaction;
use crate::store::database::Database;
use crate::store::row::text;
use crate::store::sql::{Sql, builder};

/// Days of cities that one transaction counts. Writers wait for it, and more at once are counted no faster.
const BATCH: usize = 8;

/// The dimensions with roll-ups of their own.
const ROLLED: [Dimension; 6] = [
    Dimension::Total,
    Dimension::Unit,
    Dimension::Class,
    Dimension::Channel,
    Dimension::Language,
    Dimension::RequestType,
];

/// Follows the values of `s`.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let (mut keys, mut dimensions) = (String::new(), Vec::new());
    for dimension in ROLLED {
        dimensions.push(format!("select '{dimension}' as dimension"));
        if let Some(column) = dimension.column() {
            keys.push_str(&format!(" when '{dimension}' then coalesce(f.{column}, '')"));
        }
    }
    format!(
        ") insert into report_day (dimension, day, city, key{}) \
         select d.dimension, f.day, f.city, case d.dimension{keys} else '' end{} \
         from ({}) f cross join ({}) d group by 1, 2, 3, 4",
        columns(|figure| figure.to_string()),
        columns(|figure| format!("sum(f.{figure})")),
        facts(),
        dimensions.join(" union all "),
    )
});

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
        let days = self.stale_days(from, to, cities).await?;
        let mut done = Recounted { counted: 0, left: days.len() };
        for batch in days.chunks(BATCH) {
            if done.left < days.len() && !go_on() {
                break;
            }
            let mut transaction = self.begin().await?;
            lock(&mut transaction).await?;
            let mut changed = Vec::with_capacity(batch.len());
            for (day, city) in batch {
                // without marks now, another count has taken them
                if forget(&mut transaction, day.day, *city).await? {
                    changed.push((*day, *city));
                }
            }
            if !changed.is_empty() {
                count(&mut transaction, &changed).await?;
            }
            transaction.commit().await?;
            done.counted += changed.len();
            done.left -= batch.len();
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

/// Two counts come one after the other.
async fn lock(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ('recount', '') \
         on conflict (name) do update set value = excluded.value";
    on!(transaction, transaction => sqlx::query(SQL).execute(&mut **transaction).await.map(drop))?;
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
    sql.push(" and dimension").any_of(ROLLED.iter().map(|dimension| dimension.name()));
    on!(transaction, transaction => builder!(sql).build().execute(&mut **transaction).await.map(drop))?;
    Ok(true)
}

async fn count(transaction: &mut Transaction, days: &[(Day, City)]) -> Result<(), StoreError> {
    go_by_indexes(transaction).await?;
    let sql = counts(days);
    on!(transaction, transaction => builder!(sql).build().execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

/// PostgreSQL takes the times of a day, which it does not know when it plans, for an eighth of all visits, reads the whole
/// table of tickets for them, and compiles the statement first.
pub(super) async fn go_by_indexes(transaction: &mut Transaction) -> Result<(), StoreError> {
    if let Database::Postgres(transaction) = transaction {
        for setting in ["enable_hashjoin", "enable_mergejoin", "jit"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("set local {setting} = off"))).execute(&mut **transaction).await?;
        }
    }
    Ok(())
}

/// The days of cities that have marks.
pub(super) fn stale(from: NaiveDate, to: NaiveDate, cities: &[City]) -> Sql {
    let mut sql = Sql::default();
    sql.push("select distinct day, city from report_stale where day >= ").bind(from).push(" and day <= ").bind(to);
    sql.push(" and city").any_of(slugs(cities).into_iter()).push(" order by day, city");
    sql
}

/// Writes the roll-ups of these days.
pub(super) fn counts(days: &[(Day, City)]) -> Sql {
    let mut sql = Sql::default();
    sql.push("with s (day, starts, ends, city) as (").values(days.iter().map(|(day, city)| {
        let [day, starts, ends] = day.values();
        [day, starts, ends, city.slug().into()]
    }));
    sql.push(INSERT.as_str());
    sql
}
