//! What was announced for a year: its days off and the make-up working days.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::city::City;

/// Whose working days an announcement is about. All seven cities lie in the one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Scope {
    Nation,
    /// The Tibet Autonomous Region.
    Region,
    City(City),
}

impl Scope {
    /// The name on the wire and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Nation => "national",
            Scope::Region => "region",
            Scope::City(city) => city.slug(),
        }
    }

    /// Those that are heard for a city, or for the nation alone; a later one decides over an earlier one.
    pub(super) fn heard_for(city: Option<City>) -> impl DoubleEndedIterator<Item = Scope> {
        let local = city.map(|city| [Scope::Region, Scope::City(city)]);
        std::iter::once(Scope::Nation).chain(local.into_iter().flatten())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Scope> for &'static str {
    fn from(scope: Scope) -> &'static str {
        scope.name()
    }
}

/// Neither the nation nor the region nor one of its cities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("days off are national, of the region, or of lhasa, shigatse, shannan, nyingchi, chamdo, nagqu or ngari")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Scope, UnknownScope> {
        match text {
            "national" => Ok(Scope::Nation),
            "region" => Ok(Scope::Region),
            city => city.parse().map(Scope::City).map_err(|_| UnknownScope),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = UnknownScope;

    fn try_from(text: String) -> Result<Scope, UnknownScope> {
        text.parse()
    }
}

/// Why days can't be announced as they are given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDays {
    #[error("{text:?} is neither a day of the calendar, YYYY-MM-DD, nor a range, YYYY-MM-DD..YYYY-MM-DD")]
    Unreadable { text: String },
    #[error("{first}..{last} runs backwards")]
    Backwards { first: NaiveDate, last: NaiveDate },
    #[error("{first}..{last} runs over New Year: give each year its own days, in its own section")]
    OverNewYear { first: NaiveDate, last: NaiveDate },
    #[error("{day} is not in {year}")]
    OtherYear { day: NaiveDate, year: i32 },
    #[error("{day} is named twice")]
    Twice { day: NaiveDate },
    #[error("{day} is both off and work")]
    OffAndWork { day: NaiveDate },
    #[error("years are announced from 2000 to 2099")]
    Year,
    #[error("no day is named, neither off nor work")]
    NoDays,
}

/// One year's announcement of one scope: at least one day, all of that year, none both off and work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    scope: Scope,
    year: i32,
    off: BTreeSet<NaiveDate>,
    work: BTreeSet<NaiveDate>,
}

impl Announcement {
    /// The years that ticket numbers can name.
    pub const YEARS: RangeInclusive<i32> = 2000..=2099;

    /// # Errors
    /// A year out of bounds, no day at all, a day of another year, one that is named twice.
    pub fn new(
        scope: Scope,
        year: i32,
        off: impl IntoIterator<Item = NaiveDate>,
        work: impl IntoIterator<Item = NaiveDate>,
    ) -> Result<Announcement, BadDays> {
        let mut announcement = Announcement::begun(scope, year)?;
        for day in off {
            announcement.add(Kind::Off, Days::one(day))?;
        }
        for day in work {
            announcement.add(Kind::Work, Days::one(day))?;
        }
        announcement.finished()
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn year(&self) -> i32 {
        self.year
    }

    /// Days on which nobody works; they may lie on a weekend.
    pub fn off(&self) -> &BTreeSet<NaiveDate> {
        &self.off
    }

    /// Days that are worked, most of them on a weekend.
    pub fn work(&self) -> &BTreeSet<NaiveDate> {
        &self.work
    }

    pub(super) fn begun(scope: Scope, year: i32) -> Result<Announcement, BadDays> {
        if !Announcement::YEARS.contains(&year) {
            return Err(BadDays::Year);
        }
        Ok(Announcement { scope, year, off: BTreeSet::new(), work: BTreeSet::new() })
    }

    pub(super) fn add(&mut self, kind: Kind, days: Days) -> Result<(), BadDays> {
        let Days { first, last } = days;
        if first.year() != last.year() {
            return Err(BadDays::OverNewYear { first, last });
        }
        if first.year() != self.year {
            return Err(BadDays::OtherYear { day: first, year: self.year });
        }
        let (named, others) = match kind {
            Kind::Off => (&mut self.off, &self.work),
            Kind::Work => (&mut self.work, &self.off),
        };
        for day in first.iter_days().take_while(|day| *day <= last) {
            if others.contains(&day) {
                return Err(BadDays::OffAndWork { day });
            }
            if !named.insert(day) {
                return Err(BadDays::Twice { day });
            }
        }
        Ok(())
    }

    pub(super) fn finished(self) -> Result<Announcement, BadDays> {
        if self.off.is_empty() && self.work.is_empty() { Err(BadDays::NoDays) } else { Ok(self) }
    }
}

/// What is said of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Off,
    Work,
}

/// A day, or days in a row; never backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    fn one(day: NaiveDate) -> Days {
        Days { first: day, last: day }
    }
}

impl FromStr for Days {
    type Err = BadDays;

    fn from_str(text: &str) -> Result<Days, BadDays> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (Some(first), Some(last)) = (day(first), day(last)) else {
            return Err(BadDays::Unreadable { text: text.to_owned() });
        };
        if last < first { Err(BadDays::Backwards { first, last }) } else { Ok(Days { first, last }) }
    }
}

/// `None` unless it is written YYYY-MM-DD: chrono alone would take `+2026-2-3`.
fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|day: &NaiveDate| day.to_string() == text)
}
