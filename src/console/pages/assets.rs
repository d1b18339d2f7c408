//! What pages look like and how they move: files in the binary, at addresses that change with their contents.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segments;

const FILES: &[(&str, &str)] = &[
    ("app.css", include_str!("../assets/app.css")),
    ("frame.js", include_str!("../assets/frame.js")),
    ("admin.css", include_str!("../assets/admin.css")),
    ("board.css", include_str!("../assets/board.css")),
    ("board.js", include_str!("../assets/board.js")),
    ("reports.css", include_str!("../assets/reports.css")),
    ("inbox.js", include_str!("../assets/inbox.js")),
    ("templates.js", include_str!("../assets/templates.js")),
    ("tickets.css", include_str!("../assets/tickets.css")),
    ("listening.css", include_str!("../assets/listening.css")),
    ("player.js", include_str!("../assets/player.js")),
];

/// Their URLs, in the same order.
static URLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut whole = Sha256::new();
    FILES.iter().for_each(|(name, text)| whole.update(format!("{name}\n{text}\n")));
    let hash: String = whole.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    FILES.iter().map(|(name, _)| format!("/assets/{hash}/{name}")).collect()
});

/// The URL of a file; one hash stands for all of them, so that modules find each other by `./name.js`.
///
/// # Panics
/// There is no such file: a template names one that is not in the list.
pub fn url(name: &str) -> &'static str {
    let at = FILES.iter().position(|(file, _)| *file == name);
    &URLS[at.unwrap_or_else(|| panic!("no asset is called {name}"))]
}

/// A file. Old addresses lead nowhere.
pub async fn serve(Segments([hash, name]): Segments<2>) -> Result<Response, Problem> {
    let wanted = format!("/assets/{hash}/{name}");
    let at = URLS.iter().position(|url| *url == wanted);
    let at = at.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such file, or not in this version."))?;
    let media_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    };
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = FILES[at].1.into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
