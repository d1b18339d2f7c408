//! Deletes what is kept for a while only, every hour.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Purged, Store, StoreError};

/// Less is a slip of the hand: a ticket of 15 working days, its redos and its visits need the recording.
pub const LEAST_RECORDINGS_DAYS: u32 = 90;

const EVERY: Duration = Duration::from_secs(3_600);

/// The section `[retention]` of the configuration. Tickets and the audit are kept for good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long messages are kept that the far side has taken.
    pub delivered_days: u32,
    /// How long a request that comes again under its `Idempotency-Key` gives the same ticket.
    pub idempotency_days: u32,
    /// How long recordings are kept; those of tickets under legal hold stay.
    pub recordings_days: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { delivered_days: 30, idempotency_days: 2, recordings_days: 1_096 }
    }
}

/// What deletes.
pub struct Retention {
    pub store: Store,
    pub config: Config,
    pub clock: Clock,
}

impl Retention {
    /// Until it is cancelled.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            match self.look(self.clock.wall()).await {
                Ok(Purged { messages: 0, keys: 0 }) => {}
                Ok(Purged { messages, keys }) => tracing::info!(messages, keys, "what was old enough is deleted"),
                Err(error) => tracing::warn!(%error, "old rows could not be deleted; the next look tries again"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Deletes what is old enough.
    ///
    /// # Errors
    /// The store's; what was deleted until then stays deleted.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<Purged, StoreError> {
        let before = |days: u32| now.checked_sub_days(Days::new(days.into())).unwrap_or(DateTime::UNIX_EPOCH);
        self.store.purge(before(self.config.delivered_days), before(self.config.idempotency_days)).await
    }
}
