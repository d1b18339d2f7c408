//! `hotline client`: other systems that use the API.

use std::collections::BTreeSet;

use rand::RngExt;
use serde_json::{Value, json};

use super::Failure;
use super::print::print;
use super::stored::{Opened, Stored};
use super::table::{beijing, table};
use crate::access::Scope;
use crate::city::City;
use crate::store::{By, Client, ClientError, ClientName, NewClient};
use crate::ticket::ClientId;

const EXAMPLES: &str = "\
Examples:
  hotline client add wechat-gateway --scope tickets:write --scope tickets:read --city lhasa
      prints the token, which can't be had again
  hotline client revoke wechat-gateway

Scopes: tickets:read tickets:write open311 reports:read audit:read catalogue:read

Exit code: 0 done, 1 when the store fails, 2 when an argument can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Let a system in and print its token, this once.
    Add(Add),
    /// List the clients.
    List(List),
    /// Let a system in no more.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Name of the system, 2-40 of a-z, 0-9, `.`, `_` and `-`
    name: ClientName,
    /// What it may do; more than once for several
    #[arg(long, value_name = "SCOPE", required = true)]
    scope: Vec<Scope>,
    /// City whose tickets it sees; more than once for several [default: all seven]
    #[arg(long, value_name = "CITY")]
    city: Vec<City>,
    /// One JSON document in place of the lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored: Stored,
}

#[derive(Debug, clap::Args)]
struct List {
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored: Stored,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// Name of the system
    name: ClientName,
    #[command(flatten)]
    stored: Stored,
}

/// Does what is asked.
///
/// # Errors
/// What can't be used, or the environment's refusal.
pub fn client(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Add(add) => add.run(),
        Command::List(list) => list.run(),
        Command::Revoke(revoke) => revoke.run(),
    }
}

impl Add {
    fn run(&self) -> Result<(), Failure> {
        let (client, token) = self.stored.with(async |Opened { store, now, mut random }| {
            let new = NewClient {
                id: ClientId::new(now, random.random()),
                name: self.name.clone(),
                scopes: self.scope.iter().copied().collect(),
                cities: self.city.iter().copied().collect(),
            };
            store.add_client(&new, random.random(), &By::OPERATOR, now).await.map_err(|error| refused(&error))
        })?;
        if self.json {
            let mut document = document(&client);
            document["token"] = token.reveal().into();
            return print([format!("{document:#}")]);
        }
        let may = format!("{}: may {} in {}", client.name, listed(&client.scopes), cities(&client));
        print([may, format!("token: {}", token.reveal()), "It is shown this once: keep it safe.".to_owned()])
    }
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let clients = self.stored.with(async |Opened { store, .. }| store.clients().await.map_err(environment))?;
        if self.json {
            let document = Value::from_iter(clients.iter().map(document));
            return print([format!("{document:#}")]);
        }
        let row = |client: &Client| {
            let revoked = client.revoked_at.map_or("-".to_owned(), beijing);
            let made = beijing(client.created_at);
            [client.name.to_string(), cities(client), made, revoked, listed(&client.scopes)]
        };
        let rows: Vec<[String; 5]> = clients.iter().map(row).collect();
        print(table(["name", "cities", "let in (Beijing)", "revoked", "scopes"], &rows))
    }
}

impl Revoke {
    fn run(&self) -> Result<(), Failure> {
        self.stored.with(async |Opened { store, now, .. }| {
            store.revoke_client(&self.name, &By::OPERATOR, now).await.map_err(|error| refused(&error))
        })?;
        print([format!("{}: its token is no good any more", self.name)])
    }
}

fn listed(scopes: &BTreeSet<Scope>) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
}

fn cities(client: &Client) -> String {
    if client.cities.is_empty() { "all cities".to_owned() } else { super::user::cities(&client.cities) }
}

fn document(client: &Client) -> Value {
    json!({
        "name": client.name,
        "scopes": client.scopes,
        "cities": client.cities,
        "created_at": client.created_at,
        "revoked_at": client.revoked_at,
    })
}

fn refused(error: &ClientError) -> Failure {
    match error {
        ClientError::Store(error) => environment(error),
        error => Failure::Setting(error.to_string()),
    }
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::Environment(error.to_string())
}
