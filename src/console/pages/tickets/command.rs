//! The commands as forms: which fields each has, and what is sent as the API's document.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Map, Value, json};

use crate::clock::from_beijing;
use crate::console::pages::Fields;
use crate::console::pages::sent::bad;
use crate::console::problem::Problem;
use crate::ticket::calendar::WorkingDays;
use crate::ticket::{Body, Command, Level, Line, Number, PhoneText, ReasonCode, ReasonKind, TemplateKind, UnitCode};

/// A command that pages offer.
pub struct CommandForm {
    /// The command's name on the wire, and the last part of the form's address.
    pub name: &'static str,
    pub fields: &'static [Field],
    /// It can't be taken back.
    pub grave: bool,
}

/// A field of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// What is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Words,
    /// Words that may begin with a template.
    Template(TemplateKind),
    Line,
    Phone,
    Reason(ReasonKind),
    Unit,
    Units,
    WorkingDays,
    Day,
    /// In Beijing.
    Time,
    Level,
    Number,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

const fn plain(name: &'static str, fields: &'static [Field]) -> CommandForm {
    CommandForm { name, fields, grave: false }
}

const fn grave(name: &'static str, fields: &'static [Field]) -> CommandForm {
    CommandForm { name, fields, grave: true }
}

const WHY: &[Field] = &[field("why", Kind::Words)];

/// In the order that a page offers them.
pub const FORMS: &[CommandForm] = &[
    plain("sign", &[]),
    plain("record_contact", &[field("told", Kind::Template(TemplateKind::Contact)), optional("at", Kind::Time)]),
    plain("reply", &[field("text", Kind::Template(TemplateKind::Reply))]),
    plain("dispatch", &[field("unit", Kind::Unit), optional("assisting", Kind::Units)]),
    grave("answer", &[field("reply", Kind::Template(TemplateKind::Reply))]),
    grave(
        "refuse",
        &[field("reason", Kind::Reason(ReasonKind::Refusal)), field("note", Kind::Template(TemplateKind::Refusal))],
    ),
    plain("pass", &[]),
    plain("fail", WHY),
    plain("accept_return", &[]),
    plain("reject_return", WHY),
    plain("grant", &[]),
    plain("deny", WHY),
    plain("uphold", &[]),
    grave("dismiss", WHY),
    plain("resume", &[]),
    plain(
        "return",
        &[field("ground", Kind::Reason(ReasonKind::Return)), field("note", Kind::Template(TemplateKind::Return))],
    ),
    plain(
        "ask_extension",
        &[
            field("working_days", Kind::WorkingDays),
            field("reason", Kind::Reason(ReasonKind::Extension)),
            field("note", Kind::Words),
        ],
    ),
    plain(
        "ask_suspension",
        &[field("until", Kind::Day), field("reason", Kind::Reason(ReasonKind::Suspension)), field("note", Kind::Words)],
    ),
    plain("ask_exclusion", &[field("reason", Kind::Reason(ReasonKind::Exclusion)), field("note", Kind::Words)]),
    plain(
        "suspend",
        &[field("until", Kind::Day), field("reason", Kind::Reason(ReasonKind::Suspension)), field("note", Kind::Words)],
    ),
    plain("transfer", &[field("unit", Kind::Unit), optional("assisting", Kind::Units), field("why", Kind::Words)]),
    plain("instruct", &[field("text", Kind::Words)]),
    plain("supervise", &[field("level", Kind::Level), field("why", Kind::Words)]),
    plain("urge", &[]),
    plain("note", &[field("text", Kind::Words)]),
    plain("correct", &[optional("phone", Kind::Phone), optional("name", Kind::Line)]),
    grave("merge", &[field("into", Kind::Number)]),
    grave("withdraw", WHY),
    plain("reopen", WHY),
];

impl CommandForm {
    pub fn named(name: &str) -> Option<&'static CommandForm> {
        FORMS.iter().find(|form| form.name == name)
    }

    /// The command that was filled in.
    ///
    /// # Errors
    /// Names the field that can't be used.
    pub fn command(&self, fields: &Fields) -> Result<Command, Problem> {
        let mut document = Map::from_iter([("command".to_owned(), json!(self.name))]);
        for field in self.fields {
            let Some(text) = fields.text(field.name) else {
                if field.required {
                    return Err(bad(field.name, format!("`{}` has to be filled in.", field.name)));
                }
                continue;
            };
            if !fields.all(field.name).all(|text| field.kind.reads(text)) {
                return Err(bad(field.name, format!("`{}` can't be used as it was filled in.", field.name)));
            }
            let value = match field.kind {
                Kind::Units => json!(fields.all(field.name).collect::<Vec<_>>()),
                Kind::WorkingDays | Kind::Level => json!(text.parse::<u32>().ok()),
                Kind::Time => json!(beijing(text)),
                _ => json!(text),
            };
            document.insert(field.name.to_owned(), value);
        }
        read(document)
    }
}

/// The command of a document whose fields pages have put together.
fn read(document: Map<String, Value>) -> Result<Command, Problem> {
    serde_json::from_value(Value::Object(document))
        .map_err(|_| bad("command", "A field can't be used as it was filled in."))
}

/// `2026-11-26T13:05` in Beijing, as browsers send it.
fn beijing(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?;
    Some(from_beijing(at.date(), at.time()))
}

impl Kind {
    /// Whether this was filled in as it has to be.
    fn reads(self, text: &str) -> bool {
        fn is<T: FromStr>(text: &str) -> bool {
            text.parse::<T>().is_ok()
        }
        match self {
            Kind::Words | Kind::Template(_) => is::<Body>(text),
            Kind::Line => is::<Line>(text),
            Kind::Phone => PhoneText::try_from(text.to_owned()).is_ok(),
            Kind::Reason(_) => is::<ReasonCode>(text),
            Kind::Unit | Kind::Units => is::<UnitCode>(text),
            Kind::WorkingDays => is::<WorkingDays>(text),
            Kind::Day => is::<NaiveDate>(text),
            Kind::Time => beijing(text).is_some(),
            Kind::Level => text.parse().ok().and_then(Level::new).is_some(),
            Kind::Number => is::<Number>(text),
        }
    }

    /// A value that would do, to find out whether the command would be carried out.
    pub fn probe(self, probe: &Probe<'_>) -> Option<Value> {
        match self {
            Kind::Words | Kind::Line | Kind::Template(_) => Some(json!("-")),
            Kind::Phone | Kind::Time | Kind::Units => None,
            Kind::Reason(_) => Some(json!("probe")),
            Kind::Unit => Some(json!(probe.unit)),
            Kind::WorkingDays => Some(json!(1)),
            Kind::Day => Some(json!(probe.tomorrow)),
            Kind::Level => Some(json!(probe.level)),
            Kind::Number => Some(json!(probe.number)),
        }
    }
}

/// Values that fit a ticket.
pub struct Probe<'a> {
    pub unit: &'a str,
    pub tomorrow: NaiveDate,
    pub level: u8,
    pub number: &'a str,
}

impl CommandForm {
    /// The command with values that would do.
    pub fn probe(&self, probe: &Probe<'_>) -> Option<Command> {
        let mut document = Map::from_iter([("command".to_owned(), json!(self.name))]);
        let values = self.fields.iter().filter_map(|field| Some((field.name.to_owned(), field.kind.probe(probe)?)));
        document.extend(values);
        read(document).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_makes_its_command() {
        let tomorrow = chrono::NaiveDate::from_ymd_opt(2026, 11, 27).expect("a day");
        let probe = Probe { unit: "lhasa-housing", tomorrow, level: 1, number: "126112200012" };
        for form in FORMS {
            let command = form.probe(&probe).unwrap_or_else(|| panic!("{} is no command", form.name));
            let written = serde_json::to_value(&command).expect("a document");
            assert_eq!(written["command"], form.name);
        }
    }

    #[test]
    fn a_time_is_beijings() {
        assert_eq!(beijing("2026-11-26T13:05"), "2026-11-26T05:05:00Z".parse().ok());
        assert_eq!(beijing("2026-11-26 13:05"), None);
    }
}
