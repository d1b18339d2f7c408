//! What is kept for a while only: delivered messages and idempotency keys. The audit is kept for good.

use chrono::{DateTime, Utc};

use super::row::micros;
use super::{Store, StoreError, on};

/// Rows that one statement deletes, so that no writer waits long.
const BATCH: i64 = 500;

const MESSAGES: &str = "delete from outbox where id in (select id from outbox \
     where delivered_at is not null and delivered_at < $1 order by delivered_at, id limit $2)";
const KEYS: &str = "delete from idempotency where (client, key) in (select client, key from idempotency \
     where at < $1 order by at limit $2)";

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    pub messages: u64,
    pub keys: u64,
}

impl Store {
    /// Deletes messages that were delivered before `messages`, and idempotency keys that were used before `keys`. What waits
    /// and what was given up stays.
    ///
    /// # Errors
    /// The database's; what was deleted until then stays deleted.
    pub async fn purge(&self, messages: DateTime<Utc>, keys: DateTime<Utc>) -> Result<Purged, StoreError> {
        Ok(Purged {
            messages: self.delete_before(MESSAGES, messages).await?,
            keys: self.delete_before(KEYS, keys).await?,
        })
    }

    async fn delete_before(&self, sql: &'static str, time: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let deleted = on!(&self.write, pool => sqlx::query(sql)
                .bind(micros(time))
                .bind(BATCH)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()))?;
            all += deleted;
            if deleted < BATCH as u64 {
                return Ok(all);
            }
        }
    }
}
