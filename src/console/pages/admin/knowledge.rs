//! Answers to common questions: listed, changed, retired.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::catalogue::{city_question, editing_with, failed, new, own_cities, sees, unit_choices, unknown};
use super::refused::Refused;
use super::sheet::{Cell, Choice, Field, Input, Member, Sheet, Table, body, choices, columns, show};
use crate::access::Cities;
use crate::console::Shared;
use crate::console::catalogue as api;
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::segment::Segment;
use crate::store::Placed;
use crate::ticket::catalogue::{Knowledge, KnowledgeId};

pub async fn list(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let city = query.value("city")?;
    let mut entries = shared.store.knowledge(city).await.map_err(failed)?;
    entries.retain(|placed| placed.entry.city.is_none_or(|city| sees(&frame, city)));
    let row = |Placed { entry, position }: &Placed| {
        vec![
            match writes(&frame, entry) {
                true => Cell::link(&entry.id, format!("/admin/knowledge/edit?id={}", entry.id)),
                false => Cell::text(&entry.id),
            },
            Cell::text(
                entry.city.map_or_else(|| frame.t("admin.every_city").to_owned(), |city| frame.name("city", city)),
            ),
            Cell::text(&entry.unit),
            Cell::text(position),
            Cell::text(&entry.title_zh),
            Cell::bo(&entry.title_bo),
            Cell::text(entry.review_on),
            Cell::active(&frame, entry.active),
        ]
    };
    let title = frame.t("admin.knowledge").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: columns(&frame, &["id", "city", "unit", "position", "title_zh", "title_bo", "review_on", "active"]),
        rows: entries.iter().map(row).collect(),
    };
    let forms = vec![city_question(&frame, "/admin/knowledge", city)];
    let links = new(&frame, "/admin/knowledge/edit");
    show(&frame, Sheet { title, tables: vec![table], forms, links, ..Sheet::default() })
}

pub async fn edit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let placed = match query.value("id")? {
        Some(id) => {
            let placed = shared.store.knowledge_entry(&id).await.map_err(failed)?;
            let seen = placed.filter(|placed| writes(&frame, &placed.entry));
            Some(seen.ok_or_else(unknown)?)
        }
        None => None,
    };
    entry_page(&shared, &frame, placed.as_ref(), None).await
}

async fn entry_page(
    shared: &Shared,
    frame: &Frame,
    placed: Option<&Placed>,
    refused: Option<&Refused>,
) -> Result<Response, Problem> {
    let of = |text: fn(&Placed) -> String| placed.map(text).unwrap_or_default();
    let id = match placed {
        Some(placed) => Field::known("id", &placed.entry.id),
        None => Field::line(frame, "id", "").needed().hint(frame.t("admin.code_hint")),
    };
    let chosen = placed.and_then(|placed| placed.entry.city);
    let mut cities = choices(frame, "city", &own_cities(frame), |city| Some(*city) == chosen);
    let of_all = frame.asking.caller.cities == Cities::All;
    if of_all {
        let (label, on) = (frame.t("admin.every_city").to_owned(), placed.is_some() && chosen.is_none());
        cities.insert(0, Choice { value: String::new(), label, on });
    }
    let city = Field::new(frame, "city", Input::One(cities));
    let own = frame.asking.caller.unit.as_ref().map(ToString::to_string);
    let unit = placed.map(|placed| placed.entry.unit.to_string()).or(own).unwrap_or_default();
    let fields = vec![
        id,
        if of_all { city } else { city.needed() },
        Field::new(frame, "unit", Input::One(unit_choices(shared, frame, &unit).await?)).needed(),
        Field::new(frame, "position", Input::Line("number", of(|placed| placed.position.to_string()))),
        Field::line(frame, "title_zh", of(|placed| placed.entry.title_zh.to_string())).needed(),
        Field::line(frame, "title_bo", of(|placed| placed.entry.title_bo.to_string())).needed(),
        Field::long(frame, "text_zh", of(|placed| placed.entry.text_zh.to_string())).needed(),
        Field::long(frame, "text_bo", of(|placed| placed.entry.text_bo.to_string())).needed(),
        Field::new(frame, "review_on", Input::Line("date", of(|placed| placed.entry.review_on.to_string()))).needed(),
        Field::line(frame, "choice", of(|placed| said(placed.entry.choice.as_ref()))),
        Field::line(frame, "prompt", of(|placed| said(placed.entry.prompt.as_ref())))
            .hint(frame.t("admin.prompt_hint")),
        Field::new(frame, "active", Input::Tick(placed.is_none_or(|placed| placed.entry.active))),
    ];
    let id = of(|placed| placed.entry.id.to_string());
    let spoken = (format!("/admin/knowledge/{id}/spoken"), frame.t("prompts.spoken").to_owned());
    let links = if id.is_empty() { Vec::new() } else { vec![spoken] };
    editing_with(frame, "admin.knowledge", "/admin/knowledge", id, (fields, links), refused)
}

pub async fn keep(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let kept = put(Arc::clone(&shared), &frame, &fields).await;
    match Refused::of(kept, fields)? {
        None => done("/admin/knowledge", "saved"),
        Some(refused) => entry_page(&shared, &frame, None, Some(&refused)).await,
    }
}

async fn put(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Number, Text};
    let members = [
        ("city", Text),
        ("unit", Text),
        ("position", Number),
        ("title_zh", Text),
        ("title_bo", Text),
        ("text_zh", Text),
        ("text_bo", Text),
        ("review_on", Text),
        ("choice", Text),
        ("prompt", Text),
        ("active", Flag),
    ];
    let entry = body(fields, &members)?;
    let id = Segment(fields.needed::<KnowledgeId>("id")?.to_string());
    api::put_knowledge(State(shared), frame.asking.clone(), id, entry).await.map(drop)
}

fn writes(frame: &Frame, entry: &Knowledge) -> bool {
    api::may_write(&frame.asking, entry.city, Some(&entry.unit)).is_ok()
}

fn said(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}
