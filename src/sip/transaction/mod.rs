//! The four transaction machines of RFC 3261 §17 with the Accepted states of RFC 6026, one a file.
//!
//! A machine sees messages only as far as it must: what to repeat as bytes, and which class a response has. It is
//! consumed by every input and hands out [`Action`]s; the endpoint keeps it in a table and its timers in a queue.

pub mod client;
pub mod client_invite;
pub mod key;
pub mod server;
pub mod server_invite;

use std::time::Duration;

pub use client::Client;
pub use client_invite::ClientInvite;
pub use server::Server;
pub use server_invite::ServerInvite;

/// The timers of RFC 3261 table 4 and RFC 6026; C is a proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// INVITE request retransmission.
    A,
    /// INVITE transaction timeout.
    B,
    /// Wait for response retransmissions to an INVITE.
    D,
    /// Non-INVITE request retransmission.
    E,
    /// Non-INVITE transaction timeout.
    F,
    /// INVITE response retransmission.
    G,
    /// Wait for the ACK.
    H,
    /// Wait for ACK retransmissions.
    I,
    /// Wait for non-INVITE request retransmissions.
    J,
    /// Wait for response retransmissions to a non-INVITE.
    K,
    /// Wait for retransmissions of an accepted INVITE (server).
    L,
    /// Wait for retransmissions and forks of a 2xx (client).
    M,
}

impl Timer {
    pub const ALL: [Timer; 12] = [
        Timer::A,
        Timer::B,
        Timer::D,
        Timer::E,
        Timer::F,
        Timer::G,
        Timer::H,
        Timer::I,
        Timer::J,
        Timer::K,
        Timer::L,
        Timer::M,
    ];
}

/// T1, T2 and T4 of RFC 3261 §17, and whether the transport repeats lost messages itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    pub t1: Duration,
    pub t2: Duration,
    pub t4: Duration,
    pub reliable: bool,
}

impl Timing {
    /// 64*T1: how long anything is waited for.
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Transmit(Vec<u8>),
    Start(Timer, Duration),
    Stop(Timer),
    /// The message that was just handed in goes up to the transaction user.
    Deliver,
    /// The transaction user learns that nobody answered (timers B, F, H).
    TimedOut,
    /// The transaction user learns that the transport failed.
    TransportFailed,
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) const UDP: Timing = Timing {
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        reliable: false,
    };
    pub(crate) const TCP: Timing = Timing { reliable: true, ..UDP };

    pub(crate) fn bytes(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    /// The actions as words: `send INVITE`, `start A 500`, `stop A`, `deliver`.
    pub(crate) fn words(actions: &[Action]) -> Vec<String> {
        actions
            .iter()
            .map(|action| match action {
                Action::Transmit(bytes) => format!("send {}", String::from_utf8_lossy(bytes)),
                Action::Start(timer, after) => format!("start {timer:?} {}", after.as_millis()),
                Action::Stop(timer) => format!("stop {timer:?}"),
                Action::Deliver => "deliver".to_owned(),
                Action::TimedOut => "timed out".to_owned(),
                Action::TransportFailed => "transport failed".to_owned(),
            })
            .collect()
    }
}
