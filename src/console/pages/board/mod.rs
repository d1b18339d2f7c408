//! `/live`: what is happening now, and `/live/stream`, which moves it.

mod now;
mod stream;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{Frame, page, read, render};
use crate::access::Right;
use crate::console::Shared;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::routes::Route;

use now::{Calls, Figures};

pub fn routes() -> Vec<Route> {
    vec![
        read("/live", page(Right::ReadLive, &["big"]), get(board)),
        read("/live/stream", page(Right::ReadLive, &[]), get(stream::stream)),
    ]
}

#[derive(Template)]
#[template(path = "board/live.html")]
struct LivePage {
    frame: Frame,
    /// For a screen on the wall.
    big: bool,
    calls: Calls,
    figures: Figures,
}

async fn board(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let big = query.text("big").is_some();
    let calls = Calls::now(&shared, &frame);
    let figures = Figures::read(&shared, &frame, None).await?;
    render(&LivePage { frame, big, calls, figures })
}
