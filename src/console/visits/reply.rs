//! `POST /api/v1/visits/sms-reply`: what the SMS gateway heard.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::callback::reply;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::problem::{Kind, Problem};
use crate::store::Replied;
use crate::ticket::{Number, PhoneText};

/// An SMS that answers the questions of a return visit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SmsReply)]
pub struct ReplyIn {
    /// Who sent it.
    #[schema(value_type = String)]
    phone: PhoneText,
    /// Three digits: contacted 1-3, solved 1-3, satisfied 1-5; a 1 behind them to have it redone.
    #[schema(examples("115"))]
    text: String,
}

/// What it answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SmsReplyTaken)]
pub struct ReplyOut {
    ticket: Number,
    /// False: it was answered before, and nothing has changed.
    new: bool,
}

/// Takes the answers that a requester gave by SMS. Sent twice it counts once.
#[utoipa::path(
    post,
    path = "/api/v1/visits/sms-reply",
    operation_id = "reply_by_sms",
    tag = "visits",
    request_body = ReplyIn,
    responses((status = 200, body = ReplyOut))
)]
pub async fn sms_reply(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Body(given): Body<ReplyIn>,
) -> Result<Json<ReplyOut>, Problem> {
    let Some(phone) = given.phone.0 else {
        return Err(Problem::new(Kind::BadBody, "A number is wanted.").parameter("phone"));
    };
    let read = reply::read(&given.text);
    let answers = read.map_err(|_| {
        let detail = "A reply is three digits, such as 115, and 1 behind them to have it redone.";
        Problem::new(Kind::Refused, detail).refused("unreadable")
    })?;
    let cities = asking.caller.cities.list();
    let replied = shared.store.sms_reply(&phone, &cities, &answers, &asking.by(), shared.clock.wall()).await;
    match replied.map_err(|error| Problem::internal("reply", &error))? {
        Replied::Taken(ticket) => Ok(Json(ReplyOut { ticket, new: true })),
        Replied::Already(ticket) => Ok(Json(ReplyOut { ticket, new: false })),
        Replied::NothingAsked => Err(Problem::new(Kind::NotFound, "This number was asked nothing by SMS.")),
    }
}
