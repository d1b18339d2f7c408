//! Messages that wait until the far side has taken them: written with what they tell of, sent by a worker.
//!
//! A worker leases a message: until the lease is over nobody else takes it, so a worker that dies sends it once more
//! later, under the same id. A ticket's messages to one target go one after the other, by the ticket's versions.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::row::{count, cut, micros, optional_text, text};
use super::sql::{Sql, builder};
use super::{Cursor, MAX_PAGE, Page, Store, StoreError, on};
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{Action, Actor, Number, RequestType};

/// The target of every SMS.
pub(super) const SMS: &str = "sms";

/// The longest error that a message keeps, in bytes.
const MAX_ERROR: usize = 200;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    Webhook,
    Sms,
}

impl MessageKind {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::Webhook => "webhook",
            MessageKind::Sms => "sms",
        }
    }
}

/// Neither `webhook` nor `sms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message goes by webhook or sms")]
pub struct UnknownKind;

impl FromStr for MessageKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<MessageKind, UnknownKind> {
        [MessageKind::Webhook, MessageKind::Sms].into_iter().find(|kind| kind.name() == text).ok_or(UnknownKind)
    }
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    Waiting,
    /// Given up; somebody may have it sent again.
    Dead,
}

impl MessageState {
    pub const ALL: [MessageState; 2] = [MessageState::Waiting, MessageState::Dead];

    pub const fn name(self) -> &'static str {
        match self {
            MessageState::Waiting => "waiting",
            MessageState::Dead => "dead",
        }
    }
}

impl fmt::Display for MessageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Neither `waiting` nor `dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message is waiting or dead")]
pub struct UnknownMessageState;

impl FromStr for MessageState {
    type Err = UnknownMessageState;

    fn from_str(text: &str) -> Result<MessageState, UnknownMessageState> {
        MessageState::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownMessageState)
    }
}

/// Where messages go: a webhook by its name, or the SMS gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    pub kind: MessageKind,
    pub name: String,
}

impl Target {
    pub fn webhook(name: impl Into<String>) -> Target {
        Target { kind: MessageKind::Webhook, name: name.into() }
    }

    pub fn sms() -> Target {
        Target { kind: MessageKind::Sms, name: SMS.to_owned() }
    }
}

/// A message that is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same each time it is sent.
    pub id: String,
    /// The one it is about.
    pub ticket: Option<Number>,
    /// `ticket.created`, or what an SMS tells: `accepted`.
    pub event: String,
    /// JSON.
    pub body: String,
    pub created_at: DateTime<Utc>,
    /// With this one.
    pub attempts: u32,
}

/// A message in a list; what it says stays out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMessage {
    pub id: String,
    pub target: Target,
    pub ticket: Option<Number>,
    pub event: String,
    pub created_at: DateTime<Utc>,
    pub attempts: u32,
    /// `None` for a dead one.
    pub next_at: Option<DateTime<Utc>>,
    pub dead_at: Option<DateTime<Utc>>,
    /// What the last attempt met.
    pub error: Option<String>,
}

/// Whom an SMS goes to, and what it may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    pub phone: Phone,
    pub language: Language,
    /// Confidential, or a report of wrongdoing (举报).
    pub confidential: bool,
    /// The lead unit's name in that language.
    pub unit: Option<String>,
}

/// How a target's messages stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageCounts {
    pub target: Target,
    pub waiting: u64,
    /// When the oldest that waits was written.
    pub oldest: Option<DateTime<Utc>>,
    pub dead: u64,
}

impl Store {
    /// Takes messages that are due, oldest first, for this worker until `until`.
    pub async fn lease_messages(
        &self,
        target: &Target,
        limit: u32,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Message>, StoreError> {
        // the second next_at is looked at again when another node has just moved it (PostgreSQL, read committed)
        const SQL: &str = "update outbox set next_at = $1, attempts = attempts + 1 where next_at <= $2 and id in ( \
             select id from outbox due where kind = $3 and target = $4 and next_at <= $2 and not exists ( \
             select 1 from outbox earlier where earlier.ticket = due.ticket and earlier.kind = due.kind \
             and earlier.target = due.target and earlier.next_at is not null \
             and (earlier.version < due.version or (earlier.version = due.version and earlier.id < due.id))) \
             order by next_at limit $5) \
             returning id, ticket, event, body, created_at, attempts";
        let rows: Vec<MessageRow> = on!(&self.write, pool => sqlx::query_as(SQL)
            .bind(micros(until))
            .bind(micros(now))
            .bind(target.kind.name())
            .bind(&target.name)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        let mut messages = rows.into_iter().map(Message::try_from).collect::<Result<Vec<Message>, _>>()?;
        messages.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(messages)
    }

    /// The far side has taken it.
    pub async fn message_delivered(&self, id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "update outbox set delivered_at = $1, next_at = null, dead_at = null, error = null \
             where id = $2 and delivered_at is null";
        on!(&self.write, pool => sqlx::query(SQL).bind(micros(now)).bind(id).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Gives up what waits for a target that is none of these any more; gives the number of such messages.
    pub async fn give_up_all_but(&self, targets: &[Target], now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut sql = Sql::default();
        sql.push("update outbox set next_at = null, dead_at = ").bind(now);
        sql.push(", error = 'the configuration has no such target any more' where next_at is not null");
        for target in targets {
            sql.push(" and not (kind = ").bind(target.kind.name());
            sql.push(" and target = ").bind(target.name.as_str()).push(")");
        }
        Ok(on!(&self.write, pool => builder!(sql).build().execute(pool).await.map(|done| done.rows_affected()))?)
    }

    /// The attempt failed: again at `next`, or never when there is none. Whoever leased it since is not disturbed.
    pub async fn message_failed(
        &self,
        message: &Message,
        error: &str,
        next: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update outbox set next_at = $1, dead_at = $2, error = $3 \
             where id = $4 and attempts = $5 and next_at is not null";
        let dead_at = next.is_none().then(|| micros(now));
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(next.map(micros))
            .bind(dead_at)
            .bind(cut(error, MAX_ERROR))
            .bind(&message.id)
            .bind(i64::from(message.attempts))
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Messages by when they were written, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn messages(
        &self,
        state: MessageState,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<ListedMessage>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let rows: Vec<ListedRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(
                "select id, kind, target, ticket, event, created_at, attempts, next_at, dead_at, error \
                 from outbox where ",
            );
            query.push(match state {
                MessageState::Waiting => "next_at is not null",
                MessageState::Dead => "dead_at is not null",
            });
            if let Some(cursor) = cursor {
                query.push(" and (created_at, id) < (").push_bind(micros(cursor.at));
                query.push(", ").push_bind(&cursor.key).push(")");
            }
            query.push(" order by created_at desc, id desc limit ").push_bind(i64::from(limit) + 1);
            query.build_query_as().fetch_all(pool).await
        })?;
        let messages = rows.into_iter().map(ListedMessage::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(messages, limit, |message| Cursor { at: message.created_at, key: message.id.clone() }))
    }

    /// Has a dead message sent again, from its first attempt on; false when none of this id is dead.
    pub async fn retry_message(
        &self,
        id: &str,
        actor: Actor,
        address: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "update outbox set next_at = $1, dead_at = null, attempts = 0 \
             where id = $2 and dead_at is not null";
        let mut transaction = self.begin().await?;
        let found = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(micros(now))
            .bind(id)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if found == 0 {
            return Ok(false);
        }
        let subject = format!("message {id}");
        let act = Act { address, ..Act::new(&subject, now, actor, Action::Changed) };
        audit::append(&mut transaction, &act).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Whom to tell about a ticket; `None` when there is no number.
    pub async fn addressee(&self, ticket: Number) -> Result<Option<Addressee>, StoreError> {
        const SQL: &str = "select ticket.phone, language, confidential, request_type, unit.zh, unit.bo \
             from ticket left join unit on unit.code = ticket.lead_unit where number = $1 and ticket.phone is not null";
        let row: Option<AddresseeRow> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(ticket.to_string())
            .fetch_optional(pool)
            .await)?;
        row.map(Addressee::try_from).transpose()
    }

    /// What waits and what was given up, of every target that has such messages.
    pub async fn message_counts(&self) -> Result<Vec<MessageCounts>, StoreError> {
        const WAITING: &str = "select kind, target, count(*), min(created_at) from outbox \
             where next_at is not null group by kind, target order by kind, target";
        const DEAD: &str = "select kind, target, count(*) from outbox \
             where dead_at is not null group by kind, target order by kind, target";
        let waiting: Vec<(String, String, i64, DateTime<Utc>)> =
            on!(&self.read, pool => sqlx::query_as(WAITING).fetch_all(pool).await)?;
        let dead: Vec<(String, String, i64)> = on!(&self.read, pool => sqlx::query_as(DEAD).fetch_all(pool).await)?;
        let mut counts = Vec::new();
        for (kind, name, waiting, oldest) in waiting {
            let target = Target { kind: text("outbox.kind", &kind)?, name };
            let waiting = count("outbox.id", waiting)?;
            counts.push(MessageCounts { target, waiting, oldest: Some(oldest), dead: 0 });
        }
        for (kind, name, dead) in dead {
            let target = Target { kind: text("outbox.kind", &kind)?, name };
            let dead = count("outbox.id", dead)?;
            match counts.iter_mut().find(|counts| counts.target == target) {
                Some(counts) => counts.dead = dead,
                None => counts.push(MessageCounts { target, waiting: 0, oldest: None, dead }),
            }
        }
        Ok(counts)
    }
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: String,
    ticket: Option<String>,
    event: String,
    body: String,
    created_at: DateTime<Utc>,
    attempts: i64,
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Message, StoreError> {
        Ok(Message {
            id: row.id,
            ticket: optional_text("outbox.ticket", row.ticket.as_deref())?,
            event: row.event,
            body: row.body,
            created_at: row.created_at,
            attempts: count("outbox.attempts", row.attempts)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct AddresseeRow {
    phone: String,
    language: String,
    confidential: bool,
    request_type: Option<String>,
    zh: Option<String>,
    bo: Option<String>,
}

impl TryFrom<AddresseeRow> for Addressee {
    type Error = StoreError;

    fn try_from(row: AddresseeRow) -> Result<Addressee, StoreError> {
        let phone = Phone::from_national(&row.phone).ok_or(StoreError::OutOfRange { column: "ticket.phone" })?;
        let language = text("ticket.language", &row.language)?;
        let request_type = optional_text("ticket.request_type", row.request_type.as_deref())?;
        Ok(Addressee {
            phone,
            language,
            confidential: row.confidential || request_type == Some(RequestType::Report),
            unit: match language {
                Language::Zh => row.zh,
                Language::Bo => row.bo,
            },
        })
    }
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: String,
    kind: String,
    target: String,
    ticket: Option<String>,
    event: String,
    created_at: DateTime<Utc>,
    attempts: i64,
    next_at: Option<DateTime<Utc>>,
    dead_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

impl TryFrom<ListedRow> for ListedMessage {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<ListedMessage, StoreError> {
        Ok(ListedMessage {
            id: row.id,
            target: Target { kind: text("outbox.kind", &row.kind)?, name: row.target },
            ticket: optional_text("outbox.ticket", row.ticket.as_deref())?,
            event: row.event,
            created_at: row.created_at,
            attempts: count("outbox.attempts", row.attempts)?,
            next_at: row.next_at,
            dead_at: row.dead_at,
            error: row.error,
        })
    }
}
