//! Due days that move: announcements that are imported, and tickets that have no due day yet.

use chrono::{DateTime, NaiveDate, Utc};

use super::audit::{self, Act};
use super::row::{micros, text};
use super::ticket_row::{self, TicketRow};
use super::{By, Store, StoreError, Transaction, calendar, on};
use crate::city::City;
use crate::ticket::calendar::{Announcement, Calendar};
use crate::ticket::{Action, Actor, Change, DueReasons, Light, Number, State, Ticket, TimeLeft};

/// So many tickets are looked at at a time.
const PORTION: i64 = 500;

/// A ticket whose due day is another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub number: Number,
    pub city: City,
    pub was: Option<NaiveDate>,
    pub was_provisional: bool,
    pub is: NaiveDate,
    pub provisional: bool,
}

/// How much time a ticket has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Of the round's limit; `None` when it does not run.
    pub limit: Option<TimeLeft>,
    /// Until when the requester is to be contacted; `None` when that is not waited for.
    pub contact: Option<(DateTime<Utc>, Light)>,
}

impl Moved {
    fn new(was: &Ticket, is: &Ticket) -> Option<Moved> {
        Some(Moved {
            number: is.number,
            city: is.city,
            was: was.handling.due_day,
            was_provisional: was.handling.due_provisional,
            is: is.handling.due_day?,
            provisional: is.handling.due_provisional,
        })
    }
}

impl Store {
    /// Puts the announcements in the place of those of their scopes and years, and counts every open ticket anew: all
    /// or nothing, each change with its audit row. Gives the tickets that move, by number. A dry run gives the same
    /// list and changes nothing.
    pub async fn import_announcements(
        &self,
        announcements: &[Announcement],
        by: &By,
        now: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<Moved>, StoreError> {
        let now = micros(now);
        let mut transaction = self.begin().await?;
        calendar::hold(&mut transaction).await?;
        let mut calendar = calendar::read(&mut transaction).await?;
        let mut changed = false;
        for announcement in announcements {
            let was = calendar.replace(announcement.clone());
            if was.as_ref() == Some(announcement) {
                continue;
            }
            changed = true;
            if !dry_run {
                calendar::announce(&mut transaction, announcement).await?;
                write_down(&mut transaction, was.as_ref(), announcement, by, now).await?;
            }
        }
        if changed && !dry_run {
            calendar::change_version(&mut transaction).await?;
        }
        let moved = self.count_anew(&mut transaction, &calendar, by, now, dry_run).await?;
        transaction.commit().await?;
        Ok(moved)
    }

    async fn count_anew(
        &self,
        transaction: &mut Transaction,
        calendar: &Calendar,
        by: &By,
        now: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<Moved>, StoreError> {
        let (mut moved, mut last) = (Vec::new(), String::new());
        loop {
            let portion = timed(transaction, &last).await?;
            let Some(end) = portion.last() else { return Ok(moved) };
            last = end.number.to_string();
            for seen in portion {
                let limits = self.rules.limits(seen.city);
                let Some(is) = seen.rescheduled(calendar, limits, now) else { continue };
                if dry_run {
                    moved.extend(Moved::new(&seen, &is));
                    continue;
                }
                let Some(was) = ticket_row::lock(transaction, seen.number).await? else { continue };
                let Some(is) = was.rescheduled(calendar, limits, now) else { continue };
                let subject = was.number.to_string();
                let act =
                    Act { address: by.address.as_deref(), ..Act::new(&subject, now, by.actor, Action::Rescheduled) };
                self.rewrite(transaction, &was, &is, &act).await?;
                moved.extend(Moved::new(&was, &is));
            }
        }
    }

    /// Why a ticket is due on its day.
    pub async fn due_reasons(&self, ticket: &Ticket) -> Result<DueReasons, StoreError> {
        let calendar = self.calendar().await?;
        Ok(ticket.due_reasons(&calendar, self.rules.limits(ticket.city)))
    }

    /// How much time each of these tickets has left.
    pub async fn clocks(&self, tickets: &[Ticket], now: DateTime<Utc>) -> Result<Vec<Clocks>, StoreError> {
        let calendar = self.calendar().await?;
        let of = |ticket: &Ticket| {
            let limits = self.rules.limits(ticket.city);
            let (limit, contact) = (ticket.time_left(&calendar, limits, now), ticket.contact_left(limits, now));
            Clocks { limit, contact }
        };
        Ok(tickets.iter().map(of).collect())
    }

    /// Gives tickets of an older version, which knew no due days, theirs. Gives how many there were.
    pub async fn fill_due_days(&self, now: DateTime<Utc>) -> Result<u32, StoreError> {
        const SQL: &str = "select number from ticket where due_day is null order by number limit $1";
        let (now, mut filled) = (micros(now), 0);
        loop {
            let mut transaction = self.begin().await?;
            let calendar = self.calendar_in(&mut transaction).await?;
            let numbers: Vec<String> = on!(&mut transaction, transaction => sqlx::query_scalar(SQL)
                .bind(PORTION)
                .fetch_all(&mut **transaction)
                .await)?;
            if numbers.is_empty() {
                return Ok(filled);
            }
            for number in numbers {
                let Some(was) = ticket_row::lock(&mut transaction, text("ticket.number", &number)?).await? else {
                    continue;
                };
                let is = was.with_due(&calendar, self.rules.limits(was.city));
                let act = Act::new(&number, now, Actor::System, Action::Rescheduled);
                self.rewrite(&mut transaction, &was, &is, &act).await?;
                filled += 1;
            }
            transaction.commit().await?;
        }
    }
}

/// The next tickets whose due day counts, by number.
async fn timed(transaction: &mut Transaction, after: &str) -> Result<Vec<Ticket>, StoreError> {
    let rows: Vec<TicketRow> = on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(ticket_row::SELECT.as_str());
        let mut states = query.push(" and state in (").separated(", ");
        for state in State::ALL.iter().filter(|state| state.moves_with_calendar()) {
            states.push_bind(state.name());
        }
        query.push(") and number > ").push_bind(after).push(" order by number limit ").push_bind(PORTION);
        query.build_query_as().fetch_all(&mut **transaction).await
    })?;
    rows.into_iter().map(Ticket::try_from).collect()
}

async fn write_down(
    transaction: &mut Transaction,
    was: Option<&Announcement>,
    is: &Announcement,
    by: &By,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let days = |announcement: &Announcement| [listed(announcement.off()), listed(announcement.work())];
    let before = was.map(days).unwrap_or_default();
    let differing = ["off", "work"].into_iter().zip(before.into_iter().zip(days(is)));
    let changes: Vec<Change> =
        differing.filter(|(_, (was, is))| was != is).map(|(field, (was, is))| Change { field, was, is }).collect();
    let action = if was.is_some() { Action::Changed } else { Action::Added };
    let whose = format!("{}.{}", is.scope(), is.year());
    let act = Act::new("calendar", now, by.actor, action);
    let act = Act { changes: &changes, reason: Some(&whose), address: by.address.as_deref(), ..act };
    audit::append(transaction, &act).await
}

/// `None` for no day at all.
fn listed<'a>(days: impl IntoIterator<Item = &'a NaiveDate>) -> Option<String> {
    Some(calendar::listed(days)).filter(|days| !days.is_empty())
}
