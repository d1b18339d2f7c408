//! `manifest.toml`: every prompt's id, texts and files, a table for each prompt and language.
//!
//! ```toml
//! [menu.head.zh]
//! text = "请选择您需要的服务。"
//!
//! [menu.head.bo]
//! text = "ཁྱེད་རང་ལ་དགོས་པའི་ཞབས་ཞུ་འདེམས་རོགས་གནང་།"
//! words = "ཁྱེད་རང་ལ དགོས་པའི ཞབས་ཞུ འདེམས རོགས་གནང"
//! confidence = "A"
//!
//! [trio.000-999.zh]
//! text = "{digits}"
//! ```
//!
//! An id is a group and a name. The text `-` means that the language deliberately leaves the prompt out. A name such
//! as `000-999` stands for a prompt of each of its numbers, all as wide; `{digits}` is what `digit.*` says of them.
//!
//! The build script reads the manifest with this same code.

mod line;
mod range;

use std::collections::BTreeMap;

use serde::Deserialize as _;
use toml::Spanned;

use super::Problem;
use crate::language::Language;
pub use line::{Confidence, Line, Origin, Review};
use line::{Place, Written};
use range::{Member, Range};

/// The most prompts a manifest may list.
const MOST_PROMPTS: usize = 20_000;

/// A parsed manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The name of the file it came from, for problems.
    pub file: String,
    /// By id.
    pub prompts: BTreeMap<String, Listed>,
}

/// The languages that a prompt is listed in; `None` where it is deliberately left out. Only a prompt of a range may be
/// listed in one language alone.
pub type Listed = BTreeMap<Language, Option<Line>>;

impl Manifest {
    /// Reads a manifest; `file` is its name in problems.
    ///
    /// # Errors
    /// Every problem found, with its line: not TOML, an unknown key, a text in another script, a prompt that stands
    /// twice, a range that is none, words that are not those of the text, a file outside the folder.
    pub fn parse(text: &str, file: &str) -> Result<Manifest, Vec<Problem>> {
        Manifest::parse_over(text, file, |_, _| None)
    }

    /// The same for a manifest that changes another one: `digit` has the text of `digit.*` there.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse_over(
        text: &str,
        file: &str,
        digit: impl Fn(Language, char) -> Option<String>,
    ) -> Result<Manifest, Vec<Problem>> {
        let problem = |(line, what)| Problem { file: file.to_owned(), line, what };
        let groups = groups(text).map_err(|refused| vec![problem(refused)])?;
        let mut reader = Reader { prompts: BTreeMap::new(), problems: Vec::new() };
        let ranges = reader.single_prompts(groups, text);
        reader.ranges(ranges, digit);
        let Reader { prompts, mut problems } = reader;
        problems.sort();
        if problems.is_empty() {
            Ok(Manifest { file: file.to_owned(), prompts })
        } else {
            Err(problems.into_iter().map(problem).collect())
        }
    }

    /// What is spoken, by id; [`Line::at`] has the order of the file.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Language, &Line)> {
        self.prompts.iter().flat_map(|(id, listed)| {
            listed.iter().filter_map(move |(language, line)| Some((id.as_str(), *language, line.as_ref()?)))
        })
    }
}

/// The manifest as it is written: group, name, language.
type Groups = BTreeMap<String, BTreeMap<String, BTreeMap<Language, Spanned<Written>>>>;

/// A line of a range, which waits for the texts of the digits.
struct Waiting {
    range: Range,
    language: Language,
    at: usize,
    written: Written,
}

/// What has been read so far.
struct Reader {
    prompts: BTreeMap<String, Listed>,
    /// With their lines.
    problems: Vec<(usize, String)>,
}

impl Reader {
    /// Takes over the prompts that are no range and returns the ranges.
    fn single_prompts(&mut self, groups: Groups, source: &str) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let line_ends: Vec<usize> = source.match_indices('\n').map(|(at, _)| at).collect();
        for (group, names) in groups {
            for (name, written) in names {
                for (language, written) in written {
                    let start = written.span().start;
                    let at = line_ends.partition_point(|&end| end < start) + 1;
                    let place = Place { id: &format!("{group}.{name}"), language, at };
                    match Range::parse(&group, &name) {
                        Ok(Some(range)) => waiting.push(Waiting { range, language, at, written: written.into_inner() }),
                        Ok(None) => self.take(&place, written.into_inner().line(&place, None)),
                        Err(what) => self.wrong(&place, what),
                    }
                }
            }
        }
        waiting
    }

    /// Takes over every prompt of the ranges, or says once what is wrong with each of them.
    fn ranges(&mut self, waiting: Vec<Waiting>, digit: impl Fn(Language, char) -> Option<String>) {
        let all: usize = waiting.iter().map(|waiting| waiting.range.len()).sum();
        if self.prompts.len() + all > MOST_PROMPTS {
            self.problems.push((0, format!("more than {MOST_PROMPTS} prompts")));
            return;
        }
        for Waiting { range, language, at, written } in &waiting {
            let digits = self.digits(*language, &digit);
            let before = self.problems.len();
            for number in range.numbers() {
                let id = range.id(&number);
                let place = Place { id: &id, language: *language, at: *at };
                let member = Member { range, number: &number, digits: &digits };
                self.take(&place, written.line(&place, Some(member)));
                if self.problems.len() > before {
                    break;
                }
            }
        }
    }

    /// What the ten digits say, as far as they are known.
    fn digits(&self, language: Language, digit: impl Fn(Language, char) -> Option<String>) -> BTreeMap<char, String> {
        let text = |number: char| {
            let line = self.prompts.get(&format!("digit.{number}")).and_then(|listed| listed.get(&language)?.as_ref());
            line.map(|line| line.text.clone()).or_else(|| digit(language, number))
        };
        ('0'..='9').filter_map(|number| Some((number, text(number)?))).collect()
    }

    fn take(&mut self, place: &Place<'_>, line: Result<Option<Line>, String>) {
        let listed = self.prompts.entry(place.id.to_owned()).or_default();
        match line {
            Ok(_) if listed.contains_key(&place.language) => self.wrong(place, STANDS_TWICE),
            Ok(line) => drop(listed.insert(place.language, line)),
            Err(what) => self.wrong(place, what),
        }
    }

    fn wrong(&mut self, place: &Place<'_>, what: impl AsRef<str>) {
        let Place { id, language, at } = place;
        let colon = if what.as_ref() == STANDS_TWICE { "" } else { ":" };
        self.problems.push((*at, format!("{id} in {language}{colon} {}", what.as_ref())));
    }
}

const STANDS_TWICE: &str = "stands twice";

/// The tables of a manifest, or what is wrong and in which line.
fn groups(text: &str) -> Result<Groups, (usize, String)> {
    let refused = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1);
        let what = error.message().trim().replace('\n', " ");
        match at.checked_sub(1).and_then(|at| text.lines().nth(at)).and_then(header) {
            Some((id, language)) if what.contains("duplicate") => (at, format!("{id} in {language} {STANDS_TWICE}")),
            _ => (at, what),
        }
    };
    Groups::deserialize(toml::Deserializer::parse(text).map_err(refused)?).map_err(refused)
}

/// The id and the language of a line that begins a table.
fn header(line: &str) -> Option<(&str, &str)> {
    line.trim().strip_prefix('[')?.split(']').next()?.rsplit_once('.')
}

#[cfg(test)]
mod tests;
