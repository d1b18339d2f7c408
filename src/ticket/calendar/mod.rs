//! Working days: Monday to Friday, but for what the nation, the region and a city announce. Days off are announced,
//! never computed; over a year without an announcement a due date is provisional (domain.md §2, clocks).

mod announcement;
mod due;
mod source;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};

use crate::city::City;
pub use announcement::{Announcement, BadDays, Scope, UnknownScope};
pub use due::{BadWorkingDays, DayLine, Due, DueDay, Reason, WorkingDays};
pub use source::CalendarError;

/// What a hotline starts with.
const BUILT_IN: &str = include_str!("../../../seed/calendar.toml");

/// The announcements, and what follows from them for every city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    announcements: BTreeMap<(Scope, i32), Announcement>,
    /// Those of the nation alone.
    national: Exceptions,
    /// In the order of [`City::ALL`].
    cities: [Exceptions; City::ALL.len()],
}

/// The days off from Monday to Friday and the working days at weekends, in order.
type Exceptions = Vec<NaiveDate>;

impl Calendar {
    /// Reads announcements, as `seed/calendar.toml` has them.
    ///
    /// # Errors
    /// The first thing found that can't be used, with line, section and key.
    pub fn parse(text: &str) -> Result<Vec<Announcement>, CalendarError> {
        source::read(text)
    }

    /// Of two announcements of one scope and year the later one stands.
    pub fn new(announcements: impl IntoIterator<Item = Announcement>) -> Calendar {
        let keyed = announcements.into_iter().map(|announcement| (key(&announcement), announcement));
        Calendar::of(keyed.collect())
    }

    /// What was known when this program was built.
    pub fn built_in() -> Calendar {
        Calendar::new(Calendar::parse(BUILT_IN).expect("a test reads what is built in"))
    }

    /// By scope, then year.
    pub fn announcements(&self) -> impl Iterator<Item = &Announcement> {
        self.announcements.values()
    }

    pub fn announcement(&self, scope: Scope, year: i32) -> Option<&Announcement> {
        self.announcements.get(&(scope, year))
    }

    /// Whether the nation's days off of this year are known.
    pub fn is_announced(&self, year: i32) -> bool {
        self.announcement(Scope::Nation, year).is_some()
    }

    /// Puts an announcement in the place of the one of its scope and year, which is returned.
    pub fn replace(&mut self, announcement: Announcement) -> Option<Announcement> {
        let mut announcements = std::mem::take(&mut self.announcements);
        let replaced = announcements.insert(key(&announcement), announcement);
        *self = Calendar::of(announcements);
        replaced
    }

    fn of(announcements: BTreeMap<(Scope, i32), Announcement>) -> Calendar {
        let national = exceptions(&announcements, None);
        let cities = City::ALL.map(|city| exceptions(&announcements, Some(city)));
        Calendar { announcements, national, cities }
    }

    fn exceptions(&self, city: Option<City>) -> &[NaiveDate] {
        match city {
            None => &self.national,
            Some(city) => &self.cities[city as usize],
        }
    }
}

fn key(announcement: &Announcement) -> (Scope, i32) {
    (announcement.scope(), announcement.year())
}

fn exceptions(announcements: &BTreeMap<(Scope, i32), Announcement>, city: Option<City>) -> Exceptions {
    let (mut off, mut work) = (BTreeSet::new(), BTreeSet::new());
    for scope in Scope::heard_for(city) {
        for announcement in announcements.range((scope, i32::MIN)..=(scope, i32::MAX)).map(|(_, found)| found) {
            work.retain(|day| !announcement.off().contains(day));
            off.retain(|day| !announcement.work().contains(day));
            off.extend(announcement.off());
            work.extend(announcement.work());
        }
    }
    let off = off.into_iter().filter(|day| is_monday_to_friday(*day));
    let work = work.into_iter().filter(|day| !is_monday_to_friday(*day));
    let mut exceptions: Exceptions = off.chain(work).collect();
    exceptions.sort_unstable();
    exceptions
}

fn is_monday_to_friday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}
