//! What rises: a class that brings far more than it used to (S23, 未诉先办).

use chrono::{Datelike, Days, NaiveDate};

use super::Config;
use crate::store::ClassWeeks;

/// The classes that bring at least so many requests, and so many times their weekly mean of the four weeks before.
pub fn rising<'a>(weeks: &'a [ClassWeeks], config: &Config) -> Vec<&'a ClassWeeks> {
    weeks.iter().filter(|of| rises(of, config)).collect()
}

fn rises(of: &ClassWeeks, config: &Config) -> bool {
    let (week, before) = (u64::from(of.week), u64::from(of.four_weeks_before));
    week >= config.trend_at_least.into() && week * 4 >= before * u64::from(config.trend_factor)
}

/// The Monday of the day's week, within which a class is raised once.
pub fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.weekday().num_days_from_monday().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::City;

    #[test]
    fn three_times_the_mean_and_at_least_five() {
        for (week, four_weeks_before, expected) in
            [(5, 0, true), (4, 0, false), (5, 6, true), (5, 7, false), (30, 40, true), (29, 40, false)]
        {
            let class = "0101".parse().expect("a class");
            let of = ClassWeeks { city: City::Lhasa, class, week, four_weeks_before };
            assert_eq!(!rising(&[of], &Config::default()).is_empty(), expected, "{week} after {four_weeks_before}");
        }
    }

    #[test]
    fn a_week_begins_on_monday() {
        for (day, first) in [("2026-11-22", "2026-11-16"), ("2026-11-23", "2026-11-23"), ("2027-01-01", "2026-12-28")] {
            assert_eq!(monday(day.parse().expect("a day")).to_string(), first);
        }
    }
}
