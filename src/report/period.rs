//! Periods of whole days in Beijing.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// The longest period: ten years.
pub const MAX_DAYS: u32 = 3_660;

/// The periods that people speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Day,
    /// From Monday on.
    Week,
    Month,
    Quarter,
    Year,
}

impl Span {
    pub const ALL: [Span; 5] = [Span::Day, Span::Week, Span::Month, Span::Quarter, Span::Year];

    pub const fn name(self) -> &'static str {
        match self {
            Span::Day => "day",
            Span::Week => "week",
            Span::Month => "month",
            Span::Quarter => "quarter",
            Span::Year => "year",
        }
    }
}

/// There is no such span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a span is day, week, month, quarter or year")]
pub struct UnknownSpan;

impl FromStr for Span {
    type Err = UnknownSpan;

    fn from_str(text: &str) -> Result<Span, UnknownSpan> {
        Span::ALL.into_iter().find(|span| span.name() == text).ok_or(UnknownSpan)
    }
}

/// From a day to a day; both count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: NaiveDate,
    to: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPeriod {
    #[error("a period ends on the day it begins or later")]
    Backwards,
    #[error("a period has at most {MAX_DAYS} days")]
    TooLong,
    #[error("the year is not one of 1970 to 9998")]
    Year,
    #[error("a period is a day, a week, a month or a year: 2026-11-22, 2026-W48, 2026-11 or 2026")]
    Unreadable,
}

impl Period {
    /// # Errors
    /// It ends before it begins, is longer than [`MAX_DAYS`], or lies where the databases hold no days.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Period, BadPeriod> {
        if to < from {
            return Err(BadPeriod::Backwards);
        }
        if from.year() < 1970 || to.year() > 9998 {
            return Err(BadPeriod::Year);
        }
        let period = Period { from, to };
        if period.days() > MAX_DAYS { Err(BadPeriod::TooLong) } else { Ok(period) }
    }

    pub const fn from(self) -> NaiveDate {
        self.from
    }

    pub const fn to(self) -> NaiveDate {
        self.to
    }

    pub fn days(self) -> u32 {
        u32::try_from((self.to - self.from).num_days() + 1).unwrap_or(u32::MAX)
    }

    /// The month that the day lies in.
    pub fn month(day: NaiveDate) -> Result<Period, BadPeriod> {
        Period::around(Span::Month, day)
    }

    /// The day, week, month, quarter or year that the day lies in.
    pub fn around(span: Span, day: NaiveDate) -> Result<Period, BadPeriod> {
        let months_from = |first: Option<NaiveDate>, months: u32| {
            let first = first.ok_or(BadPeriod::Year)?;
            Period::until_before(first, first.checked_add_months(Months::new(months)))
        };
        match span {
            Span::Day => Period::new(day, day),
            Span::Week => {
                let first = day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()));
                let first = first.ok_or(BadPeriod::Year)?;
                Period::until_before(first, first.checked_add_days(Days::new(7)))
            }
            Span::Month => months_from(day.with_day(1), 1),
            Span::Quarter => months_from(NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1), 3),
            Span::Year => months_from(NaiveDate::from_ymd_opt(day.year(), 1, 1), 12),
        }
    }

    /// As long as this one and just before it; of whole months as many months, so that a year is compared with a year.
    pub fn previous(self) -> Result<Period, BadPeriod> {
        let last = self.from.checked_sub_days(Days::new(1)).ok_or(BadPeriod::Year)?;
        let after = self.to.checked_add_days(Days::new(1)).ok_or(BadPeriod::Year)?;
        let from = if self.from.day() == 1 && after.day() == 1 {
            let months = (after.year() - self.from.year()) * 12 + after.month() as i32 - self.from.month() as i32;
            self.from.checked_sub_months(Months::new(months.unsigned_abs()))
        } else {
            self.from.checked_sub_days(Days::new(self.days().into()))
        };
        Period::new(from.ok_or(BadPeriod::Year)?, last)
    }

    fn until_before(first: NaiveDate, next: Option<NaiveDate>) -> Result<Period, BadPeriod> {
        let last = next.and_then(|next| next.pred_opt()).ok_or(BadPeriod::Year)?;
        Period::new(first, last)
    }

    fn read(text: &str) -> Option<Result<Period, BadPeriod>> {
        let digits = |part: &str, width: usize| {
            let all = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| all)
        };
        let mut parts = text.split('-');
        let year = i32::try_from(digits(parts.next()?, 4)?).ok()?;
        let (second, third) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let Some(second) = second else {
            let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
            return Some(Period::until_before(first, NaiveDate::from_ymd_opt(year + 1, 1, 1)));
        };
        if let Some(week) = second.strip_prefix('W').filter(|_| third.is_none()) {
            let first = NaiveDate::from_isoywd_opt(year, digits(week, 2)?, Weekday::Mon)?;
            return Some(Period::until_before(first, first.checked_add_days(Days::new(7))));
        }
        let month = digits(second, 2)?;
        let Some(day) = third else { return Some(Period::month(NaiveDate::from_ymd_opt(year, month, 1)?)) };
        let day = NaiveDate::from_ymd_opt(year, month, digits(day, 2)?)?;
        Some(Period::new(day, day))
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Period, BadPeriod> {
        Period::read(text).unwrap_or(Err(BadPeriod::Unreadable))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> String {
        text.parse::<Period>().map(|period| period.to_string()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_day_a_week_a_month_and_a_year_have_their_days() {
        assert_eq!(period("2026-11-22"), "2026-11-22 to 2026-11-22");
        assert_eq!(period("2026-W48"), "2026-11-23 to 2026-11-29");
        assert_eq!(period("2028-02"), "2028-02-01 to 2028-02-29");
        assert_eq!(period("2026-12"), "2026-12-01 to 2026-12-31");
        assert_eq!(period("2026"), "2026-01-01 to 2026-12-31");
    }

    #[test]
    fn a_day_lies_in_its_week_month_quarter_and_year() {
        let day = "2026-11-22".parse().expect("a day");
        let around = Span::ALL.map(|span| Period::around(span, day).expect("a period").to_string());
        assert_eq!(
            around,
            [
                "2026-11-22 to 2026-11-22",
                "2026-11-16 to 2026-11-22",
                "2026-11-01 to 2026-11-30",
                "2026-10-01 to 2026-12-31",
                "2026-01-01 to 2026-12-31"
            ]
        );
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in
            ["", "26", "2026-", "2026-13", "2026-2-3", "2026-02-30", "2026-W54", "2026-W48-1", "2026-11-22-1", "+026"]
        {
            assert_eq!(text.parse::<Period>(), Err(BadPeriod::Unreadable), "{text}");
        }
        assert_eq!("1969".parse::<Period>(), Err(BadPeriod::Year));
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert_eq!(Period::new(day("2026-11-22"), day("2026-11-21")), Err(BadPeriod::Backwards));
        assert_eq!(Period::new(day("2016-01-01"), day("2026-11-21")), Err(BadPeriod::TooLong));
    }

    #[test]
    fn the_period_before_is_as_long() {
        let previous =
            |text: &str| text.parse::<Period>().expect("a period").previous().expect("one before").to_string();
        assert_eq!(previous("2026-11-22"), "2026-11-21 to 2026-11-21");
        assert_eq!(previous("2026-W48"), "2026-11-16 to 2026-11-22");
        assert_eq!(previous("2026-03"), "2026-02-01 to 2026-02-28");
        assert_eq!(previous("2028"), "2027-01-01 to 2027-12-31");
        let (from, to) = ("2026-11-10".parse().expect("a day"), "2026-11-19".parse().expect("a day"));
        let before = Period::new(from, to).expect("a period").previous().expect("one before");
        assert_eq!(before.to_string(), "2026-10-31 to 2026-11-09");
        assert_eq!("1970".parse::<Period>().expect("a period").previous(), Err(BadPeriod::Year));
    }
}
