//! `hotline user add`.

use std::collections::BTreeSet;

use rand::RngExt;

use super::{asked, environment, refused};
use crate::access::Role;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::city::City;
use crate::store::{AccountError, AccountName, By, NewAccount, Profile};
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{AccountId, Line};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Name to sign in by, 2-40 of a-z, 0-9, `.`, `_` and `-`
    name: AccountName,
    /// agent, unit, supervisor, leader, administrator or auditor
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Code of the unit, for an account of role unit
    #[arg(long, value_name = "CODE")]
    unit: Option<UnitCode>,
    /// City whose tickets the account sees; more than once for several [default: all seven; of a unit, its own]
    #[arg(long, value_name = "CITY")]
    city: Vec<City>,
    /// May see confidential requesters and those of reports (举报)
    #[arg(long)]
    named: bool,
    /// Name that people read [default: NAME]
    #[arg(long, value_name = "TEXT")]
    display_name: Option<Line>,
    #[command(flatten)]
    stored: Stored,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let profile = self.profile()?;
        let account = self.stored.with(async |Opened { store, now, mut random }| {
            if store.account(&self.name).await.map_err(environment)?.is_some() {
                return Err(refused(&AccountError::NameTaken));
            }
            let password = asked(&self.name)?;
            let new = NewAccount { id: AccountId::new(now, random.random()), name: self.name.clone(), profile };
            let added = store.add_account(&new, &password, random.random(), &By::OPERATOR, now).await;
            added.map_err(|error| refused(&error))
        })?;
        let (name, profile) = (&account.name, &account.profile);
        print([format!("{name}: added, {} of {}", profile.role(), super::show::cities(profile.cities()))])
    }

    fn profile(&self) -> Result<Profile, Failure> {
        let cities: BTreeSet<City> = match self.city.as_slice() {
            [] if self.role != Role::Unit => City::ALL.into(),
            given => given.iter().copied().collect(),
        };
        let same = || self.name.as_str().parse().expect("a name is shorter than a line");
        let display_name = self.display_name.clone().unwrap_or_else(same);
        let profile = Profile::new(display_name, self.role, self.unit.clone(), cities, self.named);
        profile.map_err(|bad| Failure::Setting(bad.to_string()))
    }
}
