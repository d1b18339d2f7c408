//! Closed tickets that wait for their return visits.

use chrono::{DateTime, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{NewCall, NewTicket, Order, Store};
use hotline::ticket::{Actor, CallId, Command, Direction, Edit, Number, RequestType, Requester, Side, Urgency};

/// A call of that number becomes a ticket, and the ticket is answered, all at one time. `index` tells calls apart.
pub async fn close(store: &Store, index: u32, phone: &str, at: DateTime<Utc>) -> Number {
    let mut random = [0; 10];
    random[..4].copy_from_slice(&index.to_be_bytes());
    let call = NewCall {
        id: CallId::new(at, random),
        node: "test".to_owned(),
        direction: Direction::Inbound,
        sip_call_id: None,
        city: City::Chamdo,
        line: "12345".to_owned(),
        phone: Phone::parse(phone),
        language: None,
        started_at: at,
        answered_at: Some(at),
    };
    store.insert_call(&call).await.expect("a call");
    let new = NewTicket {
        call: call.id,
        recordings: Vec::new(),
        city: call.city,
        line: call.line.clone(),
        language: Language::Zh,
        requester: Requester::Citizen,
        phone: call.phone.clone(),
        other_phone: None,
        confidential: false,
        request_type: Some(RequestType::Help),
        urgency: Urgency::Normal,
        confirmed: true,
        actor: Actor::Caller,
    };
    let number = store.submit_ticket(&new, at).await.expect("a ticket").number;
    let edit = Edit { title: "路灯不亮".parse().ok(), class: "0101".parse().ok(), ..Edit::default() };
    for command in [Command::Edit(Box::new(edit)), Command::Answer { reply: "灯修好了".parse().expect("a text") }] {
        let order = Order { number, version: None, command, actor: Actor::System, side: Side::Hotline, address: None };
        store.execute(&order, at).await.expect("answered");
    }
    number
}
