//! What people write into a ticket: trimmed, without control characters, and not endless.

use serde::{Deserialize, Serialize};

/// The text is too long for its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text here has at most {0} characters")]
pub struct TooLong(pub usize);

/// A text of at most `MAX` characters. Tabs and line ends stay, other control characters go; so does what is
/// white at either end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// A name, a place, a title: on one screen line.
pub type Line = Text<200>;
/// Sentences.
pub type Body = Text<10_000>;

impl<const MAX: usize> Text<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` for an empty text.
    pub fn filled(self) -> Option<Text<MAX>> {
        (!self.0.is_empty()).then_some(self)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TooLong;

    fn try_from(text: String) -> Result<Text<MAX>, TooLong> {
        let kept: String = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        if kept.chars().count() > MAX { Err(TooLong(MAX)) } else { Ok(Text(kept)) }
    }
}

impl<const MAX: usize> std::str::FromStr for Text<MAX> {
    type Err = TooLong;

    fn from_str(text: &str) -> Result<Text<MAX>, TooLong> {
        Text::try_from(text.to_owned())
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> String {
        text.0
    }
}

impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_bounded() {
        let text: Text<4> = " 路灯\0坏 ".parse().expect("short enough");
        assert_eq!(text.as_str(), "路灯坏");
        assert_eq!("12345".parse::<Text<4>>(), Err(TooLong(4)));
        assert_eq!("\u{0f56}\u{0f7c}\u{0f51}".parse::<Text<4>>().map(String::from), Ok("བོད".to_owned()));
        assert!(" \n".parse::<Text<4>>().expect("nothing").filled().is_none());
    }
}
