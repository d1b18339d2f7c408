//! `Range`, `If-Range` and `If-None-Match` for one representation of known length and strong entity tag
//! (RFC 9110 §13 and §14).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::problem::{Kind, Problem};

/// Which bytes to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// All of them: 200.
    Whole,
    /// `first..=last`: 206.
    Part { first: u64, last: u64 },
    /// None of what was asked for exists: 416.
    Nothing,
}

impl Selected {
    /// The first byte and how many, of so many.
    ///
    /// # Errors
    /// 416: there is none.
    pub fn bytes(self, length: u64) -> Result<(u64, u64), Problem> {
        match self {
            Selected::Whole => Ok((0, length)),
            Selected::Part { first, last } => Ok((first, last - first + 1)),
            Selected::Nothing => Err(Problem::new(Kind::RangeNotSatisfiable, format!("There are {length} bytes."))
                .header(header::CONTENT_RANGE, figures(format!("bytes */{length}")))),
        }
    }

    /// 200 or 206 with those bytes of a WAV file of so many.
    pub fn wav(self, length: u64, entity_tag: HeaderValue, sound: Body) -> Response {
        let mut response = Response::new(sound);
        if let Selected::Part { first, last } = self {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = figures(format!("bytes {first}-{last}/{length}"));
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::ETAG, entity_tag);
        response
    }
}

fn figures(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("words and figures are visible ASCII")
}

/// Reads `Range` against a length in bytes. A unit other than bytes, a malformed header and a list of ranges get the
/// whole, as RFC 9110 §14.2 allows.
pub fn select(headers: &HeaderMap, entity_tag: &str, length: u64) -> Selected {
    let mut given = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (given.next(), given.next()) else { return Selected::Whole };
    if let Some(condition) = headers.get(header::IF_RANGE) {
        // a weak tag or a date never matches: the comparison is the strong one (§13.1.5)
        if condition.as_bytes() != entity_tag.as_bytes() {
            return Selected::Whole;
        }
    }
    range.to_str().ok().and_then(|text| parse(text, length)).unwrap_or(Selected::Whole)
}

/// Whether the client already has this representation: `If-None-Match` holds `*` or our tag, weak or strong.
pub fn client_has(headers: &HeaderMap, entity_tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == entity_tag)
}

fn parse(text: &str, length: u64) -> Option<Selected> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    match (position(first)?, position(last)?) {
        (None, None) => None,
        (None, Some(suffix)) => Some(part(length.saturating_sub(suffix), length, suffix > 0)),
        (Some(first), None) => Some(part(first, length, true)),
        (Some(first), Some(last)) if first > last => None,
        (Some(first), Some(last)) => Some(part(first, length.min(last.saturating_add(1)), first < length)),
    }
}

/// `Some(None)` for an empty position; `None` for what is no number. A number beyond 2^64 is as good as endless.
fn position(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    text.bytes().all(|b| b.is_ascii_digit()).then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

fn part(first: u64, end: u64, wanted: bool) -> Selected {
    if wanted && first < end { Selected::Part { first, last: end - 1 } } else { Selected::Nothing }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const TAG: &str = "\"abc\"";

    fn headers(of: &[(header::HeaderName, &str)]) -> HeaderMap {
        of.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).expect("a header"))).collect()
    }

    #[test]
    fn one_range_is_cut_to_what_exists() {
        let part = |first, last| Selected::Part { first, last };
        for (range, length, expected) in [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=0-9", 10, part(0, 9)),
            ("bytes=2-5", 10, part(2, 5)),
            ("bytes=2-", 10, part(2, 9)),
            ("bytes=9-", 10, part(9, 9)),
            ("bytes=5-99", 10, part(5, 9)),
            ("bytes=5-99999999999999999999999", 10, part(5, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-99", 10, part(0, 9)),
            ("BYTES = 2-5", 10, part(2, 5)),
            ("bytes=-0", 10, Selected::Nothing),
            ("bytes=10-", 10, Selected::Nothing),
            ("bytes=10-12", 10, Selected::Nothing),
            ("bytes=99999999999999999999999-", 10, Selected::Nothing),
            ("bytes=0-", 0, Selected::Nothing),
            ("bytes=-1", 0, Selected::Nothing),
            ("bytes=5-2", 10, Selected::Whole),
            ("bytes=-", 10, Selected::Whole),
            ("bytes=", 10, Selected::Whole),
            ("bytes=a-b", 10, Selected::Whole),
            ("bytes=+1-2", 10, Selected::Whole),
            ("bytes=0-1,4-5", 10, Selected::Whole),
            ("samples=0-1", 10, Selected::Whole),
            ("0-1", 10, Selected::Whole),
        ] {
            let got = select(&headers(&[(header::RANGE, range)]), TAG, length);
            assert_eq!(got, expected, "{range} of {length}");
        }
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole() {
        let part = Selected::Part { first: 0, last: 1 };
        for (condition, expected) in [
            (TAG, part),
            ("\"other\"", Selected::Whole),
            ("W/\"abc\"", Selected::Whole),
            ("Sun, 22 Nov 2026 01:00:00 GMT", Selected::Whole),
        ] {
            let asked = headers(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, condition)]);
            assert_eq!(select(&asked, TAG, 10), expected, "{condition}");
        }
    }

    #[test]
    fn a_known_tag_is_found_in_a_list_weak_or_strong() {
        for (condition, has) in
            [(TAG, true), ("W/\"abc\"", true), ("*", true), ("\"x\", \"abc\"", true), ("\"x\"", false), ("abc", false)]
        {
            assert_eq!(client_has(&headers(&[(header::IF_NONE_MATCH, condition)]), TAG), has, "{condition}");
        }
        assert!(!client_has(&HeaderMap::new(), TAG));
    }

    proptest! {
        #[test]
        fn a_part_always_lies_inside(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", length in 0u64..100) {
            if let Selected::Part { first, last } = select(&headers(&[(header::RANGE, &range)]), TAG, length) {
                prop_assert!(first <= last && last < length);
            }
        }
    }
}
