//! Cookies: the session, and how somebody likes pages.
//!
//! `__Host-` has browsers take them from this host alone, for all of it, and over TLS only (RFC 6265bis §4.1.3.2).

use axum::http::{HeaderMap, HeaderValue, header};

use super::frame::Theme;
use crate::language::Language;

const SESSION: &str = "__Host-session";
const ERRAND: &str = "__Host-oidc";
const LANGUAGE: &str = "__Host-language";
const THEME: &str = "__Host-theme";
/// Somebody may be at the provider for so long.
const ERRAND_S: u32 = 600;
/// A year.
const KEPT_S: u32 = 31_536_000;

/// The session's token. Of two there is none: somebody else has planted one.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    only(headers, SESSION)
}

/// What was kept while somebody is at the provider.
pub fn errand(headers: &HeaderMap) -> Option<&str> {
    only(headers, ERRAND)
}

pub fn keep_errand(text: &str) -> HeaderValue {
    value(format!("{ERRAND}={text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={ERRAND_S}"))
}

pub fn forget_errand() -> HeaderValue {
    value(format!("{ERRAND}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

/// What pages are written in.
pub fn language(headers: &HeaderMap) -> Language {
    only(headers, LANGUAGE).and_then(|code| code.parse().ok()).unwrap_or(Language::Zh)
}

pub fn theme(headers: &HeaderMap) -> Theme {
    only(headers, THEME).and_then(Theme::named).unwrap_or_default()
}

/// `Set-Cookie`: goes when the browser is closed, if the session is not over before.
pub fn keep_session(token: &str) -> HeaderValue {
    value(format!("{SESSION}={token}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}

/// `Set-Cookie` that takes it away.
pub fn forget_session() -> HeaderValue {
    value(format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

pub fn keep_language(language: Language) -> HeaderValue {
    value(format!("{LANGUAGE}={language}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={KEPT_S}"))
}

pub fn keep_theme(theme: Theme) -> HeaderValue {
    value(format!("{THEME}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={KEPT_S}", theme.name()))
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("tokens and names are visible ASCII")
}

fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = cookies.flat_map(|value| value.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (header::COOKIE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_a_planted_second_one_makes_none() {
        assert_eq!(session(&sent(&["a=b; __Host-session=hls_x; c=d"])), Some("hls_x"));
        assert_eq!(session(&sent(&["a=b", "__Host-session=hls_x"])), Some("hls_x"));
        assert_eq!(session(&sent(&["session=hls_x; x__Host-session=hls_y"])), None);
        assert_eq!(session(&sent(&["__Host-session=hls_x; __Host-session=hls_y"])), None);
        assert_eq!(session(&HeaderMap::new()), None);
    }

    #[test]
    fn what_nobody_knows_is_the_default() {
        assert_eq!(language(&sent(&["__Host-language=bo"])), Language::Bo);
        assert_eq!(language(&sent(&["__Host-language=tlh"])), Language::Zh);
        assert_eq!(theme(&sent(&["__Host-theme=dark"])), Theme::Dark);
        assert_eq!(theme(&sent(&["__Host-theme=\"><script>"])), Theme::Auto);
    }
}
