//! Announced days off: an import is shown with the tickets that it moves before it is made.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::refused::Refused;
use super::sheet::{Cell, Field, Form, Input, Sheet, Table, show as sheet};
use crate::console::Shared;
use crate::console::calendar::{announce, parsed};
use crate::console::pages::{Fields, Frame, Sent, Uploaded, done};
use crate::console::problem::{Kind, Problem};
use crate::store::Moved;
use crate::ticket::calendar::Announcement;

/// More are counted, not listed.
const LISTED: usize = 500;

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    announced(&shared, &frame, None).await
}

async fn announced(shared: &Shared, frame: &Frame, refused: Option<&Refused>) -> Result<Response, Problem> {
    let calendar = shared.store.calendar().await.map_err(|error| Problem::internal("calendar", &error))?;
    let row = |of: &Announcement| {
        let days = |days: Vec<String>| Cell::text(days.join(" "));
        vec![
            Cell::text(frame.name("scope_of_days", of.scope())),
            Cell::text(of.year()),
            days(of.off().iter().map(ToString::to_string).collect()),
            days(of.work().iter().map(ToString::to_string).collect()),
        ]
    };
    let title = frame.t("admin.calendar").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: ["scope", "year", "off", "work"].iter().map(|of| frame.name("column", *of)).collect(),
        rows: calendar.announcements().map(row).collect(),
    };
    let form = Form {
        title: frame.t("admin.import").to_owned(),
        action: "/admin/calendar/preview".to_owned(),
        fields: vec![
            Field::new(frame, "file", Input::File),
            Field::long(frame, "text", "").hint(frame.t("admin.calendar_hint")),
        ],
        button: frame.t("admin.preview").to_owned(),
        has_file: true,
        ..Form::default()
    };
    let forms = vec![form.after(frame, refused)];
    sheet(frame, Sheet { title, tables: vec![table], forms, ..Sheet::default() }.after(refused))
}

/// What an import would do; the text goes along to the form that makes it.
pub async fn preview(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Uploaded { fields, file }: Uploaded,
) -> Result<Response, Problem> {
    let fields = match file.map(|file| String::from_utf8(file.bytes.into())) {
        Some(Ok(text)) => fields.with("text", text),
        Some(Err(_)) => {
            let problem = Problem::new(Kind::BadBody, "The file is not UTF-8.").parameter("file");
            return again(&shared, &frame, fields, problem).await;
        }
        None => fields,
    };
    match looked_up(&shared, &frame, &fields, true).await {
        Ok((announcements, moved)) => {
            let text = fields.raw("text").unwrap_or_default().to_owned();
            outlook(&frame, text, &announcements, &moved)
        }
        Err(problem) => again(&shared, &frame, fields, problem).await,
    }
}

pub async fn import(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    match looked_up(&shared, &frame, &fields, false).await {
        Ok(_) => done("/admin/calendar", "saved"),
        Err(problem) => again(&shared, &frame, fields, problem).await,
    }
}

/// What the text announces and the tickets that it moves; unless it is a `trial` it is announced.
async fn looked_up(
    shared: &Shared,
    frame: &Frame,
    fields: &Fields,
    trial: bool,
) -> Result<(Vec<Announcement>, Vec<Moved>), Problem> {
    let announcements = parsed(fields.raw("text").unwrap_or_default())?;
    let moved = announce(shared, &frame.asking, &announcements, trial).await?;
    Ok((announcements, moved))
}

async fn again(shared: &Shared, frame: &Frame, fields: Fields, problem: Problem) -> Result<Response, Problem> {
    announced(shared, frame, Refused::of(Err(problem), fields)?.as_ref()).await
}

fn outlook(frame: &Frame, text: String, announcements: &[Announcement], moved: &[Moved]) -> Result<Response, Problem> {
    let read = |of: &Announcement| {
        vec![
            Cell::text(frame.name("scope_of_days", of.scope())),
            Cell::text(of.year()),
            Cell::text(of.off().len()),
            Cell::text(of.work().len()),
        ]
    };
    let column = |of: &&str| frame.name("column", *of);
    let announced = Table {
        caption: frame.t("admin.announced").to_owned(),
        columns: ["scope", "year", "off", "work"].iter().map(column).collect(),
        rows: announcements.iter().map(read).collect(),
    };
    let provisional = |is: bool| if is { frame.t("admin.provisional") } else { "" };
    let row = |of: &Moved| {
        let was = of.was.map(|day| day.to_string()).unwrap_or_default();
        vec![
            Cell::link(of.number, format!("/tickets/{}", of.number)),
            Cell::text(frame.name("city", of.city)),
            Cell::text(format!("{was} {}", provisional(of.was_provisional))),
            Cell::text(format!("{} {}", of.is, provisional(of.provisional))),
        ]
    };
    let moves = Table {
        caption: frame.fill("admin.moved", &[&moved.len()]),
        columns: ["ticket", "city", "was", "is"].iter().map(column).collect(),
        rows: moved.iter().take(LISTED).map(row).collect(),
    };
    let form = Form {
        title: frame.t("admin.import").to_owned(),
        action: "/admin/calendar".to_owned(),
        fields: vec![Field::hidden("text", text)],
        button: frame.t("admin.import_now").to_owned(),
        ..Form::default()
    };
    let title = frame.t("admin.preview").to_owned();
    let warning = frame.t("admin.preview_hint").to_owned();
    sheet(frame, Sheet { title, warning, tables: vec![announced, moves], forms: vec![form], ..Sheet::default() })
}
