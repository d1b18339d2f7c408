//! What is kept for a while only.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::clock::Clock;
use hotline::store::Purged;
use hotline::work::outbox::{self, Outbox, Ways, webhook};
use hotline::work::retention::{Config, Retention};

use crate::fixture::{Fixture, morning, on_each_database};

on_each_database!(
    what_is_old_is_deleted_and_what_waits_or_was_given_up_stays,
    messages_to_a_webhook_that_is_gone_are_given_up,
);

/// As both databases read it.
fn text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// A message in the outbox; `time` is that of one column.
async fn message(fixture: &Fixture, id: &str, target: &str, column: &str, time: DateTime<Utc>) {
    let at = text(morning());
    let sql = format!(
        "insert into outbox (id, kind, target, version, event, body, created_at, attempts, {column}) \
         values ('{id}', 'webhook', '{target}', 0, 'ticket.created', '{{}}', '{at}', 0, '{}')",
        text(time)
    );
    fixture.execute(&sql).await;
}

async fn what_is_old_is_deleted_and_what_waits_or_was_given_up_stays(fixture: Fixture) {
    let now = morning() + TimeDelta::days(100);
    let ago = |days: i64, seconds: i64| now - TimeDelta::days(days) - TimeDelta::seconds(seconds);
    for number in 0..1_201 {
        message(&fixture, &format!("old-{number}"), "portal", "delivered_at", ago(30, 1 + number)).await;
    }
    message(&fixture, "young", "portal", "delivered_at", ago(30, -1)).await;
    message(&fixture, "waiting", "portal", "next_at", ago(99, 0)).await;
    message(&fixture, "dead", "portal", "dead_at", ago(99, 0)).await;
    for (client, key, at) in [("a", "1", ago(2, 1)), ("b", "1", ago(2, 1)), ("a", "2", ago(2, -1))] {
        let at = text(at);
        let sql = format!("insert into idempotency (client, key, body, at) values ('{client}', '{key}', '', '{at}')");
        fixture.execute(&sql).await;
    }
    let audit = fixture.rows("select subject || sequence from audit order by 1").await;
    let retention = Retention { store: fixture.store.clone(), config: Config::default(), clock: Clock::start() };
    let purged = retention.look(now).await.expect("deleted");
    assert_eq!(purged, Purged { messages: 1_201, keys: 2 });
    assert_eq!(fixture.rows("select id from outbox order by id").await, ["dead", "waiting", "young"]);
    assert_eq!(fixture.rows("select client || key from idempotency").await, ["a2"]);
    assert_eq!(fixture.rows("select subject || sequence from audit order by 1").await, audit);
    assert_eq!(retention.look(now).await.expect("deleted"), Purged::default());
}

async fn messages_to_a_webhook_that_is_gone_are_given_up(fixture: Fixture) {
    let config = webhook::Config {
        url: "http://127.0.0.1:9/".to_owned(),
        secret: Some("a secret of a test".to_owned().into()),
        secret_file: None,
        events: Vec::new(),
    };
    let ways = Ways::new(&BTreeMap::from([("portal".to_owned(), config)]), None).expect("usable");
    let outbox = Outbox::new(fixture.store.clone(), outbox::Config::default(), ways, [7; 32]);
    message(&fixture, "kept", "portal", "next_at", morning()).await;
    message(&fixture, "lost", "archive", "next_at", morning()).await;
    message(&fixture, "sent", "archive", "delivered_at", morning()).await;
    assert_eq!(outbox.give_up_strangers(morning()).await, Ok(1));
    assert_eq!(outbox.give_up_strangers(morning()).await, Ok(0));
    let dead = fixture.rows("select id || ': ' || error from outbox where dead_at is not null").await;
    assert_eq!(dead, ["lost: the configuration has no such target any more"]);
    assert_eq!(fixture.rows("select id from outbox where next_at is not null").await, ["kept"]);
}
