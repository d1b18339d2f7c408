//! The lexical pieces of RFC 3261 §25.1: tokens, quoted strings, comma lists.

use std::borrow::Cow;

/// Whether a byte may stand in a `token`.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether the text is a `token`: not empty, no separators.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Space and tab, which is all the white space that is left once lines are unfolded.
pub(crate) const BLANK: [char; 2] = [' ', '\t'];

pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(BLANK)
}

/// Where the first `stop` byte stands outside quoted strings and angle brackets; `None` when there is none.
/// An unclosed quote or bracket reaches to the end.
pub(crate) fn find_outside(text: &str, stop: impl Fn(u8) -> bool) -> Option<usize> {
    let mut quoted = false;
    let mut bracketed = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            _ if !quoted && !bracketed && stop(byte) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The elements of a comma-separated list, trimmed; commas inside quotes and angle brackets don't count.
/// An empty element is yielded as such, an empty text yields nothing.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text).filter(|text| !trim(text).is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let (element, after) = match find_outside(text, |byte| byte == b',') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(trim(element))
    })
}

/// How many bytes the quoted string at the start of the text takes, both quotes counted.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The content of a quoted string, its escapes undone; any other text as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    Cow::Owned(plain)
}

/// The text as a quoted string.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Digits only, and no more than fit.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    // `parse` alone would take a leading `+`
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_split_nothing() {
        let text = r#""A, \", B" <sip:a,b@c> , <sip:d@e>;x="1,2",f"#;
        let elements: Vec<&str> = list(text).collect();
        assert_eq!(elements, [r#""A, \", B" <sip:a,b@c>"#, r#"<sip:d@e>;x="1,2""#, "f"]);
        assert_eq!(list("  ").count(), 0);
        assert_eq!(list("a,,b").collect::<Vec<_>>(), ["a", "", "b"]);
    }

    #[test]
    fn a_quoted_string_survives_both_ways() {
        let text = r#"a "b" \ c"#;
        assert_eq!(unquote(&quote(text)), text);
        assert_eq!(unquote("token"), "token");
        assert_eq!(quoted_len(r#""a\"b" rest"#), Some(6));
        assert_eq!(quoted_len(r#""open\""#), None);
    }

    #[test]
    fn a_number_is_digits_alone() {
        assert_eq!(number::<u32>("0068"), Some(68));
        assert_eq!(number::<u32>("+1"), None);
        assert_eq!(number::<u32>(""), None);
        assert_eq!(number::<u32>("4294967296"), None);
    }
}
