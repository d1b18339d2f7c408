//! Lists of tickets, a page at a time, and how many a list has.

use super::sql::{Sql, builder, explain};
use super::ticket_row::{self, TicketRow};
use super::ticket_words::{Grams, Words};
use super::{
    BadCursor, Cursor, MAX_PAGE, Page, Store, StoreError, TicketFilter, TicketOrder, TicketWithRecordings, on,
};
use crate::ticket::Ticket;

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
    /// There are more, or may be: not all were looked at.
    pub more: bool,
}

impl Count {
    /// There are more than so many for sure, if that is what was to be counted to.
    pub fn is_over(self, at_most: u32) -> bool {
        self.more && self.tickets == at_most
    }

    const NONE: Count = Count { tickets: 0, more: false };

    fn of(found: i64, at_most: u32) -> Count {
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        Count { tickets: found.min(at_most), more: found > at_most }
    }
}

/// The words of a search, and where many tickets have them, city by city.
struct LookedUp {
    words: Words,
    by_city: Vec<Grams>,
}

/// So many tickets that have the rarest of common words are asked for the others, for each that is to be counted.
const ASKED_PER_COUNTED: i64 = 2;

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
        order.allows(cursor)?;
        let found = self.look_up(filter, order, order == TicketOrder::Created).await?;
        self.page_of(&found, filter, order, limit, cursor).await
    }

    /// A page as [`Store::tickets`] has it, and how many tickets the list has, as [`Store::count_tickets`] counts them; at least
    /// what has been seen of it by the end of the page.
    ///
    /// # Errors
    /// As [`Store::tickets`].
    pub async fn tickets_and_count(
        &self,
        filter: &TicketFilter,
        order: TicketOrder,
        limit: u32,
        cursor: Option<&Cursor>,
        at_most: u32,
    ) -> Result<(Page<TicketWithRecordings>, Count), ListError> {
        order.allows(cursor)?;
        let limit = limit.clamp(1, MAX_PAGE);
        let found = self.look_up(filter, order, true).await?;
        let count = async { Ok(self.count_of(&found, filter, order, at_most).await?) };
        let (page, count) = tokio::try_join!(self.page_of(&found, filter, order, limit, cursor), count)?;
        let shown = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        if cursor.is_none() && page.next.is_none() {
            return Ok((page, Count { tickets: shown, more: false }));
        }
        // where not all were looked at: what can be seen, with a page before
        let seen = if cursor.is_none() { shown } else { shown.saturating_add(limit) };
        Ok((page, if count.more { Count { tickets: count.tickets.max(seen), ..count } } else { count }))
    }

    async fn page_of(
        &self,
        LookedUp { words, by_city }: &LookedUp,
        filter: &TicketFilter,
        order: TicketOrder,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TicketWithRecordings>, ListError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let most = i64::from(limit) + 1;
        let latest = if is_by_number(order, words) {
            Some(Words::Few(self.latest(filter, by_city, most, cursor).await?))
        } else {
            None
        };
        let words = latest.as_ref().unwrap_or(words);
        let mut rows = self.rows(filter.page(order, words, cursor, most, &ticket_row::SELECT)).await?;
        if let Some(words) = words.narrowed().filter(|_| rows.len() <= limit as usize) {
            rows = self.rows(filter.page(order, &words, cursor, most, &ticket_row::SELECT)).await?;
        }
        let tickets = rows.into_iter().map(Ticket::try_from).collect::<Result<Vec<Ticket>, _>>()?;
        let page = Page::cut(tickets, limit, |ticket| order.place(ticket));
        Ok(Page { items: self.with_recordings(page.items).await?, next: page.next })
    }

    async fn look_up(&self, filter: &TicketFilter, order: TicketOrder, by_city: bool) -> Result<LookedUp, StoreError> {
        let words = self.words(filter, order == TicketOrder::Created).await?;
        let words = if filter.has_few(order) || filter.finds_few() { words.of_few() } else { words };
        let by_city = match words.grams().filter(|_| by_city) {
            Some(grams) => self.by_city(grams, filter.cities()).await?,
            None => Vec::new(),
        };
        Ok(LookedUp { words, by_city })
    }

    async fn rows(&self, sql: Option<Sql>) -> Result<Vec<TicketRow>, StoreError> {
        let Some(sql) = sql else { return Ok(Vec::new()) };
        Ok(on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?)
    }

    /// Counts the tickets of [`Store::tickets`], which in another order may be others, up to `at_most`.
    ///
    /// Of common words it looks at twice as many tickets at most, the latest of each city (of one alone at as many in each), and
    /// says that there are more when it has not seen all.
    pub async fn count_tickets(
        &self,
        filter: &TicketFilter,
        order: TicketOrder,
        at_most: u32,
    ) -> Result<Count, StoreError> {
        let found = self.look_up(filter, order, true).await?;
        self.count_of(&found, filter, order, at_most).await
    }

    async fn count_of(
        &self,
        LookedUp { words, by_city }: &LookedUp,
        filter: &TicketFilter,
        order: TicketOrder,
        at_most: u32,
    ) -> Result<Count, StoreError> {
        let limit = i64::from(at_most) + 1;
        if let Some(grams) = words.grams() {
            let cities = i64::try_from(by_city.len()).unwrap_or(i64::MAX).max(1);
            let asked =
                if grams.is_one() { i64::from(at_most) } else { i64::from(at_most) * ASKED_PER_COUNTED / cities };
            let share = asked + 1;
            let Some(sql) = filter.count_with_words(order, by_city, limit, share) else { return Ok(Count::NONE) };
            let (found, has): (i64, i64) =
                on!(&self.read, pool => builder!(sql).build_query_as().fetch_one(pool).await)?;
            let found = Count::of(found, at_most);
            return Ok(Count { more: found.more || has > share, ..found });
        }
        let narrowed = words.narrowed();
        let Some(sql) = filter.count(order, narrowed.as_ref().unwrap_or(words), limit) else { return Ok(Count::NONE) };
        let found: i64 = on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_one(pool).await)?;
        Ok(Count::of(found, at_most))
    }

    /// How the database goes about a list, in its own words: what the tests of query plans read.
    pub async fn explain_tickets(&self, filter: &TicketFilter, order: TicketOrder) -> Result<Vec<String>, StoreError> {
        let LookedUp { words, by_city } = self.look_up(filter, order, true).await?;
        if is_by_number(order, &words) {
            return self.explain_latest(filter, &by_city, 51).await;
        }
        let mut plan = Vec::new();
        for words in [Some(&words), words.narrowed().as_ref()].into_iter().flatten() {
            if let Some(list) = filter.page(order, words, None, 51, &ticket_row::SELECT) {
                plan.extend(explain(&mut self.begin().await?, list).await?);
            }
        }
        Ok(plan)
    }
}

impl TicketOrder {
    fn allows(self, cursor: Option<&Cursor>) -> Result<(), BadCursor> {
        if cursor.is_some_and(|cursor| self.number(cursor).is_none()) { Err(BadCursor) } else { Ok(()) }
    }
}

/// The list is read by the numbers of its words.
fn is_by_number(order: TicketOrder, words: &Words) -> bool {
    words.grams().is_some() && order == TicketOrder::Created
}
