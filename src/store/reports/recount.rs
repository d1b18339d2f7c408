//! Counting days anew: whole days of whole cities, by one statement over all that happened on them.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::figures::{columns, facts};
use super::sums::{Day, among};
use super::{Dimension, Store, StoreError, on, slugs};
use crate::city::City;
use crate::store::Transaction;
use crate::store::row::text;

/// Days of cities that one transaction counts. Writers wait for it.
const BATCH: usize = 32;

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

impl Store {
    /// Counts the days of the period anew that have changed since they were counted; gives their number.
    pub async fn recount(&self, from: NaiveDate, to: NaiveDate, cities: &[City]) -> Result<usize, StoreError> {
        let stale: Vec<(NaiveDate, String)> = on!(&self.read, pool => {
            let mut sql = sqlx::QueryBuilder::new("select distinct day, city from report_stale where day >= ");
            sql.push_bind(from).push(" and day <= ").push_bind(to);
            among!(sql, "city", slugs(cities));
            sql.push(" order by day, city");
            sql.build_query_as().fetch_all(pool).await
        })?;
        let mut days = Vec::new();
        for (day, city) in stale {
            days.push((Day::of(day), text::<City>("report_stale.city", &city)?));
        }
        for batch in days.chunks(BATCH) {
            let mut transaction = self.begin().await?;
            lock(&mut transaction).await?;
            for (day, city) in batch {
                forget(&mut transaction, day.day, *city).await?;
            }
            count(&mut transaction, batch).await?;
            transaction.commit().await?;
        }
        Ok(days.len())
    }
}

/// Two counts come one after the other.
async fn lock(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ('recount', '') \
         on conflict (name) do update set value = excluded.value";
    on!(transaction, transaction => sqlx::query(SQL).execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

/// The marks go before the count: what is committed in between leaves a mark that this takes no notice of.
async fn forget(transaction: &mut Transaction, day: NaiveDate, city: City) -> Result<(), StoreError> {
    const MARKS: &str = "delete from report_stale where day = $1 and city = $2";
    on!(transaction, transaction => sqlx::query(MARKS)
        .bind(day)
        .bind(city.slug())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    on!(transaction, transaction => {
        let mut sql = sqlx::QueryBuilder::new("delete from report_day where day = ");
        sql.push_bind(day).push(" and city = ").push_bind(city.slug());
        among!(sql, "dimension", ROLLED.map(Dimension::name));
        sql.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}

async fn count(transaction: &mut Transaction, days: &[(Day, City)]) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut sql = sqlx::QueryBuilder::new("with s (day, starts, ends, city) as (");
        sql.push_values(days, |mut row, (day, city)| {
            row.push_bind(day.day).push_bind(day.starts).push_bind(day.ends).push_bind(city.slug());
        });
        sql.push(INSERT.as_str());
        sql.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}
