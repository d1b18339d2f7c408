//! `hotline visits`, over a folder with three closed tickets.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{Config, NewCall, NewTicket, Order, Store};
use hotline::ticket::{Actor, CallId, Command, Direction, Requester, Side, Urgency};
use serde_json::Value;

use super::peer::child::TempFolder;
use super::{hotline, text};

/// A day on which nobody announced anything: the plan is the windows' alone.
fn evening() -> DateTime<Utc> {
    "2099-06-01T13:00:00Z".parse().expect("a time")
}

/// Two closed tickets of Lhasa, of which one has no number, and one of Ngari.
fn folder() -> TempFolder {
    let folder = TempFolder::new("cli-visits");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&Config::default(), folder.path()).await.expect("a store");
        closed(&store, 1, City::Lhasa, Phone::parse("13800000001")).await;
        closed(&store, 2, City::Lhasa, None).await;
        closed(&store, 3, City::Ngari, Phone::parse("13800000003")).await;
        store.close().await;
    });
    folder
}

async fn closed(store: &Store, number: u8, city: City, phone: Option<Phone>) {
    let now = evening() + TimeDelta::seconds(i64::from(number));
    let call = NewCall {
        id: CallId::new(now, [number; 10]),
        node: "lhasa-1".to_owned(),
        direction: Direction::Inbound,
        sip_call_id: None,
        city,
        line: "12345".to_owned(),
        phone: phone.clone(),
        language: None,
        started_at: now,
        answered_at: None,
    };
    store.insert_call(&call).await.expect("inserted");
    let new = NewTicket {
        call: call.id,
        recordings: Vec::new(),
        city,
        line: call.line.clone(),
        language: Language::Zh,
        requester: Requester::Citizen,
        phone,
        other_phone: None,
        confidential: false,
        request_type: None,
        urgency: Urgency::Normal,
        confirmed: true,
        actor: Actor::Caller,
    };
    let number = store.submit_ticket(&new, now).await.expect("submitted").number;
    let command = Command::Answer { reply: "repaired".parse().expect("a text") };
    let order = Order { number, version: None, command, actor: Actor::Operator, side: Side::Hotline, address: None };
    store.execute(&order, now).await.expect("answered");
}

fn visits(folder: &TempFolder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = folder.path().display().to_string();
    let output = hotline(&[&["visits"], arguments, &["--data", &data]].concat());
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).replace(&data, "DATA"))
}

fn said(folder: &TempFolder, arguments: &[&str]) -> String {
    let (code, out, err) = visits(folder, arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

#[test]
fn plans_are_shown_before_they_are_made() {
    let (folder, mut told) = (folder(), String::new());
    for arguments in [
        &["status"][..],
        &["plan", "--dry-run"],
        &["plan", "--dry-run", "--limit", "1", "--json"],
        &["status"],
        &["plan"],
        &["plan"],
        &["pause", "ngari", "--why", "snow on the pass"],
        &["status"],
        &["status", "--json"],
        &["resume", "ngari"],
        &["plan", "--dry-run"],
    ] {
        writeln!(told, "$ hotline visits {}\n{}", arguments.join(" "), said(&folder, arguments)).expect("a string");
    }
    let document: Value = serde_json::from_str(&said(&folder, &["status", "--json"])).expect("a document");
    assert_eq!(document["items"][0]["due"]["call"], 1);
    insta::assert_snapshot!("visits", paused_then(&told));
}

/// Without the moment of the pause, which is the machine's.
fn paused_then(told: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("\"at\": \"") && !line.contains("2099") {
        true => "        \"at\": \"…\",".to_owned(),
        false => line.to_owned(),
    };
    told.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_mistake_is_named() {
    let (folder, mut told) = (TempFolder::new("cli-visits"), String::new());
    assert_eq!(said(&folder, &["status"]), "no return visit is due, and no city is paused\n");
    assert_eq!(said(&folder, &["plan", "--dry-run"]), "no return visit waits for a plan\n");
    said(&folder, &["pause", "lhasa", "--why", "snow"]);
    for arguments in [
        &["pause", "lhasa", "--why", "snow"][..],
        &["pause", "ngari", "--why", "x"],
        &["pause", "beijing", "--why", "snow"],
        &["pause", "ngari"],
        &["resume", "ngari"],
        &["plan", "--dry-run", "--limit", "0"],
    ] {
        let (code, out, err) = visits(&folder, arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        let error = err.replace("\n\nFor more information, try '--help'.", "");
        writeln!(told, "$ hotline visits {}\n{error}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("visits_mistakes", told);
}
