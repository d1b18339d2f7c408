//! What one language says of a prompt.

use std::path::{Component, Path};
use std::sync::Arc;

use serde::Deserialize;

use super::super::text;
use super::range::Member;
use crate::language::Language;

/// In the text of a range: what `digit.*` says of each digit of the number.
const DIGITS: &str = "{digits}";

/// What one language says, and the file that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// A Tibetan text with spaces between its words, since it marks only syllables.
    pub words: Option<String>,
    /// How to pronounce a Mandarin text, syllables with tone digits, where the voice would err.
    pub pinyin: Option<String>,
    /// How sure the writers of a Tibetan text are.
    pub confidence: Option<Confidence>,
    /// Who speaks: a voice of the synthesiser, or a person.
    pub voice: Option<String>,
    pub origin: Origin,
    /// `None` until a native speaker has signed the text.
    pub review: Option<Review>,
    /// Path below the manifest's folder.
    pub file: String,
    /// Of the file, in lower-case hexadecimal; in a range, of all its files of this language in their order.
    pub sha256: Option<String>,
    /// The line of the manifest where its table begins, from 1.
    pub at: usize,
    /// The range that it is one of: `trio.000-999`.
    pub range: Option<Arc<str>>,
}

/// How sure the writers of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Confidence {
    /// Confident.
    A,
    /// Wants review.
    B,
    /// Unsure.
    C,
}

impl Confidence {
    /// As the manifest writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::A => "A",
            Confidence::B => "B",
            Confidence::C => "C",
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A synthesiser; callers are told (`notice.ai`).
    #[default]
    Synthetic,
    /// A recorded person.
    Recorded,
}

impl Origin {
    /// As the manifest writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Synthetic => "synthetic",
            Origin::Recorded => "recorded",
        }
    }
}

/// The native speaker who has read and accepted a text, and the day, as 2026-11-22.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub reviewer: String,
    pub reviewed: String,
}

/// Where a line stands in the manifest.
pub(super) struct Place<'a> {
    pub(super) id: &'a str,
    pub(super) language: Language,
    /// The line of the file, from 1.
    pub(super) at: usize,
}

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    text: String,
    words: Option<String>,
    pinyin: Option<String>,
    confidence: Option<Confidence>,
    voice: Option<String>,
    /// Which of the ways that the voice can speak the line was taken: only `prompts/voice` wants to know.
    take: Option<u8>,
    origin: Option<Origin>,
    reviewer: Option<String>,
    reviewed: Option<String>,
    file: Option<String>,
    sha256: Option<String>,
}

impl Written {
    /// The line that is meant; `member` belongs to one of a range.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn line(&self, place: &Place<'_>, member: Option<Member<'_>>) -> Result<Option<Line>, String> {
        if self.text.trim() == "-" {
            return if self.is_text_alone() {
                Ok(None)
            } else {
                Err("a prompt that is left out has only a text".into())
            };
        }
        let text = self.text(place.language, member)?;
        Ok(Some(Line {
            words: self.words(place.language, &text, member)?,
            pinyin: only_in(Language::Zh, place.language, "pinyin", self.pinyin.clone())?,
            confidence: only_in(Language::Bo, place.language, "confidence", self.confidence)?,
            voice: self.voice.clone(),
            origin: self.origin.unwrap_or_default(),
            review: self.review()?,
            file: self.file(place, member.is_some())?,
            sha256: self.sha256()?,
            at: place.at,
            range: member.map(|member| Arc::clone(&member.range.name)),
            text,
        }))
    }

    fn is_text_alone(&self) -> bool {
        let Written { text: _, words, pinyin, confidence, voice, take, origin, reviewer, reviewed, file, sha256 } =
            self;
        let texts = [words, pinyin, voice, reviewer, reviewed, file, sha256];
        texts.iter().all(|text| text.is_none()) && confidence.is_none() && take.is_none() && origin.is_none()
    }

    fn text(&self, language: Language, member: Option<Member<'_>>) -> Result<String, String> {
        let text = match (member, self.text.contains(DIGITS)) {
            (Some(member), true) => self.text.replace(DIGITS, &member.text(language)?),
            (None, false) => self.text.clone(),
            (Some(_), false) => return Err(format!("a range without {DIGITS} says the same for each number")),
            (None, true) => return Err(format!("{DIGITS} stands only in a range")),
        };
        match text::stranger(language, &text) {
            Some(stranger) if !text.trim().is_empty() => {
                Err(format!("{stranger} (U+{:04X}) is not written in {language}", u32::from(stranger)))
            }
            _ if text::syllables(language, &text) == 0 => {
                Err("an empty text; write - for a prompt that is left out".to_owned())
            }
            _ => Ok(text),
        }
    }

    fn words(&self, language: Language, text: &str, member: Option<Member<'_>>) -> Result<Option<String>, String> {
        let written = match (&self.words, member) {
            (Some(words), Some(member)) => Some(words.replace(DIGITS, &member.words()?)),
            (words, _) => words.clone(),
        };
        let words = only_in(Language::Bo, language, "words", written)?;
        match &words {
            Some(words) if !text::has_same_letters(text, words) => {
                Err(format!("the words are not those of the text: {words}"))
            }
            _ => Ok(words),
        }
    }

    fn review(&self) -> Result<Option<Review>, String> {
        match (&self.reviewer, &self.reviewed) {
            (None, None) => Ok(None),
            (Some(reviewer), Some(reviewed)) if !reviewer.trim().is_empty() && is_day(reviewed) => {
                Ok(Some(Review { reviewer: reviewer.clone(), reviewed: reviewed.clone() }))
            }
            (Some(_), Some(_)) => Err("a review is a name and a day written as 2026-11-22".to_owned()),
            _ => Err("reviewer and reviewed go together".to_owned()),
        }
    }

    fn file(&self, place: &Place<'_>, in_range: bool) -> Result<String, String> {
        match &self.file {
            None => Ok(format!("{}/{}.wav", place.language, place.id)),
            Some(_) if in_range => Err("the files of a range have the names of its prompts".to_owned()),
            Some(file) if is_below(file) => Ok(file.clone()),
            Some(file) => Err(format!("{file} is outside the folder")),
        }
    }

    fn sha256(&self) -> Result<Option<String>, String> {
        let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match &self.sha256 {
            Some(hash) if !is_hash(hash) => Err("a sha256 has 64 hexadecimal digits".to_owned()),
            hash => Ok(hash.as_ref().map(|hash| hash.to_ascii_lowercase())),
        }
    }
}

fn only_in<T>(wanted: Language, language: Language, key: &str, value: Option<T>) -> Result<Option<T>, String> {
    if value.is_some() && language != wanted { Err(format!("{key} is for {wanted}")) } else { Ok(value) }
}

fn is_below(file: &str) -> bool {
    !file.is_empty() && Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Whether this is a day as 2026-11-22, if not one of the calendar.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, width: usize| match text.len() == width && text.bytes().all(|b| b.is_ascii_digit()) {
        true => text.parse().unwrap_or(0),
        false => 0,
    };
    (1..=9_999).contains(&number(year, 4)) && (1..=12).contains(&number(month, 2)) && (1..=31).contains(&number(day, 2))
}
