//! `/tickets/new`: a request that came in by another channel, filed by hand.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::named::{Choice, ChoiceGroup, Named};
use crate::console::Shared;
use crate::console::pages::sent::bad;
use crate::console::pages::{Fields, Frame, Sent, done, render};
use crate::console::problem::Problem;
use crate::console::tickets::{self, RequestIn};
use crate::language::Language;
use crate::ticket::{Channel, RequestType, Requester, Urgency};

const FIELDS: [&str; 14] = [
    "city",
    "channel",
    "type",
    "content",
    "title",
    "class",
    "place",
    "complained_party",
    "language",
    "requester",
    "name",
    "enterprise_name",
    "phone",
    "urgency",
];
const BOXES: [&str; 2] = ["anonymous", "confidential"];

#[derive(Template)]
#[template(path = "tickets/new.html")]
struct NewPage {
    frame: Frame,
    /// Names the request, so that it is filed once however often it is sent.
    once: String,
    fields: Fields,
    wrong: Option<String>,
    cities: Vec<Choice>,
    channels: Vec<Choice>,
    types: Vec<Choice>,
    languages: Vec<Choice>,
    requesters: Vec<Choice>,
    urgencies: Vec<Choice>,
    classes: Vec<ChoiceGroup>,
}

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    page(&shared, frame, Fields::default(), None).await
}

async fn page(shared: &Shared, frame: Frame, fields: Fields, wrong: Option<String>) -> Result<Response, Problem> {
    let named = Named::read(shared, &frame).await?;
    let typed = |key: &str, otherwise: &'static str| fields.text(key).unwrap_or(otherwise).to_owned();
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let once = || shared.request_ids.random().map(|byte| format!("{byte:02x}")).concat();
    let cities = frame.asking.caller.cities.list();
    let page = NewPage {
        once: fields.text("once").map_or_else(once, str::to_owned),
        cities: Choice::all(&frame, "city", cities.iter().map(|city| city.slug()), &typed("city", "")),
        channels: Choice::all(&frame, "channel", Channel::ALL.iter(), &typed("channel", "")),
        types: Choice::all(&frame, "type", RequestType::ALL.iter(), &typed("type", "")),
        languages: Choice::all(&frame, "language", Language::ALL.iter().map(|of| of.code()), &typed("language", "zh")),
        requesters: Choice::all(&frame, "requester", Requester::ALL.iter(), &typed("requester", "citizen")),
        urgencies: Choice::all(&frame, "urgency", Urgency::ALL.iter(), &typed("urgency", "normal")),
        classes: named.classes(false, fields.text("class").unwrap_or_default()),
        fields,
        wrong,
        frame,
    };
    let mut response = render(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

pub async fn file(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let request = match request(&fields) {
        Ok(request) => request,
        Err(problem) => return again(&shared, frame, fields, &problem).await,
    };
    let key = fields.text("once").filter(|key| key.len() <= 100 && key.bytes().all(|byte| byte.is_ascii_graphic()));
    let once = key.map(|key| tickets::once_by(key, frame.asking.caller.actor, &request));
    match tickets::filed(&shared, &frame.asking, request, once, shared.clock.wall()).await {
        Ok((ticket, _)) => done(&format!("/tickets/{}", ticket.number), "filed"),
        Err(problem) if problem.parameter_name().is_some() => again(&shared, frame, fields, &problem).await,
        Err(problem) => Err(problem),
    }
}

/// The form with what was typed, and the field to blame.
async fn again(shared: &Shared, frame: Frame, fields: Fields, problem: &Problem) -> Result<Response, Problem> {
    let name = frame.name("field", problem.parameter_name().unwrap_or_default());
    let wrong = frame.fill("ticket.unusable", &[&name]);
    page(shared, frame, fields, Some(wrong)).await
}

fn request(fields: &Fields) -> Result<RequestIn, Problem> {
    let mut document = Map::new();
    let texts = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), json!(fields.text(name)?))));
    document.extend(texts);
    document.extend(BOXES.iter().filter(|name| fields.ticked(name)).map(|name| ((*name).to_owned(), json!(true))));
    for name in ["city", "channel", "type", "content"] {
        if !document.contains_key(name) {
            return Err(bad(name, format!("`{name}` has to be filled in.")));
        }
    }
    serde_path_to_error::deserialize(Value::Object(document))
        .map_err(|error| bad(&error.path().to_string(), "A field can't be used as it was filled in."))
}

impl NewPage {
    fn typed(&self, key: &str) -> &str {
        self.fields.raw(key).unwrap_or_default()
    }
}
