//! Where recordings lie: `2026/11/22/<id>.wav` with `<id>.json` beside it, by the Beijing day they began.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use chrono::{Datelike, NaiveDate};

use super::sidecar::{Sidecar, SidecarFile, sync_folder};
use super::{RecordingError, RecordingWriter};
use crate::clock::beijing_day;
use crate::ticket::RecordingId;

/// The folder of this machine's recordings.
#[derive(Clone, Debug)]
pub struct RecordingFolder {
    root: PathBuf,
}

/// A recording found on disk: the sound, the sidecar, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub id: RecordingId,
    /// Of the sound, whether it is there or not; below the root.
    pub relative: String,
}

impl RecordingFolder {
    /// Creates the folder if it is missing, for this user alone.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<RecordingFolder> {
        let root = root.into();
        DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        Ok(RecordingFolder { root })
    }

    /// Creates sidecar and sound file; both are on disk when this returns, before the first sample. Blocks.
    pub fn create(&self, sidecar: Sidecar) -> Result<(RecordingWriter, SidecarFile), RecordingError> {
        let id = sidecar.recording;
        let failed = |source| RecordingError::Io { id, source };
        let day = beijing_day(sidecar.started_at);
        let relative = format!("{:04}/{:02}/{:02}/{id}.wav", day.year(), day.month(), day.day());
        let path = self.root.join(&relative);
        self.create_day(&path).map_err(failed)?;
        let channels = sidecar.channels();
        let beside = SidecarFile::create(path.with_extension("json"), sidecar).map_err(failed)?;
        let writer = RecordingWriter::create(id, relative, path.clone(), channels)?;
        sync_folder(&path).map_err(failed)?;
        Ok((writer, beside))
    }

    /// The file of a row's path; `None` for a path that leads out of the folder.
    pub fn file(&self, relative: &str) -> Option<PathBuf> {
        let relative = Path::new(relative);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
        (inside && relative.file_name().is_some()).then(|| self.root.join(relative))
    }

    /// Every recording of that day and later, oldest first.
    pub(super) fn since(&self, first: NaiveDate) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for (year, year_folder) in numbered(&self.root)? {
            for (month, month_folder) in numbered(&year_folder)? {
                for (day, day_folder) in numbered(&month_folder)? {
                    if (year, month, day) >= (first.year() as u32, first.month(), first.day()) {
                        let names = format!("{year:04}/{month:02}/{day:02}");
                        found.extend(recordings_in(&day_folder, &names)?);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The first day that has a folder.
    pub fn first_day(&self) -> io::Result<Option<NaiveDate>> {
        for (year, folder) in numbered(&self.root)? {
            for (month, folder) in numbered(&folder)? {
                let days = numbered(&folder)?.into_iter();
                let day = days.filter_map(|(day, _)| NaiveDate::from_ymd_opt(year as i32, month, day)).next();
                if day.is_some() {
                    return Ok(day);
                }
            }
        }
        Ok(None)
    }

    /// The sound files of that day as rows name them, sorted.
    pub fn sounds_of(&self, day: NaiveDate) -> io::Result<Vec<String>> {
        let names = format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day());
        let folder = self.root.join(&names);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut found = recordings_in(&folder, &names)?;
        found.retain(|found| self.root.join(&found.relative).is_file());
        Ok(found.into_iter().map(|found| found.relative).collect())
    }

    /// Creates the folders down to the file's and makes their names last.
    fn create_day(&self, file: &Path) -> io::Result<()> {
        let day = file.parent().ok_or_else(|| io::Error::other("a file in no folder"))?;
        if day.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(day)?;
        for folder in day.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

fn numbered(folder: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            folders.push((number, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

fn recordings_in(folder: &Path, names: &str) -> io::Result<Vec<Found>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".wav").or_else(|| name.strip_suffix(".json")));
        ids.extend(stem.and_then(|stem| stem.parse::<RecordingId>().ok()));
    }
    ids.sort();
    ids.dedup();
    Ok(ids.into_iter().map(|id| Found { id, relative: format!("{names}/{id}.wav") }).collect())
}
