//! When requests come in, and in which city: by weekday and hour, as people call.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use super::Plan;
use super::dice::Dice;
use crate::city::City;
use crate::ticket::calendar::Calendar;

/// Of a hundred requests, in the order of [`City::ALL`].
const CITIES: [u32; 7] = [38, 15, 9, 8, 16, 10, 4];

/// How busy each hour of a day in Beijing is; Tibet's sun is two hours later.
const HOURS: [u32; 24] = [3, 2, 2, 1, 1, 2, 3, 6, 12, 30, 50, 52, 38, 28, 30, 45, 52, 48, 40, 30, 24, 18, 11, 6];

/// Days of a year with how many requests come on each.
#[derive(Debug)]
pub struct Arrivals {
    days: Vec<(NaiveDate, u32)>,
}

impl Arrivals {
    /// Shares the tickets out to the days; the sum is exact.
    pub fn new(plan: &Plan, calendar: &Calendar) -> Arrivals {
        let days: Vec<NaiveDate> = plan.from.iter_days().take(plan.days as usize).collect();
        let weights: Vec<u64> = days.iter().map(|day| weight(*day, calendar)).collect();
        let all: u64 = weights.iter().sum();
        let (mut passed, mut given) = (0, 0);
        let share = |weight: &u64| {
            passed += weight;
            let due = u64::from(plan.tickets) * passed / all;
            let today = due - given;
            given = due;
            u32::try_from(today).expect("no more than all")
        };
        let counts: Vec<u32> = weights.iter().map(share).collect();
        Arrivals { days: days.into_iter().zip(counts).rev().collect() }
    }

    /// The requests of the next day, in the order they come in.
    pub fn day(&mut self, dice: &mut Dice) -> Option<Vec<(DateTime<Utc>, City)>> {
        let (day, count) = self.days.pop()?;
        let midnight = beijing_midnight(day);
        let mut arrivals: Vec<_> = (0..count)
            .map(|_| {
                let hour = TimeDelta::hours(dice.place(&HOURS) as i64);
                let at = midnight + hour + TimeDelta::milliseconds(dice.below(3_600_000).into());
                (at, City::ALL[dice.place(&CITIES)])
            })
            .collect();
        arrivals.sort();
        Some(arrivals)
    }
}

fn weight(day: NaiveDate, calendar: &Calendar) -> u64 {
    match day.weekday() {
        _ if !calendar.is_working_day(None, day) => 62,
        Weekday::Mon => 118,
        Weekday::Fri => 94,
        _ => 104,
    }
}

/// 00:00 of a day in Beijing.
pub fn beijing_midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}

/// 00:00 in Beijing of the day after.
pub fn next_midnight(day: NaiveDate) -> DateTime<Utc> {
    beijing_midnight(day.checked_add_days(Days::new(1)).unwrap_or(day))
}
