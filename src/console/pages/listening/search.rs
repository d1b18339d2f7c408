//! `/recordings`.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::city::City;
use crate::console::Shared;
use crate::console::pages::{Frame, render};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::recordings::{FoundOut, SEARCH_KEYS, filter, whose};
use crate::language::Language;
use crate::ticket::{Direction, RecordingKind};

#[derive(Template)]
#[template(path = "listening/search.html")]
struct SearchPage {
    frame: Frame,
    asked: Parameters,
    found: Vec<FoundOut>,
    /// The address of the next page.
    next: Option<String>,
    /// Whether this person searches by numbers.
    by_number: bool,
}

impl SearchPage {
    /// What was typed into this field.
    fn asked(&self, key: &str) -> &str {
        self.asked.text(key).unwrap_or_default()
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.asked.text(key) == Some(value)
    }

    fn cities(&self) -> Vec<City> {
        self.frame.asking.caller.cities.list()
    }
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let asked_for = filter(&query, &frame.asking)?;
    let whose = whose(&query, &frame.asking)?;
    let page = shared.store.search_recordings(&asked_for, &whose, query.limit()?, query.cursor()?.as_ref()).await;
    let page = page.map_err(|error| Problem::internal("recordings", &error))?;
    let next = page.next.map(|next| address(&query, &next.to_string()));
    let found = page.items.into_iter().map(|recording| FoundOut::new(recording, &frame.asking)).collect();
    let by_number = frame.asking.caller.sees_shielded();
    render(&SearchPage { frame, asked: query, found, next, by_number })
}

/// The same question, a page further.
fn address(query: &Parameters, cursor: &str) -> String {
    let kept = SEARCH_KEYS.iter().filter(|key| **key != "cursor");
    let mut pairs: Vec<(&str, &str)> = kept.filter_map(|key| Some((*key, query.text(key)?))).collect();
    pairs.push(("cursor", cursor));
    format!("/recordings?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}
