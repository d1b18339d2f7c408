//! WWW-Authenticate and Proxy-Authenticate (RFC 3261 §20.44, RFC 7616 §3.3).

use std::borrow::Cow;

use super::BadValue;
use super::text::{BLANK, is_token, list, quoted_len, trim, unquote};

/// One challenge: a scheme and its comma-separated parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    pub scheme: &'a str,
    params: &'a str,
}

impl<'a> Challenge<'a> {
    /// # Errors
    /// No scheme, or parameters that aren't `name=token` or `name="text"`.
    pub fn parse(text: &'a str) -> Result<Challenge<'a>, BadValue> {
        let bad = BadValue("challenge");
        let (scheme, params) = trim(text).split_once(BLANK).ok_or(bad)?;
        let challenge = Challenge { scheme, params };
        let sound =
            |(name, value): (&str, &str)| is_token(name) && quoted_len(value).is_none_or(|len| len == value.len());
        if !is_token(scheme) || !list(params).all(|one| pair(one).is_some_and(sound)) {
            return Err(bad);
        }
        Ok(challenge)
    }

    /// A parameter's value, quotes undone.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        list(self.params)
            .filter_map(pair)
            .find(|(one, _)| one.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquote(value))
    }

    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((trim(name), trim(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_gives_its_parameters_unquoted() {
        let text = r#"Digest realm="a, \"b\"", qop="auth,auth-int", nonce = "x", stale=FALSE, algorithm=MD5"#;
        let challenge = Challenge::parse(text).expect("a challenge");
        assert!(challenge.is_digest());
        assert_eq!(challenge.get("REALM").as_deref(), Some(r#"a, "b""#));
        assert_eq!(challenge.get("qop").as_deref(), Some("auth,auth-int"));
        assert_eq!(challenge.get("opaque"), None);
        for text in ["Digest", "Digest realm", r#"Digest realm="a"b"#, ""] {
            assert!(Challenge::parse(text).is_err(), "{text}");
        }
    }
}
