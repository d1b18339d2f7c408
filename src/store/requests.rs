//! Requests that come in on any channel but a call of our own: a web form, WeChat, a letter, an agent at the desk.

use chrono::{DateTime, Utc};

use super::row::{micros, text};
use super::tickets::next_number;
use super::{Store, StoreError, SubmitError, Transaction, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::catalogue::ClassCode;
use crate::ticket::{
    Actor, Channel, ClientId, Handling, Heard, Line, Matter, Number, RequestType, Requester, State, Supervision,
    Ticket, Urgency,
};

/// A request as it was filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    pub city: City,
    pub channel: Channel,
    pub client: Option<ClientId>,
    /// When it came in: now, or earlier for a letter that is filed later.
    pub received_at: DateTime<Utc>,
    pub language: Language,
    pub requester: Requester,
    pub name: Option<Line>,
    pub enterprise_name: Option<Line>,
    pub phone: Option<Phone>,
    pub anonymous: bool,
    pub confidential: bool,
    pub request_type: RequestType,
    pub urgency: Urgency,
    pub matter: Matter,
}

/// What makes a second try of the same request known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Whose keys these are.
    pub client: String,
    pub key: String,
    /// A hash of what was sent.
    pub body: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filed {
    New(Ticket),
    /// The same request was filed under this key before.
    Again(Ticket),
    /// Another request was filed under this key.
    KeyUsed,
    UnknownClass(ClassCode),
}

impl Store {
    /// Makes a ticket of a request, all or nothing; under a key that was used for it before, gives the first ticket.
    ///
    /// # Errors
    /// The numbers of the city are used up, or the database fails.
    pub async fn file_request(
        &self,
        new: &NewRequest,
        once: Option<&Once>,
        actor: Actor,
        address: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Filed, SubmitError> {
        let now = micros(now);
        let mut transaction = self.begin().await?;
        if let Some(once) = once
            && let Some((number, body)) = used(&mut transaction, once, now).await?
        {
            if body != once.body {
                return Ok(Filed::KeyUsed);
            }
            let ticket = super::ticket_row::lock(&mut transaction, number).await?;
            return Ok(ticket.map_or(Filed::KeyUsed, Filed::Again));
        }
        if let Some(class) = new.matter.class
            && !super::commands::has_class(&mut transaction, class).await?
        {
            return Ok(Filed::UnknownClass(class));
        }
        let received_at = micros(new.received_at);
        let number = next_number(&mut transaction, new.city, beijing_day(received_at)).await?;
        let ticket = new.ticket(number, received_at, now);
        let ticket = self.insert_ticket(&mut transaction, ticket, actor, now, address).await?;
        if let Some(once) = once {
            remember(&mut transaction, once, number, now).await?;
        }
        transaction.commit().await?;
        Ok(Filed::New(ticket))
    }
}

impl NewRequest {
    fn ticket(&self, number: Number, received_at: DateTime<Utc>, now: DateTime<Utc>) -> Ticket {
        Ticket {
            number,
            city: self.city,
            channel: self.channel,
            line: None,
            call: None,
            client: self.client,
            created_at: received_at,
            created_day: beijing_day(received_at),
            language: self.language,
            requester: self.requester,
            name: self.name.clone(),
            enterprise_name: self.enterprise_name.clone(),
            phone: self.phone.clone(),
            other_phone: None,
            anonymous: self.anonymous,
            confidential: self.confidential,
            request_type: Some(self.request_type),
            urgency: self.urgency,
            confirmed: true,
            matter: self.matter.clone(),
            state: State::Received,
            // what waits since then is shown, not what was on its way
            state_since: now,
            handling: Handling { round: 1, ..Handling::default() },
            supervision: Supervision::default(),
            visit: Heard::default(),
            version: 1,
        }
    }
}

/// The ticket and the hash under a key. The row that is looked for is taken first, so that of two tries at once the
/// second waits for the first.
async fn used(
    transaction: &mut Transaction,
    once: &Once,
    now: DateTime<Utc>,
) -> Result<Option<(Number, String)>, StoreError> {
    const TAKE: &str = "insert into idempotency (client, key, body, at) values ($1, $2, $3, $4) \
         on conflict (client, key) do update set at = idempotency.at returning ticket, body";
    let (ticket, body): (Option<String>, String) = on!(transaction, transaction => sqlx::query_as(TAKE)
        .bind(&once.client)
        .bind(&once.key)
        .bind(&once.body)
        .bind(now)
        .fetch_one(&mut **transaction)
        .await)?;
    ticket.map(|ticket| Ok((text("idempotency.ticket", &ticket)?, body))).transpose()
}

async fn remember(
    transaction: &mut Transaction,
    once: &Once,
    ticket: Number,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const SQL: &str = "update idempotency set ticket = $3, at = $4 where client = $1 and key = $2";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(&once.client)
        .bind(&once.key)
        .bind(ticket.to_string())
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}
