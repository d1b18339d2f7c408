//! Keeps the figures of reports counted, and raises classes that bring far more requests than they used to (S23).

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, beijing_day};
use crate::report::{self, monday, rising};
use crate::store::{Store, StoreError};

const EVERY: Duration = Duration::from_secs(60);
/// How far back days are counted when nobody asks; days before wait for a report.
const DAYS_BACK: u64 = 400;

pub struct Trends {
    pub store: Store,
    pub config: report::Config,
    pub clock: Clock,
}

impl Trends {
    /// Until it is cancelled.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            if let Err(error) = self.look(self.clock.wall()).await {
                tracing::warn!(%error, "figures could not be counted; the next look tries again");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Counts what has changed and raises what rises; gives the number of classes raised for the first time this week.
    ///
    /// # Errors
    /// The store's; what was raised until then stays raised.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let today = beijing_day(now);
        self.store.recount(today - Days::new(DAYS_BACK), today + Days::new(DAYS_BACK), &[]).await?;
        let weeks = self.store.class_weeks(today, &[]).await?;
        let mut raised = 0;
        for trend in rising(&weeks, &self.config) {
            if self.store.raise_trend(trend, monday(today), now).await? {
                tracing::info!(city = %trend.city, class = %trend.class, week = trend.week, "a class rises");
                raised += 1;
            }
        }
        Ok(raised)
    }
}
