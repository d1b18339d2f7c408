//! What has happened to a visit and to its number, as the policy wants it.

use chrono::{DateTime, TimeDelta, Utc};

use super::row::{self, Due, EndedRow};
use crate::callback::{History, Next, Policy, Tried, Use};
use crate::phone::Phone;
use crate::store::row::{count, optional_text};
use crate::store::{Store, StoreError, Transaction, on};
use crate::ticket::calendar::Calendar;
use crate::ticket::{Answers, Command, Given, Means, NoVisit, Outcome, Ticket};

/// Attempts and answers of a number count for so long at least: a day, wherever it begins.
const LATELY: TimeDelta = TimeDelta::days(2);

/// What the rules need of a visit.
#[derive(Clone, Debug)]
pub(super) struct Past {
    tried: Vec<Tried>,
    pub given: Given,
    /// A message was left on a machine in any round.
    pub message_left: bool,
    opted_out: bool,
    number: Use,
}

impl Store {
    pub(super) async fn past(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        due: &Due,
        now: DateTime<Utc>,
    ) -> Result<Past, StoreError> {
        const SQL: &str = "select round, way, phone, begun_at, outcome, message_left, willing, contacted, solved, satisfaction, \
             redo, reason from attempt where ticket = $1 and ended_at is not null order by begun_at, id";
        let rows: Vec<EndedRow> = on!(transaction, transaction => sqlx::query_as(SQL)
            .bind(ticket.number.to_string())
            .fetch_all(&mut **transaction)
            .await)?;
        let message_left = rows.iter().any(|row| row.message_left);
        let (mut tried, mut given) = (Vec::new(), Given::default());
        for row in rows {
            let round: u8 = count("attempt.round", row.round)?;
            if round == due.round && row.begun_at >= due.closed_at {
                row.add_to(&mut given)?;
                // a number that was corrected has its own attempts
                if ticket.phone.as_ref().is_some_and(|phone| phone.digits() == row.phone) {
                    tried.push(Tried { way: row.way()?, at: row.begun_at, outcome: row.outcome()? });
                }
            }
        }
        let (mut opted_out, mut number) = (false, Use::default());
        if let Some(phone) = &ticket.phone {
            opted_out = has_opted_out(transaction, phone).await?;
            let since = now - LATELY.max(self.rules.visits.cool_down());
            number = use_of(transaction, phone, since).await?;
        }
        Ok(Past { tried, given, message_left, opted_out, number })
    }

    /// What the requester said before somebody reached nobody: the end of the visit does not undo it.
    pub(in crate::store) async fn answers_so_far(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<Option<Answers>, StoreError> {
        if !matches!(command, Command::EndVisit { because: NoVisit::Unreached }) {
            return Ok(None);
        }
        let Some(due) = row::due(transaction, ticket.number).await? else { return Ok(None) };
        let given = self.past(transaction, ticket, &due, now).await?.given;
        Ok(given.has_answers().then(|| given.answers(Means::Call)))
    }

    /// What is done next.
    pub(super) fn next(
        &self,
        ticket: &Ticket,
        due: &Due,
        past: &Past,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Next {
        let policy = Policy { config: &self.rules.visits, calendar, gateway: self.rules.sms };
        let history = History {
            city: ticket.city,
            closed_at: due.closed_at,
            phone: ticket.phone.as_ref(),
            shielded: ticket.is_shielded(),
            tried: &past.tried,
            given: past.given,
            sms_at: due.sms_at,
            opted_out: past.opted_out,
            number: &past.number,
        };
        policy.after(&history, now)
    }
}

async fn has_opted_out(transaction: &mut Transaction, phone: &Phone) -> Result<bool, StoreError> {
    const SQL: &str = "select phone from opt_out where phone = $1";
    let found: Option<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(phone.digits())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.is_some())
}

/// An attempt to a number.
#[derive(sqlx::FromRow)]
struct CalledRow {
    begun_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    way: String,
    outcome: Option<String>,
}

/// Attempts to the number, live ones too, and its answers, automatic or not.
async fn use_of(transaction: &mut Transaction, phone: &Phone, since: DateTime<Utc>) -> Result<Use, StoreError> {
    const ATTEMPTS: &str = "select begun_at, ended_at, way, outcome from attempt where phone = $1 and begun_at >= $2";
    const ANSWERS: &str = "select answered_at from visit join ticket on number = ticket \
         where phone = $1 and answered_at >= $2";
    let attempts: Vec<CalledRow> = on!(transaction, transaction => sqlx::query_as(ATTEMPTS)
            .bind(phone.digits())
            .bind(since)
            .fetch_all(&mut **transaction)
            .await)?;
    let answered = on!(transaction, transaction => sqlx::query_scalar(ANSWERS)
        .bind(phone.digits())
        .bind(since)
        .fetch_all(&mut **transaction)
        .await)?;
    let mut found = Use { answered, ..Use::default() };
    for row in attempts {
        let outcome: Option<Outcome> = optional_text("attempt.outcome", row.outcome.as_deref())?;
        if row.way == "call" && !matches!(outcome, Some(Outcome::LineTrouble | Outcome::Undialable)) {
            found.called.push(row.begun_at);
        }
        if matches!(outcome, Some(Outcome::Complete | Outcome::Partial)) {
            found.answered.extend(row.ended_at);
        }
        if outcome == Some(Outcome::Unknown) {
            found.unknown = found.unknown.max(Some(row.begun_at));
        }
    }
    Ok(found)
}
