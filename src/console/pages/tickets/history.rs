//! Everything that was done to a ticket, in words.

use chrono::{DateTime, Utc};

use super::named::Named;
use crate::console::pages::Frame;
use crate::console::tickets::{AuditOut, ChangeOut};
use crate::ticket::supervision::read_because;
use crate::ticket::{Action, Actor};

/// Of a longer text so many characters are shown.
const SHORT: usize = 200;

/// An entry of the audit.
#[derive(Clone)]
pub struct Act {
    pub sequence: u32,
    pub at: DateTime<Utc>,
    pub who: String,
    pub action: String,
    pub reason: Option<String>,
    /// Field, what was, what is.
    pub changes: Vec<(String, String, String)>,
}

/// The newest first.
pub fn acts(frame: &Frame, named: &Named, audit: &[AuditOut]) -> Vec<Act> {
    let act = |entry: &AuditOut| Act {
        sequence: entry.sequence,
        at: entry.at,
        who: who(frame, entry.actor, entry.actor_name.as_deref()),
        action: frame.name("action", entry.action),
        reason: entry.reason.as_deref().map(|reason| match entry.action {
            Action::Raised => frame.name("alarm", reason),
            _ if entry.actor == Actor::System => in_our_words(frame, named, reason),
            _ => shortened(reason),
        }),
        changes: entry.changes.iter().map(|change| changed(frame, named, change)).collect(),
    };
    audit.iter().rev().map(act).collect()
}

/// A person's name, or what kind of thing acted.
pub fn who(frame: &Frame, actor: Actor, name: Option<&str>) -> String {
    match (name, actor) {
        (Some(name), _) => name.to_owned(),
        (None, Actor::Account(_)) => frame.name("actor", "account"),
        (None, Actor::Client(_)) => frame.name("actor", "client"),
        (None, other) => frame.name("actor", other),
    }
}

/// What the system gives as a reason, in the page's language where it is known.
pub fn in_our_words(frame: &Frame, named: &Named, reason: &str) -> String {
    let Some((complaints, subject)) = read_because(reason) else { return shortened(reason) };
    let subject = match subject.split_once(' ') {
        Some(("unit", unit)) => named.unit(unit),
        Some(("matter", matter)) => match matter.splitn(3, ' ').collect::<Vec<_>>()[..] {
            [city, class, place] => format!("{} {} {place}", frame.name("city", city), named.class(class)),
            _ => matter.to_owned(),
        },
        _ => subject.to_owned(),
    };
    frame.fill("ticket.many_complaints", &[&subject, &complaints])
}

/// Field, what was, what is.
pub fn changed(frame: &Frame, named: &Named, change: &ChangeOut) -> (String, String, String) {
    let value = |value: &Option<String>| match value.as_deref() {
        None | Some("") => "—".to_owned(),
        Some(text) => shortened(&match change.field.as_str() {
            "state" => frame.name("state", text),
            "class" => named.class(text),
            "lead_unit" => named.unit(text),
            "assisting_units" => text
                .split([' ', ','])
                .filter(|code| !code.is_empty())
                .map(|code| named.unit(code))
                .collect::<Vec<_>>()
                .join("、"),
            "urgency" | "type" | "role" | "language" | "requester" | "contacted" | "solved" | "satisfaction" => {
                frame.name(&change.field, text)
            }
            "supervision" => frame.name("level", text),
            "reason" | "excluded" => named.reason(text),
            "asked" => asked(frame, named, text),
            _ => in_words(frame, text),
        }),
    };
    let field = frame.known_name("field", &change.field).unwrap_or_else(|| frame.name("column", &change.field));
    (field, value(&change.was), value(&change.is))
}

/// `extension 10 staff_short` in words.
fn asked(frame: &Frame, named: &Named, text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    let reason = words.pop().map(|code| named.reason(code)).unwrap_or_default();
    let what = words.first().map(|what| frame.name("wish", what)).unwrap_or_default();
    let rest = words.get(1).copied().unwrap_or_default();
    [what.as_str(), rest, reason.as_str()].join(" ")
}

/// A moment as people write it; other texts as they are.
fn in_words(frame: &Frame, text: &str) -> String {
    match text {
        "true" => frame.t("ticket.yes").to_owned(),
        "false" => frame.t("ticket.no").to_owned(),
        _ => DateTime::parse_from_rfc3339(text).map_or_else(|_| text.to_owned(), |at| frame.time(at.to_utc())),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHORT { text.to_owned() } else { text.chars().take(SHORT).chain(['…']).collect() }
}
