//! A ticket's life (domain §2): what may be done in which state, and what follows.
//!
//! [`apply`] is pure: the caller brings the time, the calendar and the limits, and carries out the effects in the
//! transaction that stores the ticket.

mod change;
mod command;
mod rule;
mod visit;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::calendar::{Calendar, WorkingDays};
use super::catalogue::{ReasonCode, UnitCode};
use super::deadline::{self, Limits};
use super::{Action, Actor, Alarm, Asked, Number, State, Ticket, Wish};
use crate::clock::beijing_day;

pub use change::Change;
pub use command::{Answers, BadPhone, Command, Edit, Level, NoVisit, PhoneText, Satisfaction};
pub use rule::Refused;

/// The last round: two redos and no third.
pub const LAST_ROUND: u8 = 3;
/// Returns by a unit; after the second the supervisor decides.
pub const MAX_RETURNS: u8 = 2;

/// Who a command comes from, as far as the rules of the life depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The handling unit.
    Unit,
    /// The hotline's own people.
    Hotline,
    /// The requester, through any channel.
    Requester,
    /// This program.
    System,
}

/// What a rule may know besides ticket and command.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub now: DateTime<Utc>,
    pub actor: Actor,
    pub side: Side,
    pub calendar: &'a Calendar,
    pub limits: &'a Limits,
}

/// What follows from a command beside the ticket's own fields; belongs into the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A proof of contact is to be kept.
    Contacted { at: DateTime<Utc>, told: String },
    /// A return visit of this round is due, to the requester and to those of all merged tickets.
    VisitDue { round: u8 },
    /// The round's visit has its answers.
    VisitAnswered { round: u8, answers: Answers },
    /// The round's visit will not be made.
    VisitOver { round: u8, because: Option<NoVisit> },
    /// Tickets that were merged into this one follow that one.
    FollowersMove { to: Number },
    /// A merged ticket's requester says it is not solved: its lead is to be supervised.
    FollowerUnsolved { lead: Number },
    /// The requester is to be told.
    Tell(Told),
}

/// What a requester is told, by SMS where there is a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Refused,
    /// The unit has it, and until when it will answer.
    Accepted,
    Extended,
    Closed,
    Redone,
    Merged,
    Withdrawn,
    /// The questions of the return visit, which a reply answers.
    Visit,
}

impl Told {
    pub const ALL: [Told; 8] = [
        Told::Refused,
        Told::Accepted,
        Told::Extended,
        Told::Closed,
        Told::Redone,
        Told::Merged,
        Told::Withdrawn,
        Told::Visit,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Told::Refused => "refused",
            Told::Accepted => "accepted",
            Told::Extended => "extended",
            Told::Closed => "closed",
            Told::Redone => "redone",
            Told::Merged => "merged",
            Told::Withdrawn => "withdrawn",
            Told::Visit => "visit",
        }
    }
}

/// The ticket after the command, with what follows from it.
///
/// # Errors
/// Why the command can't be carried out; the ticket given stays what it was.
pub fn apply(ticket: Ticket, command: &Command, moment: &Moment<'_>) -> Result<(Ticket, Vec<Effect>), Refused> {
    rule::permitted(&ticket, command)?;
    let mut change = Changing { ticket, effects: Vec::new(), moment };
    change.carry_out(command)?;
    let Changing { mut ticket, effects, .. } = change;
    ticket.version += 1;
    Ok((ticket, effects))
}

impl Command {
    /// What the audit says was done.
    pub const fn action(&self) -> Action {
        match self {
            Command::Edit(_) => Action::Edited,
            Command::Correct { .. } => Action::Corrected,
            Command::Note { .. } => Action::Noted,
            Command::Answer { .. } => Action::Answered,
            Command::Refuse { .. } => Action::Refused,
            Command::Dispatch { .. } => Action::Dispatched,
            Command::Sign => Action::Signed,
            Command::Return { .. } => Action::Returned,
            Command::AcceptReturn => Action::ReturnAccepted,
            Command::RejectReturn { .. } => Action::ReturnRejected,
            Command::RecordContact { .. } => Action::Contacted,
            Command::AskExtension { .. } | Command::AskSuspension { .. } | Command::AskExclusion { .. } => {
                Action::Asked
            }
            Command::Grant => Action::Granted,
            Command::Deny { .. } => Action::Denied,
            Command::Suspend { .. } => Action::Suspended,
            Command::Resume => Action::Resumed,
            Command::Reply { .. } => Action::Replied,
            Command::Pass => Action::Passed,
            Command::Fail { .. } => Action::Failed,
            Command::Visited(_) => Action::Visited,
            Command::EndVisit { .. } => Action::VisitEnded,
            Command::Uphold => Action::Upheld,
            Command::Dismiss { .. } => Action::Dismissed,
            Command::Merge { .. } => Action::Merged,
            Command::Withdraw { .. } => Action::Withdrawn,
            Command::Reopen { .. } => Action::Reopened,
            Command::Urge => Action::Urged,
            Command::Instruct { .. } => Action::Instructed,
            Command::Transfer { .. } => Action::Transferred,
            Command::Supervise { .. } => Action::Supervised,
            Command::StepUp => Action::SteppedUp,
            Command::Raise { .. } => Action::Raised,
        }
    }

    /// The words that were given with it, for the audit.
    pub fn words(&self) -> Option<&str> {
        match self {
            Command::Note { text } | Command::Instruct { text } => Some(text.as_str()),
            Command::Refuse { note, .. }
            | Command::Return { note, .. }
            | Command::AskExtension { note, .. }
            | Command::AskSuspension { note, .. }
            | Command::AskExclusion { note, .. }
            | Command::Suspend { note, .. } => Some(note.as_str()),
            Command::RejectReturn { why }
            | Command::Deny { why }
            | Command::Fail { why }
            | Command::Dismiss { why }
            | Command::Withdraw { why }
            | Command::Reopen { why }
            | Command::Transfer { why, .. }
            | Command::Supervise { why, .. } => Some(why.as_str()),
            Command::RecordContact { told, .. } => Some(told.as_str()),
            Command::Raise { alarm } => Some(alarm.name()),
            _ => None,
        }
    }
}

/// A ticket under a command.
struct Changing<'a> {
    ticket: Ticket,
    effects: Vec<Effect>,
    moment: &'a Moment<'a>,
}

impl Changing<'_> {
    fn carry_out(&mut self, command: &Command) -> Result<(), Refused> {
        match command {
            Command::Edit(edit) => self.edit(edit)?,
            Command::Correct { phone, name } => self.correct(phone.as_ref(), name.as_ref()),
            Command::Note { .. } | Command::Urge => {}
            Command::Answer { reply } => self.answer(reply),
            Command::Refuse { reason, .. } => self.refuse(reason),
            Command::Dispatch { unit, assisting } | Command::Transfer { unit, assisting, .. } => {
                self.dispatch(unit, assisting)?;
            }
            Command::Sign => self.sign(),
            Command::Return { .. } => self.give_back()?,
            Command::AcceptReturn => self.accept_return(),
            Command::RejectReturn { .. } | Command::Fail { .. } => self.enter(State::InProgress),
            Command::RecordContact { told, at } => self.contact(told.as_str(), *at)?,
            Command::AskExtension { working_days, reason, note } => {
                let wish = self.extension(*working_days)?;
                self.ask(wish, reason, note);
            }
            Command::AskSuspension { until, reason, note } => {
                self.check_review_day(*until)?;
                self.ask(Wish::Suspension { until: *until }, reason, note);
            }
            Command::AskExclusion { reason, note } => self.ask(Wish::Exclusion, reason, note),
            Command::Grant => self.grant()?,
            Command::Deny { .. } => self.deny()?,
            Command::Suspend { until, .. } => self.suspend(*until)?,
            Command::Resume => self.resume(),
            Command::Reply { text } => self.reply(text)?,
            Command::Pass => self.pass(),
            Command::Visited(answers) => self.visited(answers)?,
            Command::EndVisit { because } => self.end_visit(*because)?,
            Command::Uphold => self.redo()?,
            Command::Dismiss { .. } => self.end(State::Archived),
            Command::Merge { into } => self.merge(*into)?,
            Command::Withdraw { .. } => {
                self.cancel_visit();
                self.end(State::Withdrawn);
                self.tell(Told::Withdrawn);
            }
            Command::Reopen { .. } => self.reopen()?,
            Command::Instruct { .. } => self.supervise_at_least(Level::FIRST),
            Command::Supervise { level, .. } => self.supervise(*level)?,
            Command::StepUp => self.step_up()?,
            Command::Raise { alarm } => self.raise(*alarm)?,
        }
        Ok(())
    }

    fn enter(&mut self, state: State) {
        if self.ticket.state != state {
            self.ticket.state = state;
            self.ticket.state_since = self.moment.now;
        }
    }

    fn end(&mut self, state: State) {
        self.enter(state);
        self.ticket.handling.ended_at = Some(self.moment.now);
        self.ticket.handling.asked = None;
    }

    fn tell(&mut self, what: Told) {
        self.effects.push(Effect::Tell(what));
    }

    fn progress(&mut self) {
        self.ticket.supervision.progressed_at = Some(self.moment.now);
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), Refused> {
        if edit.repeat_of == Some(self.ticket.number) {
            return Err(Refused::Itself);
        }
        edit.write_to(&mut self.ticket);
        if edit.requester.is_some() {
            self.settle_due();
        }
        Ok(())
    }

    fn correct(&mut self, phone: Option<&PhoneText>, name: Option<&super::Line>) {
        if let Some(PhoneText(phone)) = phone {
            self.ticket.phone.clone_from(phone);
        }
        if let Some(name) = name {
            self.ticket.name = name.clone().filled();
        }
    }

    fn settle_due(&mut self) {
        let due = self.ticket.due(self.moment.calendar, self.moment.limits);
        self.ticket.set_due(due);
    }

    fn lengthen(&mut self, days: u32) {
        self.ticket.lengthen(self.moment.calendar, self.moment.limits, days);
    }

    fn answer(&mut self, reply: &super::Body) {
        self.ticket.handling.reply = Some(reply.clone());
        self.close(State::Closed);
    }

    /// The matter is dealt with, and the requester is asked about it.
    fn close(&mut self, state: State) {
        self.enter(state);
        self.ticket.handling.closed_at = Some(self.moment.now);
        self.ticket.handling.asked = None;
        self.effects.push(Effect::VisitDue { round: self.ticket.handling.round });
        self.tell(Told::Closed);
    }

    fn refuse(&mut self, reason: &ReasonCode) {
        self.ticket.handling.reason = Some(reason.clone());
        self.end(State::Refused);
        self.tell(Told::Refused);
    }

    /// To a unit for the first time, after a return, or instead of the lead that has it.
    fn dispatch(&mut self, unit: &UnitCode, assisting: &[UnitCode]) -> Result<(), Refused> {
        if assisting.contains(unit) {
            return Err(Refused::LeadAssists);
        }
        if self.ticket.handling.lead.as_ref() == Some(unit) && self.ticket.state != State::Received {
            return Err(Refused::SameUnit);
        }
        self.cancel_visit();
        let handling = &mut self.ticket.handling;
        handling.lead = Some(unit.clone());
        handling.assisting = assisting.to_vec();
        handling.assisting.sort();
        handling.assisting.dedup();
        handling.dispatched_at = Some(self.moment.now);
        handling.contact_at = None;
        handling.asked = None;
        handling.suspended_at = None;
        handling.review_day = None;
        handling.closed_at = None;
        handling.raised.retain(|alarm| *alarm == Alarm::Overdue);
        let reachable = self.ticket.phone.is_some();
        self.ticket.handling.contact_due_at =
            reachable.then(|| deadline::contact_due(self.moment.now, self.moment.limits));
        self.settle_due();
        self.enter(State::Dispatched);
        Ok(())
    }

    fn sign(&mut self) {
        self.enter(State::InProgress);
        self.progress();
        self.tell(Told::Accepted);
    }

    /// A unit returns what is not its own within one working day; the clock runs on.
    fn give_back(&mut self) -> Result<(), Refused> {
        if self.ticket.handling.returns >= MAX_RETURNS {
            return Err(Refused::NoThirdReturn);
        }
        let since = self.ticket.handling.dispatched_at.unwrap_or(self.ticket.state_since);
        let limits = self.moment.limits;
        let last = deadline::return_due(self.moment.calendar, self.ticket.city, since, limits);
        if self.moment.now > last.at() {
            return Err(Refused::ReturnTooLate);
        }
        self.ticket.handling.returns += 1;
        self.ticket.handling.asked = None;
        self.enter(State::ReturnUnderReview);
        if self.ticket.handling.returns == MAX_RETURNS {
            self.supervise_at_least(Level::FIRST);
        }
        Ok(())
    }

    fn accept_return(&mut self) {
        let handling = &mut self.ticket.handling;
        handling.lead = None;
        handling.assisting.clear();
        handling.dispatched_at = None;
        handling.contact_due_at = None;
        handling.contact_at = None;
        handling.raised.retain(|alarm| *alarm == Alarm::Overdue);
        self.settle_due();
        self.enter(State::Received);
    }

    /// Of a shielded or anonymous requester a hotline agent makes the contact for the unit.
    fn contact(&mut self, told: &str, at: Option<DateTime<Utc>>) -> Result<(), Refused> {
        if self.ticket.phone.is_none() {
            return Err(Refused::NobodyToContact);
        }
        let for_the_hotline = self.ticket.is_shielded() || self.ticket.anonymous;
        if for_the_hotline && self.moment.side == Side::Unit {
            return Err(Refused::HotlineContacts);
        }
        let at = at.unwrap_or(self.moment.now);
        let earliest = self.ticket.handling.dispatched_at.unwrap_or(self.ticket.created_at);
        if at > self.moment.now || at < earliest {
            return Err(Refused::ContactOutsideHandling);
        }
        self.ticket.handling.contact_at = Some(self.ticket.handling.contact_at.map_or(at, |first| first.min(at)));
        self.effects.push(Effect::Contacted { at, told: told.to_owned() });
        self.progress();
        Ok(())
    }

    fn extension(&self, working_days: WorkingDays) -> Result<Wish, Refused> {
        if self.ticket.handling.extended_by.is_some() {
            return Err(Refused::ExtendedAlready);
        }
        let most = self.moment.limits.extension_at_most_working_days;
        if working_days > most {
            return Err(Refused::ExtensionTooLong { most: most.count() });
        }
        if self.ticket.handling.due_day.is_some_and(|due| beijing_day(self.moment.now) > due) {
            return Err(Refused::DuePassed);
        }
        Ok(Wish::Extension { working_days })
    }

    fn ask(&mut self, what: Wish, reason: &ReasonCode, note: &super::Body) {
        let Moment { actor, now, .. } = *self.moment;
        self.ticket.handling.asked =
            Some(Asked { what, reason: reason.clone(), note: note.clone(), by: actor, at: now });
    }

    fn grant(&mut self) -> Result<(), Refused> {
        let asked = self.ticket.handling.asked.take().ok_or(Refused::NothingAsked)?;
        if asked.by == self.moment.actor {
            return Err(Refused::SamePerson);
        }
        match asked.what {
            Wish::Extension { working_days } => {
                if self.ticket.handling.due_day.is_none() {
                    return Err(Refused::NoDueDay);
                }
                self.ticket.handling.extended_by = Some(working_days);
                self.lengthen(working_days.count());
                self.ticket.handling.raised.retain(|alarm| *alarm != Alarm::Overdue);
                self.tell(Told::Extended);
            }
            Wish::Suspension { until } => self.suspend(until)?,
            Wish::Exclusion => self.ticket.handling.excluded = Some(asked.reason),
        }
        Ok(())
    }

    fn deny(&mut self) -> Result<(), Refused> {
        self.ticket.handling.asked.take().map(drop).ok_or(Refused::NothingAsked)
    }

    fn check_review_day(&self, until: chrono::NaiveDate) -> Result<(), Refused> {
        let Moment { now, limits, .. } = *self.moment;
        let within = until > beijing_day(now) && until <= deadline::last_review_day(now, limits);
        if within { Ok(()) } else { Err(Refused::ReviewDay { most: limits.suspension_review_within_days }) }
    }

    fn suspend(&mut self, until: chrono::NaiveDate) -> Result<(), Refused> {
        self.check_review_day(until)?;
        self.ticket.handling.asked = None;
        self.ticket.handling.suspended_at = Some(self.moment.now);
        self.ticket.handling.review_day = Some(until);
        self.enter(State::Suspended);
        Ok(())
    }

    /// The working days that the suspension took are given back.
    fn resume(&mut self) {
        let handling = &mut self.ticket.handling;
        handling.review_day = None;
        handling.raised.retain(|alarm| *alarm != Alarm::ReviewDue);
        if let Some(since) = handling.suspended_at.take() {
            let (calendar, city) = (self.moment.calendar, Some(self.ticket.city));
            self.lengthen(calendar.working_days_between(city, beijing_day(since), beijing_day(self.moment.now)));
        }
        self.enter(State::InProgress);
    }

    fn reply(&mut self, text: &super::Body) -> Result<(), Refused> {
        if self.ticket.phone.is_some() && self.ticket.handling.contact_at.is_none() {
            return Err(Refused::NoContact);
        }
        self.ticket.handling.reply = Some(text.clone());
        self.ticket.handling.asked = None;
        self.enter(State::UnderReview);
        self.progress();
        Ok(())
    }

    fn pass(&mut self) {
        self.close(State::AwaitingVisit);
        self.progress();
    }

    fn merge(&mut self, into: Number) -> Result<(), Refused> {
        if into == self.ticket.number {
            return Err(Refused::Itself);
        }
        self.cancel_visit();
        self.ticket.handling.merged_into = Some(into);
        self.end(State::Merged);
        self.effects.push(Effect::FollowersMove { to: into });
        self.tell(Told::Merged);
        Ok(())
    }

    fn supervise_at_least(&mut self, level: Level) {
        if self.ticket.supervision.level.is_none_or(|given| given < level) {
            self.ticket.supervision.level = Some(level);
            self.ticket.supervision.since = Some(self.moment.now);
        }
    }

    fn supervise(&mut self, level: Level) -> Result<(), Refused> {
        if self.ticket.supervision.level == Some(level) {
            return Err(Refused::SameLevel);
        }
        self.ticket.supervision.level = Some(level);
        self.ticket.supervision.since = Some(self.moment.now);
        Ok(())
    }

    fn step_up(&mut self) -> Result<(), Refused> {
        let Some(level) = self.ticket.supervision.level else { return Err(Refused::NotSupervised) };
        let next = level.next().ok_or(Refused::HighestLevel)?;
        let supervision = &self.ticket.supervision;
        let still = supervision.since.max(supervision.progressed_at).unwrap_or(self.ticket.state_since);
        let (calendar, city) = (self.moment.calendar, Some(self.ticket.city));
        let days = calendar.working_days_between(city, beijing_day(still), beijing_day(self.moment.now));
        if days < self.moment.limits.step_up_after_working_days.count() {
            return Err(Refused::StillMoving);
        }
        self.supervise(next)
    }

    fn raise(&mut self, alarm: Alarm) -> Result<(), Refused> {
        if self.ticket.handling.raised.contains(&alarm) || !self.is_late(alarm) {
            return Err(Refused::NothingToRaise);
        }
        self.ticket.handling.raised.push(alarm);
        if alarm == Alarm::Overdue {
            self.supervise_at_least(Level::FIRST);
        }
        Ok(())
    }

    fn is_late(&self, alarm: Alarm) -> bool {
        let Moment { now, limits, .. } = *self.moment;
        let ticket = &self.ticket;
        match alarm {
            Alarm::Undispatched => {
                ticket.state == State::Received && now >= deadline::undispatched_shown_at(ticket.state_since, limits)
            }
            Alarm::Unsigned => {
                ticket.state == State::Dispatched && now >= deadline::unsigned_shown_at(ticket.state_since, limits)
            }
            Alarm::ContactBreached => {
                let due = ticket.handling.contact_due_at.filter(|_| ticket.handling.contact_at.is_none());
                ticket.state.is_handled() && due.is_some_and(|due| now > due)
            }
            Alarm::Overdue => {
                ticket.state.is_timed() && ticket.handling.due_day.is_some_and(|due| beijing_day(now) > due)
            }
            Alarm::ReviewDue => {
                let due = ticket.handling.review_day.is_some_and(|day| beijing_day(now) >= day);
                ticket.state == State::Suspended && due
            }
        }
    }
}

impl Level {
    pub const FIRST: Level = Level::new(1).expect("1 is a level");

    /// One level up; `None` above the highest.
    pub const fn next(self) -> Option<Level> {
        Level::new(self.get() + 1)
    }
}
