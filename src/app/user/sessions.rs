//! `hotline user sessions` and `hotline user revoke`.

use serde_json::{Value, json};

use super::{environment, refused};
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::store::{AccountError, AccountName, By, Session};

#[derive(Debug, clap::Args)]
pub struct List {
    /// Name of the account
    name: AccountName,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored: Stored,
}

impl List {
    pub fn run(&self) -> Result<(), Failure> {
        let sessions = self.stored.with(async |Opened { store, now, .. }| {
            let account = store.account(&self.name).await.map_err(environment)?;
            let account = account.ok_or_else(|| refused(&AccountError::Unknown))?;
            store.sessions(account.id, now).await.map_err(environment)
        })?;
        if self.json {
            let document = Value::from_iter(sessions.iter().map(document));
            return print([format!("{document:#}")]);
        }
        let rows: Vec<[String; 5]> = sessions.iter().map(row).collect();
        print(table(["id", "began (Beijing)", "last used", "over at", "address"], &rows))
    }
}

fn row(session: &Session) -> [String; 5] {
    let Session { id, created_at, seen_at, address, expires_at } = session;
    [id.clone(), beijing(*created_at), beijing(*seen_at), beijing(*expires_at), address.clone()]
}

fn document(session: &Session) -> Value {
    json!({
        "id": session.id,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "address": session.address,
    })
}

#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// Name of the account
    name: AccountName,
    /// Only the session with this id, as `hotline user sessions` shows it [default: all]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    #[command(flatten)]
    stored: Stored,
}

impl Revoke {
    pub fn run(&self) -> Result<(), Failure> {
        let ended = self.stored.with(async |Opened { store, now, .. }| {
            let ended = store.end_sessions(&self.name, self.session.as_deref(), &By::OPERATOR, now).await;
            ended.map_err(|error| refused(&error))
        })?;
        if ended == 0 && self.session.is_some() {
            return Err(Failure::Setting("no session of the account has this id".to_owned()));
        }
        print([format!("{}: sessions ended: {ended}", self.name)])
    }
}
