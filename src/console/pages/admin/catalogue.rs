//! Units, classes and reasons: listed, changed, retired; nothing is taken away.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::refused::Refused;
use super::sheet::{Cell, Choice, Field, Form, Input, Member, Sheet, Table, body, choices, columns, show};
use crate::city::City;
use crate::console::Shared;
use crate::console::catalogue as api;
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::console::segment::{Segment, Segments};
use crate::store::StoreError;
use crate::ticket::catalogue::{Class, ClassCode, GroupCode, Reason, ReasonCode, ReasonKind, Unit, UnitCode};

pub fn failed(error: StoreError) -> Problem {
    Problem::internal("catalogue", &error)
}

pub fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "There is no such entry.")
}

pub fn sees(frame: &Frame, city: City) -> bool {
    frame.asking.caller.cities.contains(city)
}

pub fn own_cities(frame: &Frame) -> Vec<City> {
    City::ALL.into_iter().filter(|city| sees(frame, *city)).collect()
}

pub fn city_question(frame: &Frame, action: &str, chosen: Option<City>) -> Form {
    let city = Input::One(choices(frame, "city", &own_cities(frame), |city| Some(*city) == chosen));
    Form {
        action: action.to_owned(),
        fields: vec![Field::new(frame, "city", city)],
        button: frame.t("admin.show").to_owned(),
        is_question: true,
        ..Form::default()
    }
}

pub fn new(frame: &Frame, path: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), frame.t("admin.add").to_owned())]
}

pub async fn units(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let city = query.value("city")?;
    let mut units = shared.store.units(city).await.map_err(failed)?;
    units.retain(|unit| sees(&frame, unit.city));
    let row = |unit: &Unit| {
        vec![
            Cell::link(&unit.code, format!("/admin/units/edit?code={}", unit.code)),
            Cell::text(frame.name("city", unit.city)),
            Cell::text(&unit.zh),
            Cell::bo(&unit.bo),
            Cell::text(unit.phone.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::text(unit.classes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
            Cell::active(&frame, unit.active),
        ]
    };
    let title = frame.t("admin.units").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: columns(&frame, &["code", "city", "zh", "bo", "phone", "classes", "active"]),
        rows: units.iter().map(row).collect(),
    };
    let forms = vec![city_question(&frame, "/admin/units", city)];
    let links = new(&frame, "/admin/units/edit");
    show(&frame, Sheet { title, tables: vec![table], forms, links, ..Sheet::default() })
}

pub async fn edit_unit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let unit = match query.text("code") {
        Some(code) => {
            let units = shared.store.units(None).await.map_err(failed)?;
            let unit = units.into_iter().find(|unit| unit.code.as_str() == code && sees(&frame, unit.city));
            Some(unit.ok_or_else(unknown)?)
        }
        None => None,
    };
    unit_page(&frame, unit.as_ref(), None)
}

fn unit_page(frame: &Frame, unit: Option<&Unit>, refused: Option<&Refused>) -> Result<Response, Problem> {
    let of = |text: fn(&Unit) -> String| unit.map(text).unwrap_or_default();
    let cities = choices(frame, "city", &own_cities(frame), |city| unit.is_some_and(|unit| unit.city == *city));
    let code = match unit {
        Some(unit) => Field::known("code", &unit.code),
        None => Field::line(frame, "code", "").needed().hint(frame.t("admin.code_hint")),
    };
    let fields = vec![
        code,
        Field::new(frame, "city", Input::One(cities)).needed(),
        Field::line(frame, "zh", of(|unit| unit.zh.to_string())).needed(),
        Field::line(frame, "bo", of(|unit| unit.bo.to_string())).needed(),
        Field::line(frame, "phone", of(|unit| unit.phone.as_ref().map(ToString::to_string).unwrap_or_default())),
        Field::line(frame, "classes", of(|unit| words(&unit.classes))).hint(frame.t("admin.words_hint")),
        Field::new(frame, "active", Input::Tick(unit.is_none_or(|unit| unit.active))),
    ];
    editing(frame, "admin.units", "/admin/units", of(|unit| unit.code.to_string()), fields, refused)
}

pub async fn keep_unit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let kept = put_unit(shared, &frame, &fields).await;
    match Refused::of(kept, fields)? {
        None => done("/admin/units", "saved"),
        Some(refused) => unit_page(&frame, None, Some(&refused)),
    }
}

async fn put_unit(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Text, Words};
    let unit = body(
        fields,
        &[("city", Text), ("zh", Text), ("bo", Text), ("phone", Text), ("classes", Words), ("active", Flag)],
    )?;
    let code = Segment(fields.needed::<UnitCode>("code")?.to_string());
    api::put_unit(State(shared), frame.asking.clone(), code, unit).await.map(drop)
}

pub async fn classes(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let groups = shared.store.groups().await.map_err(failed)?;
    let classes = shared.store.classes().await.map_err(failed)?;
    let cells = |code: String, zh: String, bo: String, keywords: String, active| {
        vec![
            Cell::link(&code, format!("/admin/classes/edit?code={code}")),
            Cell::text(zh),
            Cell::bo(bo),
            Cell::text(keywords),
            Cell::active(&frame, active),
        ]
    };
    let mut rows: Vec<(String, Vec<Cell>)> = Vec::new();
    for of in &groups {
        let code = of.code.to_string();
        rows.push((code.clone(), cells(code, of.zh.to_string(), of.bo.to_string(), String::new(), of.active)));
    }
    for of in &classes {
        let code = of.code.to_string();
        rows.push((code.clone(), cells(code, of.zh.to_string(), of.bo.to_string(), words(&of.keywords), of.active)));
    }
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let title = frame.t("admin.classes").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: columns(&frame, &["code", "zh", "bo", "keywords", "active"]),
        rows: rows.into_iter().map(|(_, cells)| cells).collect(),
    };
    let links = new(&frame, "/admin/classes/edit");
    show(&frame, Sheet { title, tables: vec![table], links, ..Sheet::default() })
}

pub async fn edit_class(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let Some(wanted) = query.text("code") else { return class_page(&frame, ClassText::default(), None) };
    let groups = shared.store.groups().await.map_err(failed)?;
    if let Some(of) = groups.iter().find(|group| group.code.to_string() == wanted) {
        let (zh, bo) = (of.zh.to_string(), of.bo.to_string());
        let class = ClassText { code: wanted.to_owned(), zh, bo, keywords: String::new(), retired: !of.active };
        return class_page(&frame, class, None);
    }
    let classes = shared.store.classes().await.map_err(failed)?;
    let of: &Class = classes.iter().find(|class| class.code.to_string() == wanted).ok_or_else(unknown)?;
    let (zh, bo, keywords) = (of.zh.to_string(), of.bo.to_string(), words(&of.keywords));
    class_page(&frame, ClassText { code: wanted.to_owned(), zh, bo, keywords, retired: !of.active }, None)
}

/// A class or a group of classes; without a code it is a new one.
#[derive(Default)]
struct ClassText {
    code: String,
    zh: String,
    bo: String,
    keywords: String,
    retired: bool,
}

fn class_page(frame: &Frame, class: ClassText, refused: Option<&Refused>) -> Result<Response, Problem> {
    let ClassText { code, zh, bo, keywords, retired } = class;
    let fields = vec![
        if code.is_empty() {
            Field::line(frame, "code", "").needed().hint(frame.t("admin.class_hint"))
        } else {
            Field::known("code", &code)
        },
        Field::line(frame, "zh", zh).needed(),
        Field::line(frame, "bo", bo).needed(),
        Field::line(frame, "keywords", keywords).hint(frame.t("admin.words_hint")),
        Field::new(frame, "active", Input::Tick(!retired)),
    ];
    editing(frame, "admin.classes", "/admin/classes", code, fields, refused)
}

pub async fn keep_class(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let kept = put_class(shared, &frame, &fields).await;
    match Refused::of(kept, fields)? {
        None => done("/admin/classes", "saved"),
        Some(refused) => class_page(&frame, ClassText::default(), Some(&refused)),
    }
}

async fn put_class(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Text, Words};
    let class = body(fields, &[("zh", Text), ("bo", Text), ("keywords", Words), ("active", Flag)])?;
    let code = match fields.text("code").map(str::len) {
        Some(2) => fields.needed::<GroupCode>("code")?.to_string(),
        _ => fields.needed::<ClassCode>("code")?.to_string(),
    };
    let code = Segment(code);
    api::put_class(State(shared), frame.asking.clone(), code, class).await.map(drop)
}

pub async fn reasons(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let reasons = shared.store.reasons(None).await.map_err(failed)?;
    let row = |of: &Reason| {
        vec![
            Cell::text(frame.name("reason_kind", of.kind)),
            Cell::link(&of.code, format!("/admin/reasons/edit?kind={}&code={}", of.kind, of.code)),
            Cell::text(&of.zh),
            Cell::bo(&of.bo),
            Cell::text(of.told_to_requester.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::active(&frame, of.active),
        ]
    };
    let title = frame.t("admin.reasons").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: columns(&frame, &["kind", "code", "zh", "bo", "told_to_requester", "active"]),
        rows: reasons.iter().map(row).collect(),
    };
    let links = new(&frame, "/admin/reasons/edit");
    show(&frame, Sheet { title, tables: vec![table], links, ..Sheet::default() })
}

pub async fn edit_reason(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let kind: Option<ReasonKind> = query.value("kind")?;
    let reason = match query.text("code") {
        Some(code) => {
            let reasons = shared.store.reasons(kind).await.map_err(failed)?;
            Some(reasons.into_iter().find(|reason| reason.code.as_str() == code).ok_or_else(unknown)?)
        }
        None => None,
    };
    reason_page(&frame, kind, reason.as_ref(), None)
}

fn reason_page(
    frame: &Frame,
    kind: Option<ReasonKind>,
    reason: Option<&Reason>,
    refused: Option<&Refused>,
) -> Result<Response, Problem> {
    let of = |text: fn(&Reason) -> String| reason.map(text).unwrap_or_default();
    let (kind, code) = match reason {
        Some(reason) => (Field::known("kind", reason.kind), Field::known("code", &reason.code)),
        None => {
            let kinds = choices(frame, "reason_kind", ReasonKind::ALL, |one| Some(*one) == kind);
            let code = Field::line(frame, "code", "").needed().hint(frame.t("admin.code_hint"));
            (Field::new(frame, "kind", Input::One(kinds)).needed(), code)
        }
    };
    let told = of(|reason| reason.told_to_requester.as_ref().map(ToString::to_string).unwrap_or_default());
    let fields = vec![
        kind,
        code,
        Field::line(frame, "zh", of(|reason| reason.zh.to_string())).needed(),
        Field::line(frame, "bo", of(|reason| reason.bo.to_string())).needed(),
        Field::long(frame, "told_to_requester", told),
        Field::new(frame, "active", Input::Tick(reason.is_none_or(|reason| reason.active))),
    ];
    editing(frame, "admin.reasons", "/admin/reasons", of(|reason| reason.code.to_string()), fields, refused)
}

pub async fn keep_reason(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let kept = put_reason(shared, &frame, &fields).await;
    match Refused::of(kept, fields)? {
        None => done("/admin/reasons", "saved"),
        Some(refused) => reason_page(&frame, None, None, Some(&refused)),
    }
}

async fn put_reason(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Text};
    let reason = body(fields, &[("zh", Text), ("bo", Text), ("told_to_requester", Text), ("active", Flag)])?;
    let (kind, code): (ReasonKind, ReasonCode) = (fields.needed("kind")?, fields.needed("code")?);
    let path = Segments([kind.to_string(), code.to_string()]);
    api::put_reason(State(shared), frame.asking.clone(), path, reason).await.map(drop)
}

/// The units that whoever asks may name.
pub async fn unit_choices(shared: &Shared, frame: &Frame, chosen: &str) -> Result<Vec<Choice>, Problem> {
    let units = shared.store.units(None).await.map_err(failed)?;
    let own = frame.asking.caller.unit.as_ref();
    let seen = units.into_iter().filter(|unit| sees(frame, unit.city) && own.is_none_or(|own| *own == unit.code));
    let choice = |unit: Unit| Choice {
        on: unit.code.as_str() == chosen,
        label: format!("{} · {}", frame.name("city", unit.city), unit.zh),
        value: unit.code.to_string(),
    };
    Ok(seen.map(choice).collect())
}

pub fn editing(
    frame: &Frame,
    title: &str,
    action: &str,
    of: String,
    fields: Vec<Field>,
    refused: Option<&Refused>,
) -> Result<Response, Problem> {
    editing_with(frame, title, action, of, (fields, Vec::new()), refused)
}

/// As [`editing`], with links that lead on.
pub fn editing_with(
    frame: &Frame,
    title: &str,
    action: &str,
    of: String,
    (fields, links): (Vec<Field>, Vec<(String, String)>),
    refused: Option<&Refused>,
) -> Result<Response, Problem> {
    // by what an entry is known: its code, or its id
    let known = refused.and_then(|refused| refused.known("code").or_else(|| refused.known("id")));
    let of = known.map_or(of, str::to_owned);
    let title = if of.is_empty() { frame.t("admin.add").to_owned() } else { format!("{} · {of}", frame.t(title)) };
    let button = frame.t("admin.save").to_owned();
    let form = Form { action: action.to_owned(), fields, button, ..Form::default() }.after(frame, refused);
    show(frame, Sheet { title, forms: vec![form], links, ..Sheet::default() }.after(refused))
}

fn words(words: &[impl ToString]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
