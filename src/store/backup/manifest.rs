//! The list of what a backup holds. It is written last: a folder without it is no backup, or not yet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::BackupError;

pub(super) const NAME: &str = "manifest.json";
const VERSION: u32 = 1;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub version: u32,
    pub made_at: DateTime<Utc>,
    pub database: Kind,
    /// The audit's newest seal when the database was copied.
    pub seal: Option<String>,
    pub files: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Below the backup's folder.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
    /// A recording that was still being written: this is what was on disk of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

impl Manifest {
    pub fn new(made_at: DateTime<Utc>, database: Kind, seal: Option<String>, files: Vec<Entry>) -> Manifest {
        Manifest { version: VERSION, made_at, database, seal, files }
    }

    /// Takes the manifest away: from now on the folder is no backup.
    pub fn remove(folder: &Path) -> io::Result<()> {
        match fs::remove_file(folder.join(NAME)) {
            Ok(()) => File::open(folder)?.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// On disk when this returns.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let part = folder.join(format!("{NAME}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&part, folder.join(NAME))?;
        File::open(folder)?.sync_all()
    }

    pub fn read(folder: &Path) -> Result<Manifest, BackupError> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Incomplete(folder.to_owned()));
            }
            Err(source) => return Err(BackupError::File { path, source }),
        };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| BackupError::Manifest)?;
        let inside = |entry: &Entry| {
            Path::new(&entry.path).components().all(|part| matches!(part, Component::Normal(_)))
                && !entry.path.is_empty()
        };
        if manifest.version != VERSION || !manifest.files.iter().all(inside) {
            return Err(BackupError::Manifest);
        }
        Ok(manifest)
    }
}
