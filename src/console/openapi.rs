//! `/api/openapi.json`: what utoipa reads from the handlers, completed from the table of routes.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};

use super::observe::REQUEST_ID;
use super::problem::{Kind, ProblemDocument};
use super::query::{DEFAULT_LIMIT, MAX_LIMIT};
use super::routes::{self, Access, Rule};
use super::{calls, health, index, live, recordings, schema, tickets};
use crate::city::City;

const SCHEME: &str = "token";

/// Problems that any route can answer with.
const EVERYWHERE: [Kind; 4] = [Kind::BadQuery, Kind::BodyNotAccepted, Kind::Internal, Kind::TimedOut];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "hotline",
        description = "The government service hotline 12345: tickets, recordings and calls.\n\n\
            Everything is read with GET; HEAD answers the same without a body. Times are RFC 3339 in UTC. Phone \
            numbers are national digits. Lists have the newest first and answer `items` and `next`: ask again with \
            `cursor` set to `next` and all else unchanged until it is null. Errors are problem documents (RFC 9457) \
            whose `type` leads into this document. Every answer has an `X-Request-Id`, under which the log knows it.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        index::page,
        health::alive,
        health::ready,
        health::metrics,
        serve,
        tickets::list,
        tickets::one,
        recordings::audio,
        calls::list,
        calls::one,
        live::calls,
        live::events
    ),
    components(schemas(ProblemDocument)),
    tags(
        (name = "tickets", description = "Requests of citizens and enterprises (工单)."),
        (name = "calls", description = "Calls and what happened in them."),
        (name = "live", description = "What is happening now."),
        (name = "operation", description = "For the machine that watches this one.")
    )
)]
struct Document;

/// The whole document as JSON.
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> =
        LazyLock::new(|| complete().to_pretty_json().expect("an OpenAPI document is made of strings and numbers"));
    &DOCUMENT
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "read_openapi",
    tag = "operation",
    responses((status = 200, body = serde_json::Value, content_type = "application/json"))
)]
pub async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}

fn complete() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for route in routes::all() {
        let item = document.paths.paths.get_mut(route.path);
        let operation = item.and_then(|item| item.get.as_mut()).expect("every route is among `paths` above");
        describe(operation, &route.rule);
    }
    let components = document.components.get_or_insert_default();
    for (name, schema) in &mut components.schemas {
        if let RefOr::T(schema) = schema {
            settle(name, schema);
        }
    }
    for kind in Kind::ALL {
        components.responses.insert(kind.slug().to_owned(), RefOr::T(problem(kind)));
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The line in the file `api-token` of the data folder."))
        .build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    document
}

/// Says what the derive can't know: a page's items are of a named type, and a member without a value is null, not
/// left out (but for a problem's).
fn settle(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) => {
            if let Some(item) = name.strip_prefix("Page_") {
                let items = ArrayBuilder::new().items(Ref::from_schema_name(item));
                object.properties.insert("items".to_owned(), items.into());
            }
            if name != ProblemDocument::name() {
                object.required = object.properties.keys().cloned().collect();
            }
        }
        Schema::AllOf(all) => {
            for part in &mut all.items {
                if let RefOr::T(part) = part {
                    settle(name, part);
                }
            }
        }
        _ => {}
    }
}

fn describe(operation: &mut Operation, rule: &Rule) {
    if rule.access == Access::Token {
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, [])]);
    }
    operation.parameters.get_or_insert_default().extend(rule.keys.iter().map(|key| RefOr::T(parameter(key))));
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        // OpenAPI wants a description of every response
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description.clone_from(&summary);
        }
    }
    for kind in EVERYWHERE.iter().chain(rule.problems) {
        let status = kind.status().as_u16().to_string();
        operation.responses.responses.insert(status, RefOr::Ref(Ref::from_response_name(kind.slug())));
    }
}

fn problem(kind: Kind) -> Response {
    let body = Ref::from_schema_name(ProblemDocument::name().into_owned());
    let mut response = ResponseBuilder::new()
        .description(format!("{}.", kind.title()))
        .content("application/problem+json", ContentBuilder::new().schema(Some(body)).build());
    let header = |words: &str| {
        let mut header = utoipa::openapi::Header::new(ObjectBuilder::new().schema_type(Type::String));
        header.description = Some(words.to_owned());
        header
    };
    response = response.header(REQUEST_ID.as_str(), header("Finds the request in the log."));
    match kind {
        Kind::Unauthorized => response.header("www-authenticate", header("RFC 6750.")),
        Kind::MethodNotAllowed => response.header("allow", header("The methods that are.")),
        Kind::Busy | Kind::RecordingOpen => response.header("retry-after", header("Seconds to wait.")),
        Kind::RangeNotSatisfiable => response.header("content-range", header("The recording's length.")),
        _ => response,
    }
    .build()
}

fn parameter(key: &str) -> Parameter {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let (words, schema) = match key {
        "phone" => ("Only of this phone number, in any of its spellings.", text()),
        "city" => ("Only of this city.", schema::names(City::ALL)),
        "from" => ("Not before this RFC 3339 time, or this day (YYYY-MM-DD) in Beijing.", text()),
        "to" => ("Before this RFC 3339 time, or not after this day (YYYY-MM-DD) in Beijing.", text()),
        "cursor" => ("The `next` of the page before.", text()),
        _ => (
            "How many items at most.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(Some(1))
                .maximum(Some(MAX_LIMIT))
                .default(Some(DEFAULT_LIMIT.into())),
        ),
    };
    ParameterBuilder::new()
        .name(key)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(schema))
        .build()
}
