//! `POST /tickets/{number}/reveal`: the requester whole, on one answer, with a reason that the audit keeps.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::seen;
use super::show::{Page, Trouble};
use crate::console::Shared;
use crate::console::pages::{Frame, Sent};
use crate::console::problem::Problem;
use crate::console::segment::Segment;
use crate::console::tickets;
use crate::ticket::Line;

pub async fn reveal(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let reason: Line = fields.value("reason")?.unwrap_or_default();
    if reason.as_str().chars().count() < 2 {
        return Page { trouble: Some(Trouble::NoReason), ..Page::of(ticket) }.render(&shared, frame).await;
    }
    let whole = tickets::revealed(&shared, &frame.asking, &ticket, &reason).await?;
    Page { whole: Some(whole), ..Page::of(ticket) }.render(&shared, frame).await
}
