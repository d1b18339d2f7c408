//! A folder of one tour, for this user alone.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Gone with everything in it when dropped, unless it is to be kept.
#[derive(Debug)]
pub struct TourFolder {
    path: PathBuf,
    keep: bool,
}

impl TourFolder {
    /// `random` makes a name that nobody else has.
    pub fn new(random: u64, keep: bool) -> io::Result<TourFolder> {
        let path = std::env::temp_dir().join(format!("hotline-demo-{random:016x}"));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(TourFolder { path, keep })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TourFolder {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the folder of the tour could not be removed");
        }
    }
}
