//! Replaces (RFC 3891).

use super::text::trim;
use super::{BadValue, Params};

/// The dialog that a new INVITE would take over. We read it to refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    pub call_id: &'a str,
    pub to_tag: &'a str,
    pub from_tag: &'a str,
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// # Errors
    /// No Call-ID, or one of the two tags is missing.
    pub fn parse(text: &'a str) -> Result<Replaces<'a>, BadValue> {
        let bad = BadValue("Replaces");
        let (call_id, params) = text.split_at(text.find(';').ok_or(bad)?);
        let params = Params::parse(params)?;
        let tag = |name| params.get(name).filter(|tag| !tag.is_empty()).ok_or(bad);
        let call_id = trim(call_id);
        if call_id.is_empty() {
            return Err(bad);
        }
        Ok(Replaces {
            call_id,
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.has("early-only"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_names_a_whole_dialog() {
        let replaces =
            Replaces::parse("98asjd8@test.com;to-tag=r33th4x0r;from-tag=ff87ff;early-only").expect("a dialog");
        assert_eq!((replaces.to_tag, replaces.from_tag, replaces.early_only), ("r33th4x0r", "ff87ff", true));
        assert!(Replaces::parse("98asjd8@test.com;to-tag=r33th4x0r").is_err());
    }
}
