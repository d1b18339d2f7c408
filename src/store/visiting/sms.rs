//! Answers by SMS.

use chrono::{DateTime, TimeDelta, Utc};

use crate::city::City;
use crate::phone::Phone;
use crate::store::row::{micros, text};
use crate::store::sql::{Sql, builder};
use crate::store::{By, NotDone, Order, Store, StoreError, on};
use crate::ticket::{Answers, Command, Number, Side};

/// A reply belongs to an SMS for so long.
const ANSWERABLE: TimeDelta = TimeDelta::days(30);

/// What came of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replied {
    Taken(Number),
    /// The questions were answered before; nothing has changed.
    Already(Number),
    /// This number was asked nothing.
    NothingAsked,
}

impl Store {
    /// Takes the answers of the last SMS to this number about a ticket of these cities, also after a person has begun to ask.
    pub async fn sms_reply(
        &self,
        phone: &Phone,
        cities: &[City],
        answers: &Answers,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Replied, StoreError> {
        if cities.is_empty() {
            return Ok(Replied::NothingAsked);
        }
        let mut sql = Sql::default();
        sql.push("select number, visit.state from visit join ticket on number = visit.ticket where phone = ");
        sql.bind(phone.digits()).push(" and sms_at >= ").bind(micros(now) - ANSWERABLE);
        sql.push(" and city").any_of(cities.iter().map(|city| city.slug()));
        sql.push(" order by case visit.state when 'due' then 0 else 1 end, sms_at desc limit 1");
        let found: Option<(String, String)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_optional(pool).await)?;
        let Some((number, state)) = found else { return Ok(Replied::NothingAsked) };
        let number = text("visit.ticket", &number)?;
        match state.as_str() {
            "due" => {}
            "answered" => return Ok(Replied::Already(number)),
            _ => return Ok(Replied::NothingAsked),
        }
        let order = Order {
            number,
            version: None,
            command: Command::Visited(answers.clone()),
            actor: by.actor,
            side: Side::Requester,
            address: by.address.clone(),
        };
        match self.execute(&order, now).await {
            Ok(_) => Ok(Replied::Taken(number)),
            // somebody was faster
            Err(NotDone::Refused { .. } | NotDone::Changed(_)) => Ok(Replied::Already(number)),
            Err(NotDone::Unknown) => Ok(Replied::NothingAsked),
            Err(NotDone::Store(error)) => Err(error),
        }
    }
}
