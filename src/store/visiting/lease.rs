//! Taking visits: the attempt is on record, and this holder's, before anything rings.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::history::Past;
use super::row::{self, Due};
use super::{Ceilings, Holder, LEASE, VisitStep};
use crate::callback::{Held, Next};
use crate::phone::Phone;
use crate::store::row::{count, micros, text};
use crate::store::{Store, StoreError, Transaction, on, ticket_row};
use crate::ticket::{AttemptId, CallId, Number, Ticket, VisitCall, Way};

/// A visit whose number another survey has waits so long.
const BUSY: TimeDelta = TimeDelta::minutes(1);

/// What came of one try to take a visit.
enum Leased {
    Taken(Box<VisitCall>),
    /// It is planned anew, or somebody else has it.
    Not,
    /// No call may begin now.
    Full,
}

impl Store {
    /// Takes at most `most` visits whose automatic call is due now: an attempt is written for each, live and `holder`'s until
    /// it is not renewed for 30 seconds. What the rules forbid by now is planned anew.
    pub async fn lease_visits(
        &self,
        holder: &Holder,
        most: u32,
        ceilings: Ceilings,
        now: DateTime<Utc>,
    ) -> Result<Vec<VisitCall>, StoreError> {
        const SQL: &str = "select visit.ticket from visit join ticket on number = visit.ticket \
             where visit.state = 'due' and step = 'call' and next_at <= $1 \
             and city not in (select city from visit_pause) order by next_at, visit.ticket limit $2";
        let now = micros(now);
        let tickets: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(now)
            .bind(i64::from(most) * 4)
            .fetch_all(pool)
            .await)?;
        let (mut taken, mut failed) = (Vec::new(), None);
        for ticket in tickets {
            if taken.len() >= most as usize {
                break;
            }
            match self.lease(text("visit.ticket", &ticket)?, holder, ceilings, now).await {
                Ok(Leased::Taken(call)) => taken.push(*call),
                Ok(Leased::Not) => {}
                Ok(Leased::Full) => break,
                // a ticket that can't be read keeps no other waiting
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // what is taken must ring, or its attempt stays on record for nothing
            Some(error) if taken.is_empty() => Err(error),
            _ => Ok(taken),
        }
    }

    async fn lease(
        &self,
        number: Number,
        holder: &Holder,
        ceilings: Ceilings,
        now: DateTime<Utc>,
    ) -> Result<Leased, StoreError> {
        let mut transaction = self.begin().await?;
        hold_leasing(&mut transaction).await?;
        if is_full(&mut transaction, ceilings, now).await? {
            return Ok(Leased::Full);
        }
        let calendar = self.calendar_in(&mut transaction).await?;
        let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { return Ok(Leased::Not) };
        let Some(due) = row::due(&mut transaction, number).await? else { return Ok(Leased::Not) };
        let is_due = due.step == Some(VisitStep::Call) && due.next_at.is_some_and(|at| at <= now);
        if !is_due || is_paused(&mut transaction, &ticket).await? {
            return Ok(Leased::Not);
        }
        let past = self.past(&mut transaction, &ticket, &due, now).await?;
        let next = self.next(&ticket, &due, &past, &calendar, now);
        if !matches!(next, Next::Call { at, .. } if at <= now) {
            self.take_on(&mut transaction, &ticket, &due, &past, &calendar, now).await?;
            transaction.commit().await?;
            return Ok(Leased::Not);
        }
        let Some(phone) = &ticket.phone else { return Ok(Leased::Not) };
        let begun = Begun { ticket: &ticket, phone, round: due.round, way: Way::Call, call: None, holder };
        let Some(attempt) = begun.insert(&mut transaction, now).await? else {
            self.step(&mut transaction, number, due.round, VisitStep::Call, now + BUSY, Held::Busy.name()).await?;
            transaction.commit().await?;
            return Ok(Leased::Not);
        };
        self.attempted(&mut transaction, number, due.round, now).await?;
        self.step(&mut transaction, number, due.round, VisitStep::Live, now, Held::Due.name()).await?;
        transaction.commit().await?;
        Ok(Leased::Taken(Box::new(visit_call(attempt, Way::Call, &ticket, phone, &due, &past))))
    }

    /// The survey of this caller that broke off not long ago, taken as a live attempt of theirs. `None` when there is none, or
    /// when another attempt is live.
    pub async fn visit_to_continue(
        &self,
        phone: &Phone,
        call: CallId,
        holder: &Holder,
        now: DateTime<Utc>,
    ) -> Result<Option<VisitCall>, StoreError> {
        const SQL: &str = "select attempt.ticket from attempt join visit on visit.ticket = attempt.ticket \
             and visit.round = attempt.round where phone = $1 and ended_at >= $2 and begun_at >= visit.closed_at \
             and state = 'due' and willing and outcome in ('partial', 'hung_up', 'unknown', 'later') \
             order by ended_at desc limit 1";
        let now = micros(now);
        let found: Option<String> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(phone.digits())
            .bind(now - self.rules.visits.continue_within())
            .fetch_optional(pool)
            .await)?;
        let Some(found) = found else { return Ok(None) };
        let number = text("attempt.ticket", &found)?;
        let mut transaction = self.begin().await?;
        let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { return Ok(None) };
        let Some(due) = row::due(&mut transaction, number).await? else { return Ok(None) };
        let past = self.past(&mut transaction, &ticket, &due, now).await?;
        if past.given.is_complete() || ticket.phone.as_ref() != Some(phone) {
            return Ok(None);
        }
        let begun = Begun { ticket: &ticket, phone, round: due.round, way: Way::CallBack, call: Some(call), holder };
        let Some(attempt) = begun.insert(&mut transaction, now).await? else { return Ok(None) };
        if due.step != Some(VisitStep::Person) {
            self.step(&mut transaction, number, due.round, VisitStep::Live, now, Held::Due.name()).await?;
        }
        transaction.commit().await?;
        Ok(Some(visit_call(attempt, Way::CallBack, &ticket, phone, &due, &past)))
    }
}

/// An attempt that begins.
struct Begun<'a> {
    ticket: &'a Ticket,
    phone: &'a Phone,
    round: u8,
    way: Way,
    call: Option<CallId>,
    holder: &'a Holder,
}

impl Begun<'_> {
    /// `None` when the ticket or the number has a live attempt.
    async fn insert(&self, transaction: &mut Transaction, now: DateTime<Utc>) -> Result<Option<AttemptId>, StoreError> {
        const SQL: &str = "insert into attempt (id, ticket, round, way, phone, node, start, begun_at, lease_until, call, \
             message_left, willing) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) on conflict do nothing";
        let id = self.id(now);
        let inserted = on!(transaction, transaction => sqlx::query(SQL)
            .bind(id.to_string())
            .bind(self.ticket.number.to_string())
            .bind(i64::from(self.round))
            .bind(self.way.name())
            .bind(self.phone.digits())
            .bind(&self.holder.node)
            .bind(&self.holder.start)
            .bind(now)
            .bind(now + LEASE)
            .bind(self.call.map(|call| call.to_string()))
            .bind(false)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        Ok((inserted == 1).then_some(id))
    }

    /// One ticket has one live attempt at one time, so that ticket and time make the id; the start keeps two nodes apart.
    fn id(&self, now: DateTime<Utc>) -> AttemptId {
        let Begun { ticket, round, way, holder, .. } = self;
        let micros = now.timestamp_micros();
        let digest =
            Sha256::digest(format!("{micros} {} {round} {way} {} {}", ticket.number, holder.node, holder.start));
        let mut random = [0; 10];
        random.copy_from_slice(&digest[..10]);
        AttemptId::new(now, random)
    }
}

fn visit_call(attempt: AttemptId, way: Way, ticket: &Ticket, phone: &Phone, due: &Due, past: &Past) -> VisitCall {
    VisitCall {
        attempt,
        way,
        ticket: ticket.number,
        round: due.round,
        city: ticket.city,
        line: ticket.line.clone(),
        phone: phone.clone(),
        language: ticket.language,
        filed_on: ticket.created_day,
        confidential: ticket.is_shielded(),
        given: past.given,
        may_leave_message: !past.message_left,
    }
}

/// Whoever leases waits for who leases: a ceiling is counted by one at a time.
async fn hold_leasing(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ('visit leases', '') \
         on conflict (name) do update set value = meta.value";
    on!(transaction, transaction => sqlx::query(SQL).execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

async fn is_full(transaction: &mut Transaction, ceilings: Ceilings, now: DateTime<Utc>) -> Result<bool, StoreError> {
    const LIVE: &str = "select count(*) from attempt where ended_at is null and way = 'call'";
    const BEGUN: &str = "select count(*) from attempt where begun_at > $1 and way = 'call'";
    let live: i64 = on!(transaction, transaction => sqlx::query_scalar(LIVE).fetch_one(&mut **transaction).await)?;
    let begun: i64 = on!(transaction, transaction => sqlx::query_scalar(BEGUN)
        .bind(now - TimeDelta::seconds(1))
        .fetch_one(&mut **transaction)
        .await)?;
    let (live, begun): (u32, u32) = (count("attempt.id", live)?, count("attempt.id", begun)?);
    Ok(live >= ceilings.live || begun >= ceilings.per_second)
}

async fn is_paused(transaction: &mut Transaction, ticket: &Ticket) -> Result<bool, StoreError> {
    const SQL: &str = "select city from visit_pause where city = $1";
    let found: Option<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(ticket.city.slug())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.is_some())
}
