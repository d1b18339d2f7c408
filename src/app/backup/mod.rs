//! `hotline backup` and `hotline restore`.

use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::print::print;
use super::service::lock;
use super::stored::{Stored, open_existing, runtime};
use crate::clock::Clock;
use crate::store::{self, BackedUp, Checked};

const BACKUP: &str = "\
Examples:
  hotline backup /mnt/backup/hotline-a --data /var/lib/hotline
  hotline backup /mnt/backup/hotline-a --config /etc/hotline.toml

The service goes on meanwhile. What lies in DIR already is not copied again; until the end DIR holds no complete
backup, so two folders in turn are better than one. Recordings that are still being written are kept as far as they
are on the disk. The API's token and the configuration are not part of it. With PostgreSQL pg_dump is needed, and
each machine backs up its own recordings.

Exit code: 0 complete, 1 otherwise, 2 when a setting can't be used.";

const RESTORE: &str = "\
Examples:
  hotline restore /mnt/backup/hotline-a --verify
      reads every file of the backup and restores nothing
  hotline restore /mnt/backup/hotline-a --data /var/lib/hotline-new

Fills a new data folder, with PostgreSQL an empty database too. The next start of the service repairs what was open.

Exit code: 0 done, 1 otherwise, 2 when a setting can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = BACKUP)]
pub struct BackupArguments {
    /// Folder of the backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    stored: Stored,
    /// One JSON document in place of the lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE)]
pub struct RestoreArguments {
    /// Folder of the backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    stored: Stored,
    /// Check the backup and restore nothing
    #[arg(long)]
    verify: bool,
    /// One JSON document in place of the lines
    #[arg(long)]
    json: bool,
}

/// Backs up.
///
/// # Errors
/// What can't be used or copied.
pub fn backup(arguments: &BackupArguments) -> Result<(), Failure> {
    let config = arguments.stored.config()?;
    let now = Clock::start().wall();
    let done = runtime()?.block_on(async {
        let store = open_existing(&config).await?;
        let done = store::backup(&store, &config.store, &config.data, &arguments.folder, now).await;
        store.close().await;
        done.map_err(|error| Failure::Environment(error.to_string()))
    })?;
    if arguments.json {
        return print([format!("{:#}", backed_up_document(&done))]);
    }
    print(backed_up_lines(&done))
}

/// Restores, or only checks.
///
/// # Errors
/// What can't be used or copied, or is not as the manifest says.
pub fn restore(arguments: &RestoreArguments) -> Result<(), Failure> {
    let failed = |error: store::BackupError| Failure::Environment(error.to_string());
    let runtime = runtime()?;
    let (checked, what) = if arguments.verify {
        (runtime.block_on(store::check_backup(&arguments.folder)).map_err(failed)?, "whole")
    } else {
        let config = arguments.stored.config()?;
        super::service::make_data_folder(&config)?;
        let _lock = lock(&config)?;
        let now = Clock::start().wall();
        let restored = store::restore(&config.store, &config.data, &arguments.folder, now);
        (runtime.block_on(restored).map_err(failed)?, "restored")
    };
    if arguments.json {
        return print([format!("{:#}", checked_document(&checked))]);
    }
    print(checked_lines(&checked, what))
}

fn backed_up_document(done: &BackedUp) -> serde_json::Value {
    json!({
        "files": done.files,
        "bytes": done.bytes,
        "copied": done.copied,
        "open": done.open,
        "seal": done.seal,
    })
}

fn backed_up_lines(done: &BackedUp) -> Vec<String> {
    let mut lines = vec![format!("{} files, {} bytes; {} were copied anew", done.files, done.bytes, done.copied)];
    lines.extend(done.open.iter().map(|path| format!("still being written: {path}")));
    lines.extend(done.seal.iter().map(|hash| format!("the audit's last seal: {hash}")));
    lines
}

fn checked_document(checked: &Checked) -> serde_json::Value {
    json!({
        "made_at": checked.made_at,
        "files": checked.files,
        "bytes": checked.bytes,
        "seal": checked.seal,
    })
}

fn checked_lines(checked: &Checked, what: &str) -> Vec<String> {
    let made = checked.made_at.format("%Y-%m-%dT%H:%M:%SZ");
    let mut lines = vec![format!("{what}: {} files, {} bytes, made {made}", checked.files, checked.bytes)];
    lines.extend(checked.seal.iter().map(|hash| format!("the audit's last seal then: {hash}")));
    lines
}
