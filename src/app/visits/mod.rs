//! `hotline visits`: how the return visits stand, what is next, and stopping the calls of a city.

mod pause;
mod plan;
mod status;

use super::Failure;
use crate::store::StoreError;

const EXAMPLES: &str = "\
Examples:
  hotline visits status
  hotline visits plan --dry-run --limit 20
  hotline visits pause lhasa --why 'earthquake in Lhasa'
  hotline visits resume lhasa

A running service sees a pause at its next call. What is done here is on record as done by the
operator. Times are Beijing's.

Exit code: 0 done, 1 when the database fails, 2 when an argument can't be used or nothing would
change.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// How many visits are due in each city, what they wait for, and which cities are paused.
    Status(status::Arguments),
    /// Gives every visit that is due its next step, as the running service does.
    Plan(plan::Arguments),
    /// Pauses the automatic calls of a city: none begins from now on.
    Pause(pause::Pause),
    /// Lets the automatic calls of a city begin again.
    Resume(pause::Resume),
}

/// Prints what was found or done.
///
/// # Errors
/// What can't be used, or the database's failure.
pub fn visits(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Status(status) => status.run(),
        Command::Plan(plan) => plan.run(),
        Command::Pause(pause) => pause.run(),
        Command::Resume(resume) => resume.run(),
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::Environment(error.to_string())
}
