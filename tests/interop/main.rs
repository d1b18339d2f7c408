//! Foreign peers: SIPp, baresip, linphonec and Kamailio, each started by the test and ended with it.
//!
//! `drivers` and `callee` prove the drivers and the softphone against each other, without the service; the other files
//! call it, or are called by it.

#[expect(dead_code, reason = "shared with tests/it")]
#[path = "../peer/mod.rs"]
mod peer;

mod baresip;
mod called_back;
mod callee;
mod callers;
mod drivers;
#[expect(dead_code, reason = "shared with tests/it")]
#[path = "../it/visits/house.rs"]
mod house;
mod kamailio;
mod linphone;
mod sipp;
mod trunk;
mod visits;
