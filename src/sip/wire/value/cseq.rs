//! CSeq (RFC 3261 §20.16).

use super::BadValue;
use super::text::{BLANK, is_token, number, trim};
use crate::sip::message::Method;

/// A command sequence: a number below 2^31 and the method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    pub number: u32,
    pub method: Method,
}

impl CSeq {
    /// # Errors
    /// No number, one of 2^31 or more, or no method.
    pub fn parse(text: &str) -> Result<CSeq, BadValue> {
        let (number, method) = split(text)?;
        Ok(CSeq { number, method: Method::from_token(method) })
    }
}

/// The same without a copy of the method.
pub(crate) fn split(text: &str) -> Result<(u32, &str), BadValue> {
    let bad = BadValue("CSeq");
    let (digits, method) = trim(text).split_once(BLANK).ok_or(bad)?;
    let method = trim(method);
    let count: u32 = number(digits).filter(|count| *count < 1 << 31).ok_or(bad)?;
    if !is_token(method) {
        return Err(bad);
    }
    Ok((count, method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_stays_below_two_to_the_thirty_first() {
        assert_eq!(CSeq::parse("0009\t INVITE"), Ok(CSeq { number: 9, method: Method::Invite }));
        assert!(CSeq::parse("2147483647 NEW").is_ok());
        for text in ["", "1", "INVITE", "2147483648 INVITE", "36893488147419103232 REGISTER", "-1 BYE", "1 A B"] {
            assert_eq!(CSeq::parse(text), Err(BadValue("CSeq")), "{text}");
        }
    }
}
