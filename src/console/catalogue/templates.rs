//! `/api/v1/reply-templates`: texts that replies, contacts, refusals and returns begin with.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::shapes::{Entries, TemplateIn, TemplateOut};
use super::{answer, by, entries, may_write, named};
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::segment::Segment;
use crate::ticket::catalogue::{ReplyTemplate, TemplateId, TemplateKind};

pub const KEYS: &[&str] = &["city", "template_kind", "active"];

/// The templates that the caller's cities, and their unit if they are of one, begin with.
#[utoipa::path(
    get,
    path = "/api/v1/reply-templates",
    operation_id = "list_reply_templates",
    tag = "catalogue",
    responses((status = 200, body = Entries<TemplateOut>))
)]
pub async fn templates(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Entries<TemplateOut>>, Problem> {
    let kind: Option<TemplateKind> = query.value("template_kind")?;
    let found = shared.store.reply_templates(query.value("city")?).await;
    let found = found.map_err(|error| Problem::internal("reply templates", &error))?;
    let wanted =
        |template: &ReplyTemplate| kind.is_none_or(|kind| template.kind == kind) && may_begin_with(&asking, template);
    entries(&query, found.into_iter().filter(wanted).map(TemplateOut::from).collect(), |item| item.template.active)
}

/// Adds a template, or changes it. A unit's own people write for their unit.
#[utoipa::path(
    put,
    path = "/api/v1/reply-templates/{id}",
    operation_id = "put_reply_template",
    tag = "catalogue",
    params(("id" = String, Path, description = "1 to 40 of a-z, 0-9 and -.")),
    request_body = TemplateIn,
    responses((status = 200, body = TemplateOut), (status = 201, description = "It is new.", body = TemplateOut))
)]
pub async fn put_template(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
    Body(sent): Body<TemplateIn>,
) -> Result<(StatusCode, Json<TemplateOut>), Problem> {
    let id: TemplateId = named(&id)?;
    let there = shared.store.reply_template(&id).await;
    let there = there.map_err(|error| Problem::internal("reply template", &error))?;
    let touched = there.iter().map(|there| (there.city, &there.unit)).chain([(sent.city, &sent.unit)]);
    for (city, unit) in touched {
        may_write(&asking, city, unit.as_ref())?;
    }
    let template = sent.template(id);
    let kept = shared.store.keep_reply_template(&template, &by(&asking), shared.clock.wall()).await;
    answer(kept, TemplateOut::from(template))
}

/// Whether this caller may begin with it: of their cities, and not of another unit.
pub fn may_begin_with(asking: &Asking, template: &ReplyTemplate) -> bool {
    let of_theirs = match (&asking.caller.unit, &template.unit) {
        (Some(own), Some(unit)) => own == unit,
        _ => true,
    };
    of_theirs && template.city.is_none_or(|city| asking.caller.cities.contains(city))
}
