//! A form that was not taken: it is shown again with what was typed, and what is wrong stands at its field.

use axum::http::StatusCode;

use super::sheet::{Field, Form, Input};
use crate::console::pages::{Fields, Frame};
use crate::console::problem::{Kind, Problem};

/// What was typed and why it was not taken.
pub struct Refused {
    fields: Fields,
    problem: Problem,
}

impl Refused {
    /// Why a form was refused, where whoever typed it can mend it.
    ///
    /// # Errors
    /// What no other words in the form would change, such as a failure inside.
    pub fn of(kept: Result<(), Problem>, fields: Fields) -> Result<Option<Refused>, Problem> {
        match kept {
            Ok(()) => Ok(None),
            Err(problem) if is_typed(problem.kind()) => Ok(Some(Refused { fields, problem })),
            Err(problem) => Err(problem),
        }
    }

    pub fn status(&self) -> StatusCode {
        self.problem.kind().status()
    }

    /// What names the entry that was changed; `None` when it was a new one.
    pub fn known(&self, name: &str) -> Option<&str> {
        self.fields.text(name).filter(|_| self.fields.all("known").any(|known| known == name))
    }

    /// The form with what was typed. A password is typed anew.
    pub fn form(&self, frame: &Frame, form: Form) -> Form {
        let fields: Vec<Field> = form.fields.into_iter().map(|field| self.field(frame, field)).collect();
        let at_a_field = fields.iter().any(|field| field.wrong.is_some());
        let wrong = if at_a_field { self.title(frame) } else { self.words(frame) };
        let detail = if at_a_field { String::new() } else { self.problem.detail().to_owned() };
        Form { fields, wrong: Some(wrong), detail, ..form }
    }

    /// Why, where no field is there to say it.
    pub fn words(&self, frame: &Frame) -> String {
        let advice = || frame.name("trouble_advice", self.problem.kind().slug());
        format!("{} {}", self.title(frame), self.rule(frame).unwrap_or_else(advice))
    }

    fn title(&self, frame: &Frame) -> String {
        frame.fill("admin.not_kept", &[&frame.name("trouble", self.problem.kind().slug())])
    }

    fn field(&self, frame: &Frame, field: Field) -> Field {
        let wrong = self.wrong(frame, &field);
        let raw = || self.fields.raw(field.name).unwrap_or_default().to_owned();
        let chosen = |mut choices: Vec<super::sheet::Choice>| {
            for choice in &mut choices {
                choice.on = self.fields.all(field.name).any(|value| value == choice.value);
            }
            choices
        };
        let input = match field.input {
            _ if self.known(field.name).is_some() => Input::Known(raw()),
            Input::Line("password", _) => Input::Line("password", String::new()),
            Input::Line(kind, _) => Input::Line(kind, raw()),
            Input::Long(_) => Input::Long(raw()),
            Input::One(choices) => Input::One(chosen(choices)),
            Input::Many(choices) => Input::Many(chosen(choices)),
            Input::Tick(_) => Input::Tick(self.fields.ticked(field.name)),
            Input::Known(_) | Input::Hidden(_) | Input::File => field.input,
        };
        Field { input, wrong, ..field }
    }

    /// What is wrong with a field: it is empty, or to blame.
    fn wrong(&self, frame: &Frame, field: &Field) -> Option<String> {
        let typed = matches!(field.input, Input::Line(..) | Input::Long(_) | Input::One(_));
        if field.required && typed && self.fields.text(field.name).is_none() {
            return Some(frame.t("wrong.missing").to_owned());
        }
        // a member of a list is named `classes[1]`
        let blamed = self.problem.parameter_name()?.split(['[', '.']).next()?;
        if blamed != field.name {
            return None;
        }
        let by_field = || frame.known_name("wrong", field.name).unwrap_or_else(|| frame.t("wrong.unusable").to_owned());
        Some(self.rule(frame).unwrap_or_else(by_field))
    }

    /// The rule that stands against it, in words.
    fn rule(&self, frame: &Frame) -> Option<String> {
        frame.known_name("trouble_rule", self.problem.rule()?)
    }
}

/// What was typed may be at fault.
const fn is_typed(kind: Kind) -> bool {
    matches!(kind, Kind::BadBody | Kind::NotFound | Kind::Forbidden | Kind::Conflict | Kind::Refused)
}
