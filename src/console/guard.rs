//! What stands before a handler: the token, a bound on what runs at once, the query's keys, a time limit.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::routes::{Access, Rule};
use super::{ApiToken, Shared};

/// Carries out the rule of one route. The parameters it read are an extension of the request.
pub async fn guard(
    State((shared, rule)): State<(Arc<Shared>, Rule)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if rule.access == Access::Token {
        authorize(request.headers(), &shared.token)?;
    }
    refuse_body(request.headers())?;
    let parameters = Parameters::read(request.uri(), rule.keys)?;
    request.extensions_mut().insert(parameters);
    let _permit = match rule.access {
        // whoever asks whether the service is alive must not be told that it is busy
        Access::Open => None,
        Access::Token => Some(Arc::clone(&shared.requests).try_acquire_owned().map_err(|_| busy())?),
    };
    within(shared.config.request_timeout(), next.run(request)).await
}

async fn within(limit: Duration, answer: impl Future<Output = Response>) -> Result<Response, Problem> {
    let late = |_| Problem::new(Kind::TimedOut, "Ask for less at once, or try again later.");
    tokio::time::timeout(limit, answer).await.map_err(late)
}

/// As much as may run at once is running.
pub fn busy() -> Problem {
    Problem::new(Kind::Busy, "Try again in a second.").header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// RFC 6750 §2.1 and §3.
fn authorize(headers: &HeaderMap, token: &ApiToken) -> Result<(), Problem> {
    let challenge = |value, detail| {
        Problem::new(Kind::Unauthorized, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(value))
    };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let presented = match (given.next(), given.next()) {
        (Some(value), None) => value.to_str().ok().and_then(bearer),
        _ => None,
    };
    match presented {
        None => Err(challenge(
            r#"Bearer realm="hotline""#,
            "Send the header `Authorization: Bearer TOKEN`; the token is in the file api-token of the data folder.",
        )),
        Some(presented) if !token.matches(presented) => Err(challenge(
            r#"Bearer realm="hotline", error="invalid_token""#,
            "This is not the token in the file api-token of the data folder.",
        )),
        Some(_) => Ok(()),
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refuse_body(headers: &HeaderMap) -> Result<(), Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    if announced || headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Problem::new(Kind::BodyNotAccepted, "Everything here is read with GET; leave the body out."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_never_comes_is_a_504() {
        let late = within(Duration::from_millis(1), std::future::pending()).await;
        assert_eq!(late.expect_err("it is late").into_response().status(), 504);
        let in_time = within(Duration::from_secs(60), async { "here".into_response() }).await;
        assert_eq!(in_time.expect("it is in time").status(), 200);
    }
}
