//! Likely repeats: tickets of the same caller or about the same matter, found by the indexes of phones, classes with
//! places, and words. Whoever reads them decides; nothing is merged by itself.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::follow_up::words_in;
use super::row::micros;
use super::ticket_row::{self, TicketRow};
use super::{Store, StoreError, on};
use crate::clock::beijing_day;
use crate::phone::Phone;
use crate::ticket::likeness::{Parts, compare, is_hidden};
use crate::ticket::{ClassCode, Line, Number, State, Ticket};

/// Candidates of one way to find them; of all three ways together there are at most 200.
const BY_PHONE: i64 = 50;
const BY_PLACE: i64 = 50;
const BY_WORDS: i64 = 100;
/// A word that more tickets of the window have tells nothing.
const COMMON: i64 = 200;
/// So many of the rarest words are looked up.
const RAREST: usize = 8;

/// A ticket that may be about the same, and why it is proposed. Nothing here tells who called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    pub number: Number,
    pub state: State,
    pub created_at: DateTime<Utc>,
    pub class: Option<ClassCode>,
    /// Title and place are left out of a shielded ticket: they may tell its caller.
    pub title: Option<Line>,
    pub place: Option<Line>,
    pub parts: Parts,
    /// The sum of the parts, of 1000.
    pub score: u32,
    /// Its caller is for named people only.
    pub shielded: bool,
}

/// Why nothing is proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMatched {
    #[error("no ticket has this number")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Tickets of the same city, made in the window up to now, that this one likely repeats or that repeat it; best
    /// first. Merged and withdrawn tickets and those that are marked as its repeats already are left out.
    pub async fn likely_repeats(&self, number: Number, now: DateTime<Utc>) -> Result<Vec<Likely>, NotMatched> {
        let ticket = self.ticket_alone(number).await?.ok_or(NotMatched::Unknown)?;
        let config = &self.rules.matching;
        let since = micros(config.since(now));
        let words = words_in(&ticket);
        let mut found = BTreeSet::new();
        found.extend(self.by_phone(&ticket, since).await?);
        found.extend(self.by_place(&ticket, since).await?);
        found.extend(self.by_words(&ticket, &words, since).await?);
        found.remove(&number.to_string());
        let window = TimeDelta::days(config.window_days.into());
        let mut likely: Vec<Likely> = self
            .tickets_of(&found)
            .await?
            .into_iter()
            .filter(|other| is_proposed(&ticket, other, since))
            .map(|other| {
                let parts = compare((&ticket, &words), (&other, &words_in(&other)), window);
                Likely::of(other, parts)
            })
            .filter(|likely| likely.score >= config.least_score)
            .collect();
        likely.sort_by(|one, other| other.score.cmp(&one.score).then(other.created_at.cmp(&one.created_at)));
        likely.truncate(config.most);
        Ok(likely)
    }

    /// A ticket of a hidden caller is neither found by its number nor finds others by it.
    async fn by_phone(&self, ticket: &Ticket, since: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "select number from ticket where phone = $1 and created_at >= $2 and city = $3 \
             and not confidential and not anonymous and request_type <> 'report' order by created_at desc limit $4";
        let mut found = Vec::new();
        if is_hidden(ticket) {
            return Ok(found);
        }
        for phone in ticket.phone.iter().chain(&ticket.other_phone) {
            found.extend::<Vec<String>>(on!(&self.read, pool => sqlx::query_scalar(SQL)
                .bind(Phone::digits(phone))
                .bind(since)
                .bind(ticket.city.slug())
                .bind(BY_PHONE / 2)
                .fetch_all(pool)
                .await)?);
        }
        Ok(found)
    }

    async fn by_place(&self, ticket: &Ticket, since: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "select number from ticket where class = $1 and place_key = $2 and created_at >= $3 \
             and city = $4 order by created_at desc limit $5";
        let (Some(class), Some(place)) = (ticket.matter.class, ticket.matter.place_key()) else {
            return Ok(Vec::new());
        };
        Ok(on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(class.to_string())
            .bind(place)
            .bind(since)
            .bind(ticket.city.slug())
            .bind(BY_PLACE)
            .fetch_all(pool)
            .await)?)
    }

    /// By the rarest of its words. A number begins with the digit of its city and its day, so that the index of words is
    /// read for city and window alone.
    async fn by_words(
        &self,
        ticket: &Ticket,
        words: &BTreeSet<String>,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        const SQL_END: &str = " group by ticket order by count(*) desc, ticket desc limit ";
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let digit = ticket.city.digit();
        let (first, past) = (format!("{digit}{}", beijing_day(since).format("%y%m%d")), (digit + 1).to_string());
        let mut counted: Vec<(String, i64)> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new("");
            for (at, word) in words.iter().enumerate() {
                query.push(if at == 0 { "select " } else { " union all select " });
                query.push_bind(word).push(" as gram, count(*) as tickets from (select 1 from gram where gram = ");
                query.push_bind(word).push(" and ticket >= ").push_bind(&first);
                query.push(" and ticket < ").push_bind(&past).push(" limit ").push_bind(COMMON + 1).push(") as found");
            }
            query.build_query_as().fetch_all(pool).await
        })?;
        // one is this ticket itself
        counted.retain(|(_, tickets)| (2..=COMMON).contains(tickets));
        counted.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
        counted.truncate(RAREST);
        if counted.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new("select ticket from gram where gram in (");
            let mut list = query.separated(", ");
            for (word, _) in &counted {
                list.push_bind(word);
            }
            query.push(") and ticket >= ").push_bind(&first).push(" and ticket < ").push_bind(&past);
            query.push(SQL_END).push_bind(BY_WORDS);
            query.build_query_scalar().fetch_all(pool).await
        })?)
    }

    async fn tickets_of(&self, numbers: &BTreeSet<String>) -> Result<Vec<Ticket>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<TicketRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(ticket_row::SELECT.as_str());
            let mut list = query.push(" and number in (").separated(", ");
            for number in numbers {
                list.push_bind(number);
            }
            query.push(")");
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Ticket::try_from).collect()
    }
}

impl Likely {
    fn of(ticket: Ticket, parts: Parts) -> Likely {
        let shielded = is_hidden(&ticket);
        Likely {
            number: ticket.number,
            state: ticket.state,
            created_at: ticket.created_at,
            class: ticket.matter.class,
            title: ticket.matter.title.filter(|_| !shielded),
            place: ticket.matter.place.filter(|_| !shielded),
            score: parts.score(),
            parts,
            shielded,
        }
    }
}

fn is_proposed(ticket: &Ticket, other: &Ticket, since: DateTime<Utc>) -> bool {
    let settled = matches!(other.state, State::Merged | State::Withdrawn)
        || other.matter.invalid
        || other.matter.repeat_of == Some(ticket.number)
        || ticket.matter.repeat_of == Some(other.number);
    other.city == ticket.city && other.created_at >= since && !settled
}
