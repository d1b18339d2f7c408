//! Accounts: who there is, and what ends their sessions.

use hotline::access::{Cities, Right, Role};
use hotline::city::City;
use hotline::store::{Account, AccountError, By, NewAccount, Password, Profile};
use hotline::ticket::{AccountId, Actor};

use crate::fixture::{Fixture, morning, on_each_database};
use crate::sessions::{PASSWORD, sign_in};

on_each_database!(
    an_account_is_found_as_it_was_made,
    a_name_is_taken_once,
    a_unit_has_to_be_there_and_gives_its_city,
    a_change_is_written_down_field_by_field,
    another_role_a_new_password_and_deactivation_end_all_sessions,
    a_new_name_or_city_ends_no_session,
    who_is_deactivated_comes_back_with_the_old_password,
);

fn profile(role: Role, unit: Option<&str>, cities: &[City], named: bool) -> Profile {
    let unit = unit.map(|unit| unit.parse().expect("a code"));
    let cities = cities.iter().copied().collect();
    Profile::new("卓玛 Dolma".parse().expect("a name"), role, unit, cities, named).expect("a profile")
}

pub fn agent() -> Profile {
    profile(Role::Agent, None, &[City::Lhasa, City::Ngari], false)
}

pub fn password(text: &str) -> Password {
    Password::new(text, &"dolma".parse().expect("a name")).expect("a password")
}

pub async fn add(fixture: &Fixture, name: &str, profile: Profile) -> Result<Account, AccountError> {
    let random: [u8; 10] = std::array::from_fn(|at| name.as_bytes().get(at).copied().unwrap_or(0));
    let id = AccountId::new(morning(), random);
    let new = NewAccount { id, name: name.parse().expect("a name"), profile };
    fixture.store.add_account(&new, &password(PASSWORD), [7; 16], &By::OPERATOR, morning()).await
}

/// `actor action changes reason address` of each act upon this account.
pub async fn audit(fixture: &Fixture, account: &Account) -> Vec<String> {
    let sql = "select actor || ' ' || action || ' ' || coalesce(changes, '-') || ' ' || coalesce(reason, '-') || ' ' || \
               coalesce(address, '-') from audit where subject = ";
    fixture.rows(&format!("{sql}'account {}' order by sequence", account.id)).await
}

async fn an_account_is_found_as_it_was_made(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let tashi = add(&fixture, "tashi", profile(Role::Supervisor, None, &City::ALL, true)).await.expect("added");
    let found = fixture.store.account(&dolma.name).await.expect("answered");
    assert_eq!(found.as_ref(), Some(&dolma));
    assert_eq!(fixture.store.accounts().await, Ok(vec![dolma.clone(), tashi.clone()]));
    assert_eq!(fixture.store.account(&"nobody".parse().expect("a name")).await, Ok(None));

    let caller = dolma.caller();
    assert_eq!(caller.actor, Actor::Account(dolma.id));
    assert_eq!(caller.cities, Cities::Only([City::Lhasa, City::Ngari].into()));
    assert!(caller.has(Right::Receive) && !caller.has(Right::ManageAccounts) && !caller.named);
    assert!(tashi.caller().named);

    let kept = fixture.rows("select password from account where name = 'dolma'").await;
    assert!(kept[0].starts_with("$argon2id$") && !kept[0].contains(PASSWORD));
    let told = audit(&fixture, &dolma).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("operator added ") && told[0].contains(r#"{"field":"cities","is":"lhasa ngari"}"#));
    assert!(!told[0].contains("argon2"), "{}", told[0]);
}

async fn a_name_is_taken_once(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let other = NewAccount { id: AccountId::new(morning(), [9; 10]), name: dolma.name.clone(), profile: agent() };
    let again = fixture.store.add_account(&other, &password(PASSWORD), [8; 16], &By::OPERATOR, morning()).await;
    assert_eq!(again, Err(AccountError::NameTaken));
    assert_eq!(fixture.store.accounts().await, Ok(vec![dolma]));
    assert_eq!(fixture.rows("select subject from audit where action = 'added'").await.len(), 1);
}

async fn a_unit_has_to_be_there_and_gives_its_city(fixture: Fixture) {
    let unknown = add(&fixture, "nobody", profile(Role::Unit, Some("lhasa-moon"), &[], false)).await;
    assert_eq!(unknown, Err(AccountError::UnknownUnit("lhasa-moon".parse().expect("a code"))));
    let housing = add(&fixture, "housing", profile(Role::Unit, Some("lhasa-housing"), &[], false)).await;
    let housing = housing.expect("added");
    assert_eq!(housing.profile.cities(), &[City::Lhasa].into());
    assert_eq!(fixture.store.account(&housing.name).await, Ok(Some(housing.clone())));
    assert_eq!(housing.caller().unit.map(|unit| unit.to_string()), Some("lhasa-housing".to_owned()));
}

async fn a_change_is_written_down_field_by_field(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let by = By { actor: Actor::Operator, address: Some("192.0.2.1".to_owned()) };
    let leader = profile(Role::Leader, None, &[City::Ngari], true);
    let changed = fixture.store.change_account(&dolma.name, &leader, true, &by, morning()).await.expect("changed");
    assert_eq!(fixture.store.account(&dolma.name).await, Ok(Some(changed.clone())));
    assert_eq!(changed.profile, leader);
    let told = audit(&fixture, &dolma).await;
    let expected = r#"operator changed [{"field":"role","was":"agent","is":"leader"},{"field":"cities","was":"lhasa ngari","is":"ngari"},{"field":"named","was":"false","is":"true"}] - 192.0.2.1"#;
    assert_eq!(told[1], expected);

    let same = fixture.store.change_account(&dolma.name, &leader, true, &by, morning()).await;
    assert_eq!(same, Ok(changed));
    assert_eq!(audit(&fixture, &dolma).await.len(), 2, "nothing has changed");
    let nobody = "nobody".parse().expect("a name");
    let unknown = fixture.store.change_account(&nobody, &leader, true, &by, morning()).await;
    assert_eq!(unknown, Err(AccountError::Unknown));
}

async fn another_role_a_new_password_and_deactivation_end_all_sessions(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let tashi = add(&fixture, "tashi", agent()).await.expect("added");
    let others = sign_in(&fixture, "tashi", PASSWORD, 0).await.expect("signed in");
    let (store, by, now) = (&fixture.store, &By::OPERATOR, morning());
    let both = [1, 2].map(|_| sign_in(&fixture, "dolma", PASSWORD, 0));
    let [one, other] = both;
    let tokens = [one.await.expect("signed in").token, other.await.expect("signed in").token];
    let leader = profile(Role::Leader, None, &[City::Ngari], false);
    store.change_account(&dolma.name, &leader, true, by, now).await.expect("changed");
    for token in &tokens {
        assert_eq!(store.session(token.reveal(), now).await, Ok(None));
    }

    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let new = "a river of snow water";
    store.set_password(&dolma.name, &password(new), [9; 16], by, now).await.expect("set");
    assert_eq!(store.session(token.reveal(), now).await, Ok(None));
    assert!(sign_in(&fixture, "dolma", PASSWORD, 0).await.is_err());

    let token = sign_in(&fixture, "dolma", new, 0).await.expect("signed in").token;
    assert!(!store.deactivate_account(&dolma.name, by, now).await.expect("deactivated").active);
    assert_eq!(store.session(token.reveal(), now).await, Ok(None));
    assert_eq!(store.session(others.token.reveal(), now).await, Ok(Some(tashi)));
    let told = audit(&fixture, &dolma).await.join("\n");
    assert!(told.contains(r#"operator changed [{"field":"password"}] - -"#), "{told}");
    assert!(told.contains(r#"operator changed [{"field":"active","was":"true","is":"false"}] - -"#), "{told}");
}

async fn a_new_name_or_city_ends_no_session(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let moved = profile(Role::Agent, None, &[City::Chamdo], true);
    let changed = fixture.store.change_account(&dolma.name, &moved, true, &By::OPERATOR, morning()).await;
    let now = fixture.store.session(token.reveal(), morning()).await.expect("answered").expect("a session");
    assert_eq!(Ok(&now), changed.as_ref());
    assert_eq!(now.caller().cities, Cities::Only([City::Chamdo].into()), "the session sees what is given now");
}

async fn who_is_deactivated_comes_back_with_the_old_password(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    fixture.store.deactivate_account(&dolma.name, &By::OPERATOR, morning()).await.expect("deactivated");
    assert!(sign_in(&fixture, "dolma", PASSWORD, 0).await.is_err());
    let back = fixture.store.change_account(&dolma.name, &agent(), true, &By::OPERATOR, morning()).await;
    assert_eq!(back, Ok(dolma));
    assert!(sign_in(&fixture, "dolma", PASSWORD, 0).await.is_ok());
}
