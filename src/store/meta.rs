//! Small facts about this database.

use chrono::NaiveDate;

use super::row::text;
use super::{Store, StoreError, Transaction, on};

/// A fill in bulk has begun and not ended.
const FILLING: &str = "filling";

pub(super) async fn set_filling(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ($1, '')";
    on!(transaction, transaction => sqlx::query(SQL).bind(FILLING).execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

impl Store {
    pub(super) async fn is_filling(&self) -> Result<bool, StoreError> {
        const SQL: &str = "select value from meta where name = $1";
        let mark: Option<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(FILLING).fetch_optional(pool).await)?;
        Ok(mark.is_some())
    }

    pub(super) async fn set_filled(&self) -> Result<(), StoreError> {
        const SQL: &str = "delete from meta where name = $1";
        on!(&self.write, pool => sqlx::query(SQL).bind(FILLING).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// The day up to which that machine's recordings were found in order.
    pub(super) async fn repaired_until(&self, node: &str) -> Result<Option<NaiveDate>, StoreError> {
        const SQL: &str = "select value from meta where name = $1";
        let day: Option<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(name(node)).fetch_optional(pool).await)?;
        day.map(|day| text("meta.value", &day)).transpose()
    }

    pub(super) async fn set_repaired_until(&self, node: &str, day: NaiveDate) -> Result<(), StoreError> {
        const SQL: &str = "insert into meta (name, value) values ($1, $2) \
             on conflict (name) do update set value = excluded.value";
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(name(node))
            .bind(day.to_string())
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }
}

fn name(node: &str) -> String {
    format!("repaired_until {node}")
}
