//! The variable part of a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::{Kind, Problem};

/// A ticket number or an id as the client wrote it, percent-decoded.
pub struct Segment(pub String);

/// So many of them.
pub struct Segments<const N: usize>(pub [String; N]);

impl<const N: usize, S: Send + Sync> FromRequestParts<S> for Segments<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segments<N>, Problem> {
        let Ok(Path(texts)) = Path::<Vec<String>>::from_request_parts(parts, state).await else {
            return Err(no_utf8());
        };
        texts.try_into().map(Segments).map_err(|_| Problem::new(Kind::NotFound, "The path has other parts."))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segment, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Segment(text)),
            Err(_) => Err(no_utf8()),
        }
    }
}

fn no_utf8() -> Problem {
    Problem::new(Kind::NotFound, "The path is not UTF-8 once it is percent-decoded.")
}
