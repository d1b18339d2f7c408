//! The announced days off, and the calendar made of them.

use std::sync::{Arc, PoisonError};

use chrono::NaiveDate;

use super::database::Database;
use super::row::{count, text};
use super::{Store, StoreError, Transaction, on};
use crate::ticket::calendar::{Announcement, Calendar};

/// The calendar as it was last read, with its version.
#[derive(Debug, Default)]
pub(super) struct Known {
    version: String,
    calendar: Option<Arc<Calendar>>,
}

/// The row of `meta` that changes with every announcement.
const VERSION: &str = "calendar";

impl Store {
    /// The calendar, for whoever reads; read anew only when an announcement has changed.
    pub async fn calendar(&self) -> Result<Arc<Calendar>, StoreError> {
        let version: Option<String> =
            on!(&self.read, pool => sqlx::query_scalar(VERSION_IS).bind(VERSION).fetch_optional(pool).await)?;
        let version = version.unwrap_or_default();
        if let Some(calendar) = self.known_calendar(&version) {
            return Ok(calendar);
        }
        // announcements that come after the version make it wrong, never old: the next reader reads anew
        let rows: Vec<AnnouncementRow> = on!(&self.read, pool => sqlx::query_as(SELECT).fetch_all(pool).await)?;
        Ok(self.know(version, calendar_of(rows)?))
    }

    /// The calendar as this transaction sees it; it stays so until the transaction ends. Comes before a ticket is held:
    /// whoever imports announcements takes both in this order.
    pub(super) async fn calendar_in(&self, transaction: &mut Transaction) -> Result<Arc<Calendar>, StoreError> {
        let version: Option<String> = match transaction {
            Database::Sqlite(transaction) => {
                sqlx::query_scalar(VERSION_IS).bind(VERSION).fetch_optional(&mut **transaction).await?
            }
            // here writers run side by side, and no due day may be counted by a calendar that is being changed
            Database::Postgres(transaction) => {
                const SHARED: &str = "select value from meta where name = $1 for share";
                sqlx::query_scalar(SHARED).bind(VERSION).fetch_optional(&mut **transaction).await?
            }
        };
        let version = version.unwrap_or_default();
        if let Some(calendar) = self.known_calendar(&version) {
            return Ok(calendar);
        }
        let calendar = read(transaction).await?;
        Ok(self.know(version, calendar))
    }

    fn know(&self, version: String, calendar: Calendar) -> Arc<Calendar> {
        let calendar = Arc::new(calendar);
        let mut known = self.calendar.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known { version, calendar: Some(Arc::clone(&calendar)) };
        calendar
    }

    fn known_calendar(&self, version: &str) -> Option<Arc<Calendar>> {
        let known = self.calendar.lock().unwrap_or_else(PoisonError::into_inner);
        known.calendar.as_ref().filter(|_| known.version == version).map(Arc::clone)
    }
}

const SELECT: &str = "select scope, year, off, work from announcement";
const VERSION_IS: &str = "select value from meta where name = $1";

/// The calendar as the transaction sees it; nobody else remembers it, since the transaction may be given up.
pub(super) async fn read(transaction: &mut Transaction) -> Result<Calendar, StoreError> {
    let rows: Vec<AnnouncementRow> =
        on!(transaction, transaction => sqlx::query_as(SELECT).fetch_all(&mut **transaction).await)?;
    calendar_of(rows)
}

fn calendar_of(rows: Vec<AnnouncementRow>) -> Result<Calendar, StoreError> {
    let announcements = rows.into_iter().map(Announcement::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Calendar::new(announcements))
}

/// Waits for all who count by the calendar, and has those wait who come after, until the transaction ends.
pub(super) async fn hold(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ($1, '0') \
         on conflict (name) do update set value = meta.value";
    on!(transaction, transaction => sqlx::query(SQL).bind(VERSION).execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

/// Has every process read the announcements anew.
pub(super) async fn change_version(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ($1, $2) \
         on conflict (name) do update set value = excluded.value";
    let version: Option<String> = on!(transaction, transaction => sqlx::query_scalar(VERSION_IS)
        .bind(VERSION)
        .fetch_optional(&mut **transaction)
        .await)?;
    let last = version.and_then(|version| version.parse::<u64>().ok()).unwrap_or_default();
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(VERSION)
        .bind((last + 1).to_string())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// Puts an announcement in the place of the one of its scope and year.
pub(super) async fn announce(transaction: &mut Transaction, announcement: &Announcement) -> Result<(), StoreError> {
    const SQL: &str = "insert into announcement (scope, year, off, work) values ($1, $2, $3, $4) \
         on conflict (scope, year) do update set off = excluded.off, work = excluded.work";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(announcement.scope().name())
        .bind(i64::from(announcement.year()))
        .bind(listed(announcement.off()))
        .bind(listed(announcement.work()))
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

pub(super) fn listed<'a>(days: impl IntoIterator<Item = &'a NaiveDate>) -> String {
    days.into_iter().map(NaiveDate::to_string).collect::<Vec<_>>().join(" ")
}

#[derive(sqlx::FromRow)]
struct AnnouncementRow {
    scope: String,
    year: i64,
    off: String,
    work: String,
}

impl TryFrom<AnnouncementRow> for Announcement {
    type Error = StoreError;

    fn try_from(row: AnnouncementRow) -> Result<Announcement, StoreError> {
        let days =
            |column, days: &str| days.split_whitespace().map(|day| text(column, day)).collect::<Result<Vec<_>, _>>();
        let (off, work) = (days("announcement.off", &row.off)?, days("announcement.work", &row.work)?);
        let year = count("announcement.year", row.year)?;
        Announcement::new(text("announcement.scope", &row.scope)?, year, off, work)
            .map_err(|_| StoreError::OutOfRange { column: "announcement.off" })
    }
}
