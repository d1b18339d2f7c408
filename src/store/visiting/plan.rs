//! What is done next for visits that are due, as the policy says.

use chrono::{DateTime, Utc};

use super::VisitStep;
use super::history::Past;
use super::row::{self, Due};
use crate::callback::{Held, Next};
use crate::city::City;
use crate::store::commands::Order;
use crate::store::row::{micros, text};
use crate::store::{NotDone, Store, StoreError, Transaction, on, ticket_row};
use crate::ticket::calendar::Calendar;
use crate::ticket::{Actor, Command, Means, NoVisit, Number, Side, Ticket, Told};

/// What would be done next for a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviewedVisit {
    pub ticket: Number,
    pub round: u8,
    pub city: City,
    pub next: Next,
}

/// Visits that one [`Store::plan_visits`] looks at, at most.
pub const VISITS_A_PLAN: usize = 200;

impl Store {
    /// Gives visits without a plan their next step, plans calls anew when the calendar has changed, and takes on what is due
    /// without a call: sends SMS, ends waiting. Bounded; gives how many were looked at.
    pub async fn plan_visits(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        // a part an index; none reads calls that wait for their time
        const SQL: &str = "select ticket from visit where state = 'due' and step is null union all \
             select ticket from visit where state = 'due' and step in ('sms', 'reply', 'final') and next_at <= $1 \
             union all select ticket from visit where state = 'due' and step = 'call' and calendar < $2 union all \
             select ticket from visit where state = 'due' and step = 'call' and calendar > $2 limit $3";
        let now = micros(now);
        let version = self.calendar_version().await?;
        let tickets: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(now)
            .bind(&version)
            .bind(VISITS_A_PLAN as i64)
            .fetch_all(pool)
            .await)?;
        let mut failed = None;
        for ticket in &tickets {
            // a ticket that can't be read keeps no other waiting
            let planned = self.plan(text("visit.ticket", ticket)?, &version, now).await;
            failed = failed.or(planned.err());
        }
        failed.map_or(Ok(tickets.len()), Err)
    }

    /// What would be done next for visits that no call and no person has, the earliest first, at most `most`. Changes nothing.
    pub async fn preview_visits(&self, now: DateTime<Utc>, most: u32) -> Result<Vec<PreviewedVisit>, StoreError> {
        const SQL: &str = "select ticket from visit where state = 'due' and (step is null \
             or step in ('call', 'sms', 'reply', 'final')) order by coalesce(next_at, due_at), ticket limit $1";
        let now = micros(now);
        let tickets: Vec<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(i64::from(most)).fetch_all(pool).await)?;
        let mut visits = Vec::new();
        for ticket in tickets {
            // given up in the end
            let mut transaction = self.begin().await?;
            let calendar = self.calendar_in(&mut transaction).await?;
            let number = text("visit.ticket", &ticket)?;
            let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { continue };
            let Some(due) = row::due(&mut transaction, number).await? else { continue };
            let past = self.past(&mut transaction, &ticket, &due, now).await?;
            let next = self.next(&ticket, &due, &past, &calendar, now);
            visits.push(PreviewedVisit { ticket: number, round: due.round, city: ticket.city, next });
        }
        Ok(visits)
    }

    async fn plan(&self, number: Number, version: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let calendar = self.calendar_in(&mut transaction).await?;
        let Some(ticket) = ticket_row::lock(&mut transaction, number).await? else { return Ok(()) };
        let Some(due) = row::due(&mut transaction, number).await? else { return Ok(()) };
        if matches!(due.step, Some(VisitStep::Live | VisitStep::Person)) {
            return Ok(());
        }
        let past = self.past(&mut transaction, &ticket, &due, now).await?;
        self.take_on(&mut transaction, &ticket, &due, &past, &calendar, now).await?;
        planned_by(&mut transaction, number, due.round, version).await?;
        transaction.commit().await
    }

    /// Has the visit go on as the policy says. What a person has to do stays theirs, unless all is answered.
    pub(super) async fn take_on(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        due: &Due,
        past: &Past,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let next = self.next(ticket, due, past, calendar, now);
        if due.step == Some(VisitStep::Person) && next != Next::Answered {
            return Ok(next);
        }
        match next {
            Next::Call { at, held } => {
                self.step(transaction, ticket.number, due.round, VisitStep::Call, at, held.name()).await?;
            }
            Next::Sms { at, held } if at > now => {
                self.step(transaction, ticket.number, due.round, VisitStep::Sms, at, held.name()).await?;
            }
            Next::Sms { .. } => return self.send_sms(transaction, ticket, due, past, calendar, now).await,
            Next::Reply { until } => {
                self.step(transaction, ticket.number, due.round, VisitStep::Reply, until, Held::Due.name()).await?;
            }
            Next::Final { at } if at > now => {
                self.step(transaction, ticket.number, due.round, VisitStep::Final, at, Held::Due.name()).await?;
            }
            Next::Final { .. } | Next::Answered => {
                let answers = past.given.answers(Means::Call);
                self.end(transaction, ticket.number, Command::Visited(answers), now).await?;
            }
            Next::Person { because } => {
                self.step(transaction, ticket.number, due.round, VisitStep::Person, now, because.name()).await?;
            }
            Next::NoPhone => {
                let end = Command::EndVisit { because: NoVisit::NoPhone };
                self.end(transaction, ticket.number, end, now).await?;
            }
        }
        Ok(next)
    }

    /// One SMS survey a number at a time: a reply names no ticket.
    async fn send_sms(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        due: &Due,
        past: &Past,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        if let Some(until) = other_reply(transaction, ticket).await? {
            let next = Next::Sms { at: until, held: Held::Busy };
            self.step(transaction, ticket.number, due.round, VisitStep::Sms, until, Held::Busy.name()).await?;
            return Ok(next);
        }
        self.tell(transaction, ticket, Told::Visit, now).await?;
        self.attempted(transaction, ticket.number, due.round, now).await?;
        sms_sent(transaction, ticket.number, due.round, now).await?;
        let sent = Due { sms_at: Some(now), ..due.clone() };
        let next = self.next(ticket, &sent, past, calendar, now);
        if let Next::Reply { until } = next {
            self.step(transaction, ticket.number, due.round, VisitStep::Reply, until, Held::Due.name()).await?;
        }
        Ok(next)
    }

    /// The life may refuse: a person was faster, and the visit is no longer due.
    async fn end(
        &self,
        transaction: &mut Transaction,
        number: Number,
        command: Command,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let order = Order { number, version: None, command, actor: Actor::System, side: Side::System, address: None };
        match self.execute_in(transaction, &order, now).await {
            Ok(_) => Ok(()),
            Err(NotDone::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Database(format!("a visit that is due can't end: {other}"))),
        }
    }

    pub(super) async fn step(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        step: VisitStep,
        at: DateTime<Utc>,
        held: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update visit set step = $3, next_at = $4, held = $5 \
             where ticket = $1 and round = $2 and state = 'due'";
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(i64::from(round))
            .bind(step.name())
            .bind(micros(at))
            .bind(held)
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Counts an attempt, for the reports too.
    pub(super) async fn attempted(
        &self,
        transaction: &mut Transaction,
        ticket: Number,
        round: u8,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update visit set attempts = attempts + 1, attempted_at = coalesce(attempted_at, $3) \
             where ticket = $1 and round = $2 and state = 'due'";
        self.stale_visits(transaction, ticket, now).await?;
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(i64::from(round))
            .bind(micros(now))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        Ok(())
    }

    async fn calendar_version(&self) -> Result<String, StoreError> {
        const SQL: &str = "select value from meta where name = 'calendar'";
        let version: Option<String> = on!(&self.read, pool => sqlx::query_scalar(SQL).fetch_optional(pool).await)?;
        Ok(version.unwrap_or_default())
    }
}

/// The number was corrected: what a person had to do because of the number is done, and the visit is planned anew.
pub(in crate::store) async fn number_corrected(
    transaction: &mut Transaction,
    ticket: Number,
) -> Result<(), StoreError> {
    const SQL: &str = "update visit set step = null, next_at = null, held = null where ticket = $1 and state = 'due' \
         and step = 'person' and held in ('wrong_person', 'bad_number', 'undialable')";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.to_string())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

async fn planned_by(transaction: &mut Transaction, ticket: Number, round: u8, version: &str) -> Result<(), StoreError> {
    const SQL: &str = "update visit set calendar = $3 where ticket = $1 and round = $2";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.to_string())
        .bind(i64::from(round))
        .bind(version)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

async fn sms_sent(
    transaction: &mut Transaction,
    ticket: Number,
    round: u8,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const SQL: &str = "update visit set sms_at = $3 where ticket = $1 and round = $2";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.to_string())
        .bind(i64::from(round))
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// Until when another ticket of the number waits for an answer by SMS.
async fn other_reply(transaction: &mut Transaction, ticket: &Ticket) -> Result<Option<DateTime<Utc>>, StoreError> {
    const SQL: &str = "select next_at from ticket cross join visit where phone = $1 and number = ticket and number <> $2 \
         and visit.state = 'due' and step = 'reply' order by next_at desc limit 1";
    let Some(phone) = &ticket.phone else { return Ok(None) };
    let until: Option<Option<DateTime<Utc>>> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(phone.digits())
        .bind(ticket.number.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(until.flatten())
}
