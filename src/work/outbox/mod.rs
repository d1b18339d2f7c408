//! Sends what waits in the outbox: each target has a task of its own, so that one that is down holds up no other.

mod request;
pub mod sms;
pub mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ureq::Agent;

use crate::clock::Clock;
use crate::live::{Live, Words};
use crate::store::{Message, Store, StoreError, Target};
use request::Request;
use sms::Gateway;
use webhook::Webhook;

pub use request::BadWay;

/// One look at what is due.
const EVERY: Duration = Duration::from_secs(1);
/// After the database was away.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// The shortest and the longest time between two attempts.
const FIRST_RETRY_MS: u64 = 5_000;
const LAST_RETRY_MS: u64 = 3_600_000;

/// How messages are sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Attempts until a message is given up; twelve take two to three hours.
    pub tries: u32,
    /// For one attempt, from the name's look-up to the end of the answer.
    pub timeout_ms: u64,
    /// To one target at once.
    pub at_once: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { tries: 12, timeout_ms: 10_000, at_once: 8 }
    }
}

/// How a target is reached.
#[derive(Debug)]
enum Way {
    Webhook(Webhook),
    Sms(Box<Gateway>),
}

/// All targets there are.
#[derive(Debug, Default)]
pub struct Ways(Vec<(Target, Way)>);

impl Ways {
    /// # Errors
    /// The first key that can't be used, whole: `webhook.portal.url`.
    pub fn new(webhooks: &BTreeMap<String, webhook::Config>, sms: Option<&sms::Config>) -> Result<Ways, BadWay> {
        let mut ways = Vec::new();
        for (name, config) in webhooks {
            let webhook = Webhook::new(name, config).map_err(|bad| below(&format!("webhook.{name}"), bad))?;
            ways.push((Target::webhook(name), Way::Webhook(webhook)));
        }
        if let Some(config) = sms {
            let gateway = Gateway::new(config).map_err(|bad| below("sms", bad))?;
            ways.push((Target::sms(), Way::Sms(Box::new(gateway))));
        }
        Ok(Ways(ways))
    }
}

fn below(table: &str, bad: BadWay) -> BadWay {
    if bad.key.is_empty() {
        BadWay { key: table.to_owned(), ..bad }
    } else {
        BadWay { key: format!("{table}.{}", bad.key), ..bad }
    }
}

/// What came of one attempt.
enum Outcome {
    Taken,
    Again(String),
    /// No attempt will do better.
    Never(&'static str),
}

/// What sends.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    config: Config,
    ways: Arc<Ways>,
    agent: Agent,
    random: Arc<Mutex<StdRng>>,
}

impl Outbox {
    pub fn new(store: Store, config: Config, ways: Ways, seed: [u8; 32]) -> Outbox {
        let agent = request::agent(Duration::from_millis(config.timeout_ms));
        let random = Arc::new(Mutex::new(StdRng::from_seed(seed)));
        Outbox { store, config, ways: Arc::new(ways), agent, random }
    }

    /// Until it is cancelled. What is on its way then may be sent once more by the next start.
    pub async fn run(self, live: Arc<Live>, clock: Clock, cancelled: CancellationToken) {
        match self.give_up_strangers(clock.wall()).await {
            Ok(0) => {}
            Ok(messages) => {
                tracing::warn!(messages, "messages to targets that the configuration no longer has are given up");
            }
            Err(error) => tracing::warn!(%error, "messages to former targets could not be given up"),
        }
        let mut tasks = JoinSet::new();
        for way in 0..self.ways.0.len() {
            let outbox = self.clone();
            tasks.spawn(async move { outbox.send_on(way, clock).await });
        }
        tasks.spawn(async move { self.count_on(&live, clock).await });
        cancelled.cancelled().await;
    }

    /// Gives up what waits for a target that the configuration no longer has; gives the number of such messages.
    ///
    /// # Errors
    /// The store's.
    pub async fn give_up_strangers(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let targets: Vec<Target> = self.ways.0.iter().map(|(target, _)| target.clone()).collect();
        self.store.give_up_all_but(&targets, now).await
    }

    /// Sends once what is due now, to every target; gives the number of attempts.
    pub async fn pass(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let mut attempts = 0;
        for way in 0..self.ways.0.len() {
            attempts += self.send(way, now).await?;
        }
        Ok(attempts)
    }

    async fn send_on(&self, way: usize, clock: Clock) {
        loop {
            let wait = match self.send(way, clock.wall()).await {
                Ok(0) => EVERY,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(error = %error, "the outbox can't be read or written");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Leases what is due for this target and sends it, all at once.
    async fn send(&self, way: usize, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let target = &self.ways.0[way].0;
        let until = now + self.lease();
        let messages = self.store.lease_messages(target, self.config.at_once, now, until).await?;
        let mut sending = JoinSet::new();
        for message in messages {
            let outbox = self.clone();
            sending.spawn(async move { outbox.send_one(way, &message, now).await });
        }
        let mut ended = Ok(sending.len());
        while let Some(sent) = sending.join_next().await {
            // the others go on to their end: what is sent has to be marked
            let sent = sent.unwrap_or_else(|error| Err(StoreError::Database(error.to_string())));
            ended = sent.and(ended);
        }
        ended
    }

    /// Longer than any attempt.
    fn lease(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(self.config.timeout_ms).unwrap_or(i64::MAX / 4)) + TimeDelta::seconds(50)
    }

    async fn send_one(&self, way: usize, message: &Message, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (target, way) = &self.ways.0[way];
        let outcome = self.attempt(way, message, now).await?;
        let count = |name: &'static str| metrics::counter!(name, "target" => target.name.clone()).increment(1);
        let (error, next) = match outcome {
            Outcome::Taken => {
                count("hotline_outbox_delivered_total");
                return self.store.message_delivered(&message.id, now).await;
            }
            Outcome::Again(error) if message.attempts < self.config.tries => {
                (error, Some(now + retry_after(message.attempts, self.chance())))
            }
            Outcome::Again(error) => (error, None),
            Outcome::Never(error) => (error.to_owned(), None),
        };
        count("hotline_outbox_failed_total");
        if next.is_none() {
            count("hotline_outbox_dead_total");
            tracing::error!(message = message.id, target = target.name, why = error, "a message is given up");
        } else {
            tracing::debug!(message = message.id, target = target.name, why = error, "a message was not taken");
        }
        self.store.message_failed(message, &error, next, now).await
    }

    async fn attempt(&self, way: &Way, message: &Message, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let request = match way {
            Way::Webhook(webhook) => webhook.request(message, now),
            Way::Sms(gateway) => {
                let Some(ticket) = message.ticket else { return Ok(Outcome::Never("it is about no ticket")) };
                let Some(to) = self.store.addressee(ticket).await? else {
                    return Ok(Outcome::Never("the ticket has no number"));
                };
                let Some(request) = gateway.request(message, ticket, &to) else {
                    return Ok(Outcome::Never("there is no text for it"));
                };
                request
            }
        };
        Ok(self.ask(request).await.map_or_else(Outcome::Again, |()| Outcome::Taken))
    }

    async fn ask(&self, request: Request) -> Result<(), String> {
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || request.send(&agent)).await;
        asked.unwrap_or_else(|_| Err("the attempt broke off".to_owned()))
    }

    fn chance(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random()
    }

    async fn count_on(&self, live: &Live, clock: Clock) {
        loop {
            if let Err(error) = self.count(live, clock.wall()).await {
                tracing::warn!(error = %error, "the outbox can't be counted");
            }
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }

    /// Exports how the targets stand. A far side that is down makes no service unready: nothing is lost.
    async fn count(&self, live: &Live, now: DateTime<Utc>) -> Result<(), StoreError> {
        let counted = self.store.message_counts().await?;
        let idle = self.ways.0.iter().map(|(target, _)| target);
        for target in idle.filter(|target| !counted.iter().any(|counts| counts.target == **target)) {
            export(&target.name, 0, 0, 0);
        }
        let (mut waiting, mut dead, mut oldest_s) = (0, 0, 0);
        for counts in counted {
            let age_s = counts.oldest.map_or(0, |oldest| (now - oldest).num_seconds().max(0));
            export(&counts.target.name, counts.waiting, age_s, counts.dead);
            waiting += counts.waiting;
            dead += counts.dead;
            oldest_s = oldest_s.max(age_s);
        }
        let detail = format!("{waiting} messages wait, the oldest for {oldest_s} s; {dead} were given up");
        live.report("outbox", true, Words::new(detail).said("outbox_waits", &[&waiting, &oldest_s, &dead]));
        Ok(())
    }
}

fn export(target: &str, waiting: u64, oldest_s: i64, dead: u64) {
    for (name, value) in [
        ("hotline_outbox_waiting", waiting as f64),
        ("hotline_outbox_oldest_seconds", oldest_s as f64),
        ("hotline_outbox_given_up", dead as f64),
    ] {
        metrics::gauge!(name, "target" => target.to_owned()).set(value);
    }
}

/// After so many attempts; `chance` from 0 to 1. Doubles from 10 s to an hour, of which the last half is by chance, so
/// that a far side which comes back is not met by everything at once.
fn retry_after(attempts: u32, chance: f64) -> TimeDelta {
    let doubled = (2 * FIRST_RETRY_MS).saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let half = doubled.min(LAST_RETRY_MS) / 2;
    let ms = half + (half as f64 * chance) as u64;
    TimeDelta::milliseconds(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_go_from_five_seconds_to_an_hour() {
        let seconds = |attempts, chance| retry_after(attempts, chance).num_seconds();
        assert_eq!((seconds(1, 0.0), seconds(1, 1.0)), (5, 10));
        assert_eq!((seconds(2, 0.0), seconds(2, 1.0)), (10, 20));
        assert_eq!((seconds(12, 0.0), seconds(12, 1.0)), (1_800, 3_600));
        assert_eq!((seconds(u32::MAX, 0.5), seconds(0, 0.0)), (2_700, 5));
        for attempts in 1..40 {
            assert!(seconds(attempts, 0.0) <= seconds(attempts + 1, 0.0));
        }
    }
}
