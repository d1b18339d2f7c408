//! A problem as a page.

use askama::Template;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use super::frame::Manner;
use super::{as_page, assets};
use crate::console::problem::Told;

#[derive(Template)]
#[template(path = "trouble.html")]
struct Trouble {
    manner: Manner,
    title: String,
    advice: String,
    /// For whoever looks into the log, in English.
    detail: String,
    style: &'static str,
}

/// The page that tells of the problem that this response carries; other responses stay as they are.
pub fn shown(response: Response, headers: &HeaderMap) -> Response {
    let Some(told) = response.extensions().get::<Told>().cloned() else { return response };
    let manner = Manner::of(headers, &Uri::from_static("/"));
    let slug = told.kind.slug();
    let rule = told.refused.map(|rule| format!("trouble_rule.{rule}"));
    let by_rule = rule.as_deref().map(|key| manner.t(key)).filter(|text| !text.starts_with("trouble_rule."));
    let advice = by_rule.map_or_else(|| manner.t(&format!("trouble_advice.{slug}")).to_owned(), str::to_owned);
    let title = manner.t(&format!("trouble.{slug}")).to_owned();
    let page = Trouble { manner, title, advice, detail: told.detail, style: assets::url("app.css") };
    let Ok(html) = page.render() else { return response };
    let (mut head, _) = response.into_parts();
    let mut shown = Html(html).into_response();
    *shown.status_mut() = head.status;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    shown.headers_mut().extend(head.headers);
    as_page(shown)
}

/// Where to sign in, and where to go on then.
pub fn to_sign_in(uri: &Uri) -> String {
    let next = uri.path_and_query().map_or("/", |path| path.as_str());
    match next {
        "/" => "/sign-in".to_owned(),
        next => format!("/sign-in?{}", serde_urlencoded::to_string([("next", next)]).unwrap_or_default()),
    }
}
