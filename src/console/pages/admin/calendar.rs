//! Announced days off: an import is shown with the tickets that it moves before it is made.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::sheet::{Cell, Field, Form, Input, Sheet, Table, show as sheet};
use crate::console::Shared;
use crate::console::calendar::{announce, parsed};
use crate::console::pages::{Frame, Sent, Uploaded, done};
use crate::console::problem::{Kind, Problem};
use crate::store::Moved;
use crate::ticket::calendar::Announcement;

/// More are counted, not listed.
const LISTED: usize = 500;

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
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
            Field::new(&frame, "file", Input::File),
            Field::long(&frame, "text", "").hint(frame.t("admin.calendar_hint")),
        ],
        button: frame.t("admin.preview").to_owned(),
        has_file: true,
        ..Form::default()
    };
    sheet(&frame, Sheet { title, tables: vec![table], forms: vec![form], ..Sheet::default() })
}

/// What an import would do; the text goes along to the form that makes it.
pub async fn preview(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Uploaded { fields, file }: Uploaded,
) -> Result<Response, Problem> {
    let text = match &file {
        Some(file) => std::str::from_utf8(&file.bytes)
            .map_err(|_| Problem::new(Kind::BadBody, "The file is not UTF-8.").parameter("file"))?
            .to_owned(),
        None => fields.raw("text").unwrap_or_default().to_owned(),
    };
    let announcements = parsed(&text)?;
    let moved = announce(&shared, &frame.asking, &announcements, true).await?;
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
    sheet(&frame, Sheet { title, warning, tables: vec![announced, moves], forms: vec![form], ..Sheet::default() })
}

pub async fn import(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let announcements = parsed(fields.raw("text").unwrap_or_default())?;
    announce(&shared, &frame.asking, &announcements, false).await?;
    done("/admin/calendar", "saved")
}
