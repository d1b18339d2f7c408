//! Who did what, when: one row an act, in the transaction of what was done.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::row::{count, cut, micros, text};
use super::sql::{Sql, builder, explain};
use super::{StoreError, Transaction, on};
use crate::city::City;
use crate::ticket::{Action, Actor, Change, Number, RecordingId};

/// The longest text that an entry keeps of what was or is, and of the words given with it.
pub(super) const MAX_TEXT: usize = 12_000;

/// An act to be written down.
#[derive(Clone, Debug)]
pub(super) struct Act<'a> {
    /// A ticket's number, or `account ID`, `calendar` …: what was acted upon.
    pub subject: &'a str,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub action: Action,
    pub changes: &'a [Change],
    /// The words that were given with it.
    pub reason: Option<&'a str>,
    /// Where it came from: an IP address.
    pub address: Option<&'a str>,
}

impl<'a> Act<'a> {
    pub fn new(subject: &'a str, at: DateTime<Utc>, actor: Actor, action: Action) -> Act<'a> {
        Act { subject, at, actor, action, changes: &[], reason: None, address: None }
    }
}

/// One act, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was acted upon.
    pub subject: String,
    /// 1, 2, 3 … within the subject.
    pub sequence: u32,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub action: Action,
    pub changes: Vec<AuditChange>,
    pub reason: Option<String>,
    pub address: Option<String>,
}

/// A field that an act changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    pub field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

/// Rows follow, as [`bind_entry`] binds them.
pub(super) const INSERT_INTO: &str =
    "insert into audit (subject, sequence, at, actor, action, changes, reason, address) ";

/// Binds an act with its sequence to a query by `bind`, or to a row of a builder by `push_bind`.
macro_rules! bind_entry {
    ($query:expr, $bind:ident, $act:expr, $sequence:expr) => {{
        use $crate::store::audit::{Act, MAX_TEXT, written};
        use $crate::store::row::{cut, micros};
        let act: &Act<'_> = $act;
        $query
            .$bind(act.subject)
            .$bind($sequence)
            .$bind(micros(act.at))
            .$bind(act.actor.to_string())
            .$bind(act.action.name())
            .$bind(written(act.changes))
            .$bind(act.reason.map(|reason| cut(reason, MAX_TEXT)))
            .$bind(act.address.map(|address| cut(address, 64)))
    }};
}
pub(super) use bind_entry;

/// Writes the act down. Two acts upon one subject come one after the other.
pub(super) async fn append(transaction: &mut Transaction, act: &Act<'_>) -> Result<(), StoreError> {
    const NEXT: &str = "insert into audit_subject (subject, last) values ($1, 1) \
         on conflict (subject) do update set last = audit_subject.last + 1 returning last";
    let sequence: i64 = on!(transaction, transaction => sqlx::query_scalar(NEXT)
        .bind(act.subject)
        .fetch_one(&mut **transaction)
        .await)?;
    let entry = format!("{INSERT_INTO}values ($1, $2, $3, $4, $5, $6, $7, $8)");
    on!(transaction, transaction => bind_entry!(sqlx::query(sqlx::AssertSqlSafe(entry)), bind, act, sequence)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// As the column `changes` holds them; `None` for none.
pub(super) fn written(changes: &[Change]) -> Option<String> {
    if changes.is_empty() {
        return None;
    }
    let short = |text: &Option<String>| text.as_ref().map(|text| cut(text, MAX_TEXT));
    let changes: Vec<AuditChange> = changes
        .iter()
        .map(|change| AuditChange { field: change.field.to_owned(), was: short(&change.was), is: short(&change.is) })
        .collect();
    Some(serde_json::to_string(&changes).expect("texts"))
}

const SELECT: &str = "select subject, sequence, at, actor, action, changes, reason, address from audit where true";

/// Something was seen, heard or taken away: an act that changes nothing.
#[derive(Clone, Debug)]
pub struct Seen {
    pub subject: String,
    pub action: Action,
    pub actor: Actor,
    pub reason: Option<String>,
    pub address: Option<String>,
}

/// What a list of acts is narrowed to; nothing set: everything.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub subject: Option<String>,
    pub actor: Option<Actor>,
    pub action: Option<Action>,
    /// The IP address it came from.
    pub address: Option<String>,
    /// Acts upon tickets of other cities are left out.
    pub cities: Option<Vec<City>>,
    /// The first moment that counts.
    pub from: Option<DateTime<Utc>>,
    /// The first moment that no longer counts.
    pub to: Option<DateTime<Utc>>,
    /// The place after the last entry of the page before: its time, subject and sequence.
    pub after: Option<(DateTime<Utc>, String, u32)>,
}

impl super::Store {
    /// Writes down that something was seen.
    pub async fn record_seen(&self, seen: &Seen, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let act = Act {
            reason: seen.reason.as_deref(),
            address: seen.address.as_deref(),
            ..Act::new(&seen.subject, now, seen.actor, seen.action)
        };
        append(&mut transaction, &act).await?;
        transaction.commit().await
    }

    /// Whether this actor has listened to the recording since then.
    pub async fn listened_since(
        &self,
        actor: Actor,
        subject: &str,
        recording: RecordingId,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "select reason from audit where actor = $1 and at >= $2 and subject = $3 and action = $4";
        let reasons: Vec<Option<String>> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(actor.to_string())
            .bind(micros(since))
            .bind(subject)
            .bind(Action::Listened.name())
            .fetch_all(pool)
            .await)?;
        let recording = recording.to_string();
        Ok(reasons.into_iter().flatten().any(|reason| reason.starts_with(&recording)))
    }

    /// Acts, newest first; one more than `limit` when there are more.
    pub async fn audit_entries(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let sql = acts(filter, limit);
        let rows: Vec<AuditRow> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    /// How the database goes about such a list, in its own words.
    pub async fn explain_audit(&self, filter: &AuditFilter) -> Result<Vec<String>, StoreError> {
        explain(&mut self.begin().await?, acts(filter, 50)).await
    }

    /// A ticket's history, oldest first.
    pub(super) async fn audit_of(&self, number: Number) -> Result<Vec<AuditEntry>, StoreError> {
        let rows: Vec<AuditRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" and subject = ").push_bind(number.to_string()).push(" order by sequence");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }
}

fn acts(filter: &AuditFilter, limit: u32) -> Sql {
    let mut sql = Sql::default();
    sql.push(SELECT);
    if let Some(subject) = &filter.subject {
        sql.push(" and subject = ").bind(subject.as_str());
    }
    if let Some(actor) = filter.actor {
        sql.push(" and actor = ").bind(actor.to_string());
    }
    if let Some(action) = filter.action {
        sql.push(" and action = ").bind(action.name());
    }
    if let Some(address) = &filter.address {
        sql.push(" and address = ").bind(address.as_str());
    }
    let others = City::ALL.into_iter().filter(|city| filter.cities.as_ref().is_some_and(|own| !own.contains(city)));
    for other in others {
        // no subject but a ticket's number begins with a digit, that of its city
        sql.push(" and substr(subject, 1, 1) <> ").bind(other.digit().to_string());
    }
    if let Some(from) = filter.from {
        sql.push(" and at >= ").bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" and at < ").bind(to);
    }
    if let Some((at, subject, sequence)) = &filter.after {
        sql.push(" and (at, subject, sequence) < (").bind(*at).push(", ").bind(subject.as_str());
        sql.push(", ").bind(i64::from(*sequence)).push(")");
    }
    sql.push(" order by at desc, subject desc, sequence desc limit ").bind(i64::from(limit) + 1);
    sql
}

#[derive(sqlx::FromRow)]
pub(super) struct AuditRow {
    subject: String,
    sequence: i64,
    at: DateTime<Utc>,
    actor: String,
    action: String,
    changes: Option<String>,
    reason: Option<String>,
    address: Option<String>,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<AuditEntry, StoreError> {
        let changes = row.changes.as_deref().map(serde_json::from_str).transpose();
        Ok(AuditEntry {
            sequence: count("audit.sequence", row.sequence)?,
            at: row.at,
            actor: text("audit.actor", &row.actor)?,
            action: text("audit.action", &row.action)?,
            changes: changes.map_err(|_| StoreError::OutOfRange { column: "audit.changes" })?.unwrap_or_default(),
            subject: row.subject,
            reason: row.reason,
            address: row.address,
        })
    }
}
