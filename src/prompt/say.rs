//! Reading numbers, dates and times aloud: lists of prompt ids and pauses by the grammar of each language.
//!
//! Mandarin reads identifiers digit by digit with 1 as 幺 (`digit.*`), years digit by digit with 1 as 一, and
//! counts as cardinals with 两 for two of something. In Tibetan the number follows its noun and its unit, and དང
//! stands before the last part of a number above 100. Both say year, month, day, part of the day, hour.
//!
//! Every list uses only ids that the language speaks.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use crate::language::Language;

/// Between two groups of digits.
pub const GROUP_PAUSE_MS: u32 = 180;

/// The greatest number that is read as a number; above it [`number`], [`count`] and [`ordinal`] read digits.
pub const GREATEST_NUMBER: u32 = 9_999;

/// The groups of prompts that the lists are made of.
const PARTS: [&str; 10] = ["clock", "day", "daypart", "digit", "month", "num", "rel", "unit", "weekday", "year"];

/// One thing to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A prompt by its id.
    Prompt(Cow<'static, str>),
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

/// Digits one by one, without a pause; what is not a digit is left out.
pub fn digits(text: &str) -> Vec<Piece> {
    text.chars().filter(char::is_ascii_digit).map(|digit| Piece::numbered("digit", digit)).collect()
}

/// A ticket number: groups of three digits, [`GROUP_PAUSE_MS`] between them.
pub fn ticket_number(number: &str) -> Vec<Piece> {
    let digits = digits(number);
    let sizes = vec![3; digits.len().div_ceil(3)];
    grouped(digits, &sizes)
}

/// A phone number: 3-4-4 for a mobile phone, else threes with a last group of two to four.
pub fn phone(number: &str) -> Vec<Piece> {
    let mobile = number.len() == 11 && number.starts_with('1');
    let digits = digits(number);
    let sizes = if mobile { vec![3, 4, 4] } else { threes(digits.len()) };
    grouped(digits, &sizes)
}

/// The last four digits of a number, in one group.
pub fn last_four(number: &str) -> Vec<Piece> {
    let mut digits = digits(number);
    digits.split_off(digits.len().saturating_sub(4))
}

/// A cardinal that stands alone: 二.
pub fn number(language: Language, number: u32) -> Vec<Piece> {
    match language {
        _ if number > GREATEST_NUMBER => ticket_number(&number.to_string()),
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
pub fn date(language: Language, date: NaiveDate) -> Vec<Piece> {
    let mut pieces = year(language, date.year());
    pieces.extend(month_and_day(date));
    pieces
}

/// A date without its year.
pub fn month_and_day(date: NaiveDate) -> Vec<Piece> {
    vec![Piece::numbered("month", date.month()), Piece::numbered("day", date.day())]
}

/// A date as somebody says it today: yesterday to the day after tomorrow by name, this year's without the year.
pub fn date_from(language: Language, date: NaiveDate, today: NaiveDate) -> Vec<Piece> {
    match (date - today).num_days() {
        -1 => vec![Piece::prompt("rel.yesterday")],
        0 => vec![Piece::prompt("rel.today")],
        1 => vec![Piece::prompt("rel.tomorrow")],
        2 => vec![Piece::prompt("rel.day_after")],
        _ if date.year() == today.year() => month_and_day(date),
        _ => self::date(language, date),
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

/// Whether a list can hold this prompt.
pub(super) fn is_part(id: &str) -> bool {
    id.split_once('.').is_some_and(|(group, _)| PARTS.contains(&group))
}

/// Threes, where a single last digit joins the group before it.
fn threes(digits: usize) -> Vec<usize> {
    let mut sizes = vec![3; digits / 3];
    match (digits % 3, sizes.last_mut()) {
        (0, _) => {}
        (1, Some(last)) => *last += 1,
        (rest, _) => sizes.push(rest),
    }
    sizes
}

fn grouped(pieces: Vec<Piece>, sizes: &[usize]) -> Vec<Piece> {
    let mut grouped = Vec::with_capacity(pieces.len() + sizes.len());
    let mut pieces = pieces.into_iter();
    for (index, &size) in sizes.iter().enumerate() {
        if index > 0 {
            grouped.push(Piece::Pause(GROUP_PAUSE_MS));
        }
        grouped.extend(pieces.by_ref().take(size));
    }
    grouped
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

/// 二零二六年; སྤྱི་ལོ … ལོའི. A year outside 1-9,999 is left out.
fn year(language: Language, year: i32) -> Vec<Piece> {
    let Some(year) = u32::try_from(year).ok().filter(|year| (1..=GREATEST_NUMBER).contains(year)) else {
        return Vec::new();
    };
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prompt::Prompts;

    fn unspoken<'a>(prompts: &Prompts, language: Language, pieces: &'a [Piece]) -> Option<&'a Piece> {
        pieces.iter().find(|piece| match piece {
            Piece::Prompt(id) => prompts.clip(language, id).is_none(),
            Piece::Pause(ms) => *ms == 0,
        })
    }

    /// What is said, for a reader of the language: the texts of the prompts, `_` for a pause.
    fn text(prompts: &Prompts, language: Language, pieces: &[Piece]) -> String {
        let said = pieces.iter().map(|piece| match piece {
            Piece::Prompt(id) => prompts.text(language, id).unwrap_or("?"),
            Piece::Pause(_) => "_",
        });
        said.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_number_has_its_clips_in_both_languages() {
        let prompts = Prompts::embedded();
        for language in Language::ALL {
            for n in 0..=GREATEST_NUMBER {
                for pieces in [number(language, n), count(language, n), ordinal(language, n), duration(language, n)] {
                    assert!(!pieces.is_empty(), "{n}");
                    assert_eq!(unspoken(&prompts, language, &pieces), None, "{n} in {language}");
                }
            }
        }
    }

    #[test]
    fn no_two_numbers_sound_the_same() {
        for language in Language::ALL {
            let mut said: Vec<_> = (0..=GREATEST_NUMBER).map(|n| format!("{:?}", number(language, n))).collect();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), GREATEST_NUMBER as usize + 1);
        }
    }

    #[test]
    fn every_day_of_six_years_has_its_clips_in_both_languages() {
        let prompts = Prompts::embedded();
        let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a day");
        for date in day(2025).iter_days().take_while(|date| *date < day(2031)) {
            for language in Language::ALL {
                let relative = date_from(language, date, day(2026));
                for pieces in [self::date(language, date), relative, weekday(date)] {
                    assert!(!pieces.is_empty(), "{date}");
                    assert_eq!(unspoken(&prompts, language, &pieces), None, "{date} in {language}");
                }
            }
        }
    }

    #[test]
    fn every_minute_of_a_day_has_its_clips_in_both_languages() {
        let prompts = Prompts::embedded();
        for minute in 0..24 * 60 {
            let at = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).expect("a time");
            for language in Language::ALL {
                let pieces = time(language, at);
                assert!(pieces.len() >= 2 && unspoken(&prompts, language, &pieces).is_none(), "{at} in {language}");
            }
        }
    }

    proptest! {
        #[test]
        fn digits_are_all_said_in_their_order_whatever_the_grouping(number in "[0-9]{0,20}") {
            for pieces in [digits(&number), ticket_number(&number), phone(&number)] {
                let ids = pieces.iter().filter_map(|piece| match piece { Piece::Prompt(id) => Some(id), Piece::Pause(_) => None });
                let said: String = ids.map(|id| id.strip_prefix("digit.").expect("a digit")).collect();
                prop_assert_eq!(said, number.clone());
                prop_assert!(!matches!(pieces.first(), Some(Piece::Pause(_))) && !matches!(pieces.last(), Some(Piece::Pause(_))));
            }
        }

        #[test]
        fn no_group_of_a_phone_number_is_a_single_digit(number in "[0-9]{2,20}") {
            let pieces = phone(&number);
            for group in pieces.split(|piece| matches!(piece, Piece::Pause(_))) {
                prop_assert!((2..=4).contains(&group.len()), "{}", group.len());
            }
        }
    }

    #[test]
    fn a_reviewer_finds_what_each_language_says() {
        let prompts = Prompts::embedded();
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).expect("a day");
        let at = |h, m| NaiveTime::from_hms_opt(h, m, 0).expect("a time");
        let mut lines = Vec::new();
        for language in Language::ALL {
            let mut say = |what: String, pieces: Vec<Piece>| {
                lines.push(format!("{language} {what}: {}", text(&prompts, language, &pieces)))
            };
            say("ticket 126112200012".into(), ticket_number("126112200012"));
            for number in ["13812345678", "08916323111", "12345", "0891632311"] {
                say(format!("phone {number}"), phone(number));
            }
            say("last four of 126112200012".into(), last_four("126112200012"));
            for n in [
                0, 2, 10, 12, 20, 21, 38, 99, 100, 101, 110, 115, 200, 202, 250, 999, 1_000, 1_001, 1_010, 1_100,
                1_234, 2_000, 2_002, 9_999, 10_000,
            ] {
                say(format!("number {n}"), number(language, n));
            }
            for n in [1, 2, 12, 102] {
                say(format!("count {n}"), count(language, n));
                say(format!("ordinal {n}"), ordinal(language, n));
            }
            for (n, unit) in
                [(2, Unit::Workdays), (15, Unit::Workdays), (1, Unit::Hours), (2, Unit::Minutes), (3, Unit::Matters)]
            {
                say(format!("{n} {unit:?}"), quantity(language, n, unit));
            }
            for minutes in [0, 30, 60, 125] {
                say(format!("{minutes} minutes"), duration(language, minutes));
            }
            for day in [date(2025, 1, 1), date(2026, 11, 22), date(2030, 12, 31)] {
                say(format!("{day}"), self::date(language, day));
                say(format!("{day} on 2026-11-21"), date_from(language, day, date(2026, 11, 21)));
                say(format!("weekday of {day}"), weekday(day));
            }
            for time in [at(0, 0), at(6, 30), at(9, 5), at(12, 0), at(15, 45), at(20, 1)] {
                say(format!("{time}"), self::time(language, time));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
