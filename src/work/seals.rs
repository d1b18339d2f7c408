//! Seals the audit, every minute.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::Store;

const EVERY: Duration = Duration::from_secs(60);

/// What seals.
pub struct Sealing {
    pub store: Store,
    pub clock: Clock,
}

impl Sealing {
    /// Until it is cancelled. A failure is a line in the log: the next minute seals more.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            match self.store.seal_audit(self.clock.wall()).await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "audit rows are sealed"),
                Err(error) => tracing::warn!(error = %error, "the audit could not be sealed"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }
}
