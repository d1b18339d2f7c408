//! `/api/v1/accounts`: who can sign in.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::body::Body;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::segment::Segment;
use crate::access::Role;
use crate::city::City;
use crate::store::{Account, AccountError, AccountName, BadProfile, NewAccount, Password, Profile};
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{AccountId, Line};

/// Somebody who can sign in while the account is active.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountOut {
    #[schema(value_type = String, format = "uuid")]
    id: AccountId,
    #[schema(value_type = String)]
    name: AccountName,
    display_name: String,
    role: Role,
    /// Of role `unit` only.
    #[schema(value_type = Option<String>)]
    unit: Option<UnitCode>,
    /// The cities whose tickets the account sees.
    cities: Vec<City>,
    /// Sees confidential requesters and those of reports (举报).
    named: bool,
    active: bool,
    created_at: DateTime<Utc>,
    /// When the password was last set.
    password_at: DateTime<Utc>,
    /// A code is asked for beside the password.
    second_factor: bool,
}

impl From<Account> for AccountOut {
    fn from(account: Account) -> AccountOut {
        let Account { id, name, profile, active, created_at, password_at, second_factor } = account;
        AccountOut {
            id,
            name,
            display_name: profile.display_name().to_string(),
            role: profile.role(),
            unit: profile.unit().cloned(),
            cities: profile.cities().iter().copied().collect(),
            named: profile.named(),
            active,
            created_at,
            password_at,
            second_factor,
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccount)]
pub struct NewAccountIn {
    /// 2 to 40 of a-z, 0-9, `.`, `_` and `-`.
    #[schema(value_type = String)]
    name: AccountName,
    #[schema(value_type = String)]
    display_name: Line,
    role: Role,
    /// For role `unit`, and only there.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    unit: Option<UnitCode>,
    /// At least one; may be left out for role `unit`, whose city is taken.
    #[serde(default)]
    cities: BTreeSet<City>,
    #[serde(default)]
    named: bool,
    /// 10 to 128 characters.
    password: String,
}

/// All of an account that can be changed, as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountChange)]
pub struct AccountIn {
    #[schema(value_type = String)]
    display_name: Line,
    role: Role,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    unit: Option<UnitCode>,
    #[serde(default)]
    cities: BTreeSet<City>,
    named: bool,
    /// False: nobody signs in with it.
    active: bool,
    /// A new one, if it is to be changed.
    #[serde(default)]
    password: Option<String>,
}

/// All accounts, by name, on one page.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    operation_id = "list_accounts",
    tag = "access",
    responses((status = 200, body = Page<AccountOut>))
)]
pub async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Page<AccountOut>>, Problem> {
    let accounts = shared.store.accounts().await.map_err(|error| Problem::internal("accounts", &error))?;
    Ok(Json(Page { items: accounts.into_iter().map(AccountOut::from).collect(), next: None }))
}

/// Makes an account.
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    operation_id = "add_account",
    tag = "access",
    request_body = NewAccountIn,
    responses((status = 201, body = AccountOut))
)]
pub async fn add(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(sent): Body<NewAccountIn>,
) -> Result<(StatusCode, Json<AccountOut>), Problem> {
    let now = shared.clock.wall();
    let password = password(&sent.password, &sent.name, "password")?;
    let profile = Profile::new(sent.display_name, sent.role, sent.unit, sent.cities, sent.named);
    let id = AccountId::new(now, shared.request_ids.random());
    let new = NewAccount { id, name: sent.name, profile: profile.map_err(unfit)? };
    let added = shared.store.add_account(&new, &password, shared.secrets.salt(), &asking.by(), now).await;
    Ok((StatusCode::CREATED, Json(added.map_err(|error| failed(&error))?.into())))
}

/// Changes an account.
///
/// Another role, a new password and an end of being active end its sessions.
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{name}",
    operation_id = "change_account",
    tag = "access",
    params(("name" = String, Path, description = "The name of the account.")),
    request_body = AccountIn,
    responses((status = 200, body = AccountOut))
)]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(name): Segment,
    Body(sent): Body<AccountIn>,
) -> Result<Json<AccountOut>, Problem> {
    let (name, by, now) = (named(&name)?, asking.by(), shared.clock.wall());
    let new_password = sent.password.as_deref().map(|text| password(text, &name, "password")).transpose()?;
    let profile = Profile::new(sent.display_name, sent.role, sent.unit, sent.cities, sent.named).map_err(unfit)?;
    let changed = shared.store.change_account(&name, &profile, sent.active, &by, now).await;
    let mut account = changed.map_err(|error| failed(&error))?;
    if let Some(password) = new_password {
        let set = shared.store.set_password(&name, &password, shared.secrets.salt(), &by, now).await;
        set.map_err(|error| failed(&error))?;
        account.password_at = now;
    }
    Ok(Json(account.into()))
}

/// Ends all sessions of an account.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{name}/sessions",
    operation_id = "end_sessions",
    tag = "access",
    params(("name" = String, Path, description = "The name of the account.")),
    responses((status = 204))
)]
pub async fn end_sessions(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(name): Segment,
) -> Result<StatusCode, Problem> {
    let ended = shared.store.end_sessions(&named(&name)?, None, &asking.by(), shared.clock.wall()).await;
    ended.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an account's second factor away, say because the telephone is lost, and ends its sessions.
///
/// A role that needs one sets up another when somebody signs in next.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{name}/second-factor",
    operation_id = "remove_second_factor",
    tag = "access",
    params(("name" = String, Path, description = "The name of the account.")),
    responses((status = 204))
)]
pub async fn remove_second_factor(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(name): Segment,
) -> Result<StatusCode, Problem> {
    let removed = shared.store.remove_second_factor(&named(&name)?, &asking.by(), shared.clock.wall()).await;
    removed.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn named(text: &str) -> Result<AccountName, Problem> {
    text.parse().map_err(|_| failed(&AccountError::Unknown))
}

/// `member` of the body is to blame for a password that is not taken.
pub fn password(text: &str, name: &AccountName, member: &str) -> Result<Password, Problem> {
    Password::new(text, name).map_err(|bad| sentence(Kind::BadBody, &bad).parameter(member))
}

fn unfit(bad: BadProfile) -> Problem {
    let member = match bad {
        BadProfile::NoName => "display_name",
        BadProfile::UnitMissing | BadProfile::UnitOfOtherRole => "unit",
        BadProfile::NoCity => "cities",
        BadProfile::NamedUnit => "named",
    };
    sentence(Kind::BadBody, &bad).parameter(member)
}

pub fn failed(error: &AccountError) -> Problem {
    match error {
        AccountError::NameTaken => sentence(Kind::Conflict, error).refused("name_taken").parameter("name"),
        AccountError::Unknown => sentence(Kind::NotFound, error),
        AccountError::UnknownUnit(_) => sentence(Kind::BadBody, error).parameter("unit"),
        AccountError::Store(error) => Problem::internal("account", error),
    }
}

/// The error's own words, as a sentence.
pub fn sentence(kind: Kind, error: &dyn std::error::Error) -> Problem {
    let mut words = error.to_string();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Problem::new(kind, words + ".")
}
