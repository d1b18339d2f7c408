//! Files from one folder to another, with their hashes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::BackupError;
use super::manifest::Entry;
use crate::store::seals::hex;
use crate::store::sidecar::Sidecar;

/// A copy, and whether it had to be made.
pub(super) struct Copied {
    pub entry: Entry,
    pub new: bool,
}

/// Copies what the file holds now, unless the target holds just that. `None` when the file has gone meanwhile.
pub(super) fn copy(source: &Path, folder: &Path, relative: &str) -> Result<Option<Copied>, BackupError> {
    let target = folder.join(relative);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::File { path, source }
    };
    let open = is_open_recording(source).map_err(failed(source))?;
    let mut file = match File::open(source) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(source)(error)),
    };
    let bytes = file.metadata().map_err(failed(source))?.len();
    if open {
        // what is in the copy is on the disk of the original as well
        file.sync_data().map_err(failed(source))?;
    }
    let there = fs::metadata(&target).is_ok_and(|there| there.len() == bytes);
    if there {
        let sha256 = hash(&mut file, bytes).map_err(failed(source))?;
        if File::open(&target).and_then(|mut target| hash(&mut target, bytes)).map_err(failed(&target))? == sha256 {
            let entry = Entry { path: relative.to_owned(), bytes, sha256, open };
            return Ok(Some(Copied { entry, new: false }));
        }
        file = File::open(source).map_err(failed(source))?;
    }
    let sha256 = write(&mut file, bytes, &target).map_err(failed(&target))?;
    Ok(Some(Copied { entry: Entry { path: relative.to_owned(), bytes, sha256, open }, new: true }))
}

/// Writes so many bytes to a file that has them all or does not exist; gives their SHA-256.
fn write(from: &mut File, bytes: u64, target: &Path) -> io::Result<String> {
    let folder = target.parent().ok_or_else(|| io::Error::other("a file in no folder"))?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = target.file_name().ok_or_else(|| io::Error::other("a file without a name"))?;
    let part = folder.join(format!("{}.part", name.to_string_lossy()));
    let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    let sha256 = pump(from, bytes, |piece| to.write_all(piece))?;
    to.sync_all()?;
    fs::rename(&part, target)?;
    File::open(folder)?.sync_all()?;
    Ok(sha256)
}

/// The SHA-256 of the first `bytes`, in hexadecimal digits.
pub(super) fn hash(from: &mut File, bytes: u64) -> io::Result<String> {
    pump(from, bytes, |_| Ok(()))
}

fn pump(from: &mut File, bytes: u64, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<String> {
    let (mut sum, mut left) = (Sha256::new(), bytes);
    let mut buffer = vec![0; 128 * 1024];
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = from.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sum.update(&buffer[..read]);
        to(&buffer[..read])?;
        left -= read as u64;
    }
    Ok(hex(&sum.finalize().into()))
}

/// A recording whose sidecar says nothing of its end. The sidecar is read before the sound: one that says so is final.
fn is_open_recording(path: &Path) -> io::Result<bool> {
    if path.extension().is_none_or(|extension| extension != "wav") {
        return Ok(false);
    }
    Ok(Sidecar::read(&path.with_extension("json"))?.is_some_and(|sidecar| sidecar.outcome.is_none()))
}

/// All files below a folder by name, sidecars before their sound; what is half written (`.part`) is left out. A folder
/// that is not there has none.
pub(super) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_none_or(|extension| extension != "part") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
