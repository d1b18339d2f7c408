//! `POST /api/v1/tickets`: a request that came in on any channel.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::out::TicketOut;
use crate::city::City;
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::body::Body;
use crate::console::problem::{Kind, Problem};
use crate::language::Language;
use crate::store::{Filed, NewRequest, Once, SubmitError};
use crate::ticket::catalogue::ClassCode;
use crate::ticket::{
    Actor, Body as Words, Channel, Line, Matter, PhoneText, Position, RequestType, Requester, Ticket, Urgency,
};

/// A letter may lie so long before it is filed.
const OLDEST: TimeDelta = TimeDelta::days(365);

/// A request.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRequest)]
pub struct RequestIn {
    city: City,
    channel: Channel,
    #[serde(rename = "type")]
    request_type: RequestType,
    /// What is asked for, in the requester's words.
    #[schema(value_type = String)]
    content: Words,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    title: Option<Line>,
    /// A class's code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    class: Option<ClassCode>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    place: Option<Line>,
    /// `{"latitude": 29.65, "longitude": 91.13}`, degrees.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    position: Option<Position>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    complained_party: Option<Line>,
    /// `zh` if left out.
    #[serde(default)]
    language: Option<Language>,
    /// `citizen` if left out.
    #[serde(default)]
    requester: Option<Requester>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Option<Line>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    enterprise_name: Option<Line>,
    /// In any of its spellings.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Option<PhoneText>,
    #[serde(default)]
    anonymous: bool,
    /// True if left out for a report of wrongdoing (举报), else false.
    #[serde(default)]
    confidential: Option<bool>,
    /// `normal` if left out.
    #[serde(default)]
    urgency: Option<Urgency>,
    /// When it came in, for what is filed later; now if left out.
    #[serde(default)]
    received_at: Option<DateTime<Utc>>,
}

/// Files a request; a ticket is made of it.
///
/// With the header `Idempotency-Key` (1 to 100 printable characters) a second try gives the first ticket with 200; the
/// same key with another request is answered 409.
#[utoipa::path(
    post,
    path = "/api/v1/tickets",
    operation_id = "file_ticket",
    tag = "tickets",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request for further tries.")),
    request_body = RequestIn,
    responses((status = 201, body = TicketOut), (status = 200, body = TicketOut))
)]
pub async fn file(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    headers: HeaderMap,
    Body(request): Body<RequestIn>,
) -> Result<(StatusCode, Json<TicketOut>), Problem> {
    let now = shared.clock.wall();
    let once = once(&headers, asking.caller.actor, &request)?;
    let (ticket, new) = filed(&shared, &asking, request, once, now).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(TicketOut::new(ticket, Vec::new(), &asking.caller))))
}

/// The ticket of this request, and whether it is new.
pub async fn filed(
    shared: &Shared,
    asking: &Asking,
    request: RequestIn,
    once: Option<Once>,
    now: DateTime<Utc>,
) -> Result<(Ticket, bool), Problem> {
    let new = request.checked(asking, now)?;
    let (actor, address) = (asking.caller.actor, asking.address.as_deref());
    let filed = shared.store.file_request(&new, once.as_ref(), actor, address, now).await.map_err(failed)?;
    match filed {
        Filed::New(ticket) => Ok((ticket, true)),
        Filed::Again(ticket) => Ok((ticket, false)),
        Filed::KeyUsed => Err(Problem::new(Kind::Conflict, "This Idempotency-Key was used for another request.")),
        Filed::UnknownClass(class) => {
            let detail = format!("There is no class {class}, or it is retired.");
            Err(Problem::new(Kind::BadBody, detail).parameter("class"))
        }
    }
}

pub fn failed(error: SubmitError) -> Problem {
    match error {
        SubmitError::NumbersUsedUp(_) => {
            Problem::new(Kind::Conflict, "The city's ticket numbers are used up for the next weeks.")
        }
        other => Problem::internal("request", &other),
    }
}

impl RequestIn {
    fn checked(self, asking: &Asking, now: DateTime<Utc>) -> Result<NewRequest, Problem> {
        let bad = |member: &str, detail: &str| Problem::new(Kind::BadBody, detail).parameter(member);
        if !asking.caller.cities.contains(self.city) {
            return Err(Problem::new(Kind::Forbidden, "The city is not among those this token is for."));
        }
        if self.content.is_empty() {
            return Err(bad("content", "A request has a content."));
        }
        let received_at = self.received_at.unwrap_or(now);
        if received_at > now || received_at < now - OLDEST {
            return Err(bad("received_at", "A request came in within the last year, and not after now."));
        }
        let client = match asking.caller.actor {
            Actor::Client(id) => Some(id),
            _ => None,
        };
        Ok(NewRequest {
            city: self.city,
            channel: self.channel,
            client,
            received_at,
            language: self.language.unwrap_or(Language::Zh),
            requester: self.requester.unwrap_or(Requester::Citizen),
            name: self.name.and_then(Line::filled),
            enterprise_name: self.enterprise_name.and_then(Line::filled),
            phone: self.phone.and_then(|text| text.0),
            anonymous: self.anonymous,
            confidential: self.confidential.unwrap_or(self.request_type == RequestType::Report),
            request_type: self.request_type,
            urgency: self.urgency.unwrap_or(Urgency::Normal),
            matter: Matter {
                title: self.title.and_then(Line::filled),
                content: Some(self.content),
                class: self.class,
                place: self.place.and_then(Line::filled),
                position: self.position,
                complained_party: self.complained_party.and_then(Line::filled),
                ..Matter::default()
            },
        })
    }
}

fn once(headers: &HeaderMap, actor: Actor, request: &RequestIn) -> Result<Option<Once>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let fits = |key: &&str| (1..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(fits).ok_or_else(|| {
        Problem::new(Kind::BadBody, "An Idempotency-Key has 1 to 100 printable characters.")
            .parameter("Idempotency-Key")
    })?;
    Ok(Some(once_by(key, actor, request)))
}

/// The request under this key of this actor's.
pub fn once_by(key: &str, actor: Actor, request: &RequestIn) -> Once {
    let sent = serde_json::to_vec(request).expect("names and texts");
    let body = Sha256::digest(sent).iter().map(|byte| format!("{byte:02x}")).collect();
    Once { client: actor.to_string(), key: key.to_owned(), body }
}
