//! The pages of the console: HTML made here, small modules of script for what must move, one design.
//!
//! An area of pages is a folder with its `routes()`. A handler takes a [`Frame`], asks the same functions as the API's
//! handler beside it, and gives a [`Problem`] when something stands in the way: the guard makes a page of it.

mod account;
mod admin;
mod assets;
mod board;
mod cookie;
mod frame;
mod home;
mod listening;
mod oidc;
mod quality;
mod reports;
mod second_factor;
mod sent;
mod sign_in;
mod text;
mod tickets;
mod trouble;

use std::sync::Arc;

use askama::Template;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::Shared;
use super::problem::{Kind, Problem};
use super::routes::{Access, Route, Rule};
use crate::access::Right;

pub use cookie::session as session_cookie;
pub use frame::{Frame, Visitor};
pub use sent::{Fields, Sent, Uploaded};
pub use trouble::{shown, to_sign_in};

/// Of a form: text that people type.
const FORM_BYTES: usize = 64 * 1024;

/// Nothing but what this server has; no script and no style inside a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page for who has this right; `keys` are the query's.
pub const fn page(right: Right, keys: &'static [&'static str]) -> Rule {
    Rule { access: Access::Page(right), keys, body: None, problems: &[] }
}

/// Something is changed by a form.
pub const fn form(right: Right) -> Rule {
    Rule { access: Access::Page(right), keys: &[], body: Some(FORM_BYTES), problems: &[] }
}

/// As [`form`], with a file.
pub const fn upload(right: Right, bytes: usize) -> Rule {
    Rule { body: Some(bytes), ..form(right) }
}

/// A page, or a form that changes something, for everybody.
const fn open(keys: &'static [&'static str], body: Option<usize>) -> Rule {
    Rule { access: Access::OpenPage, keys, body, problems: &[] }
}

/// A page at a path.
pub const fn read(path: &'static str, rule: Rule, handler: MethodRouter<Arc<Shared>>) -> Route {
    Route { method: Method::GET, path, rule, handler }
}

/// What a form is sent to.
pub const fn send(path: &'static str, rule: Rule, handler: MethodRouter<Arc<Shared>>) -> Route {
    Route { method: Method::POST, path, rule, handler }
}

/// Every page, and what forms are sent to.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        read("/", open(&[], None), get(home::page)),
        read("/assets/{hash}/{name}", open(&[], None), get(assets::serve)),
        send("/preferences", open(&[], Some(FORM_BYTES)), post(home::prefer)),
    ];
    routes.extend(sign_in::routes());
    routes.extend(oidc::routes());
    routes.extend(account::routes());
    routes.extend(reports::routes());
    routes.extend(board::routes());
    routes.extend(admin::routes());
    routes.extend(second_factor::routes());
    routes.extend(tickets::routes());
    routes.extend(listening::routes());
    routes.extend(quality::routes());
    routes
}

/// The page.
///
/// # Errors
/// The template fails, which is a fault of ours.
pub fn render(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| Problem::internal("page", &error))?;
    Ok(as_page(Html(html).into_response()))
}

/// With the policy of pages.
fn as_page(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// To another page of ours (303): what was sent is not sent again when that page is loaded anew.
pub fn see(to: &str) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(to)
        .map_err(|_| Problem::new(Kind::BadBody, "The address to go on to can't be written in a header."))?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// As [`see`]; the page says `t("done.WHAT")` once.
pub fn done(to: &str, what: &str) -> Result<Response, Problem> {
    let (to, fragment) = to.split_once('#').map_or((to, String::new()), |(to, part)| (to, format!("#{part}")));
    let separator = if to.contains('?') { '&' } else { '?' };
    see(&format!("{to}{separator}done={what}{fragment}"))
}
