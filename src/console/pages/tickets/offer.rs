//! Which commands a page offers: those that whoever looks may give to this ticket now, as forms that say what will
//! happen; and those that only a rule stands against, with that rule.

use serde_json::json;

use super::command::{CommandForm, FORMS, Field, Kind, Probe};
use super::named::{Choice, Named};
use super::{failed, give};
use crate::city::City;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::catalogue;
use crate::console::pages::{Fields, Frame};
use crate::console::problem::Problem;
use crate::language::Language;
use crate::ticket::catalogue::ReplyTemplate;
use crate::ticket::{Command, Number, Refused, Ticket};

/// A command as a form.
pub struct Offer {
    pub name: &'static str,
    pub title: String,
    /// What will happen.
    pub what: String,
    pub grave: bool,
    pub fields: Vec<FieldView>,
    /// It is being filled in.
    pub open: bool,
}

pub struct FieldView {
    pub name: &'static str,
    pub label: String,
    /// `words`, `choice`, `choices` or the type of an input.
    pub input: &'static str,
    pub required: bool,
    pub value: String,
    pub choices: Vec<Choice>,
    pub templates: Vec<TemplateView>,
}

/// A text to begin with.
pub struct TemplateView {
    pub title: String,
    pub text: String,
    /// The same page with this text in the field.
    pub href: String,
}

/// What a ticket's page offers.
pub struct Offers {
    pub offers: Vec<Offer>,
    /// Command and rule, in words.
    pub blocked: Vec<(String, String)>,
}

/// What was typed into the form of a command.
pub struct Typed<'a> {
    pub command: &'a str,
    pub fields: &'a Fields,
}

/// A template that a form begins with.
pub struct Begun {
    pub command: &'static str,
    pub field: &'static str,
    pub text: String,
}

pub struct Offering<'a> {
    pub shared: &'a Shared,
    pub frame: &'a Frame,
    pub named: &'a Named,
    pub ticket: &'a Ticket,
    pub templates: Vec<ReplyTemplate>,
    pub typed: Option<Typed<'a>>,
    pub begun: Option<Begun>,
}

/// The templates in use that whoever looks begins with.
pub async fn templates(shared: &Shared, frame: &Frame, city: City) -> Result<Vec<ReplyTemplate>, Problem> {
    let found = shared.store.reply_templates(Some(city)).await.map_err(failed)?;
    Ok(found.into_iter().filter(|one| one.active && catalogue::may_begin_with(&frame.asking, one)).collect())
}

/// In the language of the requester, where it is written.
fn text_of(template: &ReplyTemplate, ticket: &Ticket) -> String {
    let tibetan = template.text_bo.as_ref().filter(|_| ticket.language == Language::Bo);
    tibetan.unwrap_or(&template.text_zh).to_string()
}

impl Begun {
    /// The template `id` in the form of `command`.
    pub fn of(command: &str, id: &str, templates: &[ReplyTemplate], ticket: &Ticket) -> Option<Begun> {
        let form = CommandForm::named(command)?;
        let template = templates.iter().find(|template| template.id.as_str() == id)?;
        let field = form.fields.iter().find(|field| field.kind == Kind::Template(template.kind))?;
        Some(Begun { command: form.name, field: field.name, text: text_of(template, ticket) })
    }
}

impl Offering<'_> {
    pub async fn offers(&self) -> Result<Offers, Problem> {
        let caller = &self.frame.asking.caller;
        let probes: Vec<(&CommandForm, Command)> = self.probes();
        let may_give = |(_, command): &(&CommandForm, Command)| caller.may_give(command, self.ticket).is_ok();
        let (forms, commands): (Vec<&CommandForm>, Vec<Command>) = probes.into_iter().filter(may_give).unzip();
        let (actor, side, now) = (caller.actor, caller.side(), self.shared.clock.wall());
        let refusals = self.shared.store.refusals(self.ticket, &commands, actor, side, now).await.map_err(failed)?;
        let mut offers = Offers { offers: Vec::new(), blocked: Vec::new() };
        for (form, refused) in forms.into_iter().zip(refusals) {
            match refused {
                None => offers.offers.push(self.offer(form)),
                Some(why) if tells(why) => {
                    let words = give::words(self.frame, self.named, why, self.ticket);
                    offers.blocked.push((self.frame.name("command", form.name), words));
                }
                Some(_) => {}
            }
        }
        Ok(offers)
    }

    fn probes(&self) -> Vec<(&'static CommandForm, Command)> {
        let unit = self.named.some_unit(self.ticket.city, self.ticket.handling.lead.as_ref());
        let unit = unit.map_or_else(|| "another".to_owned(), String::from);
        let level = if self.ticket.supervision.level.is_some_and(|level| level.get() == 1) { 2 } else { 1 };
        let tomorrow = beijing_day(self.shared.clock.wall()).succ_opt().unwrap_or_default();
        let day = self.ticket.number.day();
        let other = [1, 2].into_iter().filter_map(|sequence| Number::new(self.ticket.city, day, sequence));
        let other = other.filter(|number| *number != self.ticket.number).map(|number| number.to_string()).next();
        let probe = Probe { unit: &unit, tomorrow, level, number: &other.unwrap_or_default() };
        FORMS.iter().filter_map(|form| Some((form, form.probe(&probe)?))).collect()
    }

    fn offer(&self, form: &'static CommandForm) -> Offer {
        let typed = self.typed.as_ref().filter(|typed| typed.command == form.name);
        let begun = self.begun.as_ref().filter(|begun| begun.command == form.name);
        Offer {
            name: form.name,
            title: self.frame.name("command", form.name),
            what: self.frame.name("command_what", form.name),
            grave: form.grave,
            fields: form.fields.iter().map(|field| self.field(form, field, typed, begun)).collect(),
            open: typed.is_some() || begun.is_some(),
        }
    }

    fn field(&self, form: &CommandForm, field: &Field, typed: Option<&Typed<'_>>, begun: Option<&Begun>) -> FieldView {
        let value = typed.and_then(|typed| typed.fields.raw(field.name)).unwrap_or_default();
        let begun = begun.filter(|begun| begun.field == field.name);
        let (input, choices) = self.input(field.kind, value, typed.map(|typed| typed.fields), field.name);
        FieldView {
            name: field.name,
            label: self.frame.name("command_field", format!("{}_{}", form.name, field.name)),
            input,
            required: field.required,
            value: begun.map_or_else(|| value.to_owned(), |begun| begun.text.clone()),
            choices,
            templates: match field.kind {
                Kind::Template(kind) => self.templates_of(form.name, kind),
                _ => Vec::new(),
            },
        }
    }

    fn input(&self, kind: Kind, value: &str, typed: Option<&Fields>, name: &str) -> (&'static str, Vec<Choice>) {
        let class = self.ticket.matter.class.map(|class| class.to_string());
        let units = |chosen: &[&str]| self.named.units(&[self.ticket.city], class.as_deref(), chosen);
        match kind {
            Kind::Words | Kind::Template(_) => ("words", Vec::new()),
            Kind::Line | Kind::Number => ("text", Vec::new()),
            Kind::Phone => ("tel", Vec::new()),
            Kind::WorkingDays => ("number", Vec::new()),
            Kind::Day => ("date", Vec::new()),
            Kind::Time => ("datetime-local", Vec::new()),
            Kind::Reason(of) => ("choice", self.named.reasons(of, value)),
            Kind::Unit => ("choice", units(&[value])),
            Kind::Units => {
                let chosen: Vec<&str> = typed.map(|fields| fields.all(name).collect()).unwrap_or_default();
                ("choices", units(&chosen))
            }
            Kind::Level => {
                ("choice", Choice::all(self.frame, "level", [json!(1), json!(2), json!(3), json!(4)], value))
            }
        }
    }

    fn templates_of(&self, command: &str, kind: crate::ticket::TemplateKind) -> Vec<TemplateView> {
        let of_kind = self.templates.iter().filter(|template| template.kind == kind);
        let view = |template: &ReplyTemplate| TemplateView {
            title: template.title.to_string(),
            text: text_of(template, self.ticket),
            href: format!("/tickets/{}?command={command}&template={}#{command}", self.ticket.number, template.id),
        };
        of_kind.map(view).collect()
    }
}

/// A state that forbids a command is no news; other rules are told.
fn tells(why: Refused) -> bool {
    !matches!(why, Refused::State { .. } | Refused::NothingAsked | Refused::NoLead | Refused::SameLevel)
}
