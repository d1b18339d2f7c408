//! Lists and forms of administration: each area says what is in them, one template shows all.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::SECTIONS;
use super::refused::Refused;
use crate::console::body::{self, Body};
use crate::console::pages::{Fields, Frame, render};
use crate::console::problem::Problem;

/// A page of administration.
#[derive(Default)]
pub struct Sheet {
    /// 200 unless a form was refused.
    pub status: StatusCode,
    pub title: String,
    pub hint: String,
    pub warning: String,
    /// Shown once and never again, such as a token.
    pub secret: Option<String>,
    pub tables: Vec<Table>,
    pub forms: Vec<Form>,
    /// What leads on: address and words.
    pub links: Vec<(String, String)>,
}

#[derive(Default)]
pub struct Table {
    pub caption: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A cell: words, perhaps with a link, a mark or a button.
#[derive(Default)]
pub struct Cell {
    pub text: String,
    pub link: Option<String>,
    /// A class of `.badge`.
    pub badge: Option<&'static str>,
    pub bo: bool,
    pub button: Option<Button>,
}

/// A form of one button.
pub struct Button {
    pub action: String,
    pub label: String,
    pub danger: bool,
    pub hidden: Vec<(&'static str, String)>,
    /// A line that has to be filled in: its name and label.
    pub asks: Option<(&'static str, String)>,
}

#[derive(Default)]
pub struct Form {
    pub title: String,
    pub action: String,
    pub fields: Vec<Field>,
    pub button: String,
    /// Asked by a link, not sent.
    pub is_question: bool,
    pub has_file: bool,
    /// Why it has come back.
    pub wrong: Option<String>,
    /// Where exactly, in English, when no field can be named.
    pub detail: String,
}

pub struct Field {
    pub name: &'static str,
    pub label: String,
    pub hint: String,
    pub required: bool,
    pub input: Input,
    /// What is wrong with what was typed.
    pub wrong: Option<String>,
}

pub enum Input {
    /// Of a type of HTML, with a value.
    Line(&'static str, String),
    Long(String),
    Hidden(String),
    /// As hidden: it names the entry that is changed.
    Known(String),
    One(Vec<Choice>),
    Many(Vec<Choice>),
    Tick(bool),
    File,
}

pub struct Choice {
    pub value: String,
    pub label: String,
    pub on: bool,
}

impl Cell {
    pub fn text(text: impl ToString) -> Cell {
        Cell { text: text.to_string(), ..Cell::default() }
    }

    pub fn bo(text: impl ToString) -> Cell {
        Cell { bo: true, ..Cell::text(text) }
    }

    pub fn link(text: impl ToString, to: String) -> Cell {
        Cell { link: Some(to), ..Cell::text(text) }
    }

    pub fn badge(text: impl ToString, class: &'static str) -> Cell {
        Cell { badge: Some(class), ..Cell::text(text) }
    }

    pub fn button(button: Button) -> Cell {
        Cell { button: Some(button), ..Cell::default() }
    }

    /// In use, or retired.
    pub fn active(frame: &Frame, active: bool) -> Cell {
        if active { Cell::badge(frame.t("admin.active"), "ok") } else { Cell::badge(frame.t("admin.retired"), "quiet") }
    }
}

impl Form {
    /// As it was typed, if it was refused.
    pub fn after(self, frame: &Frame, refused: Option<&Refused>) -> Form {
        match refused {
            Some(refused) => refused.form(frame, self),
            None => self,
        }
    }
}

impl Sheet {
    /// With the status of what was refused.
    pub fn after(self, refused: Option<&Refused>) -> Sheet {
        Sheet { status: refused.map_or(StatusCode::OK, Refused::status), ..self }
    }
}

impl Field {
    pub fn new(frame: &Frame, name: &'static str, input: Input) -> Field {
        Field { label: frame.name("column", name), ..Field::bare(name, input) }
    }

    fn bare(name: &'static str, input: Input) -> Field {
        Field { name, label: String::new(), hint: String::new(), required: false, input, wrong: None }
    }

    pub fn line(frame: &Frame, name: &'static str, value: impl ToString) -> Field {
        Field::new(frame, name, Input::Line("text", value.to_string()))
    }

    pub fn long(frame: &Frame, name: &'static str, value: impl ToString) -> Field {
        Field::new(frame, name, Input::Long(value.to_string()))
    }

    pub fn hidden(name: &'static str, value: impl ToString) -> Field {
        Field::bare(name, Input::Hidden(value.to_string()))
    }

    pub fn known(name: &'static str, value: impl ToString) -> Field {
        Field::bare(name, Input::Known(value.to_string()))
    }

    /// A choice may be left open, unless leaving it open is one of the choices.
    fn has_blank(&self) -> bool {
        let Input::One(choices) = &self.input else { return false };
        !self.required && choices.iter().all(|choice| !choice.value.is_empty())
    }

    pub fn needed(self) -> Field {
        Field { required: true, ..self }
    }

    pub fn hint(self, hint: &str) -> Field {
        Field { hint: hint.to_owned(), ..self }
    }
}

/// Values with their names in the page's language, those of `chosen` chosen.
pub fn choices<T: ToString + PartialEq>(
    frame: &Frame,
    of: &str,
    values: &[T],
    chosen: impl Fn(&T) -> bool,
) -> Vec<Choice> {
    let choice =
        |value: &T| Choice { value: value.to_string(), label: frame.name(of, value.to_string()), on: chosen(value) };
    values.iter().map(choice).collect()
}

/// The heads of columns, in the page's language.
pub fn columns(frame: &Frame, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| frame.name("column", *name)).collect()
}

/// Of the sections on top, where this page is.
pub struct Tab {
    pub path: &'static str,
    pub key: &'static str,
    pub here: bool,
}

#[derive(Template)]
#[template(path = "admin/sheet.html")]
struct SheetPage<'f> {
    frame: &'f Frame,
    tabs: Vec<Tab>,
    sheet: Sheet,
}

/// The sections that whoever looks may enter.
pub fn tabs(frame: &Frame) -> Vec<Tab> {
    let path = frame.path().split('?').next().unwrap_or_default();
    let seen = SECTIONS.iter().filter(|(.., right)| frame.may(*right));
    seen.map(|(at, key, _)| Tab { path: at, key, here: path.starts_with(at) }).collect()
}

pub fn show(frame: &Frame, sheet: Sheet) -> Result<Response, Problem> {
    let status = sheet.status;
    let mut response = render(&SheetPage { frame, tabs: tabs(frame), sheet })?;
    *response.status_mut() = status;
    Ok(response)
}

/// How a field of a form becomes a member of the API's document.
#[derive(Clone, Copy)]
pub enum Member {
    Text,
    Number,
    Flag,
    /// Boxes that are ticked.
    Many,
    /// Words with commas or spaces between them.
    Words,
}

/// What the API would have been sent: forms follow its rules, and its errors name their fields.
pub fn body<T: DeserializeOwned>(fields: &Fields, members: &[(&'static str, Member)]) -> Result<Body<T>, Problem> {
    let mut document = Map::new();
    for (name, member) in members {
        let value = match member {
            Member::Text => fields.text(name).map(Value::from),
            Member::Number => fields.value::<u32>(name)?.map(Value::from),
            Member::Flag => Some(fields.ticked(name).into()),
            Member::Many => Some(fields.all(name).map(Value::from).collect()),
            Member::Words => {
                let text = fields.text(name).unwrap_or_default();
                let words =
                    text.split([',', '，', '、', ' ', '\n', '\r']).map(str::trim).filter(|word| !word.is_empty());
                Some(words.map(Value::from).collect())
            }
        };
        document.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    body::of_value(&Value::Object(document)).map(Body)
}
