//! Recordings whose time is over. The row is marked first, then the file goes, then the row says so: whatever a crash
//! leaves half done is found by the mark and done again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::holds::COVERED;
use crate::city::City;
use crate::store::audit::{self, Act};
use crate::store::row::{count, micros, text};
use crate::store::{Store, StoreError, Transaction, on};
use crate::ticket::{Action, Actor, Change, RecordingId};

/// Rows that one transaction marks.
const BATCH: i64 = 100;

/// A marked recording whose file is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    pub id: RecordingId,
    /// Below the folder of recordings.
    pub path: String,
}

/// A recording whose mark was set or taken away.
#[derive(sqlx::FromRow)]
struct Marked {
    id: String,
    call: String,
    owner: Option<String>,
}

impl Marked {
    /// A line of its ticket, or of its call: it is gone, or there again.
    async fn told(self, transaction: &mut Transaction, action: Action, now: DateTime<Utc>) -> Result<(), StoreError> {
        let subject = self.owner.unwrap_or_else(|| format!("call {}", self.call));
        let (was, is) = if action == Action::Erased { (Some(self.id), None) } else { (None, Some(self.id)) };
        let changes = [Change { field: "recording", was, is }];
        audit::append(transaction, &Act { changes: &changes, ..Act::new(&subject, now, Actor::System, action) }).await
    }
}

/// A recording as its row says that it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDisk {
    /// Below the folder of recordings.
    pub path: String,
    /// It is being deleted: its sound may be gone already.
    pub marked: bool,
}

/// A finding of the nightly check of a machine's recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordingsChecked {
    /// When it was looked.
    pub at: DateTime<Utc>,
    /// Files that no row names.
    pub without_row: u64,
    /// Rows whose sound should be there and is not.
    pub without_file: u64,
}

/// How many of a city's recordings will be deleted soon, and how many are kept beyond their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    pub due: u64,
    /// Under legal hold, however old.
    pub held: u64,
}

impl Store {
    /// Of each city that has any: `due` are the recordings that began before then and are not held.
    pub async fn recordings_outlook(&self, before: DateTime<Utc>) -> Result<BTreeMap<City, Outlook>, StoreError> {
        let due = format!(
            "select city, count(*) from recording where deleted_at is null and state = 'closed' \
             and started_at < $1 and city is not null and (owner is null or owner not in ({COVERED})) group by city"
        );
        let held = format!(
            "select city, count(*) from recording where owner in ({COVERED}) \
             and erased_at is null and city is not null group by city"
        );
        let (due, held) = (sqlx::AssertSqlSafe(due), sqlx::AssertSqlSafe(held));
        let due: Vec<(String, i64)> =
            on!(&self.read, pool => sqlx::query_as(due).bind(micros(before)).fetch_all(pool).await)?;
        let held: Vec<(String, i64)> = on!(&self.read, pool => sqlx::query_as(held).fetch_all(pool).await)?;
        let mut outlook: BTreeMap<City, Outlook> = BTreeMap::new();
        for (city, recordings) in due {
            outlook.entry(text("recording.city", &city)?).or_default().due = count("count", recordings)?;
        }
        for (city, recordings) in held {
            outlook.entry(text("recording.city", &city)?).or_default().held = count("count", recordings)?;
        }
        Ok(outlook)
    }

    /// Marks closed recordings that began before then as deleted, unless their ticket or one that is merged with it is held;
    /// each is a line in the audit of its ticket, or of its call. Gives how many. A mark on what is held by now is taken away, which
    /// is another line.
    ///
    /// # Errors
    /// The database's; what was marked until then stays marked.
    pub async fn expire_recordings(&self, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let sql = format!(
            "update recording set deleted_at = $1 where deleted_at is null and id in (select id from recording \
             where deleted_at is null and state = 'closed' and started_at < $2 \
             and (owner is null or owner not in ({COVERED})) \
             order by started_at, id limit $3) returning id, call, owner"
        );
        self.save_held(now).await?;
        let mut all = 0;
        loop {
            let mut transaction = self.begin().await?;
            let marked: Vec<Marked> = on!(&mut transaction, transaction => sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str()))
                .bind(micros(now))
                .bind(micros(before))
                .bind(BATCH)
                .fetch_all(&mut **transaction)
                .await)?;
            let full = marked.len() as i64 == BATCH;
            all += marked.len() as u64;
            for marked in marked {
                marked.told(&mut transaction, Action::Erased, now).await?;
            }
            transaction.commit().await?;
            if !full {
                return Ok(all);
            }
        }
    }

    /// Takes the mark off recordings that are held and still have their files: they were marked while their hold was being
    /// placed, or before their ticket was merged with one that is held.
    async fn save_held(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = format!(
            "update recording set deleted_at = null \
             where deleted_at is not null and erased_at is null and owner in ({COVERED}) returning id, call, owner"
        );
        let mut transaction = self.begin().await?;
        let saved: Vec<Marked> = on!(&mut transaction, transaction => sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut **transaction).await)?;
        for saved in saved {
            saved.told(&mut transaction, Action::Held, now).await?;
        }
        transaction.commit().await
    }

    /// Marked recordings of this machine whose files are to go: of those that are held, none.
    pub async fn recordings_to_erase(&self, node: &str, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let sql = format!(
            "select id, path from recording where node = $1 and deleted_at is not null and erased_at is null \
             and (owner is null or owner not in ({COVERED})) order by deleted_at limit $2"
        );
        let rows: Vec<(String, String)> = on!(&self.read, pool => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(node)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(|(id, path)| Ok(Expired { id: text("recording.id", &id)?, path })).collect()
    }

    /// The file of a recording is gone for good, and its waveform with it. If somebody held it in the last moment, the row says
    /// what is true.
    pub async fn recording_erased(&self, id: RecordingId, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "update recording set erased_at = $2, deleted_at = coalesce(deleted_at, $2) where id = $1 and erased_at is null";
        const PEAKS: &str = "delete from recording_peaks where recording = $1";
        let mut transaction = self.begin().await?;
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(id.to_string())
            .bind(micros(now))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        on!(&mut transaction, transaction => sqlx::query(PEAKS)
            .bind(id.to_string())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        transaction.commit().await
    }

    /// This machine's recordings that began in that time and whose files are not gone for good.
    pub async fn recordings_on_disk(
        &self,
        node: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<OnDisk>, StoreError> {
        const SQL: &str = "select path, deleted_at from recording where started_at >= $2 and started_at < $3 \
             and node = $1 and erased_at is null";
        let rows: Vec<(String, Option<DateTime<Utc>>)> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(node)
            .bind(micros(from))
            .bind(micros(to))
            .fetch_all(pool)
            .await)?;
        Ok(rows.into_iter().map(|(path, deleted_at)| OnDisk { path, marked: deleted_at.is_some() }).collect())
    }

    /// When this machine's first recording began that is still kept.
    pub async fn first_recording(&self, node: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str =
            "select started_at from recording where deleted_at is null and node = $1 order by started_at limit 1";
        Ok(on!(&self.read, pool => sqlx::query_scalar(SQL).bind(node).fetch_optional(pool).await)?)
    }

    /// What the last check of this machine's recordings found.
    pub async fn recordings_checked(&self, node: &str) -> Result<Option<RecordingsChecked>, StoreError> {
        const SQL: &str = "select value from meta where name = $1";
        let value: Option<String> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(checked(node))
            .fetch_optional(pool)
            .await)?;
        let read = |value: String| serde_json::from_str(&value);
        value.map(read).transpose().map_err(|_| StoreError::OutOfRange { column: "meta.value" })
    }

    /// Keeps what a check found.
    pub async fn set_recordings_checked(&self, node: &str, found: &RecordingsChecked) -> Result<(), StoreError> {
        const SQL: &str = "insert into meta (name, value) values ($1, $2) \
             on conflict (name) do update set value = excluded.value";
        let value = serde_json::to_string(found).expect("numbers and a time");
        on!(&self.write, pool => sqlx::query(SQL).bind(checked(node)).bind(value).execute(pool).await.map(drop))?;
        Ok(())
    }
}

fn checked(node: &str) -> String {
    format!("recordings_checked {node}")
}
