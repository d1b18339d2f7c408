//! What the return visits go by. Domain §4 marks all of it as ours, so all of it can be set.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Deserialize;

use super::window::{Weekday, Window};
use crate::city::City;
use crate::ticket::calendar::WorkingDays;

/// Times are Beijing's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Requesters are called automatically; else by SMS and people alone.
    pub calls: bool,
    /// When calls may begin, on every day that has no windows of its own.
    pub windows: Vec<Window>,
    /// Windows of one weekday; none at all: no calls on it.
    pub weekday: BTreeMap<Weekday, Vec<Window>>,
    /// No calls on these days.
    pub quiet_days: Vec<NaiveDate>,
    /// Calls on announced days off too. Losar's first three days are among them, once they are announced.
    pub call_on_days_off: bool,
    /// Where a day's two halves meet; two attempts are in different halves, of different days or the same.
    pub midday: NaiveTime,
    /// Automatic attempts a round.
    pub attempts: u32,
    /// The least time between two attempts to one number, of all its tickets together.
    pub apart_minutes: u32,
    /// Attempts to one number on one day, of all its tickets together.
    pub calls_a_number_a_day: u32,
    /// Answered surveys of one number on one day.
    pub surveys_a_number_a_day: u32,
    /// After an attempt of which nobody knows whether it rang.
    pub cool_down_minutes: u32,
    /// Attempts a round that the lines may spoil beside those that count; then a person calls.
    pub line_trouble_retries: u32,
    pub line_trouble_wait_minutes: u32,
    pub ring_timeout_s: u32,
    /// A survey that broke off goes on when the requester calls back within so long; then the answers so far are final.
    pub continue_within_hours: u32,
    /// After the last attempt, and to whom wants no calls; needs the gateway `[sms]`.
    pub sms: bool,
    /// An SMS is waited for so long, then a person calls.
    pub sms_wait_working_days: WorkingDays,
    /// What is otherwise in a city.
    pub city: BTreeMap<City, Own>,
}

/// A city's own settings; what is left out is as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    pub calls: Option<bool>,
    pub windows: Option<Vec<Window>>,
    pub weekday: Option<BTreeMap<Weekday, Vec<Window>>>,
    /// Beside those of everywhere.
    pub quiet_days: Vec<NaiveDate>,
}

impl Default for Config {
    fn default() -> Config {
        const fn time(hour: u32, minute: u32) -> NaiveTime {
            NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day")
        }
        let window = |opens, closes| Window::new(opens, closes).expect("the earlier time is first");
        Config {
            calls: true,
            windows: vec![window(time(9, 30), time(12, 30)), window(time(15, 30), time(20, 0))],
            weekday: BTreeMap::new(),
            quiet_days: Vec::new(),
            call_on_days_off: false,
            midday: time(14, 0),
            attempts: 3,
            apart_minutes: 240,
            calls_a_number_a_day: 2,
            surveys_a_number_a_day: 1,
            cool_down_minutes: 240,
            line_trouble_retries: 5,
            line_trouble_wait_minutes: 15,
            ring_timeout_s: 30,
            continue_within_hours: 48,
            sms: true,
            sms_wait_working_days: WorkingDays::new(1).expect("from 1 to 366"),
            city: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Whether the city's requesters are called automatically.
    pub fn calls_in(&self, city: City) -> bool {
        self.city.get(&city).and_then(|own| own.calls).unwrap_or(self.calls)
    }

    /// The windows of a city's day, in any order.
    pub fn windows_of(&self, city: City, day: NaiveDate) -> &[Window] {
        let (own, weekday) = (self.city.get(&city), Weekday::of(day));
        let own_weekdays = own.and_then(|own| own.weekday.as_ref());
        let found = own_weekdays
            .and_then(|days| days.get(&weekday))
            .or_else(|| own.and_then(|own| own.windows.as_ref()))
            .or_else(|| self.weekday.get(&weekday));
        found.unwrap_or(&self.windows)
    }

    /// Whether the settings name the day as quiet.
    pub fn is_quiet(&self, city: City, day: NaiveDate) -> bool {
        let own = self.city.get(&city).is_some_and(|own| own.quiet_days.contains(&day));
        own || self.quiet_days.contains(&day)
    }

    pub fn apart(&self) -> TimeDelta {
        TimeDelta::minutes(self.apart_minutes.into())
    }

    pub fn cool_down(&self) -> TimeDelta {
        TimeDelta::minutes(self.cool_down_minutes.into())
    }

    pub fn ring(&self) -> TimeDelta {
        TimeDelta::seconds(self.ring_timeout_s.into())
    }

    pub fn continue_within(&self) -> TimeDelta {
        TimeDelta::hours(self.continue_within_hours.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Config {
        toml::from_str(text).expect("settings")
    }

    #[test]
    fn a_citys_weekday_decides_over_its_windows_and_these_over_everybodys() {
        let config = parse(
            "windows = [\"10:00-11:00\"]\nweekday.sunday = []\n\
             [city.ngari]\nwindows = [\"12:00-13:00\"]\nweekday.saturday = [\"14:00-15:00\"]\n",
        );
        let windows = |city, day: &str| {
            let windows = config.windows_of(city, day.parse().expect("a day"));
            windows.iter().map(Window::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(windows(City::Lhasa, "2026-11-27"), "10:00-11:00");
        assert_eq!(windows(City::Lhasa, "2026-11-29"), "");
        assert_eq!(windows(City::Ngari, "2026-11-28"), "14:00-15:00");
        assert_eq!(windows(City::Ngari, "2026-11-29"), "12:00-13:00");
    }

    #[test]
    fn quiet_days_of_a_city_come_on_top() {
        let config = parse("quiet_days = [\"2027-02-07\"]\ncity.nagqu.quiet_days = [\"2026-08-01\"]\n");
        let quiet = |city, day: &str| config.is_quiet(city, day.parse().expect("a day"));
        assert!(quiet(City::Nagqu, "2027-02-07") && quiet(City::Nagqu, "2026-08-01"));
        assert!(!quiet(City::Lhasa, "2026-08-01"));
    }
}
