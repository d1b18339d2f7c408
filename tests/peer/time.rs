//! The one place of the tests that asks what time it is.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "a test against real sockets lives in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// What time it is for the services.
#[expect(clippy::disallowed_methods, reason = "a service of its own process has its own clock")]
pub fn wall() -> DateTime<Utc> {
    Utc::now()
}

/// Time left until `deadline`; zero when it has passed.
pub fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(now())
}

pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
