//! Tickets: one transaction makes one, with its number, its audit row and its recordings.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::page::narrow;
use super::recordings::{self, RecordingRow};
use super::row::{count, micros, optional_text, phone, text};
use super::{Cursor, Filter, MAX_PAGE, Page, Recording, Store, StoreError, SubmitError, Transaction, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{
    Action, Actor, AuditEntry, CallId, Channel, Number, RecordingId, RecordingKind, RequestType, Requester, State,
    Ticket, Urgency,
};

/// How many days ahead a number may come from.
const DAYS_AHEAD: u32 = 31;

const COLUMNS: &str = "select number, city, channel, line, call, created_at, created_day, language, requester, phone, \
     other_phone, confidential, request_type, urgency, confirmed, state from ticket where true";

/// A request made in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    pub call: CallId,
    /// The citizen's recordings that belong to it; not those that were cancelled or recorded again.
    pub recordings: Vec<RecordingId>,
    pub city: City,
    /// The called number it came in on.
    pub line: String,
    pub language: Language,
    pub requester: Requester,
    /// The number to call back; `None` when withheld.
    pub phone: Option<Phone>,
    /// The caller ID, when the caller typed another number.
    pub other_phone: Option<Phone>,
    pub confidential: bool,
    /// `None` when the caller never came to the question.
    pub request_type: Option<RequestType>,
    pub urgency: Urgency,
    pub confirmed: bool,
    /// `Caller` when a key submitted it, `System` on a timeout or hang-up.
    pub actor: Actor,
}

/// The ticket a call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub number: Number,
    pub created_at: DateTime<Utc>,
    /// `false`: the call had this ticket already.
    pub new: bool,
}

/// A ticket in a list. The citizen's recordings come first, then that of the whole call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketWithRecordings {
    pub ticket: Ticket,
    pub recordings: Vec<Recording>,
}

/// A ticket with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFile {
    pub ticket: Ticket,
    pub recordings: Vec<Recording>,
    pub audit: Vec<AuditEntry>,
}

impl Store {
    /// Makes the call's ticket: number, row, audit row and the link to the recordings, all or nothing. A call has
    /// one ticket: a second submit gives the first one's number and only links recordings it did not have.
    pub async fn submit_ticket(&self, new: &NewTicket, now: DateTime<Utc>) -> Result<Submitted, SubmitError> {
        self.submit_late_ticket(new, now, now).await
    }

    /// A ticket that should have been made at `created_at`: its day and its number are of then, its audit row of now.
    pub(super) async fn submit_late_ticket(
        &self,
        new: &NewTicket,
        created_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Submitted, SubmitError> {
        let created_at = micros(created_at);
        let mut transaction = self.begin().await?;
        lock_call(&mut transaction, new.call).await?;
        let submitted = match ticket_of_call(&mut transaction, new.call).await? {
            Some((number, created_at)) => Submitted { number, created_at, new: false },
            None => {
                let number = next_number(&mut transaction, new.city, beijing_day(created_at)).await?;
                insert_ticket(&mut transaction, number, new, created_at).await?;
                append_audit(&mut transaction, number, now, new.actor, Action::Created, None).await?;
                Submitted { number, created_at, new: true }
            }
        };
        for recording in &new.recordings {
            link_recording(&mut transaction, submitted.number, new.call, *recording).await?;
        }
        transaction.commit().await?;
        Ok(submitted)
    }

    /// One ticket with its recordings and its history.
    pub async fn ticket(&self, number: Number) -> Result<Option<TicketFile>, StoreError> {
        let row: Option<TicketRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            query.push(" and number = ").push_bind(number.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        let with = self.with_recordings(vec![Ticket::try_from(row)?]).await?.remove(0);
        Ok(Some(TicketFile { audit: self.audit(number).await?, ticket: with.ticket, recordings: with.recordings }))
    }

    /// Tickets by creation, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn tickets(
        &self,
        filter: &Filter,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TicketWithRecordings>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let rows: Vec<TicketRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(COLUMNS);
            narrow!(query, filter, cursor, limit, "created_at", "number");
            query.build_query_as().fetch_all(pool).await
        })?;
        let tickets = rows.into_iter().map(Ticket::try_from).collect::<Result<Vec<Ticket>, _>>()?;
        let page = Page::cut(tickets, limit, |ticket| Cursor { at: ticket.created_at, key: ticket.number.to_string() });
        Ok(Page { items: self.with_recordings(page.items).await?, next: page.next })
    }

    async fn audit(&self, number: Number) -> Result<Vec<AuditEntry>, StoreError> {
        const SQL: &str = "select sequence, at, actor, action, field, was, became from audit where ticket = $1 \
             order by sequence";
        let rows: Vec<AuditRow> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(number.to_string()).fetch_all(pool).await)?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    async fn with_recordings(&self, tickets: Vec<Ticket>) -> Result<Vec<TicketWithRecordings>, StoreError> {
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<RecordingRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(recordings::COLUMNS);
            let mut numbers = query.push("ticket in (").separated(", ");
            for ticket in &tickets {
                numbers.push_bind(ticket.number.to_string());
            }
            let mut calls = query.push(") or (kind = 'call' and call in (").separated(", ");
            for call in tickets.iter().filter_map(|ticket| ticket.call) {
                calls.push_bind(call.to_string());
            }
            query.push(")) order by started_at, id");
            query.build_query_as().fetch_all(pool).await
        })?;
        let recordings = rows.into_iter().map(Recording::try_from).collect::<Result<Vec<Recording>, _>>()?;
        Ok(tickets.into_iter().map(|ticket| belonging(ticket, &recordings)).collect())
    }
}

fn belonging(ticket: Ticket, recordings: &[Recording]) -> TicketWithRecordings {
    let requests = recordings.iter().filter(|recording| recording.ticket == Some(ticket.number));
    let whole_calls = recordings
        .iter()
        .filter(|recording| recording.kind == RecordingKind::Call && Some(recording.call) == ticket.call)
        .filter(|recording| recording.ticket != Some(ticket.number));
    let recordings = requests.chain(whole_calls).cloned().collect();
    TicketWithRecordings { ticket, recordings }
}

/// Holds the call's row until the end of the transaction, so that two submits for one call come one after the other.
/// (PostgreSQL's `for update` is not SQL that SQLite knows; there the writer is alone anyway.)
async fn lock_call(transaction: &mut Transaction, call: CallId) -> Result<(), SubmitError> {
    const SQL: &str = "update call set city = city where id = $1";
    let found = on!(transaction, transaction => sqlx::query(SQL)
        .bind(call.to_string())
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))
    .map_err(StoreError::from)?;
    if found == 1 { Ok(()) } else { Err(SubmitError::UnknownCall) }
}

async fn ticket_of_call(
    transaction: &mut Transaction,
    call: CallId,
) -> Result<Option<(Number, DateTime<Utc>)>, StoreError> {
    const SQL: &str = "select number, created_at from ticket where call = $1";
    let row: Option<(String, DateTime<Utc>)> = on!(transaction, transaction => sqlx::query_as(SQL)
        .bind(call.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    row.map(|(number, created_at)| Ok((text("ticket.number", &number)?, created_at))).transpose()
}

/// The city's next number of that day, or of the next day that has one left. The upsert locks the day's row until
/// commit: a rolled back ticket gives its number back.
async fn next_number(transaction: &mut Transaction, city: City, day: NaiveDate) -> Result<Number, SubmitError> {
    const SQL: &str = "insert into number_sequence (city, day, last) values ($1, $2, 1) \
         on conflict (city, day) do update set last = number_sequence.last + 1 where number_sequence.last < $3 \
         returning last";
    for ahead in 0..DAYS_AHEAD {
        let day = day + Days::new(u64::from(ahead));
        let sequence: Option<i64> = on!(transaction, transaction => sqlx::query_scalar(SQL)
            .bind(city.slug())
            .bind(day)
            .bind(i64::from(Number::LAST_SEQUENCE))
            .fetch_optional(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        let Some(sequence) = sequence else { continue };
        let column = "number_sequence.last";
        let number = Number::new(city, day, count(column, sequence)?);
        return number.ok_or(SubmitError::Store(StoreError::OutOfRange { column }));
    }
    Err(SubmitError::NumbersUsedUp(DAYS_AHEAD))
}

async fn insert_ticket(
    transaction: &mut Transaction,
    number: Number,
    new: &NewTicket,
    created_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into ticket (number, city, channel, line, call, created_at, created_day, language, \
         requester, phone, other_phone, confidential, request_type, urgency, confirmed, state) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(number.to_string())
        .bind(new.city.slug())
        .bind(Channel::Phone.name())
        .bind(&new.line)
        .bind(new.call.to_string())
        .bind(created_at)
        .bind(beijing_day(created_at))
        .bind(new.language.code())
        .bind(new.requester.name())
        .bind(new.phone.as_ref().map(Phone::digits))
        .bind(new.other_phone.as_ref().map(Phone::digits))
        .bind(new.confidential)
        .bind(new.request_type.map(RequestType::name))
        .bind(new.urgency.name())
        .bind(new.confirmed)
        .bind(State::Received.name())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// A changed field: its name, what was and what is.
pub(super) struct Change<'a> {
    pub field: &'a str,
    pub was: Option<&'a str>,
    pub is: Option<&'a str>,
}

/// The ticket's row must be locked or new: the sequence is the next free one.
pub(super) async fn append_audit(
    transaction: &mut Transaction,
    ticket: Number,
    at: DateTime<Utc>,
    actor: Actor,
    action: Action,
    change: Option<Change<'_>>,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into audit (ticket, sequence, at, actor, action, field, was, became) \
         values ($1, (select coalesce(max(sequence), 0) + 1 from audit where ticket = $1), $2, $3, $4, $5, $6, $7)";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.to_string())
        .bind(micros(at))
        .bind(actor.name())
        .bind(action.name())
        .bind(change.as_ref().map(|change| change.field))
        .bind(change.as_ref().and_then(|change| change.was))
        .bind(change.as_ref().and_then(|change| change.is))
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

async fn link_recording(
    transaction: &mut Transaction,
    ticket: Number,
    call: CallId,
    recording: RecordingId,
) -> Result<(), StoreError> {
    const SQL: &str = "update recording set ticket = $1 where id = $2 and call = $3";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(ticket.to_string())
        .bind(recording.to_string())
        .bind(call.to_string())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(super) struct TicketRow {
    number: String,
    city: String,
    channel: String,
    line: Option<String>,
    call: Option<String>,
    created_at: DateTime<Utc>,
    created_day: NaiveDate,
    language: String,
    requester: String,
    phone: Option<String>,
    other_phone: Option<String>,
    confidential: bool,
    request_type: Option<String>,
    urgency: String,
    confirmed: bool,
    state: String,
}

impl TryFrom<TicketRow> for Ticket {
    type Error = StoreError;

    fn try_from(row: TicketRow) -> Result<Ticket, StoreError> {
        Ok(Ticket {
            number: text("ticket.number", &row.number)?,
            city: text("ticket.city", &row.city)?,
            channel: text("ticket.channel", &row.channel)?,
            line: row.line,
            call: optional_text("ticket.call", row.call.as_deref())?,
            created_at: row.created_at,
            created_day: row.created_day,
            language: text("ticket.language", &row.language)?,
            requester: text("ticket.requester", &row.requester)?,
            phone: phone("ticket.phone", row.phone.as_deref())?,
            other_phone: phone("ticket.other_phone", row.other_phone.as_deref())?,
            confidential: row.confidential,
            request_type: optional_text("ticket.request_type", row.request_type.as_deref())?,
            urgency: text("ticket.urgency", &row.urgency)?,
            confirmed: row.confirmed,
            state: text("ticket.state", &row.state)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct AuditRow {
    sequence: i64,
    at: DateTime<Utc>,
    actor: String,
    action: String,
    field: Option<String>,
    was: Option<String>,
    became: Option<String>,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            sequence: count("audit.sequence", row.sequence)?,
            at: row.at,
            actor: text("audit.actor", &row.actor)?,
            action: text("audit.action", &row.action)?,
            field: row.field,
            was: row.was,
            is: row.became,
        })
    }
}
