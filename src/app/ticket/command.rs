//! `hotline ticket command`.

use super::no_ticket;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::store::{NotDone, Order};
use crate::ticket::{Actor, Command, Number, Side};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// The number of the ticket
    #[arg(value_name = "NUMBER")]
    number: Number,
    /// The command as JSON; /api/openapi.json describes them all
    #[arg(value_name = "COMMAND")]
    command: String,
    /// The version that was seen: refused when the ticket has changed since
    #[arg(long, value_name = "VERSION")]
    seen: Option<u32>,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let command: Command =
            serde_json::from_str(&self.command).map_err(|error| Failure::Setting(format!("COMMAND: {error}")))?;
        if matches!(command, Command::StepUp | Command::Raise { .. }) {
            return Err(Failure::Setting("COMMAND: only the clock does this".to_owned()));
        }
        self.stored.with(async |opened| self.give(opened, command).await)
    }

    async fn give(&self, opened: Opened, command: Command) -> Result<(), Failure> {
        let order = Order {
            number: self.number,
            version: self.seen,
            command,
            actor: Actor::Operator,
            side: Side::Hotline,
            address: None,
        };
        match opened.store.execute(&order, opened.now).await {
            Ok(ticket) => print([format!("{}: {}, version {}", ticket.number, ticket.state, ticket.version)]),
            Err(NotDone::Unknown) => Err(no_ticket(self.number)),
            Err(NotDone::Store(error)) => Err(Failure::Environment(error.to_string())),
            Err(refused) => Err(Failure::Setting(refused.to_string())),
        }
    }
}
