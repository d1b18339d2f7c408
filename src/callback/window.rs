//! The hours of a day in which calls may be made.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::ticket::fields::{UnknownName, names};

names! {
    Weekday {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
}

impl Weekday {
    pub fn of(day: NaiveDate) -> Weekday {
        Weekday::ALL[day.weekday().num_days_from_monday() as usize]
    }
}

/// From one time of a day to a later one in Beijing, `09:30-12:30`. What begins in it may last beyond its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    opens: NaiveTime,
    closes: NaiveTime,
}

/// The text is no such window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window is two times of a day, the earlier one first: 09:30-12:30")]
pub struct BadWindow;

impl Window {
    /// `None` unless it closes after it opens.
    pub fn new(opens: NaiveTime, closes: NaiveTime) -> Option<Window> {
        (opens < closes).then_some(Window { opens, closes })
    }

    pub fn opens(&self) -> NaiveTime {
        self.opens
    }

    /// Whether something that takes so long may begin then.
    pub fn takes(&self, time: NaiveTime, lasting: TimeDelta) -> bool {
        self.opens <= time && time < self.closes && lasting <= self.closes - time
    }
}

impl FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Window, BadWindow> {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
        let (opens, closes) = text.split_once('-').ok_or(BadWindow)?;
        Window::new(time(opens).ok_or(BadWindow)?, time(closes).ok_or(BadWindow)?).ok_or(BadWindow)
    }
}

impl TryFrom<String> for Window {
    type Error = BadWindow;

    fn try_from(text: String) -> Result<Window, BadWindow> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> String {
        window.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.opens.format("%H:%M"), self.closes.format("%H:%M"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_survives_its_text() {
        for text in ["09:30-12:30", "00:00-23:59"] {
            assert_eq!(text.parse::<Window>().map(|window| window.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "09:30", "12:30-09:30", "09:30-09:30", "9:30-12:30", "09:30-24:00", "09:30-12:30-13:00"] {
            assert_eq!(text.parse::<Window>(), Err(BadWindow), "{text}");
        }
    }

    #[test]
    fn what_begins_in_a_window_has_rung_out_when_it_closes() {
        let window: Window = "09:30-12:30".parse().expect("a window");
        let takes = |time: &str| window.takes(time.parse().expect("a time"), TimeDelta::seconds(30));
        assert!(takes("09:30:00") && takes("12:29:30"));
        assert!(!takes("09:29:59") && !takes("12:29:31") && !takes("12:30:00"));
    }

    #[test]
    fn a_weekday_is_that_of_the_day() {
        let day = |text: &str| Weekday::of(text.parse().expect("a day"));
        assert_eq!((day("2026-11-23"), day("2026-11-29")), (Weekday::Monday, Weekday::Sunday));
    }
}
