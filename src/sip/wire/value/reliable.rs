//! RAck of reliable provisional responses (RFC 3262 §7.2).

use super::text::{BLANK, number, trim};
use super::{BadValue, CSeq};

/// Which provisional response a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    pub rseq: u32,
    pub cseq: CSeq,
}

impl RAck {
    /// # Errors
    /// Not `RSeq CSeq-number method`.
    pub fn parse(text: &str) -> Result<RAck, BadValue> {
        let bad = BadValue("RAck");
        let (rseq, cseq) = trim(text).split_once(BLANK).ok_or(bad)?;
        Ok(RAck { rseq: number(rseq).ok_or(bad)?, cseq: CSeq::parse(cseq)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Method;

    #[test]
    fn a_rack_names_response_and_request() {
        let rack = RAck::parse("776656  1 INVITE").expect("a RAck");
        assert_eq!((rack.rseq, rack.cseq), (776_656, CSeq { number: 1, method: Method::Invite }));
        assert!(RAck::parse("1 INVITE").is_err());
    }
}
