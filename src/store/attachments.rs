//! Files that belong to a ticket: a row each, and the bytes once for all that have the same hash.

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::row::{bigint, count, micros, text};
use super::{Store, StoreError, on, ticket_row};
use crate::ticket::{Action, Actor, AttachmentId, Change, Number};

/// A file, without its bytes: they lie under their SHA-256 in the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub ticket: Number,
    pub name: String,
    pub media_type: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
    pub added_at: DateTime<Utc>,
    pub actor: Actor,
}

impl Store {
    /// Adds the row and writes it down; the bytes are on disk already. `false`: there is no such ticket.
    pub async fn attach(&self, attachment: &Attachment, address: Option<&str>) -> Result<bool, StoreError> {
        const SQL: &str = "insert into attachment (id, ticket, name, media_type, bytes, sha256, added_at, actor) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)";
        let mut transaction = self.begin().await?;
        if ticket_row::lock(&mut transaction, attachment.ticket).await?.is_none() {
            return Ok(false);
        }
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(attachment.id.to_string())
            .bind(attachment.ticket.to_string())
            .bind(&attachment.name)
            .bind(&attachment.media_type)
            .bind(bigint(attachment.bytes))
            .bind(&attachment.sha256)
            .bind(micros(attachment.added_at))
            .bind(attachment.actor.to_string())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        let is = Some(format!("{} {} {}", attachment.id, attachment.media_type, attachment.sha256));
        let changes = [Change { field: "attachment", was: None, is }];
        let subject = attachment.ticket.to_string();
        let act = Act {
            changes: &changes,
            address,
            ..Act::new(&subject, attachment.added_at, attachment.actor, Action::Attached)
        };
        audit::append(&mut transaction, &act).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub async fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
        let row: Option<AttachmentRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("id = ").push_bind(id.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Attachment::try_from).transpose()
    }

    /// A ticket's files, oldest first.
    pub(super) async fn attachments(&self, ticket: Number) -> Result<Vec<Attachment>, StoreError> {
        let rows: Vec<AttachmentRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("ticket = ").push_bind(ticket.to_string()).push(" order by added_at, id");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Attachment::try_from).collect()
    }
}

const SELECT: &str = "select id, ticket, name, media_type, bytes, sha256, added_at, actor from attachment where ";

#[derive(sqlx::FromRow)]
struct AttachmentRow {
    id: String,
    ticket: String,
    name: String,
    media_type: String,
    bytes: i64,
    sha256: String,
    added_at: DateTime<Utc>,
    actor: String,
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Attachment, StoreError> {
        Ok(Attachment {
            id: text("attachment.id", &row.id)?,
            ticket: text("attachment.ticket", &row.ticket)?,
            name: row.name,
            media_type: row.media_type,
            bytes: count("attachment.bytes", row.bytes)?,
            sha256: row.sha256,
            added_at: row.added_at,
            actor: text("attachment.actor", &row.actor)?,
        })
    }
}
