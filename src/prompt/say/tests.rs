use proptest::prelude::*;

use super::*;
use crate::prompt::Prompts;
use crate::prompt::reading::Part;

/// The first part of a list that this language does not speak, or a pause of nothing.
fn unspoken(prompts: &Prompts, language: Language, pieces: &[Piece]) -> Option<Part> {
    prompts.parts(language, pieces).into_iter().find(|part| match part {
        Part::Prompt(id) => prompts.clip(language, id).is_none(),
        Part::Pause(ms) => *ms == 0,
    })
}

/// What is played of a list: the ids of its clips, `_` before the milliseconds of a pause.
fn ids(prompts: &Prompts, language: Language, pieces: &[Piece]) -> String {
    let ids = prompts.parts(language, pieces).into_iter().map(|part| match part {
        Part::Prompt(id) => id,
        Part::Pause(ms) => format!("_{ms}"),
    });
    ids.collect::<Vec<_>>().join(" ")
}

/// What is said, for a reader of the language: the texts of the single digits and of the parts of a year, `_` for a
/// pause.
fn text(prompts: &Prompts, language: Language, pieces: &[Piece]) -> String {
    let said = pieces.iter().map(|piece| match piece {
        Piece::Prompt(id) => prompts.text(language, id).unwrap_or("?").to_owned(),
        Piece::Group { digits, .. } => text(prompts, language, &self::digits(digits)),
        Piece::Year(year) => text(prompts, language, &year_of_parts(language, *year)),
        Piece::Pause(_) => "_".to_owned(),
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
            let relative = date_from(date, day(2026));
            for pieces in [self::date(date), relative, weekday(date)] {
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
        let lists = [digits(&number), groups(&number), ticket_number(&number), phone(&number)];
        for pieces in lists {
            let said = pieces.iter().map(|piece| match piece {
                Piece::Prompt(id) => id.strip_prefix("digit.").expect("a digit"),
                Piece::Group { digits, .. } => digits.as_str(),
                Piece::Pause(_) | Piece::Year(_) => "",
            });
            prop_assert_eq!(said.collect::<String>(), number.clone());
            prop_assert!(!matches!(pieces.first(), Some(Piece::Pause(_))) && !matches!(pieces.last(), Some(Piece::Pause(_))));
            for language in Language::ALL {
                let parts = Prompts::embedded().parts(language, &pieces);
                let ids = parts.iter().filter_map(|part| if let Part::Prompt(id) = part { Some(id) } else { None });
                let said: String = ids.map(|id| id.split_once('.').expect("a name").1).collect();
                prop_assert_eq!(said, number.clone());
            }
        }
    }

    #[test]
    fn a_number_is_groups_of_two_or_three_of_which_the_last_one_ends_it(number in "[0-9]{2,20}") {
        for pieces in [groups(&number), phone(&number), last_four(&number)] {
            let groups: Vec<_> = pieces.iter().filter(|piece| !matches!(piece, Piece::Pause(_))).collect();
            for (place, group) in groups.iter().enumerate() {
                let Piece::Group { digits, last } = group else { panic!("{group:?}") };
                prop_assert!((2..=3).contains(&digits.len()), "{digits}");
                prop_assert_eq!(*last, place + 1 == groups.len());
            }
            prop_assert_eq!(pieces.len(), 2 * groups.len() - 1);
        }
    }
}

#[test]
fn every_group_of_digits_has_its_clips_in_both_languages() {
    let prompts = Prompts::embedded();
    for piece in all_digits().chain(all_dates()) {
        for language in Language::ALL {
            let pieces = std::slice::from_ref(&piece);
            assert!(!prompts.parts(language, pieces).is_empty(), "{piece:?}");
            assert_eq!(unspoken(&prompts, language, pieces), None, "{piece:?} in {language}");
        }
    }
}

#[test]
fn two_or_three_digits_and_a_year_are_one_clip_in_both_languages() {
    let prompts = Prompts::embedded();
    let is_whole = |piece: &Piece| matches!(piece, Piece::Group { .. } | Piece::Year(_));
    for piece in all_digits().chain(all_dates()).filter(is_whole) {
        for language in Language::ALL {
            let parts = prompts.parts(language, std::slice::from_ref(&piece));
            assert!(matches!(parts.as_slice(), [Part::Prompt(_)]), "{piece:?} in {language}: {parts:?}");
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
            lines.push(format!(
                "{language} {what}: {} | {}",
                ids(&prompts, language, &pieces),
                text(&prompts, language, &pieces)
            ))
        };
        say("ticket 126112200012".into(), ticket_number("126112200012"));
        for number in ["13812345678", "08916323111", "12345", "0891632311"] {
            say(format!("phone {number}"), phone(number));
        }
        say("last four of 126112200012".into(), last_four("126112200012"));
        for n in [
            0, 2, 10, 12, 20, 21, 38, 99, 100, 101, 110, 115, 200, 202, 250, 999, 1_000, 1_001, 1_010, 1_100, 1_234,
            2_000, 2_002, 9_999, 10_000,
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
        for day in [date(2025, 1, 1), date(2026, 11, 22), date(2041, 12, 31)] {
            say(format!("{day}"), self::date(day));
            say(format!("{day} on 2026-11-21"), date_from(day, date(2026, 11, 21)));
            say(format!("weekday of {day}"), weekday(day));
        }
        for time in [at(0, 0), at(6, 30), at(9, 5), at(12, 0), at(15, 45), at(20, 1)] {
            say(format!("{time}"), self::time(language, time));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
