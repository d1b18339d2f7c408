//! `hotline audit list`.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::actor::named;
use crate::app::print::print;
use crate::app::stored::{Stored, open_existing, runtime};
use crate::store::{ActorNames, AuditChange, AuditEntry, AuditFilter, StoreError};
use crate::ticket::Number;

const EXAMPLES: &str = "\
Examples:
  hotline audit list --ticket 126112200012
  hotline audit list --subject calendar --json

Oldest first, in Beijing time. Phone numbers stay out of it.

Exit code: 0 listed, 1 when the database can't be read, 2 when an argument or a setting can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// Number of a ticket
    #[arg(long, value_name = "NUMBER", conflicts_with = "subject", required_unless_present = "subject")]
    ticket: Option<Number>,
    /// Anything else that is acted upon: `account ID`, `calendar`, `unit CODE`, `backup`
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// How many of the newest
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let config = self.stored.config()?;
        let subject = self.ticket.map(|number| number.to_string()).or_else(|| self.subject.clone());
        let filter = AuditFilter { subject, ..AuditFilter::default() };
        let (mut entries, names) = runtime()?.block_on(async {
            let store = open_existing(&config).await?;
            let read = async {
                let entries = store.audit_entries(&filter, self.limit).await?;
                let names = store.actor_names(entries.iter().map(|entry| entry.actor)).await?;
                Ok((entries, names))
            };
            let read = read.await;
            store.close().await;
            read.map_err(|error: StoreError| Failure::Environment(error.to_string()))
        })?;
        entries.truncate(self.limit as usize);
        entries.reverse();
        if self.json {
            return print([format!("{:#}", Value::from_iter(entries.iter().map(|entry| document(entry, &names))))]);
        }
        print(entries.iter().flat_map(|entry| lines(entry, &names)))
    }
}

/// What an entry shows of a field; a phone number, whole in the database, is not for a terminal's history.
fn shown(change: &AuditChange) -> (Option<&str>, Option<&str>) {
    if change.field.contains("phone") {
        return (change.was.as_deref().map(|_| "…"), change.is.as_deref().map(|_| "…"));
    }
    (change.was.as_deref(), change.is.as_deref())
}

fn document(entry: &AuditEntry, names: &ActorNames) -> Value {
    let name = names.get(&entry.actor);
    let change = |change: &AuditChange| {
        let (was, is) = shown(change);
        json!({ "field": change.field, "was": was, "is": is })
    };
    json!({
        "subject": entry.subject,
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor,
        "actor_name": name.map(|of| &of.name),
        "actor_account": name.and_then(|of| of.account.as_ref()),
        "action": entry.action,
        "changes": entry.changes.iter().map(change).collect::<Vec<Value>>(),
        "reason": entry.reason,
        "address": entry.address,
    })
}

fn lines(entry: &AuditEntry, names: &ActorNames) -> Vec<String> {
    let mut head = format!("{}  {}  {}", beijing(entry.at), entry.action, named(entry.actor, names));
    if let Some(address) = &entry.address {
        head.push_str(&format!(" from {address}"));
    }
    let mut lines = vec![head];
    lines.extend(entry.reason.as_ref().map(|reason| format!("    {}", reason.replace('\n', " "))));
    lines.extend(entry.changes.iter().map(|change| {
        let (was, is) = shown(change);
        format!("    {}: {} -> {}", change.field, was.unwrap_or("-"), is.unwrap_or("-")).replace('\n', " ")
    }));
    lines
}

fn beijing(at: DateTime<Utc>) -> String {
    const BEIJING: FixedOffset = FixedOffset::east_opt(8 * 3_600).expect("an offset");
    at.with_timezone(&BEIJING).format("%Y-%m-%d %H:%M:%S").to_string()
}
