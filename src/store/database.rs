//! One body of code for both databases.

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use super::error::StoreError;

/// The SQLite and the PostgreSQL form of one thing.
#[derive(Clone, Debug)]
pub(super) enum Database<S, P> {
    Sqlite(S),
    Postgres(P),
}

pub(super) type Pool = Database<SqlitePool, PgPool>;
pub(super) type Transaction = Database<sqlx::Transaction<'static, Sqlite>, sqlx::Transaction<'static, Postgres>>;

/// Expands one body twice, with `$name` the SQLite or the PostgreSQL form.
macro_rules! on {
    ($database:expr, $name:ident => $body:expr) => {
        match $database {
            $crate::store::database::Database::Sqlite($name) => $body,
            $crate::store::database::Database::Postgres($name) => $body,
        }
    };
}
pub(super) use on;

impl Pool {
    /// A transaction that writes. SQLite takes its lock now: a read lock that becomes a write lock later
    /// can fail without waiting (`SQLITE_BUSY_SNAPSHOT`).
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(match self {
            Database::Sqlite(pool) => Database::Sqlite(pool.begin_with("begin immediate").await?),
            Database::Postgres(pool) => Database::Postgres(pool.begin().await?),
        })
    }
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        Ok(on!(self, transaction => transaction.commit().await)?)
    }
}
