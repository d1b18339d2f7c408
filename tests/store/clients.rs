//! Other systems and their tokens.

use hotline::access::{Cities, Right, Scope};
use hotline::city::City;
use hotline::store::{By, ClientError, NewClient};
use hotline::ticket::{Actor, ClientId};

use crate::fixture::{Fixture, morning, on_each_database};

on_each_database!(
    a_client_is_known_by_its_token,
    a_client_that_was_sent_away_is_not_known,
    a_clients_name_is_taken_for_ever,
    a_client_without_a_scope_is_not_let_in,
);

fn client(name: &str, random: u8, scopes: &[Scope], cities: &[City]) -> NewClient {
    NewClient {
        id: ClientId::new(morning(), [random; 10]),
        name: name.parse().expect("a name"),
        scopes: scopes.iter().copied().collect(),
        cities: cities.iter().copied().collect(),
    }
}

async fn a_client_is_known_by_its_token(fixture: Fixture) {
    let wechat = client("wechat", 1, &[Scope::WriteTickets, Scope::ReadTickets], &[City::Lhasa]);
    let (wechat, token) = fixture.store.add_client(&wechat, [1; 32], &By::OPERATOR, morning()).await.expect("added");
    let portal = client("portal", 2, &[Scope::Open311], &[]);
    let (portal, other) = fixture.store.add_client(&portal, [2; 32], &By::OPERATOR, morning()).await.expect("added");
    assert_eq!(fixture.store.client_by_token(token.reveal()).await, Ok(Some(wechat.clone())));
    assert_eq!(fixture.store.client_by_token(other.reveal()).await, Ok(Some(portal.clone())));
    assert_eq!(fixture.store.clients().await, Ok(vec![portal.clone(), wechat.clone()]));
    for text in ["", "hlc_", &token.reveal()[4..], &format!("{}x", token.reveal())] {
        assert_eq!(fixture.store.client_by_token(text).await, Ok(None), "{text}");
    }

    let caller = wechat.caller();
    assert_eq!((caller.actor, caller.name.as_str()), (Actor::Client(wechat.id), "wechat"));
    assert_eq!(caller.cities, Cities::Only([City::Lhasa].into()));
    assert_eq!(caller.rights, [Right::ReadTickets, Right::FileTickets].into());
    assert_eq!((portal.caller().cities, portal.caller().named), (Cities::All, false));

    let kept = fixture.rows("select hash || ' ' || scopes from client where name = 'wechat'").await;
    assert!(kept[0].ends_with(" tickets:read tickets:write") && !kept[0].contains(token.reveal()));
    let sql = format!("select actor || ' ' || changes from audit where subject = 'client {}'", wechat.id);
    let expected = r#"operator [{"field":"name","is":"wechat"},{"field":"scopes","is":"tickets:read tickets:write"},{"field":"cities","is":"lhasa"}]"#;
    assert_eq!(fixture.rows(&sql).await, [expected]);
}

async fn a_client_that_was_sent_away_is_not_known(fixture: Fixture) {
    let new = client("wechat", 1, &[Scope::Open311], &[]);
    let (wechat, token) = fixture.store.add_client(&new, [1; 32], &By::OPERATOR, morning()).await.expect("added");
    assert_eq!(fixture.store.revoke_client(&wechat.name, &By::OPERATOR, morning()).await, Ok(()));
    assert_eq!(fixture.store.client_by_token(token.reveal()).await, Ok(None));
    let again = fixture.store.revoke_client(&wechat.name, &By::OPERATOR, morning()).await;
    assert_eq!(again, Err(ClientError::Unknown));
    assert_eq!(fixture.store.clients().await.expect("answered")[0].revoked_at, Some(morning()));
    let told = fixture.rows(&format!("select action from audit where subject = 'client {}'", wechat.id)).await;
    assert_eq!(told, ["added", "removed"]);
}

async fn a_clients_name_is_taken_for_ever(fixture: Fixture) {
    let new = client("wechat", 1, &[Scope::Open311], &[]);
    fixture.store.add_client(&new, [1; 32], &By::OPERATOR, morning()).await.expect("added");
    fixture.store.revoke_client(&new.name, &By::OPERATOR, morning()).await.expect("revoked");
    let other = client("wechat", 2, &[Scope::ReadAudit], &[]);
    let again = fixture.store.add_client(&other, [2; 32], &By::OPERATOR, morning()).await;
    assert_eq!(again.map(|_| ()), Err(ClientError::NameTaken));
}

async fn a_client_without_a_scope_is_not_let_in(fixture: Fixture) {
    let new = client("wechat", 1, &[], &[City::Lhasa]);
    let refused = fixture.store.add_client(&new, [1; 32], &By::OPERATOR, morning()).await;
    assert_eq!(refused.map(|_| ()), Err(ClientError::NoScope));
    assert_eq!(fixture.store.clients().await, Ok(Vec::new()));
}
