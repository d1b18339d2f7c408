//! Foreign peers: SIPp, baresip, linphonec and Kamailio, each started by the test and ended with it.
//!
//! `drivers` proves the drivers and the softphone against each other, without the service; the other files call it.

#[expect(dead_code, reason = "shared with tests/it")]
#[path = "../peer/mod.rs"]
mod peer;

mod baresip;
mod callers;
mod drivers;
mod kamailio;
mod linphone;
mod sipp;
mod trunk;
