//! What stands before a handler: the token, a bound on what runs at once, the query's keys, a time limit.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::asking::Address;
use super::pages::{self, Visitor};
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::routes::{Access, Rule};
use crate::access::{Caller, Denied};
use crate::store::StoreError;

/// Carries out the rule of one route. The parameters it read and who asks are extensions of the request.
pub async fn guard(
    State((shared, rule)): State<(Arc<Shared>, Rule)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = Address::of(request.extensions(), request.headers(), &shared.config.proxies);
    if let Some(address) = address {
        request.extensions_mut().insert(address);
    }
    if matches!(rule.access, Access::Page(_) | Access::OpenPage) {
        return Ok(page(shared, rule, request, next).await);
    }
    let mut permit = None;
    if let Access::Right(right) = rule.access {
        let caller = authorize(request.headers(), &shared).await?;
        caller.needs(right).map_err(|denied| forbidden(&denied))?;
        request.extensions_mut().insert(Arc::new(caller));
        // only here: whoever asks whether the service is alive must not be told that it is busy
        permit = Some(Arc::clone(&shared.requests).try_acquire_owned().map_err(|_| busy())?);
    }
    if rule.access == Access::Open311 {
        permit = Some(Arc::clone(&shared.requests).try_acquire_owned().map_err(|_| busy())?);
        let answer = within(shared.config.request_timeout(), next.run(request)).await;
        drop(permit);
        return answer;
    }
    if let Err(refusal) = bound_body(request.headers(), rule.body) {
        // a client that is still sending would see a broken connection in place of the answer
        let _ = axum::body::to_bytes(request.into_body(), DRAINED_BYTES).await;
        return Err(refusal);
    }
    let parameters = Parameters::read(request.uri(), rule.keys)?;
    request.extensions_mut().insert(parameters);
    let answer = within(shared.config.request_timeout(), next.run(request)).await;
    drop(permit);
    answer
}

/// As [`guard`], for pages: who has not signed in is led to the door, and problems are shown as pages.
async fn page(shared: Arc<Shared>, rule: Rule, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let answer = match shown_page(shared, rule, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    pages::shown(answer, &headers)
}

async fn shown_page(shared: Arc<Shared>, rule: Rule, mut request: Request, next: Next) -> Result<Response, Problem> {
    if let Access::Page(right) = rule.access {
        let Some((account, visitor)) = visitor(request.headers(), &shared).await? else {
            return match *request.method() {
                Method::GET => pages::see(&pages::to_sign_in(request.uri())),
                _ => Err(Problem::new(Kind::Unauthorized, "Sign in, then send the form again.")),
            };
        };
        account.needs(right).map_err(|denied| forbidden(&denied))?;
        request.extensions_mut().insert(Arc::new(account));
        request.extensions_mut().insert(visitor);
    }
    let permit = Arc::clone(&shared.requests).try_acquire_owned().map_err(|_| busy())?;
    if let Err(refusal) = bound_body(request.headers(), rule.body) {
        let _ = axum::body::to_bytes(request.into_body(), DRAINED_BYTES).await;
        return Err(refusal);
    }
    let parameters = Parameters::of_page(request.uri(), rule.keys)?;
    request.extensions_mut().insert(parameters);
    let answer = within(shared.config.request_timeout(), next.run(request)).await;
    drop(permit);
    answer
}

/// Whose session the cookie is of.
async fn visitor(headers: &HeaderMap, shared: &Shared) -> Result<Option<(Caller, Visitor)>, Problem> {
    let Some(token) = pages::session_cookie(headers) else { return Ok(None) };
    let session = shared.store.session(token, shared.clock.wall()).await;
    let account = session.map_err(|error| Problem::internal("session", &error))?;
    Ok(account.map(|account| (account.caller(), Visitor::new(account, token))))
}

/// So much of a refused body is read and thrown away.
const DRAINED_BYTES: usize = 1024 * 1024;

/// Who asks is known and may not.
pub fn forbidden(denied: &Denied) -> Problem {
    let mut words = denied.to_string();
    words[..1].make_ascii_uppercase();
    Problem::new(Kind::Forbidden, words + ".")
}

async fn within(limit: Duration, answer: impl Future<Output = Response>) -> Result<Response, Problem> {
    let late = |_| Problem::new(Kind::TimedOut, "Ask for less at once, or try again later.");
    tokio::time::timeout(limit, answer).await.map_err(late)
}

/// As much as may run at once is running.
pub fn busy() -> Problem {
    Problem::new(Kind::Busy, "Try again in a second.").header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// Whose token it is: the data folder's, a session's or a client's. Each is found by its hash, at the cost of a row.
async fn authorize(headers: &HeaderMap, shared: &Shared) -> Result<Caller, Problem> {
    let Some(token) = presented(headers) else {
        return Err(challenge(
            r#"Bearer realm="hotline""#,
            "Send the header `Authorization: Bearer TOKEN`; POST /api/v1/session gives a token for a name and a password.",
        ));
    };
    if shared.token.matches(token) {
        return Ok(Caller::operator());
    }
    let failed = |error: StoreError| Problem::internal("token", &error);
    if let Some(account) = shared.store.session(token, shared.clock.wall()).await.map_err(failed)? {
        return Ok(account.caller());
    }
    if let Some(client) = shared.store.client_by_token(token).await.map_err(failed)? {
        return Ok(client.caller());
    }
    Err(challenge(
        r#"Bearer realm="hotline", error="invalid_token""#,
        "This is no token, or it is not good any more: sign in anew.",
    ))
}

/// RFC 6750 §3.
pub fn challenge(header: &'static str, detail: &'static str) -> Problem {
    Problem::new(Kind::Unauthorized, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(header))
}

/// The token that is sent (RFC 6750 §2.1).
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (Some(value), None) => value.to_str().ok().and_then(bearer),
        _ => None,
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A body's announced length; what comes without one is bounded where it is read.
fn bound_body(headers: &HeaderMap, most: Option<usize>) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH);
    let Some(most) = most else {
        let announced = length.is_some_and(|length| length.as_bytes() != b"0");
        if announced || headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(Problem::new(Kind::BodyNotAccepted, "Nothing is sent here; leave the body out."));
        }
        return Ok(());
    };
    let length = length.and_then(|length| length.to_str().ok()).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) { Err(too_large(most)) } else { Ok(()) }
}

pub fn too_large(most: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("A body here has at most {most} bytes."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_never_comes_is_a_504() {
        let late = within(Duration::from_millis(1), std::future::pending()).await;
        assert_eq!(late.expect_err("it is late").into_response().status(), 504);
        let in_time = within(Duration::from_secs(60), async { "here".into_response() }).await;
        assert_eq!(in_time.expect("it is in time").status(), 200);
    }
}
