//! `/api/v1/recordings`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};

use super::FoundOut;
use crate::access::Denied;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::guard::forbidden;
use crate::console::page::Page;
use crate::console::problem::Problem;
use crate::console::query::{Parameters, bad};
use crate::store::{RecordingFilter, Whose};

pub const KEYS: &[&str] = &[
    "city",
    "from",
    "to",
    "ticket",
    "phone",
    "phone_end",
    "language",
    "direction",
    "recording_kind",
    "min_s",
    "max_s",
    "satisfaction",
    "answered",
    "limit",
    "cursor",
];

/// Recordings that the caller may hear, by their start, newest first.
///
/// A unit finds those of its tickets. Those of confidential, anonymous and reporting requesters are for named people, and so is
/// a search by number.
#[utoipa::path(
    get,
    path = "/api/v1/recordings",
    operation_id = "list_recordings",
    tag = "tickets",
    responses((status = 200, body = Page<FoundOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<FoundOut>>, Problem> {
    let filter = filter(&query, &asking)?;
    let whose = whose(&query, &asking)?;
    let found = shared.store.search_recordings(&filter, &whose, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(|error| Problem::internal("recordings", &error))?;
    Ok(Json(Page::of(page, |recording| FoundOut::new(recording, &asking))))
}

/// What is asked for.
///
/// # Errors
/// A value that can't be read, or a number asked for by somebody who is not named.
pub fn filter(query: &Parameters, asking: &Asking) -> Result<RecordingFilter, Problem> {
    let (from, to) = query.period()?;
    let (phone, phone_end) = (query.phone("phone")?, digits(query)?);
    if (phone.is_some() || phone_end.is_some()) && !asking.caller.sees_shielded() {
        return Err(forbidden(&Denied::Shielded));
    }
    Ok(RecordingFilter {
        from,
        to,
        ticket: query.value("ticket")?,
        phone,
        phone_end,
        language: query.value("language")?,
        direction: query.value("direction")?,
        kind: query.value("recording_kind")?,
        min_ms: query.value::<u32>("min_s")?.map(|s| u64::from(s) * 1_000),
        max_ms: query.value::<u32>("max_s")?.map(|s| u64::from(s) * 1_000 + 999),
        satisfaction: satisfaction(query)?,
        answered: query.flag("answered")?,
    })
}

/// Whose ears they are for: the caller's.
///
/// # Errors
/// There is no such city.
pub fn whose(query: &Parameters, asking: &Asking) -> Result<Whose, Problem> {
    let caller = &asking.caller;
    Ok(Whose {
        cities: caller.cities.among(query.value("city")?.map(|city| vec![city])),
        unit: caller.unit.clone(),
        shielded: caller.sees_shielded(),
    })
}

fn digits(query: &Parameters) -> Result<Option<String>, Problem> {
    let Some(text) = query.text("phone_end") else { return Ok(None) };
    if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(text.to_owned()));
    }
    Err(bad("phone_end", "`phone_end` has to be the last four digits of a number."))
}

fn satisfaction(query: &Parameters) -> Result<Vec<u8>, Problem> {
    let mut given: Vec<u8> = query.values("satisfaction")?;
    given.sort_unstable();
    given.dedup();
    if given.iter().all(|given| (1..=5).contains(given)) {
        return Ok(given);
    }
    Err(bad("satisfaction", "`satisfaction` is 1 to 5, or several of these with commas between them."))
}
