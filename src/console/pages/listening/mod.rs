//! `/recordings`: found, heard, drawn, taken away, held.

pub mod heard;
pub mod ladder;
pub mod player;
mod recording;
mod search;

use axum::routing::{get, post};

use super::{form, page, read, send};
use crate::access::Right;
use crate::console::recordings;
use crate::console::routes::Route;

pub fn routes() -> Vec<Route> {
    vec![
        read("/recordings", page(Right::Listen, recordings::SEARCH_KEYS), get(search::show)),
        read("/recordings/{id}", page(Right::Listen, &[]), get(recording::show)),
        read("/recordings/{id}/audio", page(Right::Listen, recordings::KEYS), get(recordings::audio)),
        read("/recordings/{id}/peaks", page(Right::Listen, &[]), get(recordings::peaks)),
        read("/recordings/{id}/download", page(Right::Download, recordings::KEYS), get(recordings::download)),
        send("/recordings/{id}/hold", form(Right::Hold), post(recording::hold)),
    ]
}
