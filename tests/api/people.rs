//! People with accounts, who sign in over HTTP.

use chrono::{DateTime, Utc};
use hotline::access::Role;
use hotline::clock::Clock;
use hotline::store::{By, NewAccount, Password, Profile};
use hotline::ticket::{AccountId, Actor};
use serde_json::json;

use crate::service::Service;

pub const PASSWORD: &str = "yak-butter-and-barley-7";

/// What time the service has.
pub fn now() -> DateTime<Utc> {
    Clock::start().wall()
}

/// Makes an account; one of the role `unit` is of Lhasa's housing bureau.
pub fn person(service: &Service, name: &str, role: Role, cities: &[&str], named: bool) {
    let now = now();
    let unit = (role == Role::Unit).then(|| "lhasa-housing".parse().expect("a code"));
    let cities = cities.iter().map(|city| city.parse().expect("a city")).collect();
    let profile = Profile::new(name.parse().expect("a name"), role, unit, cities, named).expect("a profile");
    let name: hotline::store::AccountName = name.parse().expect("a name");
    let random = std::array::from_fn(|at| name.as_str().as_bytes().get(at).copied().unwrap_or(0));
    let new = NewAccount { id: AccountId::new(now, random), profile, name };
    let by = By { actor: Actor::Operator, address: None };
    let password = Password::new(PASSWORD, &new.name).expect("a password");
    service.block_on(service.store.add_account(&new, &password, [7; 16], &by, now)).expect("added");
}

/// Signs in; gives the session's token.
pub fn sign_in(service: &Service, name: &str) -> String {
    let body = json!({ "account": name, "password": PASSWORD }).to_string();
    let reply = service.send_bytes("POST", "/api/v1/session", &[("content-type", "application/json")], body.as_bytes());
    assert!(reply.status.is_success(), "{}", reply.text());
    reply.json()["token"].as_str().expect("a token").to_owned()
}
