//! Rows of visits that are due and of attempts.

use chrono::{DateTime, Utc};

use super::VisitStep;
use crate::store::row::{count, optional_text, text};
use crate::store::{StoreError, Transaction, on};
use crate::ticket::{AttemptId, Given, Number, Outcome, Said, Satisfaction, Way};

/// A visit that is due.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub round: u8,
    pub closed_at: DateTime<Utc>,
    pub step: Option<VisitStep>,
    pub next_at: Option<DateTime<Utc>>,
    pub sms_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct DueRow {
    round: i64,
    closed_at: DateTime<Utc>,
    step: Option<String>,
    next_at: Option<DateTime<Utc>>,
    sms_at: Option<DateTime<Utc>>,
}

/// The visit of the ticket that is due; the ticket is held.
pub(super) async fn due(transaction: &mut Transaction, ticket: Number) -> Result<Option<Due>, StoreError> {
    const SQL: &str = "select round, closed_at, step, next_at, sms_at from visit \
         where ticket = $1 and state = 'due' order by round desc limit 1";
    let row: Option<DueRow> = on!(transaction, transaction => sqlx::query_as(SQL)
        .bind(ticket.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Due {
        round: count("visit.round", row.round)?,
        closed_at: row.closed_at,
        step: optional_text("visit.step", row.step.as_deref())?,
        next_at: row.next_at,
        sms_at: row.sms_at,
    }))
}

/// An attempt that has ended, with what was said in it.
#[derive(sqlx::FromRow)]
pub(super) struct EndedRow {
    pub round: i64,
    pub way: String,
    pub phone: String,
    pub begun_at: DateTime<Utc>,
    pub outcome: Option<String>,
    pub message_left: bool,
    pub willing: bool,
    pub contacted: Option<String>,
    pub solved: Option<String>,
    pub satisfaction: Option<i64>,
    pub redo: Option<bool>,
    pub reason: Option<String>,
}

impl EndedRow {
    pub fn outcome(&self) -> Result<Outcome, StoreError> {
        text("attempt.outcome", self.outcome.as_deref().unwrap_or(Outcome::Unknown.name()))
    }

    pub fn way(&self) -> Result<Way, StoreError> {
        text("attempt.way", &self.way)
    }

    /// Adds what was said in it to what was said before.
    pub fn add_to(&self, given: &mut Given) -> Result<(), StoreError> {
        let satisfaction = self.satisfaction.map(|given| {
            let given = count("attempt.satisfaction", given)?;
            Satisfaction::new(given).ok_or(StoreError::OutOfRange { column: "attempt.satisfaction" })
        });
        let said = [
            self.willing.then_some(Said::Willing),
            optional_text("attempt.contacted", self.contacted.as_deref())?.map(Said::Contacted),
            optional_text("attempt.solved", self.solved.as_deref())?.map(Said::Solved),
            satisfaction.transpose()?.map(Said::Satisfaction),
            self.redo.map(Said::Redo),
            optional_text("attempt.reason", self.reason.as_deref())?.map(Said::Reason),
        ];
        said.into_iter().flatten().for_each(|said| given.hear(said));
        Ok(())
    }
}

/// The ticket of an attempt.
pub(super) async fn ticket_of(transaction: &mut Transaction, attempt: AttemptId) -> Result<Option<Number>, StoreError> {
    const SQL: &str = "select ticket from attempt where id = $1";
    let ticket: Option<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(attempt.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    optional_text("attempt.ticket", ticket.as_deref())
}
