//! `hotline demo --console`: a year behind it, calls of this morning to listen to, and people who may sign in.

mod past;

use std::collections::BTreeSet;

use chrono::Days;
use rand::RngExt;
use serde_json::json;

use super::folder::TourFolder;
use super::teller::Teller;
use super::{Stuck, seeded, settings, telephone};
use crate::access::Role;
use crate::app::Failure;
use crate::app::serve;
use crate::app::service::{self, Service};
use crate::app::simulate::{Progress, fill};
use crate::city::City;
use crate::clock::{Clock, beijing_day};
use crate::simulate::Plan;
use crate::store::{By, NewAccount, Password, Profile, Store};
use crate::ticket::AccountId;

const DAYS: u32 = 365;
const SEED: u64 = 12_345;

/// A role, the account's name and the person's, the unit, and whether shielded requesters are shown.
const PEOPLE: [(Role, &str, &str, Option<&str>, bool); 6] = [
    (Role::Agent, "agent", "卓玛", None, false),
    (Role::Unit, "unit", "拉萨市住房和城乡建设局", Some("lhasa-housing"), false),
    (Role::Supervisor, "supervisor", "丹增", None, true),
    (Role::Leader, "leader", "次仁", None, false),
    (Role::Administrator, "administrator", "格桑", None, false),
    (Role::Auditor, "auditor", "白玛", None, false),
];

/// Fills the folder, serves it and tells where, until it is interrupted.
pub async fn show(teller: &Teller, folder: &TourFolder, tickets: u32) -> Result<(), Failure> {
    let named = |stuck: Stuck| Failure::Environment(format!("the demo failed at {stuck}"));
    // nobody answers it: return visits are there to be seen, not to be made
    let telephone = telephone().await?;
    let mut config = settings(folder, telephone.address())?;
    config.trunk.clear();
    // who tries this out has no second telephone at hand
    config.access.second_factor.clear();
    let mut random = seeded()?;
    let password =
        format!("{:04x}-{:04x}-{:04x}", random.random::<u16>(), random.random::<u16>(), random.random::<u16>());
    let store = Store::open(&config.store, &config.data).await;
    let store = store.map_err(|error| named(Stuck::new("store", error)))?.with_rules(service::rules(&config));
    let filled = year(teller, &store, tickets).await;
    let calls = match filled {
        Ok(()) => past::calls(&store, &config, &mut random).await,
        Err(stuck) => Err(stuck),
    };
    let people = match calls {
        Ok(calls) => {
            let told = format!("{calls} calls of the last hours, with their recordings in both languages");
            teller.step("calls", "录音", &told, json!({"calls": calls}));
            people(&store, &password, &mut random).await
        }
        Err(stuck) => Err(stuck),
    };
    store.close().await;
    people.map_err(named)?;
    let service = Service::start(config, serve::metrics()?).await?;
    let url = format!("http://localhost:{}/", service.http.port());
    let names: Vec<&str> = PEOPLE.iter().map(|(_, name, ..)| *name).collect();
    let who: Vec<String> =
        PEOPLE.iter().map(|(role, name, person, ..)| format!("{name:<14} {role:<14} {person}")).collect();
    teller.step(
        "console",
        "控制台",
        &format!("{url} until Ctrl-C\n{}\npassword of all of them: {password}", who.join("\n")),
        json!({"url": url, "accounts": names, "password": password}),
    );
    let _ = tokio::signal::ctrl_c().await;
    let kept = service.stop().await;
    telephone.stop().await;
    if kept { Ok(()) } else { Err(named(Stuck::new("stop", "not everything was stored"))) }
}

async fn year(teller: &Teller, store: &Store, tickets: u32) -> Result<(), Stuck> {
    let yesterday = beijing_day(Clock::start().wall());
    let from = yesterday.checked_sub_days(Days::new(DAYS.into())).unwrap_or(yesterday);
    let plan = Plan::new(tickets, DAYS, SEED, from).map_err(|bad| Stuck::new("year", bad))?;
    teller.step("year", "模拟", &format!("a year of {tickets} tickets is being written"), json!({"tickets": tickets}));
    let written = fill(store, &plan, |progress| {
        if let Progress::Counted { days, all } = progress
            && days == all
        {
            teller.step(
                "counted",
                "统计",
                &format!("the figures of {all} days of cities are counted"),
                json!({"days": all}),
            );
        }
    });
    written.await.map(drop).map_err(|error| Stuck::new("year", error))
}

async fn people(store: &Store, password: &str, random: &mut impl RngExt) -> Result<(), Stuck> {
    let now = Clock::start().wall();
    for (role, name, person, unit, named) in PEOPLE {
        let stuck = |error: &dyn std::error::Error| Stuck::new(format!("account {name}"), error);
        let account = name.parse().map_err(|error| stuck(&error))?;
        let unit = unit.map(str::parse).transpose().map_err(|error| stuck(&error))?;
        let cities: BTreeSet<City> = if unit.is_some() { BTreeSet::new() } else { City::ALL.into() };
        let person = person.parse().map_err(|error| stuck(&error))?;
        let profile = Profile::new(person, role, unit, cities, named).map_err(|error| stuck(&error))?;
        let password = Password::new(password, &account).map_err(|error| stuck(&error))?;
        let new = NewAccount { id: AccountId::new(now, random.random()), name: account, profile };
        let added = store.add_account(&new, &password, random.random(), &By::OPERATOR, now).await;
        added.map_err(|error| stuck(&error))?;
    }
    Ok(())
}
