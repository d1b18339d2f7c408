//! Other systems and what they were let in for.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::row::{micros, text};
use super::token::{self, Token};
use super::{By, ClientName, Store, StoreError, on};
use crate::access::{Caller, Cities, Scope};
use crate::city::City;
use crate::ticket::{Action, Actor, Change, ClientId};

/// Another system that uses the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub name: ClientName,
    pub scopes: BTreeSet<Scope>,
    /// Empty: all.
    pub cities: BTreeSet<City>,
    pub created_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Client {
    /// What this client may do now.
    pub fn caller(&self) -> Caller {
        let cities = if self.cities.is_empty() { Cities::All } else { Cities::of(self.cities.clone()) };
        Caller {
            actor: Actor::Client(self.id),
            name: self.name.to_string(),
            rights: self.scopes.iter().flat_map(|scope| scope.rights()).copied().collect(),
            cities,
            unit: None,
            named: false,
        }
    }
}

/// A client to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClient {
    pub id: ClientId,
    pub name: ClientName,
    pub scopes: BTreeSet<Scope>,
    /// Empty: all.
    pub cities: BTreeSet<City>,
}

/// Why a client was not let in or sent away; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("there is or was a client of this name already")]
    NameTaken,
    #[error("a client needs at least one scope")]
    NoScope,
    #[error("no client of this name is let in")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Lets a client in; `secret` is random. The token can't be had again.
    pub async fn add_client(
        &self,
        new: &NewClient,
        secret: [u8; 32],
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<(Client, Token), ClientError> {
        const SQL: &str = "insert into client (id, name, hash, scopes, cities, created_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing";
        if new.scopes.is_empty() {
            return Err(ClientError::NoScope);
        }
        let (now, token) = (micros(now), Token::of_client(secret));
        let (scopes, cities) = (listed(&new.scopes), listed(&new.cities));
        let mut transaction = self.begin().await?;
        let inserted = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(new.id.to_string())
            .bind(new.name.as_str())
            .bind(token.hash())
            .bind(&scopes)
            .bind(&cities)
            .bind(now)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))
        .map_err(StoreError::from)?;
        if inserted == 0 {
            return Err(ClientError::NameTaken);
        }
        let changes = [("name", new.name.to_string()), ("scopes", scopes), ("cities", cities)];
        let changes = changes.map(|(field, is)| Change { field, was: None, is: Some(is) });
        let subject = format!("client {}", new.id);
        audit::append(&mut transaction, &Act { changes: &changes, ..by.act(&subject, now, Action::Added) }).await?;
        transaction.commit().await?;
        let NewClient { id, name, scopes, cities } = new.clone();
        Ok((Client { id, name, scopes, cities, created_at: now, revoked_at: None }, token))
    }

    /// The client's token is no good any more; its name stays taken.
    pub async fn revoke_client(&self, name: &ClientName, by: &By, now: DateTime<Utc>) -> Result<(), ClientError> {
        const SQL: &str = "update client set revoked_at = $2 where name = $1 and revoked_at is null returning id";
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let id: Option<String> = on!(&mut transaction, transaction => sqlx::query_scalar(SQL)
            .bind(name.as_str())
            .bind(now)
            .fetch_optional(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        let subject = format!("client {}", id.ok_or(ClientError::Unknown)?);
        audit::append(&mut transaction, &by.act(&subject, now, Action::Removed)).await?;
        Ok(transaction.commit().await?)
    }

    /// The client whose token this is, unless it was revoked.
    pub async fn client_by_token(&self, token: &str) -> Result<Option<Client>, StoreError> {
        let Some(hash) = token::hash_of_client(token) else { return Ok(None) };
        let row: Option<ClientRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" where revoked_at is null and hash = ").push_bind(&hash);
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Client::try_from).transpose()
    }

    /// All clients, revoked ones too, by name.
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<ClientRow> = on!(&self.read, pool => {
            sqlx::QueryBuilder::new(SELECT).push(" order by name").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Client::try_from).collect()
    }
}

const SELECT: &str = "select id, name, scopes, cities, created_at, revoked_at from client";

fn listed<T: ToString>(values: &BTreeSet<T>) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    id: String,
    name: String,
    scopes: String,
    cities: String,
    created_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Client, StoreError> {
        let scopes = row.scopes.split_whitespace().map(|scope| text("client.scopes", scope));
        let cities = row.cities.split_whitespace().map(|city| text("client.cities", city));
        Ok(Client {
            id: text("client.id", &row.id)?,
            name: text("client.name", &row.name)?,
            scopes: scopes.collect::<Result<_, _>>()?,
            cities: cities.collect::<Result<_, _>>()?,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
        })
    }
}
