//! Messages arrive: in order, once after success, again after any failure, and never lost.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::store::{MessageState, Order, Rules, Store, Subscriber, Target};
use hotline::ticket::{Action, Actor, Command, Number, Side};
use hotline::work::outbox::{Config, Outbox, Ways, sms, webhook};
use sha2::{Digest, Sha256};

use crate::far_side::FarSide;
use crate::fixture::{Fixture, morning, on_each_database, ticket};

on_each_database!(
    a_change_is_posted_signed_with_its_own_id,
    only_the_events_that_were_asked_for_are_sent,
    while_the_far_side_is_down_nothing_is_lost_and_afterwards_nothing_comes_twice,
    a_tickets_events_come_in_order,
    what_is_refused_twelve_times_is_given_up_until_somebody_sends_it_again,
    a_worker_that_dies_after_sending_sends_again_under_the_same_id,
    two_workers_take_every_message_once,
    a_redirect_is_not_followed,
    an_sms_goes_to_the_requester_in_the_tickets_language,
    an_sms_is_taken_only_with_the_words_that_say_so,
    a_withheld_number_is_told_nothing,
    messages_are_listed_a_page_at_a_time,
);

const SECRET: &str = "a secret of a test";

fn with_webhook(store: &Store, events: &[&str]) -> Store {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    let webhooks = vec![Subscriber { name: "portal".to_owned(), events }];
    store.clone().with_rules(Rules { webhooks, ..Rules::default() })
}

fn worker(store: &Store, side: &FarSide) -> Outbox {
    let config = webhook::Config {
        url: side.url.clone(),
        secret: Some(SECRET.to_owned().into()),
        secret_file: None,
        events: Vec::new(),
    };
    let ways = Ways::new(&BTreeMap::from([("portal".to_owned(), config)]), None).expect("usable");
    Outbox::new(store.clone(), Config::default(), ways, [7; 32])
}

fn gateway(side: &FarSide, answer_contains: Option<&str>) -> sms::Config {
    sms::Config {
        url: format!("{}?to={{phone}}", side.url),
        method: sms::Method::Post,
        encoding: sms::Encoding::Json,
        headers: BTreeMap::new(),
        body: "{\"to\":\"{phone}\",\"text\":\"{text}\"}".to_owned(),
        secret: None,
        secret_file: None,
        answer_contains: answer_contains.map(str::to_owned),
        texts: BTreeMap::new(),
    }
}

fn sms_worker(store: &Store, side: &FarSide, answer_contains: Option<&str>) -> (Store, Outbox) {
    let store = store.clone().with_rules(Rules { sms: true, ..Rules::default() });
    let ways = Ways::new(&BTreeMap::new(), Some(&gateway(side, answer_contains))).expect("usable");
    (store.clone(), Outbox::new(store, Config::default(), ways, [7; 32]))
}

/// A ticket of a call of that number.
async fn submit(fixture: &Fixture, store: &Store, number: u32) -> Number {
    let call = fixture.call(number).await;
    store.submit_ticket(&ticket(&call), morning()).await.expect("submitted").number
}

async fn order(store: &Store, number: Number, command: Command, now: DateTime<Utc>) {
    let order = Order { number, version: None, command, actor: Actor::Operator, side: Side::Hotline, address: None };
    store.execute(&order, now).await.expect("carried out");
}

async fn withdraw(store: &Store, number: Number, now: DateTime<Utc>) {
    order(store, number, Command::Withdraw { why: "a neighbour helped".parse().expect("a text") }, now).await;
}

/// Sends until nothing is due.
async fn send_all(outbox: &Outbox, now: DateTime<Utc>) {
    while outbox.pass(now).await.expect("the store answers") > 0 {}
}

/// HMAC by its definition (RFC 2104), not by the library that is tested.
fn hmac(secret: &str, text: &str) -> String {
    let pad = |with: u8| {
        let mut key = [with; 64];
        key.iter_mut().zip(secret.bytes()).for_each(|(byte, secret)| *byte ^= secret);
        key
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn a_change_is_posted_signed_with_its_own_id(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    let number = submit(&fixture, &store, 1).await;
    send_all(&worker(&store, &side), morning() + TimeDelta::seconds(3)).await;
    let received = side.received();
    let [request] = received.as_slice() else { panic!("{received:?}") };
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(request.line, "POST /hook");
    assert_eq!(header("x-hotline-event"), "ticket.created");
    assert_eq!(header("x-hotline-delivery"), format!("{number}-1-portal"));
    assert_eq!(header("x-hotline-timestamp"), (morning().timestamp() + 3).to_string());
    let signed = format!("{}.{}", header("x-hotline-timestamp"), request.body);
    assert_eq!(header("x-hotline-signature"), format!("v1={}", hmac(SECRET, &signed)));
    let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!((&body["event"], &body["number"]), (&"ticket.created".into(), &number.to_string().into()));
    assert!(!request.body.contains("138"), "no phone: {}", request.body);
}

async fn only_the_events_that_were_asked_for_are_sent(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &["ticket.state_changed"]), FarSide::start());
    let number = submit(&fixture, &store, 1).await;
    withdraw(&store, number, morning()).await;
    send_all(&worker(&store, &side), morning()).await;
    assert_eq!(side.deliveries(), [format!("{number}-2-portal")]);
}

async fn while_the_far_side_is_down_nothing_is_lost_and_afterwards_nothing_comes_twice(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    let mut expected = Vec::new();
    for number in 1..=20 {
        expected.push(format!("{}-1-portal", submit(&fixture, &store, number).await));
    }
    let outbox = worker(&store, &side);
    side.answer(&["503 Busy"; 40]);
    send_all(&outbox, morning()).await;
    send_all(&outbox, morning() + TimeDelta::seconds(10)).await;
    let counts = store.message_counts().await.expect("counted").remove(0);
    assert_eq!((counts.target, counts.waiting, counts.dead), (Target::webhook("portal"), 20, 0));
    assert_eq!(counts.oldest, Some(morning()));
    assert_eq!(side.received().len(), 40);
    send_all(&outbox, morning() + TimeDelta::minutes(1)).await;
    send_all(&outbox, morning() + TimeDelta::days(1)).await;
    let mut delivered = side.deliveries().split_off(40);
    delivered.sort();
    expected.sort();
    assert_eq!(delivered, expected);
    assert_eq!(store.message_counts().await, Ok(Vec::new()));
}

async fn a_tickets_events_come_in_order(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    let (one, two) = (submit(&fixture, &store, 1).await, submit(&fixture, &store, 2).await);
    for number in [one, two] {
        withdraw(&store, number, morning()).await;
    }
    side.answer(&["500 Broken"]);
    let outbox = worker(&store, &side);
    assert_eq!(outbox.pass(morning()).await, Ok(2), "the second event of neither ticket");
    send_all(&outbox, morning()).await;
    assert_eq!(side.received().len(), 3, "one ticket goes on, the other waits for its first event");
    let later = morning() + TimeDelta::minutes(1);
    send_all(&outbox, later).await;
    let deliveries = side.deliveries();
    for number in [one, two] {
        let last = |version: u32| deliveries.iter().rposition(|id| *id == format!("{number}-{version}-portal"));
        assert!(last(1).expect("sent") < last(2).expect("sent"), "{deliveries:?}");
    }
    assert_eq!(deliveries.len(), 5);
}

async fn what_is_refused_twelve_times_is_given_up_until_somebody_sends_it_again(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    let number = submit(&fixture, &store, 1).await;
    withdraw(&store, number, morning()).await;
    let outbox = worker(&store, &side);
    side.answer(&["400 Bad Request"; 12]);
    let mut now = morning();
    for _ in 0..12 {
        send_all(&outbox, now).await;
        now += TimeDelta::hours(1);
    }
    let id = format!("{number}-1-portal");
    let dead = store.messages(MessageState::Dead, 10, None).await.expect("listed").items;
    let [message] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((message.id.as_str(), message.attempts, message.next_at), (id.as_str(), 12, None));
    assert_eq!(message.error.as_deref(), Some("answered 400"));
    assert_eq!(side.deliveries().last(), Some(&format!("{number}-2-portal")), "the next event need not wait for it");
    send_all(&outbox, now + TimeDelta::days(1)).await;
    assert_eq!(side.received().len(), 13, "a dead message stays where it is");

    assert_eq!(store.retry_message("nothing", Actor::Operator, None, now).await, Ok(false));
    assert_eq!(store.retry_message(&id, Actor::Operator, Some("192.0.2.1"), now).await, Ok(true));
    assert_eq!(store.retry_message(&id, Actor::Operator, None, now).await, Ok(false), "it is no longer dead");
    let acts = fixture.rows(&format!("select action from audit where subject = 'message {id}'")).await;
    assert_eq!(acts, [Action::Changed.name()]);
    send_all(&outbox, now).await;
    assert_eq!(side.deliveries().last(), Some(&id));
    assert_eq!(store.message_counts().await, Ok(Vec::new()));
}

async fn a_worker_that_dies_after_sending_sends_again_under_the_same_id(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    submit(&fixture, &store, 1).await;
    let until = morning() + TimeDelta::minutes(1);
    let leased = store.lease_messages(&Target::webhook("portal"), 8, morning(), until).await.expect("leased");
    let [message] = leased.as_slice() else { panic!("{leased:?}") };
    let outbox = worker(&store, &side);
    send_all(&outbox, until - TimeDelta::microseconds(1)).await;
    assert_eq!(side.received().len(), 0, "it may still be on its way");
    send_all(&outbox, until).await;
    assert_eq!(side.deliveries(), std::slice::from_ref(&message.id));
    store.message_failed(message, "late", None, until).await.expect("written");
    assert_eq!(store.message_counts().await, Ok(Vec::new()), "what is delivered stays delivered");
}

async fn two_workers_take_every_message_once(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    for number in 1..=30 {
        submit(&fixture, &store, number).await;
    }
    let other = with_webhook(&fixture.reopen().await.expect("the store opens"), &[]);
    let (one, two) = (worker(&store, &side), worker(&other, &side));
    tokio::join!(send_all(&one, morning()), send_all(&two, morning()));
    let mut deliveries = side.deliveries();
    deliveries.sort();
    deliveries.dedup();
    assert_eq!((deliveries.len(), side.received().len()), (30, 30));
}

async fn a_redirect_is_not_followed(fixture: Fixture) {
    let (store, side) = (with_webhook(&fixture.store, &[]), FarSide::start());
    submit(&fixture, &store, 1).await;
    side.answer(&[&format!("307 Elsewhere\r\nLocation: {}", side.url)]);
    send_all(&worker(&store, &side), morning()).await;
    assert_eq!(side.received().len(), 1);
    let waiting = store.messages(MessageState::Waiting, 10, None).await.expect("listed").items;
    assert_eq!(waiting[0].error.as_deref(), Some("answered 307"));
}

async fn an_sms_goes_to_the_requester_in_the_tickets_language(fixture: Fixture) {
    let side = FarSide::start();
    let (store, outbox) = sms_worker(&fixture.store, &side, None);
    let number = submit(&fixture, &store, 1).await;
    withdraw(&store, number, morning()).await;
    send_all(&outbox, morning()).await;
    let received = side.received();
    let [request] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(request.line, "POST /hook?to=13800000001");
    let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!(body["to"], "13800000001");
    let text = body["text"].as_str().expect("a text");
    assert!(text.contains(&number.to_string()) && text.contains("ཕྱིར་འཐེན"), "{text}");
}

async fn an_sms_is_taken_only_with_the_words_that_say_so(fixture: Fixture) {
    let side = FarSide::start();
    let (store, outbox) = sms_worker(&fixture.store, &side, Some("\"code\":0"));
    let number = submit(&fixture, &store, 1).await;
    withdraw(&store, number, morning()).await;
    side.answer(&["200 OK\n\n{\"code\":7}", "200 OK\n\n{\"code\":0}"]);
    send_all(&outbox, morning()).await;
    let waiting = store.messages(MessageState::Waiting, 10, None).await.expect("listed").items;
    assert_eq!(waiting[0].error.as_deref(), Some("answered 200 without the words that mean success"));
    send_all(&outbox, morning() + TimeDelta::seconds(10)).await;
    assert_eq!(store.message_counts().await, Ok(Vec::new()));
}

async fn a_withheld_number_is_told_nothing(fixture: Fixture) {
    let side = FarSide::start();
    let (store, outbox) = sms_worker(&fixture.store, &side, None);
    let number = submit(&fixture, &store, 1).await;
    withdraw(&store, number, morning()).await;
    fixture.execute("update ticket set phone = null").await;
    send_all(&outbox, morning()).await;
    assert_eq!(side.received().len(), 0);
    let dead = store.messages(MessageState::Dead, 10, None).await.expect("listed").items;
    assert_eq!(dead[0].error.as_deref(), Some("the ticket has no number"));
}

async fn messages_are_listed_a_page_at_a_time(fixture: Fixture) {
    let store = with_webhook(&fixture.store, &[]);
    for number in 1..=5 {
        submit(&fixture, &store, number).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.messages(MessageState::Waiting, 2, cursor.as_ref()).await.expect("listed");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|message| message.id));
        match page.next {
            Some(next) => cursor = Some(next.to_string().parse().expect("a cursor")),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (5, &sorted));
    assert_eq!(store.messages(MessageState::Dead, 2, None).await.expect("listed").items, []);
}
