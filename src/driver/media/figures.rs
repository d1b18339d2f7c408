//! Counters and lateness of a media thread, read by others through atomics.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::Mono;
use crate::media::event::Summary;

/// Written by one media thread, read by anybody.
#[derive(Debug, Default)]
pub struct Figures {
    packets_in: AtomicU64,
    packets_out: AtomicU64,
    unsent: AtomicU64,
    lost: AtomicU64,
    discarded: AtomicU64,
    foreign: AtomicU64,
    skipped: AtomicU64,
    overruns: AtomicU64,
    events_lost: AtomicU64,
    visited_us: AtomicU64,
    late_p50_us: AtomicU32,
    late_p99_us: AtomicU32,
}

impl Figures {
    /// RTP and RTCP datagrams read.
    pub fn packets_in(&self) -> u64 {
        self.packets_in.load(Relaxed)
    }

    /// RTP and RTCP datagrams written.
    pub fn packets_out(&self) -> u64 {
        self.packets_out.load(Relaxed)
    }

    /// Datagrams that the system did not take.
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Relaxed)
    }

    /// Lost on the way here, of calls that are closed.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Malformed, late or of another payload type, of calls that are closed.
    pub fn discarded(&self) -> u64 {
        self.discarded.load(Relaxed)
    }

    /// From addresses that are not the peer's, of calls that are closed.
    pub fn foreign(&self) -> u64 {
        self.foreign.load(Relaxed)
    }

    /// Periods in which calls that are closed sent nothing because the thread was late.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Relaxed)
    }

    /// Recording frames that found no room.
    pub fn overruns(&self) -> u64 {
        self.overruns.load(Relaxed)
    }

    /// Events that found no room.
    pub fn events_lost(&self) -> u64 {
        self.events_lost.load(Relaxed)
    }

    /// Median lateness of the visits in the last full second, in microseconds.
    pub fn late_p50_us(&self) -> u32 {
        self.late_p50_us.load(Relaxed)
    }

    /// 99th percentile of the same, or the time since the last visit if that is longer.
    pub fn late_p99_us(&self, now: Mono) -> u32 {
        let since = now.as_micros().saturating_sub(self.visited_us.load(Relaxed));
        let since = u32::try_from(since).unwrap_or(u32::MAX);
        // Up to a slot's length a thread is only waiting for its next visit.
        let stuck = if since > 2 * SLOT.as_micros() as u32 { since } else { 0 };
        self.late_p99_us.load(Relaxed).max(stuck)
    }

    pub(super) fn visited(&self, now: Mono) {
        self.visited_us.store(now.as_micros(), Relaxed);
    }

    /// A call is closed.
    pub(super) fn closed(&self, summary: &Summary) {
        self.lost.fetch_add(summary.lost, Relaxed);
        self.discarded.fetch_add(summary.discarded + summary.late, Relaxed);
        self.foreign.fetch_add(summary.foreign, Relaxed);
        self.skipped.fetch_add(summary.skipped, Relaxed);
    }
}

/// From a visit to the next, of another slot.
pub(super) const SLOT: Duration = Duration::from_millis(5);

/// What one visit adds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub packets_in: u64,
    pub packets_out: u64,
    pub unsent: u64,
    pub overruns: u64,
    pub events_lost: u64,
}

impl Tally {
    pub fn flush(&mut self, figures: &Figures) {
        let Tally { packets_in, packets_out, unsent, overruns, events_lost } = std::mem::take(self);
        figures.packets_in.fetch_add(packets_in, Relaxed);
        figures.packets_out.fetch_add(packets_out, Relaxed);
        for (counter, count) in
            [(&figures.unsent, unsent), (&figures.overruns, overruns), (&figures.events_lost, events_lost)]
        {
            if count > 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }
}

/// How late the visits of the current second were.
pub(super) struct Lateness {
    samples: [u32; Lateness::SAMPLES],
    len: usize,
    until: Mono,
}

impl Lateness {
    /// A second has 200 visits.
    const SAMPLES: usize = 256;
    const WINDOW: Duration = Duration::from_secs(1);

    pub fn new(now: Mono) -> Lateness {
        Lateness { samples: [0; Lateness::SAMPLES], len: 0, until: now + Lateness::WINDOW }
    }

    pub fn add(&mut self, now: Mono, late: Duration, figures: &Figures) {
        if let Some(sample) = self.samples.get_mut(self.len) {
            *sample = u32::try_from(late.as_micros()).unwrap_or(u32::MAX);
            self.len += 1;
        }
        if now < self.until {
            return;
        }
        let samples = &mut self.samples[..self.len];
        samples.sort_unstable();
        figures.late_p50_us.store(percentile(samples, 50), Relaxed);
        figures.late_p99_us.store(percentile(samples, 99), Relaxed);
        self.len = 0;
        self.until = now + Lateness::WINDOW;
    }
}

fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_second_before() {
        let figures = Figures::default();
        let at = |ms| Mono::from_micros(ms * 1_000);
        let mut lateness = Lateness::new(at(0));
        for n in 0..200_u64 {
            lateness.add(at(n * 5), Duration::from_micros(n + 1), &figures);
        }
        assert_eq!(figures.late_p50_us(), 0, "the second is not over");
        lateness.add(at(1_000), Duration::from_micros(1), &figures);
        figures.visited(at(1_000));
        assert_eq!((figures.late_p50_us(), figures.late_p99_us(at(1_004))), (100, 198));
    }

    #[test]
    fn a_thread_that_is_stuck_is_late() {
        let figures = Figures::default();
        figures.visited(Mono::from_micros(1_000));
        assert_eq!(figures.late_p99_us(Mono::from_micros(901_000)), 900_000);
    }
}
