//! Tickets on their way: made, told apart, and moved on.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::store::{NewTicket, NotDone, Order, Store};
use hotline::ticket::{Actor, Command, Edit, Number, RequestType, Side, Ticket};

use crate::fixture::{Fixture, call, ticket};

pub fn order(number: Number, command: Command) -> Order {
    Order { number, version: None, command, actor: Actor::Operator, side: Side::Hotline, address: None }
}

/// Carries out what has to succeed.
pub async fn does(store: &Store, number: Number, command: Command, now: DateTime<Utc>) -> Ticket {
    store.execute(&order(number, command), now).await.expect("carried out")
}

/// Why a command is refused.
pub async fn refused(store: &Store, number: Number, command: Command, now: DateTime<Utc>) -> &'static str {
    match store.execute(&order(number, command), now).await.expect_err("refused") {
        NotDone::Refused { why, .. } => why.name(),
        other => panic!("{other}"),
    }
}

/// As JSON has it: `dispatch`, with its fields.
pub fn command(json: serde_json::Value) -> Command {
    serde_json::from_value(json).expect("a command")
}

/// A complaint of the number's own caller, made then.
pub async fn complaint(fixture: &Fixture, number: u32, at: DateTime<Utc>) -> Number {
    complained(&fixture.store, number, at).await
}

pub async fn complained(store: &Store, number: u32, at: DateTime<Utc>) -> Number {
    let call = call(number);
    store.insert_call(&call).await.expect("inserted");
    let new = NewTicket { request_type: Some(RequestType::Complaint), ..ticket(&call) };
    store.submit_ticket(&new, at).await.expect("submitted").number
}

/// Says what a ticket is about.
pub async fn classified(store: &Store, number: Number, title: &str, class: &str, place: &str, now: DateTime<Utc>) {
    let edit =
        Edit { title: title.parse().ok(), class: class.parse().ok(), place: place.parse().ok(), ..Edit::default() };
    does(store, number, Command::Edit(Box::new(edit)), now).await;
}

/// A classified complaint that a unit has and has signed.
pub async fn in_progress(fixture: &Fixture, number: u32, now: DateTime<Utc>) -> Number {
    let ticket = complaint(fixture, number, now).await;
    classified(&fixture.store, ticket, "路灯不亮", "0105", "江苏路3号", now).await;
    does(&fixture.store, ticket, dispatch(), now).await;
    does(&fixture.store, ticket, Command::Sign, now).await;
    ticket
}

pub fn dispatch() -> Command {
    command(serde_json::json!({ "command": "dispatch", "unit": "lhasa-housing" }))
}

/// The ticket as it is now.
pub async fn now_is(store: &Store, number: Number) -> Ticket {
    store.ticket(number).await.expect("read").expect("there").ticket
}

pub fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}
