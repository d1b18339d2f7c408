//! Where attachments lie: `ab/abcdef…`, by their SHA-256, so that the same bytes are kept once.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::ticket::AttachmentId;

/// The folder of this machine's attachments.
#[derive(Clone, Debug)]
pub struct AttachmentFolder {
    root: PathBuf,
}

impl AttachmentFolder {
    /// Creates the folder if it is missing, for this user alone.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<AttachmentFolder> {
        let root = root.into();
        DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        Ok(AttachmentFolder { root })
    }

    /// Writes the bytes unless they are there already; they are on disk when this returns. Gives their hash in
    /// hexadecimal. Blocks.
    pub fn keep(&self, id: AttachmentId, bytes: &[u8]) -> io::Result<String> {
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.path(&hash);
        if path.exists() {
            return Ok(hash);
        }
        let folder = path.parent().unwrap_or(&self.root);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let draft = folder.join(format!(".{id}"));
        let written = write(&draft, bytes).and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written?;
        File::open(folder)?.sync_all()?;
        File::open(&self.root)?.sync_all()?;
        Ok(hash)
    }

    /// The file of a row's hash.
    pub fn path(&self, hash: &str) -> PathBuf {
        let name: String = hash.chars().filter(char::is_ascii_hexdigit).collect();
        self.root.join(&name[..name.len().min(2)]).join(name)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
