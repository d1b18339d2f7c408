//! `/`, and how somebody likes pages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::frame::Theme;
use super::sent::Sent;
use super::{cookie, see};
use crate::access::Right;
use crate::console::Shared;
use crate::console::problem::Problem;
use crate::language::Language;

/// To the page that somebody begins the day with, or to the door.
pub async fn page(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let failed = |error| Problem::internal("session", &error);
    let account = match cookie::session(&headers) {
        Some(token) => shared.store.session(token, shared.clock.wall()).await.map_err(failed)?,
        None => None,
    };
    let Some(account) = account else { return see("/sign-in") };
    let caller = account.caller();
    let first = [(Right::ReadTickets, "/tickets"), (Right::EditCatalogue, "/admin")];
    see(first.iter().find(|(right, _)| caller.has(*right)).map_or("/account", |(_, path)| path))
}

/// Keeps language and light, and goes back.
pub async fn prefer(Sent(fields): Sent) -> Result<Response, Problem> {
    let mut response = see(local(fields.text("back").unwrap_or("/")))?;
    if let Some(language) = fields.value::<Language>("language")? {
        response.headers_mut().append(header::SET_COOKIE, cookie::keep_language(language));
    }
    if let Some(theme) = fields.text("theme").and_then(Theme::named) {
        response.headers_mut().append(header::SET_COOKIE, cookie::keep_theme(theme));
    }
    Ok(response)
}

/// A path of this host, whatever was sent: never another site's address.
pub fn local(path: &str) -> &str {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains('\\');
    if plain && path.starts_with('/') && !path.starts_with("//") { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(local("/tickets?open=true"), "/tickets?open=true");
        for elsewhere in
            ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a\r\nb", "javascript:x"]
        {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
