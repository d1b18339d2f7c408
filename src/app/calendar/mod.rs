//! `hotline calendar`: working days, and what was announced about them.

mod due;
mod import;

use std::path::Path;

use super::Failure;
use crate::ticket::calendar::{Announcement, Calendar};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Count working days: when something is due, and which days were counted and skipped, and why.
    Due(due::Arguments),
    /// Import announced days off: open tickets are counted anew, and those that move are shown.
    Import(import::Arguments),
}

/// Does what is asked.
///
/// # Errors
/// What can't be used, or the environment's refusal.
pub fn calendar(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Due(due) => due.run(),
        Command::Import(import) => import.run(),
    }
}

/// Reads a file of announcements.
fn read(file: &Path) -> Result<Vec<Announcement>, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Setting(format!("{name}: {error}")))?;
    Calendar::parse(&text).map_err(|error| {
        let place = [error.place(), error.what].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Failure::Setting(format!("{name}:{}: {}", error.line, place.join(": ")))
    })
}
