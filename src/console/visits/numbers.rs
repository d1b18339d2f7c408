//! Numbers that want no automatic calls.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::page::Page;
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::phone::Phone;
use crate::ticket::{Actor, PhoneText};

pub const KEYS: &[&str] = &["limit"];

/// A number that wants no automatic calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OptOut)]
pub struct OptOutOut {
    /// Masked.
    #[schema(examples("138****5678"))]
    phone: String,
    at: DateTime<Utc>,
    /// `caller`: by a key at the gate.
    actor: Actor,
}

/// A number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOptOut)]
pub struct NumberIn {
    #[schema(value_type = String)]
    phone: PhoneText,
}

/// Numbers that want no automatic calls, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/visits/opt-outs",
    operation_id = "list_opt_outs",
    tag = "visits",
    responses((status = 200, body = Page<OptOutOut>))
)]
pub async fn opt_outs(
    State(shared): State<Arc<Shared>>,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<OptOutOut>>, Problem> {
    let found = shared.store.opt_outs(query.limit()?).await.map_err(|error| Problem::internal("opt-outs", &error))?;
    let shown = found.into_iter().map(|one| OptOutOut { phone: one.phone.masked(), at: one.at, actor: one.actor });
    Ok(Json(Page { items: shown.collect(), next: None }))
}

/// Makes no more automatic calls to a number: its visits are made by SMS or by people.
#[utoipa::path(
    post,
    path = "/api/v1/visits/opt-outs",
    operation_id = "add_opt_out",
    tag = "visits",
    request_body = NumberIn,
    responses((status = 200, body = Page<OptOutOut>))
)]
pub async fn opt_out(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(given): Body<NumberIn>,
) -> Result<Json<Page<OptOutOut>>, Problem> {
    let added = shared.store.add_opt_out(&given.phone()?, &asking.by(), shared.clock.wall()).await;
    if added.map_err(|error| Problem::internal("opt-outs", &error))? {
        return opt_outs(State(shared), Extension(Parameters::default())).await;
    }
    Err(Problem::new(Kind::Conflict, "This number gets no automatic calls already."))
}

/// Calls a number automatically again.
#[utoipa::path(
    post,
    path = "/api/v1/visits/opt-outs/remove",
    operation_id = "remove_opt_out",
    tag = "visits",
    request_body = NumberIn,
    responses((status = 200, body = Page<OptOutOut>))
)]
pub async fn opt_back(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(given): Body<NumberIn>,
) -> Result<Json<Page<OptOutOut>>, Problem> {
    let removed = shared.store.remove_opt_out(&given.phone()?, &asking.by(), shared.clock.wall()).await;
    if removed.map_err(|error| Problem::internal("opt-outs", &error))? {
        return opt_outs(State(shared), Extension(Parameters::default())).await;
    }
    Err(Problem::new(Kind::Conflict, "This number did not opt out."))
}

impl NumberIn {
    fn phone(self) -> Result<Phone, Problem> {
        self.phone.0.ok_or_else(|| Problem::new(Kind::BadBody, "A number is wanted.").parameter("phone"))
    }
}
