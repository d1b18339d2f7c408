//! What people decide about return visits: pauses, skips, and who is not to be called.

use chrono::{DateTime, Utc};

use super::VisitStep;
use super::row;
use crate::callback::Because;
use crate::city::City;
use crate::phone::Phone;
use crate::store::audit::{self, Act};
use crate::store::row::{micros, phone, text};
use crate::store::{By, MAX_PAGE, Store, StoreError, Transaction, on, ticket_row};
use crate::ticket::{Action, Actor, Change, Number};

/// A city whose automatic calls are paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub city: City,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub why: String,
}

/// A number that wants no automatic calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    pub phone: Phone,
    pub at: DateTime<Utc>,
    pub actor: Actor,
}

/// Why a visit is not left to a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSkipped {
    #[error("no ticket has this number")]
    Unknown,
    #[error("no return visit of this ticket is due")]
    NotDue,
    #[error("a person makes this visit already")]
    PersonAlready,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// No automatic call of the city begins from now on; false when they are paused already.
    pub async fn pause_visits(&self, city: City, why: &str, by: &By, now: DateTime<Utc>) -> Result<bool, StoreError> {
        const SQL: &str =
            "insert into visit_pause (city, at, actor, why) values ($1, $2, $3, $4) on conflict do nothing";
        let mut transaction = self.begin().await?;
        let paused = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(city.slug())
            .bind(micros(now))
            .bind(by.actor.to_string())
            .bind(why)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if paused == 0 {
            return Ok(false);
        }
        let subject = format!("visits {city}");
        let act = Act::new(&subject, now, by.actor, Action::Suspended);
        audit::append(&mut transaction, &Act { reason: Some(why), address: by.address.as_deref(), ..act }).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Calls of the city begin again; false when they are not paused.
    pub async fn resume_visits(&self, city: City, by: &By, now: DateTime<Utc>) -> Result<bool, StoreError> {
        const SQL: &str = "delete from visit_pause where city = $1";
        let mut transaction = self.begin().await?;
        let resumed = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(city.slug())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if resumed == 0 {
            return Ok(false);
        }
        let subject = format!("visits {city}");
        let act = Act::new(&subject, now, by.actor, Action::Resumed);
        audit::append(&mut transaction, &Act { address: by.address.as_deref(), ..act }).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The cities that are paused, in the order of their area codes.
    pub async fn paused_visits(&self) -> Result<Vec<Paused>, StoreError> {
        const SQL: &str = "select city, at, actor, why from visit_pause";
        let rows: Vec<(String, DateTime<Utc>, String, String)> =
            on!(&self.read, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
        let paused = |(city, at, actor, why): (String, DateTime<Utc>, String, String)| {
            let city = text("visit_pause.city", &city)?;
            Ok(Paused { city, at, actor: text("visit_pause.actor", &actor)?, why })
        };
        let mut paused: Vec<Paused> = rows.into_iter().map(paused).collect::<Result<_, StoreError>>()?;
        paused.sort_by_key(|paused| paused.city);
        Ok(paused)
    }

    /// No more automatic attempts: a person makes the visit. A call that goes on is not cut off, and its answers count.
    pub async fn skip_visit(&self, number: Number, why: &str, by: &By, now: DateTime<Utc>) -> Result<(), NotSkipped> {
        let mut transaction = self.begin().await?;
        let ticket = ticket_row::lock(&mut transaction, number).await?.ok_or(NotSkipped::Unknown)?;
        let due = row::due(&mut transaction, ticket.number).await?.ok_or(NotSkipped::NotDue)?;
        if due.step == Some(VisitStep::Person) {
            return Err(NotSkipped::PersonAlready);
        }
        let skipped = Because::Skipped.name();
        self.step(&mut transaction, number, due.round, VisitStep::Person, now, skipped).await?;
        let is = Some(VisitStep::Person.name().to_owned());
        let changes = [Change { field: "visit_step", was: due.step.map(|step| step.name().to_owned()), is }];
        let subject = number.to_string();
        let act = Act::new(&subject, now, by.actor, Action::Changed);
        let act = Act { changes: &changes, reason: Some(why), address: by.address.as_deref(), ..act };
        audit::append(&mut transaction, &act).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The number gets no automatic calls from now on; false when it gets none already.
    pub async fn add_opt_out(&self, phone: &Phone, by: &By, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let added = opt_out(&mut transaction, phone, by.actor, by.address.as_deref(), now).await?;
        transaction.commit().await?;
        Ok(added)
    }

    /// The number may be called automatically again; false when it may already.
    pub async fn remove_opt_out(&self, phone: &Phone, by: &By, now: DateTime<Utc>) -> Result<bool, StoreError> {
        const SQL: &str = "delete from opt_out where phone = $1";
        let mut transaction = self.begin().await?;
        let removed = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(phone.digits())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if removed == 0 {
            return Ok(false);
        }
        let subject = subject(phone);
        let act = Act::new(&subject, now, by.actor, Action::Removed);
        audit::append(&mut transaction, &Act { address: by.address.as_deref(), ..act }).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Numbers that want no automatic calls, the latest first, at most [`MAX_PAGE`].
    pub async fn opt_outs(&self, limit: u32) -> Result<Vec<OptOut>, StoreError> {
        const SQL: &str = "select phone, at, actor from opt_out order by at desc, phone limit $1";
        let rows: Vec<(String, DateTime<Utc>, String)> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(i64::from(limit.clamp(1, MAX_PAGE)))
            .fetch_all(pool)
            .await)?;
        let opt_out = |(digits, at, actor): (String, DateTime<Utc>, String)| {
            let phone = phone("opt_out.phone", Some(&digits))?;
            let phone = phone.ok_or(StoreError::OutOfRange { column: "opt_out.phone" })?;
            Ok(OptOut { phone, at, actor: text("opt_out.actor", &actor)? })
        };
        rows.into_iter().map(opt_out).collect()
    }
}

/// False when the number is on the list already.
pub(super) async fn opt_out(
    transaction: &mut Transaction,
    phone: &Phone,
    actor: Actor,
    address: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into opt_out (phone, at, actor) values ($1, $2, $3) on conflict do nothing";
    let added = on!(transaction, transaction => sqlx::query(SQL)
        .bind(phone.digits())
        .bind(micros(now))
        .bind(actor.to_string())
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    if added == 0 {
        return Ok(false);
    }
    let subject = subject(phone);
    audit::append(transaction, &Act { address, ..Act::new(&subject, now, actor, Action::Added) }).await?;
    Ok(true)
}

/// Masked: the audit shows no number whole.
fn subject(phone: &Phone) -> String {
    format!("opt-out {}", phone.masked())
}
