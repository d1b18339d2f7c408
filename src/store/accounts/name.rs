//! What people and systems sign in by: a name of one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is no name of an account or a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 2 to 40 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or a digit")]
pub struct BadName;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
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
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<$name, BadName> {
                if is_name(text) { Ok($name(text.to_owned())) } else { Err(BadName) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<$name, BadName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

name! {
    /// What somebody signs in by: `dolma.t`.
    AccountName
}

name! {
    /// Another system: `wechat-gateway`.
    ClientName
}

fn is_name(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=40).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for name in ["dolma.t", "a1", "7-up", "agent_12", &"a".repeat(40)] {
            assert_eq!(name.parse::<AccountName>().map(String::from), Ok(name.to_owned()));
        }
        for wrong in ["", "a", "Dolma", "dolma t", "-dolma", "..", "dolma\0", "卓玛", &"a".repeat(41)] {
            assert_eq!(wrong.parse::<AccountName>(), Err(BadName), "{wrong}");
        }
    }
}
