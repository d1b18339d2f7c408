//! When a ticket is due, as it follows from what the ticket holds: whoever counts anew comes to the same day.

use chrono::{DateTime, NaiveDate, Utc};

use super::calendar::{Calendar, DayLine, DueDay, WorkingDays};
use super::deadline::{self, Limits};
use super::{Alarm, State, Ticket};
use crate::clock::beijing_day;

/// Why a ticket is due on its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueReasons {
    /// Counting begins on the first working day after this one.
    pub from: NaiveDate,
    /// The limit of this round.
    pub limit: WorkingDays,
    /// [`Handling::extra_days`](super::Handling::extra_days)
    pub extra_days: u32,
    pub due: DueDay,
    /// Counting alone would end earlier, but the contact is not due before that day.
    pub held_by_contact: bool,
    /// Years on the way whose days off nobody has announced.
    pub unannounced: Vec<i32>,
    /// Every day after `from` up to and with the due day.
    pub days: Vec<DayLine>,
}

impl Ticket {
    /// The last day of this round: its limit and its extra days counted from its beginning, and never before the
    /// contact is due.
    pub fn due(&self, calendar: &Calendar, limits: &Limits) -> DueDay {
        let counted = self.counted(calendar, limits);
        match self.handling.contact_due_at.map(beijing_day) {
            Some(contact) if contact > counted.day => DueDay { day: contact, ..counted },
            _ => counted,
        }
    }

    /// Of a ticket that is closed, the day stays that it was due when it was closed.
    pub fn due_reasons(&self, calendar: &Calendar, limits: &Limits) -> DueReasons {
        let from = self.counted_from();
        let due = match self.handling.due_day {
            Some(day) if !self.state.moves_with_calendar() => {
                DueDay { day, provisional: self.handling.due_provisional }
            }
            _ => self.due(calendar, limits),
        };
        DueReasons {
            from,
            limit: self.round_limit(limits),
            extra_days: self.handling.extra_days,
            due,
            held_by_contact: due.day > self.counted(calendar, limits).day,
            unannounced: calendar.unannounced_years(from, due.day).collect(),
            days: calendar.days(Some(self.city), from, due.day),
        }
    }

    /// The same ticket with the due day that this calendar gives it, at its next version; `None` when it has that day
    /// already or its due day does not count any more.
    pub fn rescheduled(&self, calendar: &Calendar, limits: &Limits, now: DateTime<Utc>) -> Option<Ticket> {
        if !self.state.moves_with_calendar() {
            return None;
        }
        let due = self.due(calendar, limits);
        if self.handling.due_day == Some(due.day) && self.handling.due_provisional == due.provisional {
            return None;
        }
        let mut moved = self.with_due(calendar, limits);
        if beijing_day(now) <= due.day {
            moved.handling.raised.retain(|alarm| *alarm != Alarm::Overdue);
        }
        Some(moved)
    }

    /// The same ticket with its due day, at its next version.
    pub fn with_due(&self, calendar: &Calendar, limits: &Limits) -> Ticket {
        let mut ticket = self.clone();
        ticket.set_due(self.due(calendar, limits));
        ticket.version += 1;
        ticket
    }

    pub(super) fn set_due(&mut self, due: DueDay) {
        self.handling.due_day = Some(due.day);
        self.handling.due_provisional = due.provisional;
    }

    /// So many working days more, from the day it is due now.
    pub(super) fn lengthen(&mut self, calendar: &Calendar, limits: &Limits, days: u32) {
        let (counted, due) = (self.counted(calendar, limits).day, self.due(calendar, limits).day);
        // what the contact moved is part of the time it had
        let moved = calendar.working_days_between(Some(self.city), counted, due);
        self.handling.extra_days = self.handling.extra_days.saturating_add(moved).saturating_add(days);
        self.set_due(self.due(calendar, limits));
    }

    fn counted(&self, calendar: &Calendar, limits: &Limits) -> DueDay {
        let days = self.round_limit(limits).count().saturating_add(self.handling.extra_days);
        calendar.day_after(Some(self.city), self.counted_from(), days)
    }

    fn counted_from(&self) -> NaiveDate {
        beijing_day(self.handling.round_started_at.unwrap_or(self.created_at))
    }

    fn round_limit(&self, limits: &Limits) -> WorkingDays {
        match self.handling.round_started_at {
            None => deadline::working_days(self.requester, limits),
            Some(_) => limits.redo_working_days,
        }
    }
}

impl State {
    /// The due day counts, or will again: an announcement may move it.
    pub const fn moves_with_calendar(self) -> bool {
        self.is_timed() || matches!(self, State::Suspended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::City;
    use crate::ticket::calendar::{Announcement, Scope};
    use crate::ticket::{Channel, Handling, Heard, Matter, Requester, Supervision, Urgency};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn ticket(created_at: &str) -> Ticket {
        let created_at = at(created_at);
        Ticket {
            number: "126112200012".parse().expect("a number"),
            city: City::Lhasa,
            channel: Channel::Phone,
            line: None,
            call: None,
            client: None,
            created_at,
            created_day: beijing_day(created_at),
            language: crate::language::Language::Bo,
            requester: Requester::Citizen,
            name: None,
            enterprise_name: None,
            phone: None,
            other_phone: None,
            anonymous: false,
            confidential: false,
            request_type: None,
            urgency: Urgency::Normal,
            confirmed: true,
            matter: Matter::default(),
            state: State::Received,
            state_since: created_at,
            handling: Handling { round: 1, ..Handling::default() },
            supervision: Supervision::default(),
            visit: Heard::default(),
            version: 1,
        }
    }

    fn due(ticket: &Ticket) -> DueDay {
        ticket.due(&Calendar::built_in(), &Limits::default())
    }

    /// The nation's year 2027, with four days off from the first of January.
    fn announced() -> Calendar {
        let off = (1..=4).map(|date| NaiveDate::from_ymd_opt(2027, 1, date).expect("a day"));
        let mut calendar = Calendar::built_in();
        calendar.replace(Announcement::new(Scope::Nation, 2027, off, []).expect("an announcement"));
        calendar
    }

    #[test]
    fn the_day_that_counts_is_the_one_in_beijing() {
        assert_eq!(due(&ticket("2026-11-22T15:59:59Z")).day, day("2026-11-27"));
        assert_eq!(due(&ticket("2026-11-22T16:00:00Z")).day, day("2026-11-30"));
    }

    #[test]
    fn a_later_round_counts_from_the_day_it_began() {
        let mut redone = ticket("2026-11-22T02:00:00Z");
        redone.handling.round_started_at = Some(at("2026-12-25T16:00:00Z"));
        assert_eq!(due(&redone), DueDay { day: day("2027-01-01"), provisional: true });
    }

    #[test]
    fn more_days_count_on_from_the_day_it_was_due() {
        let mut extended = ticket("2026-09-18T02:00:00Z");
        assert_eq!(due(&extended).day, day("2026-09-24"));
        extended.lengthen(&Calendar::built_in(), &Limits::default(), 10);
        assert_eq!(extended.handling.due_day, Some(day("2026-10-15")));
        assert_eq!(extended.handling.extra_days, 10);
    }

    #[test]
    fn more_days_count_on_from_the_contact_where_that_is_due_later() {
        let mut late = ticket("2026-11-02T02:00:00Z");
        late.handling.contact_due_at = Some(at("2026-11-25T02:00:00Z"));
        assert_eq!(due(&late).day, day("2026-11-25"));
        late.lengthen(&Calendar::built_in(), &Limits::default(), 2);
        assert_eq!(late.handling.due_day, Some(day("2026-11-27")));
        let reasons = late.due_reasons(&Calendar::built_in(), &Limits::default());
        assert_eq!((reasons.extra_days, reasons.held_by_contact), (14, false));
    }

    #[test]
    fn an_announcement_moves_what_is_open_and_keeps_the_days_that_were_given() {
        let mut open = ticket("2026-12-28T02:00:00Z");
        open.lengthen(&Calendar::built_in(), &Limits::default(), 1);
        assert_eq!((open.handling.due_day, open.handling.due_provisional), (Some(day("2027-01-05")), true));
        open.handling.raised = vec![Alarm::Overdue];
        let now = at("2027-01-06T02:00:00Z");
        let moved = open.rescheduled(&announced(), &Limits::default(), now).expect("it moves");
        assert_eq!((moved.handling.due_day, moved.handling.due_provisional), (Some(day("2027-01-07")), false));
        assert_eq!((moved.version, moved.handling.extra_days, moved.handling.raised.len()), (2, 1, 0));
        assert_eq!(moved.rescheduled(&announced(), &Limits::default(), now), None);
    }

    #[test]
    fn what_is_closed_stays_due_when_it_was() {
        let closed = Ticket { state: State::AwaitingVisit, ..ticket("2026-12-28T02:00:00Z") };
        assert_eq!(closed.rescheduled(&announced(), &Limits::default(), at("2026-12-29T02:00:00Z")), None);
    }

    #[test]
    fn the_reasons_name_every_day_and_the_years_nobody_has_announced() {
        let reasons = ticket("2026-12-28T02:00:00Z").due_reasons(&Calendar::built_in(), &Limits::default());
        assert_eq!((reasons.from, reasons.due.day), (day("2026-12-28"), day("2027-01-04")));
        assert_eq!((reasons.unannounced, reasons.due.provisional), (vec![2027], true));
        assert_eq!((reasons.days.len(), reasons.days.last().and_then(|line| line.counted)), (7, Some(5)));
    }
}
