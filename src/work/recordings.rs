//! Recordings whose time is over go, every hour; every night files and rows are held against each other.
//!
//! What is deleted never comes back, so that nothing is by a wall clock that was just set: the first look is an hour after the
//! start, when a machine that started with a wrong time has been told the right one, and who sees a jump waits for the next.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Now, Steady, beijing_day};
use crate::store::{Expired, RecordingFolder, RecordingsChecked, Store, StoreError};

const EVERY: Duration = Duration::from_secs(3_600);
/// Files that one look takes before it asks the store again.
const BATCH: u32 = 200;

/// What lets recordings go.
pub struct Expiry {
    pub store: Store,
    pub folder: RecordingFolder,
    /// This machine, which deletes its own files only.
    pub node: String,
    /// How long recordings are kept (`retention.recordings_days`).
    pub days: u32,
    pub clock: Clock,
}

/// How many recordings were marked, and how many files are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub marked: u64,
    pub erased: u64,
}

/// Why a look ended early; what was done until then is done, the rest is the next look's.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the folder of recordings failed: {0}")]
    Folder(#[from] io::Error),
}

impl Expiry {
    /// Until it is cancelled.
    pub async fn run(self, cancelled: CancellationToken) {
        let mut steady = Steady::default();
        loop {
            let now = self.clock.now();
            match self.look_by(&mut steady, now).await {
                Ok(Gone { marked: 0, erased: 0 }) => {}
                Ok(Gone { marked, erased }) => {
                    tracing::info!(marked, erased, "recordings whose time was over are gone")
                }
                Err(error) => tracing::warn!(%error, "old recordings could not be deleted; the next look tries again"),
            }
            if let Err(error) = self.check_nightly(now.wall).await {
                tracing::warn!(%error, "recordings and their rows could not be compared");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// As [`Expiry::look`], unless the wall clock has jumped since the last time, or this is the first.
    ///
    /// # Errors
    /// As there.
    pub async fn look_by(&self, steady: &mut Steady, now: Now) -> Result<Gone, ExpiryError> {
        let first = !steady.has_looked();
        if let Err(jump) = steady.check(now) {
            let seconds = jump.num_seconds();
            tracing::warn!(seconds, "the machine's wall clock has jumped: no recording is deleted at this look");
            return Ok(Gone::default());
        }
        if first { Ok(Gone::default()) } else { self.look(now.wall).await }
    }

    /// Marks what is old enough, then deletes the files of all that is marked.
    ///
    /// # Errors
    /// The store's or the disk's.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<Gone, ExpiryError> {
        let before = now.checked_sub_days(Days::new(self.days.into())).unwrap_or(DateTime::UNIX_EPOCH);
        let marked = self.store.expire_recordings(before, now).await?;
        let mut erased = 0;
        loop {
            let expired = self.store.recordings_to_erase(&self.node, BATCH).await?;
            for recording in &expired {
                self.erase(recording).await?;
                self.store.recording_erased(recording.id, now).await?;
                erased += 1;
            }
            if expired.len() < BATCH as usize {
                return Ok(Gone { marked, erased });
            }
        }
    }

    /// A file that is gone already is gone.
    async fn erase(&self, recording: &Expired) -> io::Result<()> {
        let Some(sound) = self.folder.file(&recording.path) else {
            return Err(io::Error::other("the path of a recording leads out of its folder"));
        };
        // the sidecar comes last: while it is there, so is everything a repair wants to know of the sound
        for path in [sound.clone(), sound.with_extension("json")] {
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    async fn check_nightly(&self, now: DateTime<Utc>) -> Result<(), ExpiryError> {
        let last = self.store.recordings_checked(&self.node).await?;
        if last.is_some_and(|last| beijing_day(last.at) == beijing_day(now)) {
            return Ok(());
        }
        let found = self.check(now).await?;
        metrics::gauge!("hotline_recordings_without_row").set(found.without_row as f64);
        metrics::gauge!("hotline_recordings_without_file").set(found.without_file as f64);
        let RecordingsChecked { without_row, without_file, .. } = found;
        if without_row + without_file > 0 {
            tracing::warn!(without_row, without_file, "recordings and their rows do not match");
        }
        Ok(())
    }

    /// Holds the files of all days before today against the rows, a day at a time; keeps and gives what does not match.
    ///
    /// # Errors
    /// The store's or the disk's.
    pub async fn check(&self, now: DateTime<Utc>) -> Result<RecordingsChecked, ExpiryError> {
        let today = beijing_day(now);
        let mut found = RecordingsChecked { at: now, ..RecordingsChecked::default() };
        let of_files = self.folder.first_day()?;
        let of_rows = self.store.first_recording(&self.node).await?.map(beijing_day);
        let first = of_files.into_iter().chain(of_rows).min().unwrap_or(today);
        for day in first.iter_days().take_while(|day| *day < today) {
            self.check_day(day, &mut found).await?;
        }
        self.store.set_recordings_checked(&self.node, &found).await?;
        Ok(found)
    }

    async fn check_day(&self, day: NaiveDate, found: &mut RecordingsChecked) -> Result<(), ExpiryError> {
        let (from, to) = (beijing_midnight(day), beijing_midnight(day) + TimeDelta::days(1));
        let files: HashSet<String> = self.folder.sounds_of(day)?.into_iter().collect();
        let rows = self.store.recordings_on_disk(&self.node, from, to).await?;
        let named: HashSet<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        found.without_row += files.iter().filter(|file| !named.contains(file.as_str())).count() as u64;
        found.without_file += rows.iter().filter(|row| !row.marked && !files.contains(&row.path)).count() as u64;
        Ok(())
    }
}

fn beijing_midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}
