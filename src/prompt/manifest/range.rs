//! Ranges of a manifest: `trio.000-999`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::super::text::TSHEG;
use crate::language::Language;

/// The most numbers of a range.
const LONGEST: u32 = 10_000;

/// Numbers of the same width; one prompt each.
#[derive(Debug)]
pub(super) struct Range {
    group: String,
    /// `trio.000-999`.
    pub(super) name: Arc<str>,
    numbers: RangeInclusive<u32>,
    width: usize,
}

impl Range {
    /// The range that a table's name is; `None` for a name that is none.
    ///
    /// # Errors
    /// What is wrong with the name, in words.
    pub(super) fn parse(group: &str, name: &str) -> Result<Option<Range>, String> {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_of_a_name);
        if !is_part(group) || !name.split('-').all(is_part) {
            return Err("a group and a name have the letters a-z, digits and _".to_owned());
        }
        let Some((first, last)) = name.split_once('-') else { return Ok(None) };
        let number =
            |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u32>().ok() } else { None };
        let (Some(from), Some(to)) = (number(first), number(last)) else {
            return Err(format!("{name} is no range: it goes from a number to a number, as 000-999"));
        };
        if first.len() != last.len() {
            return Err(format!("the ends of the range {name} are not of one width"));
        }
        if to < from || to - from >= LONGEST {
            return Err(format!("the range {name} has not 1 to {LONGEST} numbers"));
        }
        let name = format!("{group}.{name}").into();
        Ok(Some(Range { group: group.to_owned(), name, numbers: from..=to, width: first.len() }))
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.clone().count()
    }

    /// Its numbers in their width.
    pub(super) fn numbers(&self) -> impl Iterator<Item = String> + use<> {
        let width = self.width;
        self.numbers.clone().map(move |number| format!("{number:0width$}"))
    }

    pub(super) fn id(&self, number: &str) -> String {
        format!("{}.{number}", self.group)
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// One prompt of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) range: &'a Range,
    pub(super) number: &'a str,
    /// What the digits say, as far as it is known.
    pub(super) digits: &'a BTreeMap<char, String>,
}

impl Member<'_> {
    /// What `{digits}` stands for in the text.
    ///
    /// # Errors
    /// The digit that has no text.
    pub(super) fn text(&self, language: Language) -> Result<String, String> {
        match language {
            Language::Zh => self.joined(""),
            Language::Bo => self.joined(TSHEG.encode_utf8(&mut [0; 4])),
        }
    }

    /// What `{digits}` stands for in the words.
    ///
    /// # Errors
    /// The digit that has no text.
    pub(super) fn words(&self) -> Result<String, String> {
        self.joined(" ")
    }

    fn joined(&self, between: &str) -> Result<String, String> {
        let text = |digit| {
            let text = self.digits.get(&digit).ok_or_else(|| format!("digit.{digit} has no text to join"))?;
            Ok(text.trim_end_matches([TSHEG, ' ']))
        };
        Ok(self.number.chars().map(text).collect::<Result<Vec<&str>, String>>()?.join(between))
    }
}
