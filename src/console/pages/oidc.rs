//! `/sign-in/oidc`: to the provider and back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::sign_in::enter;
use super::{cookie, open, read, see};
use crate::console::Shared;
use crate::console::asking::Address;
use crate::console::oidc::{self, Config, Errand, OidcError};
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::console::routes::Route;

pub fn routes() -> Vec<Route> {
    vec![
        read("/sign-in/oidc", open(&[], None), get(leave)),
        // what the provider says beside the code is of no use here, and is not refused
        read("/sign-in/oidc/back", open(ANSWER, None), get(come_back)),
    ]
}

const ANSWER: &[&str] = &["code", "state", "error", "error_description", "error_uri", "iss", "session_state"];

fn config(shared: &Shared) -> Result<&Config, Problem> {
    shared.oidc.as_ref().ok_or_else(|| Problem::new(Kind::NotFound, "No provider is configured."))
}

/// Where the provider sends people back to.
fn back(shared: &Shared, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if shared.config.tls_certificate.is_some() { "https" } else { "http" };
    let base = shared.config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{host}"));
    format!("{}/sign-in/oidc/back", base.trim_end_matches('/'))
}

async fn leave(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (config, back) = (config(&shared)?.clone(), back(&shared, &headers));
    let random = || URL_SAFE_NO_PAD.encode(shared.secrets.token());
    let errand = Errand { state: random(), nonce: random(), verifier: random() };
    let cookie = cookie::keep_errand(&errand.written());
    let url = match apart(move || oidc::leave(&config, &back, &errand)).await? {
        Ok(url) => url,
        Err(error) => return away(&error),
    };
    let mut response = see(&url)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn come_back(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Extension(Address(address)): Extension<Address>,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let (config, back) = (config(&shared)?.clone(), back(&shared, &headers));
    let refused = || see("/sign-in?refused=1");
    let errand = cookie::errand(&headers).and_then(Errand::read);
    let (Some(errand), Some(state), Some(code)) = (errand, query.text("state"), query.text("code")) else {
        return refused();
    };
    if errand.state != state {
        return refused();
    }
    let (code, trusted) = (code.to_owned(), config.has_second_factor);
    let name = match apart(move || oidc::come_back(&config, &back, &errand, &code)).await? {
        Ok(name) => name,
        Err(error @ OidcError::Provider(_)) => return away(&error),
        Err(error) => {
            tracing::warn!(%error, "somebody who came from the provider is not signed in");
            return refused();
        }
    };
    let (now, secret) = (shared.clock.wall(), shared.secrets.token());
    let signed_in = shared.store.sign_in_as(&name, trusted, address, now, secret).await;
    match signed_in.map_err(|error| Problem::internal("sign in", &error))? {
        None => refused(),
        Some(signed_in) => {
            let mut response = enter(&signed_in, "/")?;
            response.headers_mut().append(header::SET_COOKIE, cookie::forget_errand());
            Ok(response)
        }
    }
}

/// The provider does not answer: the password does not need it.
fn away(error: &OidcError) -> Result<Response, Problem> {
    tracing::warn!(%error, "nobody is signed in by the provider");
    see("/sign-in?away=1")
}

/// The provider is asked on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal("OpenID Connect", &error))
}
