//! Putting files in the place of others, all or none as far as that can be foreseen.

use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// Files that stand beside those whose place they take; what is not [`Pending::rename`]d is removed again.
#[derive(Debug, Default)]
pub struct Pending(Vec<Part>);

#[derive(Debug)]
struct Part {
    written: PathBuf,
    place: PathBuf,
}

impl Pending {
    /// Writes what shall take the place of the file at `place`, down to the disk.
    pub fn write(&mut self, place: &Path, bytes: &[u8]) -> Result<()> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let written = place.with_file_name(format!(".{name}.{}.part", std::process::id()));
        self.0.push(Part { written: written.clone(), place: place.to_owned() });
        let mut file = File::create(written)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Puts each in its place, in the order in which they were written.
    ///
    /// # Errors
    /// The place that could not be taken; those before it are.
    pub fn rename(mut self) -> std::result::Result<(), (PathBuf, std::io::Error)> {
        while let Some(Part { written, place }) = self.0.first() {
            fs::rename(written, place).map_err(|error| (place.clone(), error))?;
            self.0.remove(0);
        }
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        for Part { written, .. } in &self.0 {
            // what is left of it is no prompt
            let _ = fs::remove_file(written);
        }
    }
}
