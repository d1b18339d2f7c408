//! Backups: the database as it is at one moment, and after it the recordings and attachments, so that every file the
//! database names is there. Files that are newer are heirs of the next start's repair, as after a crash.

mod copy;
mod database;
mod manifest;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::open::sqlite_file;
use super::{Config, OpenError, Store, StoreError};
use crate::ticket::{Action, Actor};
use manifest::{Entry, Kind, Manifest};

/// The folders of a data folder that are kept, beside the database. The API's token is not: a restored service makes
/// one of its own.
const FOLDERS: [&str; 2] = ["attachments", "recordings"];

/// While it is there, a restore has begun and not ended.
const RESTORING: &str = "restoring";

/// What of a data folder may be there before a restore: the lock that it holds itself.
const LOCK: &str = "lock";

/// So many mismatches are listed.
const MAX_LISTED: usize = 100;

/// A backup that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    pub files: u64,
    pub bytes: u64,
    /// Files that were not there from an earlier backup.
    pub copied: u64,
    /// Recordings that were still being written.
    pub open: Vec<String>,
    /// The hash of the audit's newest seal.
    pub seal: Option<String>,
}

/// A backup whose every file is as its manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub made_at: DateTime<Utc>,
    pub files: u64,
    pub bytes: u64,
    /// The hash of the audit's newest seal.
    pub seal: Option<String>,
}

/// Why there is no backup, or no restored data. No text holds the database's url or a password.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} holds no complete backup: it has no manifest", .0.display())]
    Incomplete(PathBuf),
    #[error("the manifest can't be read, or is of another version")]
    Manifest,
    #[error("the backup is not what its manifest says:\n{}", .0.join("\n"))]
    Mismatch(Vec<String>),
    #[error("{} is not empty: a restore needs a new data folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("the database is not empty: a restore needs a new one")]
    DatabaseNotEmpty,
    #[error("the backup holds {0}, and the configuration names another kind of database")]
    OtherDatabase(&'static str),
    #[error("the backup's folder lies in the data folder, or the other way round")]
    Inside,
    #[error("a database in memory is neither backed up nor restored")]
    InMemory,
    #[error("the database url can't be read")]
    Url,
    #[error("{0} is not installed: PostgreSQL is backed up by its own programs (postgresql-client)")]
    NoProgram(&'static str),
    #[error("{program}: {said}")]
    Program { program: &'static str, said: String },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies database, recordings and attachments to a folder while the service goes on. What an earlier backup there has
/// already is not copied again; until this one is complete the folder holds none.
pub async fn backup(
    store: &Store,
    config: &Config,
    data: &Path,
    to: &Path,
    now: DateTime<Utc>,
) -> Result<BackedUp, BackupError> {
    let kind = database::kind(config);
    if kind == Kind::Sqlite && sqlite_file(config, data)?.is_none() {
        // SQLite would copy it to another one in memory, and leave the file empty
        return Err(BackupError::InMemory);
    }
    begin(data, to)?;
    let seal = store.last_seal().await?.map(|seal| seal.hash);
    let part = to.join(format!("{}.part", database::name(kind)));
    database::copy(store, config, &part).await?;
    let (from, folder) = (data.to_owned(), to.to_owned());
    let (files, copied) = blocking(move || gather(kind, &from, &folder)).await?;
    let done = BackedUp {
        files: files.len() as u64,
        bytes: files.iter().map(|file| file.bytes).sum(),
        copied,
        open: files.iter().filter(|file| file.open).map(|file| file.path.clone()).collect(),
        seal: seal.clone(),
    };
    let manifest = Manifest::new(now, kind, seal, files);
    manifest.write(to).map_err(failed(to))?;
    write_down(store, Action::BackedUp, now).await?;
    Ok(done)
}

fn begin(data: &Path, to: &Path) -> Result<(), BackupError> {
    let database = to.join("database");
    DirBuilder::new().recursive(true).mode(0o700).create(&database).map_err(failed(&database))?;
    if let (Ok(data), Ok(to)) = (data.canonicalize(), to.canonicalize())
        && (to.starts_with(&data) || data.starts_with(&to))
    {
        return Err(BackupError::Inside);
    }
    Manifest::remove(to).map_err(failed(to))
}

/// Puts the database's copy into its place and copies the folders.
fn gather(kind: Kind, data: &Path, to: &Path) -> Result<(Vec<Entry>, u64), BackupError> {
    let (mut entries, mut new) = (Vec::new(), 0);
    let name = database::name(kind);
    let (part, place) = (to.join(format!("{name}.part")), to.join(name));
    fs::rename(&part, &place).map_err(failed(&place))?;
    let bytes = fs::metadata(&place).map_err(failed(&place))?.len();
    let sha256 = File::open(&place).and_then(|mut file| copy::hash(&mut file, bytes)).map_err(failed(&place))?;
    entries.push(Entry { path: name.to_owned(), bytes, sha256, open: false });
    for folder in FOLDERS {
        let root = data.join(folder);
        for file in copy::files_below(&root).map_err(failed(&root))? {
            let Some(relative) = file.strip_prefix(data).ok().and_then(Path::to_str) else { continue };
            let Some(copied) = copy::copy(&file, to, relative)? else { continue };
            new += u64::from(copied.new);
            entries.push(copied.entry);
        }
    }
    Ok((entries, new + 1))
}

/// Reads every file of a backup.
///
/// # Errors
/// [`BackupError::Mismatch`] names the files that are not as the manifest says.
pub async fn check_backup(from: &Path) -> Result<Checked, BackupError> {
    let from = from.to_owned();
    blocking(move || checked(&from).map(|(_, checked)| checked)).await
}

fn checked(from: &Path) -> Result<(Manifest, Checked), BackupError> {
    let manifest = Manifest::read(from)?;
    let mut wrong: Vec<String> = Vec::new();
    for entry in &manifest.files {
        if let Some(what) = mismatch(from, entry).filter(|_| wrong.len() < MAX_LISTED) {
            wrong.push(format!("{}: {what}", entry.path));
        }
    }
    if !wrong.is_empty() {
        return Err(BackupError::Mismatch(wrong));
    }
    let checked = Checked {
        made_at: manifest.made_at,
        files: manifest.files.len() as u64,
        bytes: manifest.files.iter().map(|file| file.bytes).sum(),
        seal: manifest.seal.clone(),
    };
    Ok((manifest, checked))
}

fn mismatch(folder: &Path, entry: &Entry) -> Option<String> {
    let path = folder.join(&entry.path);
    let bytes = match fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) => return Some(error.kind().to_string()),
    };
    if bytes != entry.bytes {
        return Some(format!("{bytes} bytes instead of {}", entry.bytes));
    }
    match File::open(&path).and_then(|mut file| copy::hash(&mut file, bytes)) {
        Ok(sha256) if sha256 == entry.sha256 => None,
        Ok(_) => Some("other bytes".to_owned()),
        Err(error) => Some(error.kind().to_string()),
    }
}

/// Whether a restore into this data folder has begun and not ended.
pub(super) fn is_restoring(data: &Path) -> bool {
    data.join(RESTORING).exists()
}

/// Fills an empty data folder, or PostgreSQL database, from a backup. The caller holds the data folder's lock.
pub async fn restore(config: &Config, data: &Path, from: &Path, now: DateTime<Utc>) -> Result<Checked, BackupError> {
    let folder = from.to_owned();
    let (manifest, checked) = blocking(move || checked(&folder)).await?;
    let file = may_restore(config, data, manifest.database).await?;
    let marker = data.join(RESTORING);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&marker)
        .and_then(|file| file.sync_all())
        .map_err(failed(&marker))?;
    let (source, target) = (from.to_owned(), data.to_owned());
    let dump = from.join(database::name(manifest.database));
    blocking(move || spread(&manifest, &source, &target, file.as_deref())).await?;
    if database::kind(config) == Kind::Postgres {
        database::restore(config, &dump).await?;
    }
    fs::remove_file(&marker).and_then(|()| File::open(data)?.sync_all()).map_err(failed(&marker))?;
    let store = Store::open(config, data).await?;
    write_down(&store, Action::Restored, now).await?;
    store.close().await;
    Ok(checked)
}

/// Gives the place of the SQLite file.
async fn may_restore(config: &Config, data: &Path, kind: Kind) -> Result<Option<PathBuf>, BackupError> {
    if database::kind(config) != kind {
        return Err(BackupError::OtherDatabase(match kind {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed(data))?;
    for entry in fs::read_dir(data).map_err(failed(data))? {
        if entry.map_err(failed(data))?.file_name() != LOCK {
            return Err(BackupError::NotEmpty(data.to_owned()));
        }
    }
    if kind == Kind::Postgres {
        return if database::is_empty(config).await? { Ok(None) } else { Err(BackupError::DatabaseNotEmpty) };
    }
    let file = sqlite_file(config, data)?.ok_or(BackupError::InMemory)?;
    if file.exists() { Err(BackupError::DatabaseNotEmpty) } else { Ok(Some(file)) }
}

/// Copies the files, the database last, and holds each copy to the manifest.
fn spread(manifest: &Manifest, from: &Path, data: &Path, sqlite: Option<&Path>) -> Result<(), BackupError> {
    let name = database::name(manifest.database);
    for entry in manifest.files.iter().filter(|entry| entry.path != name) {
        arrived(entry, copy::copy(&from.join(&entry.path), data, &entry.path)?)?;
    }
    let (Some(file), Some(entry)) = (sqlite, manifest.files.iter().find(|entry| entry.path == name)) else {
        return Ok(());
    };
    let (Some(folder), Some(last)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Err(BackupError::Url);
    };
    arrived(entry, copy::copy(&from.join(name), folder, last)?)
}

fn arrived(entry: &Entry, copied: Option<copy::Copied>) -> Result<(), BackupError> {
    match copied {
        Some(copied) if copied.entry.sha256 == entry.sha256 && copied.entry.bytes == entry.bytes => Ok(()),
        _ => Err(BackupError::Mismatch(vec![format!("{}: changed while it was copied", entry.path)])),
    }
}

async fn write_down(store: &Store, action: Action, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    audit::append(&mut transaction, &Act::new("backup", now, Actor::Operator, action)).await?;
    transaction.commit().await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(BackupError::Store(StoreError::Database(error.to_string()))))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
