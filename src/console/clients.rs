//! `/api/v1/clients`: other systems and their tokens.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::accounts::sentence;
use super::asking::Asking;
use super::body::Body;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::segment::Segment;
use crate::access::Scope;
use crate::city::City;
use crate::store::{Client, ClientError, ClientName, NewClient};
use crate::ticket::ClientId;

/// Another system that uses the API.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientOut {
    #[schema(value_type = String, format = "uuid")]
    id: ClientId,
    #[schema(value_type = String)]
    name: ClientName,
    scopes: Vec<Scope>,
    /// Empty: all.
    cities: Vec<City>,
    created_at: DateTime<Utc>,
    /// Since then its token is no good any more.
    revoked_at: Option<DateTime<Utc>>,
}

impl From<Client> for ClientOut {
    fn from(client: Client) -> ClientOut {
        let Client { id, name, scopes, cities, created_at, revoked_at } = client;
        let (scopes, cities) = (scopes.into_iter().collect(), cities.into_iter().collect());
        ClientOut { id, name, scopes, cities, created_at, revoked_at }
    }
}

/// A client and its token.
#[derive(Serialize, ToSchema)]
pub struct LetIn {
    client: ClientOut,
    /// Shown this once.
    pub token: String,
}

/// A system to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClient)]
pub struct ClientIn {
    /// 2 to 40 of a-z, 0-9, `.`, `_` and `-`.
    #[schema(value_type = String)]
    name: ClientName,
    /// At least one.
    scopes: BTreeSet<Scope>,
    /// Empty: all.
    cities: BTreeSet<City>,
}

/// All clients, by name, on one page.
#[utoipa::path(
    get,
    path = "/api/v1/clients",
    operation_id = "list_clients",
    tag = "access",
    responses((status = 200, body = Page<ClientOut>))
)]
pub async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Page<ClientOut>>, Problem> {
    let clients = shared.store.clients().await.map_err(|error| Problem::internal("clients", &error))?;
    Ok(Json(Page { items: clients.into_iter().map(ClientOut::from).collect(), next: None }))
}

/// Lets a system in.
#[utoipa::path(
    post,
    path = "/api/v1/clients",
    operation_id = "add_client",
    tag = "access",
    request_body = ClientIn,
    responses((status = 201, body = LetIn))
)]
pub async fn add(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(ClientIn { name, scopes, cities }): Body<ClientIn>,
) -> Result<(StatusCode, Json<LetIn>), Problem> {
    let now = shared.clock.wall();
    let new = NewClient { id: ClientId::new(now, shared.request_ids.random()), name, scopes, cities };
    let added = shared.store.add_client(&new, shared.secrets.token(), &asking.by(), now).await;
    let (client, token) = added.map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(LetIn { client: client.into(), token: token.reveal().to_owned() })))
}

/// Lets a system in no more.
#[utoipa::path(
    delete,
    path = "/api/v1/clients/{name}",
    operation_id = "revoke_client",
    tag = "access",
    params(("name" = String, Path, description = "The name of the client.")),
    responses((status = 204))
)]
pub async fn revoke(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(name): Segment,
) -> Result<StatusCode, Problem> {
    let name: ClientName = name.parse().map_err(|_| failed(&ClientError::Unknown))?;
    let revoked = shared.store.revoke_client(&name, &asking.by(), shared.clock.wall()).await;
    revoked.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn failed(error: &ClientError) -> Problem {
    match error {
        ClientError::NameTaken => sentence(Kind::Conflict, error).refused("name_taken").parameter("name"),
        ClientError::NoScope => sentence(Kind::BadBody, error).parameter("scopes"),
        ClientError::Unknown => sentence(Kind::NotFound, error),
        ClientError::Store(error) => Problem::internal("client", error),
    }
}
