//! Lists of tickets, a page at a time, and how many a list has.

use super::sql::{Sql, builder};
use super::ticket_filter::{Words, tickets_with_all};
use super::ticket_row::{self, TicketRow};
use super::{
    BadCursor, Cursor, MAX_PAGE, Page, Store, StoreError, TicketFilter, TicketOrder, TicketWithRecordings, on,
};
use crate::ticket::Ticket;
use crate::ticket::grams::grams;

/// As many grams of a search are counted, and as many of them, the rarest, looked for.
const MOST_COUNTED: usize = 12;
const MOST_GRAMS: usize = 6;

/// Up to here the tickets of the rarest gram are fetched and then named.
const FEW: i64 = 1_000;

/// Up to here they are narrowed where they are; past it a list is walked and each ticket asked.
const SOME: i64 = 20_000;

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many tickets a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At most as many as were to be counted.
    pub tickets: u32,
    /// There are more.
    pub more: bool,
}

impl Store {
    /// Tickets in this order; `limit` is 1 to [`MAX_PAGE`].
    ///
    /// # Errors
    /// [`ListError::Cursor`] for a cursor of the other order.
    pub async fn tickets(
        &self,
        filter: &TicketFilter,
        order: TicketOrder,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TicketWithRecordings>, ListError> {
        if cursor.is_some_and(|cursor| order.number(cursor).is_none()) {
            return Err(BadCursor.into());
        }
        let limit = limit.clamp(1, MAX_PAGE);
        let words = self.words(filter.text.as_deref()).await?;
        let sql = filter.page(order, &words, cursor, i64::from(limit) + 1, &ticket_row::SELECT);
        let Some(sql) = sql else { return Ok(Page { items: Vec::new(), next: None }) };
        let rows: Vec<TicketRow> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await).map_err(StoreError::from)?;
        let tickets = rows.into_iter().map(Ticket::try_from).collect::<Result<Vec<Ticket>, _>>()?;
        let page = Page::cut(tickets, limit, |ticket| order.place(ticket));
        Ok(Page { items: self.with_recordings(page.items).await?, next: page.next })
    }

    /// Counts up to `at_most` tickets.
    pub async fn count_tickets(&self, filter: &TicketFilter, at_most: u32) -> Result<Count, StoreError> {
        let words = self.words(filter.text.as_deref()).await?;
        let Some(sql) = filter.count(&words, i64::from(at_most) + 1) else {
            return Ok(Count { tickets: 0, more: false });
        };
        let found: i64 = on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_one(pool).await)?;
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        Ok(Count { tickets: found.min(at_most), more: found > at_most })
    }

    /// How the database goes about a list, in its own words: what the tests of query plans read.
    pub async fn explain_tickets(&self, filter: &TicketFilter, order: TicketOrder) -> Result<Vec<String>, StoreError> {
        use super::database::Database;
        let words = self.words(filter.text.as_deref()).await?;
        let Some(list) = filter.page(order, &words, None, 51, &ticket_row::SELECT) else { return Ok(Vec::new()) };
        let mut sql = Sql::default();
        Ok(match &self.read {
            Database::Sqlite(pool) => {
                sql.push("explain query plan ").extend(list);
                let rows: Vec<(i64, i64, i64, String)> = builder!(sql).build_query_as().fetch_all(pool).await?;
                rows.into_iter().map(|(.., what)| what).collect()
            }
            Database::Postgres(pool) => {
                sql.push("explain ").extend(list);
                builder!(sql).build_query_scalar().fetch_all(pool).await?
            }
        })
    }

    /// Looks a search's grams up.
    async fn words(&self, text: Option<&str>) -> Result<Words, StoreError> {
        let Some(text) = text else { return Ok(Words::Unasked) };
        let grams: Vec<String> = grams(text).into_iter().take(MOST_COUNTED).collect();
        let mut counted = Vec::with_capacity(grams.len());
        for gram in grams {
            counted.push((self.tickets_with(&gram).await?, gram));
        }
        counted.sort();
        let Some((rarest, _)) = counted.first() else { return Ok(Words::Few(Vec::new())) };
        let rarest = *rarest;
        let grams: Vec<String> = counted.into_iter().map(|(_, gram)| gram).take(MOST_GRAMS).collect();
        match rarest {
            0 => Ok(Words::Few(Vec::new())),
            1..=FEW => Ok(Words::Few(self.tickets_with_all(&grams).await?)),
            ..=SOME => Ok(Words::Some(grams)),
            _ => Ok(Words::Common(grams)),
        }
    }

    /// Counted to one more than [`SOME`].
    async fn tickets_with(&self, gram: &str) -> Result<i64, StoreError> {
        const SQL: &str = "select count(*) from (select 1 from gram where gram = $1 limit $2) as counted";
        Ok(on!(&self.read, pool => sqlx::query_scalar(SQL).bind(gram).bind(SOME + 1).fetch_one(pool).await)?)
    }

    async fn tickets_with_all(&self, grams: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = tickets_with_all(grams);
        Ok(on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?)
    }
}
