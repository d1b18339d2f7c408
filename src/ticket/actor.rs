//! Who changed something.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{AccountId, ClientId};

/// Who acts, as the audit names it: a word, or a word and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The citizen, by keys.
    Caller,
    /// This program, by a rule: a timeout, a hang-up, a clock.
    System,
    /// This program at its start, after a crash.
    Repair,
    /// Somebody at the machine: the command line, or the holder of the data folder's token.
    Operator,
    /// Somebody with an account.
    Account(AccountId),
    /// Another system.
    Client(ClientId),
}

/// The text names nobody who can act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor is caller, system, repair, operator, `account ID` or `client ID`")]
pub struct BadActor;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Caller => f.write_str("caller"),
            Actor::System => f.write_str("system"),
            Actor::Repair => f.write_str("repair"),
            Actor::Operator => f.write_str("operator"),
            Actor::Account(id) => write!(f, "account {id}"),
            Actor::Client(id) => write!(f, "client {id}"),
        }
    }
}

impl FromStr for Actor {
    type Err = BadActor;

    fn from_str(text: &str) -> Result<Actor, BadActor> {
        Ok(match text {
            "caller" => Actor::Caller,
            "system" => Actor::System,
            "repair" => Actor::Repair,
            "operator" => Actor::Operator,
            other => match other.split_once(' ') {
                Some(("account", id)) => Actor::Account(id.parse().map_err(|_| BadActor)?),
                Some(("client", id)) => Actor::Client(id.parse().map_err(|_| BadActor)?),
                _ => return Err(BadActor),
            },
        })
    }
}

impl TryFrom<String> for Actor {
    type Error = BadActor;

    fn try_from(text: String) -> Result<Actor, BadActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_survives_its_text() {
        let id = AccountId::new("2026-11-22T01:02:03Z".parse().expect("a time"), [7; 10]);
        let client = ClientId::new("2026-11-22T01:02:03Z".parse().expect("a time"), [9; 10]);
        let all =
            [Actor::Caller, Actor::System, Actor::Repair, Actor::Operator, Actor::Account(id), Actor::Client(client)];
        for actor in all {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for wrong in ["", "somebody", "account", "account 7", "client ", "Account x"] {
            assert_eq!(wrong.parse::<Actor>(), Err(BadActor), "{wrong}");
        }
    }
}
