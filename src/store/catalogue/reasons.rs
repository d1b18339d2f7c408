//! The reasons that people pick.

use chrono::{DateTime, Utc};

use super::super::row::{optional_text, text};
use super::super::{By, Store, StoreError, Transaction, on};
use super::{Conflict, Fields, Kept, NotKept, hold, kept, shown, write_down};
use crate::ticket::catalogue::{Reason, ReasonCode, ReasonKind};

const SELECT: &str = "select kind, code, zh, bo, told, active from reason where true";

impl Store {
    /// The reasons of a kind, or of all, by kind and code; retired ones among them.
    pub async fn reasons(&self, kind: Option<ReasonKind>) -> Result<Vec<Reason>, StoreError> {
        let rows: Vec<ReasonRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            if let Some(kind) = kind {
                query.push(" and kind = ").push_bind(kind.name());
            }
            query.push(" order by kind, code").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Reason::try_from).collect()
    }

    /// Adds the reason, or changes it.
    ///
    /// # Errors
    /// What a refusal's requester is told is missing, or given for another kind; the code belongs to another kind.
    pub async fn keep_reason(&self, reason: &Reason, by: &By, now: DateTime<Utc>) -> Result<Kept, NotKept> {
        reason.fit()?;
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let was = reason_in(&mut transaction, &reason.code).await?;
        if let Some(was) = was.as_ref().filter(|was| was.kind != reason.kind) {
            return Err(Conflict::OtherKind(was.kind).into());
        }
        let (was, is) = (was.as_ref().map(fields), fields(reason));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            write(&mut transaction, reason).await?;
            let subject = format!("reason {} {}", reason.kind, reason.code);
            write_down(&mut transaction, &subject, was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

async fn reason_in(transaction: &mut Transaction, code: &ReasonCode) -> Result<Option<Reason>, StoreError> {
    let row: Option<ReasonRow> = on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(SELECT);
        query.push(" and code = ").push_bind(code.as_str());
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?;
    row.map(Reason::try_from).transpose()
}

async fn write(transaction: &mut Transaction, reason: &Reason) -> Result<(), StoreError> {
    const SQL: &str = "insert into reason (kind, code, zh, bo, told, active) values ($1, $2, $3, $4, $5, $6) \
         on conflict (kind, code) do update set zh = excluded.zh, bo = excluded.bo, told = excluded.told, \
         active = excluded.active";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(reason.kind.name())
        .bind(reason.code.as_str())
        .bind(reason.zh.as_str())
        .bind(reason.bo.as_str())
        .bind(reason.told_to_requester.as_ref().map(|told| told.as_str()))
        .bind(reason.active)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

fn fields(reason: &Reason) -> Fields {
    vec![
        ("zh", shown(&reason.zh)),
        ("bo", shown(&reason.bo)),
        ("told_to_requester", reason.told_to_requester.as_ref().and_then(shown)),
        ("active", shown(reason.active)),
    ]
}

#[derive(sqlx::FromRow)]
struct ReasonRow {
    kind: String,
    code: String,
    zh: String,
    bo: String,
    told: Option<String>,
    active: bool,
}

impl TryFrom<ReasonRow> for Reason {
    type Error = StoreError;

    fn try_from(row: ReasonRow) -> Result<Reason, StoreError> {
        Ok(Reason {
            kind: text("reason.kind", &row.kind)?,
            code: text("reason.code", &row.code)?,
            zh: text("reason.zh", &row.zh)?,
            bo: text("reason.bo", &row.bo)?,
            told_to_requester: optional_text("reason.told", row.told.as_deref())?,
            active: row.active,
        })
    }
}
