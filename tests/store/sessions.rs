//! Signing in, and how long it lasts.

use std::sync::atomic::{AtomicU8, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use hotline::access::Role;
use hotline::store::{AccessConfig, By, Rules, SignInError, SignedIn, Store};
use hotline::ticket::Actor;

use crate::accounts::{add, agent, audit};
use crate::fixture::{Fixture, morning, on_each_database};

on_each_database!(
    the_right_password_signs_in,
    a_wrong_password_an_unknown_account_and_an_inactive_one_are_one_thing,
    five_wrong_passwords_make_an_account_wait,
    an_unknown_account_waits_as_a_known_one_does,
    the_right_password_clears_the_count,
    wrong_passwords_are_forgotten,
    an_address_that_tries_many_accounts_waits,
    tries_at_once_are_counted_one_by_one,
    a_session_that_nobody_uses_is_over,
    a_busy_session_is_over_after_half_a_day,
    use_is_noted_once_a_minute,
    a_session_ends_when_it_is_asked_to,
    sessions_end_one_by_one_or_together,
    another_kind_of_token_is_no_session,
    a_password_is_proven_without_a_session,
    what_is_over_is_swept_away,
);

pub const PASSWORD: &str = "yaks on the pass";

pub async fn sign_in(fixture: &Fixture, name: &str, password: &str, minute: i64) -> Result<SignedIn, SignInError> {
    sign_in_from(&fixture.store, name, password, "192.0.2.7", at(minute)).await
}

async fn sign_in_from(
    store: &Store,
    name: &str,
    password: &str,
    address: &str,
    now: DateTime<Utc>,
) -> Result<SignedIn, SignInError> {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let secret = [NEXT.fetch_add(1, Ordering::Relaxed); 32];
    store.sign_in(name, password, address.parse().expect("an address"), now, secret).await
}

fn at(minute: i64) -> DateTime<Utc> {
    morning() + TimeDelta::minutes(minute)
}

fn is_throttled(answer: &Result<SignedIn, SignInError>) -> Option<u32> {
    match answer {
        Err(SignInError::Throttled { wait_s }) => Some(*wait_s),
        _ => None,
    }
}

async fn the_right_password_signs_in(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let signed_in = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in");
    assert_eq!((&signed_in.account, signed_in.expires_at), (&dolma, at(12 * 60)));
    let token = signed_in.token.reveal();
    assert_eq!(fixture.store.session(token, at(1)).await, Ok(Some(dolma.clone())));
    let kept = fixture.rows("select hash from session").await;
    assert!(kept.len() == 1 && kept[0].len() == 64 && !token.contains(&kept[0]));
    let told = audit(&fixture, &dolma).await;
    assert_eq!(told[1], format!("account {} logged_in - - 192.0.2.7", dolma.id));
}

async fn a_wrong_password_an_unknown_account_and_an_inactive_one_are_one_thing(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let gone = add(&fixture, "gone", agent()).await.expect("added");
    fixture.store.deactivate_account(&gone.name, &By::OPERATOR, morning()).await.expect("deactivated");
    let long = "x".repeat(100_000);
    let tries = [
        ("dolma", "yaks on the path"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("Dolma", PASSWORD),
        ("dolma\0", PASSWORD),
        ("", ""),
        ("dolma", long.as_str()),
    ];
    for (name, password) in tries {
        assert_eq!(sign_in(&fixture, name, password, 0).await, Err(SignInError::Wrong), "{name}");
    }
    assert_eq!(fixture.rows("select hash from session").await, [""; 0]);
    let told = audit(&fixture, &dolma).await;
    assert_eq!(told[1..], ["system login_refused - wrong password 192.0.2.7"; 2]);
    let nobody = "select reason || ' ' || address from audit where subject = 'login' order by sequence";
    assert_eq!(fixture.rows(nobody).await, ["unknown account 192.0.2.7"; 4]);
    let told = audit(&fixture, &gone).await;
    assert_eq!(told[2..], ["system login_refused - account not active 192.0.2.7"]);
}

async fn five_wrong_passwords_make_an_account_wait(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    for minute in 0..5 {
        assert_eq!(sign_in(&fixture, "dolma", "yaks on the path", minute).await, Err(SignInError::Wrong));
    }
    // the wait runs from the fifth, whatever is tried while it lasts
    for (minute, wait_s) in [(4, 15 * 60), (10, 9 * 60), (18, 60)] {
        let answer = sign_in(&fixture, "dolma", PASSWORD, minute).await;
        assert_eq!(answer, Err(SignInError::Throttled { wait_s }), "{minute}");
    }
    let nearly = at(19) - TimeDelta::milliseconds(1);
    let answer = sign_in_from(&fixture.store, "dolma", PASSWORD, "198.51.100.1", nearly).await;
    assert_eq!(answer, Err(SignInError::Throttled { wait_s: 1 }), "from wherever it comes");
    assert!(sign_in(&fixture, "dolma", PASSWORD, 19).await.is_ok());
    let told = audit(&fixture, &dolma).await;
    let waiting = "system login_refused - wrong password; further tries have to wait 192.0.2.7";
    assert_eq!(told.iter().filter(|entry| *entry == waiting).count(), 1);
    assert_eq!(told.len(), 7, "made, refused five times, signed in");
}

async fn an_unknown_account_waits_as_a_known_one_does(fixture: Fixture) {
    for _ in 0..5 {
        assert_eq!(sign_in(&fixture, "nobody", PASSWORD, 0).await, Err(SignInError::Wrong));
    }
    assert_eq!(is_throttled(&sign_in(&fixture, "nobody", PASSWORD, 0).await), Some(900));
    assert_eq!(sign_in(&fixture, "somebody", PASSWORD, 0).await, Err(SignInError::Wrong));
}

async fn the_right_password_clears_the_count(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(sign_in(&fixture, "dolma", "yaks on the path", 0).await, Err(SignInError::Wrong));
        }
        assert!(sign_in(&fixture, "dolma", PASSWORD, 0).await.is_ok());
    }
}

async fn wrong_passwords_are_forgotten(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    for try_number in 0..8 {
        let answer = sign_in(&fixture, "dolma", "yaks on the path", try_number / 4 * 19 + try_number % 4).await;
        assert_eq!(answer, Err(SignInError::Wrong), "four, and four when those are forgotten");
    }
    assert!(sign_in(&fixture, "dolma", PASSWORD, 23).await.is_ok());
}

async fn an_address_that_tries_many_accounts_waits(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    let rules = Rules {
        access: AccessConfig { address_failures: 3, login_wait_minutes: 2, ..AccessConfig::default() },
        ..Rules::default()
    };
    let store = fixture.store.clone().with_rules(rules);
    let from = |address: &'static str, name: &'static str, second: i64| {
        let now = morning() + TimeDelta::seconds(second);
        let store = &store;
        async move { sign_in_from(store, name, PASSWORD, address, now).await }
    };
    for name in ["one", "two", "three"] {
        assert_eq!(from("2001:db8::1", name, 0).await, Err(SignInError::Wrong));
    }
    let waits = from("2001:db8::2", "dolma", 30).await;
    assert_eq!(waits, Err(SignInError::Throttled { wait_s: 90 }), "a neighbour in one network of IPv6");
    assert!(from("192.0.2.9", "dolma", 30).await.is_ok());
    assert!(from("2001:db8::2", "dolma", 120).await.is_ok());
}

async fn tries_at_once_are_counted_one_by_one(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    let mut tries = tokio::task::JoinSet::new();
    for guess in 0..20 {
        let store = fixture.store.clone();
        let address = format!("192.0.2.{guess}");
        tries.spawn(async move { sign_in_from(&store, "dolma", "yaks on the path", &address, morning()).await });
    }
    let answers = tries.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == Err(SignInError::Wrong)).count(), 5);
    assert_eq!(answers.iter().filter(|answer| is_throttled(answer) == Some(900)).count(), 15);
}

async fn a_session_that_nobody_uses_is_over(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let lasts =
        async |minute: i64| fixture.store.session(token.reveal(), at(minute)).await.expect("answered").is_some();
    assert!(lasts(29).await);
    assert!(lasts(58).await, "29 minutes after it was used");
    assert!(!lasts(88).await, "30 minutes after it was used");
}

async fn a_busy_session_is_over_after_half_a_day(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let lasts =
        async |minute: i64| fixture.store.session(token.reveal(), at(minute)).await.expect("answered").is_some();
    for minute in (20..12 * 60).step_by(20) {
        assert!(lasts(minute).await, "{minute}");
    }
    assert!(lasts(12 * 60 - 1).await);
    assert!(!lasts(12 * 60).await);
}

async fn use_is_noted_once_a_minute(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    for (second, seen) in [(59, 0), (60, 60), (119, 60), (125, 125)] {
        let now = morning() + TimeDelta::seconds(second);
        fixture.store.session(token.reveal(), now).await.expect("answered").expect("a session");
        let sessions = fixture.store.sessions(dolma.id, now).await.expect("answered");
        assert_eq!(sessions[0].seen_at, morning() + TimeDelta::seconds(seen), "{second}");
    }
}

async fn a_session_ends_when_it_is_asked_to(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let by = By { actor: Actor::Account(dolma.id), address: Some("192.0.2.7".to_owned()) };
    assert_eq!(fixture.store.sign_out(token.reveal(), &by, at(1)).await, Ok(true));
    assert_eq!(fixture.store.session(token.reveal(), at(1)).await, Ok(None));
    assert_eq!(fixture.store.sign_out(token.reveal(), &by, at(1)).await, Ok(false));
    let told = audit(&fixture, &dolma).await;
    assert_eq!(told[2..], [format!("account {} logged_out - - 192.0.2.7", dolma.id)]);
}

async fn sessions_end_one_by_one_or_together(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    add(&fixture, "tashi", agent()).await.expect("added");
    let mut tokens = Vec::new();
    for minute in 0..3 {
        tokens.push(sign_in(&fixture, "dolma", PASSWORD, minute).await.expect("signed in").token);
    }
    let other = sign_in(&fixture, "tashi", PASSWORD, 0).await.expect("signed in").token;
    let sessions = fixture.store.sessions(dolma.id, at(3)).await.expect("answered");
    let began: Vec<_> = sessions.iter().map(|session| session.created_at).collect();
    assert_eq!(began, [at(2), at(1), at(0)]);
    assert_eq!((sessions[0].address.as_str(), sessions[0].id.len()), ("192.0.2.7", 12));

    let end = async |id: Option<&str>| fixture.store.end_sessions(&dolma.name, id, &By::OPERATOR, at(3)).await;
    assert_eq!(end(Some(&sessions[1].id)).await, Ok(1));
    assert_eq!(end(Some(&sessions[1].id)).await, Ok(0));
    assert_eq!(fixture.store.session(tokens[1].reveal(), at(3)).await, Ok(None));
    assert!(fixture.store.session(tokens[2].reveal(), at(3)).await.expect("answered").is_some());
    assert_eq!(end(None).await, Ok(2));
    assert_eq!(fixture.store.sessions(dolma.id, at(3)).await, Ok(Vec::new()));
    assert!(fixture.store.session(other.reveal(), at(3)).await.expect("answered").is_some());
    let told = audit(&fixture, &dolma).await;
    let ended = ["operator logged_out - sessions ended: 1 -", "operator logged_out - sessions ended: 2 -"];
    assert_eq!(told[4..], ended);
}

async fn another_kind_of_token_is_no_session(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    let token = sign_in(&fixture, "dolma", PASSWORD, 0).await.expect("signed in").token;
    let as_client = token.reveal().replace("hls_", "hlc_");
    for text in ["", "hls_", "hls_%", &token.reveal()[4..], &token.reveal()[..46], as_client.as_str()] {
        assert_eq!(fixture.store.session(text, at(1)).await, Ok(None), "{text}");
    }
}

async fn a_password_is_proven_without_a_session(fixture: Fixture) {
    let dolma = add(&fixture, "dolma", agent()).await.expect("added");
    let address = "192.0.2.7".parse().expect("an address");
    let check = async |password: &str| fixture.store.check_password(&dolma.name, password, address, at(0)).await;
    assert_eq!(check(PASSWORD).await, Ok(dolma.clone()));
    assert_eq!(fixture.store.sessions(dolma.id, at(0)).await, Ok(Vec::new()));
    for _ in 0..5 {
        assert_eq!(check("yaks on the path").await, Err(SignInError::Wrong));
    }
    assert_eq!(check(PASSWORD).await, Err(SignInError::Throttled { wait_s: 900 }));
    assert_eq!(dolma.profile.role(), Role::Agent);
}

async fn what_is_over_is_swept_away(fixture: Fixture) {
    add(&fixture, "dolma", agent()).await.expect("added");
    assert!(sign_in(&fixture, "nobody", PASSWORD, 0).await.is_err());
    assert!(sign_in(&fixture, "dolma", PASSWORD, 0).await.is_ok());
    assert!(sign_in(&fixture, "dolma", PASSWORD, 10).await.is_ok());
    let rows = async || {
        let sessions = fixture.rows("select hash from session").await.len();
        (sessions, fixture.rows("select subject from login_failure").await.len())
    };
    assert_eq!(rows().await, (2, 2));
    assert!(sign_in(&fixture, "dolma", PASSWORD, 31).await.is_ok());
    assert_eq!(rows().await, (2, 0));
}
