//! `GET /api/v1/tickets/{number}/due`: why a ticket is due that day.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::number;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::problem::Problem;
use crate::console::segment::Segment;
use crate::ticket::calendar::{DayLine, Scope};
use crate::ticket::{DueReasons, Number};

/// Why a ticket is due on its day: its round's limit and extra days, counted day by day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Due)]
pub struct DueOut {
    number: Number,
    /// The last day; it is due when that day ends in Beijing.
    due_day: NaiveDate,
    /// The count passes a year that the nation has not announced.
    provisional: bool,
    /// Those years.
    unannounced: Vec<i32>,
    /// 1, 2 or 3.
    round: u8,
    /// Counting begins on the first working day after this one: that of the creation, or of the round's beginning.
    from: NaiveDate,
    /// The limit of this round, by the requester's kind or of a redo.
    working_days: u32,
    /// Working days of this round beyond the limit, by the extension and by suspensions.
    extra_working_days: u32,
    /// The one extension, whichever round had it.
    extended_by: Option<u32>,
    /// Counting alone would end earlier, but the contact is not due before that day.
    held_by_contact: bool,
    /// Every day after `from` up to and with the due day.
    days: Vec<DayOut>,
}

/// A day that was counted or skipped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DueDay)]
pub struct DayOut {
    day: NaiveDate,
    /// `monday` … `sunday`
    weekday: String,
    /// The how many-th working day it is; null for a day that was skipped.
    counted: Option<u32>,
    /// Beyond the limit: the stretch of an extension or a suspension.
    extra: bool,
    /// `weekday`, `weekend`, `off` or `work`
    reason: &'static str,
    /// Who announced it: `national`, `region` or a city; null when nobody named the day.
    #[schema(value_type = Option<String>)]
    by: Option<Scope>,
}

/// Why a ticket is due on its day, day by day.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{number}/due",
    operation_id = "read_ticket_due",
    tag = "tickets",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    responses((status = 200, body = DueOut))
)]
pub async fn due(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
) -> Result<Json<DueOut>, Problem> {
    let number = number(&text)?;
    let found = shared.store.ticket_alone(number).await.map_err(|error| Problem::internal("ticket", &error))?;
    let ticket = asking.seen(found)?;
    let reasons = shared.store.due_reasons(&ticket).await.map_err(|error| Problem::internal("due", &error))?;
    let DueReasons { from, limit, extra_days, due, held_by_contact, unannounced, days } = reasons;
    Ok(Json(DueOut {
        number,
        due_day: due.day,
        provisional: due.provisional,
        unannounced,
        round: ticket.handling.round,
        from,
        working_days: limit.count(),
        extra_working_days: extra_days,
        extended_by: ticket.handling.extended_by.map(|days| days.count()),
        held_by_contact,
        days: days.into_iter().map(|line| DayOut::new(&line, limit.count())).collect(),
    }))
}

impl DayOut {
    fn new(line: &DayLine, limit: u32) -> DayOut {
        DayOut {
            day: line.day,
            weekday: line.day.format("%A").to_string().to_lowercase(),
            counted: line.counted,
            extra: line.counted.is_some_and(|nth| nth > limit),
            reason: line.reason.name(),
            by: line.reason.by(),
        }
    }
}
