//! A caller asks how their request goes: who may hear it, and urging (催办).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::row::{count, micros, optional_text, text};
use super::{NotDone, Order, Store, StoreError, Transaction, on};
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{Actor, Command, Number, Refused, RequestType, Requester, Side, State, may_be_read_out};

/// So many wrong tries lock a caller.
const MAX_FAILURES: u32 = 3;

/// For so long; a wrong try is also forgotten after it.
const LOCK: TimeDelta = TimeDelta::minutes(30);

/// What may be said about a ticket on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub number: Number,
    pub state: State,
    pub requester: Requester,
    pub language: Language,
    pub created_at: DateTime<Utc>,
    /// In Beijing.
    pub created_day: NaiveDate,
    pub due_day: Option<NaiveDate>,
    /// 1, 2 or 3.
    pub round: u8,
    /// It has had its extension.
    pub extended: bool,
}

/// The answer to a typed ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The caller's number is the ticket's.
    Readable(Status),
    /// Ask for the last four digits of the registered number, then [`Store::verify`].
    LastFourNeeded,
    /// The caller's own ticket, but a confidential one or a report of wrongdoing.
    NotReadOut,
    /// No such ticket.
    Unknown,
    /// Too many wrong tries.
    Locked { until: DateTime<Utc> },
}

/// The answer to typed last four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    Verified(Status),
    /// So many tries are left.
    Wrong {
        left: u32,
    },
    Locked {
        until: DateTime<Utc>,
    },
}

/// The answer to an urging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urged {
    Done,
    /// It was urged on this working day already.
    AlreadyToday,
    /// Archived, refused, withdrawn or merged.
    AtItsEnd,
    Unknown,
}

impl Store {
    /// The caller's newest ticket that may be read out.
    pub async fn latest_ticket(&self, phone: &Phone) -> Result<Option<Status>, StoreError> {
        // a type that is null is unequal to nothing: such a ticket is left out too
        const SQL: &str = "select number, state, requester, language, created_at, created_day, due_day, round, \
             extended_by, phone, confidential, request_type from ticket where phone = $1 and not confidential and request_type <> $2 \
             order by created_at desc, number desc limit 1";
        let row: Option<StatusRow> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(phone.digits())
            .bind(RequestType::Report.name())
            .fetch_optional(pool)
            .await)?;
        row.map(|row| row.status()).transpose()
    }

    /// What `caller` may hear about a ticket. A stranger learns nothing here, not even that a ticket is confidential.
    pub async fn status_for(
        &self,
        caller: Option<&Phone>,
        number: Number,
        now: DateTime<Utc>,
    ) -> Result<Progress, StoreError> {
        if let Some(until) = self.locked_until(&subject(caller, number), micros(now)).await? {
            return Ok(Progress::Locked { until });
        }
        let Some(row) = self.status_row(number).await? else { return Ok(Progress::Unknown) };
        if caller.is_none() || row.phone.as_deref() != caller.map(Phone::digits) {
            return Ok(Progress::LastFourNeeded);
        }
        if !row.may_be_read_out()? {
            return Ok(Progress::NotReadOut);
        }
        Ok(Progress::Readable(row.status()?))
    }

    /// Compares the last four digits of the ticket's registered number. Three wrong tries lock the caller (without a
    /// caller's number: the ticket, for such callers) for 30 minutes. A ticket that is never read out, one without a
    /// number and one that does not exist all answer as wrong digits do.
    pub async fn verify(
        &self,
        caller: Option<&Phone>,
        number: Number,
        last_four: &str,
        now: DateTime<Utc>,
    ) -> Result<Verification, StoreError> {
        let now = micros(now);
        let readable = match self.status_row(number).await? {
            Some(row) if row.may_be_read_out()? && row.ends_with(last_four) => Some(row.status()?),
            _ => None,
        };
        let subject = subject(caller, number);
        let mut transaction = self.begin().await?;
        let failures = lock_failures(&mut transaction, &subject, now).await?;
        let answer = match (failures.locked_until(now), readable) {
            (Some(until), _) => Verification::Locked { until },
            (None, Some(status)) => {
                set_failures(&mut transaction, &subject, 0, now).await?;
                Verification::Verified(status)
            }
            (None, None) => {
                let count = failures.counting(now) + 1;
                set_failures(&mut transaction, &subject, count, now).await?;
                match MAX_FAILURES.saturating_sub(count) {
                    0 => Verification::Locked { until: now + LOCK },
                    left => Verification::Wrong { left },
                }
            }
        };
        transaction.commit().await?;
        Ok(answer)
    }

    /// Urges an open ticket for its requester, once a working day; what is done on days off counts with the working
    /// day before them.
    pub async fn urge(&self, number: Number, now: DateTime<Utc>) -> Result<Urged, StoreError> {
        let order = Order {
            number,
            version: None,
            command: Command::Urge,
            actor: Actor::Caller,
            side: Side::Requester,
            address: None,
        };
        match self.execute(&order, now).await {
            Ok(_) => Ok(Urged::Done),
            Err(NotDone::Unknown) => Ok(Urged::Unknown),
            Err(NotDone::Refused { why: Refused::UrgedAlready, .. }) => Ok(Urged::AlreadyToday),
            Err(NotDone::Refused { .. } | NotDone::Changed(_)) => Ok(Urged::AtItsEnd),
            Err(NotDone::Store(error)) => Err(error),
        }
    }

    /// The language the caller chose last.
    pub async fn language_of(&self, phone: &Phone) -> Result<Option<Language>, StoreError> {
        const SQL: &str = "select language from caller_language where phone = $1";
        let language: Option<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(phone.digits()).fetch_optional(pool).await)?;
        language.map(|language| text("caller_language.language", &language)).transpose()
    }

    pub async fn remember_language(
        &self,
        phone: &Phone,
        language: Language,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "insert into caller_language (phone, language, updated_at) values ($1, $2, $3) \
             on conflict (phone) do update set language = excluded.language, updated_at = excluded.updated_at";
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(phone.digits())
            .bind(language.code())
            .bind(micros(now))
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    async fn status_row(&self, number: Number) -> Result<Option<StatusRow>, StoreError> {
        const SQL: &str = "select number, state, requester, language, created_at, created_day, due_day, round, \
             extended_by, phone, confidential, request_type from ticket where number = $1";
        Ok(on!(&self.read, pool => sqlx::query_as(SQL).bind(number.to_string()).fetch_optional(pool).await)?)
    }

    async fn locked_until(&self, subject: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "select failures, last_at from progress_failure where subject = $1";
        let row: Option<(i64, DateTime<Utc>)> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(subject).fetch_optional(pool).await)?;
        Ok(row.map(Failures::try_from).transpose()?.and_then(|failures| failures.locked_until(now)))
    }
}

fn subject(caller: Option<&Phone>, number: Number) -> String {
    caller.map_or_else(|| format!("ticket {number}"), |phone| phone.digits().to_owned())
}

struct Failures {
    count: u32,
    last_at: DateTime<Utc>,
}

impl Failures {
    /// Those that are not forgotten.
    fn counting(&self, now: DateTime<Utc>) -> u32 {
        if now < self.last_at + LOCK { self.count } else { 0 }
    }

    fn locked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.counting(now) >= MAX_FAILURES).then(|| self.last_at + LOCK)
    }
}

impl TryFrom<(i64, DateTime<Utc>)> for Failures {
    type Error = StoreError;

    fn try_from((failures, last_at): (i64, DateTime<Utc>)) -> Result<Failures, StoreError> {
        Ok(Failures { count: count("progress_failure.failures", failures)?, last_at })
    }
}

/// The upsert changes nothing; it makes two tries of one caller come one after the other.
async fn lock_failures(
    transaction: &mut Transaction,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<Failures, StoreError> {
    const SQL: &str = "insert into progress_failure (subject, failures, last_at) values ($1, 0, $2) \
         on conflict (subject) do update set failures = progress_failure.failures returning failures, last_at";
    let row: (i64, DateTime<Utc>) = on!(transaction, transaction => sqlx::query_as(SQL)
        .bind(subject)
        .bind(now)
        .fetch_one(&mut **transaction)
        .await)?;
    Failures::try_from(row)
}

async fn set_failures(
    transaction: &mut Transaction,
    subject: &str,
    failures: u32,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const SQL: &str = "update progress_failure set failures = $2, last_at = $3 where subject = $1";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(subject)
        .bind(i64::from(failures))
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct StatusRow {
    number: String,
    state: String,
    requester: String,
    language: String,
    created_at: DateTime<Utc>,
    created_day: NaiveDate,
    due_day: Option<NaiveDate>,
    round: i64,
    extended_by: Option<i64>,
    phone: Option<String>,
    confidential: bool,
    request_type: Option<String>,
}

impl StatusRow {
    fn status(&self) -> Result<Status, StoreError> {
        Ok(Status {
            number: text("ticket.number", &self.number)?,
            state: text("ticket.state", &self.state)?,
            requester: text("ticket.requester", &self.requester)?,
            language: text("ticket.language", &self.language)?,
            created_at: self.created_at,
            created_day: self.created_day,
            due_day: self.due_day,
            round: count("ticket.round", self.round)?,
            extended: self.extended_by.is_some(),
        })
    }

    fn may_be_read_out(&self) -> Result<bool, StoreError> {
        let request_type = optional_text("ticket.request_type", self.request_type.as_deref())?;
        Ok(may_be_read_out(self.confidential, request_type))
    }

    fn ends_with(&self, last_four: &str) -> bool {
        last_four.len() == 4 && self.phone.as_deref().is_some_and(|phone| phone.ends_with(last_four))
    }
}
