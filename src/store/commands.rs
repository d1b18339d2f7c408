//! A command to a ticket: one transaction changes the ticket and carries out all that follows.

use chrono::{DateTime, NaiveDate, Utc};

use super::audit::{self, Act};
use super::row::{micros, text};
use super::{Store, StoreError, Transaction, on, ticket_row};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::calendar::Calendar;
use crate::ticket::catalogue::{ClassCode, ReasonCode, ReasonKind, UnitCode};
use crate::ticket::{
    Action, Actor, Change, Command, Effect, Level, Moment, Number, Refused, Side, State, Ticket, apply,
};

/// A command, and who gives it.
#[derive(Clone, Debug)]
pub struct Order {
    pub number: Number,
    /// The version that whoever gives it has seen; `None`: whatever it is now.
    pub version: Option<u32>,
    pub command: Command,
    pub actor: Actor,
    pub side: Side,
    /// Where it came from.
    pub address: Option<String>,
}

/// Why a command was not carried out; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("no ticket has this number")]
    Unknown,
    #[error("the ticket has changed since: it is at version {}", .0.version)]
    Changed(Box<Ticket>),
    #[error("{why}")]
    Refused { why: Refused, ticket: Box<Ticket> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Carries the command out: the ticket, its audit row, and everything that follows, all or nothing.
    ///
    /// # Errors
    /// [`NotDone::Changed`] when the ticket is not at the version that was seen.
    pub async fn execute(&self, order: &Order, now: DateTime<Utc>) -> Result<Ticket, NotDone> {
        let mut transaction = self.begin().await?;
        let after = self.execute_in(&mut transaction, order, micros(now)).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// What each of these commands would be refused for now, as far as the ticket alone tells; nothing is carried out.
    pub async fn refusals(
        &self,
        ticket: &Ticket,
        commands: &[Command],
        actor: Actor,
        side: Side,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<Refused>>, StoreError> {
        let calendar = self.calendar().await?;
        let limits = self.rules.limits(ticket.city);
        let moment = Moment { now: micros(now), actor, side, calendar: &calendar, limits };
        Ok(commands.iter().map(|command| apply(ticket.clone(), command, &moment).err()).collect())
    }

    /// The same as a part of something larger; after an error the transaction is not to be committed.
    pub(super) async fn execute_in(
        &self,
        transaction: &mut Transaction,
        order: &Order,
        now: DateTime<Utc>,
    ) -> Result<Ticket, NotDone> {
        let calendar = self.calendar_in(transaction).await?;
        if let Command::Merge { into } = order.command {
            // two merges at once hold their tickets in one order
            ticket_row::lock(transaction, into.min(order.number)).await?;
        }
        let Some(ticket) = ticket_row::lock(transaction, order.number).await? else {
            return Err(NotDone::Unknown);
        };
        if order.version.is_some_and(|seen| seen != ticket.version) {
            return Err(NotDone::Changed(Box::new(ticket)));
        }
        let so_far = self.answers_so_far(transaction, &ticket, &order.command, now).await?;
        let counted = so_far.map(|answers| Order { command: Command::Visited(answers), ..order.clone() });
        let order = counted.as_ref().unwrap_or(order);
        let moment = Moment {
            now,
            actor: order.actor,
            side: order.side,
            calendar: &calendar,
            limits: self.rules.limits(ticket.city),
        };
        let refused = |why: Refused| NotDone::Refused { why, ticket: Box::new(ticket.clone()) };
        let (after, effects) = apply(ticket.clone(), &order.command, &moment).map_err(refused)?;
        if let Some(why) = missing(transaction, &ticket, &order.command, &calendar, now).await? {
            return Err(refused(why));
        }
        ticket_row::update(transaction, &after).await?;
        write_down(transaction, order, &ticket, &after, now).await?;
        self.follow_up(transaction, Some(&ticket), &after, now).await?;
        for effect in &effects {
            self.carry_out(transaction, &after, effect, order, now).await?;
        }
        Ok(after)
    }

    async fn carry_out(
        &self,
        transaction: &mut Transaction,
        ticket: &Ticket,
        effect: &Effect,
        order: &Order,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let number = ticket.number;
        match effect {
            Effect::Contacted { at, told } => insert_contact(transaction, ticket, *at, told, order.actor).await,
            Effect::VisitDue { round } => self.visits_due(transaction, number, *round, now).await,
            Effect::VisitAnswered { round, answers } => {
                let round = self.visited_round(transaction, ticket, *round).await?;
                self.visit_answered(transaction, number, round, answers, now).await
            }
            Effect::VisitOver { round, because } => {
                let round = self.visited_round(transaction, ticket, *round).await?;
                self.visit_over(transaction, number, round, *because, now).await
            }
            Effect::FollowersMove { to } => self.move_followers(transaction, number, *to, order.actor, now).await,
            Effect::FollowerUnsolved { lead } => self.supervise_lead(transaction, *lead, number, now).await,
            Effect::Tell(what) => self.tell(transaction, ticket, *what, now).await,
        }
    }

    /// Tickets that were merged into one that is merged itself get its lead.
    async fn move_followers(
        &self,
        transaction: &mut Transaction,
        from: Number,
        to: Number,
        actor: Actor,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "select number from ticket where merged_into = $1 order by number";
        let followers: Vec<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
            .bind(from.to_string())
            .fetch_all(&mut **transaction)
            .await)?;
        for follower in followers {
            let number = text("ticket.number", &follower)?;
            let Some(was) = ticket_row::lock(transaction, number).await? else { continue };
            let mut is = was.clone();
            is.handling.merged_into = Some(to);
            is.version += 1;
            self.rewrite(transaction, &was, &is, &Act::new(&follower, now, actor, Action::Merged)).await?;
        }
        Ok(())
    }

    /// A follower's requester says that it is not solved: whoever has the lead ticket is looked after.
    async fn supervise_lead(
        &self,
        transaction: &mut Transaction,
        lead: Number,
        follower: Number,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(was) = ticket_row::lock(transaction, lead).await? else { return Ok(()) };
        if was.supervision.level.is_some() {
            return Ok(());
        }
        let mut is = was.clone();
        is.supervision.level = Some(Level::FIRST);
        is.supervision.since = Some(now);
        is.version += 1;
        let (subject, why) = (lead.to_string(), format!("not solved for the requester of {follower}"));
        let act = Act { reason: Some(&why), ..Act::new(&subject, now, Actor::System, Action::Supervised) };
        self.rewrite(transaction, &was, &is, &act).await
    }

    /// A change that no command made: the ticket, its audit row with what differs, and what follows.
    pub(super) async fn rewrite(
        &self,
        transaction: &mut Transaction,
        was: &Ticket,
        is: &Ticket,
        act: &Act<'_>,
    ) -> Result<(), StoreError> {
        ticket_row::update(transaction, is).await?;
        let changes = was.changes(is);
        audit::append(transaction, &Act { changes: &changes, ..act.clone() }).await?;
        self.follow_up(transaction, Some(was), is, act.at).await
    }
}

async fn write_down(
    transaction: &mut Transaction,
    order: &Order,
    was: &Ticket,
    is: &Ticket,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (subject, changes) = (order.number.to_string(), was.changes(is));
    let act = act_of(&subject, &changes, &order.command, order.actor, order.address.as_deref(), now);
    audit::append(transaction, &act).await
}

/// What the audit says of a command.
pub(super) fn act_of<'a>(
    subject: &'a str,
    changes: &'a [Change],
    command: &'a Command,
    actor: Actor,
    address: Option<&'a str>,
    now: DateTime<Utc>,
) -> Act<'a> {
    Act { changes, reason: command.words(), address, ..Act::new(subject, now, actor, command.action()) }
}

/// What the command names and the database does not have.
async fn missing(
    transaction: &mut Transaction,
    ticket: &Ticket,
    command: &Command,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Result<Option<Refused>, StoreError> {
    let there = match command {
        Command::Edit(edit) => match edit.class {
            Some(class) if !has_class(transaction, class).await? => return Ok(Some(Refused::Unknown("class"))),
            _ => match edit.repeat_of {
                Some(other) => state_of(transaction, other).await?.map(|_| ()).ok_or(Refused::Unknown("ticket")),
                None => Ok(()),
            },
        },
        Command::Dispatch { unit, assisting } | Command::Transfer { unit, assisting, .. } => {
            units(transaction, ticket.city, unit, assisting).await?
        }
        Command::Refuse { reason, .. } => has_reason(transaction, ReasonKind::Refusal, reason).await?,
        Command::Return { ground, .. } => has_reason(transaction, ReasonKind::Return, ground).await?,
        Command::AskExtension { reason, .. } => has_reason(transaction, ReasonKind::Extension, reason).await?,
        Command::AskSuspension { reason, .. } | Command::Suspend { reason, .. } => {
            has_reason(transaction, ReasonKind::Suspension, reason).await?
        }
        Command::AskExclusion { reason, .. } => has_reason(transaction, ReasonKind::Exclusion, reason).await?,
        Command::Merge { into } => match state_of(transaction, *into).await? {
            None => Err(Refused::Unknown("ticket")),
            Some(state) if !state.is_open() => Err(Refused::LeadEnded),
            Some(_) => Ok(()),
        },
        Command::Urge => {
            let day = working_day(calendar, ticket.city, beijing_day(now));
            if insert_urge(transaction, ticket.number, day, now).await? { Ok(()) } else { Err(Refused::UrgedAlready) }
        }
        _ => Ok(()),
    };
    Ok(there.err())
}

pub(super) async fn units(
    transaction: &mut Transaction,
    city: City,
    lead: &UnitCode,
    assisting: &[UnitCode],
) -> Result<Result<(), Refused>, StoreError> {
    const SQL: &str = "select 1 from unit where code = $1 and city = $2 and active";
    for unit in std::iter::once(lead).chain(assisting) {
        let found: Option<i32> = on!(transaction, transaction => sqlx::query_scalar(SQL)
            .bind(unit.as_str())
            .bind(city.slug())
            .fetch_optional(&mut **transaction)
            .await)?;
        if found.is_none() {
            return Ok(Err(Refused::Unknown("unit in this city")));
        }
    }
    Ok(Ok(()))
}

pub(super) async fn has_class(transaction: &mut Transaction, class: ClassCode) -> Result<bool, StoreError> {
    const SQL: &str = "select 1 from class where code = $1 and active";
    let found: Option<i32> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(class.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.is_some())
}

async fn has_reason(
    transaction: &mut Transaction,
    kind: ReasonKind,
    code: &ReasonCode,
) -> Result<Result<(), Refused>, StoreError> {
    const SQL: &str = "select 1 from reason where kind = $1 and code = $2 and active";
    let found: Option<i32> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(kind.name())
        .bind(code.as_str())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.map(|_| ()).ok_or(Refused::Unknown("reason of this kind")))
}

async fn state_of(transaction: &mut Transaction, number: Number) -> Result<Option<State>, StoreError> {
    const SQL: &str = "select state from ticket where number = $1";
    let state: Option<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(number.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    state.map(|state| text("ticket.state", &state)).transpose()
}

/// This day, or the last working day before it: what happens on days off counts with that.
pub(super) fn working_day(calendar: &Calendar, city: City, day: NaiveDate) -> NaiveDate {
    let mut earlier = std::iter::successors(Some(day), NaiveDate::pred_opt).take(31);
    earlier.find(|day| calendar.is_working_day(Some(city), *day)).unwrap_or(day)
}

async fn insert_urge(
    transaction: &mut Transaction,
    number: Number,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into urge (ticket, day, at) values ($1, $2, $3) on conflict (ticket, day) do nothing";
    let inserted = on!(transaction, transaction => sqlx::query(SQL)
        .bind(number.to_string())
        .bind(day)
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(inserted == 1)
}

async fn insert_contact(
    transaction: &mut Transaction,
    ticket: &Ticket,
    at: DateTime<Utc>,
    told: &str,
    actor: Actor,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into contact (ticket, sequence, round, at, actor, told) \
         values ($1, (select coalesce(max(sequence), 0) + 1 from contact where ticket = $1), $2, $3, $4, $5)";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.number.to_string())
        .bind(i64::from(ticket.handling.round))
        .bind(micros(at))
        .bind(actor.to_string())
        .bind(told)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}
