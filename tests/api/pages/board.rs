//! The live board: at load without script, and as a stream that moves it.

use std::io::{BufRead, BufReader};

use hotline::access::Role;
use hotline::city::City;
use hotline::language::Language;
use hotline::live::{LiveCall, Words};
use hotline::ticket::Direction;
use serde_json::Value;

use crate::pages::browser::Browser;
use crate::people::person;
use crate::service::Service;

fn call(id: &str, city: City, node: &str) -> LiveCall {
    LiveCall {
        id: id.to_owned(),
        direction: Direction::Inbound,
        city,
        language: Some(Language::Bo),
        node: node.to_owned(),
        started_at: crate::people::now(),
        recording: false,
    }
}

#[test]
fn the_board_shows_the_calls_of_ones_cities_without_script() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    service.live.put(call("a", City::Lhasa, "menu"));
    service.live.put(call("b", City::Nagqu, "secret-node"));
    service.live.report("trunks", false, "lhasa-1 is <down>");
    let words = Words::new("silent: telecom; paused: a, b").said("silent", &[&"telecom"]).said("paused", &[&"a, b"]);
    service.live.report("dialer", true, words);
    let page = service.browser("dolma").page("/live");
    assert!(page.contains("data-call=\"a\"") && page.contains("拉萨") && page.contains("藏语"), "{page}");
    assert!(!page.contains("data-call=\"b\"") && !page.contains("secret-node"));
    assert!(page.contains("lhasa-1 is &#60;down&#62;") && page.contains("中继线路"));
    assert!(page.contains("没有应答：telecom；故障多，暂停外呼：a, b") && !page.contains("silent: telecom"), "{page}");
    assert!(page.contains("<span data-lines=\"all\">1</span>") && page.contains("data-figure=\"overdue\""));
    let big = service.browser("dolma").page("/live?big=1");
    assert!(big.contains("<body class=\"big\">"));
}

#[test]
fn who_may_not_look_at_calls_sees_no_board_and_who_may_not_read_tickets_no_figures() {
    let service = Service::start();
    person(&service, "unit", Role::Unit, &["lhasa"], false);
    person(&service, "karma", Role::Administrator, &["lhasa"], false);
    let unit = service.browser("unit");
    assert_eq!((unit.get("/live").status.as_u16(), unit.get("/live/stream").status.as_u16()), (403, 403));
    let page = service.browser("karma").page("/live");
    assert!(!page.contains("data-figure=\"overdue\"") && page.contains("data-figure=\"calls_today\""), "{page}");
    assert_eq!(service.ask("GET", "/live/stream", &[]).status, 303);
}

/// The events of a stream, one after the other: name, id and data.
fn events(
    browser: &Browser<'_>,
    service: &Service,
    last: &[(&str, &str)],
) -> impl Iterator<Item = (String, u64, Value)> {
    let headers = [&[("cookie", browser.cookie.as_str())], last].concat();
    let answer = service.send("GET", "/live/stream", &headers);
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/event-stream".parse().expect("a value"))
    );
    let mut lines = BufReader::new(answer.into_body().into_reader()).lines().map_while(Result::ok);
    std::iter::from_fn(move || {
        let (mut name, mut id) = (String::new(), 0);
        loop {
            let line = lines.next()?;
            if let Some(event) = line.strip_prefix("event: ") {
                name = event.to_owned();
            } else if let Some(number) = line.strip_prefix("id: ") {
                id = number.parse().expect("a number");
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((name, id, serde_json::from_str(data).expect("JSON")));
            }
        }
    })
}

fn ids(event: &(String, u64, Value)) -> Vec<&str> {
    event.2["calls"].as_array().expect("calls").iter().map(|call| call["id"].as_str().expect("an id")).collect()
}

#[test]
fn a_stream_begins_with_the_whole_board_and_goes_on_with_what_changes() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    service.live.put(call("a", City::Lhasa, "menu"));
    let mut told = events(&dolma, &service, &[]);
    let first = told.next().expect("the calls");
    assert_eq!((first.0.as_str(), first.1, ids(&first)), ("calls", 1, vec!["a"]));
    let figures = told.next().expect("the figures");
    assert_eq!((figures.0.as_str(), figures.1), ("figures", 2));
    assert!(figures.2["hours"].as_str().expect("a chart").starts_with("<svg"));
    service.live.put(call("b", City::Lhasa, "menu"));
    service.live.put(call("c", City::Nagqu, "menu"));
    let moved = told.find(|event| event.0 == "calls").expect("the change");
    assert_eq!(ids(&moved), ["a", "b"], "another city's call is not there");
    service.live.remove("a");
    let mut left = told.find(|event| event.0 == "calls").expect("the end");
    while ids(&left) != ["b"] {
        left = told.find(|event| event.0 == "calls").expect("the end");
    }
}

#[test]
fn a_reader_that_comes_again_has_missed_nothing() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    service.live.put(call("a", City::Lhasa, "menu"));
    drop(events(&dolma, &service, &[]).next());
    service.live.remove("a");
    service.live.put(call("b", City::Lhasa, "answer"));
    let first = events(&dolma, &service, &[("last-event-id", "41")]).next().expect("the calls");
    assert_eq!((first.1, ids(&first)), (42, vec!["b"]));
}

#[test]
fn a_stream_ends_with_the_service() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    let mut told = events(&dolma, &service, &[]);
    assert!(told.next().is_some());
    service.close();
    while told.next().is_some() {}
}
