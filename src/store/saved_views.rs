//! Lists that people keep under a name: an account's own, a few dozen at most.

use chrono::{DateTime, Utc};

use super::row::{count, micros, text};
use super::{Store, StoreError, on};
use crate::ticket::{AccountId, Line, ViewId};

/// As many views one account keeps.
pub const MOST_VIEWS: u32 = 50;

/// A list with what it is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    pub id: ViewId,
    pub account: AccountId,
    pub name: Line,
    /// Which list: `/tickets`.
    pub path: String,
    /// The filter, as it stands in the address behind the `?`.
    pub query: String,
    pub created_at: DateTime<Utc>,
}

/// Why a view is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    #[error("an account keeps at most {MOST_VIEWS} views")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The account's views of a list, by name.
    pub async fn saved_views(&self, account: AccountId, path: &str) -> Result<Vec<SavedView>, StoreError> {
        const SQL: &str = "select id, account, name, path, query, created_at from saved_view \
             where account = $1 and path = $2 order by name, id";
        let rows: Vec<ViewRow> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(account.to_string())
            .bind(path)
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(SavedView::try_from).collect()
    }

    /// Keeps the view, in the place of one with its name.
    ///
    /// # Errors
    /// [`NotSaved::TooMany`] past [`MOST_VIEWS`].
    pub async fn save_view(&self, view: &SavedView) -> Result<(), NotSaved> {
        const HOLD: &str = "update account set name = name where id = $1";
        const COUNT: &str = "select count(*) from saved_view where account = $1 and not (path = $2 and name = $3)";
        const SQL: &str = "insert into saved_view (id, account, name, path, query, created_at) \
             values ($1, $2, $3, $4, $5, $6) \
             on conflict (account, path, name) do update set query = excluded.query";
        let (id, account) = (view.id.to_string(), view.account.to_string());
        let mut transaction = self.begin().await?;
        // one account's views come one after the other
        on!(&mut transaction, transaction => sqlx::query(HOLD)
            .bind(&account)
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        let others: i64 = on!(&mut transaction, transaction => sqlx::query_scalar(COUNT)
            .bind(&account)
            .bind(&view.path)
            .bind(view.name.as_str())
            .fetch_one(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        if count::<u32>("saved_view.count", others)? >= MOST_VIEWS {
            return Err(NotSaved::TooMany);
        }
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(&id)
            .bind(&account)
            .bind(view.name.as_str())
            .bind(&view.path)
            .bind(&view.query)
            .bind(micros(view.created_at))
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        Ok(transaction.commit().await?)
    }

    /// Takes a view away; false when the account has no such view.
    pub async fn remove_view(&self, account: AccountId, id: ViewId) -> Result<bool, StoreError> {
        const SQL: &str = "delete from saved_view where account = $1 and id = $2";
        let gone = on!(&self.write, pool => sqlx::query(SQL)
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(gone > 0)
    }
}

#[derive(sqlx::FromRow)]
struct ViewRow {
    id: String,
    account: String,
    name: String,
    path: String,
    query: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<ViewRow> for SavedView {
    type Error = StoreError;

    fn try_from(row: ViewRow) -> Result<SavedView, StoreError> {
        Ok(SavedView {
            id: text("saved_view.id", &row.id)?,
            account: text("saved_view.account", &row.account)?,
            name: text("saved_view.name", &row.name)?,
            path: row.path,
            query: row.query,
            created_at: row.created_at,
        })
    }
}
