//! `hotline user list`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::environment;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::city::City;
use crate::store::Account;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored: Stored,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let accounts = self.stored.with(async |Opened { store, .. }| store.accounts().await.map_err(environment))?;
        if self.json {
            let document = Value::from_iter(accounts.iter().map(document));
            return print([format!("{document:#}")]);
        }
        let rows: Vec<[String; 7]> = accounts.iter().map(row).collect();
        print(table(["name", "role", "unit", "cities", "state", "made (Beijing)", "display name"], &rows))
    }
}

fn row(account: &Account) -> [String; 7] {
    let profile = &account.profile;
    let state = match (account.active, profile.named()) {
        (false, _) => "inactive",
        (true, true) => "named",
        (true, false) => "active",
    };
    [
        account.name.to_string(),
        profile.role().to_string(),
        profile.unit().map_or("-".to_owned(), ToString::to_string),
        cities(profile.cities()),
        state.to_owned(),
        beijing(account.created_at),
        profile.display_name().to_string(),
    ]
}

/// As a person reads them: `lhasa ngari`, `all cities`.
pub fn cities(cities: &BTreeSet<City>) -> String {
    if cities.len() == City::ALL.len() {
        return "all cities".to_owned();
    }
    cities.iter().map(|city| city.slug()).collect::<Vec<_>>().join(" ")
}

fn document(account: &Account) -> Value {
    let profile = &account.profile;
    json!({
        "name": account.name,
        "display_name": profile.display_name(),
        "role": profile.role(),
        "unit": profile.unit(),
        "cities": profile.cities(),
        "named": profile.named(),
        "active": account.active,
        "created_at": account.created_at,
        "password_at": account.password_at,
    })
}
