//! What every change of a ticket brings with it: its index of words, its units' lists, the days whose figures have to be
//! counted anew, and the notices to other systems.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use super::outbox::{MessageKind, SMS};
use super::row::{count, micros};
use super::{ClassWeeks, Store, StoreError, Transaction, listening, on, visiting};
use crate::clock::beijing_day;
use crate::ticket::grams::grams;
use crate::ticket::{Number, State, Ticket, Told, UnitCode};

impl Store {
    /// Belongs into the transaction that writes `is`; `was` is what it was before, `None` for a new ticket.
    pub(super) async fn follow_up(
        &self,
        transaction: &mut Transaction,
        was: Option<&Ticket>,
        is: &Ticket,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        index(transaction, is.number, &was.map(words_in).unwrap_or_default(), &words_in(is)).await?;
        if was.is_some_and(|was| assisted(was) != assisted(is)) {
            assign(transaction, is).await?;
        }
        if was.is_some_and(|was| was.phone != is.phone) {
            visiting::number_corrected(transaction, is.number).await?;
        }
        if let Some(was) = was {
            listening::follow_ticket(transaction, was, is).await?;
        }
        let mut days = days(was.into_iter().chain([is]), now);
        if was.is_some_and(|was| counts_elsewhere(was, is)) {
            days.extend(visit_days(transaction, is.number).await?);
        }
        stale(transaction, &days, is.number, is.version).await?;
        self.announce(transaction, was, is, now).await
    }

    /// Before a visit of the ticket changes: the days of its visits, and this day.
    pub(super) async fn stale_visits(
        &self,
        transaction: &mut Transaction,
        number: Number,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "select version from ticket where number = $1";
        let version: i64 = on!(transaction, transaction => sqlx::query_scalar(SQL)
            .bind(number.to_string())
            .fetch_one(&mut **transaction)
            .await)?;
        let mut days = visit_days(transaction, number).await?;
        days.insert(beijing_day(now));
        stale(transaction, &days, number, count("ticket.version", version)?).await
    }

    /// A row a webhook. It names nobody: who is told may ask for more with its own rights.
    async fn announce(
        &self,
        transaction: &mut Transaction,
        was: Option<&Ticket>,
        is: &Ticket,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.rules.webhooks.is_empty() {
            return Ok(());
        }
        let event = match was {
            None => "ticket.created",
            Some(was) if was.state != is.state => "ticket.state_changed",
            Some(was) if was.supervision.level != is.supervision.level => "ticket.supervision_changed",
            Some(was) if was.handling.due_day != is.handling.due_day => "ticket.due_changed",
            Some(was) if was.handling.raised != is.handling.raised => "ticket.alarm_raised",
            Some(_) => return Ok(()),
        };
        let body = json!({
            "event": event,
            "number": is.number,
            "city": is.city,
            "state": is.state,
            "was": was.map(|was| was.state),
            "version": is.version,
            "round": is.handling.round,
            "lead_unit": is.handling.lead,
            "due_day": is.handling.due_day,
            "supervision": is.supervision.level,
            "raised": is.handling.raised,
            "at": now,
        });
        for webhook in self.rules.webhooks.iter().filter(|webhook| webhook.hears(event)) {
            let id = format!("{}-{}-{}", is.number, is.version, webhook.name);
            send(transaction, &id, MessageKind::Webhook, &webhook.name, Some(is), event, &body.to_string(), now)
                .await?;
        }
        Ok(())
    }

    /// A row a webhook, of a class that rises in a city.
    pub(super) async fn announce_trend(
        &self,
        transaction: &mut Transaction,
        trend: &ClassWeeks,
        monday: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let body = json!({
            "event": "trend.raised",
            "city": trend.city,
            "class": trend.class,
            "week": trend.week,
            "four_weeks_before": trend.four_weeks_before,
            "at": now,
        });
        for webhook in self.rules.webhooks.iter().filter(|webhook| webhook.hears("trend.raised")) {
            let id = format!("trend-{}-{}-{monday}-{}", trend.city, trend.class, webhook.name);
            let body = body.to_string();
            send(transaction, &id, MessageKind::Webhook, &webhook.name, None, "trend.raised", &body, now).await?;
        }
        Ok(())
    }

    /// An SMS to the requester, where there is a gateway and a number. The worker that sends it looks the number up.
    pub(super) async fn tell(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        what: Told,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if !self.rules.sms || ticket.phone.is_none() {
            return Ok(());
        }
        let id = format!("{}-{}-sms-{}", ticket.number, ticket.version, what.name());
        let body = json!({ "due_day": ticket.handling.due_day, "reason": ticket.handling.reason }).to_string();
        send(transaction, &id, MessageKind::Sms, SMS, Some(ticket), what.name(), &body, now).await
    }
}

/// A message for the worker that delivers them; one id is one message.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(super) async fn send(
    transaction: &mut Transaction,
    id: &str,
    kind: MessageKind,
    target: &str,
    ticket: Option<&Ticket>,
    event: &str,
    body: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into outbox (id, kind, target, ticket, version, event, body, created_at, attempts, \
         next_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $8) on conflict (id) do nothing";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(id)
        .bind(kind.name())
        .bind(target)
        .bind(ticket.map(|ticket| ticket.number.to_string()))
        .bind(i64::from(ticket.map_or(0, |ticket| ticket.version)))
        .bind(event)
        .bind(body)
        .bind(micros(now))
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// What a ticket is found by: title, place, party, and the beginnings of what was written.
pub(super) fn words_in(ticket: &Ticket) -> BTreeSet<String> {
    const BEGINNING: usize = 200;
    let matter = &ticket.matter;
    let short = [&matter.title, &matter.place, &matter.complained_party];
    let long = [&matter.summary, &matter.content];
    let mut text = String::new();
    for part in short.into_iter().flatten() {
        text.push_str(part.as_str());
        text.push('\n');
    }
    for part in long.into_iter().flatten() {
        text.extend(part.as_str().chars().take(BEGINNING));
        text.push('\n');
    }
    grams(&text)
}

/// Words that are gone are found by their own key: an index by ticket would be as large again as that of words.
async fn index(
    transaction: &mut Transaction,
    number: Number,
    were: &BTreeSet<String>,
    are: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let number = number.to_string();
    let gone: Vec<&String> = were.difference(are).collect();
    let new: Vec<&String> = are.difference(were).collect();
    on!(transaction, transaction => {
        if !gone.is_empty() {
            let mut query = sqlx::QueryBuilder::new("delete from gram where ticket = ");
            query.push_bind(&number).push(" and gram in (");
            let mut list = query.separated(", ");
            for gram in &gone {
                list.push_bind(*gram);
            }
            query.push(")").build().execute(&mut **transaction).await?;
        }
        if !new.is_empty() {
            let mut query = sqlx::QueryBuilder::new("insert into gram (gram, ticket) ");
            query.push_values(new, |mut row, gram| {
                row.push_bind(gram).push_bind(&number);
            });
            query.push(" on conflict (gram, ticket) do nothing");
            query.build().execute(&mut **transaction).await?;
        }
    });
    Ok(())
}

/// What the rows of [`assign`] hold.
fn assisted(ticket: &Ticket) -> (&[UnitCode], bool) {
    (&ticket.handling.assisting, ticket.state.is_open())
}

async fn assign(transaction: &mut Transaction, ticket: &Ticket) -> Result<(), StoreError> {
    const CLEAR: &str = "delete from assisting where ticket = $1";
    const ADD: &str = "insert into assisting (ticket, unit, is_open) values ($1, $2, $3)";
    let number = ticket.number.to_string();
    on!(transaction, transaction => sqlx::query(CLEAR).bind(&number).execute(&mut **transaction).await.map(drop))?;
    for unit in &ticket.handling.assisting {
        on!(transaction, transaction => sqlx::query(ADD)
            .bind(&number)
            .bind(unit.as_str())
            .bind(ticket.state.is_open())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Days on which something of these tickets counts in a report.
pub(super) fn days<'a>(tickets: impl Iterator<Item = &'a Ticket>, now: DateTime<Utc>) -> BTreeSet<NaiveDate> {
    let mut days = BTreeSet::from([beijing_day(now)]);
    for ticket in tickets {
        let handling = &ticket.handling;
        days.insert(ticket.created_day);
        days.extend(handling.due_day);
        days.extend(
            [handling.closed_at, handling.ended_at, handling.contact_due_at].into_iter().flatten().map(beijing_day),
        );
    }
    days
}

/// The ticket's visits and redos count for another unit or class than before, or are left out of the rates now, or no
/// longer.
fn counts_elsewhere(was: &Ticket, is: &Ticket) -> bool {
    let place = |ticket: &Ticket| {
        let left_out = ticket.state == State::Suspended || ticket.handling.excluded.is_some();
        let lead = ticket.handling.lead.clone();
        (lead, ticket.matter.class, ticket.channel, ticket.language, ticket.request_type, left_out)
    };
    place(was) != place(is)
}

/// Days on which a visit of the ticket was due or answered, or a recheck found its requester right.
async fn visit_days(transaction: &mut Transaction, number: Number) -> Result<BTreeSet<NaiveDate>, StoreError> {
    const SQL: &str = "select closed_at from visit where ticket = $1 \
         union all select answered_at from visit where ticket = $1 and answered_at is not null \
         union all select at from audit where subject = $1 and action = 'upheld'";
    let times: Vec<DateTime<Utc>> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(number.to_string())
        .fetch_all(&mut **transaction)
        .await)?;
    Ok(times.into_iter().map(beijing_day).collect())
}

/// Marks days for counting anew. The update holds a mark that is there already: who counts and takes it away waits until
/// this transaction has ended.
async fn stale(
    transaction: &mut Transaction,
    days: &BTreeSet<NaiveDate>,
    number: Number,
    version: u32,
) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("insert into report_stale (day, city, ticket, version) ");
        query.push_values(days, |mut row, day| {
            row.push_bind(*day).push_bind(number.city().slug()).push_bind(number.to_string());
            row.push_bind(i64::from(version));
        });
        query.push(" on conflict (day, city, ticket, version) do update set version = excluded.version");
        query.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}
