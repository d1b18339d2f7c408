//! The shell: sockets, tasks and threads around the pure cores. Holds no rule of SIP, of sound or of the flow.

mod asks;
pub mod caller;
pub mod calls;
pub mod consult;
pub mod dns;
pub mod keeper;
pub mod media;
pub mod recorder;
pub mod route;
pub mod sip;
pub mod trunk;

use std::time::Instant;

/// Never, when there is nothing to wait for.
pub(crate) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
