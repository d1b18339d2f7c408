//! From what a column holds to a type that can't be wrong.

use std::str::FromStr;

use chrono::{DateTime, SubsecRound, Utc};

use super::StoreError;
use crate::phone::Phone;

/// Cut to what both databases keep.
pub(super) fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Reads a name, an id or a number. Not for phones: the error shows the text.
pub(super) fn text<T: FromStr>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::UnknownText { column, text: text.chars().take(40).collect() })
}

pub(super) fn optional_text<T: FromStr>(column: &'static str, value: Option<&str>) -> Result<Option<T>, StoreError> {
    value.map(|value| text(column, value)).transpose()
}

pub(super) fn phone(column: &'static str, text: Option<&str>) -> Result<Option<Phone>, StoreError> {
    text.map(|text| Phone::from_national(text).ok_or(StoreError::OutOfRange { column })).transpose()
}

pub(super) fn count<T: TryFrom<i64>>(column: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::OutOfRange { column })
}

/// Cuts what came from outside to so many bytes. NUL goes too: PostgreSQL's text can't hold it.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].replace('\0', "")
}

/// For binding: no count of ours comes near `i64::MAX`.
pub(super) fn bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Whole digits in a sidecar, which only this user can read; everywhere else a phone masks itself.
pub(super) mod digits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::phone::Phone;

    pub fn serialize<S: Serializer>(phone: &Option<Phone>, serializer: S) -> Result<S::Ok, S::Error> {
        phone.as_ref().map(Phone::digits).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Phone>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Phone::from_national(&text).ok_or_else(|| serde::de::Error::custom("not a phone number")))
            .transpose()
    }
}
