//! Draws the tickets that are looked at (质检), once a week and city.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, beijing_day};
use crate::store::{Store, StoreError};
use crate::ticket::quality::week_of;

const EVERY: Duration = Duration::from_secs(3_600);

/// What draws.
pub struct Drawing {
    pub store: Store,
    pub clock: Clock,
}

impl Drawing {
    /// Until it is cancelled. A failure is a line in the log: the next hour draws what is missing.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            match self.look(self.clock.wall()).await {
                Ok(0) => {}
                Ok(reviews) => tracing::info!(reviews, "the tickets of last week that are looked at are drawn"),
                Err(error) => tracing::warn!(%error, "last week's tickets could not be drawn"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Draws last week, where it is not drawn yet.
    ///
    /// # Errors
    /// The store's; cities that were drawn until then stay drawn.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let last = week_of(beijing_day(now)) - Days::new(7);
        self.store.draw_reviews(last, now).await
    }
}
