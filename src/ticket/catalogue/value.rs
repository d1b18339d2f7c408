//! The codes and texts of a catalogue's entries: what is read from a file or a request is right or refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not what it stands for; says what that looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(&'static str);

macro_rules! through_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = BadValue;

            fn try_from(text: String) -> Result<$name, BadValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

macro_rules! digits {
    ($(#[$doc:meta])* $name:ident($number:ty), $width:literal, $bad:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name($number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$}", self.0, width = $width)
            }
        }

        impl FromStr for $name {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<$name, BadValue> {
                let valid = text.len() == $width && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|_| valid).map($name).ok_or(BadValue($bad))
            }
        }

        through_text!($name);
    };
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $is_valid:expr, $bad:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<$name, BadValue> {
                if $is_valid(text) { Ok($name(text.to_owned())) } else { Err(BadValue($bad)) }
            }
        }

        through_text!($name);
    };
}

digits! {
    /// A group of classes: `01`.
    GroupCode(u8), 2, "a group's code has two digits"
}

digits! {
    /// A class of requests: `0103`, whose first two digits are its group's code.
    ClassCode(u16), 4, "a class's code has four digits"
}

impl ClassCode {
    pub const fn group(self) -> GroupCode {
        GroupCode((self.0 / 100) as u8)
    }
}

text! {
    /// A handling unit (承办单位): `lhasa-housing`.
    UnitCode, |text| is_code(text, '-'), "a unit's code has 1 to 40 of a-z, 0-9 and -"
}

text! {
    /// A reason: `open_information`.
    ReasonCode, |text| is_code(text, '_'), "a reason's code has 1 to 40 of a-z, 0-9 and _"
}

text! {
    /// A knowledge entry: `pasture-subsidy`.
    KnowledgeId, |text| is_code(text, '-'), "an entry's id has 1 to 40 of a-z, 0-9 and -"
}

text! {
    /// A reply template: `lhasa-housing-thanks`.
    TemplateId, |text| is_code(text, '-'), "a template's id has 1 to 40 of a-z, 0-9 and -"
}

text! {
    /// A prompt's id, group and name: `kbans.social`. Whether there is such a prompt, the manifest knows.
    PromptId, is_prompt, "a prompt's id is a group and a name, as kb.social"
}

text! {
    /// The public number of a unit's desk, which may be shown whole: 3-15 national digits.
    UnitPhone, is_phone, "a unit's phone has 3 to 15 digits"
}

text! {
    /// A name or a title in one language, on one line.
    Title, |text| has_length(text, 120) && !text.contains(char::is_control), "a title has 1 to 120 characters on one line"
}

text! {
    /// Sentences in one language.
    Body, |text| has_length(text, 2_000), "a text has 1 to 2000 characters"
}

fn is_code(text: &str, joint: char) -> bool {
    let parts_are_words = text.split(joint).all(is_word);
    text.len() <= 40 && parts_are_words
}

fn is_prompt(text: &str) -> bool {
    let of_words = |part: &str| part.split(['_', '-']).all(is_word);
    text.len() <= 40 && text.split_once('.').is_some_and(|(group, name)| of_words(group) && of_words(name))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_phone(text: &str) -> bool {
    (3..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Not empty, no blank at either end, at most so many characters.
fn has_length(text: &str, most: usize) -> bool {
    !text.is_empty() && text.trim() == text && text.chars().count() <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_their_text() {
        for text in ["0101", "9900", "0000"] {
            let code: ClassCode = text.parse().expect("a code");
            assert_eq!((code.to_string().as_str(), code.group().to_string().as_str()), (text, &text[..2]));
            assert_eq!(serde_json::to_string(&code).expect("text"), format!("\"{text}\""));
        }
        let unit: UnitCode = serde_json::from_str("\"lhasa-housing\"").expect("a code");
        assert_eq!(unit.as_str(), "lhasa-housing");
    }

    #[test]
    fn codes_order_as_their_text() {
        let codes: Vec<ClassCode> = ["0101", "0110", "1001"].map(|text| text.parse().expect("a code")).into();
        assert!(codes.is_sorted());
    }

    #[test]
    fn a_code_of_another_shape_is_refused() {
        for text in ["", "1", "101", "01011", "+101", "01 1", "０１０１"] {
            assert!(text.parse::<ClassCode>().is_err() && text.parse::<GroupCode>().is_err(), "{text}");
        }
        let long = "a".repeat(41);
        for text in ["", "-", "lhasa-", "lhasa--housing", "Lhasa", "lhasa_housing", "拉萨", &long] {
            assert!(text.parse::<UnitCode>().is_err() && text.parse::<KnowledgeId>().is_err(), "{text}");
        }
        for text in ["", "_", "open-information", "Open", "open information"] {
            assert!(text.parse::<ReasonCode>().is_err(), "{text}");
        }
        for text in ["", "kb", "kb.", ".social", "kb.a.b", "../kb.social", "KB.social"] {
            assert!(text.parse::<PromptId>().is_err(), "{text}");
        }
        for text in ["12", "0891-6323111", "1234567890123456"] {
            assert!(text.parse::<UnitPhone>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_counted_in_characters_and_has_no_blank_ends() {
        assert!("教".repeat(120).parse::<Title>().is_ok() && "教".repeat(121).parse::<Title>().is_err());
        assert!("教".repeat(2_000).parse::<Body>().is_ok() && "教".repeat(2_001).parse::<Body>().is_err());
        for text in ["", " ", " 教育", "教育\n", "教\n育"] {
            assert!(text.parse::<Title>().is_err(), "{text:?}");
        }
        assert!("教\n育".parse::<Body>().is_ok());
    }
}
