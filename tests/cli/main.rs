//! The commands of the binary, as somebody at a terminal meets them.

#[expect(dead_code, reason = "shared with tests/it and tests/interop")]
#[path = "../peer/mod.rs"]
mod peer;

mod calendar;
mod call;
mod demo;
mod keeping;
mod mistakes;
mod prompts;
mod report;
mod simulate;
mod user;
mod visits;

use std::process::{Command, Output};

/// The binary, run to its end.
fn hotline(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(arguments).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}
