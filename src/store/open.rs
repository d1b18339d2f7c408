//! Opening the database: a SQLite file in the data folder, or PostgreSQL.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::database::{Database, Pool, on};
use super::{Store, WordSearch, backup};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The SQLite file inside the data folder.
const SQLITE_FILE: &str = "hotline.db";

/// Which database, and how much of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `postgres://user:password@host/database`, `sqlite://path` or `sqlite::memory:`; none: a SQLite file in
    /// the data folder.
    pub url: Option<DatabaseUrl>,
    /// A file that holds the url, for one with a password.
    pub url_file: Option<PathBuf>,
    pub max_connections: u32,
    /// How long a query waits for a free connection, and SQLite for another program's lock.
    pub wait_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { url: None, url_file: None, max_connections: 8, wait_timeout_ms: 5_000 }
    }
}

/// A database's address. It may hold a password: it has no `Display`, and `Debug` shows the scheme only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Whether a password is part of it.
    pub fn has_password(&self) -> bool {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
        authority.rsplit_once('@').is_some_and(|(account, _)| account.contains(':')) || self.0.contains("password=")
    }

    /// The password in it, in clear.
    pub(super) fn password(&self) -> Option<String> {
        let (authority, query) = self.0.split_once("://").map_or(("", ""), |(_, rest)| {
            (rest.split(['/', '?']).next().unwrap_or(""), rest.split_once('?').map_or("", |(_, query)| query))
        });
        let account = authority.rsplit_once('@').and_then(|(account, _)| account.split_once(':'));
        let parameter = query.split('&').find_map(|pair| pair.strip_prefix("password="));
        account.map(|(_, password)| password).or(parameter).map(decoded)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.scheme(), "postgres" | "postgresql")
    }

    fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// Such a database lives as long as its one connection.
    fn is_in_memory(&self) -> bool {
        self.0 == "sqlite::memory:" || self.0.contains("mode=memory")
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> DatabaseUrl {
        DatabaseUrl(url)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({}:…)", self.scheme())
    }
}

/// Why there is no database. No text holds the url or a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {} can't be used: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("the database file {} can't be written: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("a restore into {} did not end: empty the folder and restore again", .0.display())]
    Restoring(PathBuf),
    #[error("the database url must start with postgres: or sqlite:")]
    Scheme,
    #[error("the database url can't be read")]
    Url,
    #[error("no connection to the database: {0}")]
    Connect(String),
    #[error("the database was made by a newer version of this program (migration {0})")]
    Newer(i64),
    #[error("the database's migration {0} is not the one this program holds")]
    Altered(i64),
    #[error("the database can't be brought to this version: {0}")]
    Migrate(String),
    #[error("`hotline simulate` is filling this database, or was stopped before its end: give it an empty one")]
    Filling,
}

impl Store {
    /// Connects, creates what is missing and runs the migrations. `data` is the folder the SQLite file lies in
    /// when no url is given.
    pub async fn open(config: &Config, data: &Path) -> Result<Store, OpenError> {
        if backup::is_restoring(data) {
            return Err(OpenError::Restoring(data.to_owned()));
        }
        let store = Store::connect(config, data, true).await?;
        match &store.write {
            Database::Sqlite(pool) => SQLITE_MIGRATIONS.run(pool).await,
            Database::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
        }
        .map_err(migration_error)?;
        if store.is_filling().await.map_err(|error| OpenError::Connect(error.to_string()))? {
            return Err(OpenError::Filling);
        }
        store.seed().await.map_err(|error| OpenError::Migrate(error.to_string()))?;
        Ok(store)
    }

    /// Connects to a database that is there, beside the service perhaps: creates nothing, migrates nothing.
    pub async fn open_existing(config: &Config, data: &Path) -> Result<Store, OpenError> {
        Store::connect(config, data, false).await
    }

    async fn connect(config: &Config, data: &Path, create: bool) -> Result<Store, OpenError> {
        let Some(url) = &config.url else {
            let file = data.join(SQLITE_FILE);
            if create {
                create_file(data, &file)?;
            }
            return sqlite(config, SqliteConnectOptions::new().filename(file), false).await;
        };
        match url.scheme() {
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(&url.0).map_err(|_| OpenError::Url)?;
                sqlite(config, options.create_if_missing(create), url.is_in_memory()).await
            }
            "postgres" | "postgresql" => postgres(config, url).await,
            _ => Err(OpenError::Scheme),
        }
    }

    fn of(read: Pool, write: Pool) -> Store {
        Store { read, write, rules: Arc::default(), calendar: Arc::default(), word_search: WordSearch::default() }
    }

    /// Lets running queries end and closes every connection.
    pub async fn close(&self) {
        for pool in [&self.read, &self.write] {
            on!(pool, pool => pool.close().await);
        }
    }
}

/// Where the SQLite file lies; `None` in memory, and for PostgreSQL.
pub(super) fn sqlite_file(config: &Config, data: &Path) -> Result<Option<PathBuf>, OpenError> {
    match &config.url {
        None => Ok(Some(data.join(SQLITE_FILE))),
        Some(url) if url.scheme() == "sqlite" && !url.is_in_memory() => {
            let options = SqliteConnectOptions::from_str(&url.0).map_err(|_| OpenError::Url)?;
            Ok(Some(options.get_filename().to_owned()))
        }
        Some(_) => Ok(None),
    }
}

/// Without percent-encoding (RFC 3986 §2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Readable by this user only: it holds phone numbers. SQLite gives its journals the same mode.
fn create_file(data: &Path, file: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(data).map_err(|source| OpenError::Folder { path: data.to_owned(), source })?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .map(drop)
        .map_err(|source| OpenError::File { path: file.to_owned(), source })
}

async fn sqlite(config: &Config, options: SqliteConnectOptions, in_memory: bool) -> Result<Store, OpenError> {
    let wait = Duration::from_millis(config.wait_timeout_ms);
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(wait);
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(wait)
            .idle_timeout(None)
            .max_lifetime(None)
            // a full disk has SQLite end a transaction by itself, and sqlx goes on counting it: such a connection begins no
            // other one ever again
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
    };
    // One connection writes: inside this program writers queue fairly for it, instead of polling SQLite's lock.
    let write = pool(1).await.map_err(connect_error)?;
    let read =
        if in_memory { write.clone() } else { pool(config.max_connections.max(1)).await.map_err(connect_error)? };
    Ok(Store::of(Pool::Sqlite(read), Pool::Sqlite(write)))
}

/// How PostgreSQL plans. All that is asked here is found by indexes and soon done: a search of twelve words in seven cities is planned for 150 ms by the
/// default limit of 8, for 20 ms by this, and compiling a statement or starting others to help takes ten times what it takes
/// to execute.
const PLANNED: &str = "set join_collapse_limit = 4; set jit = off; set max_parallel_workers_per_gather = 0";

async fn postgres(config: &Config, url: &DatabaseUrl) -> Result<Store, OpenError> {
    let options = PgConnectOptions::from_str(&url.0).map_err(|_| OpenError::Url)?;
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections.max(1))
        .acquire_timeout(Duration::from_millis(config.wait_timeout_ms))
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(PLANNED).execute(connection).await.map(drop) })
        })
        .connect_with(options.application_name("hotline"))
        .await
        .map_err(connect_error)?;
    Ok(Store::of(Pool::Postgres(pool.clone()), Pool::Postgres(pool)))
}

fn connect_error(error: sqlx::Error) -> OpenError {
    OpenError::Connect(error.to_string())
}

fn migration_error(error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer(version),
        MigrateError::VersionMismatch(version) => OpenError::Altered(version),
        other => OpenError::Migrate(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_wherever_a_url_has_it() {
        let password = |url: &str| DatabaseUrl(url.to_owned()).password();
        assert_eq!(password("postgres://hotline@db/hotline"), None);
        assert_eq!(
            password("postgres://hotline:se%63r%40t@db:5432/hotline?sslmode=require").as_deref(),
            Some("secr@t")
        );
        assert_eq!(password("postgres://db/hotline?user=a&password=100%25").as_deref(), Some("100%"));
        assert_eq!(password("sqlite::memory:"), None);
    }
}
