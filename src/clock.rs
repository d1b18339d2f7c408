//! The one place that asks what time it is.
//!
//! Everything else takes [`Now`] (or its monotonic half, [`Mono`]) as an argument, which is what lets the
//! simulation tests run a day in a second.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Utc};

/// A point on the monotonic clock: microseconds since an origin that means nothing outside this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    pub const ZERO: Mono = Mono(0);

    pub const fn from_micros(micros: u64) -> Mono {
        Mono(micros)
    }

    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;

    fn add(self, duration: Duration) -> Mono {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Mono(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Mono {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Mono> for Mono {
    type Output = Duration;

    fn sub(self, earlier: Mono) -> Duration {
        self.since(earlier)
    }
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub mono: Mono,
    /// Cut to microseconds: PostgreSQL keeps no more.
    pub wall: DateTime<Utc>,
}

impl Add<Duration> for Now {
    type Output = Now;

    fn add(self, duration: Duration) -> Now {
        let wall = self.wall + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        Now { mono: self.mono + duration, wall }
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks")]
    pub fn start() -> Clock {
        Clock { origin: std::time::Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks")]
    pub fn mono(&self) -> Mono {
        Mono::ZERO + self.origin.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks")]
    pub fn wall(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    pub fn now(&self) -> Now {
        Now { mono: self.mono(), wall: self.wall() }
    }

    /// The instant to hand to a runtime's timer.
    pub fn instant(&self, at: Mono) -> std::time::Instant {
        self.origin + at.since(Mono::ZERO)
    }
}

/// Compares the two clocks from look to look, so that nothing is done by a wall clock that was just set.
#[derive(Debug, Default)]
pub struct Steady {
    last: Option<Now>,
}

/// A wall clock that is set by so much is believed at the next look only.
const JUMP: TimeDelta = TimeDelta::seconds(10);

impl Steady {
    /// Whether there is a look to compare with.
    pub fn has_looked(&self) -> bool {
        self.last.is_some()
    }

    /// # Errors
    /// By how much the wall clock has run ahead of the monotonic one since the last look; negative when it fell behind.
    pub fn check(&mut self, now: Now) -> Result<(), TimeDelta> {
        let Some(last) = self.last.replace(now) else { return Ok(()) };
        let passed = TimeDelta::from_std(now.mono.since(last.mono)).unwrap_or(TimeDelta::MAX);
        let ahead = (now.wall - last.wall).checked_sub(&passed).unwrap_or(TimeDelta::MIN);
        if ahead.abs() > JUMP { Err(ahead) } else { Ok(()) }
    }
}

/// The day it is in Beijing, which all seven cities keep: UTC+8, no summer time since 1991.
pub fn beijing_day(at: DateTime<Utc>) -> NaiveDate {
    at.checked_add_signed(TimeDelta::hours(8)).unwrap_or(at).date_naive()
}

/// The time of day it is in Beijing then.
pub fn beijing_time(at: DateTime<Utc>) -> NaiveTime {
    at.checked_add_signed(TimeDelta::hours(8)).unwrap_or(at).time()
}

/// When it is so late on that day in Beijing.
pub fn from_beijing(day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let there = day.and_time(time);
    there.checked_sub_signed(TimeDelta::hours(8)).unwrap_or(there).and_utc()
}

/// 23:59:59 of a day in Beijing.
pub fn end_of_beijing_day(day: NaiveDate) -> DateTime<Utc> {
    const LAST_SECOND: NaiveTime = NaiveTime::from_hms_opt(15, 59, 59).expect("a time of day");
    day.and_time(LAST_SECOND).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beijing_day_starts_at_sixteen_utc() {
        let before: DateTime<Utc> = "2026-11-22T15:59:59Z".parse().expect("a time");
        let after: DateTime<Utc> = "2026-11-22T16:00:00Z".parse().expect("a time");
        assert_eq!(beijing_day(before).to_string(), "2026-11-22");
        assert_eq!(beijing_day(after).to_string(), "2026-11-23");
    }

    #[test]
    fn a_beijing_day_ends_at_sixteen_utc() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day");
        assert_eq!(end_of_beijing_day(day).to_rfc3339(), "2026-11-22T15:59:59+00:00");
        for day in [day, NaiveDate::MIN, NaiveDate::MAX] {
            assert_eq!(beijing_day(end_of_beijing_day(day)), day);
        }
        assert_eq!(beijing_day(DateTime::<Utc>::MAX_UTC), NaiveDate::MAX);
    }

    fn now(seconds: u64, wall: &str) -> Now {
        Now { mono: Mono::from_micros(seconds * 1_000_000), wall: wall.parse().expect("a time") }
    }

    #[test]
    fn clocks_that_go_together_are_steady() {
        let mut steady = Steady::default();
        assert_eq!(steady.check(now(100, "2026-11-22T02:00:00Z")), Ok(()));
        assert_eq!(steady.check(now(115, "2026-11-22T02:00:16Z")), Ok(()));
        assert_eq!(steady.check(now(3_700, "2026-11-22T03:00:01Z")), Ok(()), "a look that took long is no jump");
    }

    #[test]
    fn a_wall_clock_that_jumps_costs_one_look() {
        let mut steady = Steady::default();
        assert_eq!(steady.check(now(100, "2026-11-22T02:00:00Z")), Ok(()));
        assert_eq!(steady.check(now(115, "2026-11-22T01:00:15Z")), Err(TimeDelta::hours(-1)), "back");
        assert_eq!(steady.check(now(130, "2026-11-22T01:00:30Z")), Ok(()));
        assert_eq!(steady.check(now(145, "2027-11-22T01:00:45Z")), Err(TimeDelta::days(365)), "far ahead");
        assert_eq!(steady.check(now(160, "2027-11-22T01:01:00Z")), Ok(()));
    }

    /// No day has an hour twice or lacks one, so that a time of day names one moment.
    #[test]
    fn every_day_in_beijing_has_24_hours() {
        let night = NaiveTime::from_hms_opt(1, 30, 0).expect("a time of day");
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");
        for day in first.iter_days().take(40_000) {
            let at = from_beijing(day, night);
            assert_eq!((beijing_day(at), beijing_time(at)), (day, night));
            assert_eq!(from_beijing(day.succ_opt().expect("a day"), night) - at, TimeDelta::hours(24));
        }
    }

    #[test]
    fn time_never_runs_below_its_origin() {
        assert_eq!(Mono::from_micros(5).since(Mono::from_micros(9)), Duration::ZERO);
    }
}
