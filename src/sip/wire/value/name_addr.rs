//! `"Name" <uri>;params` or `uri;params`: From, To, Contact, Route, Record-Route, P-Asserted-Identity, Diversion.

use super::text::{is_token_byte, quoted_len, trim, unquote};
use super::uri::Parts;
use super::{BadValue, Params, Uri};
use std::borrow::Cow;

/// An address with an optional display name and header parameters (RFC 3261 §20.10, §25.1 `name-addr`, `addr-spec`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: Option<&'a str>,
    uri: &'a str,
    parts: Parts<'a>,
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// # Errors
    /// An open quote or bracket, a display name of neither tokens nor quotes, a bad URI, or bad parameters. Without
    /// angle brackets a URI ends at its first `;` and may hold no `,` and no `?`.
    pub fn parse(text: &'a str) -> Result<NameAddr<'a>, BadValue> {
        let bad = BadValue("address");
        let text = trim(text);
        let (display, rest) = display(text).ok_or(bad)?;
        let (uri, params) = match rest.strip_prefix('<') {
            Some(inner) => inner.split_once('>').ok_or(bad)?,
            None if display.is_none() => bare(rest).ok_or(bad)?,
            None => return Err(bad),
        };
        let parts = Parts::read(uri).map_err(|_| bad)?;
        Ok(NameAddr { display, uri, parts, params: Params::parse(params)? })
    }

    /// The name to show, quotes undone; `None` when there is none or it is empty.
    pub fn display(&self) -> Option<Cow<'a, str>> {
        self.display.map(unquote).filter(|name| !name.is_empty())
    }

    /// The URI as written.
    pub fn uri_text(&self) -> &'a str {
        self.uri
    }

    /// The URI, taken apart.
    pub fn uri(&self) -> Uri {
        self.parts.to_uri()
    }

    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` parameter of a Contact, in seconds.
    pub fn expires(&self) -> Option<u32> {
        super::text::number(self.params.get("expires")?)
    }
}

/// The display name as written, and what follows it.
fn display(text: &str) -> Option<(Option<&str>, &str)> {
    if text.starts_with('"') {
        let (name, rest) = text.split_at(quoted_len(text)?);
        return Some((Some(name), trim(rest)));
    }
    let Some(at) = text.find('<') else { return Some((None, text)) };
    let (name, rest) = text.split_at(at);
    let name = trim(name);
    // tokens; bytes above ASCII are no tokens, but trunks send names in UTF-8 unquoted
    let fits = name.bytes().all(|byte| is_token_byte(byte) || matches!(byte, b' ' | b'\t' | 0x80..));
    fits.then_some(((!name.is_empty()).then_some(name), rest))
}

fn bare(text: &str) -> Option<(&str, &str)> {
    let (uri, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    let uri = trim(uri);
    (!uri.contains([',', '?'])).then_some((uri, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gives_name_uri_and_parameters() {
        let text = r#""J Rosenberg \\\""       <sip:jdrosen@example.com>  ;   tag = 98asjd8"#;
        let address = NameAddr::parse(text).expect("an address");
        assert_eq!(address.display().as_deref(), Some(r#"J Rosenberg \""#));
        assert_eq!((address.uri_text(), address.tag()), ("sip:jdrosen@example.com", Some("98asjd8")));
        let plain = NameAddr::parse("sip:caller@example.net;tag=1;x=y").expect("an address");
        assert_eq!((plain.uri().to_string().as_str(), plain.tag()), ("sip:caller@example.net", Some("1")));
        let inside = NameAddr::parse("caller<sip:a@b;tag=inner>;expires=60").expect("an address");
        assert_eq!((inside.display().as_deref(), inside.tag(), inside.expires()), (Some("caller"), None, Some(60)));
        let unquoted = NameAddr::parse("拉萨 <tel:+8689112345>").expect("an address");
        assert_eq!(unquoted.display().as_deref(), Some("拉萨"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            r#""Mr. J. User <sip:j.user@example.com>"#,
            r#""Watson, Thomas" < sip:t.watson@example.org >"#,
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "<sip:a@b",
            "<sip:a@b>x",
            r#""Joe" <sip:joe@example.org>;;;;"#,
            r#""Joe" sip:joe@example.org"#,
            "alan@jasomi.com",
            "<>",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text}");
        }
    }
}
