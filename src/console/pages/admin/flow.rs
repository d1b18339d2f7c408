//! What callers walk through, drawn from the flow's file, with the calls of today on each way.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::sheet::{Tab, tabs};
use crate::access::Cities;
use crate::city::City;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::pages::{Frame, render};
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::report::chart::Words;
use crate::report::diagram::{Way, diagram};

#[derive(Template)]
#[template(path = "admin/flow.html")]
struct FlowPage {
    frame: Frame,
    tabs: Vec<Tab>,
    names: Vec<String>,
    name: String,
    drawing: String,
    /// The ways that calls have gone today, the busiest first.
    taken: Vec<Way>,
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let wanted = query.text("name");
    let (name, flow) = shared
        .flows
        .iter()
        .find(|(name, _)| wanted.is_none_or(|wanted| wanted == name))
        .ok_or_else(|| Problem::new(Kind::NotFound, "There is no such flow."))?;
    let cities: Vec<City> = match &frame.asking.caller.cities {
        Cities::All => Vec::new(),
        Cities::Only(cities) => cities.iter().copied().collect(),
    };
    let steps = shared.store.steps_of_calls(beijing_day(shared.clock.wall()), &cities).await;
    let steps = steps.map_err(|error| Problem::internal("flow", &error))?;
    let taken: HashMap<(&str, &str), u64> =
        steps.iter().map(|(from, to, calls)| ((from.as_str(), to.as_str()), *calls)).collect();
    let way = |(from, to): (&str, &str)| Way {
        from: from.to_owned(),
        to: to.to_owned(),
        taken: taken.get(&(from, to)).copied().unwrap_or(0),
    };
    let mut ways: Vec<Way> = flow.ways().into_iter().map(way).collect();
    let title = frame.t("admin.flow");
    let words = Words { id: "flow", title, description: frame.t("admin.flow_hint") };
    let drawing = diagram(words, flow.start(), &ways);
    ways.retain(|way| way.taken > 0);
    ways.sort_by_key(|way| std::cmp::Reverse(way.taken));
    let names = shared.flows.iter().map(|(name, _)| name.clone()).collect();
    let tabs = tabs(&frame);
    render(&FlowPage { frame, tabs, names, name: name.clone(), drawing, taken: ways })
}
