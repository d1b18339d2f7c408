//! What the people and systems who acted are called: looked up when an act is read, never kept with it.

use std::collections::HashMap;

use super::row::text;
use super::sql::{Sql, builder};
use super::{Store, StoreError, on};
use crate::ticket::Actor;

/// Of an account or a client; nobody else who acts has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorName {
    /// What a person is called, or the name of another system.
    pub name: String,
    /// What a person signs in by.
    pub account: Option<String>,
}

pub type ActorNames = HashMap<Actor, ActorName>;

impl Store {
    /// The names of those that have one.
    pub async fn actor_names(&self, actors: impl IntoIterator<Item = Actor>) -> Result<ActorNames, StoreError> {
        let (mut accounts, mut clients) = (Vec::new(), Vec::new());
        for actor in actors {
            match actor {
                Actor::Account(id) => accounts.push(id.to_string()),
                Actor::Client(id) => clients.push(id.to_string()),
                Actor::Caller | Actor::System | Actor::Repair | Actor::Operator => {}
            }
        }
        let mut sql = Sql::default();
        for (mut ids, select) in [
            (accounts, "select 'account ' || id, display_name, name from account where id"),
            (clients, "select 'client ' || id, name, null from client where id"),
        ] {
            ids.sort();
            ids.dedup();
            if !ids.is_empty() {
                let between = if sql.pieces().is_empty() { "" } else { " union all " };
                sql.push(between).push(select).any_of(ids.into_iter());
            }
        }
        if sql.pieces().is_empty() {
            return Ok(ActorNames::new());
        }
        let rows: Vec<(String, String, Option<String>)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let named = |(actor, name, account): (String, String, Option<String>)| {
            Ok((text("actor", &actor)?, ActorName { name, account }))
        };
        rows.into_iter().map(named).collect()
    }
}
