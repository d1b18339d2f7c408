//! How many complaints a matter or a unit has: what its supervision is decided by, and what a ticket's page shows.

use chrono::{DateTime, Utc};

use super::row::{count, micros};
use super::sql::{Sql, builder};
use super::{Store, StoreError, on};
use crate::ticket::supervision::{Subject, Thresholds};
use crate::ticket::{Actor, Level, Ticket};

/// A matter or a unit, as it would be counted for supervision now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaints {
    pub subject: Subject,
    /// In the window; after somebody ended its supervision by hand only those made since then.
    pub tickets: u32,
    /// With so many it is supervised.
    pub threshold: u32,
    pub window_days: u32,
    /// It is supervised at this level.
    pub level: Option<Level>,
}

impl Store {
    /// Of the matter and the lead unit of a ticket, as far as it has them.
    pub async fn complaints_about(&self, ticket: &Ticket, now: DateTime<Utc>) -> Result<Vec<Complaints>, StoreError> {
        let thresholds = self.rules.supervision.of(ticket.city);
        let mut found = Vec::new();
        for subject in subjects(ticket) {
            let level = self.supervised_at(&subject).await?;
            let ended = self.ended_by_hand(&subject).await?;
            let counting = counting(&subject, &thresholds, since(level.is_some(), ended, &thresholds, micros(now)));
            let tickets: i64 = on!(&self.read, pool => builder!(counting).build_query_scalar().fetch_one(pool).await)?;
            found.push(Complaints {
                tickets: count("count", tickets)?,
                threshold: thresholds.of(&subject),
                window_days: thresholds.window_days,
                level,
                subject,
            });
        }
        Ok(found)
    }

    async fn supervised_at(&self, subject: &Subject) -> Result<Option<Level>, StoreError> {
        const SQL: &str = "select level from supervision where subject = $1 and ended_at is null";
        let level: Option<i64> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(subject.to_string())
            .fetch_optional(pool)
            .await)?;
        let column = "supervision.level";
        let level = level.map(|level| Level::new(count(column, level)?).ok_or(StoreError::OutOfRange { column }));
        level.transpose()
    }

    async fn ended_by_hand(&self, subject: &Subject) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(on!(&self.read, pool => sqlx::query_scalar(ENDED_BY_HAND)
            .bind(subject.to_string())
            .bind(Actor::System.to_string())
            .fetch_one(pool)
            .await)?)
    }
}

/// What a ticket's complaint would be counted for.
fn subjects(ticket: &Ticket) -> impl Iterator<Item = Subject> {
    let city = ticket.city;
    let matter = ticket.matter.class.zip(ticket.matter.place_key());
    let matter = matter.map(|(class, place)| Subject::Matter { city, class, place });
    let unit = ticket.handling.lead.clone().map(|unit| Subject::Unit { city, unit });
    matter.into_iter().chain(unit)
}

/// When somebody ($2 does not count) last ended the subject's supervision.
pub(super) const ENDED_BY_HAND: &str = "select max(ended_at) from supervision where subject = $1 and ended_by <> $2";

/// Since when complaints count.
pub(super) fn since(
    supervised: bool,
    ended_by_hand: Option<DateTime<Utc>>,
    thresholds: &Thresholds<'_>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let window = thresholds.since(now);
    ended_by_hand.filter(|_| !supervised).map_or(window, |ended| ended.max(window))
}

/// How many complaints there are since then.
pub(super) fn counting(subject: &Subject, thresholds: &Thresholds<'_>, since: DateTime<Utc>) -> Sql {
    let mut sql = of_subject("select count(*) from ticket", subject);
    sql.push(" and created_at >= ").bind(since).push(counted_complaints(thresholds));
    sql
}

/// The subject's tickets.
pub(super) fn of_subject(select: &str, subject: &Subject) -> Sql {
    let mut sql = Sql::default();
    sql.push(select);
    match subject {
        Subject::Matter { city, class, place } => sql
            .push(" where class = ")
            .bind(class.to_string())
            .push(" and place_key = ")
            .bind(place.as_str())
            .push(" and city = ")
            .bind(city.slug()),
        Subject::Unit { city, unit } => {
            sql.push(" where lead_unit = ").bind(unit.as_str()).push(" and city = ").bind(city.slug())
        }
    };
    sql
}

/// The condition under which a ticket counts.
pub(super) fn counted_complaints(thresholds: &Thresholds<'_>) -> String {
    let types: Vec<String> = thresholds.types.iter().map(|kind| format!("'{}'", kind.name())).collect();
    // `in ()` is no SQL for PostgreSQL
    let types = if types.is_empty() { "null".to_owned() } else { types.join(", ") };
    format!(" and request_type in ({types}) and not invalid and state not in ('withdrawn', 'refused')")
}
