//! An attempt on its way to its end: dialled, heard, renewed, settled or given back.

use chrono::{DateTime, TimeDelta, Utc};

use super::row::{self, Due, ticket_of};
use super::{Holder, LEASE, Settled, Settlement, VisitStep, by_hand};
use crate::callback::{Held, Next};
use crate::store::row::{count, cut, micros, phone, text};
use crate::store::{Store, StoreError, Transaction, listening, on, ticket_row};
use crate::ticket::{Actor, AttemptId, CallId, Number, Outcome, Said, Way};

/// Attempts that one [`Store::settle_lapsed`] settles.
const PORTION: i64 = 100;

/// An attempt that is leased is dialled or given back within so long.
const DIALLED_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// Bytes of a trunk's name that are kept.
const MAX_TRUNK: usize = 64;

impl Store {
    /// An INVITE is about to leave by this trunk, in this call. False when the attempt is over: then none may leave.
    pub async fn attempt_dialled(
        &self,
        attempt: AttemptId,
        trunk: &str,
        call: CallId,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "update attempt set trunk = $2, call = $3, dialled_at = coalesce(dialled_at, $4) where id = $1 \
             and ended_at is null";
        let rows = on!(&self.write, pool => sqlx::query(SQL)
            .bind(attempt.to_string())
            .bind(cut(trunk, MAX_TRUNK))
            .bind(call.to_string())
            .bind(micros(now))
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows > 0)
    }

    /// Keeps an answer when it is given; a later one takes its place. The recording of a reason is the ticket's from then on.
    pub async fn attempt_said(&self, attempt: AttemptId, said: Said, now: DateTime<Utc>) -> Result<(), StoreError> {
        const LINK: &str = "update recording set ticket = (select ticket from attempt where id = $1) \
             where id = $2 and ticket is null";
        let id = attempt.to_string();
        let mut transaction = self.begin().await?;
        on!(&mut transaction, transaction => {
            let mut query = sqlx::QueryBuilder::new("update attempt set ");
            match said {
                Said::Willing => query.push("willing = ").push_bind(true),
                Said::Contacted(contacted) => query.push("contacted = ").push_bind(contacted.name()),
                Said::Solved(solved) => query.push("solved = ").push_bind(solved.name()),
                Said::Satisfaction(given) => query.push("satisfaction = ").push_bind(i64::from(given.get())),
                Said::Redo(redo) => query.push("redo = ").push_bind(redo),
                Said::Reason(recording) => query.push("reason = ").push_bind(recording.to_string()),
            };
            // who still hears somebody holds the attempt
            query.push(", lease_until = case when lease_until < ").push_bind(micros(now) + LEASE);
            query.push(" then ").push_bind(micros(now) + LEASE).push(" else lease_until end where id = ").push_bind(&id);
            query.build().execute(&mut **transaction).await.map(drop)
        })?;
        if let Said::Reason(recording) = said {
            on!(&mut transaction, transaction => sqlx::query(LINK)
                .bind(&id)
                .bind(recording.to_string())
                .execute(&mut **transaction)
                .await
                .map(drop))?;
        }
        listening::belong_to_attempt(&mut transaction, attempt).await?;
        transaction.commit().await
    }

    /// Ends the attempt and takes the visit on: answered, the next call, an SMS, a person. A second settlement changes
    /// nothing, unless the first one did not know how it ended.
    pub async fn settle_attempt(&self, settlement: &Settlement, now: DateTime<Utc>) -> Result<Settled, StoreError> {
        self.settle(settlement, false, micros(now)).await
    }

    /// Attempts whose holder is gone: nobody knows whether they rang, so that the number is left alone for a while. What was
    /// said in them counts. Gives how many there were; bounded.
    pub async fn settle_lapsed(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        const SQL: &str =
            "select id from attempt where ended_at is null and lease_until < $1 order by lease_until limit $2";
        let now = micros(now);
        let lapsed: Vec<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(now).bind(PORTION).fetch_all(pool).await)?;
        let (mut settled, mut failed) = (0, None);
        for id in lapsed {
            let settlement = Settlement {
                attempt: text("attempt.id", &id)?,
                outcome: Outcome::Unknown,
                status: None,
                q850: None,
                message_left: false,
                early: None,
            };
            match self.settle(&settlement, true, now).await {
                Ok(Settled::Now(_)) => settled += 1,
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(settled), Err)
    }

    /// Holds this process's live attempts for another 30 seconds; not those that it should have dialled long ago: the answer to
    /// their lease was lost on its way, so that nobody has them.
    pub async fn renew_attempts(&self, holder: &Holder, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "update attempt set lease_until = $3 where ended_at is null and node = $1 and start = $2 \
             and (dialled_at is not null or way <> 'call' or begun_at > $4)";
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(&holder.node)
            .bind(&holder.start)
            .bind(micros(now) + LEASE)
            .bind(micros(now) - DIALLED_WITHIN)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Gives an attempt back that no INVITE left for: it does not count, and is made again, not before `again_at`. One that
    /// was dialled stays.
    pub async fn release_attempt(
        &self,
        attempt: AttemptId,
        again_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "delete from attempt where id = $1 and ended_at is null and dialled_at is null \
             returning round, way, phone, begun_at";
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let calendar = self.calendar_in(&mut transaction).await?;
        let Some(number) = ticket_of(&mut transaction, attempt).await? else { return Ok(()) };
        let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { return Ok(()) };
        let deleted: Option<EndedAttempt> = on!(&mut transaction, transaction => sqlx::query_as(SQL)
            .bind(attempt.to_string())
            .fetch_optional(&mut **transaction)
            .await)?;
        let Some(deleted) = deleted else { return Ok(()) };
        if let Some(due) = self.visit_of(&mut transaction, number, &deleted).await? {
            if deleted.way()? == Way::Call {
                self.not_attempted(&mut transaction, number, due.round, now).await?;
            }
            let past = self.past(&mut transaction, &ticket, &due, now).await?;
            let next = self.take_on(&mut transaction, &ticket, &due, &past, &calendar, now).await?;
            if let (Next::Call { at, .. }, Some(VisitStep::Live)) = (next, due.step)
                && at < again_at
            {
                let held = Held::NoLine.name();
                self.step(&mut transaction, number, due.round, VisitStep::Call, again_at, held).await?;
            }
        }
        transaction.commit().await
    }

    async fn settle(
        &self,
        settlement: &Settlement,
        lapsed_only: bool,
        now: DateTime<Utc>,
    ) -> Result<Settled, StoreError> {
        let mut transaction = self.begin().await?;
        let calendar = self.calendar_in(&mut transaction).await?;
        let Some(number) = ticket_of(&mut transaction, settlement.attempt).await? else { return Ok(Settled::Unknown) };
        let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { return Ok(Settled::Unknown) };
        let Some(ended) = end(&mut transaction, settlement, lapsed_only, now).await? else {
            return Ok(Settled::Already);
        };
        if settlement.outcome == Outcome::OptOut {
            let phone = phone("attempt.phone", Some(&ended.phone))?;
            if let Some(phone) = phone {
                by_hand::opt_out(&mut transaction, &phone, Actor::Caller, None, now).await?;
            }
        }
        let Some(due) = self.visit_of(&mut transaction, number, &ended).await? else {
            transaction.commit().await?;
            return Ok(Settled::Now(None));
        };
        let counts = !matches!(settlement.outcome, Outcome::LineTrouble | Outcome::Undialable);
        if ended.way()? == Way::Call && !counts {
            self.not_attempted(&mut transaction, number, due.round, now).await?;
        }
        let past = self.past(&mut transaction, &ticket, &due, now).await?;
        let next = self.take_on(&mut transaction, &ticket, &due, &past, &calendar, now).await?;
        transaction.commit().await?;
        Ok(Settled::Now(Some(next)))
    }

    /// The visit that the attempt was made for, unless it went on: answered, closed anew, or called by another attempt.
    async fn visit_of(
        &self,
        transaction: &mut Transaction,
        number: Number,
        ended: &EndedAttempt,
    ) -> Result<Option<Due>, StoreError> {
        const LIVE: &str = "select id from attempt where ticket = $1 and ended_at is null";
        let Some(due) = row::due(transaction, number).await? else { return Ok(None) };
        let round: u8 = count("attempt.round", ended.round)?;
        if round != due.round || ended.begun_at < due.closed_at {
            return Ok(None);
        }
        let live: Option<String> = on!(transaction, transaction => sqlx::query_scalar(LIVE)
            .bind(number.to_string())
            .fetch_optional(&mut **transaction)
            .await)?;
        Ok(live.is_none().then_some(due))
    }

    /// Takes back what [`Store::attempted`] counted.
    async fn not_attempted(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update visit set attempts = attempts - 1, \
             attempted_at = case when attempts <= 1 then null else attempted_at end \
             where ticket = $1 and round = $2 and state = 'due' and attempts > 0";
        self.stale_visits(transaction, ticket, now).await?;
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(i64::from(round))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        Ok(())
    }
}

/// An attempt that has just ended or was given back.
#[derive(sqlx::FromRow)]
struct EndedAttempt {
    round: i64,
    way: String,
    phone: String,
    begun_at: DateTime<Utc>,
}

impl EndedAttempt {
    fn way(&self) -> Result<Way, StoreError> {
        text("attempt.way", &self.way)
    }
}

/// Writes the end down, if there is none yet or nobody knew it; with `lapsed_only` if the lease is over too.
async fn end(
    transaction: &mut Transaction,
    settlement: &Settlement,
    lapsed_only: bool,
    now: DateTime<Utc>,
) -> Result<Option<EndedAttempt>, StoreError> {
    let Settlement { attempt, outcome, status, q850, message_left, early } = *settlement;
    Ok(on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("update attempt set ended_at = coalesce(ended_at, ");
        query.push_bind(now).push("), outcome = ").push_bind(outcome.name());
        query.push(", status = ").push_bind(status.map(i64::from)).push(", q850 = ").push_bind(q850.map(i64::from));
        query.push(", message_left = message_left or ").push_bind(message_left);
        query.push(", early = coalesce(").push_bind(early.map(|early| early.to_string())).push(", early)");
        query.push(" where id = ").push_bind(attempt.to_string());
        if lapsed_only {
            query.push(" and ended_at is null and lease_until < ").push_bind(now);
        } else {
            query.push(" and (ended_at is null or (outcome = 'unknown' and ").push_bind(outcome != Outcome::Unknown);
            query.push("))");
        }
        query.push(" returning round, way, phone, begun_at");
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?)
}
