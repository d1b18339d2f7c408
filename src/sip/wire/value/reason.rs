//! Reason (RFC 3326): why a call ended, as SIP status or Q.850 cause.

use std::borrow::Cow;

use super::text::{is_token, number, trim};
use super::{BadValue, Params};

/// One Reason value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `Q.850`, `SIP` or another protocol.
    pub protocol: &'a str,
    pub params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// # Errors
    /// No protocol token, or bad parameters.
    pub fn parse(text: &'a str) -> Result<Reason<'a>, BadValue> {
        let (protocol, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let protocol = trim(protocol);
        if !is_token(protocol) {
            return Err(BadValue("Reason"));
        }
        Ok(Reason { protocol, params: Params::parse(params)? })
    }

    pub fn cause(&self) -> Option<u16> {
        number(self.params.get("cause")?)
    }

    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.params.unquoted("text")
    }

    /// The ITU-T Q.850 cause, 1-127.
    pub fn q850(&self) -> Option<u8> {
        if !self.protocol.eq_ignore_ascii_case("Q.850") {
            return None;
        }
        self.cause().and_then(|cause| u8::try_from(cause).ok()).filter(|cause| (1..=127).contains(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_belongs_to_its_protocol() {
        let reason = Reason::parse(r#"Q.850;cause=16;text="Normal call clearing""#).expect("a reason");
        assert_eq!((reason.q850(), reason.text().as_deref()), (Some(16), Some("Normal call clearing")));
        let sip = Reason::parse("SIP ;cause=200").expect("a reason");
        assert_eq!((sip.cause(), sip.q850()), (Some(200), None));
        assert!(Reason::parse(";cause=16").is_err());
    }
}
