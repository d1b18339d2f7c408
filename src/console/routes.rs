//! The table of routes: the router and the OpenAPI document are both made of it.

use std::sync::Arc;

use axum::routing::{MethodRouter, get};

use super::problem::Kind;
use super::{Shared, calls, health, index, live, openapi, recordings, tickets};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches the port. Nothing about a citizen is there.
    Open,
    /// Who holds the API token.
    Token,
}

/// What stands before a route.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub access: Access,
    /// The query parameters it takes.
    pub keys: &'static [&'static str],
    /// The problems it answers with beside those that every route has.
    pub problems: &'static [Kind],
}

pub struct Route {
    pub path: &'static str,
    pub rule: Rule,
    pub handler: MethodRouter<Arc<Shared>>,
}

/// A route as the outside sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: &'static str,
    pub access: Access,
}

/// Every path the API answers at.
pub fn entries() -> Vec<Entry> {
    all().into_iter().map(|route| Entry { path: route.path, access: route.rule.access }).collect()
}

const OPEN: Rule = Rule { access: Access::Open, keys: &[], problems: &[] };
const TOKEN: Rule = Rule { access: Access::Token, keys: &[], problems: &[Kind::Unauthorized, Kind::Busy] };
const ONE: Rule = Rule { problems: &[Kind::Unauthorized, Kind::NotFound, Kind::Busy], ..TOKEN };
const AUDIO: Rule = Rule {
    problems: &[Kind::Unauthorized, Kind::NotFound, Kind::RecordingOpen, Kind::RangeNotSatisfiable, Kind::Busy],
    ..TOKEN
};

pub fn all() -> Vec<Route> {
    let route = |path, rule, handler| Route { path, rule, handler };
    vec![
        route("/", OPEN, get(index::page)),
        route("/healthz", OPEN, get(health::alive)),
        route("/readyz", Rule { problems: &[Kind::NotReady], ..OPEN }, get(health::ready)),
        route("/metrics", OPEN, get(health::metrics)),
        route("/api/openapi.json", OPEN, get(openapi::serve)),
        route("/api/v1/tickets", Rule { keys: tickets::KEYS, ..TOKEN }, get(tickets::list)),
        route("/api/v1/tickets/{number}", ONE, get(tickets::one)),
        route("/api/v1/recordings/{id}/audio", AUDIO, get(recordings::audio)),
        route("/api/v1/calls", Rule { keys: calls::KEYS, ..TOKEN }, get(calls::list)),
        route("/api/v1/calls/{id}", ONE, get(calls::one)),
        route("/api/v1/live/calls", TOKEN, get(live::calls)),
        route("/api/v1/live/events", TOKEN, get(live::events)),
    ]
}
