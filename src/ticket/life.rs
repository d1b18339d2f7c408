//! A ticket's whole life as it is walked in memory: what was done, and what followed from it.

use chrono::{DateTime, Utc};

use super::calendar::Calendar;
use super::deadline::Limits;
use super::{Actor, Change, Command, Effect, Moment, Refused, Ticket, apply};

/// A ticket from its creation on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    pub created: Ticket,
    pub by: Actor,
    /// In the order in which they were done.
    pub deeds: Vec<Deed>,
    /// When a ticket that was merged was to be visited because its lead was closed, and in which round.
    pub followed: Vec<(DateTime<Utc>, u8)>,
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub command: Command,
    /// The ticket afterwards.
    pub ticket: Ticket,
    pub changes: Vec<Change>,
    pub effects: Vec<Effect>,
}

impl Life {
    /// A new ticket, with the day it is due.
    pub fn begin(mut created: Ticket, by: Actor, calendar: &Calendar, limits: &Limits) -> Life {
        created.set_due(created.due(calendar, limits));
        Life { created, by, deeds: Vec::new(), followed: Vec::new() }
    }

    /// As it is now.
    pub fn ticket(&self) -> &Ticket {
        self.deeds.last().map_or(&self.created, |deed| &deed.ticket)
    }

    /// # Errors
    /// Why the command can't be carried out; nothing has changed.
    pub fn carry_out(&mut self, command: Command, moment: &Moment<'_>) -> Result<(), Refused> {
        let was = self.ticket();
        let (ticket, effects) = apply(was.clone(), &command, moment)?;
        let changes = was.changes(&ticket);
        self.deeds.push(Deed { at: moment.now, actor: moment.actor, command, ticket, changes, effects });
        Ok(())
    }
}
