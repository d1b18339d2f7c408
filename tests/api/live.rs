use std::io::{BufRead, BufReader};

use hotline::city::City;
use hotline::language::Language;
use hotline::live::LiveCall;
use hotline::ticket::Direction;

use crate::service::{Service, bearer};

fn call(id: &str, node: &str) -> LiveCall {
    LiveCall {
        id: id.to_owned(),
        direction: Direction::Inbound,
        city: City::Lhasa,
        language: Some(Language::Bo),
        node: node.to_owned(),
        started_at: "2026-11-22T01:00:00Z".parse().expect("a time"),
        recording: true,
    }
}

#[test]
fn the_calls_of_this_moment_are_listed() {
    let service = Service::start();
    assert_eq!(service.get("/api/v1/live/calls").json(), serde_json::json!({ "items": [], "next": null }));
    service.live.put(call("a", "menu"));
    insta::assert_snapshot!(service.get("/api/v1/live/calls").show());
}

#[test]
fn events_arrive_as_they_happen_and_end_with_the_service() {
    let service = Service::start();
    service.live.put(call("a", "menu"));
    let answer = service.send("GET", "/api/v1/live/events", &[("authorization", &bearer())]);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut lines = BufReader::new(answer.into_body().into_reader()).lines().map(|line| line.expect("a line"));
    let mut until = |last: &str| {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|line: &String| !line.starts_with(last)) {
            seen.push(lines.next().expect("the stream goes on"));
        }
        seen.join("\n")
    };
    let first = until("data");
    // what happens now can't come before the list that the stream starts with
    service.live.put(call("b", "answer"));
    service.live.put(call("b", "menu"));
    service.live.ticket_created("b", "126112200012");
    service.live.remove("b");
    let rest = until("event: call_ended") + "\n" + &until("data");
    service.close();
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 0);
    insta::assert_snapshot!(first + "\n" + &rest);
}

#[test]
fn only_so_many_streams_run_at_once() {
    let config = hotline::console::Config { max_streams: 1, ..Default::default() };
    let service = Service::start_with(config);
    let first = service.send("GET", "/api/v1/live/events", &[("authorization", &bearer())]);
    assert_eq!(first.status(), 200);
    let second = service.get("/api/v1/live/events");
    assert_eq!((second.status.as_u16(), second.header("retry-after")), (503, Some("1")));
}
