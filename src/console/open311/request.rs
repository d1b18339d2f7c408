//! Service requests: tickets, as the outside may see them, and how one is filed.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use super::document::{Element, Root};
use super::fault::Fault;
use super::form::Form;
use super::{Answer, Shared};
use crate::access::Caller;
use crate::clock::end_of_beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::store::{Filed, NewRequest, OpenFilter, OpenService};
use crate::ticket::catalogue::ClassCode;
use crate::ticket::{Actor, Channel, Matter, Number, Position, RequestType, Requester, State, Ticket, Urgency};

/// GET Service Requests answers for at most so long a time.
const LONGEST: TimeDelta = TimeDelta::days(90);

pub async fn list(shared: &Shared, caller: &Caller, form: &Form) -> Answer {
    let city = form.city()?;
    allowed(caller, city)?;
    let now = shared.clock.wall();
    let to = form.time("end_date")?.unwrap_or(now);
    let from = form.time("start_date")?.unwrap_or(to - LONGEST);
    if from > to || to - from > LONGEST {
        return Err(Fault::bad("start_date lies before end_date, at most 90 days."));
    }
    let open = match form.text("status") {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some("open,closed" | "closed,open") => None,
        Some(_) => return Err(Fault::bad("status is open or closed.")),
    };
    let numbers = several(form.text("service_request_id"), "service_request_id")?;
    let classes = several(form.text("service_code"), "service_code")?;
    found(shared, OpenFilter { city, numbers, classes, from, to, open }).await
}

pub async fn one(shared: &Shared, caller: &Caller, id: &str) -> Answer {
    let missing = || Fault::missing("service_request_id was not found.");
    let number: Number = id.parse().map_err(|_| missing())?;
    allowed(caller, number.city()).map_err(|_| missing())?;
    let now = shared.clock.wall();
    let filter =
        OpenFilter { city: number.city(), numbers: vec![number], classes: vec![], from: now, to: now, open: None };
    let (status, root) = found(shared, filter).await?;
    match &root {
        Root::List { items, .. } if items.is_empty() => Err(missing()),
        _ => Ok((status, root)),
    }
}

/// A ticket has its number at once: the token is the number.
pub async fn token(shared: &Shared, caller: &Caller, token: &str) -> Answer {
    one(shared, caller, token)
        .await
        .map_err(|fault| Fault { description: "token was not found.".to_owned(), ..fault })?;
    let element = Element::default().text("service_request_id", token.to_owned()).text("token", token.to_owned());
    Ok((StatusCode::OK, requests(vec![element])))
}

pub async fn file(shared: &Shared, caller: &Caller, form: &Form) -> Answer {
    let now = shared.clock.wall();
    let new = new_request(caller, form, now)?;
    let filed = shared.store.file_request(&new, None, caller.actor, None, now).await;
    match filed.map_err(|error| Fault::internal(&error))? {
        Filed::New(ticket) | Filed::Again(ticket) => {
            let element = Element::default()
                .text("service_request_id", ticket.number.to_string())
                .text("service_notice", notice(&ticket))
                .text("account_id", None);
            Ok((StatusCode::CREATED, requests(vec![element])))
        }
        Filed::UnknownClass(_) => Err(Fault::missing("service_code was not found.")),
        Filed::KeyUsed => Err(Fault::bad("The request was filed before.")),
    }
}

fn notice(ticket: &Ticket) -> Option<String> {
    let due = ticket.handling.due_day?;
    Some(format!("工单号 {}，{}前答复。ཨང་གྲངས། {}", ticket.number, due.format("%Y年%m月%d日"), ticket.number))
}

fn allowed(caller: &Caller, city: crate::city::City) -> Result<(), Fault> {
    if caller.cities.contains(city) { Ok(()) } else { Err(Fault::key("This api_key is for other jurisdictions.")) }
}

fn several<T: std::str::FromStr>(given: Option<&str>, key: &str) -> Result<Vec<T>, Fault> {
    let values = given.into_iter().flat_map(|text| text.split(',')).map(|text| text.trim().parse());
    let values: Vec<T> =
        values.collect::<Result<_, _>>().map_err(|_| Fault::missing(format!("{key} was not found.")))?;
    if values.len() > 100 { Err(Fault::bad(format!("At most 100 of {key}."))) } else { Ok(values) }
}

async fn found(shared: &Shared, filter: OpenFilter) -> Answer {
    let failed = |error| Fault::internal(&error);
    let tickets = shared.store.open_requests(&filter).await.map_err(failed)?;
    let services = shared.store.open_services().await.map_err(failed)?;
    let services: BTreeMap<ClassCode, OpenService> =
        services.into_iter().map(|service| (service.code, service)).collect();
    let items = tickets.into_iter().map(|ticket| shown(ticket, &services)).collect();
    Ok((StatusCode::OK, requests(items)))
}

fn requests(items: Vec<Element>) -> Root {
    Root::List { list: "service_requests", item: "request", items }
}

/// In Beijing time, as the specification's examples have a zone.
fn iso(at: DateTime<Utc>) -> String {
    let beijing = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    at.with_timezone(&beijing).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

fn shown(ticket: Ticket, services: &BTreeMap<ClassCode, OpenService>) -> Element {
    let service = ticket.matter.class.and_then(|class| services.get(&class));
    let position = ticket.matter.position.map(|position| position.degrees());
    let handling = ticket.handling;
    let updated = handling.ended_at.unwrap_or(ticket.state_since);
    Element::default()
        .text("service_request_id", ticket.number.to_string())
        .text("status", if ticket.state.is_open() { "open" } else { "closed" }.to_owned())
        .text("status_notes", status_words(ticket.state).to_owned())
        .text("service_name", service.map(|service| service.zh.clone()))
        .text("service_code", ticket.matter.class.map(|class| class.to_string()))
        .text("description", ticket.matter.title.map(String::from))
        .text("agency_responsible", handling.lead.map(String::from))
        .text("service_notice", None)
        .text("requested_datetime", iso(ticket.created_at))
        .text("updated_datetime", iso(updated))
        .text("expected_datetime", handling.due_day.map(|day| iso(end_of_beijing_day(day))))
        .text("address", ticket.matter.place.map(String::from))
        .text("address_id", None)
        .text("zipcode", None)
        .number("lat", position.map(|(latitude, _)| latitude))
        .number("long", position.map(|(_, longitude)| longitude))
        .text("media_url", None)
}

const fn status_words(state: State) -> &'static str {
    match state {
        State::Received => "待受理",
        State::Closed => "直接办结",
        State::Refused => "不予受理",
        State::Dispatched => "待签收",
        State::InProgress => "办理中",
        State::ReturnUnderReview => "退单待审",
        State::Suspended => "挂账",
        State::UnderReview => "待审核",
        State::AwaitingVisit => "待回访",
        State::Archived => "已归档",
        State::Recheck => "复核",
        State::Merged => "已并案",
        State::Withdrawn => "已撤销",
    }
}

fn new_request(caller: &Caller, form: &Form, now: DateTime<Utc>) -> Result<NewRequest, Fault> {
    let city = form.city()?;
    allowed(caller, city)?;
    let class = form.text("service_code").ok_or_else(|| Fault::bad("service_code was not provided."))?;
    let class: ClassCode = class.parse().map_err(|_| Fault::missing("service_code was not found."))?;
    let position = position(form)?;
    let place = form.text("address_string").or_else(|| form.text("address_id"));
    if position.is_none() && place.is_none() {
        return Err(Fault::bad("One of lat with long, address_string and address_id is needed."));
    }
    let request_type: RequestType = named(form, "type")?.unwrap_or(RequestType::Help);
    let mut content = form.text("description").unwrap_or_default().to_owned();
    if let Some(media) = form.text("media_url") {
        content.push_str(&format!("\n附件: {media}"));
    }
    let name = [form.text("last_name"), form.text("first_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let long = |key: &str| Fault::bad(format!("{key} is too long."));
    let phone =
        form.text("phone").map(|text| Phone::parse(text).ok_or_else(|| Fault::bad("phone is no phone number.")));
    Ok(NewRequest {
        city,
        channel: channel(form)?,
        client: match caller.actor {
            Actor::Client(id) => Some(id),
            _ => None,
        },
        received_at: now,
        language: named::<Language>(form, "language")?.unwrap_or(Language::Zh),
        requester: named(form, "requester")?.unwrap_or(Requester::Citizen),
        name: Some(name)
            .filter(|name| !name.is_empty())
            .map(|name| name.parse())
            .transpose()
            .map_err(|_| long("name"))?,
        enterprise_name: None,
        phone: phone.transpose()?,
        anonymous: false,
        confidential: match form.attribute("confidential") {
            None => request_type == RequestType::Report,
            Some("true") => true,
            Some("false") => false,
            Some(_) => return Err(Fault::bad("attribute[confidential] is true or false.")),
        },
        request_type,
        urgency: Urgency::Normal,
        matter: Matter {
            title: Some(title(&content)).filter(|title| !title.is_empty()).and_then(|title| title.parse().ok()),
            content: Some(content.parse().map_err(|_| long("description"))?),
            class: Some(class),
            place: place.map(str::parse).transpose().map_err(|_| long("address_string"))?,
            position,
            ..Matter::default()
        },
    })
}

/// The first line, cut.
fn title(content: &str) -> String {
    content.lines().next().unwrap_or_default().chars().take(60).collect()
}

fn position(form: &Form) -> Result<Option<Position>, Fault> {
    let (Some(latitude), Some(longitude)) = (form.text("lat"), form.text("long")) else {
        let one = form.text("lat").is_some() || form.text("long").is_some();
        return if one { Err(Fault::bad("lat and long come together.")) } else { Ok(None) };
    };
    let degrees = latitude.parse().ok().zip(longitude.parse().ok());
    let position = degrees.and_then(|(latitude, longitude)| Position::from_degrees(latitude, longitude));
    position.map(Some).ok_or_else(|| Fault::bad("lat and long are degrees (WGS 84)."))
}

fn channel(form: &Form) -> Result<Channel, Fault> {
    match named(form, "channel")?.unwrap_or(Channel::Website) {
        Channel::Phone | Channel::Paper => {
            Err(Fault::bad("attribute[channel] is website, wechat, weibo or mini_program."))
        }
        channel => Ok(channel),
    }
}

fn named<T: std::str::FromStr>(form: &Form, key: &str) -> Result<Option<T>, Fault> {
    let wrong = || Fault::bad(format!("attribute[{key}] is none of its values."));
    form.attribute(key).map(|text| text.parse().map_err(|_| wrong())).transpose()
}
