//! Until when something has to be done (domain.md S7-S10 and §2). What counts in working days is due at the end of a
//! day, what counts in minutes goes on at night and on holidays.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;

use super::Requester;
use super::calendar::{Calendar, DueDay, WorkingDays};
use crate::city::City;
use crate::clock::{beijing_day, end_of_beijing_day};

/// How long everything may take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The unit contacts the requester so long after the dispatch, holidays or not.
    pub contact_minutes: u32,
    /// Received, but dispatched to no unit for so long: shown.
    pub undispatched_shown_after_minutes: u32,
    /// Dispatched, but not signed for so long: shown.
    pub unsigned_shown_after_minutes: u32,
    pub citizen_working_days: WorkingDays,
    pub enterprise_working_days: WorkingDays,
    /// The most that one extension adds.
    pub extension_at_most_working_days: WorkingDays,
    /// A round after the first.
    pub redo_working_days: WorkingDays,
    /// A unit gives back what is not its own so long after the dispatch.
    pub return_within_working_days: WorkingDays,
    /// A suspended ticket is looked at again so long after its suspension, at the latest.
    pub suspension_review_within_days: u32,
    /// Supervision goes one level up after so long without progress.
    pub step_up_after_working_days: WorkingDays,
    /// "Not solved" opens an archived ticket again for so long.
    pub reopen_within_days: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        const fn days(days: u32) -> WorkingDays {
            WorkingDays::new(days).expect("from 1 to 366")
        }
        Limits {
            contact_minutes: 60,
            undispatched_shown_after_minutes: 30,
            unsigned_shown_after_minutes: 30,
            citizen_working_days: const { days(5) },
            enterprise_working_days: const { days(15) },
            extension_at_most_working_days: const { days(10) },
            redo_working_days: const { days(5) },
            return_within_working_days: const { days(1) },
            suspension_review_within_days: 90,
            step_up_after_working_days: const { days(2) },
            reopen_within_days: 30,
        }
    }
}

/// When the requester has to have been contacted.
pub fn contact_due(dispatched_at: DateTime<Utc>, limits: &Limits) -> DateTime<Utc> {
    after_minutes(dispatched_at, limits.contact_minutes)
}

/// From when a ticket that was received is shown as undispatched.
pub fn undispatched_shown_at(received_at: DateTime<Utc>, limits: &Limits) -> DateTime<Utc> {
    after_minutes(received_at, limits.undispatched_shown_after_minutes)
}

/// From when a ticket that was dispatched is shown as unsigned.
pub fn unsigned_shown_at(dispatched_at: DateTime<Utc>, limits: &Limits) -> DateTime<Utc> {
    after_minutes(dispatched_at, limits.unsigned_shown_after_minutes)
}

/// How many working days the first round may take.
pub fn working_days(requester: Requester, limits: &Limits) -> WorkingDays {
    match requester {
        Requester::Citizen => limits.citizen_working_days,
        Requester::Enterprise => limits.enterprise_working_days,
    }
}

/// Until when a unit may give a ticket back.
pub fn return_due(calendar: &Calendar, city: City, dispatched_at: DateTime<Utc>, limits: &Limits) -> DueDay {
    calendar.due_day(Some(city), beijing_day(dispatched_at), limits.return_within_working_days)
}

/// What stands still since before this moment goes one level of supervision up.
pub fn standing_still_before(calendar: &Calendar, city: City, now: DateTime<Utc>, limits: &Limits) -> DateTime<Utc> {
    let (today, days) = (beijing_day(now), limits.step_up_after_working_days.count());
    let mut earlier = std::iter::successors(Some(today), NaiveDate::pred_opt);
    let last = earlier.find(|day| calendar.working_days_between(Some(city), *day, today) >= days);
    end_of_beijing_day(last.unwrap_or(NaiveDate::MIN)) + TimeDelta::seconds(1)
}

/// The last day that a suspension may name for its review.
pub fn last_review_day(suspended_at: DateTime<Utc>, limits: &Limits) -> NaiveDate {
    after_days(beijing_day(suspended_at), limits.suspension_review_within_days)
}

/// Until when "not solved" opens an archived ticket again: the end of a day in Beijing.
pub fn reopen_until(archived_at: DateTime<Utc>, limits: &Limits) -> DateTime<Utc> {
    end_of_beijing_day(after_days(beijing_day(archived_at), limits.reopen_within_days))
}

fn after_minutes(at: DateTime<Utc>, minutes: u32) -> DateTime<Utc> {
    at.checked_add_signed(TimeDelta::minutes(minutes.into())).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn after_days(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_contact_is_due_an_hour_after_the_dispatch_holidays_too() {
        let limits = Limits::default();
        assert_eq!(contact_due(at("2026-10-01T15:30:00Z"), &limits), at("2026-10-01T16:30:00Z"));
        assert_eq!(unsigned_shown_at(at("2026-10-01T15:30:00Z"), &limits), at("2026-10-01T16:00:00Z"));
        assert_eq!(undispatched_shown_at(at("2026-10-01T15:40:00Z"), &limits), at("2026-10-01T16:10:00Z"));
    }

    #[test]
    fn a_citizen_has_an_answer_in_5_working_days_and_an_enterprise_in_15() {
        let (calendar, limits) = (Calendar::built_in(), Limits::default());
        let created = beijing_day(at("2026-02-13T02:00:00Z"));
        let due = |requester| calendar.due_day(Some(City::Lhasa), created, working_days(requester, &limits)).at();
        assert_eq!(due(Requester::Citizen), at("2026-03-03T15:59:59Z"));
        assert_eq!(due(Requester::Enterprise), at("2026-03-17T15:59:59Z"));
    }

    #[test]
    fn a_return_counts_from_the_day_of_the_dispatch() {
        let (calendar, limits) = (Calendar::built_in(), Limits::default());
        let friday_at_midnight = at("2026-12-25T16:00:00Z");
        let returned = return_due(&calendar, City::Nagqu, friday_at_midnight, &limits);
        assert_eq!(returned, DueDay { day: "2026-12-28".parse().expect("a day"), provisional: false });
    }

    #[test]
    fn reviews_and_reopenings_count_every_day() {
        let limits = Limits::default();
        assert_eq!(last_review_day(at("2026-11-22T16:00:00Z"), &limits).to_string(), "2027-02-21");
        assert_eq!(reopen_until(at("2026-11-22T03:00:00Z"), &limits), at("2026-12-22T15:59:59Z"));
    }

    #[test]
    fn two_working_days_of_standing_still_pass_over_days_off() {
        let (calendar, limits) = (Calendar::built_in(), Limits::default());
        let before = |now| standing_still_before(&calendar, City::Lhasa, at(now), &limits);
        // Wednesday: whatever last moved on Monday or before
        assert_eq!(before("2026-11-25T02:00:00Z"), at("2026-11-23T16:00:00Z"));
        // Monday morning: Thursday
        assert_eq!(before("2026-11-23T02:00:00Z"), at("2026-11-19T16:00:00Z"));
        // over the seven days of October, of which the fifth is not even a working day
        assert_eq!(before("2026-10-05T02:00:00Z"), at("2026-09-28T16:00:00Z"));
    }

    #[test]
    fn limits_are_settings_that_have_defaults() {
        let read = |text| toml::from_str::<Limits>(text);
        assert_eq!(read(""), Ok(Limits::default()));
        let set = read("citizen_working_days = 3\ncontact_minutes = 45").expect("limits");
        assert_eq!((set.citizen_working_days.count(), set.contact_minutes, set.redo_working_days.count()), (3, 45, 5));
        let error = read("redo_working_days = 0").expect_err("no time at all");
        assert_eq!(error.message(), "working days are a whole number from 1 to 366");
        assert!(read("citizen_days = 3").is_err());
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let (calendar, end) = (Calendar::built_in(), DateTime::<Utc>::MAX_UTC);
        let limits = Limits { suspension_review_within_days: u32::MAX, contact_minutes: u32::MAX, ..Limits::default() };
        assert_eq!(contact_due(end, &limits), end);
        assert_eq!(last_review_day(end, &limits), NaiveDate::MAX);
        assert_eq!(beijing_day(reopen_until(end, &limits)), NaiveDate::MAX);
        assert!(return_due(&calendar, City::Lhasa, end, &limits).provisional);
    }
}
