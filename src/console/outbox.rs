//! `/api/v1/outbox`: messages to other systems and requesters that wait, or were given up.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::segment::Segment;
use crate::store::{ListedMessage, MessageState};
use crate::ticket::Number;

pub const KEYS: &[&str] = &["state", "limit", "cursor"];

/// A message that has not arrived. What it says stays out of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageOut {
    /// The far side sees it as `X-Hotline-Delivery`.
    id: String,
    /// `webhook` or `sms`.
    kind: &'static str,
    /// The webhook's name, or `sms`.
    target: String,
    ticket: Option<Number>,
    event: String,
    created_at: DateTime<Utc>,
    attempts: u32,
    /// Of the next attempt; null when it was given up.
    next_at: Option<DateTime<Utc>>,
    dead_at: Option<DateTime<Utc>>,
    /// What the last attempt met.
    error: Option<String>,
}

impl From<ListedMessage> for MessageOut {
    fn from(message: ListedMessage) -> MessageOut {
        MessageOut {
            id: message.id,
            kind: message.target.kind.name(),
            target: message.target.name,
            ticket: message.ticket,
            event: message.event,
            created_at: message.created_at,
            attempts: message.attempts,
            next_at: message.next_at,
            dead_at: message.dead_at,
            error: message.error,
        }
    }
}

/// That it was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requeued {
    id: String,
}

/// Messages that were given up, or with `state=waiting` those that will be tried again.
#[utoipa::path(
    get,
    path = "/api/v1/outbox",
    operation_id = "list_messages",
    tag = "operation",
    responses((status = 200, body = Page<MessageOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<MessageOut>>, Problem> {
    let state = query.value("state")?.unwrap_or(MessageState::Dead);
    let (limit, cursor) = (query.limit()?, query.value("cursor")?);
    let page = shared.store.messages(state, limit, cursor.as_ref()).await;
    let page = page.map_err(|error| Problem::internal("outbox", &error))?;
    Ok(Json(Page::of(page, MessageOut::from)))
}

/// Has a message that was given up sent again, from its first attempt on.
#[utoipa::path(
    post,
    path = "/api/v1/outbox/{id}/retry",
    operation_id = "retry_message",
    tag = "operation",
    params(("id" = String, Path, description = "The id of the message.")),
    responses((status = 200, body = Requeued))
)]
pub async fn retry(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
) -> Result<Json<Requeued>, Problem> {
    let now = shared.clock.wall();
    let found = shared.store.retry_message(&id, asking.caller.actor, asking.address.as_deref(), now).await;
    if found.map_err(|error| Problem::internal("outbox", &error))? {
        return Ok(Json(Requeued { id }));
    }
    Err(Problem::new(Kind::NotFound, "No message of this id was given up."))
}
