//! `hotline audit`: who did what, and whether the record of it is what it was.

mod list;
mod verify;

use super::Failure;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compute every seal again: finds what was altered, deleted or put in by hand.
    Verify(verify::Arguments),
    /// Show what was done to one ticket, account or other subject.
    List(list::Arguments),
}

/// Does what is asked.
///
/// # Errors
/// What can't be used, the environment's refusal, or an audit that is not whole.
pub fn audit(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Verify(verify) => verify.run(),
        Command::List(list) => list.run(),
    }
}
