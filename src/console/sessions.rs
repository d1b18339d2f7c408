//! `/api/v1/session` and `/api/v1/me`: signing in and out, and one's own account.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::accounts::{AccountOut, failed, password};
use super::asking::{Address, Asking};
use super::body::Body;
use super::guard::{challenge, presented};
use super::problem::{Kind, Problem};
use crate::access::Right;
use crate::city::City;
use crate::store::{Account, AccountName, By, SignInError, Stage};
use crate::ticket::Actor;

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    account: String,
    password: String,
    /// Six digits that the account's telephone shows, if it has a second factor.
    #[serde(default)]
    code: Option<String>,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub struct SessionOut {
    /// To be sent as `Authorization: Bearer TOKEN`.
    token: String,
    /// However busy the session is, it is over then; one that nobody uses is over sooner.
    expires_at: DateTime<Utc>,
    account: AccountOut,
}

/// Signs in.
///
/// After some wrong passwords of one account, or from one address, 429 says in `Retry-After` when the next try is taken.
/// An account with a second factor needs its `code` too, each taken once. A role that needs one and has none is refused
/// (403): it is set up where people sign in, at `/sign-in`.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "sign_in",
    tag = "access",
    request_body = Credentials,
    responses((status = 201, body = SessionOut))
)]
pub async fn sign_in(
    State(shared): State<Arc<Shared>>,
    Extension(Address(address)): Extension<Address>,
    Body(Credentials { account, password, code }): Body<Credentials>,
) -> Result<(StatusCode, Json<SessionOut>), Problem> {
    let (now, secret) = (shared.clock.wall(), shared.secrets.token());
    let signed_in = shared.store.sign_in(&account, &password, address, now, secret).await;
    let mut signed_in = signed_in.map_err(|error| refused(&error))?;
    match signed_in.stage {
        Stage::Whole => {}
        Stage::Setup => {
            let detail = "This role needs a second factor: sign in at /sign-in in a browser, where it is set up.";
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        Stage::Code => {
            let code =
                code.ok_or_else(|| challenge(BEARER, "This account needs the `code` that its telephone shows."))?;
            let (half, secret) = (signed_in.token.reveal(), shared.secrets.token());
            let proven = shared.store.prove_code(half, &code, address, now, secret).await;
            signed_in = proven.map_err(|error| match error {
                SignInError::Wrong => challenge(BEARER, "The code is wrong, or has been taken before."),
                error => refused(&error),
            })?;
        }
    }
    let token = signed_in.token.reveal().to_owned();
    let (expires_at, account) = (signed_in.expires_at, AccountOut::from(signed_in.account));
    Ok((StatusCode::CREATED, Json(SessionOut { token, expires_at, account })))
}

const BEARER: &str = r#"Bearer realm="hotline""#;

fn refused(error: &SignInError) -> Problem {
    match error {
        SignInError::Wrong => challenge(BEARER, "The account or the password is wrong."),
        SignInError::Throttled { wait_s } => {
            let detail = format!("There were too many wrong tries. The next is taken in {wait_s} s.");
            Problem::new(Kind::TooManyTries, detail).header(header::RETRY_AFTER, HeaderValue::from(*wait_s))
        }
        SignInError::Store(error) => Problem::internal("sign in", error),
    }
}

/// Ends the session of the token that is sent.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "sign_out",
    tag = "access",
    responses((status = 204))
)]
pub async fn sign_out(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let token = presented(&headers).unwrap_or_default();
    let ended = shared.store.sign_out(token, &asking.by(), shared.clock.wall()).await;
    if ended.map_err(|error| Problem::internal("sign out", &error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_account())
    }
}

/// Ends all sessions of one's own account.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    operation_id = "end_own_sessions",
    tag = "access",
    responses((status = 204))
)]
pub async fn end_all(State(shared): State<Arc<Shared>>, asking: Asking) -> Result<StatusCode, Problem> {
    let (name, by) = own(&asking)?;
    shared.store.end_sessions(&name, None, &by, shared.clock.wall()).await.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks, and what they may do.
#[derive(Serialize, ToSchema)]
pub struct Me {
    actor: Actor,
    name: String,
    rights: Vec<Right>,
    /// Whose tickets are seen.
    cities: Vec<City>,
    /// The account; null for the operator's token.
    account: Option<AccountOut>,
}

/// Says whose token this is and what it is good for.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "read_me", tag = "access", responses((status = 200, body = Me)))]
pub async fn me(State(shared): State<Arc<Shared>>, asking: Asking) -> Result<Json<Me>, Problem> {
    let account: Option<Account> = match own(&asking) {
        Ok((name, _)) => shared.store.account(&name).await.map_err(|error| Problem::internal("account", &error))?,
        Err(_) => None,
    };
    let caller = &asking.caller;
    Ok(Json(Me {
        actor: caller.actor,
        name: caller.name.clone(),
        rights: caller.rights.iter().copied().collect(),
        cities: caller.cities.list(),
        account: account.map(AccountOut::from),
    }))
}

/// A password and the one that takes its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordIn {
    current: String,
    /// 10 to 128 characters.
    new: String,
}

/// Sets one's own password.
///
/// All sessions of the account end, this one too. A wrong current password counts as one at signing in does.
#[utoipa::path(
    put,
    path = "/api/v1/me/password",
    operation_id = "change_own_password",
    tag = "access",
    request_body = PasswordIn,
    responses((status = 204))
)]
pub async fn change_password(
    State(shared): State<Arc<Shared>>,
    Extension(Address(address)): Extension<Address>,
    asking: Asking,
    Body(PasswordIn { current, new }): Body<PasswordIn>,
) -> Result<StatusCode, Problem> {
    let (name, by) = own(&asking)?;
    let new = password(&new, &name, "new")?;
    let now = shared.clock.wall();
    let proven = shared.store.check_password(&name, &current, address, now).await;
    proven.map_err(|error| match error {
        // not a 401: the token is right, and a browser shall not throw it away
        SignInError::Wrong => Problem::new(Kind::Forbidden, "The current password is wrong.").parameter("current"),
        error => refused(&error),
    })?;
    let set = shared.store.set_password(&name, &new, shared.secrets.salt(), &by, now).await;
    set.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The account that asks.
fn own(asking: &Asking) -> Result<(AccountName, By), Problem> {
    let is_account = matches!(asking.caller.actor, Actor::Account(_));
    let name = asking.caller.name.parse().ok().filter(|_| is_account).ok_or_else(no_account)?;
    Ok((name, asking.by()))
}

fn no_account() -> Problem {
    Problem::new(Kind::Conflict, "This token is not of a session: there is no account to change.")
}
