//! Supervision (督办) of a matter or of a unit: many complaints about one thing are looked after as one (domain S26).

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::catalogue::{ClassCode, UnitCode};
use super::deadline::{self, Limits};
use super::{Level, RequestType};
use crate::city::City;

/// From how many complaints on; a city may have its own figures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Complaints count for so long after they were made.
    pub window_days: u32,
    /// On one matter: the same city, class and place.
    pub matter_tickets: u32,
    /// On one unit.
    pub unit_tickets: u32,
    /// The types of request that count.
    pub types: Vec<RequestType>,
    /// What is otherwise in a city.
    pub city: BTreeMap<City, Own>,
}

/// A city's own figures; what is left out is as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    pub window_days: Option<u32>,
    pub matter_tickets: Option<u32>,
    pub unit_tickets: Option<u32>,
    pub types: Option<Vec<RequestType>>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            window_days: 30,
            matter_tickets: 10,
            unit_tickets: 10,
            types: vec![RequestType::Complaint, RequestType::Report],
            city: BTreeMap::new(),
        }
    }
}

/// The figures that hold in one city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds<'a> {
    pub window_days: u32,
    pub matter_tickets: u32,
    pub unit_tickets: u32,
    pub types: &'a [RequestType],
}

impl Config {
    pub fn of(&self, city: City) -> Thresholds<'_> {
        let own = self.city.get(&city);
        let figure = |of: fn(&Own) -> Option<u32>, all| own.and_then(of).unwrap_or(all);
        Thresholds {
            window_days: figure(|own| own.window_days, self.window_days),
            matter_tickets: figure(|own| own.matter_tickets, self.matter_tickets),
            unit_tickets: figure(|own| own.unit_tickets, self.unit_tickets),
            types: own.and_then(|own| own.types.as_deref()).unwrap_or(&self.types),
        }
    }
}

impl Thresholds<'_> {
    /// Since when tickets count.
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_sub_signed(TimeDelta::days(self.window_days.into())).unwrap_or(DateTime::UNIX_EPOCH)
    }

    pub const fn of(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Matter { .. } => self.matter_tickets,
            Subject::Unit { .. } => self.unit_tickets,
        }
    }
}

/// What is supervised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// One thing at one place; the place is a [`super::place_key`].
    Matter {
        city: City,
        class: ClassCode,
        place: String,
    },
    Unit {
        city: City,
        unit: UnitCode,
    },
}

impl Subject {
    pub const fn city(&self) -> City {
        match self {
            Subject::Matter { city, .. } | Subject::Unit { city, .. } => *city,
        }
    }
}

/// As the audit names it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Matter { city, class, place } => write!(f, "matter {city} {class} {place}"),
            Subject::Unit { unit, .. } => write!(f, "unit {unit}"),
        }
    }
}

/// Why the tickets of a supervised subject are supervised, as the audit keeps it: `10 complaints: unit lhasa-housing`.
pub fn because(complaints: u32, subject: &Subject) -> String {
    format!("{complaints} complaints: {subject}")
}

/// How many complaints, and the subject as the audit names it, of what [`because`] wrote.
pub fn read_because(text: &str) -> Option<(u32, &str)> {
    let (complaints, subject) = text.split_once(" complaints: ")?;
    Some((complaints.parse().ok()?, subject))
}

/// Complaints about a subject. Every complaint is one citizen's voice: one that was merged into another counts too, one
/// that was changed or filed later counts once; a withdrawn, refused or invalid one does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Made in the window; after somebody ended the supervision by hand only those made since then.
    pub tickets: u32,
    /// Open ones, however old.
    pub open: u32,
    /// When the last one was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A supervision that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub level: Level,
    /// Since when at this level.
    pub level_at: DateTime<Utc>,
}

/// What happens to a subject's supervision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At the first level.
    Open,
    StepUp(Level),
    End,
}

impl Step {
    /// Its name as an event.
    pub const fn event(self) -> &'static str {
        match self {
            Step::Open => "supervision.opened",
            Step::StepUp(_) => "supervision.stepped_up",
            Step::End => "supervision.ended",
        }
    }
}

/// Opens at the threshold; goes a level up after two working days in which no ticket of it was closed; ends when the
/// count has fallen below the threshold and nothing of it is open.
pub fn decide(
    subject: &Subject,
    count: &Count,
    open: Option<&Open>,
    thresholds: &Thresholds<'_>,
    calendar: &Calendar,
    limits: &Limits,
    now: DateTime<Utc>,
) -> Option<Step> {
    let reached = count.tickets >= thresholds.of(subject).max(1);
    let Some(open) = open else { return reached.then_some(Step::Open) };
    if count.open == 0 {
        return (!reached).then_some(Step::End);
    }
    let moved_at = count.closed_at.map_or(open.level_at, |closed| closed.max(open.level_at));
    let still = moved_at < deadline::standing_still_before(calendar, subject.city(), now, limits);
    open.level.next().filter(|_| still).map(Step::StepUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn matter() -> Subject {
        Subject::Matter {
            city: City::Chamdo, class: "0105".parse().expect("a class"), place: "江苏路3号".to_owned()
        }
    }

    fn level(level: u8) -> Level {
        Level::new(level).expect("a level")
    }

    fn decided(count: Count, open: Option<Open>, now: &str) -> Option<Step> {
        let (config, calendar, limits) = (Config::default(), Calendar::built_in(), Limits::default());
        decide(&matter(), &count, open.as_ref(), &config.of(City::Chamdo), &calendar, &limits, at(now))
    }

    const MONDAY: &str = "2026-11-23T02:00:00Z";

    #[test]
    fn the_tenth_complaint_opens_it() {
        let count = |tickets| Count { tickets, open: tickets, closed_at: None };
        assert_eq!(decided(count(9), None, MONDAY), None);
        assert_eq!(decided(count(10), None, MONDAY), Some(Step::Open));
        assert_eq!(decided(count(10), Some(Open { level: Level::FIRST, level_at: at(MONDAY) }), MONDAY), None);
    }

    #[test]
    fn ten_that_are_all_closed_are_ten_complaints() {
        let count = Count { tickets: 10, open: 0, closed_at: Some(at(MONDAY)) };
        assert_eq!(decided(count, None, MONDAY), Some(Step::Open));
    }

    #[test]
    fn it_goes_up_after_two_working_days_without_a_closed_ticket() {
        let open = Some(Open { level: level(2), level_at: at("2026-11-19T02:00:00Z") });
        let count = Count { tickets: 10, open: 8, closed_at: None };
        assert_eq!(decided(count, open, "2026-11-22T02:00:00Z"), None, "Thursday to Sunday is one working day");
        assert_eq!(decided(count, open, MONDAY), Some(Step::StepUp(level(3))));
        let moving = Count { closed_at: Some(at("2026-11-20T02:00:00Z")), ..count };
        assert_eq!(decided(moving, open, MONDAY), None);
        let long_ago = Count { closed_at: Some(at("2026-11-01T02:00:00Z")), ..count };
        assert_eq!(decided(long_ago, open, MONDAY), Some(Step::StepUp(level(3))));
        let highest = Some(Open { level: level(4), level_at: at("2026-11-01T02:00:00Z") });
        assert_eq!(decided(count, highest, MONDAY), None);
    }

    #[test]
    fn it_ends_when_few_are_left_in_the_window_and_none_is_open() {
        let open = Some(Open { level: Level::FIRST, level_at: at(MONDAY) });
        let few = Count { tickets: 9, open: 0, closed_at: Some(at(MONDAY)) };
        assert_eq!(decided(few, open, MONDAY), Some(Step::End));
        assert_eq!(decided(Count { open: 1, ..few }, open, MONDAY), None);
        assert_eq!(decided(Count { tickets: 10, ..few }, open, "2026-12-20T02:00:00Z"), None, "nothing to step up for");
    }

    #[test]
    fn a_city_has_figures_of_its_own() {
        let config: Config =
            toml::from_str("unit_tickets = 20\n[city.chamdo]\nmatter_tickets = 3\ntypes = [\"help\"]\n")
                .expect("a configuration");
        let chamdo = config.of(City::Chamdo);
        assert_eq!((chamdo.matter_tickets, chamdo.unit_tickets, chamdo.window_days), (3, 20, 30));
        assert_eq!(chamdo.types, [RequestType::Help]);
        assert_eq!(config.of(City::Lhasa).matter_tickets, 10);
        assert!(toml::from_str::<Config>("[city.beijing]\n").is_err());
    }

    #[test]
    fn a_subject_is_named_as_the_audit_names_it() {
        assert_eq!(matter().to_string(), "matter chamdo 0105 江苏路3号");
        let unit = Subject::Unit { city: City::Lhasa, unit: "lhasa-housing".parse().expect("a unit") };
        assert_eq!(unit.to_string(), "unit lhasa-housing");
        assert_eq!(because(10, &unit), "10 complaints: unit lhasa-housing");
        assert_eq!(read_because(&because(10, &matter())), Some((10, "matter chamdo 0105 江苏路3号")));
        assert_eq!(read_because("the leader wants it"), None);
    }
}
