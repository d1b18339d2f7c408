//! `hotline ticket`: what an operator sees of tickets, and does to one.

mod command;
mod list;
mod show;

use super::Failure;
use crate::store::StoreError;
use crate::ticket::Number;

const EXAMPLES: &str = "\
Examples:
  hotline ticket list --open --city lhasa --order due
  hotline ticket list --q 路灯 --from 2026-11-01 --json
  hotline ticket show 126112200012
  hotline ticket command 126112200012 '{\"command\": \"note\", \"text\": \"请核实地址\"}'

Phone numbers are masked. What is done here is on record as done by the operator.

Exit code: 0 done, 1 when the database fails, 2 when an argument can't be used or a rule forbids it.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tickets, newest first or by the time they have left.
    List(list::Arguments),
    /// One ticket with everything that was done to it.
    Show(show::Arguments),
    /// Gives a command to a ticket, as the API takes it.
    #[command(name = "command")]
    Give(command::Arguments),
}

/// Prints what was found or done.
///
/// # Errors
/// What can't be used, a rule that forbids it, or the database's failure.
pub fn ticket(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::List(list) => list.run(),
        Command::Show(show) => show.run(),
        Command::Give(command) => command.run(),
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::Environment(error.to_string())
}

fn no_ticket(number: Number) -> Failure {
    Failure::Setting(format!("there is no ticket {number}"))
}
