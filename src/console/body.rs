//! A request's body: JSON of a known shape, and an error that names the member to mend.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};

/// The document a client sent. The route's rule bounds its length.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = media_type.is_some_and(|value| {
            value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        });
        if !is_json {
            return Err(Problem::new(Kind::MediaType, "Send the header `Content-Type: application/json`."));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        read(&bytes).map(Body)
    }
}

/// A document that was made of a form.
pub fn of_value<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, Problem> {
    read(value.to_string().as_bytes())
}

/// The body did not arrive whole, or is longer than the route takes.
fn unread(rejection: axum::extract::rejection::BytesRejection) -> Problem {
    use axum::response::IntoResponse;
    match rejection.into_response().status().as_u16() {
        413 => Problem::new(Kind::BodyTooLarge, "The body is longer than this path takes."),
        _ => Problem::new(Kind::BadBody, "The body did not arrive whole."),
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let mut path = error.path().to_string();
        if error.inner().to_string().starts_with("unknown field") {
            // the client's own name ends the path, and may be anything
            path.truncate(path.rfind('.').unwrap_or(0));
        }
        let problem = Problem::new(Kind::BadBody, said(error.inner()));
        if path.is_empty() || path == "." { problem } else { problem.parameter(path) }
    })?;
    json.end().map_err(|_| Problem::new(Kind::BadBody, "There is more behind the JSON document."))?;
    Ok(value)
}

/// What is wrong, without what was sent: it may be a phone number or a password.
fn said(error: &serde_json::Error) -> String {
    if error.is_data() {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        // "invalid type: string \"…\", expected a number": the quoted part came from the client
        return match (words.split_once(": "), words.rsplit_once(", expected ")) {
            (Some((kind, _)), Some((_, expected))) if kind.starts_with("invalid") => {
                format!("{kind}: expected {expected}.")
            }
            _ if words.starts_with("unknown field") || words.starts_with("unknown variant") => {
                let known = words.split_once("expected ").map_or("", |(_, known)| known);
                format!("There is a name that is not known here; expected {known}.")
            }
            _ => format!("{words}."),
        };
    }
    format!("The body is not JSON: line {}, column {}.", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are of interest")]
    struct Sent {
        count: u32,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors are of interest")]
    struct Inner {
        day: chrono::NaiveDate,
    }

    #[test]
    fn an_error_names_the_member_and_never_repeats_what_was_sent() {
        let mut found = String::new();
        for text in [
            "",
            "{",
            r#"{"count": "13812345678"}"#,
            r#"{"count": -1}"#,
            r#"{"inner": null}"#,
            r#"{"count": 1, "13812345678": 1}"#,
            r#"{"count": 1, "inner": {"day": "13812345678"}}"#,
            r#"{"count": 1} {"count": 2}"#,
            "[]",
        ] {
            let problem = read::<Sent>(text.as_bytes()).expect_err("it is refused");
            found.push_str(&format!("{text}\n    {problem:?}\n"));
            assert!(!format!("{problem:?}").contains("138"), "{problem:?}");
        }
        assert!(read::<Sent>(br#"{"count": 1}"#).is_ok());
        insta::assert_snapshot!(found);
    }
}
