//! `hotline report`, over a folder with a few tickets of a month long past.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{Config, NewCall, NewTicket, Order, Store};
use hotline::ticket::{
    Actor, Answers, CallId, Command, Contacted, Direction, Edit, Means, Number, RequestType, Requester, Satisfaction,
    Side, Solved, Urgency,
};
use serde_json::Value;

use super::peer::child::TempFolder;
use super::{hotline, text};

/// A Monday, 10:00 in Beijing.
fn morning() -> DateTime<Utc> {
    "2025-11-03T02:00:00Z".parse().expect("a time")
}

/// Three tickets of Lhasa, of which one is closed and answered, and one of Chamdo.
fn folder() -> TempFolder {
    let folder = TempFolder::new("cli-report");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&Config::default(), folder.path()).await.expect("a store");
        let first = submit(&store, 1, City::Lhasa).await;
        for command in
            [edit("0101"), dispatch("lhasa-housing"), Command::Sign, contact(), reply(), Command::Pass, visited()]
        {
            carry_out(&store, first, command).await;
        }
        let second = submit(&store, 2, City::Lhasa).await;
        for command in [edit("0102"), dispatch("lhasa-transport")] {
            carry_out(&store, second, command).await;
        }
        submit(&store, 3, City::Lhasa).await;
        submit(&store, 4, City::Chamdo).await;
        store.close().await;
    });
    folder
}

fn report(folder: &TempFolder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = folder.path().display().to_string();
    let output = hotline(&[&["report", "--data", &data], arguments].concat());
    (output.status.code(), text(&output.stdout).replace(&data, "DATA"), text(&output.stderr).replace(&data, "DATA"))
}

/// What a report says that succeeds.
fn said(folder: &TempFolder, arguments: &[&str]) -> String {
    let (code, out, err) = report(folder, arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

#[test]
fn a_report_is_a_table_that_a_person_can_read() {
    let (folder, mut told) = (folder(), String::new());
    for arguments in [
        &["--period", "2025-11"][..],
        &["--by", "class", "--from", "2025-11-01", "--to", "2025-11-30", "--city", "lhasa", "--compare"],
        &["--by", "day", "--month", "2025-11"],
        &["--by", "city", "--period", "2025"],
        &["--by", "type", "--period", "2025-W45", "--unit", "lhasa-housing"],
        &["--period", "2024"],
    ] {
        writeln!(told, "$ hotline report {}\n{}", arguments.join(" "), said(&folder, arguments)).expect("a string");
    }
    insta::assert_snapshot!("report", told);
}

#[test]
fn a_report_is_a_document_for_programs() {
    let told = said(&folder(), &["--by", "unit", "--period", "2025-11", "--json", "--compare"]);
    let document: Value = serde_json::from_str(&told).expect("a document");
    assert_eq!(document["total"]["figures"]["received"], 4);
    assert_eq!(document["compared"]["from"], "2025-10-01");
    let housing = &document["rows"][2 - 1];
    assert_eq!((&housing["key"], &housing["ranked"]), (&"lhasa-housing".into(), &false.into()));
    let rate = serde_json::json!({ "numerator": 0.5, "denominator": 1, "left_out": 0, "rate": 0.5 });
    assert_eq!(housing["rates"]["resolution"], rate);
    assert_eq!(housing["before"]["figures"]["received"], 0);
}

#[test]
fn a_report_is_a_file_and_the_audit_says_so() {
    let folder = folder();
    let (csv, xlsx) = (folder.path().join("report.csv"), folder.path().join("report.xlsx"));
    let name = |path: &std::path::Path| path.display().to_string();
    let told = said(&folder, &["--period", "2025-11", "--csv", &name(&csv)]);
    assert_eq!(told, "DATA/report.csv: 3 rows and the total\n");
    said(&folder, &["--period", "2025-11", "--xlsx", &name(&xlsx)]);
    let written = std::fs::read_to_string(&csv).expect("a file");
    assert!(written.starts_with("\u{feff}key,zh,bo,ranked,received,"), "{written}");
    assert_eq!(written.lines().count(), 5);
    assert!(written.contains("\r\nlhasa-housing,") && written.contains("བ"), "{written}");
    assert!(std::fs::read(&xlsx).expect("a file").starts_with(b"PK"));
    let (code, _, err) = report(&folder, &["--period", "2025-11", "--csv", "/no/such/folder/report.csv"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("hotline: /no/such/folder/report.csv: "), "{err}");
}

#[test]
fn every_mistake_is_named() {
    let folder = folder();
    let mut told = String::new();
    for arguments in [
        &["--by", "nothing"][..],
        &["--period", "2025-13"],
        &["--period", "2025-11", "--from", "2025-11-01", "--to", "2025-11-02"],
        &["--from", "2025-11-01"],
        &["--from", "2025-11-02", "--to", "2025-11-01"],
        &["--from", "2005-11-02", "--to", "2025-11-01"],
        &["--period", "2025", "--city", "beijing"],
        &["--period", "2025", "--json", "--csv", "a.csv"],
        &["--period", "1970", "--compare"],
    ] {
        let (code, out, err) = report(&folder, arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        writeln!(told, "$ hotline report {}\n{err}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("report_mistakes", told);
}

async fn submit(store: &Store, at: u8, city: City) -> Number {
    let started_at = morning() + TimeDelta::minutes(at.into());
    let phone = Phone::parse("13800000000");
    let call = NewCall {
        id: CallId::new(started_at, [at; 10]),
        node: "test".to_owned(),
        direction: Direction::Inbound,
        sip_call_id: None,
        city,
        line: "12345".to_owned(),
        phone: phone.clone(),
        language: None,
        started_at,
        answered_at: Some(started_at),
    };
    store.insert_call(&call).await.expect("inserted");
    let ticket = NewTicket {
        call: call.id,
        recordings: Vec::new(),
        city,
        line: call.line,
        language: Language::Bo,
        requester: Requester::Citizen,
        phone,
        other_phone: None,
        confidential: false,
        request_type: Some(RequestType::Help),
        urgency: Urgency::Normal,
        confirmed: true,
        actor: Actor::Caller,
    };
    store.submit_ticket(&ticket, started_at).await.expect("submitted").number
}

async fn carry_out(store: &Store, number: Number, command: Command) {
    let (actor, side) = (Actor::Operator, Side::Hotline);
    let order = Order { number, version: None, command, actor, side, address: None };
    store.execute(&order, morning() + TimeDelta::hours(1)).await.expect("carried out");
}

fn edit(class: &str) -> Command {
    let title = Some("路灯".parse().expect("a title"));
    Command::Edit(Box::new(Edit { title, class: Some(class.parse().expect("a class")), ..Edit::default() }))
}

fn dispatch(unit: &str) -> Command {
    Command::Dispatch { unit: unit.parse().expect("a unit"), assisting: Vec::new() }
}

fn contact() -> Command {
    Command::RecordContact { told: "已联系".parse().expect("a text"), at: None }
}

fn reply() -> Command {
    Command::Reply { text: "已修好".parse().expect("a text") }
}

fn visited() -> Command {
    Command::Visited(Answers {
        means: Means::Call,
        contacted: Some(Contacted::InTime),
        solved: Some(Solved::Partly),
        satisfaction: Satisfaction::new(4),
        redo: false,
        recording: None,
    })
}
