//! `/account`: who somebody is here, their password and their sessions.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Frame;
use super::sent::{Fields, Sent};
use super::{cookie, form, page, read, render, see, send};
use crate::access::Right;
use crate::console::Shared;
use crate::console::accounts::failed;
use crate::console::asking::Address;
use crate::console::problem::Problem;
use crate::console::routes::Route;
use crate::store::{Password, Session, SignInError};

pub fn routes() -> Vec<Route> {
    vec![
        read("/account", page(Right::Own, &["done"]), get(show)),
        send("/account/password", form(Right::Own), post(change_password)),
        send("/account/sessions/end", form(Right::Own), post(end_sessions)),
    ]
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    sessions: Vec<Session>,
    /// A key of what is wrong with the passwords.
    wrong: Option<&'static str>,
}

async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    account(&shared, frame, None).await
}

async fn account(shared: &Shared, frame: Frame, wrong: Option<&'static str>) -> Result<Response, Problem> {
    let sessions = shared.store.sessions(frame.visitor.account.id, shared.clock.wall()).await;
    let sessions = sessions.map_err(|error| Problem::internal("sessions", &error))?;
    render(&AccountPage { frame, sessions, wrong })
}

async fn change_password(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(Address(address)): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let name = &frame.visitor.account.name;
    let now = shared.clock.wall();
    let raw = |fields: &Fields, key| fields.raw(key).unwrap_or_default().to_owned();
    let (current, new) = (raw(&fields, "current"), raw(&fields, "new"));
    if new != raw(&fields, "again") {
        return account(&shared, frame, Some("account.differ")).await;
    }
    let Ok(new) = Password::new(&new, name) else { return account(&shared, frame, Some("account.weak")).await };
    match shared.store.check_password(name, &current, address, now).await {
        Ok(_) => {}
        Err(SignInError::Wrong) => return account(&shared, frame, Some("account.wrong")).await,
        Err(SignInError::Throttled { .. }) => return account(&shared, frame, Some("account.throttled")).await,
        Err(SignInError::Store(error)) => return Err(Problem::internal("password", &error)),
    }
    let set = shared.store.set_password(name, &new, shared.secrets.salt(), &frame.asking.by(), now).await;
    set.map_err(|error| failed(&error))?;
    to_the_door("password")
}

async fn end_sessions(State(shared): State<Arc<Shared>>, frame: Frame, Sent(_): Sent) -> Result<Response, Problem> {
    let (name, now) = (&frame.visitor.account.name, shared.clock.wall());
    let ended = shared.store.end_sessions(name, None, &frame.asking.by(), now).await;
    ended.map_err(|error| failed(&error))?;
    to_the_door("signed_out")
}

fn to_the_door(done: &str) -> Result<Response, Problem> {
    let mut response = see(&format!("/sign-in?done={done}"))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie::forget_session());
    Ok(response)
}
