//! `/api/v1/audit`: who did what, when.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};

use super::Shared;
use super::asking::Asking;
use super::page::Page;
use super::problem::Problem;
use super::query::{Parameters, bad};
use super::tickets::AuditOut;
use crate::store::{AuditEntry, AuditFilter};
use crate::ticket::Actor;

pub const KEYS: &[&str] = &["subject", "actor", "action", "from", "to", "limit", "cursor"];

/// Acts upon everything in the caller's cities, newest first. Phone numbers are masked, names of shielded requesters too.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "list_audit",
    tag = "audit",
    responses((status = 200, body = Page<AuditOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<AuditOut>>, Problem> {
    let filter = filter(&query, &asking, query.value("actor")?)?;
    Ok(Json(acts(&shared, &filter, query.limit()?).await?))
}

/// What of the audit is asked for, of the caller's cities.
pub fn filter(query: &Parameters, asking: &Asking, actor: Option<Actor>) -> Result<AuditFilter, Problem> {
    let (from, to) = query.period()?;
    Ok(AuditFilter {
        subject: query.text("subject").map(str::to_owned),
        actor,
        action: query.value("action")?,
        address: query.text("address").map(str::to_owned),
        cities: asking.caller.cities.among(None),
        from,
        to,
        after: query.text("cursor").map(place).transpose()?,
    })
}

/// A page of acts.
pub async fn acts(shared: &Shared, filter: &AuditFilter, limit: u32) -> Result<Page<AuditOut>, Problem> {
    let found = shared.store.audit_entries(filter, limit).await;
    let mut entries = found.map_err(|error| Problem::internal("audit", &error))?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(cursor);
    let names = shared.store.actor_names(entries.iter().map(|entry| entry.actor)).await;
    let names = names.map_err(|error| Problem::internal("audit", &error))?;
    Ok(Page { items: entries.into_iter().map(|entry| AuditOut::new(entry, true, &names)).collect(), next })
}

fn cursor(entry: &AuditEntry) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", entry.at.timestamp_micros(), entry.sequence, entry.subject))
}

pub fn place(text: &str) -> Result<(DateTime<Utc>, String, u32), Problem> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mut parts = text.splitn(3, ' ');
        let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
        // what both databases hold and compare alike
        (1970..=9999).contains(&at.year()).then_some(())?;
        let sequence = parts.next()?.parse().ok()?;
        Some((at, parts.next()?.to_owned(), sequence))
    };
    read().ok_or_else(|| bad("cursor", "`cursor` has to be the `next` of the page before, unchanged."))
}
