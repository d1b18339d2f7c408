//! The tickets behind a figure.

use chrono::{Days, NaiveDate};

use super::figures::{condition, source, source_of_few};
use super::sums::{Day, days, stands};
use super::{Dimension, ReportQuery, Store, StoreError, on};
use crate::clock::beijing_day;
use crate::store::sql::{Sql, builder};
use crate::store::ticket_row::{self, TicketRow};
use crate::store::{Cursor, MAX_PAGE, Page};
use crate::ticket::Ticket;
use crate::ticket::figure::{Figure, Standing};

/// A number in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Figure(Figure),
    Standing(Standing),
}

impl Counted {
    pub const fn name(self) -> &'static str {
        match self {
            Counted::Figure(figure) => figure.name(),
            Counted::Standing(standing) => standing.name(),
        }
    }
}

/// There is no such figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a figure is one that a report shows, such as received or due_met")]
pub struct UnknownFigure;

impl std::str::FromStr for Counted {
    type Err = UnknownFigure;

    fn from_str(text: &str) -> Result<Counted, UnknownFigure> {
        let figure = text.parse().map(Counted::Figure);
        figure.or_else(|_| text.parse().map(Counted::Standing)).map_err(|_| UnknownFigure)
    }
}

/// One number of one row of a report.
#[derive(Clone, Debug)]
pub struct Behind {
    pub report: ReportQuery,
    pub counted: Counted,
    /// The row's; `None`: that of all rows together.
    pub key: Option<String>,
}

impl Store {
    /// The tickets that a number of a report counts, newest first, each once: a ticket with two visits or redos in the
    /// period counts twice there. `limit` is 1 to [`MAX_PAGE`].
    pub async fn tickets_behind(
        &self,
        behind: &Behind,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Ticket>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let days = behind.days();
        if days.is_empty() && matches!(behind.counted, Counted::Figure(_)) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut rows = Vec::new();
        for since in behind.begin(cursor) {
            let days: Vec<Day> =
                days.iter().copied().filter(|day| since.is_none_or(|since| day.day >= since)).collect();
            if since.is_some() && days.is_empty() {
                continue;
            }
            let sql = behind.page(&days, since, limit, cursor);
            rows = on!(&self.read, pool => builder!(sql).build_query_as::<TicketRow>().fetch_all(pool).await)?;
            if rows.len() > limit as usize {
                break;
            }
        }
        let tickets = rows.into_iter().map(Ticket::try_from).collect::<Result<Vec<Ticket>, _>>()?;
        Ok(Page::cut(tickets, limit, |ticket| Cursor { at: ticket.created_at, key: ticket.number.to_string() }))
    }
}

impl Behind {
    /// From which day on tickets are looked for, one try after the other: nothing happens to a ticket before it is created, so
    /// that the events of a few days have all tickets that were created on them. `None`: whenever.
    fn begin(&self, cursor: Option<&Cursor>) -> Vec<Option<NaiveDate>> {
        let query = &self.report;
        let last = cursor.map_or(query.to, |cursor| beijing_day(cursor.at).min(query.to));
        let since = |days| last.checked_sub_days(Days::new(days)).filter(|since| *since > query.from);
        let tries = [2, 8, 32, 128].into_iter().map_while(|days| since(days).map(Some));
        match self.counted {
            Counted::Figure(_) if query.event.is_none() => tries.chain([None]).collect(),
            Counted::Figure(_) | Counted::Standing(_) => vec![None],
        }
    }

    fn page(&self, days: &[Day], since: Option<NaiveDate>, limit: u32, cursor: Option<&Cursor>) -> Sql {
        let query = &self.report;
        let mut sql = Sql::default();
        sql.push(ticket_row::SELECT.as_str());
        match self.counted {
            Counted::Standing(standing) => stands(&mut sql, standing, query.today),
            Counted::Figure(figure) => {
                let days = days.iter().copied().map(Day::values);
                sql.push(" and number in (with s (day, starts, ends) as (").values(days);
                let of_few = query.few(&mut sql);
                let source = if of_few { source_of_few(figure.event()) } else { source(figure.event()) };
                sql.push(format!(") select t.number from {source} and {})", condition(figure)));
            }
        }
        if let Some(since) = since {
            sql.push(" and created_day >= ").bind(since);
        }
        match (query.dimension.column(), self.key.as_deref()) {
            (Some(column), Some("")) => {
                sql.push(format!(" and {column} is null"));
            }
            (Some(column), Some(key)) => {
                sql.push(format!(" and {} = ", query.dimension.key(column))).bind(key);
            }
            (None, Some(key)) if query.dimension == Dimension::City => {
                sql.push(" and city = ").bind(key);
            }
            _ => {}
        }
        query.narrow(&mut sql);
        sql.push(" and city").any_of(query.slugs().into_iter());
        if let Some(cursor) = cursor {
            sql.push(" and (created_at, number) < (").bind(cursor.at).push(", ").bind(cursor.key.as_str()).push(")");
        }
        sql.push(" order by created_at desc, number desc limit ").bind(i64::from(limit) + 1);
        sql
    }

    /// The days that count: one, where the key is a day; those that are over, for a limit.
    fn days(&self) -> Vec<Day> {
        let Counted::Figure(figure) = self.counted else { return Vec::new() };
        let query = &self.report;
        let only = self.key.as_deref().filter(|_| query.dimension == Dimension::Day);
        days(query.from, query.to)
            .filter(|day| only.is_none_or(|only| day.day.to_string() == only))
            .filter(|day| !figure.event().is_limit() || day.day < query.today)
            .collect()
    }
}
