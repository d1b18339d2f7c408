//! A consistent copy of a database that goes on being written to.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};

use super::BackupError;
use super::manifest::Kind;
use crate::store::database::Database;
use crate::store::{Config, DatabaseUrl, Store, StoreError};

/// The copy's name below the backup's folder.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "database/hotline.db",
        Kind::Postgres => "database/hotline.dump",
    }
}

pub(super) fn kind(config: &Config) -> Kind {
    if config.url.as_ref().is_some_and(DatabaseUrl::is_postgres) { Kind::Postgres } else { Kind::Sqlite }
}

/// Writes the copy to `to`, which is then on disk.
pub(super) async fn copy(store: &Store, config: &Config, to: &Path) -> Result<(), BackupError> {
    match &store.read {
        Database::Sqlite(pool) => {
            // SQLite fills a file that is there and empty: this one can be read by nobody else
            create_empty(to).map_err(failed(to))?;
            let path = to.to_str().ok_or_else(|| failed(to)(io::ErrorKind::InvalidFilename.into()))?;
            sqlx::query("vacuum into $1").bind(path).execute(pool).await.map_err(StoreError::from)?;
        }
        Database::Postgres(_) => {
            create_empty(to).map_err(failed(to))?;
            let mut command = command("pg_dump", config)?;
            command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(to);
            run(command, "pg_dump").await?;
        }
    }
    File::open(to).and_then(|file| file.sync_all()).map_err(failed(to))
}

/// Whether a restore may fill this PostgreSQL database.
pub(super) async fn is_empty(config: &Config) -> Result<bool, BackupError> {
    const SQL: &str = "select count(*) from information_schema.tables where table_schema = current_schema()";
    let mut connection = options(config)?.connect().await.map_err(StoreError::from)?;
    let tables: i64 = sqlx::query_scalar(SQL).fetch_one(&mut connection).await.map_err(StoreError::from)?;
    connection.close().await.map_err(StoreError::from)?;
    Ok(tables == 0)
}

/// Fills an empty PostgreSQL database from a dump, all or nothing.
pub(super) async fn restore(config: &Config, from: &Path) -> Result<(), BackupError> {
    let mut command = command("pg_restore", config)?;
    command.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname"]);
    command.arg(options(config)?.get_database().unwrap_or("hotline")).arg(from);
    run(command, "pg_restore").await
}

fn options(config: &Config) -> Result<PgConnectOptions, BackupError> {
    let url = config.url.as_ref().map_or("", DatabaseUrl::text);
    PgConnectOptions::from_str(url).map_err(|_| BackupError::Url)
}

/// One of PostgreSQL's programs, told by its environment where to connect: everybody may read a command line.
fn command(program: &str, config: &Config) -> Result<Command, BackupError> {
    let options = options(config)?;
    let mut command = Command::new(program);
    match options.get_socket() {
        Some(folder) => command.env("PGHOST", folder),
        None => command.env("PGHOST", options.get_host()),
    };
    command.env("PGPORT", options.get_port().to_string()).env("PGUSER", options.get_username());
    if let Some(database) = options.get_database() {
        command.env("PGDATABASE", database);
    }
    if let Some(password) = config.url.as_ref().and_then(DatabaseUrl::password) {
        command.env("PGPASSWORD", password);
    }
    let mode = match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    };
    command.env("PGSSLMODE", mode);
    Ok(command)
}

async fn run(mut command: Command, program: &'static str) -> Result<(), BackupError> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output()).await.map_err(io::Error::other);
    match output.flatten() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().find(|line| line.contains("error")).unwrap_or("no reason given").to_owned();
            Err(BackupError::Program { program, said })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BackupError::NoProgram(program)),
        Err(error) => Err(BackupError::Program { program, said: error.to_string() }),
    }
}

fn create_empty(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map(drop)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
