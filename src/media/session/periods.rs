//! A session's own time: periods of 20 ms since its first visit.

use std::time::Duration;

use crate::clock::{Mono, Now};
use crate::media::{FRAME_MS, rtcp};

const PERIOD: Duration = Duration::from_millis(FRAME_MS as u64);

pub(super) struct Periods {
    /// When the next one begins.
    pub next: Mono,
    /// Periods begun.
    pub number: u32,
    /// NTP time at the clock's origin.
    ntp_origin: u64,
}

impl Periods {
    pub fn new(now: Now) -> Periods {
        let ntp_origin = rtcp::ntp(now.wall).wrapping_sub(rtcp::ntp_span(now.mono.since(Mono::ZERO)));
        Periods { next: now.mono, number: 0, ntp_origin }
    }

    /// Periods that have begun by `now` and have not been dealt with.
    pub fn owed(&self, now: Mono) -> u32 {
        if now < self.next {
            return 0;
        }
        u32::try_from(now.since(self.next).as_micros() / PERIOD.as_micros() + 1).unwrap_or(u32::MAX)
    }

    pub fn pass(&mut self, periods: u32) {
        self.number = self.number.wrapping_add(periods);
        self.next += PERIOD * periods;
    }

    pub fn ntp(&self, now: Mono) -> u64 {
        self.ntp_origin.wrapping_add(rtcp::ntp_span(now.since(Mono::ZERO)))
    }
}
