//! `hotline ticket show`.

use serde_json::json;

use super::{failed, list, no_ticket};
use crate::app::Failure;
use crate::app::actor::named;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::phone::Phone;
use crate::store::{ActorNames, AuditChange, AuditEntry, TicketFile};
use crate::ticket::Number;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// The number of the ticket
    #[arg(value_name = "NUMBER")]
    number: Number,
    /// One JSON document in place of the text
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.stored.with(async |opened| self.show(opened).await)
    }

    async fn show(&self, opened: Opened) -> Result<(), Failure> {
        let found = opened.store.ticket(self.number).await.map_err(failed)?;
        let file = found.ok_or_else(|| no_ticket(self.number))?;
        let names = opened.store.actor_names(file.audit.iter().map(|entry| entry.actor)).await.map_err(failed)?;
        if self.json { print([format!("{:#}", document(&file, &names))]) } else { print(lines(&file, &names)) }
    }
}

fn document(file: &TicketFile, names: &ActorNames) -> serde_json::Value {
    let mut document = list::document(&file.ticket);
    let acts = file.audit.iter().map(|entry| {
        let name = names.get(&entry.actor);
        json!({
            "sequence": entry.sequence,
            "at": entry.at,
            "actor": entry.actor,
            "actor_name": name.map(|of| &of.name),
            "actor_account": name.and_then(|of| of.account.as_ref()),
            "action": entry.action,
            "changes": entry.changes.iter().map(masked).collect::<Vec<_>>(),
            "reason": entry.reason,
        })
    });
    document["audit"] = acts.collect();
    document
}

fn lines(file: &TicketFile, names: &ActorNames) -> Vec<String> {
    let ticket = &file.ticket;
    let (matter, handling) = (&ticket.matter, &ticket.handling);
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{name:<14}{value}"));
        }
    };
    let shown = |value: Option<&dyn ToString>| value.map(ToString::to_string);
    line("number", Some(format!("{} (version {})", ticket.number, ticket.version)));
    line("state", Some(format!("{} since {}", ticket.state, beijing(ticket.state_since))));
    line("created", Some(format!("{} by {} in {}", beijing(ticket.created_at), ticket.channel, ticket.city)));
    line("requester", Some(ticket.requester.to_string()));
    line("phone", ticket.phone.as_ref().map(Phone::masked));
    line("title", shown(matter.title.as_ref().map(|title| title as &dyn ToString)));
    line("class", matter.class.map(|class| class.to_string()));
    line("place", matter.place.as_ref().map(ToString::to_string));
    line("content", matter.content.as_ref().map(ToString::to_string));
    line("summary", matter.summary.as_ref().map(ToString::to_string));
    line("lead unit", handling.lead.as_ref().map(ToString::to_string));
    line("round", Some(handling.round.to_string()));
    line("contact due", handling.contact_due_at.map(beijing));
    line("contacted", handling.contact_at.map(beijing));
    let provisional = if handling.due_provisional { " (provisional)" } else { "" };
    line("due", handling.due_day.map(|day| format!("{day}{provisional}")));
    line("raised", Some(handling.raised.iter().map(|alarm| alarm.name()).collect::<Vec<_>>().join(", ")));
    line("supervision", ticket.supervision.level.map(|level| level.get().to_string()));
    line("reply", handling.reply.as_ref().map(ToString::to_string));
    line("solved", ticket.visit.solved.map(|answer| answer.to_string()));
    line("satisfaction", ticket.visit.satisfaction.map(|given| given.get().to_string()));
    line("recordings", Some(file.recordings.len().to_string()));
    line("attachments", Some(file.attachments.len().to_string()).filter(|_| !file.attachments.is_empty()));
    lines.push(String::new());
    lines.extend(table(
        ["", "at", "actor", "action", "what"],
        &file.audit.iter().map(|entry| act(entry, names)).collect::<Vec<_>>(),
    ));
    lines
}

fn act(entry: &AuditEntry, names: &ActorNames) -> [String; 5] {
    let changes = entry.changes.iter().map(|change| {
        let change = masked(change);
        let text = |value: Option<String>| value.map_or_else(|| "-".to_owned(), |value| short(&value));
        format!("{}: {} -> {}", change.field, text(change.was), text(change.is))
    });
    let what: Vec<String> = entry.reason.iter().map(|reason| short(reason)).chain(changes).collect();
    [
        entry.sequence.to_string(),
        beijing(entry.at),
        named(entry.actor, names),
        entry.action.to_string(),
        what.join("; "),
    ]
}

fn short(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.replace('\n', " ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST).chain(['…']).collect() }
}

fn masked(change: &AuditChange) -> AuditChange {
    let mask = |text: &Option<String>| match (change.field.as_str(), text) {
        ("phone", Some(digits)) => Phone::from_national(digits).map(|phone| phone.masked()),
        (_, text) => text.clone(),
    };
    AuditChange { field: change.field.clone(), was: mask(&change.was), is: mask(&change.is) }
}
