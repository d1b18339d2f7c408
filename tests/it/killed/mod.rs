//! Killed with SIGKILL at any moment, the hotline calls nobody twice and loses no answer (domain.md §4).

mod callee;
mod closings;
mod judge;
mod steps;
mod town;

use std::net::SocketAddr;

/// Return visits go by this trunk at any hour of any day. Nobody is called in the last seconds before midnight, so that a test
/// has to wait for the next day then.
fn calls_by(trunk: SocketAddr, calls_per_second: u32) -> String {
    format!(
        "[visits]\nwindows = [\"00:00-23:59\"]\ncall_on_days_off = true\nring_timeout_s = 6\n\
         [dialer]\nmax_calls = 40\ncalls_per_second = {calls_per_second}\n\
         [media]\nquarantine_ms = 200\n\
         [trunk.city]\npeer = \"sip:{trunk}\"\ncalls_out = true\nchannels = 100\nkept_for_inbound = 0\n\
         [trunk.city.caller_id]\ndefault = \"12345\"\n"
    )
}
