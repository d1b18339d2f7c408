//! A call's time line: nodes entered, prompts played, keys, SIP messages, media figures.

use chrono::{DateTime, Utc};

use super::row::{bigint, count, cut, micros, text};
use super::{Store, StoreError, on};
use crate::ticket::{CallId, EventKind};

/// Bytes of an event's text that are kept; a longer one is cut.
pub const MAX_EVENT_TEXT: usize = 8_192;

/// Rows in one statement: six values each, under the 32,766 parameters that SQLite takes.
const BATCH: usize = 1_000;

/// The most events of one call that are read.
const MAX_EVENTS: i64 = 20_000;

/// One line of a call's time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEvent {
    pub call: CallId,
    /// 0, 1, 2 … within the call.
    pub sequence: u32,
    pub at: DateTime<Utc>,
    /// Milliseconds since the call's start.
    pub offset_ms: u64,
    pub kind: EventKind,
    pub text: String,
}

impl Store {
    /// Writes events of any number of calls in one transaction; those already written are left as they are.
    pub async fn append_events(&self, events: &[CallEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for batch in events.chunks(BATCH) {
            on!(&mut transaction, transaction => {
                let mut query = sqlx::QueryBuilder::new(
                    "insert into call_event (call, sequence, at, offset_ms, kind, text) ");
                query.push_values(batch, |mut row, event| {
                    row.push_bind(event.call.to_string())
                        .push_bind(i64::from(event.sequence))
                        .push_bind(micros(event.at))
                        .push_bind(bigint(event.offset_ms))
                        .push_bind(event.kind.name())
                        .push_bind(cut(&event.text, MAX_EVENT_TEXT));
                });
                query.push(" on conflict (call, sequence) do nothing");
                query.build().execute(&mut **transaction).await.map(drop)
            })?;
        }
        transaction.commit().await
    }

    /// A call's events in their order.
    pub async fn call_events(&self, call: CallId) -> Result<Vec<CallEvent>, StoreError> {
        const SQL: &str = "select call, sequence, at, offset_ms, kind, text from call_event where call = $1 \
             order by sequence limit $2";
        let rows: Vec<EventRow> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(call.to_string())
            .bind(MAX_EVENTS)
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(CallEvent::try_from).collect()
    }
}

#[derive(sqlx::FromRow)]
struct EventRow {
    call: String,
    sequence: i64,
    at: DateTime<Utc>,
    offset_ms: i64,
    kind: String,
    text: String,
}

impl TryFrom<EventRow> for CallEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<CallEvent, StoreError> {
        Ok(CallEvent {
            call: text("call_event.call", &row.call)?,
            sequence: count("call_event.sequence", row.sequence)?,
            at: row.at,
            offset_ms: count("call_event.offset_ms", row.offset_ms)?,
            kind: text("call_event.kind", &row.kind)?,
            text: row.text,
        })
    }
}
