//! Errors as GeoReport v2 has them: `[{code, description}]` with the same HTTP status.

use axum::http::StatusCode;
use axum::response::Response;

use super::document::{Element, Format, Root};

/// Why a request is not answered; the format is that of the request.
#[derive(Debug)]
pub struct Fault {
    pub status: StatusCode,
    pub description: String,
}

impl Fault {
    /// Something is missing or wrong.
    pub fn bad(description: impl Into<String>) -> Fault {
        Fault { status: StatusCode::BAD_REQUEST, description: description.into() }
    }

    /// No api_key, or one that is not let in.
    pub fn key(description: impl Into<String>) -> Fault {
        Fault { status: StatusCode::FORBIDDEN, description: description.into() }
    }

    /// There is no such service or request.
    pub fn missing(description: impl Into<String>) -> Fault {
        Fault { status: StatusCode::NOT_FOUND, description: description.into() }
    }

    /// What failed goes to the log, once.
    pub fn internal(error: &dyn std::error::Error) -> Fault {
        tracing::error!(error = %error, "an Open311 request failed");
        let description = "The service could not answer.".to_owned();
        Fault { status: StatusCode::INTERNAL_SERVER_ERROR, description }
    }

    pub fn respond(self, format: Format) -> Response {
        let error =
            Element::default().text("code", self.status.as_u16().to_string()).text("description", self.description);
        Root::List { list: "errors", item: "error", items: vec![error] }.respond(format, self.status)
    }
}
