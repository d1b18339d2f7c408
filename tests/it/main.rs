//! The built service against the tests' own softphone, over real sockets and in real time.

#[expect(dead_code, reason = "shared with tests/interop")]
#[path = "../peer/mod.rs"]
mod peer;

mod api;
mod calls;
mod citizen;
mod faults;
mod killed;
mod media_rules;
mod menus;
mod ranks;
mod recording;
mod signalling;
mod trunk;
mod visits;
mod ways_out;
