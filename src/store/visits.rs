//! Return visits: when one is due, what it heard, that it will not be made.

use chrono::{DateTime, Utc};

use super::row::{count, micros, optional_text, text};
use super::{Store, StoreError, Transaction, on};
use crate::ticket::{Actor, Answers, Contacted, Means, NoVisit, Number, Solved, State, Ticket};

/// A return visit, made or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub round: u8,
    /// `due`, `answered`, `unreached`, `no_phone`, `declined`, or `dropped` when the ticket went on without it.
    pub state: String,
    pub due_at: DateTime<Utc>,
    pub attempts: u32,
    pub answered_at: Option<DateTime<Utc>>,
    pub means: Option<Means>,
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    pub satisfaction: Option<u8>,
    pub redo: Option<bool>,
}

/// A proof of contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub round: u8,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub told: String,
}

impl Store {
    /// A ticket's visits by round.
    pub(super) async fn visits(&self, ticket: Number) -> Result<Vec<Visit>, StoreError> {
        const SQL: &str = "select round, state, due_at, attempts, answered_at, means, contacted, solved, satisfaction, \
             redo from visit where ticket = $1 order by round";
        let rows: Vec<VisitRow> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(ticket.to_string()).fetch_all(pool).await)?;
        rows.into_iter().map(Visit::try_from).collect()
    }

    /// A ticket's proofs of contact, oldest first.
    pub(super) async fn contacts(&self, ticket: Number) -> Result<Vec<Contact>, StoreError> {
        const SQL: &str = "select round, at, actor, told from contact where ticket = $1 order by sequence";
        let rows: Vec<(i64, DateTime<Utc>, String, String)> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(ticket.to_string()).fetch_all(pool).await)?;
        let contact = |(round, at, actor, told): (i64, DateTime<Utc>, String, String)| {
            Ok(Contact { round: count("contact.round", round)?, at, actor: text("contact.actor", &actor)?, told })
        };
        rows.into_iter().map(contact).collect()
    }

    /// One visit a round to the requester, and to those of the tickets merged into this one.
    pub(super) async fn visits_due(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "insert into visit (ticket, round, state, closed_at, due_at, attempts) \
             values ($1, $2, 'due', $3, $3, 0) \
             on conflict (ticket, round) do update set state = 'due', closed_at = excluded.closed_at, \
             due_at = excluded.due_at, attempts = 0, attempted_at = null, step = null, next_at = null, held = null, \
             calendar = null, sms_at = null";
        const FOLLOWERS: &str = "select number from ticket where merged_into = $1 order by number";
        let mut tickets: Vec<String> = on!(transaction, transaction => sqlx::query_scalar(FOLLOWERS)
            .bind(ticket.to_string())
            .fetch_all(&mut **transaction)
            .await)?;
        tickets.push(ticket.to_string());
        for visited in tickets {
            self.stale_visits(transaction, text("ticket.number", &visited)?, now).await?;
            on!(transaction, transaction => sqlx::query(SQL)
                .bind(visited)
                .bind(i64::from(round))
                .bind(micros(now))
                .execute(&mut **transaction)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// The round a visit is of. A merged ticket is visited in the rounds of its lead, whatever its own was.
    pub(super) async fn visited_round(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        own: u8,
    ) -> Result<u8, StoreError> {
        const SQL: &str = "select max(round) from visit where ticket = $1 and state = 'due'";
        if ticket.state != State::Merged {
            return Ok(own);
        }
        let round: Option<i64> = on!(transaction, transaction => sqlx::query_scalar(SQL)
            .bind(ticket.number.to_string())
            .fetch_one(&mut **transaction)
            .await)?;
        round.map_or(Ok(own), |round| count("visit.round", round))
    }

    pub(super) async fn visit_answered(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        answers: &Answers,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "insert into visit (ticket, round, state, closed_at, due_at, attempts, attempted_at, \
             answered_at, means, contacted, solved, satisfaction, redo, recording) \
             values ($1, $2, 'answered', $3, $3, 1, $3, $3, $4, $5, $6, $7, $8, $9) \
             on conflict (ticket, round) do update set state = 'answered', \
             attempts = case when visit.attempts = 0 then 1 else visit.attempts end, \
             attempted_at = coalesce(visit.attempted_at, excluded.attempted_at), answered_at = excluded.answered_at, \
             means = excluded.means, contacted = excluded.contacted, solved = excluded.solved, \
             satisfaction = excluded.satisfaction, redo = excluded.redo, recording = excluded.recording";
        self.stale_visits(transaction, ticket, now).await?;
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(i64::from(round))
            .bind(micros(now))
            .bind(answers.means.name())
            .bind(answers.contacted.map(|answer| answer.name()))
            .bind(answers.solved.map(|answer| answer.name()))
            .bind(answers.satisfaction.map(|given| i64::from(given.get())))
            .bind(answers.redo)
            .bind(answers.recording.map(|recording| recording.to_string()))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        Ok(())
    }

    /// `because` is `None` when the ticket went on without its visit: transferred, merged or withdrawn.
    pub(super) async fn visit_over(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        because: Option<NoVisit>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update visit set state = $3, \
             attempts = case when $4 and attempts = 0 then 1 else attempts end, \
             attempted_at = case when $4 then coalesce(attempted_at, $5) else attempted_at end \
             where ticket = $1 and round = $2 and state = 'due'";
        let (state, attempted) = match because {
            None => ("dropped", false),
            Some(NoVisit::Unreached) => ("unreached", true),
            Some(NoVisit::NoPhone) => ("no_phone", false),
            Some(NoVisit::Declined) => ("declined", true),
        };
        self.stale_visits(transaction, ticket, now).await?;
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(i64::from(round))
            .bind(state)
            .bind(attempted)
            .bind(micros(now))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct VisitRow {
    round: i64,
    state: String,
    due_at: DateTime<Utc>,
    attempts: i64,
    answered_at: Option<DateTime<Utc>>,
    means: Option<String>,
    contacted: Option<String>,
    solved: Option<String>,
    satisfaction: Option<i64>,
    redo: Option<bool>,
}

impl TryFrom<VisitRow> for Visit {
    type Error = StoreError;

    fn try_from(row: VisitRow) -> Result<Visit, StoreError> {
        Ok(Visit {
            round: count("visit.round", row.round)?,
            state: row.state,
            due_at: row.due_at,
            attempts: count("visit.attempts", row.attempts)?,
            answered_at: row.answered_at,
            means: optional_text("visit.means", row.means.as_deref())?,
            contacted: optional_text("visit.contacted", row.contacted.as_deref())?,
            solved: optional_text("visit.solved", row.solved.as_deref())?,
            satisfaction: row.satisfaction.map(|given| count("visit.satisfaction", given)).transpose()?,
            redo: row.redo,
        })
    }
}
