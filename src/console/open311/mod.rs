//! Open311 GeoReport v2 (<https://wiki.open311.org/GeoReport_v2/>): how other channels file requests and follow them.
//!
//! Jurisdiction = city, service = class, group = the class's group, expected_datetime = due, open = not at its end. No name
//! and no phone number is ever given out, nor a confidential ticket or a report of wrongdoing (举报).

mod document;
mod fault;
mod form;
mod request;
mod service;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;

use super::Shared;
use crate::access::{Caller, Right};
use document::{Element, Format, Root};
use fault::Fault;
use form::Form;

/// Where the interface begins.
const BASE: &str = "/open311/v2";
/// The most bytes of a filed request.
pub const FORM_BYTES: usize = 64 * 1024;

type Answer = Result<(StatusCode, Root), Fault>;

/// Where the interface is and what it speaks.
#[utoipa::path(
    get,
    path = "/open311/{discovery}",
    operation_id = "open311_discovery",
    tag = "open311",
    params(("discovery" = String, Path, description = "`discovery.json` or `discovery.xml`.")),
    responses((status = 200, body = Object))
)]
pub async fn discovery(Path(segment): Path<String>) -> Response {
    let Some(("discovery", format)) = Format::split(&segment) else { return no_such_path() };
    let formats =
        [("text/xml"), ("application/json")].map(|format| Element::default().text("format", format.to_owned()));
    let endpoint = Element::default()
        .text("specification", "http://wiki.open311.org/GeoReport_v2".to_owned())
        .text("url", BASE.to_owned())
        .text("changeset", CHANGESET.to_owned())
        .text("type", "production".to_owned())
        .list("formats", "format", formats.to_vec());
    let element = Element::default()
        .text("changeset", CHANGESET.to_owned())
        .text("contact", "12345".to_owned())
        .text("key_service", "Ask the hotline's administrator: `hotline client add`.".to_owned())
        .list("endpoints", "endpoint", vec![endpoint]);
    Root::One { name: "discovery", element }.respond(format, StatusCode::OK)
}

/// When the interface last changed.
const CHANGESET: &str = "2026-11-26T00:00:00+08:00";

/// `services.{format}` and `requests.{format}`: what may be asked for, and what was.
///
/// `requests` takes `api_key`, `jurisdiction_id`, `service_request_id`, `service_code`, `start_date`, `end_date`, `status`; at
/// most 90 days or 1,000 requests.
#[utoipa::path(
    get,
    path = "/open311/v2/{list}",
    operation_id = "open311_list",
    tag = "open311",
    params(("list" = String, Path, description = "`services.json`, `services.xml`, `requests.json` or `requests.xml`.")),
    responses((status = 200, body = Object))
)]
pub async fn list(State(shared): State<Arc<Shared>>, Path(segment): Path<String>, uri: Uri) -> Response {
    let Some((name, format)) = Format::split(&segment) else { return no_such_path() };
    let answer = async {
        let form = Form::of_query(&uri)?;
        match name {
            "services" => service::list(&shared).await,
            "requests" => {
                let caller = caller(&shared, &form).await?;
                request::list(&shared, &caller, &form).await
            }
            _ => Err(Fault::missing("There are services and requests here.")),
        }
    };
    respond(format, answer.await)
}

/// `services/{code}.{format}`, `requests/{id}.{format}` and `tokens/{token}.{format}`.
#[utoipa::path(
    get,
    path = "/open311/v2/{list}/{one}",
    operation_id = "open311_one",
    tag = "open311",
    params(
        ("list" = String, Path, description = "`services`, `requests` or `tokens`."),
        ("one" = String, Path, description = "A code, an id or a token, with `.json` or `.xml`.")
    ),
    responses((status = 200, body = Object))
)]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    Path((list, segment)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let Some((name, format)) = Format::split(&segment) else { return no_such_path() };
    let answer = async {
        let form = Form::of_query(&uri)?;
        match list.as_str() {
            "services" => service::one(&shared, name).await,
            "requests" => {
                let caller = caller(&shared, &form).await?;
                request::one(&shared, &caller, name).await
            }
            "tokens" => {
                let caller = caller(&shared, &form).await?;
                request::token(&shared, &caller, name).await
            }
            _ => Err(Fault::missing("There are services, requests and tokens here.")),
        }
    };
    respond(format, answer.await)
}

/// `requests.{format}`: files a request, as a form.
///
/// `api_key`, `jurisdiction_id`, `service_code`, one of `lat` with `long`, `address_string` and `address_id`; `description`,
/// `phone`, `first_name`, `last_name`, `media_url`, `attribute[type]`, `attribute[requester]`, `attribute[language]`,
/// `attribute[channel]`, `attribute[confidential]`.
#[utoipa::path(
    post,
    path = "/open311/v2/{list}",
    operation_id = "open311_file",
    tag = "open311",
    params(("list" = String, Path, description = "`requests.json` or `requests.xml`.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201, body = Object))
)]
pub async fn file(
    State(shared): State<Arc<Shared>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let Some(("requests", format)) = Format::split(&segment) else { return no_such_path() };
    let answer = async {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Fault::bad("Send a form: Content-Type: application/x-www-form-urlencoded."));
        }
        let body = body.map_err(|_| Fault::bad("The form did not arrive whole, or is too long."))?;
        let form = Form::of_body(&body)?;
        let caller = caller(&shared, &form).await?;
        request::file(&shared, &caller, &form).await
    };
    respond(format, answer.await)
}

fn respond(format: Format, answer: Answer) -> Response {
    match answer {
        Ok((status, root)) => root.respond(format, status),
        Err(fault) => fault.respond(format),
    }
}

/// Without an ending there is no format to answer in: XML, which every client reads.
fn no_such_path() -> Response {
    Fault::missing("The paths here end in .json or .xml.").respond(Format::Xml)
}

/// Who has this key, and may use the interface.
async fn caller(shared: &Shared, form: &Form) -> Result<Caller, Fault> {
    let key = form.text("api_key").ok_or_else(|| Fault::key("An api_key is needed."))?;
    let client = shared.store.client_by_token(key).await.map_err(|error| Fault::internal(&error))?;
    let caller = client.map(|client| client.caller()).filter(|caller| caller.has(Right::Open311));
    caller.ok_or_else(|| Fault::key("This api_key is not let in."))
}
