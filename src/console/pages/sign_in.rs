//! Signing in and out in a browser.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::{Doorway, Frame};
use super::home::local;
use super::sent::Sent;
use super::{cookie, form, open, read, render, see, send};
use crate::access::Right;
use crate::console::Shared;
use crate::console::asking::Address;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::routes::{CREDENTIAL_BYTES, Route};
use crate::store::{SignInError, SignedIn, Stage};

/// `next`: where to go on; `check`: the cookie has just been given.
const KEYS: &[&str] = &["next", "check", "refused", "away"];

pub fn routes() -> Vec<Route> {
    vec![
        read("/sign-in", open(KEYS, None), get(page)),
        send("/sign-in", open(&[], Some(CREDENTIAL_BYTES)), post(sign_in)),
        send("/sign-out", form(Right::Own), post(sign_out)),
    ]
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Doorway,
    next: String,
    account: String,
    /// A key of what went wrong.
    wrong: Option<&'static str>,
    wait_min: u32,
    done: bool,
    /// What the button to the provider says.
    provider: Option<String>,
}

async fn page(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    headers: HeaderMap,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let next = local(query.text("next").unwrap_or("/")).to_owned();
    let checking = query.text("check").is_some();
    let failed = |error| Problem::internal("session", &error);
    if let Some(token) = cookie::session(&headers) {
        let session = shared.store.session(token, shared.clock.wall()).await.map_err(failed)?;
        if session.is_some() {
            return see(&next);
        }
    }
    let refused = query.text("refused").map(|_| "sign_in.refused");
    let away = query.text("away").map(|_| "sign_in.away");
    let wrong = checking.then_some("sign_in.no_cookie").or(refused).or(away);
    let (provider, done) = (provider(&shared), query.text("done").is_some());
    render(&SignIn { frame, next, account: String::new(), wrong, wait_min: 0, done, provider })
}

async fn sign_in(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    Extension(Address(address)): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let next = local(fields.text("next").unwrap_or("/"));
    let (account, password) = (fields.text("account").unwrap_or_default(), fields.raw("password").unwrap_or_default());
    let (now, secret) = (shared.clock.wall(), shared.secrets.token());
    let (wrong, wait_s) = match shared.store.sign_in(account, password, address, now, secret).await {
        Ok(signed_in) => return enter(&signed_in, next),
        Err(SignInError::Wrong) => ("sign_in.wrong", 0),
        Err(SignInError::Throttled { wait_s }) => ("sign_in.throttled", wait_s),
        Err(SignInError::Store(error)) => return Err(Problem::internal("sign in", &error)),
    };
    let page = SignIn {
        frame,
        next: next.to_owned(),
        account: account.chars().take(64).collect(),
        wrong: Some(wrong),
        wait_min: wait_s.div_ceil(60),
        done: false,
        provider: provider(&shared),
    };
    let mut response = render(&page)?;
    *response.status_mut() = if wait_s > 0 { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
    Ok(response)
}

fn provider(shared: &Shared) -> Option<String> {
    shared.oidc.as_ref().map(|oidc| oidc.label.clone())
}

/// The browser is given the session, and led to what is still to come; there it is seen whether it has kept the cookie.
pub fn enter(signed_in: &SignedIn, next: &str) -> Result<Response, Problem> {
    let path = match signed_in.stage {
        Stage::Whole => "/sign-in",
        Stage::Code => "/sign-in/code",
        Stage::Setup => "/sign-in/set-up",
    };
    let on = serde_urlencoded::to_string([("check", "1"), ("next", next)]).unwrap_or_default();
    let mut response = see(&format!("{path}?{on}"))?;
    let cookie = cookie::keep_session(signed_in.token.reveal());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn sign_out(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    headers: HeaderMap,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    let token = cookie::session(&headers).unwrap_or_default();
    let ended = shared.store.sign_out(token, &frame.asking.by(), shared.clock.wall()).await;
    ended.map_err(|error| Problem::internal("sign out", &error))?;
    let mut response = see("/sign-in?done=signed_out")?;
    response.headers_mut().insert(header::SET_COOKIE, cookie::forget_session());
    Ok(response)
}
