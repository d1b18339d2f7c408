//! Legal holds: the recordings of a ticket that are kept whatever their age. Tickets that were merged are one matter: a hold
//! on one of them keeps the recordings of all.

use chrono::{DateTime, Utc};

use super::belonging::SHIELDED;
use crate::store::audit::{self, Act};
use crate::store::row::{micros, text};
use crate::store::{By, Cursor, MAX_PAGE, Page, Store, StoreError, Transaction, on, ticket_row};
use crate::ticket::{Action, Actor, Number};

/// Why and since when a ticket's recordings are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    pub ticket: Number,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub reason: String,
}

/// What became of a wish to hold or to let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Done,
    /// It is held, or not held, already.
    Already,
    /// No ticket has this number.
    Unknown,
}

/// The numbers of all tickets that a hold covers.
pub(super) const COVERED: &str = "select member.number from legal_hold \
     join ticket held on held.number = legal_hold.ticket \
     join ticket member on member.number = coalesce(held.merged_into, held.number) \
     union all select member.number from legal_hold \
     join ticket held on held.number = legal_hold.ticket \
     join ticket member on member.merged_into = coalesce(held.merged_into, held.number)";

/// The numbers of a ticket ($1) and of all that are merged with it; one that is merged names the lead, which is no other's
/// follower.
const MATTER: &str = "select number from ticket \
     where number = (select coalesce(merged_into, number) from ticket where number = $1) \
     union all select number from ticket \
     where merged_into = (select coalesce(merged_into, number) from ticket where number = $1)";

const SELECT: &str = "select ticket, at, actor, reason from legal_hold where true";

impl Store {
    /// Keeps the recordings of a ticket, and of those that are merged with it, from now on. What was marked as deleted and still has its file is kept too.
    pub async fn hold(&self, ticket: Number, reason: &str, by: &By, now: DateTime<Utc>) -> Result<Held, StoreError> {
        const SQL: &str =
            "insert into legal_hold (ticket, at, actor, reason) values ($1, $2, $3, $4) on conflict do nothing";
        let save = format!("update recording set deleted_at = null where erased_at is null and owner in ({MATTER})");
        let mut transaction = self.begin().await?;
        if ticket_row::lock(&mut transaction, ticket).await?.is_none() {
            return Ok(Held::Unknown);
        }
        let held = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .bind(micros(now))
            .bind(by.actor.to_string())
            .bind(reason)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if held == 0 {
            return Ok(Held::Already);
        }
        on!(&mut transaction, transaction => sqlx::query(sqlx::AssertSqlSafe(save))
            .bind(ticket.to_string())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        self.told(transaction, ticket, Action::Held, reason, by, now).await
    }

    /// Lets a ticket's recordings go when their time is over.
    pub async fn release(&self, ticket: Number, reason: &str, by: &By, now: DateTime<Utc>) -> Result<Held, StoreError> {
        const SQL: &str = "delete from legal_hold where ticket = $1";
        let mut transaction = self.begin().await?;
        if ticket_row::lock(&mut transaction, ticket).await?.is_none() {
            return Ok(Held::Unknown);
        }
        let released = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(ticket.to_string())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if released == 0 {
            return Ok(Held::Already);
        }
        self.told(transaction, ticket, Action::Released, reason, by, now).await
    }

    async fn told(
        &self,
        mut transaction: Transaction,
        ticket: Number,
        action: Action,
        reason: &str,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Held, StoreError> {
        let subject = ticket.to_string();
        let act = Act { reason: Some(reason), ..by.act(&subject, now, action) };
        audit::append(&mut transaction, &act).await?;
        transaction.commit().await?;
        Ok(Held::Done)
    }

    /// Whether and why a ticket's recordings are held: by a hold of its own, else by the oldest of the tickets that are merged
    /// with it.
    pub async fn legal_hold(&self, ticket: Number) -> Result<Option<LegalHold>, StoreError> {
        let sql = format!(
            "{SELECT} and ticket in ({MATTER}) order by case when ticket = $1 then 0 else 1 end, at, ticket limit 1"
        );
        let row: Option<HoldRow> = on!(&self.read, pool => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(ticket.to_string())
            .fetch_optional(pool)
            .await)?;
        row.map(LegalHold::try_from).transpose()
    }

    /// Holds of these cities, the newest first, those of shielded requesters only if `shielded`; `limit` is 1 to [`MAX_PAGE`].
    pub async fn legal_holds(
        &self,
        cities: Option<&[crate::city::City]>,
        shielded: bool,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<LegalHold>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let rows: Vec<HoldRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            if let Some(cities) = cities {
                query.push(" and (false");
                for city in cities {
                    // a number begins with its city's digit
                    query.push(" or substr(ticket, 1, 1) = ").push_bind(city.digit().to_string());
                }
                query.push(")");
            }
            if !shielded {
                query.push(" and not exists (select 1 from ticket where ticket.number = legal_hold.ticket ");
                query.push("and ").push(SHIELDED).push(")");
            }
            if let Some(cursor) = cursor {
                query.push(" and (at, ticket) < (").push_bind(cursor.at).push(", ");
                query.push_bind(cursor.key.as_str()).push(")");
            }
            query.push(" order by at desc, ticket desc limit ").push_bind(i64::from(limit) + 1);
            query.build_query_as().fetch_all(pool).await
        })?;
        let holds = rows.into_iter().map(LegalHold::try_from).collect::<Result<Vec<LegalHold>, _>>()?;
        Ok(Page::cut(holds, limit, |hold| Cursor { at: hold.at, key: hold.ticket.to_string() }))
    }
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    ticket: String,
    at: DateTime<Utc>,
    actor: String,
    reason: String,
}

impl TryFrom<HoldRow> for LegalHold {
    type Error = StoreError;

    fn try_from(row: HoldRow) -> Result<LegalHold, StoreError> {
        Ok(LegalHold {
            ticket: text("legal_hold.ticket", &row.ticket)?,
            at: row.at,
            actor: text("legal_hold.actor", &row.actor)?,
            reason: row.reason,
        })
    }
}
