//! The ticket number a citizen writes down: `426112201378`.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::city::City;

/// Twelve digits: the city's digit (1-7), the day as YYMMDD, a sequence of that city and day (0001-9999) and a
/// Luhn digit (ISO/IEC 7812-1 annex B), which catches every single mistyped digit and almost every swap of
/// two neighbours. Orders by city, then day, then sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number([u8; 12]);

/// Why twelve keys are not a ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    #[error("a ticket number has twelve digits")]
    Length,
    #[error("a ticket number starts with a city's digit, 1 to 7")]
    City,
    #[error("the second to seventh digit of a ticket number are a day, YYMMDD")]
    Day,
    #[error("the sequence of a ticket number starts at 0001")]
    Sequence,
    #[error("the last digit of the ticket number does not fit the others")]
    Check,
}

/// The first digits of a number, as somebody types them: 1 to 12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberPrefix(String);

/// The text is no beginning of a ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ticket number begins with 1 to 12 digits")]
pub struct BadPrefix;

impl NumberPrefix {
    /// What all numbers of a city and day begin with.
    pub fn of_day(city: City, day: NaiveDate) -> NumberPrefix {
        NumberPrefix(format!("{}{}", city.digit(), day.format("%y%m%d")))
    }

    /// The city and the whole day are there: at most 9,999 tickets have it.
    pub fn names_a_day(&self) -> bool {
        self.0.len() >= 7
    }

    /// The first and the last text of twelve digits that begin so.
    pub fn range(&self) -> (String, String) {
        (format!("{:0<12}", self.0), format!("{:9<12}", self.0))
    }
}

impl FromStr for NumberPrefix {
    type Err = BadPrefix;

    fn from_str(text: &str) -> Result<NumberPrefix, BadPrefix> {
        let valid = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if valid { Ok(NumberPrefix(text.to_owned())) } else { Err(BadPrefix) }
    }
}

impl Number {
    /// The last sequence of a city and day; past it, numbers come from the next free day's.
    pub const LAST_SEQUENCE: u16 = 9_999;

    /// `None` for a sequence outside 1-9,999 or a year outside 2000-2099.
    pub fn new(city: City, day: NaiveDate, sequence: u16) -> Option<Number> {
        if !(1..=Number::LAST_SEQUENCE).contains(&sequence) || !(2000..2100).contains(&day.year()) {
            return None;
        }
        let text = format!("{}{sequence:04}", NumberPrefix::of_day(city, day).0);
        let mut digits = [0; 12];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte - b'0';
        }
        digits[11] = luhn(&digits[..11]);
        Some(Number(digits))
    }

    pub fn city(&self) -> City {
        City::from_digit(self.0[0]).expect("a number is only made with a city's digit")
    }

    /// The day whose sequence it was taken from: the day it was created, or a later one past 9,999.
    pub fn day(&self) -> NaiveDate {
        day(&self.0).expect("a number is only made with a day")
    }

    /// 1-9,999.
    pub fn sequence(&self) -> u16 {
        self.0[7..11].iter().fold(0, |sum, digit| sum * 10 + u16::from(*digit))
    }

    /// Twelve values 0-9, in the order they are spoken and typed.
    pub fn digits(&self) -> [u8; 12] {
        self.0
    }

    /// Four groups of three, as it is read aloud.
    pub fn groups(&self) -> [[u8; 3]; 4] {
        let d = &self.0;
        [[d[0], d[1], d[2]], [d[3], d[4], d[5]], [d[6], d[7], d[8]], [d[9], d[10], d[11]]]
    }

    /// The last four digits, by which a ticket is named without saying it whole.
    pub fn last_four(&self) -> [u8; 4] {
        [self.0[8], self.0[9], self.0[10], self.0[11]]
    }
}

impl FromStr for Number {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Number, BadNumber> {
        let mut digits = [0; 12];
        if text.len() != digits.len() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadNumber::Length);
        }
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte - b'0';
        }
        City::from_digit(digits[0]).ok_or(BadNumber::City)?;
        day(&digits).ok_or(BadNumber::Day)?;
        if digits[7..11] == [0; 4] {
            return Err(BadNumber::Sequence);
        }
        if luhn(&digits[..11]) != digits[11] {
            return Err(BadNumber::Check);
        }
        Ok(Number(digits))
    }
}

impl TryFrom<String> for Number {
    type Error = BadNumber;

    fn try_from(text: String) -> Result<Number, BadNumber> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> String {
        number.to_string()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

fn day(digits: &[u8; 12]) -> Option<NaiveDate> {
    let two = |at: usize| u32::from(digits[at]) * 10 + u32::from(digits[at + 1]);
    NaiveDate::from_ymd_opt(2000 + two(1) as i32, two(3), two(5))
}

fn luhn(payload: &[u8]) -> u8 {
    let sum: u32 = payload
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit) << u32::from(at % 2 == 0);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_examples_are_valid() {
        for (text, city, day, sequence) in [
            ("126112200012", City::Lhasa, "2026-11-22", 1),
            ("426112201378", City::Nyingchi, "2026-11-22", 137),
            ("326022700420", City::Shannan, "2026-02-27", 42),
        ] {
            let number: Number = text.parse().expect("a valid number");
            assert_eq!((number.city(), number.day().to_string().as_str(), number.sequence()), (city, day, sequence));
            assert_eq!(Number::new(city, number.day(), sequence), Some(number));
            assert_eq!(number.to_string(), text);
        }
    }

    #[test]
    fn a_prefix_holds_the_numbers_that_begin_so() {
        let prefix = |text: &str| text.parse::<NumberPrefix>();
        assert_eq!(prefix("1261").expect("digits").range(), ("126100000000".to_owned(), "126199999999".to_owned()));
        assert!(prefix("1261122").expect("digits").names_a_day() && !prefix("126112").expect("digits").names_a_day());
        assert!(["", "12a", "1261122000123", "１２"].iter().all(|text| prefix(text) == Err(BadPrefix)));
    }

    #[test]
    fn it_is_read_in_four_groups_of_three() {
        let number: Number = "426112201378".parse().expect("a valid number");
        assert_eq!(number.groups(), [[4, 2, 6], [1, 1, 2], [2, 0, 1], [3, 7, 8]]);
        assert_eq!(number.last_four(), [1, 3, 7, 8]);
    }

    #[test]
    fn each_wrong_part_is_named() {
        for (text, wrong) in [
            ("", BadNumber::Length),
            ("12611220001", BadNumber::Length),
            ("1261122000123", BadNumber::Length),
            ("12611220001a", BadNumber::Length),
            ("１２６１", BadNumber::Length),
            ("826112200012", BadNumber::City),
            ("126113200012", BadNumber::Day),
            ("126022900012", BadNumber::Day),
            ("126112200004", BadNumber::Sequence),
            ("126112200013", BadNumber::Check),
        ] {
            assert_eq!(text.parse::<Number>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn the_sequence_ends_at_9999() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day");
        assert_eq!(Number::new(City::Ngari, day, 0), None);
        assert!(Number::new(City::Ngari, day, 9_999).is_some());
        assert_eq!(Number::new(City::Ngari, day, 10_000), None);
    }

    prop_compose! {
        fn numbers()(city in 1u8..=7, days in 0i32..36_525, sequence in 1u16..=9_999) -> Number {
            let day = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day") + chrono::Days::new(days as u64);
            Number::new(City::from_digit(city).expect("a city"), day, sequence).expect("in range")
        }
    }

    proptest! {
        #[test]
        fn a_number_survives_being_written_down(number in numbers()) {
            prop_assert_eq!(number.to_string().parse::<Number>(), Ok(number));
            prop_assert_eq!(Number::new(number.city(), number.day(), number.sequence()), Some(number));
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(number in numbers(), at in 0usize..12, shift in 1u8..10) {
            let mut digits = number.digits();
            digits[at] = (digits[at] + shift) % 10;
            let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
            prop_assert!(text.parse::<Number>().is_err());
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = text.parse::<Number>();
        }

        #[test]
        fn numbers_order_as_their_text(one in numbers(), other in numbers()) {
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }
    }
}
