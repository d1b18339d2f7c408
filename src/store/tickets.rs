//! Tickets: one transaction makes one, with its number, its audit row and its recordings.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::audit::{self, Act};
use super::recordings::{self, RecordingRow};
use super::row::{count, micros, text};
use super::sql::{Sql, builder};
use super::ticket_row::{self, TicketRow};
use super::{
    Attachment, AuditEntry, Contact, Recording, Store, StoreError, SubmitError, Transaction, Visit, listening, on,
};
use crate::city::City;
use crate::clock::beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{
    Action, Actor, CallId, Channel, Handling, Heard, Matter, Number, RecordingId, RecordingKind, RequestType,
    Requester, State, Supervision, Ticket, Urgency,
};

/// How many days ahead a number may come from.
const DAYS_AHEAD: u32 = 31;

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
    pub contacts: Vec<Contact>,
    pub visits: Vec<Visit>,
    pub attachments: Vec<Attachment>,
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
                let ticket = new.ticket(number, created_at);
                self.insert_ticket(&mut transaction, ticket, new.actor, now, None).await?;
                Submitted { number, created_at, new: true }
            }
        };
        for recording in &new.recordings {
            link_recording(&mut transaction, submitted.number, new.call, *recording).await?;
        }
        listening::belong_to_ticket(&mut transaction, new.call).await?;
        transaction.commit().await?;
        Ok(submitted)
    }

    /// The row of a new ticket with all that belongs to it: its due day, its index of words, its audit row, its notices.
    pub(super) async fn insert_ticket(
        &self,
        transaction: &mut Transaction,
        mut ticket: Ticket,
        actor: Actor,
        now: DateTime<Utc>,
        address: Option<&str>,
    ) -> Result<Ticket, StoreError> {
        let calendar = self.calendar_in(transaction).await?;
        let due = ticket.due(&calendar, self.rules.limits(ticket.city));
        ticket.handling.due_day = Some(due.day);
        ticket.handling.due_provisional = due.provisional;
        ticket_row::insert(transaction, &ticket).await?;
        let number = ticket.number.to_string();
        let act = Act { address, ..Act::new(&number, now, actor, Action::Created) };
        audit::append(transaction, &act).await?;
        self.follow_up(transaction, None, &ticket, now).await?;
        Ok(ticket)
    }

    /// One ticket with its recordings, what belongs to it, and its history.
    pub async fn ticket(&self, number: Number) -> Result<Option<TicketFile>, StoreError> {
        let Some(ticket) = self.ticket_alone(number).await? else { return Ok(None) };
        let with = self.with_recordings(vec![ticket]).await?.remove(0);
        Ok(Some(TicketFile {
            contacts: self.contacts(number).await?,
            visits: self.visits(number).await?,
            attachments: self.attachments(number).await?,
            audit: self.audit_of(number).await?,
            ticket: with.ticket,
            recordings: with.recordings,
        }))
    }

    /// One ticket's own fields.
    pub async fn ticket_alone(&self, number: Number) -> Result<Option<Ticket>, StoreError> {
        let row: Option<TicketRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(ticket_row::SELECT.as_str());
            query.push(" and number = ").push_bind(number.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Ticket::try_from).transpose()
    }

    /// The ticket that a recording belongs to: its own, its call's, or that of the return visit it was made in.
    pub async fn ticket_of_recording(&self, recording: &Recording) -> Result<Option<Ticket>, StoreError> {
        match recording.owner {
            Some(number) => self.ticket_alone(number).await,
            None => Ok(None),
        }
    }

    /// The citizen's recordings, then that of the whole call.
    pub async fn recordings_of_ticket(&self, ticket: &Ticket) -> Result<Vec<Recording>, StoreError> {
        Ok(self.with_recordings(vec![ticket.clone()]).await?.remove(0).recordings)
    }

    pub(super) async fn with_recordings(&self, tickets: Vec<Ticket>) -> Result<Vec<TicketWithRecordings>, StoreError> {
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<String> = tickets.iter().map(|ticket| ticket.number.to_string()).collect();
        let calls: Vec<String> = tickets.iter().filter_map(|ticket| ticket.call).map(|call| call.to_string()).collect();
        let mut sql = Sql::default();
        sql.push(recordings::COLUMNS).push("ticket").any_of(numbers.into_iter());
        if !calls.is_empty() {
            sql.push(" or (kind = 'call' and call").any_of(calls.into_iter()).push(")");
        }
        sql.push(" order by started_at, id");
        let rows: Vec<RecordingRow> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
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
pub(super) async fn next_number(
    transaction: &mut Transaction,
    city: City,
    day: NaiveDate,
) -> Result<Number, SubmitError> {
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

impl NewTicket {
    fn ticket(&self, number: Number, created_at: DateTime<Utc>) -> Ticket {
        Ticket {
            number,
            city: self.city,
            channel: Channel::Phone,
            line: Some(self.line.clone()),
            call: Some(self.call),
            client: None,
            created_at,
            created_day: beijing_day(created_at),
            language: self.language,
            requester: self.requester,
            name: None,
            enterprise_name: None,
            phone: self.phone.clone(),
            other_phone: self.other_phone.clone(),
            anonymous: false,
            confidential: self.confidential,
            request_type: self.request_type,
            urgency: self.urgency,
            confirmed: self.confirmed,
            matter: Matter::default(),
            state: State::Received,
            state_since: created_at,
            handling: Handling { round: 1, ..Handling::default() },
            supervision: Supervision::default(),
            visit: Heard::default(),
            version: 1,
        }
    }
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
