//! Whole lives of tickets into a fresh database, a thousand a transaction: the rows that [`Store::execute`] would have
//! written one command at a time. Nobody is told of anything: no webhook, no SMS.

mod indexes;
mod visit;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::audit::{self, Act, bind_entry};
use super::commands::{act_of, working_day};
use super::database::Database;
use super::follow_up::{days, words_in};
use super::reports::Recounted;
use super::row::micros;
use super::ticket_row::{self, bind_all};
use super::{Store, StoreError, Transaction, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::calendar::Calendar;
use crate::ticket::deadline::Limits;
use crate::ticket::{Action, Actor, Command, Effect, Life, Number, Ticket};
use visit::{Visit, visits_of};

/// As many lives go well into one transaction.
pub const LIVES_A_TRANSACTION: usize = 1_000;

/// The index of words is written for so many lives at once: each word's entries lie together, apart from the others', so
/// that a thousand lives touch nearly as many pages.
const LIVES_A_WORDING: usize = 20_000;

/// Writes lives. There is one at a time, and nothing else writes tickets meanwhile. Until [`Bulk::finish`] has ended nobody
/// opens the database: indexes and words are missing.
#[derive(Debug)]
pub struct Bulk {
    store: Store,
    calendar: Arc<Calendar>,
    /// The statements that make the indexes.
    indexes: Vec<String>,
    /// Words that are not written yet, each with its tickets, and how many lives they are of.
    words: BTreeMap<String, Vec<Number>>,
    unworded: usize,
    /// Days of cities whose figures are to be counted anew: they are written once.
    stale: HashSet<(NaiveDate, City)>,
}

/// Why nothing is written in bulk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    #[error("the database has tickets already")]
    NotFresh,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// # Errors
    /// [`BulkError::NotFresh`] when there is a ticket.
    pub async fn bulk(&self) -> Result<Bulk, BulkError> {
        const ANY: &str = "select number from ticket limit 1";
        let mut transaction = self.begin().await?;
        let any: Option<String> = on!(&mut transaction, transaction => sqlx::query_scalar(ANY)
            .fetch_optional(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        if any.is_some() {
            return Err(BulkError::NotFresh);
        }
        let calendar = self.calendar_in(&mut transaction).await?;
        let indexes = indexes::take_away(&mut transaction).await?;
        transaction.commit().await?;
        let bulk =
            Bulk { store: self.clone(), calendar, indexes, words: BTreeMap::new(), unworded: 0, stale: HashSet::new() };
        // 256 MiB of pages and a checkpoint every 80 MiB: pages come again
        bulk.tune("pragma cache_size = -262144; pragma wal_autocheckpoint = 20000; pragma threads = 2").await?;
        Ok(bulk)
    }
}

/// Many rows a statement. One of a full chunk is prepared once.
macro_rules! insert {
    ($transaction:expr, $into:expr, $rows:expr, $chunk:literal, $end:literal, |$row:ident, $item:pat_param| $body:expr) => {
        on!(&mut *$transaction, transaction => for chunk in $rows.chunks($chunk) {
            let mut query = sqlx::QueryBuilder::new($into);
            query.push_values(chunk, |mut $row, $item| {
                $body;
            });
            query.push($end);
            query.build().persistent(chunk.len() == $chunk).execute(&mut **transaction).await?;
        })
    };
}

impl Bulk {
    /// The days off that the database knows.
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    pub fn limits(&self, city: City) -> &Limits {
        self.store.rules.limits(city)
    }

    /// Writes these lives, all or none.
    pub async fn write(&mut self, lives: &[Life]) -> Result<(), StoreError> {
        let subjects: Vec<String> = lives.iter().map(|life| life.created.number.to_string()).collect();
        let lives: Vec<(&str, &Life)> = subjects.iter().map(String::as_str).zip(lives).collect();
        let mut transaction = self.store.begin().await?;
        tickets(&mut transaction, &lives).await?;
        history(&mut transaction, &lives).await?;
        handling(&mut transaction, &lives).await?;
        urges(&mut transaction, &lives, &self.calendar).await?;
        numbers(&mut transaction, &lives).await?;
        let new = lives.iter().flat_map(|(_, life)| days_of(life)).filter(|day| !self.stale.contains(day));
        let new: HashSet<(NaiveDate, City)> = new.collect();
        stale(&mut transaction, &new).await?;
        transaction.commit().await?;
        self.stale.extend(new);
        for (_, life) in &lives {
            for word in words_in(life.ticket()) {
                self.words.entry(word).or_default().push(life.created.number);
            }
        }
        self.unworded += lives.len();
        if self.unworded >= LIVES_A_WORDING {
            self.write_words().await?;
        }
        Ok(())
    }

    async fn write_words(&mut self) -> Result<(), StoreError> {
        let mut words = Vec::new();
        for (word, tickets) in &mut self.words {
            tickets.sort();
            words.extend(tickets.iter().map(|ticket| (word.as_str(), *ticket)));
        }
        let mut transaction = self.store.begin().await?;
        insert!(&mut transaction, "insert into gram (gram, ticket) ", words, 2_000, "", |row, (word, ticket)| {
            row.push_bind(*word).push_bind(ticket.to_string())
        });
        transaction.commit().await?;
        self.words.clear();
        self.unworded = 0;
        Ok(())
    }

    /// Writes the last words, builds the indexes, and counts the days of reports: the first report would otherwise count them
    /// all. `progress` hears how many days of cities are counted and how many there are.
    pub async fn finish(mut self, mut progress: impl FnMut(usize, usize)) -> Result<(), StoreError> {
        self.write_words().await?;
        indexes::build(&self.store, std::mem::take(&mut self.indexes)).await?;
        // SQLite plans without statistics, here as in service; PostgreSQL gathers its own, but not at once
        if let Database::Postgres(pool) = &self.store.write {
            sqlx::query("analyze").execute(pool).await?;
        }
        let days = self.stale.iter().map(|(day, _)| *day);
        if let (Some(first), Some(last)) = (days.clone().min(), days.max()) {
            let counted = |done: Recounted| progress(done.counted, done.counted + done.left);
            self.store.recount_all(first, last, counted).await?;
        }
        self.store.set_filled().await?;
        self.tune("pragma cache_size = -2000; pragma wal_autocheckpoint = 1000; pragma threads = 0").await?;
        self.tune("pragma wal_checkpoint(truncate)").await
    }

    /// For SQLite's one writer; `synchronous` stays what it is.
    async fn tune(&self, pragmas: &'static str) -> Result<(), StoreError> {
        if let Database::Sqlite(pool) = &self.store.write {
            sqlx::raw_sql(pragmas).execute(pool).await?;
        }
        Ok(())
    }
}

async fn tickets(transaction: &mut Transaction, lives: &[(&str, &Life)]) -> Result<(), StoreError> {
    insert!(transaction, ticket_row::INSERT_INTO.as_str(), lives, 250, "", |row, (_, life)| {
        bind_all!(row, push_bind, life.ticket())
    });
    Ok(())
}

async fn history(transaction: &mut Transaction, lives: &[(&str, &Life)]) -> Result<(), StoreError> {
    let acts: Vec<(Act<'_>, i64)> = lives.iter().flat_map(|(subject, life)| acts_of(subject, life).zip(1..)).collect();
    insert!(transaction, audit::INSERT_INTO, acts, 1_000, "", |row, (act, sequence)| {
        bind_entry!(row, push_bind, act, *sequence)
    });
    insert!(transaction, "insert into audit_subject (subject, last) ", lives, 1_000, "", |row, (subject, life)| {
        row.push_bind(*subject).push_bind(1 + i64::try_from(life.deeds.len()).expect("a few"))
    });
    Ok(())
}

fn acts_of<'a>(subject: &'a str, life: &'a Life) -> impl Iterator<Item = Act<'a>> {
    let created = Act::new(subject, life.created.created_at, life.by, Action::Created);
    let deeds = life.deeds.iter();
    let deeds = deeds.map(move |deed| act_of(subject, &deed.changes, &deed.command, deed.actor, None, deed.at));
    std::iter::once(created).chain(deeds)
}

async fn handling(transaction: &mut Transaction, lives: &[(&str, &Life)]) -> Result<(), StoreError> {
    let units: Vec<(&str, &str, bool)> = lives
        .iter()
        .map(|(subject, life)| (subject, life.ticket()))
        .flat_map(|(subject, ticket)| {
            ticket.handling.assisting.iter().map(|unit| (*subject, unit.as_str(), ticket.state.is_open()))
        })
        .collect();
    insert!(
        transaction,
        "insert into assisting (ticket, unit, is_open) ",
        units,
        500,
        "",
        |row, (subject, unit, open)| { row.push_bind(*subject).push_bind(*unit).push_bind(*open) }
    );
    let contacts: Vec<(&str, i64, Contact<'_>)> = lives
        .iter()
        .flat_map(|(subject, life)| (1..).zip(contacts_of(life)).map(|(at, contact)| (*subject, at, contact)))
        .collect();
    const CONTACT: &str = "insert into contact (ticket, sequence, round, at, actor, told) ";
    insert!(transaction, CONTACT, contacts, 500, "", |row, (subject, sequence, contact)| {
        row.push_bind(*subject)
            .push_bind(*sequence)
            .push_bind(contact.round)
            .push_bind(micros(contact.at))
            .push_bind(contact.actor.to_string())
            .push_bind(contact.told)
    });
    let visits: Vec<(&str, u8, Visit)> = lives
        .iter()
        .flat_map(|(subject, life)| visits_of(life).into_iter().map(|(round, visit)| (*subject, round, visit)))
        .collect();
    insert!(transaction, visit::INSERT_INTO, visits, 500, "", |row, (subject, round, visit)| {
        row.push_bind(*subject)
            .push_bind(i64::from(*round))
            .push_bind(visit.state)
            .push_bind(micros(visit.closed_at))
            .push_bind(micros(visit.due_at))
            .push_bind(visit.attempts)
            .push_bind(visit.attempted_at.map(micros))
            .push_bind(visit.answered_at.map(micros))
            .push_bind(visit.means.map(|means| means.name()))
            .push_bind(visit.heard.contacted.map(|answer| answer.name()))
            .push_bind(visit.heard.solved.map(|answer| answer.name()))
            .push_bind(visit.heard.satisfaction.map(|given| i64::from(given.get())))
            .push_bind(visit.redo)
            .push_bind(visit.recording.map(|recording| recording.to_string()))
    });
    Ok(())
}

/// A proof of contact.
struct Contact<'a> {
    round: i64,
    at: DateTime<Utc>,
    actor: Actor,
    told: &'a str,
}

fn contacts_of(life: &Life) -> impl Iterator<Item = Contact<'_>> {
    life.deeds.iter().flat_map(|deed| {
        let round = i64::from(deed.ticket.handling.round);
        deed.effects.iter().filter_map(move |effect| match effect {
            Effect::Contacted { at, told } => Some(Contact { round, at: *at, actor: deed.actor, told }),
            _ => None,
        })
    })
}

async fn urges(transaction: &mut Transaction, lives: &[(&str, &Life)], calendar: &Calendar) -> Result<(), StoreError> {
    let mut urges: Vec<(&str, NaiveDate, DateTime<Utc>)> = Vec::new();
    for (subject, life) in lives {
        for deed in life.deeds.iter().filter(|deed| deed.command == Command::Urge) {
            urges.push((subject, working_day(calendar, life.created.city, beijing_day(deed.at)), deed.at));
        }
    }
    insert!(transaction, "insert into urge (ticket, day, at) ", urges, 500, "", |row, (subject, day, at)| {
        row.push_bind(*subject).push_bind(*day).push_bind(micros(*at))
    });
    Ok(())
}

async fn numbers(transaction: &mut Transaction, lives: &[(&str, &Life)]) -> Result<(), StoreError> {
    let mut last = BTreeMap::<(City, NaiveDate), u16>::new();
    for (_, life) in lives {
        let number = life.created.number;
        let last = last.entry((number.city(), number.day())).or_default();
        *last = number.sequence().max(*last);
    }
    let last: Vec<_> = last.into_iter().collect();
    const INTO: &str = "insert into number_sequence (city, day, last) ";
    insert!(
        transaction,
        INTO,
        last,
        500,
        " on conflict (city, day) do update set last = excluded.last where excluded.last > number_sequence.last",
        |row, ((city, day), last)| row.push_bind(city.slug()).push_bind(*day).push_bind(i64::from(*last))
    );
    Ok(())
}

fn days_of(life: &Life) -> impl Iterator<Item = (NaiveDate, City)> {
    let city = life.created.city;
    let created: &Ticket = &life.created;
    let first = days(std::iter::once(created), created.created_at);
    let before = std::iter::once(created).chain(life.deeds.iter().map(|deed| &deed.ticket));
    let rest = before.zip(&life.deeds).flat_map(|(was, deed)| days([was, &deed.ticket].into_iter(), deed.at));
    first.into_iter().chain(rest).map(move |day| (day, city))
}

/// One mark a day and city, whichever tickets count on it.
async fn stale(transaction: &mut Transaction, days: &HashSet<(NaiveDate, City)>) -> Result<(), StoreError> {
    let mut days: Vec<_> = days.iter().collect();
    days.sort();
    const INTO: &str = "insert into report_stale (day, city, ticket, version) ";
    insert!(
        transaction,
        INTO,
        days,
        500,
        " on conflict (day, city, ticket, version) do nothing",
        |row, (day, city)| { row.push_bind(*day).push_bind(city.slug()).push("''").push("0") }
    );
    Ok(())
}
