//! A file of announcements: its TOML, read with the place of each entry.
//!
//! ```toml
//! [national.2026]
//! off = ["2026-01-01..2026-01-03"]
//! work = ["2026-01-04"]
//!
//! [lhasa.2026]
//! off = ["2026-02-15..2026-02-26"]
//! ```

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::announcement::{Announcement, BadDays, Days, Kind, Scope};

/// What can't be read of a file of announcements, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CalendarError {
    /// From 1.
    pub line: usize,
    /// `national.2026`; empty outside of any.
    pub section: String,
    /// `off[2]` for the third entry of `off`; empty when the section as a whole is meant.
    pub key: String,
    pub what: String,
}

impl CalendarError {
    /// Section and key in one, `national.2026.off[2]`; empty when the file as a whole is meant.
    pub fn place(&self) -> String {
        let parts = [self.section.as_str(), self.key.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CalendarError { line, what, .. } = self;
        match self.place().as_str() {
            "" => write!(f, "line {line}: {what}"),
            place => write!(f, "line {line}: {place}: {what}"),
        }
    }
}

/// Reads the announcements, ordered by the names of their scopes, then by year.
///
/// # Errors
/// The first thing found that can't be used.
pub(super) fn read(text: &str) -> Result<Vec<Announcement>, CalendarError> {
    let file = DeTable::parse(text).map_err(|error| broken(text, &error))?;
    let mut announcements = Vec::new();
    for (name, years) in file.get_ref() {
        let place = Place { text, section: name.get_ref().to_string(), key: String::new() };
        let scope = name.get_ref().parse::<Scope>().map_err(|error| place.wrong(name.span(), error))?;
        let DeValue::Table(years) = years.get_ref() else {
            return Err(place.wrong(name.span(), format!("a section is [{scope}.YEAR]")));
        };
        for (year, days) in years {
            let section = format!("{scope}.{}", year.get_ref());
            let place = Place { text, section, key: String::new() };
            announcements.push(announcement(&place, scope, year, days.get_ref())?);
        }
    }
    Ok(announcements)
}

fn announcement(
    place: &Place<'_>,
    scope: Scope,
    year: &Spanned<impl AsRef<str>>,
    days: &DeValue<'_>,
) -> Result<Announcement, CalendarError> {
    let wrong = |error: BadDays| place.wrong(year.span(), error);
    let number = year.get_ref().as_ref();
    // `02026` would be another key of the same year
    let number = if number.len() == 4 { number.parse().map_err(|_| BadDays::Year) } else { Err(BadDays::Year) };
    let mut announcement = number.and_then(|year| Announcement::begun(scope, year)).map_err(wrong)?;
    let DeValue::Table(keys) = days else {
        return Err(place.wrong(year.span(), "a section holds off = [days] and work = [days]"));
    };
    for (name, entries) in keys {
        let place = place.at(name.get_ref().to_string());
        let kind = match name.get_ref().as_ref() {
            "off" => Kind::Off,
            "work" => Kind::Work,
            _ => return Err(place.wrong(name.span(), "an announcement has off and work, nothing else")),
        };
        let DeValue::Array(entries) = entries.get_ref() else {
            return Err(place.wrong(name.span(), NO_LIST));
        };
        add(&place, &mut announcement, kind, entries)?;
    }
    announcement.finished().map_err(wrong)
}

const NO_LIST: &str = "a list of days in quotes is wanted, [\"YYYY-MM-DD\", \"YYYY-MM-DD..YYYY-MM-DD\"]";

fn add(
    place: &Place<'_>,
    announcement: &mut Announcement,
    kind: Kind,
    entries: &DeArray<'_>,
) -> Result<(), CalendarError> {
    for (index, entry) in entries.iter().enumerate() {
        let place = place.at(format!("{}[{index}]", place.key));
        let DeValue::String(days) = entry.get_ref() else {
            return Err(place.wrong(entry.span(), NO_LIST));
        };
        let added = days.parse::<Days>().and_then(|days| announcement.add(kind, days));
        added.map_err(|error| place.wrong(entry.span(), error))?;
    }
    Ok(())
}

/// Where the reading is.
struct Place<'t> {
    text: &'t str,
    section: String,
    key: String,
}

impl Place<'_> {
    fn at(&self, key: String) -> Place<'_> {
        Place { text: self.text, section: self.section.clone(), key }
    }

    fn wrong(&self, span: Range<usize>, what: impl ToString) -> CalendarError {
        let (section, key) = (self.section.clone(), self.key.clone());
        CalendarError { line: line_of(self.text, span.start), section, key, what: what.to_string() }
    }
}

/// A file that is no TOML, or names a section or a key twice: the parser knows the line alone.
fn broken(text: &str, error: &toml::de::Error) -> CalendarError {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    let section = text.lines().take(line).filter_map(header).last().unwrap_or_default().to_owned();
    let what = error.message().trim().replace('\n', " ");
    CalendarError { line, section, key: String::new(), what }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The name of a line that begins a section.
fn header(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split_once(']').map(|(name, _)| name.trim())
}
