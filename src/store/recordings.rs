//! The rows of recordings; their sound is in files.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::row::{bigint, count, micros, optional_text, phone, text};
use super::{Store, StoreError, listening, on};
use crate::city::City;
use crate::language::Language;
use crate::media::peaks::Peaks;
use crate::phone::Phone;
use crate::ticket::{CallId, Direction, EndedBy, Number, RecordingId, RecordingKind, RecordingState};

pub(super) const COLUMNS: &str = "select id, call, ticket, kind, node, path, channels, started_at, state, \
     duration_ms, sha256, bytes, ended_by, damaged, city, direction, language, phone, owner, satisfaction, answered, \
     loud_ms, deleted_at from recording where ";

/// Less is short.
const SHORT_MS: u64 = 3_000;
/// Less that is louder than a line's noise is silence: a click is no word.
const SILENT_MS: u64 = 200;

/// A recording as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecording {
    pub id: RecordingId,
    pub call: CallId,
    pub kind: RecordingKind,
    /// The machine that holds the file.
    pub node: String,
    /// Below that machine's folder of recordings: `2026/11/22/….wav`.
    pub path: String,
    /// 1, or 2: caller left, system right.
    pub channels: u8,
    pub started_at: DateTime<Utc>,
}

/// A recording's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedRecording {
    pub id: RecordingId,
    pub duration_ms: u64,
    /// Of the whole file, 64 lower-case hex digits.
    pub sha256: String,
    /// The file's length.
    pub bytes: u64,
    pub ended_by: EndedBy,
    /// Sound is missing: the writer fell behind or the disk failed.
    pub damaged: bool,
    /// `None`: whoever asks first has them made of the file.
    pub peaks: Option<Peaks>,
}

/// A recording's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    pub id: RecordingId,
    pub call: CallId,
    pub ticket: Option<Number>,
    pub kind: RecordingKind,
    pub node: String,
    pub path: String,
    pub channels: u8,
    pub started_at: DateTime<Utc>,
    pub state: RecordingState,
    /// This and the next three are `None` while it is open.
    pub duration_ms: Option<u64>,
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
    pub ended_by: Option<EndedBy>,
    pub damaged: bool,
    /// This and the next three are its call's.
    pub city: City,
    pub direction: Direction,
    pub language: Option<Language>,
    pub phone: Option<Phone>,
    /// The ticket it belongs to: its own, its call's, or that of the return visit it was made in.
    pub owner: Option<Number>,
    /// That ticket's, 1 to 5.
    pub satisfaction: Option<u8>,
    /// The requester answered a question of a return visit in its call.
    pub answered: bool,
    /// Of the caller's channel; `None` until it was measured.
    pub loud_ms: Option<u64>,
    /// Its time was over: there is no sound any more.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Recording {
    /// Under three seconds.
    pub fn is_short(&self) -> bool {
        self.duration_ms.is_some_and(|duration_ms| duration_ms < SHORT_MS)
    }

    /// Nobody is heard on the caller's side.
    pub fn is_silent(&self) -> bool {
        self.loud_ms.is_some_and(|loud_ms| loud_ms < SILENT_MS)
    }
}

impl Store {
    /// Writes the recording's row, before its first sample; its call's row comes first. A second time with the
    /// same id changes nothing.
    pub async fn begin_recording(&self, recording: &NewRecording) -> Result<(), StoreError> {
        const SQL: &str = "insert into recording (id, call, kind, node, path, channels, started_at, state, damaged, \
             city, direction, language, phone, phone_end) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select call.city from call where call.id = $2), \
             (select call.direction from call where call.id = $2), (select call.language from call where call.id = $2), \
             (select call.phone from call where call.id = $2), \
             (select substr(call.phone, length(call.phone) - 3) from call where call.id = $2)) on conflict (id) do nothing";
        let mut transaction = self.begin().await?;
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(recording.id.to_string())
            .bind(recording.call.to_string())
            .bind(recording.kind.name())
            .bind(&recording.node)
            .bind(&recording.path)
            .bind(i64::from(recording.channels))
            .bind(micros(recording.started_at))
            .bind(RecordingState::Open.name())
            .bind(false)
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        listening::belong_to_ticket(&mut transaction, recording.call).await?;
        transaction.commit().await
    }

    /// Closes an open recording; `false` when it is not in the database or closed already.
    pub async fn finish_recording(&self, finished: &FinishedRecording) -> Result<bool, StoreError> {
        const SQL: &str = "update recording set duration_ms = $2, sha256 = $3, bytes = $4, ended_by = $5, \
             damaged = $6, span = $7, state = 'closed' where id = $1 and state = 'open'";
        let mut transaction = self.begin().await?;
        let changed = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(finished.id.to_string())
            .bind(bigint(finished.duration_ms))
            .bind(&finished.sha256)
            .bind(bigint(finished.bytes))
            .bind(finished.ended_by.name())
            .bind(finished.damaged)
            .bind(listening::span(finished.duration_ms))
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if let (1, Some(peaks)) = (changed, &finished.peaks) {
            listening::insert_peaks(&mut transaction, finished.id, peaks).await?;
        }
        transaction.commit().await?;
        Ok(changed == 1)
    }

    /// One recording.
    pub async fn recording(&self, id: RecordingId) -> Result<Option<Recording>, StoreError> {
        let row: Option<RecordingRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push("id = ").push_bind(id.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Recording::try_from).transpose()
    }

    /// A call's recordings in their order.
    pub async fn recordings_of_call(&self, call: CallId) -> Result<Vec<Recording>, StoreError> {
        let rows: Vec<RecordingRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push("call = ").push_bind(call.to_string()).push(" order by started_at, id");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Recording::try_from).collect()
    }

    /// The recordings of a machine from then on that no repair need look at: closed, their call too.
    pub(super) async fn settled_recordings(
        &self,
        node: &str,
        from: DateTime<Utc>,
    ) -> Result<HashSet<RecordingId>, StoreError> {
        const SQL: &str = "select recording.id from recording join call on call.id = recording.call \
             where recording.node = $1 and recording.started_at >= $2 and recording.state = 'closed' \
             and call.ended_at is not null";
        let ids: Vec<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(node).bind(from).fetch_all(pool).await)?;
        ids.iter().map(|id| text("recording.id", id)).collect()
    }

    /// The recordings of a machine that were never closed, oldest first.
    pub(super) async fn open_recordings(&self, node: &str) -> Result<Vec<Recording>, StoreError> {
        let rows: Vec<RecordingRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push("state = 'open' and node = ").push_bind(node).push(" order by started_at, id");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Recording::try_from).collect()
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct RecordingRow {
    id: String,
    call: String,
    ticket: Option<String>,
    kind: String,
    node: String,
    path: String,
    channels: i64,
    started_at: DateTime<Utc>,
    state: String,
    duration_ms: Option<i64>,
    sha256: Option<String>,
    bytes: Option<i64>,
    ended_by: Option<String>,
    damaged: bool,
    city: String,
    direction: String,
    language: Option<String>,
    phone: Option<String>,
    owner: Option<String>,
    satisfaction: Option<i64>,
    answered: bool,
    loud_ms: Option<i64>,
    deleted_at: Option<DateTime<Utc>>,
}

impl TryFrom<RecordingRow> for Recording {
    type Error = StoreError;

    fn try_from(row: RecordingRow) -> Result<Recording, StoreError> {
        Ok(Recording {
            id: text("recording.id", &row.id)?,
            call: text("recording.call", &row.call)?,
            ticket: optional_text("recording.ticket", row.ticket.as_deref())?,
            kind: text("recording.kind", &row.kind)?,
            node: row.node,
            path: row.path,
            channels: count("recording.channels", row.channels)?,
            started_at: row.started_at,
            state: text("recording.state", &row.state)?,
            duration_ms: row.duration_ms.map(|value| count("recording.duration_ms", value)).transpose()?,
            sha256: row.sha256,
            bytes: row.bytes.map(|value| count("recording.bytes", value)).transpose()?,
            ended_by: optional_text("recording.ended_by", row.ended_by.as_deref())?,
            damaged: row.damaged,
            city: text("recording.city", &row.city)?,
            direction: text("recording.direction", &row.direction)?,
            language: optional_text("recording.language", row.language.as_deref())?,
            phone: phone("recording.phone", row.phone.as_deref())?,
            owner: optional_text("recording.owner", row.owner.as_deref())?,
            satisfaction: row.satisfaction.map(|value| count("recording.satisfaction", value)).transpose()?,
            answered: row.answered,
            loud_ms: row.loud_ms.map(|value| count("recording.loud_ms", value)).transpose()?,
            deleted_at: row.deleted_at,
        })
    }
}
