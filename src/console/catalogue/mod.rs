//! `/api/v1/classes`, `/units`, `/reasons` and `/knowledge`: what requests are sorted by, who handles them, why a step is
//! taken, what is answered. Nothing is taken away here: an entry is retired.

mod shapes;
mod templates;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::Shared;
use super::asking::Asking;
use super::body::Body;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::segment::{Segment, Segments};
use crate::access::Cities;
use crate::city::City;
use crate::store::{By, Kept, NotKept, Placed};
use crate::ticket::catalogue::{self, ClassCode, GroupCode, KnowledgeId, Reason, ReasonKind, Unit, UnitCode};
pub use templates::{
    __path_put_template, __path_templates, KEYS as TEMPLATE_KEYS, may_begin_with, put_template, templates,
};

use shapes::{ClassIn, ClassOut, Entries, KnowledgeIn, KnowledgeOut, ReasonIn, ReasonOut, UnitIn, UnitOut};

pub const CLASS_KEYS: &[&str] = &["active"];
pub const UNIT_KEYS: &[&str] = &["city", "active"];
pub const REASON_KEYS: &[&str] = &["kind", "active"];
pub const KNOWLEDGE_KEYS: &[&str] = &["city", "active"];

/// The groups and classes that requests are sorted by, by code.
#[utoipa::path(
    get,
    path = "/api/v1/classes",
    operation_id = "list_classes",
    tag = "catalogue",
    responses((status = 200, body = Entries<ClassOut>))
)]
pub async fn classes(
    State(shared): State<Arc<Shared>>,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Entries<ClassOut>>, Problem> {
    let groups = shared.store.groups().await.map_err(|error| Problem::internal("classes", &error))?;
    let classes = shared.store.classes().await.map_err(|error| Problem::internal("classes", &error))?;
    let (groups, classes) = (groups.into_iter().map(ClassOut::from), classes.into_iter().map(ClassOut::from));
    let mut items: Vec<ClassOut> = groups.chain(classes).collect();
    items.sort_by(|a, b| a.code.cmp(&b.code));
    entries(&query, items, |item| item.class.active)
}

/// The handling units of the caller's cities.
#[utoipa::path(
    get,
    path = "/api/v1/units",
    operation_id = "list_units",
    tag = "catalogue",
    responses((status = 200, body = Entries<UnitOut>))
)]
pub async fn units(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Entries<UnitOut>>, Problem> {
    let found = shared.store.units(query.value("city")?).await.map_err(|error| Problem::internal("units", &error))?;
    let seen = found.into_iter().filter(|unit| asking.caller.cities.contains(unit.city));
    entries(&query, seen.map(UnitOut::from).collect(), |item| item.unit.active)
}

/// The reasons that people pick when they refuse, return, extend, suspend or leave out.
#[utoipa::path(
    get,
    path = "/api/v1/reasons",
    operation_id = "list_reasons",
    tag = "catalogue",
    responses((status = 200, body = Entries<ReasonOut>))
)]
pub async fn reasons(
    State(shared): State<Arc<Shared>>,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Entries<ReasonOut>>, Problem> {
    let found = shared.store.reasons(query.value("kind")?).await;
    let found = found.map_err(|error| Problem::internal("reasons", &error))?;
    entries(&query, found.into_iter().map(ReasonOut::from).collect(), |item| item.reason.active)
}

/// The answers of the caller's cities, and those of every city.
#[utoipa::path(
    get,
    path = "/api/v1/knowledge",
    operation_id = "list_knowledge",
    tag = "catalogue",
    responses((status = 200, body = Entries<KnowledgeOut>))
)]
pub async fn knowledge(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Entries<KnowledgeOut>>, Problem> {
    let found = shared.store.knowledge(query.value("city")?).await;
    let found = found.map_err(|error| Problem::internal("knowledge", &error))?;
    let cities = &asking.caller.cities;
    let seen = found.into_iter().filter(|placed| placed.entry.city.is_none_or(|city| cities.contains(city)));
    entries(&query, seen.map(KnowledgeOut::from).collect(), |item| item.entry.active)
}

/// Adds a class or a group of classes, or changes it.
///
/// A group is retired after its classes and comes back before them.
#[utoipa::path(
    put,
    path = "/api/v1/classes/{code}",
    operation_id = "put_class",
    tag = "catalogue",
    params(("code" = String, Path, description = "Four digits for a class, two for a group.")),
    request_body = ClassIn,
    responses((status = 200, body = ClassOut), (status = 201, description = "It is new.", body = ClassOut))
)]
pub async fn put_class(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(code): Segment,
    Body(class): Body<ClassIn>,
) -> Result<(StatusCode, Json<ClassOut>), Problem> {
    let (by, now) = (by(&asking), shared.clock.wall());
    let ClassIn { zh, bo, keywords, active } = &class;
    let (zh, bo, active) = (zh.clone(), bo.clone(), *active);
    let kept = if code.len() == 2 {
        let code: GroupCode = named(&code)?;
        if !keywords.is_empty() {
            return Err(Problem::new(Kind::BadBody, "A group has no keywords.").parameter("keywords"));
        }
        shared.store.keep_group(&catalogue::Group { code, zh, bo, active }, &by, now).await
    } else {
        let code: ClassCode = named(&code)?;
        let class = catalogue::Class { code, zh, bo, keywords: keywords.clone(), active };
        shared.store.keep_class(&class, &by, now).await
    };
    answer(kept, ClassOut { code, class })
}

/// Adds a unit, or changes it. A unit stays in its city.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}",
    operation_id = "put_unit",
    tag = "catalogue",
    params(("code" = String, Path, description = "1 to 40 of a-z, 0-9 and -.")),
    request_body = UnitIn,
    responses((status = 200, body = UnitOut), (status = 201, description = "It is new.", body = UnitOut))
)]
pub async fn put_unit(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(code): Segment,
    Body(sent): Body<UnitIn>,
) -> Result<(StatusCode, Json<UnitOut>), Problem> {
    if !asking.caller.cities.contains(sent.city) {
        return Err(other_city());
    }
    let UnitIn { city, zh, bo, phone, classes, active } = sent;
    let unit = Unit { code: named(&code)?, city, zh, bo, phone, classes, active };
    answer(shared.store.keep_unit(&unit, &by(&asking), shared.clock.wall()).await, UnitOut::from(unit))
}

/// Adds a reason, or changes it. A code belongs to one kind.
#[utoipa::path(
    put,
    path = "/api/v1/reasons/{kind}/{code}",
    operation_id = "put_reason",
    tag = "catalogue",
    params(
        ("kind" = ReasonKind, Path, description = "What it is given for."),
        ("code" = String, Path, description = "1 to 40 of a-z, 0-9 and _.")
    ),
    request_body = ReasonIn,
    responses((status = 200, body = ReasonOut), (status = 201, description = "It is new.", body = ReasonOut))
)]
pub async fn put_reason(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segments(path): Segments<2>,
    Body(sent): Body<ReasonIn>,
) -> Result<(StatusCode, Json<ReasonOut>), Problem> {
    let ReasonIn { zh, bo, told_to_requester, active } = sent;
    let [kind, code] = path;
    let kind = kind.parse().map_err(|_| Problem::new(Kind::NotFound, "There is no such kind of reasons."))?;
    let reason = Reason { kind, code: named(&code)?, zh, bo, told_to_requester, active };
    answer(shared.store.keep_reason(&reason, &by(&asking), shared.clock.wall()).await, ReasonOut::from(reason))
}

/// Adds an answer, or changes it. A unit's own people write for their unit and its city.
#[utoipa::path(
    put,
    path = "/api/v1/knowledge/{id}",
    operation_id = "put_knowledge",
    tag = "catalogue",
    params(("id" = String, Path, description = "1 to 40 of a-z, 0-9 and -.")),
    request_body = KnowledgeIn,
    responses((status = 200, body = KnowledgeOut), (status = 201, description = "It is new.", body = KnowledgeOut))
)]
pub async fn put_knowledge(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
    Body(sent): Body<KnowledgeIn>,
) -> Result<(StatusCode, Json<KnowledgeOut>), Problem> {
    let id: KnowledgeId = named(&id)?;
    let internal = |error| Problem::internal("knowledge", &error);
    let there = shared.store.knowledge_entry(&id).await.map_err(internal)?;
    let touched = there.iter().map(|placed| (placed.entry.city, &placed.entry.unit)).chain([(sent.city, &sent.unit)]);
    for (city, unit) in touched {
        may_write(&asking, city, Some(unit))?;
    }
    let entry = sent.entry(id.clone());
    let kept = shared.store.keep_knowledge(&entry, sent.position, &by(&asking), shared.clock.wall()).await;
    let (kept, _) = answer(kept, ())?;
    let placed = shared.store.knowledge_entry(&id).await.map_err(internal)?;
    let placed = placed.unwrap_or(Placed { entry, position: 0 });
    Ok((kept, Json(KnowledgeOut::from(placed))))
}

/// Of which cities and unit an entry may be that this caller writes.
pub fn may_write(asking: &Asking, city: Option<City>, unit: Option<&UnitCode>) -> Result<(), Problem> {
    if asking.caller.unit.as_ref().is_some_and(|own| Some(own) != unit) {
        return Err(Problem::new(Kind::Forbidden, "The entry is another unit's."));
    }
    let within = match city {
        Some(city) => asking.caller.cities.contains(city),
        None => asking.caller.cities == Cities::All,
    };
    if within { Ok(()) } else { Err(other_city()) }
}

fn other_city() -> Problem {
    Problem::new(Kind::Forbidden, "The entry is of a city that you are not given.")
}

/// The entries in use, or those that are retired, if only one of these is asked for.
fn entries<T>(query: &Parameters, items: Vec<T>, is_active: fn(&T) -> bool) -> Result<Json<Entries<T>>, Problem> {
    let wanted: Option<bool> = query.value("active")?;
    let items = items.into_iter().filter(|item| wanted.is_none_or(|wanted| is_active(item) == wanted)).collect();
    Ok(Json(Entries { items }))
}

/// A code as it stands in a path.
fn named<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|wrong| Problem::new(Kind::NotFound, format!("No entry: {wrong}.")))
}

fn by(asking: &Asking) -> By {
    By { actor: asking.caller.actor, address: asking.address.clone() }
}

fn answer<T>(kept: Result<Kept, NotKept>, entry: T) -> Result<(StatusCode, Json<T>), Problem> {
    let sentence = |error: &dyn std::fmt::Display| {
        let mut words = error.to_string();
        words[..1].make_ascii_uppercase();
        words + "."
    };
    match kept {
        Ok(Kept::Added) => Ok((StatusCode::CREATED, Json(entry))),
        Ok(Kept::Changed | Kept::Unchanged) => Ok((StatusCode::OK, Json(entry))),
        Err(NotKept::Misfit(misfit)) => {
            let words = misfit.to_string();
            let (member, what) = words.split_once(": ").unwrap_or(("", &words));
            Err(Problem::new(Kind::BadBody, format!("{what}.")).parameter(member))
        }
        Err(NotKept::Conflict(conflict)) => {
            Err(Problem::new(Kind::Conflict, sentence(&conflict)).refused(conflict.name()).parameter(conflict.field()))
        }
        Err(NotKept::Store(error)) => Err(Problem::internal("catalogue", &error)),
    }
}
