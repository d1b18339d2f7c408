//! Errors as RFC 9457 problem documents: one for every answer that is not the thing asked for.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::health::{Part, Parts};

/// What went wrong, as far as a program has to tell apart. The slug is the name of the response in the OpenAPI
/// document, so that a problem's `type` leads to its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    BadQuery,
    BadBody,
    Unauthorized,
    Forbidden,
    NotFound,
    NoSuchPath,
    MethodNotAllowed,
    RecordingOpen,
    /// It was there and is no longer.
    Gone,
    /// Somebody else changed it first.
    Changed,
    /// What is there already stands in the way.
    Conflict,
    /// A rule of the hotline forbids it.
    Refused,
    BodyNotAccepted,
    BodyTooLarge,
    MediaType,
    TooManyTries,
    RangeNotSatisfiable,
    Internal,
    Busy,
    NotReady,
    /// Days of a report have changed and are being counted.
    NotCounted,
    TimedOut,
}

impl Kind {
    pub const ALL: [Kind; 22] = [
        Kind::BadQuery,
        Kind::BadBody,
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::NoSuchPath,
        Kind::MethodNotAllowed,
        Kind::RecordingOpen,
        Kind::Gone,
        Kind::Changed,
        Kind::Conflict,
        Kind::Refused,
        Kind::BodyNotAccepted,
        Kind::BodyTooLarge,
        Kind::MediaType,
        Kind::TooManyTries,
        Kind::RangeNotSatisfiable,
        Kind::Internal,
        Kind::Busy,
        Kind::NotReady,
        Kind::NotCounted,
        Kind::TimedOut,
    ];

    pub const fn status(self) -> StatusCode {
        match self {
            Kind::BadQuery | Kind::BadBody => StatusCode::BAD_REQUEST,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::NotFound | Kind::NoSuchPath => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::RecordingOpen | Kind::Changed | Kind::Conflict => StatusCode::CONFLICT,
            Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Gone => StatusCode::GONE,
            Kind::BodyNotAccepted | Kind::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            Kind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Busy | Kind::NotReady | Kind::NotCounted => StatusCode::SERVICE_UNAVAILABLE,
            Kind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub const fn slug(self) -> &'static str {
        match self {
            Kind::BadQuery => "bad_query",
            Kind::Unauthorized => "unauthorized",
            Kind::NotFound => "not_found",
            Kind::NoSuchPath => "no_such_path",
            Kind::MethodNotAllowed => "method_not_allowed",
            Kind::RecordingOpen => "recording_open",
            Kind::Gone => "gone",
            Kind::BodyNotAccepted => "body_not_accepted",
            Kind::TooManyTries => "too_many_tries",
            Kind::MediaType => "media_type",
            Kind::BodyTooLarge => "body_too_large",
            Kind::Refused => "refused",
            Kind::Conflict => "conflict",
            Kind::Changed => "changed",
            Kind::Forbidden => "forbidden",
            Kind::BadBody => "bad_body",
            Kind::RangeNotSatisfiable => "range_not_satisfiable",
            Kind::Internal => "internal",
            Kind::Busy => "busy",
            Kind::NotReady => "not_ready",
            Kind::NotCounted => "not_counted",
            Kind::TimedOut => "timed_out",
        }
    }

    /// The same words every time, as RFC 9457 §3.1.3 asks.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::BadQuery => "A query parameter can't be used",
            Kind::Unauthorized => "The token is missing or wrong",
            Kind::NotFound => "There is no such thing",
            Kind::NoSuchPath => "There is nothing at this path",
            Kind::MethodNotAllowed => "The method is not allowed here",
            Kind::Gone => "It is deleted",
            Kind::RecordingOpen => "The recording is still being written",
            Kind::BodyNotAccepted => "Requests carry no body here",
            Kind::TooManyTries => "Too many tries",
            Kind::MediaType => "The request's body is of another media type",
            Kind::BodyTooLarge => "The request's body is too large",
            Kind::Refused => "A rule of the hotline forbids it",
            Kind::Conflict => "What is there already stands in the way",
            Kind::Changed => "It has changed since it was read",
            Kind::Forbidden => "This is not allowed",
            Kind::BadBody => "The request's body can't be used",
            Kind::RangeNotSatisfiable => "The range lies outside the recording",
            Kind::Internal => "The service failed",
            Kind::Busy => "Too many requests at once",
            Kind::NotReady => "A part of the service can't work",
            Kind::NotCounted => "Figures are still being counted",
            Kind::TimedOut => "The answer took too long",
        }
    }

    /// `type`: a reference into the OpenAPI document.
    pub fn reference(self) -> String {
        format!("/api/openapi.json#/components/responses/{}", self.slug())
    }
}

/// An error on its way to the client.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    parameter: Option<String>,
    parts: Option<Parts>,
    state: Option<Box<State>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What stands in the way, and the thing as it is.
#[derive(Debug, Default)]
struct State {
    refused: Option<&'static str>,
    current: Option<serde_json::Value>,
}

impl Problem {
    /// `detail`: one or two plain sentences that say what to do. Never a phone number or a secret.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), parameter: None, parts: None, state: None, headers: Vec::new() }
    }

    /// The query parameter to blame.
    pub fn parameter(mut self, name: impl Into<String>) -> Problem {
        self.parameter = Some(name.into());
        self
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of the rule that stands against it.
    pub fn rule(&self) -> Option<&'static str> {
        self.state.as_ref()?.refused
    }

    /// The query parameter, or the field of a form, that is to blame.
    pub fn parameter_name(&self) -> Option<&str> {
        self.parameter.as_deref()
    }

    pub fn parts(mut self, parts: Parts) -> Problem {
        self.parts = Some(parts);
        self
    }

    /// The rule's name, for programs.
    pub fn refused(mut self, rule: &'static str) -> Problem {
        self.state.get_or_insert_default().refused = Some(rule);
        self
    }

    /// The thing as it is now.
    pub fn current(mut self, current: &impl Serialize) -> Problem {
        self.state.get_or_insert_default().current = serde_json::to_value(current).ok();
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// A failure inside. What failed goes to the log, once; the client learns that it was not its fault.
    pub fn internal(what: &'static str, error: &dyn std::error::Error) -> Problem {
        tracing::error!(what, error = %error, "a request failed");
        Problem::new(Kind::Internal, "The service could not answer. The log has the reason; X-Request-Id finds it.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let state = self.state.map(|state| *state).unwrap_or_default();
        let document = ProblemDocument {
            kind: self.kind.reference(),
            title: self.kind.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            parameter: self.parameter,
            parts: self.parts,
            refused: state.refused,
            current: state.current,
        };
        let told = Told { kind: self.kind, detail: document.detail.clone(), refused: document.refused };
        let mut response = (status, Json(document)).into_response();
        response.extensions_mut().insert(told);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// What a page tells of a problem; goes with the response.
#[derive(Clone, Debug)]
pub struct Told {
    pub kind: Kind,
    pub detail: String,
    /// The name of the rule that forbids it.
    pub refused: Option<&'static str>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// The kind of the problem: a reference to its description in this document.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: String,
    /// The kind in words, always the same.
    title: String,
    /// The HTTP status once more.
    status: u16,
    /// What happened this time and what to do.
    detail: String,
    /// The query parameter, or the member of the body, to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Only with `not_ready`: the state of every part.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<BTreeMap<String, Part>>,
    /// With `refused` and some of `conflict`: the name of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    /// With `changed` and `refused`: the thing as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_share_a_slug_or_a_title() {
        let slugs: BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::slug).collect();
        let titles: BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::title).collect();
        assert_eq!((slugs.len(), titles.len()), (Kind::ALL.len(), Kind::ALL.len()));
    }
}
