//! The code beside the password.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::access::Role;
use hotline::store::{By, NotSetUp, OtpSecret, Profile, SignInError, SignedIn, Stage, Store};

use crate::accounts::{add, audit};
use crate::fixture::{Fixture, morning, on_each_database};
use crate::sessions::{PASSWORD, sign_in};

on_each_database!(
    a_role_that_needs_one_sets_it_up_before_anything_else,
    a_code_is_taken_once_however_many_send_it_at_once,
    half_a_session_is_over_after_ten_minutes,
    it_is_taken_away_with_all_sessions,
);

const ADDRESS: &str = "192.0.2.7";

fn at(minute: i64) -> DateTime<Utc> {
    morning() + TimeDelta::minutes(minute)
}

fn supervisor() -> Profile {
    let name = "丹增".parse().expect("a name");
    Profile::new(name, Role::Supervisor, None, [hotline::city::City::Lhasa].into(), false).expect("a profile")
}

async fn prove(store: &Store, token: &str, code: &str, minute: i64, random: u8) -> Result<SignedIn, SignInError> {
    store.prove_code(token, code, ADDRESS.parse().expect("an address"), at(minute), [random; 32]).await
}

async fn set_up(fixture: &Fixture, secret: &OtpSecret, minute: i64) -> SignedIn {
    let half = sign_in(fixture, "tenzin", PASSWORD, minute).await.expect("the password is right");
    assert_eq!(half.stage, Stage::Setup);
    let (address, code) = (ADDRESS.parse().expect("an address"), secret.code(at(minute)));
    let set = fixture.store.set_up_second_factor(half.token.reveal(), secret, &code, address, at(minute), [201; 32]);
    set.await.expect("it is set up")
}

async fn a_role_that_needs_one_sets_it_up_before_anything_else(fixture: Fixture) {
    let tenzin = add(&fixture, "tenzin", supervisor()).await.expect("added");
    let secret = OtpSecret::new([5; 20]);
    let half = sign_in(&fixture, "tenzin", PASSWORD, 0).await.expect("the password is right");
    let token = half.token.reveal();
    assert_eq!(fixture.store.session(token, at(0)).await, Ok(None));
    let waits = fixture.store.half_session(token, at(0)).await.expect("read");
    assert_eq!(waits.map(|(account, stage)| (account.id, stage)), Some((tenzin.id, Stage::Setup)));
    let address = ADDRESS.parse().expect("an address");
    let wrong = fixture.store.set_up_second_factor(token, &secret, "000000", address, at(0), [200; 32]).await;
    assert_eq!(wrong.err(), Some(NotSetUp::WrongCode));
    let none = fixture.store.set_up_second_factor("hls_none", &secret, "000000", address, at(0), [200; 32]).await;
    assert_eq!(none.err(), Some(NotSetUp::NoSession));

    let whole = set_up(&fixture, &secret, 1).await;
    assert_ne!(whole.token, half.token);
    let account = fixture.store.session(whole.token.reveal(), at(1)).await.expect("read").expect("a session");
    assert!(account.second_factor);
    let told = audit(&fixture, &tenzin).await;
    assert!(told[1].contains("changed") && told[2].contains("logged_in"), "{told:?}");
    assert_eq!(fixture.rows("select otp_secret from account").await, [secret.reveal()]);
}

async fn a_code_is_taken_once_however_many_send_it_at_once(fixture: Fixture) {
    add(&fixture, "tenzin", supervisor()).await.expect("added");
    let secret = OtpSecret::new([5; 20]);
    set_up(&fixture, &secret, 0).await;
    let code = secret.code(at(1));
    let mut tries = tokio::task::JoinSet::new();
    for random in 0..4 {
        let half = sign_in(&fixture, "tenzin", PASSWORD, 1).await.expect("the password is right");
        assert_eq!(half.stage, Stage::Code);
        let (store, code) = (fixture.store.clone(), code.clone());
        tries.spawn(async move { prove(&store, half.token.reveal(), &code, 1, random).await.is_ok() });
    }
    let taken = tries.join_all().await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
}

async fn half_a_session_is_over_after_ten_minutes(fixture: Fixture) {
    add(&fixture, "tenzin", supervisor()).await.expect("added");
    let secret = OtpSecret::new([5; 20]);
    set_up(&fixture, &secret, 0).await;
    let half = sign_in(&fixture, "tenzin", PASSWORD, 1).await.expect("the password is right");
    let late = prove(&fixture.store, half.token.reveal(), &secret.code(at(11)), 11, 1).await;
    assert_eq!(late.err(), Some(SignInError::Wrong));
    let in_time = prove(&fixture.store, half.token.reveal(), &secret.code(at(10)), 10, 2).await;
    let whole = in_time.expect("it is in time");
    assert_eq!(whole.expires_at, at(10 + 12 * 60), "it begins when it is whole");
    assert_eq!(prove(&fixture.store, whole.token.reveal(), "000000", 10, 3).await.err(), Some(SignInError::Wrong));
}

async fn it_is_taken_away_with_all_sessions(fixture: Fixture) {
    let tenzin = add(&fixture, "tenzin", supervisor()).await.expect("added");
    let secret = OtpSecret::new([5; 20]);
    let whole = set_up(&fixture, &secret, 0).await;
    let remove = || fixture.store.remove_second_factor(&tenzin.name, &By::OPERATOR, at(1));
    assert_eq!((remove().await, remove().await), (Ok(true), Ok(false)));
    assert_eq!(fixture.store.session(whole.token.reveal(), at(1)).await, Ok(None));
    let half = sign_in(&fixture, "tenzin", PASSWORD, 2).await.expect("the password is right");
    assert_eq!(half.stage, Stage::Setup);
}
