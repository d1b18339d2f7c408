//! A ticket's row: its columns, from the row and back.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};

use super::row::{count, micros, optional_text, phone, text};
use super::{StoreError, Transaction, on};
use crate::ticket::calendar::WorkingDays;
use crate::ticket::{Asked, Handling, Heard, Level, Matter, Number, Position, Satisfaction, Supervision, Text, Ticket};

/// In the order in which [`bind_all`] binds them; the number is first.
const COLUMNS: [&str; 63] = [
    "number",
    "city",
    "channel",
    "line",
    "call",
    "client",
    "created_at",
    "created_day",
    "language",
    "requester",
    "name",
    "enterprise_name",
    "phone",
    "other_phone",
    "anonymous",
    "confidential",
    "request_type",
    "urgency",
    "confirmed",
    "title",
    "content",
    "summary",
    "class",
    "place",
    "place_key",
    "latitude",
    "longitude",
    "complained_party",
    "event",
    "media",
    "invalid",
    "repeat_of",
    "state",
    "state_since",
    "lead_unit",
    "assisting_units",
    "round",
    "round_started_at",
    "dispatched_at",
    "contact_due_at",
    "contact_at",
    "due_day",
    "due_provisional",
    "extra_days",
    "extended_by",
    "asked",
    "suspended_at",
    "review_day",
    "returns",
    "reason",
    "reply",
    "closed_at",
    "ended_at",
    "excluded",
    "merged_into",
    "raised",
    "supervision",
    "supervised_at",
    "progressed_at",
    "contacted",
    "solved",
    "satisfaction",
    "version",
];

pub(super) static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("select {} from ticket where true", COLUMNS.join(", ")));

/// Rows follow, as [`bind_all`] binds them.
pub(super) static INSERT_INTO: LazyLock<String> =
    LazyLock::new(|| format!("insert into ticket ({}) ", COLUMNS.join(", ")));

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=COLUMNS.len()).map(|at| format!("${at}")).collect();
    format!("{}values ({})", *INSERT_INTO, places.join(", "))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> =
        COLUMNS.iter().enumerate().skip(1).map(|(at, column)| format!("{column} = ${}", at + 1)).collect();
    format!("update ticket set {} where number = $1", set.join(", "))
});

/// Changes nothing: the row is held until the end of the transaction, and read.
static LOCK: LazyLock<String> =
    LazyLock::new(|| format!("update ticket set version = version where number = $1 returning {}", COLUMNS.join(", ")));

/// Binds a ticket to a query by `bind`, or to a row of a builder by `push_bind`.
macro_rules! bind_all {
    ($query:expr, $bind:ident, $ticket:expr) => {{
        use $crate::phone::Phone;
        use $crate::ticket::{RequestType, Ticket};
        let ticket: &Ticket = $ticket;
        let (matter, handling) = (&ticket.matter, &ticket.handling);
        let units: Vec<&str> = handling.assisting.iter().map(|unit| unit.as_str()).collect();
        let raised: Vec<&str> = handling.raised.iter().map(|alarm| alarm.name()).collect();
        let asked = handling.asked.as_ref().map(|asked| serde_json::to_string(asked).expect("names and texts"));
        $query
            .$bind(ticket.number.to_string())
            .$bind(ticket.city.slug())
            .$bind(ticket.channel.name())
            .$bind(ticket.line.as_deref())
            .$bind(ticket.call.map(|call| call.to_string()))
            .$bind(ticket.client.map(|client| client.to_string()))
            .$bind(micros(ticket.created_at))
            .$bind(ticket.created_day)
            .$bind(ticket.language.code())
            .$bind(ticket.requester.name())
            .$bind(ticket.name.as_ref().map(|name| name.as_str()))
            .$bind(ticket.enterprise_name.as_ref().map(|name| name.as_str()))
            .$bind(ticket.phone.as_ref().map(Phone::digits))
            .$bind(ticket.other_phone.as_ref().map(Phone::digits))
            .$bind(ticket.anonymous)
            .$bind(ticket.confidential)
            .$bind(ticket.request_type.map(RequestType::name))
            .$bind(ticket.urgency.name())
            .$bind(ticket.confirmed)
            .$bind(matter.title.as_ref().map(|title| title.as_str()))
            .$bind(matter.content.as_ref().map(|content| content.as_str()))
            .$bind(matter.summary.as_ref().map(|summary| summary.as_str()))
            .$bind(matter.class.map(|class| class.to_string()))
            .$bind(matter.place.as_ref().map(|place| place.as_str()))
            .$bind(matter.place_key())
            .$bind(matter.position.map(|position| i64::from(position.latitude)))
            .$bind(matter.position.map(|position| i64::from(position.longitude)))
            .$bind(matter.complained_party.as_ref().map(|party| party.as_str()))
            .$bind(matter.event.as_ref().map(|event| event.as_str()))
            .$bind(matter.media)
            .$bind(matter.invalid)
            .$bind(matter.repeat_of.map(|number| number.to_string()))
            .$bind(ticket.state.name())
            .$bind(micros(ticket.state_since))
            .$bind(handling.lead.as_ref().map(|unit| unit.as_str()))
            .$bind(units.join(" "))
            .$bind(i64::from(handling.round))
            .$bind(handling.round_started_at.map(micros))
            .$bind(handling.dispatched_at.map(micros))
            .$bind(handling.contact_due_at.map(micros))
            .$bind(handling.contact_at.map(micros))
            .$bind(handling.due_day)
            .$bind(handling.due_provisional)
            .$bind(i64::from(handling.extra_days))
            .$bind(handling.extended_by.map(|days| i64::from(days.count())))
            .$bind(asked)
            .$bind(handling.suspended_at.map(micros))
            .$bind(handling.review_day)
            .$bind(i64::from(handling.returns))
            .$bind(handling.reason.as_ref().map(|reason| reason.as_str()))
            .$bind(handling.reply.as_ref().map(|reply| reply.as_str()))
            .$bind(handling.closed_at.map(micros))
            .$bind(handling.ended_at.map(micros))
            .$bind(handling.excluded.as_ref().map(|reason| reason.as_str()))
            .$bind(handling.merged_into.map(|number| number.to_string()))
            .$bind(raised.join(" "))
            .$bind(ticket.supervision.level.map_or(0, |level| i64::from(level.get())))
            .$bind(ticket.supervision.since.map(micros))
            .$bind(ticket.supervision.progressed_at.map(micros))
            .$bind(ticket.visit.contacted.map(|answer| answer.name()))
            .$bind(ticket.visit.solved.map(|answer| answer.name()))
            .$bind(ticket.visit.satisfaction.map(|given| i64::from(given.get())))
            .$bind(i64::from(ticket.version))
    }};
}
pub(super) use bind_all;

pub(super) async fn insert(transaction: &mut Transaction, ticket: &Ticket) -> Result<(), StoreError> {
    on!(transaction, transaction => bind_all!(sqlx::query(INSERT.as_str()), bind, ticket)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

pub(super) async fn update(transaction: &mut Transaction, ticket: &Ticket) -> Result<(), StoreError> {
    on!(transaction, transaction => bind_all!(sqlx::query(UPDATE.as_str()), bind, ticket)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// The ticket, held until the end of the transaction.
pub(super) async fn lock(transaction: &mut Transaction, number: Number) -> Result<Option<Ticket>, StoreError> {
    let row: Option<TicketRow> = on!(transaction, transaction => sqlx::query_as(LOCK.as_str())
        .bind(number.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    row.map(Ticket::try_from).transpose()
}

#[derive(sqlx::FromRow)]
pub(super) struct TicketRow {
    number: String,
    city: String,
    channel: String,
    line: Option<String>,
    call: Option<String>,
    client: Option<String>,
    created_at: DateTime<Utc>,
    created_day: NaiveDate,
    language: String,
    requester: String,
    name: Option<String>,
    enterprise_name: Option<String>,
    phone: Option<String>,
    other_phone: Option<String>,
    anonymous: bool,
    confidential: bool,
    request_type: Option<String>,
    urgency: String,
    confirmed: bool,
    title: Option<String>,
    content: Option<String>,
    summary: Option<String>,
    class: Option<String>,
    place: Option<String>,
    latitude: Option<i64>,
    longitude: Option<i64>,
    complained_party: Option<String>,
    event: Option<String>,
    media: bool,
    invalid: bool,
    repeat_of: Option<String>,
    state: String,
    state_since: Option<DateTime<Utc>>,
    lead_unit: Option<String>,
    assisting_units: String,
    round: i64,
    round_started_at: Option<DateTime<Utc>>,
    dispatched_at: Option<DateTime<Utc>>,
    contact_due_at: Option<DateTime<Utc>>,
    contact_at: Option<DateTime<Utc>>,
    due_day: Option<NaiveDate>,
    due_provisional: bool,
    extra_days: i64,
    extended_by: Option<i64>,
    asked: Option<String>,
    suspended_at: Option<DateTime<Utc>>,
    review_day: Option<NaiveDate>,
    returns: i64,
    reason: Option<String>,
    reply: Option<String>,
    closed_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    excluded: Option<String>,
    merged_into: Option<String>,
    raised: String,
    supervision: i64,
    supervised_at: Option<DateTime<Utc>>,
    progressed_at: Option<DateTime<Utc>>,
    contacted: Option<String>,
    solved: Option<String>,
    satisfaction: Option<i64>,
    version: i64,
}

impl TryFrom<TicketRow> for Ticket {
    type Error = StoreError;

    fn try_from(row: TicketRow) -> Result<Ticket, StoreError> {
        Ok(Ticket {
            number: text("ticket.number", &row.number)?,
            city: text("ticket.city", &row.city)?,
            channel: text("ticket.channel", &row.channel)?,
            call: optional_text("ticket.call", row.call.as_deref())?,
            client: optional_text("ticket.client", row.client.as_deref())?,
            created_at: row.created_at,
            created_day: row.created_day,
            language: text("ticket.language", &row.language)?,
            requester: text("ticket.requester", &row.requester)?,
            name: written("ticket.name", row.name.as_deref())?,
            enterprise_name: written("ticket.enterprise_name", row.enterprise_name.as_deref())?,
            phone: phone("ticket.phone", row.phone.as_deref())?,
            other_phone: phone("ticket.other_phone", row.other_phone.as_deref())?,
            anonymous: row.anonymous,
            confidential: row.confidential,
            request_type: optional_text("ticket.request_type", row.request_type.as_deref())?,
            urgency: text("ticket.urgency", &row.urgency)?,
            confirmed: row.confirmed,
            matter: row.matter()?,
            state: text("ticket.state", &row.state)?,
            // a row of the first schema that this version has not touched yet
            state_since: row.state_since.unwrap_or(row.created_at),
            handling: row.handling()?,
            supervision: Supervision {
                level: small("ticket.supervision", Some(row.supervision).filter(|level| *level > 0), Level::new)?,
                since: row.supervised_at,
                progressed_at: row.progressed_at,
            },
            visit: Heard {
                contacted: optional_text("ticket.contacted", row.contacted.as_deref())?,
                solved: optional_text("ticket.solved", row.solved.as_deref())?,
                satisfaction: small("ticket.satisfaction", row.satisfaction, Satisfaction::new)?,
            },
            version: count("ticket.version", row.version)?,
            line: row.line,
        })
    }
}

impl TicketRow {
    fn matter(&self) -> Result<Matter, StoreError> {
        Ok(Matter {
            title: written("ticket.title", self.title.as_deref())?,
            content: written("ticket.content", self.content.as_deref())?,
            summary: written("ticket.summary", self.summary.as_deref())?,
            class: optional_text("ticket.class", self.class.as_deref())?,
            place: written("ticket.place", self.place.as_deref())?,
            position: self.position()?,
            complained_party: written("ticket.complained_party", self.complained_party.as_deref())?,
            event: written("ticket.event", self.event.as_deref())?,
            media: self.media,
            invalid: self.invalid,
            repeat_of: optional_text("ticket.repeat_of", self.repeat_of.as_deref())?,
        })
    }

    fn position(&self) -> Result<Option<Position>, StoreError> {
        let (Some(latitude), Some(longitude)) = (self.latitude, self.longitude) else { return Ok(None) };
        Ok(Some(Position {
            latitude: count("ticket.latitude", latitude)?,
            longitude: count("ticket.longitude", longitude)?,
        }))
    }

    fn handling(&self) -> Result<Handling, StoreError> {
        let column = "ticket.asked";
        let asked = self.asked.as_deref().map(serde_json::from_str::<Asked>).transpose();
        let assisting = self.assisting_units.split_whitespace().map(|unit| text("ticket.assisting_units", unit));
        let raised = self.raised.split_whitespace().map(|alarm| text("ticket.raised", alarm));
        let days = self.extended_by.map(|days| count::<u32>("ticket.extended_by", days)).transpose()?;
        Ok(Handling {
            lead: optional_text("ticket.lead_unit", self.lead_unit.as_deref())?,
            assisting: assisting.collect::<Result<_, _>>()?,
            round: count("ticket.round", self.round)?,
            round_started_at: self.round_started_at,
            dispatched_at: self.dispatched_at,
            contact_due_at: self.contact_due_at,
            contact_at: self.contact_at,
            due_day: self.due_day,
            due_provisional: self.due_provisional,
            extra_days: count("ticket.extra_days", self.extra_days)?,
            extended_by: days.and_then(WorkingDays::new),
            asked: asked.map_err(|_| StoreError::OutOfRange { column })?,
            suspended_at: self.suspended_at,
            review_day: self.review_day,
            returns: count("ticket.returns", self.returns)?,
            reason: optional_text("ticket.reason", self.reason.as_deref())?,
            reply: written("ticket.reply", self.reply.as_deref())?,
            closed_at: self.closed_at,
            ended_at: self.ended_at,
            excluded: optional_text("ticket.excluded", self.excluded.as_deref())?,
            merged_into: optional_text("ticket.merged_into", self.merged_into.as_deref())?,
            raised: raised.collect::<Result<_, _>>()?,
        })
    }
}

/// What people wrote: no error shows it.
fn written<const MAX: usize>(column: &'static str, value: Option<&str>) -> Result<Option<Text<MAX>>, StoreError> {
    value.map(|value| value.parse().map_err(|_| StoreError::OutOfRange { column })).transpose()
}

fn small<T>(column: &'static str, value: Option<i64>, new: fn(u8) -> Option<T>) -> Result<Option<T>, StoreError> {
    let Some(value) = value else { return Ok(None) };
    new(count(column, value)?).map(Some).ok_or(StoreError::OutOfRange { column })
}
