//! Counting working days: when something is due, and why then.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use super::{Calendar, Scope, is_monday_to_friday};
use crate::city::City;
use crate::clock::end_of_beijing_day;

/// How many working days something may take: 1-366.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct WorkingDays(u32);

/// None at all, or more than anybody may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("working days are a whole number from 1 to {}", WorkingDays::MOST)]
pub struct BadWorkingDays;

impl WorkingDays {
    pub const MOST: u32 = 366;

    /// `None` outside 1-366.
    pub const fn new(days: u32) -> Option<WorkingDays> {
        if days >= 1 && days <= WorkingDays::MOST { Some(WorkingDays(days)) } else { None }
    }

    pub const fn count(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for WorkingDays {
    type Error = BadWorkingDays;

    fn try_from(days: u32) -> Result<WorkingDays, BadWorkingDays> {
        WorkingDays::new(days).ok_or(BadWorkingDays)
    }
}

impl From<WorkingDays> for u32 {
    fn from(days: WorkingDays) -> u32 {
        days.0
    }
}

impl FromStr for WorkingDays {
    type Err = BadWorkingDays;

    fn from_str(text: &str) -> Result<WorkingDays, BadWorkingDays> {
        text.parse().ok().and_then(WorkingDays::new).ok_or(BadWorkingDays)
    }
}

impl fmt::Display for WorkingDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The day something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDay {
    pub day: NaiveDate,
    /// A day on the way, or this one, is in a year that the nation has not announced.
    pub provisional: bool,
}

impl DueDay {
    /// 23:59:59 in Beijing.
    pub fn at(&self) -> DateTime<Utc> {
        end_of_beijing_day(self.day)
    }
}

/// The day something is due, and how it was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub day: NaiveDate,
    /// As [`DueDay::provisional`].
    pub provisional: bool,
    /// Every day that was looked at, in order; the last one is `day`.
    pub days: Vec<DayLine>,
}

impl Due {
    /// 23:59:59 in Beijing.
    pub fn at(&self) -> DateTime<Utc> {
        end_of_beijing_day(self.day)
    }
}

/// A day that was counted or skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLine {
    pub day: NaiveDate,
    pub weekday: Weekday,
    /// The how many-th working day it is, from 1; `None` for a day that was skipped.
    pub counted: Option<u32>,
    pub reason: Reason,
}

/// Why a day is a working day, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Monday to Friday, and nobody announced it to be off.
    Weekday,
    Weekend,
    Off(Scope),
    Work(Scope),
}

impl Reason {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Weekday => "weekday",
            Reason::Weekend => "weekend",
            Reason::Off(_) => "off",
            Reason::Work(_) => "work",
        }
    }

    /// Who announced it; `None` when nobody named the day.
    pub const fn by(self) -> Option<Scope> {
        match self {
            Reason::Weekday | Reason::Weekend => None,
            Reason::Off(scope) | Reason::Work(scope) => Some(scope),
        }
    }

    pub const fn is_working_day(self) -> bool {
        matches!(self, Reason::Weekday | Reason::Work(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by() {
            Some(scope) => write!(f, "{} by {scope}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// `city` names whose days count: with `None` only the nation is heard. A count that would pass chrono's last day, in
/// the year 262142, ends there.
impl Calendar {
    /// Counts from the first working day after `from`; due is the last one counted.
    pub fn due(&self, city: Option<City>, from: NaiveDate, working_days: WorkingDays) -> Due {
        let DueDay { day, provisional } = self.due_day(city, from, working_days);
        Due { day, provisional, days: self.days(city, from, day) }
    }

    /// The same without the list, for many of them.
    pub fn due_day(&self, city: Option<City>, from: NaiveDate, working_days: WorkingDays) -> DueDay {
        self.day_after(city, from, working_days.count())
    }

    /// The same for a sum of working days, which may be more than anything takes at once; none at all ends on `from`.
    pub fn day_after(&self, city: Option<City>, from: NaiveDate, working_days: u32) -> DueDay {
        let exceptions = self.exceptions(city);
        let mut exceptions = exceptions[exceptions.partition_point(|day| *day <= from)..].iter().peekable();
        let (mut day, mut left) = (from, working_days);
        while left > 0
            && let Some(next) = day.succ_opt()
        {
            day = next;
            let is_exception = exceptions.next_if_eq(&&day).is_some();
            left -= u32::from(is_monday_to_friday(day) != is_exception);
        }
        DueDay { day, provisional: self.unannounced_years(from, day).next().is_some() }
    }

    /// The days after `after` up to and with `until`, counted from 1.
    pub fn days(&self, city: Option<City>, after: NaiveDate, until: NaiveDate) -> Vec<DayLine> {
        let mut counted = 0;
        let line = |day: NaiveDate| {
            let reason = self.reason(city, day);
            counted += u32::from(reason.is_working_day());
            let counted = reason.is_working_day().then_some(counted);
            DayLine { day, weekday: day.weekday(), counted, reason }
        };
        std::iter::successors(after.succ_opt(), NaiveDate::succ_opt).take_while(|day| *day <= until).map(line).collect()
    }

    /// Years that the nation has not announced, of the days after `after` up to and with `until`: a count over them is
    /// provisional.
    pub fn unannounced_years(&self, after: NaiveDate, until: NaiveDate) -> impl Iterator<Item = i32> + '_ {
        let first = after.succ_opt().unwrap_or(after);
        (first.year()..=until.year()).filter(|year| !self.is_announced(*year))
    }

    /// Whether `day` is worked, and who says so.
    pub fn reason(&self, city: Option<City>, day: NaiveDate) -> Reason {
        let said = |scope| {
            let announcement = self.announcement(scope, day.year())?;
            if announcement.off().contains(&day) {
                return Some(Reason::Off(scope));
            }
            announcement.work().contains(&day).then_some(Reason::Work(scope))
        };
        let by_itself = if is_monday_to_friday(day) { Reason::Weekday } else { Reason::Weekend };
        Scope::heard_for(city).rev().find_map(said).unwrap_or(by_itself)
    }

    pub fn is_working_day(&self, city: Option<City>, day: NaiveDate) -> bool {
        let is_exception = self.exceptions(city).binary_search(&day).is_ok();
        is_monday_to_friday(day) != is_exception
    }

    /// The first working day after `after`.
    pub fn next_working_day(&self, city: Option<City>, after: NaiveDate) -> NaiveDate {
        self.due_day(city, after, WorkingDays(1)).day
    }

    /// How many working days there are after `after` up to and with `until`; none when `until` is earlier.
    pub fn working_days_between(&self, city: Option<City>, after: NaiveDate, until: NaiveDate) -> u32 {
        if until <= after {
            return 0;
        }
        let exceptions = self.exceptions(city);
        let place = |limit: NaiveDate| exceptions.partition_point(|day| *day <= limit);
        let change = |day: &NaiveDate| if is_monday_to_friday(*day) { -1 } else { 1 };
        let changes: i32 = exceptions[place(after)..place(until)].iter().map(change).sum();
        let days = mondays_to_fridays(until) - mondays_to_fridays(after) + changes;
        u32::try_from(days).expect("an exception takes away no more than a day that was counted")
    }
}

/// From the first day of the year 1, a Monday, up to and with `day`; negative before.
fn mondays_to_fridays(day: NaiveDate) -> i32 {
    let days = day.num_days_from_ce();
    days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
}
