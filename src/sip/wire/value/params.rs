//! Header parameters: `;name=value` (RFC 3261 §25.1, `generic-param`).

use super::BadValue;
use super::text::{find_outside, is_token, quoted_len, trim, unquote};
use std::borrow::Cow;

/// The parameters that follow a header's value. Names are compared without case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// Reads `;a;b=c;d="e"`, white space allowed around `;` and `=`. An empty text has no parameters.
    ///
    /// # Errors
    /// An empty or badly named parameter, or a quote that isn't closed.
    pub fn parse(text: &'a str) -> Result<Params<'a>, BadValue> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(Params(""));
        }
        let inner = text.strip_prefix(';').filter(|inner| !inner.is_empty()).ok_or(BadValue("parameter"))?;
        let params = Params(inner);
        for (name, value) in params.iter() {
            let fits = value.is_none_or(is_value);
            if !is_token(name) || !fits {
                return Err(BadValue("parameter"));
            }
        }
        Ok(params)
    }

    /// Every parameter with its value, if it has one, as written (quotes kept).
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let mut rest = Some(self.0).filter(|text| !text.is_empty());
        std::iter::from_fn(move || {
            let text = rest?;
            let (one, after) = match find_outside(text, |byte| byte == b';') {
                Some(at) => (&text[..at], Some(&text[at + 1..])),
                None => (text, None),
            };
            rest = after;
            Some(match one.split_once('=') {
                Some((name, value)) => (trim(name), Some(trim(value))),
                None => (trim(one), None),
            })
        })
    }

    /// The value as written; empty for a parameter without one.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or(""))
    }

    /// The value with its quotes undone.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unquote)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// A token, a host or a whole quoted string: what can't end the header or begin another part of it.
fn is_value(value: &str) -> bool {
    match quoted_len(value) {
        Some(len) => len == value.len(),
        None => {
            !value.is_empty() && !value.bytes().any(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'<' | b'>' | b','))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_name_in_any_case() {
        let params = Params::parse(r#" ; TAG = abc ;lr;q="a;b" "#).expect("parameters");
        assert_eq!(params.get("tag"), Some("abc"));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.unquoted("q").as_deref(), Some("a;b"));
        assert_eq!(params.get("none"), None);
        assert_eq!(params.iter().count(), 3);
    }

    #[test]
    fn stray_separators_are_refused() {
        for text in [";;", ";", ";a;", ";,", "a=b", ";=b", r#";a="open"#, ";a b", ";a="] {
            assert_eq!(Params::parse(text), Err(BadValue("parameter")), "{text}");
        }
    }
}
