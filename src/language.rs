//! The two languages of the hotline.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Tibetan (Lhasa) or Mandarin; `bo` and `zh` on the wire (ISO 639-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Bo,
    Zh,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::Bo, Language::Zh];

    pub const fn code(self) -> &'static str {
        match self {
            Language::Bo => "bo",
            Language::Zh => "zh",
        }
    }

    pub const fn other(self) -> Language {
        match self {
            Language::Bo => Language::Zh,
            Language::Zh => Language::Bo,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Neither `bo` nor `zh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a language is bo or zh")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Language, UnknownLanguage> {
        Language::ALL.into_iter().find(|l| l.code() == text).ok_or(UnknownLanguage)
    }
}
