//! Looks after matters and units that many complain about: opens, steps up and ends their supervision.

use chrono::{DateTime, Utc};

use crate::store::{Store, StoreError};

/// One look at everything; returns how many steps were taken. A subject that fails does not keep the others waiting.
///
/// # Errors
/// The first failure, after all others have been looked at.
pub async fn round(store: &Store, now: DateTime<Utc>) -> Result<u32, StoreError> {
    let (mut steps, mut failed) = (0, None);
    for subject in store.to_supervise(now).await? {
        match store.supervise(&subject, now).await {
            Ok(None) => {}
            Ok(Some(step)) => {
                tracing::info!(city = %subject.city(), "{}", step.event());
                steps += 1;
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(steps), Err)
}
