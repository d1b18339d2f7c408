//! Small facts about this database.

use chrono::NaiveDate;

use super::row::text;
use super::{Store, StoreError, on};

impl Store {
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
