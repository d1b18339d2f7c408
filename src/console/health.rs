//! `/healthz`, `/readyz` and `/metrics`: for the machine that watches this one. No token, nothing about a citizen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::problem::{Kind, Problem};

/// A database that needs longer for nothing can't take a call's ticket in time either.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The parts of the service by name.
pub type Parts = BTreeMap<String, Part>;

/// Whether one part can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part {
    pub ok: bool,
    /// One line for the operator.
    pub detail: String,
}

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alive {
    alive: bool,
}

/// Every part can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    ready: bool,
    parts: BTreeMap<String, Part>,
}

/// The process runs and answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "read_health",
    tag = "operation",
    responses((status = 200, body = Alive))
)]
pub async fn alive() -> Json<Alive> {
    Json(Alive { alive: true })
}

/// Every part can do its work: calls are answered.
///
/// 503 with the problem `not_ready` and the same `parts` when one can't, as while the service drains.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "read_readiness",
    tag = "operation",
    responses((status = 200, body = Ready))
)]
pub async fn ready(State(shared): State<Arc<Shared>>) -> Result<Json<Ready>, Problem> {
    let mut parts: Parts = shared
        .live
        .health()
        .into_iter()
        .map(|(name, health)| (name.to_owned(), Part { ok: health.ok, detail: health.detail }))
        .collect();
    parts.insert("database".to_owned(), database(&shared).await);

    let failing: Vec<&str> = parts.iter().filter(|(_, part)| !part.ok).map(|(name, _)| name.as_str()).collect();
    if failing.is_empty() {
        return Ok(Json(Ready { ready: true, parts }));
    }
    let detail = format!("Not ready: {}.", failing.join(", "));
    Err(Problem::new(Kind::NotReady, detail).parts(parts))
}

/// Prometheus text format: base units, no phone number in a label.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "read_metrics",
    tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4"))
)]
pub async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (shared.metrics)())
}

async fn database(shared: &Shared) -> Part {
    match tokio::time::timeout(PING_TIMEOUT, shared.store.ping()).await {
        Ok(Ok(())) => Part { ok: true, detail: "answers".to_owned() },
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the database does not answer");
            Part { ok: false, detail: "does not answer; the log has the reason".to_owned() }
        }
        Err(_) => Part { ok: false, detail: format!("no answer within {} s", PING_TIMEOUT.as_secs()) },
    }
}
