//! Indexes are taken away before a fill and built at its end: kept up row by row they cost most of its time, since nearly
//! every entry of a life lies on a page of its own. Meanwhile the database is marked, and [`Store::open`] refuses it.

use super::super::database::{Database, on};
use super::super::{Store, StoreError, Transaction, meta};

/// The tables that a fill writes.
const TABLES: &str = "('ticket', 'audit', 'visit', 'contact', 'assisting', 'urge', 'gram')";

/// Their indexes and the statements that make them. What keeps rows apart (`unique`, primary keys) stays.
fn listed(transaction: &Transaction) -> String {
    match transaction {
        Database::Sqlite(_) => format!(
            "select name, sql from sqlite_schema where type = 'index' and tbl_name in {TABLES} \
             and sql not like 'create unique %' order by name"
        ),
        Database::Postgres(_) => format!(
            "select kept.relname::text, pg_get_indexdef(kept.oid) from pg_index \
             join pg_class kept on kept.oid = indexrelid join pg_class held on held.oid = indrelid \
             where held.relnamespace = current_schema()::regnamespace and held.relname in {TABLES} and not indisunique \
             order by kept.relname"
        ),
    }
}

/// Takes them away, marks the database, and gives the statements that make them again.
pub(super) async fn take_away(transaction: &mut Transaction) -> Result<Vec<String>, StoreError> {
    let listed = sqlx::AssertSqlSafe(listed(transaction));
    let indexes: Vec<(String, String)> =
        on!(&mut *transaction, transaction => sqlx::query_as(listed).fetch_all(&mut **transaction).await)?;
    for (name, _) in &indexes {
        let drop = sqlx::AssertSqlSafe(format!("drop index {name}"));
        on!(&mut *transaction, transaction => sqlx::raw_sql(drop).execute(&mut **transaction).await.map(|_| ()))?;
    }
    meta::set_filling(transaction).await?;
    Ok(indexes.into_iter().map(|(_, statement)| statement).collect())
}

/// Builds them, each for itself.
pub(super) async fn build(store: &Store, statements: Vec<String>) -> Result<(), StoreError> {
    for statement in statements {
        let statement = sqlx::AssertSqlSafe(statement);
        on!(&store.write, pool => sqlx::raw_sql(statement).execute(pool).await.map(drop))?;
    }
    Ok(())
}
