//! Content-Type (RFC 3261 §20.15).

use super::text::{is_token, trim};
use super::{BadValue, Params};

/// `type/subtype;params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    pub kind: &'a str,
    pub subtype: &'a str,
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// # Errors
    /// No two tokens around a slash, or bad parameters.
    pub fn parse(text: &'a str) -> Result<MediaType<'a>, BadValue> {
        let bad = BadValue("media type");
        let (kind, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let (kind, subtype) = kind.split_once('/').ok_or(bad)?;
        let (kind, subtype) = (trim(kind), trim(subtype));
        if !is_token(kind) || !is_token(subtype) {
            return Err(bad);
        }
        Ok(MediaType { kind, subtype, params: Params::parse(params)? })
    }

    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_compared_without_case() {
        let media = MediaType::parse("Multipart / Mixed ; boundary=\"a b\"").expect("a media type");
        assert!(media.is("multipart", "mixed"));
        assert_eq!(media.params.unquoted("boundary").as_deref(), Some("a b"));
        assert!(MediaType::parse("application").is_err());
    }
}
