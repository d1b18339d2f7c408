//! The variable part of a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::{Kind, Problem};

/// A ticket number or an id as the client wrote it, percent-decoded.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segment, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Segment(text)),
            Err(_) => Err(Problem::new(Kind::NotFound, "The path is not UTF-8 once it is percent-decoded.")),
        }
    }
}
