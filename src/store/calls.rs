//! Calls: the row that exists before the first sample of a recording.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::page::narrow;
use super::row::{cut, micros, optional_text, phone, text};
use super::{Cursor, Filter, MAX_PAGE, Page, Store, StoreError, on};
use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{CallEnd, CallId, Direction};

const COLUMNS: &str = "select id, node, direction, sip_call_id, city, line, phone, language, \
     started_at, answered_at, ended_at, ended_by from call where true";

/// Bytes of a SIP Call-ID that are kept.
const MAX_CALL_ID: usize = 255;

/// A call as it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCall {
    pub id: CallId,
    /// The name of this machine, which repairs the call if it dies and serves its recordings.
    pub node: String,
    pub direction: Direction,
    /// The SIP Call-ID, to find the call in another system's log.
    pub sip_call_id: Option<String>,
    pub city: City,
    /// The called number of the line that took it.
    pub line: String,
    /// The other side's number; `None` when withheld.
    #[serde(with = "super::row::digits")]
    pub phone: Option<Phone>,
    pub language: Option<Language>,
    pub started_at: DateTime<Utc>,
    /// `None` while it rings.
    pub answered_at: Option<DateTime<Utc>>,
}

/// A call's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedCall {
    pub id: CallId,
    /// `None` leaves what `insert_call` said.
    pub answered_at: Option<DateTime<Utc>>,
    /// The language at the end; `None` leaves what `insert_call` said.
    pub language: Option<Language>,
    pub ended_at: DateTime<Utc>,
    pub ended_by: CallEnd,
}

/// A call's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub id: CallId,
    pub node: String,
    pub direction: Direction,
    pub sip_call_id: Option<String>,
    pub city: City,
    pub line: String,
    pub phone: Option<Phone>,
    pub language: Option<Language>,
    pub started_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    /// `None` while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<CallEnd>,
}

impl Store {
    /// Writes the call's row. A second time with the same id changes nothing.
    pub async fn insert_call(&self, call: &NewCall) -> Result<(), StoreError> {
        const SQL: &str = "insert into call (id, node, direction, sip_call_id, city, line, phone, language, \
             started_at, answered_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing";
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(call.id.to_string())
            .bind(&call.node)
            .bind(call.direction.name())
            .bind(call.sip_call_id.as_ref().map(|id| cut(id, MAX_CALL_ID)))
            .bind(call.city.slug())
            .bind(&call.line)
            .bind(call.phone.as_ref().map(Phone::digits))
            .bind(call.language.map(Language::code))
            .bind(micros(call.started_at))
            .bind(call.answered_at.map(micros))
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Closes a running call; `false` when it is not in the database or closed already. When its ticket could
    /// not be submitted, leave the call open: the repair makes up for it.
    pub async fn close_call(&self, end: &EndedCall) -> Result<bool, StoreError> {
        const SQL: &str = "update call set answered_at = coalesce($2, answered_at), \
             language = coalesce($3, language), ended_at = $4, ended_by = $5 where id = $1 and ended_at is null";
        const RECORDED: &str = "update recording set language = $2 where call = $1";
        let mut transaction = self.begin().await?;
        let changed = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(end.id.to_string())
            .bind(end.answered_at.map(micros))
            .bind(end.language.map(Language::code))
            .bind(micros(end.ended_at))
            .bind(end.ended_by.name())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if let (1, Some(language)) = (changed, end.language) {
            on!(&mut transaction, transaction => sqlx::query(RECORDED)
                .bind(end.id.to_string())
                .bind(language.code())
                .execute(&mut **transaction)
                .await
                .map(drop))?;
        }
        transaction.commit().await?;
        Ok(changed == 1)
    }

    /// One call.
    pub async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        let row: Option<CallRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push(" and id = ").push_bind(id.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Call::try_from).transpose()
    }

    /// Calls by start, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn calls(&self, filter: &Filter, limit: u32, cursor: Option<&Cursor>) -> Result<Page<Call>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let rows: Vec<CallRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            narrow!(query, filter, cursor, limit, "started_at", "id");
            query.build_query_as().fetch_all(pool).await
        })?;
        let calls = rows.into_iter().map(Call::try_from).collect::<Result<Vec<Call>, _>>()?;
        Ok(Page::cut(calls, limit, |call| Cursor { at: call.started_at, key: call.id.to_string() }))
    }

    /// The calls of a machine that were never closed, oldest first.
    pub(super) async fn open_calls(&self, node: &str) -> Result<Vec<Call>, StoreError> {
        let rows: Vec<CallRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push(" and ended_at is null and node = ").push_bind(node).push(" order by started_at, id");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Call::try_from).collect()
    }
}

#[derive(sqlx::FromRow)]
struct CallRow {
    id: String,
    node: String,
    direction: String,
    sip_call_id: Option<String>,
    city: String,
    line: String,
    phone: Option<String>,
    language: Option<String>,
    started_at: DateTime<Utc>,
    answered_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<String>,
}

impl TryFrom<CallRow> for Call {
    type Error = StoreError;

    fn try_from(row: CallRow) -> Result<Call, StoreError> {
        Ok(Call {
            id: text("call.id", &row.id)?,
            node: row.node,
            direction: text("call.direction", &row.direction)?,
            sip_call_id: row.sip_call_id,
            city: text("call.city", &row.city)?,
            line: row.line,
            phone: phone("call.phone", row.phone.as_deref())?,
            language: optional_text("call.language", row.language.as_deref())?,
            started_at: row.started_at,
            answered_at: row.answered_at,
            ended_at: row.ended_at,
            ended_by: optional_text("call.ended_by", row.ended_by.as_deref())?,
        })
    }
}
