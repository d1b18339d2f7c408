//! Calls and their time line.

use chrono::TimeDelta;
use hotline::language::Language;
use hotline::store::{Call, CallEvent, EndedCall, MAX_EVENT_TEXT, NewCall};
use hotline::ticket::{CallEnd, EventKind};

use crate::fixture::{Fixture, call, morning, on_each_database};

on_each_database!(
    a_call_is_read_back_and_closed_once,
    a_call_is_inserted_once,
    events_keep_their_order_and_are_written_once,
    a_batch_may_hold_a_call_without_a_row,
    what_the_network_sends_can_not_make_a_row_unreadable,
    the_database_answers,
);

async fn a_call_is_read_back_and_closed_once(fixture: Fixture) {
    let new = NewCall { answered_at: None, ..call(1) };
    fixture.store.insert_call(&new).await.expect("inserted");
    let end = EndedCall {
        id: new.id,
        answered_at: Some(morning()),
        language: Some(Language::Zh),
        ended_at: morning() + TimeDelta::seconds(30),
        ended_by: CallEnd::Caller,
    };
    assert_eq!(fixture.store.close_call(&end).await, Ok(true));
    let again = EndedCall { ended_by: CallEnd::Crash, ..end.clone() };
    assert_eq!(fixture.store.close_call(&again).await, Ok(false));
    let expected = Call {
        id: new.id,
        node: new.node,
        direction: new.direction,
        sip_call_id: new.sip_call_id,
        city: new.city,
        line: new.line,
        phone: new.phone,
        language: Some(Language::Zh),
        started_at: new.started_at,
        answered_at: Some(morning()),
        ended_at: Some(end.ended_at),
        ended_by: Some(CallEnd::Caller),
    };
    assert_eq!(fixture.store.call(new.id).await, Ok(Some(expected)));
    assert_eq!(fixture.store.call(call(2).id).await, Ok(None));
}

async fn a_call_is_inserted_once(fixture: Fixture) {
    let first = fixture.call(1).await;
    let again = NewCall { line: "other".to_owned(), ..first.clone() };
    fixture.store.insert_call(&again).await.expect("nothing to do");
    assert_eq!(fixture.store.call(first.id).await.expect("read").expect("there").line, "12345");
}

async fn events_keep_their_order_and_are_written_once(fixture: Fixture) {
    let call = fixture.call(1).await;
    let events: Vec<CallEvent> = (0..2_500).map(|sequence| event(&call, sequence, "menu")).collect();
    fixture.store.append_events(&events[..2_000]).await.expect("written");
    fixture.store.append_events(&events[1_000..]).await.expect("written");
    fixture.store.append_events(&[]).await.expect("nothing to do");
    assert_eq!(fixture.store.call_events(call.id).await.expect("read"), events);
}

async fn a_batch_may_hold_a_call_without_a_row(fixture: Fixture) {
    let known = fixture.call(1).await;
    let unknown = call(2);
    let events = [event(&unknown, 0, "answer"), event(&known, 0, "answer")];
    fixture.store.append_events(&events).await.expect("written");
    assert_eq!(fixture.store.call_events(known.id).await.expect("read"), events[1..]);
}

async fn what_the_network_sends_can_not_make_a_row_unreadable(fixture: Fixture) {
    let phone = hotline::phone::Phone::parse("00860086").expect("three digits and more");
    let call = NewCall { sip_call_id: Some("nul \0 ང".repeat(100)), phone: Some(phone), ..call(1) };
    fixture.store.insert_call(&call).await.expect("inserted");
    let long = "ང\0".repeat(MAX_EVENT_TEXT);
    fixture.store.append_events(&[event(&call, 0, &long)]).await.expect("written");
    let found = fixture.store.call(call.id).await.expect("read").expect("there");
    assert_eq!(found.phone, call.phone);
    assert!(found.sip_call_id.is_some_and(|id| id.len() <= 255 && !id.contains('\0')));
    let events = fixture.store.call_events(call.id).await.expect("read");
    assert!(events[0].text.starts_with("ངང") && events[0].text.len() <= MAX_EVENT_TEXT);
}

async fn the_database_answers(fixture: Fixture) {
    assert_eq!(fixture.store.ping().await, Ok(()));
    fixture.store.close().await;
    assert!(fixture.store.ping().await.is_err());
}

fn event(call: &NewCall, sequence: u32, text: &str) -> CallEvent {
    let at = morning() + TimeDelta::milliseconds(i64::from(sequence));
    let offset_ms = u64::from(sequence);
    CallEvent { call: call.id, sequence, at, offset_ms, kind: EventKind::Node, text: text.to_owned() }
}
