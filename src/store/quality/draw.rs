//! Which tickets of a week are looked at.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::bounds;
use crate::city::City;
use crate::store::row::{micros, text};
use crate::store::{Store, StoreError, Transaction, on};
use crate::ticket::quality::{Candidate, ReviewState, Why, sample};
use crate::ticket::{AccountId, Actor, Number, ReviewId};

/// Whoever did this with a request handled it.
const HANDLED: &str = "action in ('dispatched', 'answered') and actor like 'account %'";

impl Store {
    /// Draws the tickets of a week that is over, by its Monday, for every city that has not got it yet: the random ones of each
    /// person, and all whose requester was dissatisfied in that week. A second time draws nothing. Gives how many.
    ///
    /// # Errors
    /// The database's; cities that were drawn until then stay drawn.
    pub async fn draw_reviews(&self, week: NaiveDate, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut drawn = 0;
        for city in City::ALL {
            drawn += self.draw_city(city, week, now).await?;
        }
        Ok(drawn)
    }

    async fn draw_city(&self, city: City, week: NaiveDate, now: DateTime<Utc>) -> Result<u64, StoreError> {
        const ONCE: &str =
            "insert into review_week (city, week, drawn_at) values ($1, $2, $3) on conflict (city, week) do nothing";
        let mut transaction = self.begin().await?;
        let new = on!(&mut transaction, transaction => sqlx::query(ONCE)
            .bind(city.slug())
            .bind(week)
            .bind(micros(now))
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if new == 0 {
            return Ok(0);
        }
        let dissatisfied = dissatisfied(&mut transaction, city, week).await?;
        let candidates = handled(&mut transaction, city, week).await?;
        let random = sample(week, city, &candidates, &self.rules.quality);
        let mut drawn = 0;
        for ticket in dissatisfied {
            let person = handler(&mut transaction, ticket).await?;
            drawn += insert(&mut transaction, city, week, ticket, person, Why::Dissatisfied, now).await?;
        }
        for one in random {
            drawn += insert(&mut transaction, city, week, one.ticket, Some(one.person), Why::Random, now).await?;
        }
        transaction.commit().await?;
        Ok(drawn)
    }
}

/// Tickets that somebody of the hotline dispatched or answered in the week, with whoever was first.
async fn handled(transaction: &mut Transaction, city: City, week: NaiveDate) -> Result<Vec<Candidate>, StoreError> {
    let sql = format!(
        "select subject, actor from audit where {HANDLED} and at >= $1 and at < $2 and substr(subject, 1, 1) = $3 \
         order by at, subject, sequence"
    );
    let (from, to) = bounds(week);
    let rows: Vec<(String, String)> = on!(transaction, transaction => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(from)
        .bind(to)
        .bind(city.digit().to_string())
        .fetch_all(&mut **transaction)
        .await)?;
    let mut first: BTreeMap<Number, AccountId> = BTreeMap::new();
    for (ticket, actor) in rows {
        if let Actor::Account(person) = text("audit.actor", &actor)? {
            first.entry(text("audit.subject", &ticket)?).or_insert(person);
        }
    }
    Ok(first.into_iter().map(|(ticket, person)| Candidate { ticket, person }).collect())
}

async fn dissatisfied(transaction: &mut Transaction, city: City, week: NaiveDate) -> Result<Vec<Number>, StoreError> {
    const SQL: &str = "select distinct ticket from visit where answered_at >= $1 and answered_at < $2 and satisfaction <= 2 \
         and substr(ticket, 1, 1) = $3 order by ticket";
    let (from, to) = bounds(week);
    let tickets: Vec<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(from)
        .bind(to)
        .bind(city.digit().to_string())
        .fetch_all(&mut **transaction)
        .await)?;
    tickets.iter().map(|ticket| text("visit.ticket", ticket)).collect()
}

/// Whoever of the hotline first dispatched or answered the ticket, whenever that was.
async fn handler(transaction: &mut Transaction, ticket: Number) -> Result<Option<AccountId>, StoreError> {
    let sql = format!("select actor from audit where subject = $1 and {HANDLED} order by sequence limit 1");
    let actor: Option<String> = on!(transaction, transaction => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(ticket.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    match actor.map(|actor| text("audit.actor", &actor)).transpose()? {
        Some(Actor::Account(person)) => Ok(Some(person)),
        _ => Ok(None),
    }
}

async fn insert(
    transaction: &mut Transaction,
    city: City,
    week: NaiveDate,
    ticket: Number,
    person: Option<AccountId>,
    why: Why,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    const SQL: &str = "insert into review (id, ticket, city, week, why, person, unit, state, drawn_at) \
         values ($1, $2, $3, $4, $5, $6, (select lead_unit from ticket where number = $2), $7, $8) \
         on conflict (ticket, week) do nothing";
    Ok(on!(transaction, transaction => sqlx::query(SQL)
        .bind(id(ticket, week).to_string())
        .bind(ticket.to_string())
        .bind(city.slug())
        .bind(week)
        .bind(why.name())
        .bind(person.map(|person| person.to_string()))
        .bind(ReviewState::Open.name())
        .bind(micros(now))
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?)
}

/// A ticket is looked at once a week: the two make the id.
fn id(ticket: Number, week: NaiveDate) -> ReviewId {
    let hash = Sha256::digest(format!("{ticket} {week}"));
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    ReviewId::new(bounds(week).0, random)
}
