//! The console in a real browser: each role's way through it, what moves, and who is kept out of it.
//!
//! Each test leaves pictures of the pages at both widths in `target/tmp/pictures`, for a person to look at.

#[expect(dead_code, reason = "shared with tests/it")]
#[path = "../peer/mod.rs"]
mod peer;

#[expect(dead_code, reason = "shared with tests/it")]
#[path = "../it/citizen.rs"]
mod citizen;

mod chromium;
mod door;
mod figures;
mod hour;
mod house;
mod listening;
mod memory;
mod prompts;
mod tickets;
