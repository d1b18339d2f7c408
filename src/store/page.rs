//! Lists, newest first, a page at a time.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};

use crate::city::City;
use crate::phone::Phone;

/// The most items a page holds, whatever is asked for.
pub const MAX_PAGE: u32 = 500;

/// What a list is narrowed to; nothing set: everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub phone: Option<Phone>,
    /// Any of these; `Some` of none at all finds nothing.
    pub cities: Option<Vec<City>>,
    /// The first moment that counts.
    pub from: Option<DateTime<Utc>>,
    /// The first moment that no longer counts.
    pub to: Option<DateTime<Utc>>,
}

/// Years a cursor may name: what both databases hold and compare alike.
const YEARS: RangeInclusive<i32> = 1970..=9999;

/// Items, newest first, and where the next page starts.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

/// The place after an item in a list. It names the item and not a count, so that items that come in between two
/// pages move nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) at: DateTime<Utc>,
    pub(super) key: String,
}

/// The text is not one that a list gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list gave out")]
pub struct BadCursor;

impl<T> Page<T> {
    /// `items` holds one more than `limit` when there is a next page.
    pub(super) fn cut(mut items: Vec<T>, limit: u32, place: impl FnOnce(&T) -> Cursor) -> Page<T> {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(place) } else { None };
        Page { items, next }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{} {}", self.at.timestamp_micros(), self.key)))
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Cursor, BadCursor> {
        if text.len() > 256 {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (at, key) = std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once(' ')).ok_or(BadCursor)?;
        let at = at.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or(BadCursor)?;
        if !YEARS.contains(&at.year()) {
            return Err(BadCursor);
        }
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return Err(BadCursor);
        }
        Ok(Cursor { at, key: key.to_owned() })
    }
}

/// The `where`, `order by` and `limit` of a list; `$at` and `$key` are the columns it is ordered by.
macro_rules! narrow {
    ($query:expr, $filter:expr, $cursor:expr, $limit:expr, $at:literal, $key:literal) => {{
        if let Some(phone) = &$filter.phone {
            $query.push(" and phone = ").push_bind(phone.digits());
        }
        match $filter.cities.as_deref() {
            None => {}
            Some([]) => {
                $query.push(" and false");
            }
            Some(cities) => {
                let mut list = $query.push(" and city in (").separated(", ");
                for city in cities {
                    list.push_bind(city.slug());
                }
                list.push_unseparated(")");
            }
        }
        if let Some(from) = $filter.from {
            $query.push(concat!(" and ", $at, " >= ")).push_bind($crate::store::row::micros(from));
        }
        if let Some(to) = $filter.to {
            $query.push(concat!(" and ", $at, " < ")).push_bind($crate::store::row::micros(to));
        }
        if let Some(cursor) = $cursor {
            $query.push(concat!(" and (", $at, ", ", $key, ") < (")).push_bind(cursor.at);
            $query.push(", ").push_bind(cursor.key.as_str()).push(")");
        }
        $query.push(concat!(" order by ", $at, " desc, ", $key, " desc limit "));
        $query.push_bind(i64::from($limit) + 1);
    }};
}
pub(super) use narrow;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From 1970 to the year 10000.
    const MICROS_TO_10000: i64 = 253_402_300_800_000_000;

    #[test]
    fn a_time_that_a_database_cannot_hold_is_refused() {
        let read = |micros: i64| URL_SAFE_NO_PAD.encode(format!("{micros} 1")).parse::<Cursor>();
        for micros in [-1, MICROS_TO_10000, -210_866_803_200_000_001, 8_210_000_000_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(read(micros), Err(BadCursor), "{micros}");
        }
        assert!(read(0).is_ok() && read(MICROS_TO_10000 - 1).is_ok());
    }

    proptest! {
        #[test]
        fn a_cursor_survives_the_url(micros in 0..MICROS_TO_10000, key in "[0-9a-f-]{0,36}") {
            let at = DateTime::from_timestamp_micros(micros).expect("in range");
            let cursor = Cursor { at, key };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
