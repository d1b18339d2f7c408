//! Numbers of seconds and hops: Session-Expires, Min-SE (RFC 4028), Retry-After, Expires, Max-Forwards (RFC 3261).

use super::text::{number, trim};
use super::{BadValue, Params};

/// A whole number of seconds. Numbers past 32 bits are cut to the largest (RFC 3261 §20.19 lets them be any length).
///
/// # Errors
/// Anything but digits.
pub fn delta_seconds(text: &str) -> Result<u32, BadValue> {
    let text = trim(text);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(BadValue("number of seconds"));
    }
    Ok(number(text).unwrap_or(u32::MAX))
}

/// # Errors
/// Anything but a number from 0 to 255 (RFC 3261 §20.22).
pub fn max_forwards(text: &str) -> Result<u8, BadValue> {
    number(trim(text)).ok_or(BadValue("Max-Forwards"))
}

/// Session-Expires (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    pub seconds: u32,
    /// Who refreshes, when it is said.
    pub refresher: Option<Refresher>,
}

/// The side that refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

impl Refresher {
    pub const fn token(self) -> &'static str {
        match self {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        }
    }
}

impl SessionExpires {
    /// # Errors
    /// No number of seconds, bad parameters, or a refresher of neither side.
    pub fn parse(text: &str) -> Result<SessionExpires, BadValue> {
        let (seconds, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let refresher = match Params::parse(params)?.get("refresher") {
            None => None,
            Some(side) if side.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(side) if side.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return Err(BadValue("refresher")),
        };
        Ok(SessionExpires { seconds: delta_seconds(seconds)?, refresher })
    }
}

/// Retry-After (RFC 3261 §20.33). Its comment is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    pub seconds: u32,
}

impl RetryAfter {
    /// # Errors
    /// No number of seconds at its start.
    pub fn parse(text: &str) -> Result<RetryAfter, BadValue> {
        let end = text.find([';', '(', ' ', '\t']).unwrap_or(text.len());
        Ok(RetryAfter { seconds: delta_seconds(&text[..end])? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_interval_names_its_refresher() {
        let expires = SessionExpires::parse("1800 ; Refresher=UAS").expect("an interval");
        assert_eq!(expires, SessionExpires { seconds: 1800, refresher: Some(Refresher::Uas) });
        assert_eq!(SessionExpires::parse("90").map(|expires| expires.refresher), Ok(None));
        assert!(SessionExpires::parse("90;refresher=me").is_err());
        assert!(SessionExpires::parse(";refresher=uac").is_err());
    }

    #[test]
    fn retry_after_has_a_comment_and_parameters() {
        assert_eq!(RetryAfter::parse("18000;duration=3600").map(|after| after.seconds), Ok(18000));
        assert_eq!(RetryAfter::parse("120 (I'm in a meeting)").map(|after| after.seconds), Ok(120));
        assert!(RetryAfter::parse("soon").is_err());
        assert_eq!(delta_seconds("10000000000000000"), Ok(u32::MAX));
        assert_eq!((max_forwards("0068"), max_forwards("300").is_err()), (Ok(68), true));
    }
}
