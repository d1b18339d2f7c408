//! Reading numbers, dates and times aloud: lists of prompt ids and pauses by the grammar of each language.
//!
//! Mandarin reads identifiers digit by digit with 1 as 幺 (`digit.*`), years digit by digit with 1 as 一, and
//! counts as cardinals with 两 for two of something. In Tibetan the number follows its noun and its unit, and དང
//! stands before the last part of a number above 100. Both say year, month, day, part of the day, hour.
//!
//! Every list uses only ids that the language speaks. Groups of digits and years are left open: the prompts have them
//! whole or put them together ([`super::Prompts::cues`]).

mod digits;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use crate::language::Language;
pub use digits::{GROUP_PAUSE_MS, PAIR_PAUSE_MS, all_digits, digits, groups, last_four, phone, ticket_number};

/// The greatest number that is read as a number; above it [`number`], [`count`] and [`ordinal`] read digits.
pub const GREATEST_NUMBER: u32 = 9_999;

/// The years that have a prompt each; others are put together.
pub const WHOLE_YEARS: RangeInclusive<i32> = 2025..=2040;

/// One thing to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A prompt by its id.
    Prompt(Cow<'static, str>),
    /// One to three digits in one breath; `last` when the number ends with them.
    Group { digits: String, last: bool },
    /// A year, 1 to 9,999.
    Year(u32),
    /// Silence, in milliseconds.
    Pause(u32),
}

impl Piece {
    fn prompt(id: &'static str) -> Piece {
        Piece::Prompt(Cow::Borrowed(id))
    }

    fn numbered(group: &str, number: impl std::fmt::Display) -> Piece {
        Piece::Prompt(Cow::Owned(format!("{group}.{number}")))
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Workdays,
    Hours,
    Minutes,
    Matters,
}

impl Unit {
    const fn id(self) -> &'static str {
        match self {
            Unit::Workdays => "unit.workdays",
            Unit::Hours => "unit.hours",
            Unit::Minutes => "unit.minutes",
            Unit::Matters => "unit.matters",
        }
    }
}

/// A cardinal that stands alone: 二.
pub fn number(language: Language, number: u32) -> Vec<Piece> {
    match language {
        _ if number > GREATEST_NUMBER => groups(&number.to_string()),
        Language::Zh => mandarin_cardinal(number),
        Language::Bo => tibetan_cardinal(number),
    }
}

/// A cardinal before a measure word or after a noun: 两 in Mandarin.
pub fn count(language: Language, of: u32) -> Vec<Piece> {
    match of {
        2 => vec![Piece::prompt("num.two_of")],
        _ => number(language, of),
    }
}

/// A count with its unit, in the order of the language.
pub fn quantity(language: Language, of: u32, unit: Unit) -> Vec<Piece> {
    let unit = Piece::prompt(unit.id());
    let mut pieces = count(language, of);
    match language {
        Language::Zh => pieces.push(unit),
        Language::Bo => pieces.insert(0, unit),
    }
    pieces
}

/// First, second, … ; 0 is read as a number.
pub fn ordinal(language: Language, number: u32) -> Vec<Piece> {
    if number == 1 {
        return vec![Piece::prompt("num.first")];
    }
    let mut pieces = self::number(language, number);
    match language {
        _ if number == 0 => {}
        Language::Zh => pieces.insert(0, Piece::prompt("num.nth")),
        Language::Bo => pieces.push(Piece::prompt("num.nth")),
    }
    pieces
}

/// A date with its year.
pub fn date(date: NaiveDate) -> Vec<Piece> {
    year(date.year()).into_iter().chain(month_and_day(date)).collect()
}

/// Every piece that dates of [`WHOLE_YEARS`] are made of.
pub fn all_dates() -> impl Iterator<Item = Piece> {
    let years = WHOLE_YEARS.filter_map(year);
    let months = (1..=12).map(|month| Piece::numbered("month", month));
    years.chain(months).chain((1..=31).map(|day| Piece::numbered("day", day)))
}

/// A date without its year.
pub fn month_and_day(date: NaiveDate) -> Vec<Piece> {
    vec![Piece::numbered("month", date.month()), Piece::numbered("day", date.day())]
}

/// A date as somebody says it today: yesterday to the day after tomorrow by name, this year's without the year.
pub fn date_from(date: NaiveDate, today: NaiveDate) -> Vec<Piece> {
    match (date - today).num_days() {
        -1 => vec![Piece::prompt("rel.yesterday")],
        0 => vec![Piece::prompt("rel.today")],
        1 => vec![Piece::prompt("rel.tomorrow")],
        2 => vec![Piece::prompt("rel.day_after")],
        _ if date.year() == today.year() => month_and_day(date),
        _ => self::date(date),
    }
}

/// Monday to Sunday.
pub fn weekday(date: NaiveDate) -> Vec<Piece> {
    vec![Piece::numbered("weekday", date.weekday().number_from_monday())]
}

/// A time of day to the minute, in twelve hours with the part of the day.
pub fn time(language: Language, time: NaiveTime) -> Vec<Piece> {
    let (_, hour) = time.hour12();
    let mut pieces = vec![Piece::prompt(part_of_day(time.hour())), Piece::numbered("clock", hour)];
    pieces.extend(past_the_hour(language, time.minute()));
    pieces
}

/// A duration in hours and minutes; an hour or more without odd minutes is hours alone.
pub fn duration(language: Language, minutes: u32) -> Vec<Piece> {
    let (hours, rest) = (minutes / 60, minutes % 60);
    let mut pieces = Vec::new();
    if hours > 0 {
        pieces.extend(quantity(language, hours, Unit::Hours));
    }
    if hours > 0 && rest > 0 && language == Language::Bo {
        pieces.push(Piece::prompt("num.and"));
    }
    if rest > 0 || hours == 0 {
        pieces.extend(quantity(language, rest, Unit::Minutes));
    }
    pieces
}

/// 一千零五, 一百一十五: 零 stands for skipped places, and ten after a greater place is 一十.
fn mandarin_cardinal(number: u32) -> Vec<Piece> {
    let (thousands, hundreds, rest) = (number / 1000 * 1000, number % 1000 / 100 * 100, number % 100);
    let mut pieces = greater_places(thousands, hundreds);
    if pieces.is_empty() {
        return vec![Piece::numbered("num", rest)];
    }
    if rest > 0 && (rest < 10 || hundreds == 0) {
        pieces.push(Piece::prompt("num.and"));
    }
    if (10..20).contains(&rest) {
        pieces.push(Piece::prompt("num.1"));
    }
    if rest > 0 {
        pieces.push(Piece::numbered("num", rest));
    }
    pieces
}

/// Thousands, hundreds, rest, with དང before the last of them.
fn tibetan_cardinal(number: u32) -> Vec<Piece> {
    let (thousands, hundreds, rest) = (number / 1000 * 1000, number % 1000 / 100 * 100, number % 100);
    let mut pieces = greater_places(thousands, hundreds);
    if rest > 0 || pieces.is_empty() {
        pieces.push(Piece::numbered("num", rest));
    }
    if pieces.len() > 1 {
        pieces.insert(pieces.len() - 1, Piece::prompt("num.and"));
    }
    pieces
}

fn greater_places(thousands: u32, hundreds: u32) -> Vec<Piece> {
    [thousands, hundreds].into_iter().filter(|&place| place > 0).map(|place| Piece::numbered("num", place)).collect()
}

/// A year outside 1-9,999 is left out.
fn year(year: i32) -> Option<Piece> {
    u32::try_from(year).ok().filter(|year| (1..=GREATEST_NUMBER).contains(year)).map(Piece::Year)
}

/// A year put together: 二零二六年; སྤྱི་ལོ … ལོའི.
pub(super) fn year_of_parts(language: Language, year: u32) -> Vec<Piece> {
    let mut pieces = match language {
        Language::Zh => year.to_string().chars().map(|digit| Piece::numbered("num", digit)).collect(),
        Language::Bo => vec![Piece::prompt("year.prefix")],
    };
    if language == Language::Bo {
        pieces.extend(tibetan_cardinal(year));
    }
    pieces.push(Piece::prompt("year.suffix"));
    pieces
}

const fn part_of_day(hour: u32) -> &'static str {
    match hour {
        0..5 => "daypart.midnight",
        5..8 => "daypart.dawn",
        8..12 => "daypart.morning",
        12 => "daypart.noon",
        13..18 => "daypart.afternoon",
        _ => "daypart.evening",
    }
}

fn past_the_hour(language: Language, minute: u32) -> Vec<Piece> {
    let unit = Piece::prompt("clock.minutes");
    match (minute, language) {
        (0, _) => Vec::new(),
        (30, _) => vec![Piece::prompt("clock.half")],
        (1..10, Language::Zh) => vec![Piece::prompt("num.and"), Piece::numbered("num", minute), unit],
        (_, Language::Zh) => vec![Piece::numbered("num", minute), unit],
        (_, Language::Bo) => vec![unit, Piece::numbered("num", minute)],
    }
}

#[cfg(test)]
mod tests;
