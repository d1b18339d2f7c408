//! How much of a ticket's time is left, as a light: what an inbox is sorted and coloured by.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Reason};
use super::deadline::Limits;
use super::fields::{UnknownName, names};
use super::{DueReasons, Ticket};
use crate::clock::{beijing_day, end_of_beijing_day};

names! {
    /// How near the end of a limit is.
    Light {
        /// Half of the limit is left, or more.
        Green = "green",
        /// Under half of it.
        Yellow = "yellow",
        /// Under a fifth.
        Red = "red",
        /// Nothing.
        Overdue = "overdue",
    }
}

/// A day's length.
const DAY: TimeDelta = TimeDelta::days(1);

/// The clock of a ticket's round, in working time: a working day counts from midnight to midnight in Beijing, a day off
/// not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLeft {
    pub light: Light,
    /// Working time until the end of the due day; nothing when that is past.
    pub left: TimeDelta,
    /// Working days since the due day; none before its end.
    pub working_days_over: u32,
    pub due_day: NaiveDate,
    /// The due day lies in or behind a year whose days off nobody has announced.
    pub provisional: bool,
    /// 1, 2 or 3.
    pub round: u8,
    /// Counting begins on the first working day after this one.
    pub from: NaiveDate,
    /// Working days of this round's limit.
    pub limit: u32,
    /// Working days beyond it, by the extension and by suspensions.
    pub extra_days: u32,
    /// The one extension, whichever round had it.
    pub extended_by: Option<u32>,
    /// Days from Monday to Friday on the way that are announced to be off.
    pub days_off: u32,
}

impl TimeLeft {
    /// Working days that are left whole, and the rest of one.
    pub fn days_and_rest(&self) -> (i64, TimeDelta) {
        let days = self.left.num_seconds().div_euclid(DAY.num_seconds());
        (days, self.left - DAY * i32::try_from(days).unwrap_or(i32::MAX))
    }
}

impl Ticket {
    /// How much of this round's limit is left; `None` when no clock runs: it is suspended, answered or at its end.
    pub fn time_left(&self, calendar: &Calendar, limits: &Limits, now: DateTime<Utc>) -> Option<TimeLeft> {
        self.handling.due_day.filter(|_| self.state.is_timed())?;
        let DueReasons { from, limit, extra_days, due, days, .. } = self.due_reasons(calendar, limits);
        let (city, today) = (Some(self.city), beijing_day(now));
        let whole = calendar.working_days_between(city, from, due.day);
        let left = if today > due.day { TimeDelta::zero() } else { self.working_time(calendar, from, due.day, now) };
        let off = |reason: Reason| matches!(reason, Reason::Off(_));
        Some(TimeLeft {
            light: if today > due.day { Light::Overdue } else { Light::of(left, days_of(whole)) },
            left,
            working_days_over: calendar.working_days_between(city, due.day, today),
            due_day: due.day,
            provisional: due.provisional,
            round: self.handling.round,
            from,
            limit: limit.count(),
            extra_days,
            extended_by: self.handling.extended_by.map(|days| days.count()),
            days_off: u32::try_from(days.iter().filter(|line| off(line.reason)).count()).unwrap_or(u32::MAX),
        })
    }

    /// Until when the requester has to be contacted, with its light, in wall time; `None` when there is nobody to
    /// contact, or it has been done, or no unit has it.
    pub fn contact_left(&self, limits: &Limits, now: DateTime<Utc>) -> Option<(DateTime<Utc>, Light)> {
        let due = self.handling.contact_due_at.filter(|_| self.handling.contact_at.is_none())?;
        if !self.state.is_handled() {
            return None;
        }
        let light = match now.cmp(&due) {
            Ordering::Greater => Light::Overdue,
            _ => Light::of(due - now, TimeDelta::minutes(limits.contact_minutes.into())),
        };
        Some((due, light))
    }

    /// The rest of today, if it is a working day that counts, and the working days after it.
    fn working_time(&self, calendar: &Calendar, from: NaiveDate, due: NaiveDate, now: DateTime<Utc>) -> TimeDelta {
        let (city, today) = (Some(self.city), beijing_day(now));
        let whole = calendar.working_days_between(city, today.max(from), due);
        let counts = today > from && calendar.is_working_day(city, today);
        let rest = if counts { end_of_beijing_day(today) + TimeDelta::seconds(1) - now } else { TimeDelta::zero() };
        days_of(whole) + rest
    }
}

impl Light {
    /// `left` of `whole`, neither of them over.
    fn of(left: TimeDelta, whole: TimeDelta) -> Light {
        match () {
            () if left * 5 < whole => Light::Red,
            () if left * 2 < whole => Light::Yellow,
            () => Light::Green,
        }
    }
}

fn days_of(working_days: u32) -> TimeDelta {
    DAY * i32::try_from(working_days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::city::City;
    use crate::language::Language;
    use crate::ticket::calendar::WorkingDays;
    use crate::ticket::{Channel, Handling, Heard, Matter, Requester, State, Supervision, Urgency};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn ticket(created_at: DateTime<Utc>, state: State) -> Ticket {
        let ticket = Ticket {
            number: "126112200012".parse().expect("a number"),
            city: City::Lhasa,
            channel: Channel::Phone,
            line: None,
            call: None,
            client: None,
            created_at,
            created_day: beijing_day(created_at),
            language: Language::Zh,
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
            state,
            state_since: created_at,
            handling: Handling { round: 1, ..Handling::default() },
            supervision: Supervision::default(),
            visit: Heard::default(),
            version: 1,
        };
        ticket.with_due(&Calendar::built_in(), &Limits::default())
    }

    fn left(ticket: &Ticket, now: DateTime<Utc>) -> Option<TimeLeft> {
        ticket.time_left(&Calendar::built_in(), &Limits::default(), now)
    }

    #[test]
    fn the_light_follows_the_working_time_that_is_left() {
        // of Sunday the 8th of November 2026: Monday to Friday, the 13th
        let open = ticket(at("2026-11-08T02:00:00Z"), State::InProgress);
        for (now, light, days, hours) in [
            ("2026-11-08T03:00:00Z", Light::Green, 5, 0),
            ("2026-11-08T16:00:00Z", Light::Green, 5, 0),
            ("2026-11-09T04:00:00Z", Light::Green, 4, 12),
            ("2026-11-11T04:00:00Z", Light::Green, 2, 12),
            ("2026-11-11T05:00:00Z", Light::Yellow, 2, 11),
            ("2026-11-12T16:00:00Z", Light::Yellow, 1, 0),
            ("2026-11-12T17:00:00Z", Light::Red, 0, 23),
            ("2026-11-13T15:00:00Z", Light::Red, 0, 1),
            ("2026-11-13T16:00:00Z", Light::Overdue, 0, 0),
        ] {
            let found = left(&open, at(now)).expect("a clock");
            let (whole, rest) = found.days_and_rest();
            assert_eq!((found.light, whole, rest.num_hours()), (light, days, hours), "{now}");
        }
        let late = left(&open, at("2026-11-17T02:00:00Z")).expect("a clock");
        assert_eq!((late.working_days_over, late.limit, late.extra_days), (2, 5, 0));
    }

    #[test]
    fn a_weekend_takes_nothing_and_a_day_off_is_told() {
        let open = ticket(at("2026-09-30T02:00:00Z"), State::Dispatched);
        let holiday = left(&open, at("2026-10-03T02:00:00Z")).expect("a clock");
        assert_eq!((holiday.light, holiday.days_and_rest().0), (Light::Green, 5));
        assert!(holiday.days_off >= 4, "{holiday:?}");
    }

    #[test]
    fn an_extension_is_part_of_the_limit() {
        let mut open = ticket(at("2026-11-08T02:00:00Z"), State::InProgress);
        open.handling.extended_by = WorkingDays::new(10);
        open.lengthen(&Calendar::built_in(), &Limits::default(), 10);
        let found = left(&open, at("2026-11-13T04:00:00Z")).expect("a clock");
        assert_eq!((found.light, found.extra_days, found.extended_by), (Light::Green, 10, Some(10)));
        assert_eq!(found.days_and_rest().0, 10);
    }

    #[test]
    fn no_clock_runs_while_it_is_suspended_or_once_it_is_answered() {
        for state in State::ALL.iter().copied() {
            let found = left(&ticket(at("2026-11-08T02:00:00Z"), state), at("2026-11-09T02:00:00Z"));
            assert_eq!(found.is_some(), state.is_timed(), "{state}");
        }
    }

    #[test]
    fn the_hour_for_the_contact_has_a_light_of_its_own() {
        let mut open = ticket(at("2026-11-08T02:00:00Z"), State::Dispatched);
        open.handling.contact_due_at = Some(at("2026-11-08T03:00:00Z"));
        let light = |open: &Ticket, now| open.contact_left(&Limits::default(), at(now)).map(|(_, light)| light);
        for (now, expected) in [
            ("2026-11-08T02:30:00Z", Light::Green),
            ("2026-11-08T02:30:01Z", Light::Yellow),
            ("2026-11-08T02:48:01Z", Light::Red),
            ("2026-11-08T03:00:00Z", Light::Red),
            ("2026-11-08T03:00:01Z", Light::Overdue),
        ] {
            assert_eq!(light(&open, now), Some(expected), "{now}");
        }
        open.handling.contact_at = Some(at("2026-11-08T02:10:00Z"));
        assert_eq!(light(&open, "2026-11-08T02:30:00Z"), None);
    }

    proptest! {
        #[test]
        fn time_never_comes_back_and_the_light_never_gets_greener(created in 0i64..300, steps in proptest::collection::vec(0i64..200_000, 1..20)) {
            let created_at = at("2026-01-10T02:00:00Z") + TimeDelta::hours(created * 24 + created);
            let open = ticket(created_at, State::InProgress);
            let mut now = created_at;
            let mut before = left(&open, now).expect("a clock");
            prop_assert_eq!(before.left, days_of(5));
            for step in steps {
                now += TimeDelta::seconds(step);
                let after = left(&open, now).expect("a clock");
                prop_assert!(after.left <= before.left && after.light >= before.light);
                prop_assert_eq!(after.light == Light::Overdue, now > end_of_beijing_day(after.due_day));
                before = after;
            }
        }
    }
}
