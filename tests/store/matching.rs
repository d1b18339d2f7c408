//! Likely repeats are found, and tell nothing of who called.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::store::{Likely, NewTicket, NotMatched};
use hotline::ticket::likeness::{CLASS, PHONE, PLACE, TEXT};
use hotline::ticket::{Number, RequestType};
use serde_json::json;

use crate::fixture::{Fixture, on_each_database, phone, ticket};
use crate::life::{classified, command, complaint, does, minutes};

on_each_database!(
    the_same_caller_and_the_same_matter_are_found,
    what_is_elsewhere_long_ago_or_settled_is_not_proposed,
    a_shielded_caller_is_not_told_by_the_number,
    words_that_everybody_uses_find_nobody,
    the_best_come_first_and_are_few,
    an_unknown_number_is_said_to_be_one,
);

fn thursday() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

async fn likely(fixture: &Fixture, number: Number) -> Vec<Likely> {
    fixture.store.likely_repeats(number, thursday() + TimeDelta::days(1)).await.expect("compared")
}

/// A request of the caller with this number.
async fn called(fixture: &Fixture, number: u32, caller: u32, request_type: RequestType) -> Number {
    let call = fixture.call(number).await;
    let new = NewTicket { phone: Some(phone(caller)), request_type: Some(request_type), ..ticket(&call) };
    fixture.store.submit_ticket(&new, thursday()).await.expect("submitted").number
}

async fn the_same_caller_and_the_same_matter_are_found(fixture: Fixture) {
    let one = called(&fixture, 1, 77, RequestType::Help).await;
    classified(&fixture.store, one, "路灯不亮三天", "0105", "江苏路3号", thursday()).await;
    let same_caller = called(&fixture, 2, 77, RequestType::Consult).await;
    let same_place = complaint(&fixture, 3, thursday()).await;
    classified(&fixture.store, same_place, "看不见路", "0105", "江苏路 3 号", thursday()).await;
    let same_words = complaint(&fixture, 4, thursday()).await;
    classified(&fixture.store, same_words, "路灯不亮三天", "0101", "江苏路3号", thursday()).await;
    let other = complaint(&fixture, 5, thursday()).await;
    classified(&fixture.store, other, "停水", "0101", "北京路1号", thursday()).await;
    let found = likely(&fixture, one).await;
    assert_eq!(found.iter().map(|likely| likely.number).collect::<Vec<_>>(), [same_words, same_caller, same_place]);
    let parts: Vec<_> = found.iter().map(|likely| likely.parts).collect();
    assert_eq!((parts[0].text, parts[0].place, parts[0].class, parts[0].phone), (TEXT, PLACE, 0, 0));
    assert_eq!((parts[1].phone, parts[1].place), (PHONE, 0));
    assert_eq!((parts[2].class, parts[2].place), (CLASS, PLACE));
    assert!(found.iter().all(|likely| likely.score == likely.parts.score() && !likely.shielded));
    assert_eq!(likely(&fixture, other).await, []);
}

async fn what_is_elsewhere_long_ago_or_settled_is_not_proposed(fixture: Fixture) {
    let one = called(&fixture, 1, 77, RequestType::Help).await;
    let call = fixture.call(2).await;
    let elsewhere = NewTicket { city: hotline::city::City::Ngari, phone: Some(phone(77)), ..ticket(&call) };
    fixture.store.submit_ticket(&elsewhere, thursday()).await.expect("submitted");
    let call = fixture.call(3).await;
    let long_ago = NewTicket { phone: Some(phone(77)), ..ticket(&call) };
    fixture.store.submit_ticket(&long_ago, thursday() - TimeDelta::days(90)).await.expect("submitted");
    let withdrawn = called(&fixture, 4, 77, RequestType::Help).await;
    does(&fixture.store, withdrawn, command(json!({ "command": "withdraw", "why": "solved" })), thursday()).await;
    let merged = called(&fixture, 5, 77, RequestType::Help).await;
    does(&fixture.store, merged, command(json!({ "command": "merge", "into": one })), thursday()).await;
    let marked = called(&fixture, 6, 77, RequestType::Help).await;
    does(&fixture.store, marked, command(json!({ "command": "edit", "repeat_of": one })), thursday()).await;
    let invalid = called(&fixture, 7, 77, RequestType::Help).await;
    does(&fixture.store, invalid, command(json!({ "command": "edit", "valid": false })), thursday()).await;
    assert_eq!(likely(&fixture, one).await, []);
    assert_eq!(likely(&fixture, marked).await, []);
}

async fn a_shielded_caller_is_not_told_by_the_number(fixture: Fixture) {
    let one = called(&fixture, 1, 77, RequestType::Help).await;
    let report = called(&fixture, 2, 77, RequestType::Report).await;
    assert_eq!(likely(&fixture, one).await, []);
    assert_eq!(likely(&fixture, report).await, []);
    for number in [one, report] {
        classified(&fixture.store, number, "收费不开票", "0301", "八一农贸市场", thursday()).await;
    }
    let found = likely(&fixture, one).await.remove(0);
    assert_eq!((found.number, found.shielded, found.parts.phone), (report, true, 0));
    assert_eq!((found.parts.text, found.parts.place, found.parts.class), (TEXT, PLACE, CLASS));
    assert_eq!((found.title, found.place), (None, None));
    let found = likely(&fixture, report).await.remove(0);
    assert_eq!((found.number, found.shielded, found.parts.phone), (one, false, 0));
}

async fn words_that_everybody_uses_find_nobody(fixture: Fixture) {
    let one = complaint(&fixture, 1, thursday()).await;
    classified(&fixture.store, one, "你好", "0105", "", thursday()).await;
    let other = complaint(&fixture, 2, thursday()).await;
    classified(&fixture.store, other, "你好", "0101", "", thursday()).await;
    assert_eq!(likely(&fixture, one).await.len(), 1);
    let many: Vec<String> = (1_000..1_200).map(|at| format!("('你好', '1261126{at}0')")).collect();
    fixture.execute(&format!("insert into gram (gram, ticket) values {}", many.join(", "))).await;
    assert_eq!(likely(&fixture, one).await, []);
}

async fn the_best_come_first_and_are_few(fixture: Fixture) {
    let one = called(&fixture, 1, 77, RequestType::Help).await;
    let mut expected = Vec::new();
    for number in 2..=14 {
        let call = fixture.call(number).await;
        let new = NewTicket { phone: Some(phone(77)), ..ticket(&call) };
        let at = thursday() - TimeDelta::days(i64::from(number));
        expected.push(fixture.store.submit_ticket(&new, at + minutes(1)).await.expect("submitted").number);
    }
    expected.truncate(10);
    let found: Vec<_> = likely(&fixture, one).await.iter().map(|likely| likely.number).collect();
    assert_eq!(found, expected, "the nearest in time first");
}

async fn an_unknown_number_is_said_to_be_one(fixture: Fixture) {
    let number = "126112200012".parse().expect("a number");
    assert_eq!(fixture.store.likely_repeats(number, thursday()).await, Err(NotMatched::Unknown));
}
