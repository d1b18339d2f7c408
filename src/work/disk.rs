//! Watches the disk of the data folder: a full one takes no recording and no ticket.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::statvfs;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::live::{DiskLevel, Live, Words};

const EVERY: Duration = Duration::from_secs(10);

/// When the disk is an alarm, in percent that are free of its bytes or of its inodes, whichever are fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Below this `/readyz` says so, and the service stays ready.
    pub warn_percent: u8,
    /// Below this the service is not ready.
    pub stop_percent: u8,
}

impl Default for Config {
    fn default() -> Config {
        Config { warn_percent: 15, stop_percent: 5 }
    }
}

/// A disk, as this user may fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub bytes: u64,
    pub free_bytes: u64,
    /// 0 where the file system has no fixed number of them.
    pub inodes: u64,
    pub free_inodes: u64,
}

impl Space {
    /// Of the disk that the folder lies on.
    pub fn of(folder: &Path) -> io::Result<Space> {
        let found = statvfs(folder)?;
        // what is kept back for root is no space of ours
        let kept_back = found.f_bfree.saturating_sub(found.f_bavail);
        Ok(Space {
            bytes: found.f_blocks.saturating_sub(kept_back).saturating_mul(found.f_frsize),
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            inodes: found.f_files,
            free_inodes: found.f_favail,
        })
    }

    /// In percent, of bytes or inodes.
    pub fn free_percent(&self) -> f64 {
        let percent = |free: u64, all: u64| if all == 0 { 100.0 } else { free as f64 * 100.0 / all as f64 };
        percent(self.free_bytes, self.bytes).min(percent(self.free_inodes, self.inodes))
    }

    pub fn level(&self, config: &Config) -> DiskLevel {
        let free = self.free_percent();
        if free < f64::from(config.stop_percent) {
            DiskLevel::Stop
        } else if free < f64::from(config.warn_percent) {
            DiskLevel::Warn
        } else {
            DiskLevel::Enough
        }
    }
}

/// What watches.
pub struct DiskWatch {
    pub config: Config,
    pub data: PathBuf,
    pub live: Arc<Live>,
}

impl DiskWatch {
    /// Until it is cancelled.
    pub async fn run(self, cancelled: CancellationToken) {
        let mut before = DiskLevel::Enough;
        loop {
            before = self.look(Space::of(&self.data), before);
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Exports and reports what was found; an event when the level is another than before.
    fn look(&self, found: io::Result<Space>, before: DiskLevel) -> DiskLevel {
        let space = match found {
            Ok(space) => space,
            Err(error) => {
                let detail = format!("the data folder can't be looked at: {}", error.kind());
                self.live.report("disk", false, Words::new(detail).said("disk_unknown", &[]));
                return before;
            }
        };
        for (name, value) in [
            ("hotline_disk_bytes", space.bytes),
            ("hotline_disk_free_bytes", space.free_bytes),
            ("hotline_disk_inodes", space.inodes),
            ("hotline_disk_free_inodes", space.free_inodes),
        ] {
            metrics::gauge!(name).set(value as f64);
        }
        let (level, free) = (space.level(&self.config), space.free_percent());
        let percent = format!("{free:.1}");
        let detail = match level {
            DiskLevel::Enough => Words::new(format!("{percent} % are free")).said("disk_free", &[&percent]),
            DiskLevel::Warn | DiskLevel::Stop => {
                Words::new(format!("only {percent} % are free")).said("disk_low", &[&percent])
            }
        };
        self.live.report("disk", level != DiskLevel::Stop, detail);
        if level != before {
            match level {
                DiskLevel::Enough => tracing::info!(free_percent = free, "the disk has enough space again"),
                DiskLevel::Warn | DiskLevel::Stop => tracing::warn!(free_percent = free, "the disk is filling up"),
            }
            self.live.disk_changed(level, free);
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::LiveEvent;

    fn space(free_bytes: u64, free_inodes: u64) -> Space {
        Space { bytes: 1_000, free_bytes, inodes: 1_000, free_inodes }
    }

    #[test]
    fn the_scarcer_of_bytes_and_inodes_counts() {
        let level = |bytes, inodes| space(bytes, inodes).level(&Config::default());
        assert_eq!(level(150, 150), DiskLevel::Enough);
        assert_eq!(level(149, 1_000), DiskLevel::Warn);
        assert_eq!(level(1_000, 149), DiskLevel::Warn);
        assert_eq!(level(50, 50), DiskLevel::Warn);
        assert_eq!(level(1_000, 49), DiskLevel::Stop);
        assert_eq!(level(0, 0), DiskLevel::Stop);
        let without = Space { inodes: 0, free_inodes: 0, ..space(500, 0) };
        assert_eq!(without.level(&Config::default()), DiskLevel::Enough, "a file system that counts no inodes");
    }

    #[test]
    fn a_disk_that_fills_up_is_reported_and_told_once() {
        let live = Arc::new(Live::default());
        let mut events = live.subscribe();
        let watch = DiskWatch { config: Config::default(), data: PathBuf::from("/"), live: Arc::clone(&live) };
        let mut level = DiskLevel::Enough;
        for (free, ok) in [(900, true), (100, true), (90, true), (10, false), (500, true)] {
            level = watch.look(Ok(space(free, 1_000)), level);
            assert_eq!(live.health()["disk"].ok, ok, "{free}");
        }
        let mut told = Vec::new();
        while let Ok(LiveEvent::DiskChanged { level, .. }) = events.try_recv() {
            told.push(level);
        }
        assert_eq!(told, [DiskLevel::Warn, DiskLevel::Stop, DiskLevel::Enough]);
        assert_eq!(watch.look(Err(io::ErrorKind::NotFound.into()), level), level);
        assert!(!live.health()["disk"].ok);
    }

    #[test]
    fn this_machines_disk_is_read() {
        let space = Space::of(&std::env::temp_dir()).expect("read");
        assert!(space.bytes >= space.free_bytes && space.bytes > 0, "{space:?}");
        assert!((0.0..=100.0).contains(&space.free_percent()), "{space:?}");
    }
}
