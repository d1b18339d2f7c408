use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{CallEvent, EndedCall, FinishedRecording, NewCall, NewRecording, NewTicket};
use hotline::ticket::{
    Actor, CallEnd, CallId, Direction, EndedBy, EventKind, Number, RecordingId, RecordingKind, RequestType, Requester,
    Urgency,
};

use crate::service::Service;

const MORNING: &str = "2026-11-22T01:00:00Z";

fn morning() -> DateTime<Utc> {
    MORNING.parse().expect("a time")
}

/// The call number `n` of the morning, one a minute, cities and phones in turn; ended, with a ticket.
pub fn fill(service: &Service, n: u8) -> Number {
    let at = morning() + TimeDelta::minutes(i64::from(n));
    let call = CallId::new(at, [n; 10]);
    let city = City::ALL[usize::from(n) % 2];
    let phone = Phone::parse(if n.is_multiple_of(3) { "13812345678" } else { "08916323111" });
    let language = if n.is_multiple_of(2) { Language::Bo } else { Language::Zh };
    let request = recording(call, at, RecordingKind::Request, n);
    let whole = recording(call, at, RecordingKind::Call, n);
    service.block_on(async {
        let store = &service.store;
        let new = NewCall {
            id: call,
            node: "test".to_owned(),
            direction: Direction::Inbound,
            sip_call_id: Some(format!("call-{n}@example.invalid")),
            city,
            line: "12345".to_owned(),
            phone: phone.clone(),
            language: None,
            started_at: at,
            answered_at: Some(at + TimeDelta::milliseconds(3)),
        };
        store.insert_call(&new).await.expect("the call");
        for new in [&whole, &request] {
            store.begin_recording(new).await.expect("the recording");
        }
        store.finish_recording(&finished(request.id, n, EndedBy::Key)).await.expect("the recording");
        store.finish_recording(&finished(whole.id, n, EndedBy::Hangup)).await.expect("the recording");
        let ticket = NewTicket {
            call,
            recordings: vec![request.id],
            city,
            line: "12345".to_owned(),
            language,
            requester: Requester::Citizen,
            phone,
            confidential: false,
            other_phone: Phone::parse("13900000000").filter(|_| n == 1),
            // the first left before they were asked
            request_type: Some(RequestType::Help).filter(|_| n != 1),
            urgency: Urgency::Normal,
            confirmed: n != 1,
            actor: if n == 1 { Actor::System } else { Actor::Caller },
        };
        let submitted = store.submit_ticket(&ticket, at + TimeDelta::seconds(40)).await.expect("the ticket");
        let events = [(EventKind::Node, "answer"), (EventKind::Prompt, "greet.hello"), (EventKind::Key, "1 rfc4733")];
        let events = (0u32..).zip(events).map(|(sequence, (kind, text))| CallEvent {
            call,
            sequence,
            at: at + TimeDelta::milliseconds(i64::from(sequence) * 100),
            offset_ms: u64::from(sequence) * 100,
            kind,
            text: text.to_owned(),
        });
        store.append_events(&events.collect::<Vec<_>>()).await.expect("the events");
        let end = EndedCall {
            id: call,
            answered_at: None,
            language: Some(language),
            ended_at: at + TimeDelta::seconds(45),
            ended_by: CallEnd::Caller,
        };
        store.close_call(&end).await.expect("the end");
        submitted.number
    })
}

fn fill_all(service: &Service, calls: Range<u8>) {
    for n in calls {
        fill(service, n);
    }
}

fn recording(call: CallId, at: DateTime<Utc>, kind: RecordingKind, n: u8) -> NewRecording {
    let (channels, mark) = if kind == RecordingKind::Call { (2, 100) } else { (1, 200) };
    let id = RecordingId::new(at + TimeDelta::seconds(5), [n.wrapping_add(mark); 10]);
    NewRecording {
        id,
        call,
        kind,
        node: "test".to_owned(),
        path: format!("2026/11/22/{id}.wav"),
        channels,
        started_at: at + TimeDelta::seconds(5),
    }
}

fn finished(id: RecordingId, n: u8, ended_by: EndedBy) -> FinishedRecording {
    FinishedRecording {
        id,
        duration_ms: 12_340 + u64::from(n),
        sha256: format!("{n:064x}"),
        bytes: 98_764,
        ended_by,
        damaged: false,
        peaks: None,
    }
}

#[test]
fn a_ticket_is_read_back_with_its_recordings_and_history() {
    let service = Service::start();
    let number = fill(&service, 1);
    insta::assert_snapshot!("ticket", service.get(&format!("/api/v1/tickets/{number}")).show());
    insta::assert_snapshot!("tickets", service.get("/api/v1/tickets").show());
}

#[test]
fn a_call_is_read_back_with_its_events() {
    let service = Service::start();
    fill(&service, 0);
    let list = service.get("/api/v1/calls");
    insta::assert_snapshot!("calls", list.show());
    let list = list.json();
    let id = list["items"][0]["id"].as_str().expect("an id");
    insta::assert_snapshot!("call", service.get(&format!("/api/v1/calls/{id}")).show());
}

/// Follows `next` to the end.
fn walk(service: &Service, path: &str, id: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service.get(&format!("{path}{cursor}")).json();
        let items = page["items"].as_array().expect("items");
        pages.push(items.iter().map(|item| item[id].as_str().expect("an id").to_owned()).collect());
        let Some(next) = page["next"].as_str() else { return pages };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn the_pages_of_a_list_hold_every_item_once_newest_first() {
    let service = Service::start();
    let numbers: BTreeSet<String> = (0..23).map(|n| fill(&service, n).to_string()).collect();
    for limit in [1, 5, 22, 23, 24] {
        let pages = walk(&service, &format!("/api/v1/tickets?limit={limit}"), "number");
        assert!(pages.iter().all(|page| (1..=limit).contains(&page.len())), "{limit}: {pages:?}");
        let walked = pages.concat();
        assert_eq!(walked.len(), 23, "{limit}");
        assert_eq!(walked.iter().cloned().collect::<BTreeSet<_>>(), numbers);
    }
    let times = service.get("/api/v1/tickets").json();
    let times: Vec<_> = times["items"].as_array().expect("items").iter().map(|t| t["created_at"].to_string()).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older));
    assert_eq!(walk(&service, "/api/v1/calls?limit=4", "id").concat().len(), 23);
}

#[test]
fn items_that_come_in_between_pages_move_nothing() {
    let service = Service::start();
    fill_all(&service, 0..6);
    let first = service.get("/api/v1/tickets?limit=3").json();
    fill_all(&service, 6..9);
    let next = first["next"].as_str().expect("a next page");
    let second = service.get(&format!("/api/v1/tickets?limit=3&cursor={next}")).json();
    let seen: BTreeSet<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().expect("items"))
        .map(|item| item["created_at"].to_string())
        .collect();
    assert_eq!(seen.len(), 6);
    assert!(second["next"].is_null());
}

#[test]
fn a_list_is_narrowed_by_each_of_its_keys() {
    let service = Service::start();
    fill_all(&service, 0..6);
    for (query, count) in [
        ("", 6),
        ("?phone=13812345678", 2),
        ("?phone=%2B86%20138-1234-5678", 2),
        ("?phone=12345", 0),
        ("?city=lhasa", 3),
        ("?city=ngari", 0),
        ("?city=lhasa&phone=13812345678", 1),
        ("?from=2026-11-22T01:02:00Z", 4),
        ("?to=2026-11-22T01:02:00Z", 2),
        ("?from=2026-11-22T09:02:00%2B08:00&to=2026-11-22T01:04:00Z", 2),
        ("?from=2026-11-22&to=2026-11-22", 6),
        ("?from=2026-11-23", 0),
        ("?to=2026-11-21", 0),
        ("?limit=4", 4),
        ("?state=received&open=true&channel=phone", 6),
        ("?state=archived,refused", 0),
        ("?city=lhasa&state=received,dispatched&order=due", 3),
        ("?overdue=false&order=created", 6),
        ("?due_before=2026-11-23", 0),
        ("?unit=lhasa-housing", 0),
        ("?number=1261122&city=lhasa", 3),
        ("?class=01", 0),
        ("?channel=weibo", 0),
        ("?urgency=critical", 0),
        ("?supervised=1", 0),
        ("?alarm=overdue", 0),
        ("?merged_into=126112200012", 0),
        ("?repeat_of=126112200012", 0),
        ("?q=%E8%B7%AF%E7%81%AF", 0),
    ] {
        let reply = service.get(&format!("/api/v1/tickets{query}"));
        assert_eq!(reply.json()["items"].as_array().map(Vec::len), Some(count), "{query}: {}", reply.text());
    }
    for (query, count) in [("city=shigatse", 3), ("phone=13812345678", 2), ("phone=08916323111&city=lhasa", 2)] {
        let reply = service.get(&format!("/api/v1/calls?{query}"));
        assert_eq!(reply.json()["items"].as_array().map(Vec::len), Some(count), "{query}: {}", reply.text());
    }
    assert_eq!(service.get("/api/v1/calls?phone=anonymous").status, 400);
}

#[test]
fn a_bad_query_names_the_key_and_what_is_allowed() {
    let service = Service::start();
    let replies = [
        "limit=0",
        "limit=many",
        "city=beijing",
        "phone=anonymous",
        "from=yesterday",
        "from=2026-11-22T08:00:00+08:00",
        "from=2026-11-23&to=2026-11-22",
        "cursor=made-up",
        "state=received,lost",
        "open=yes",
        "order=newest",
        "supervised=9",
        "due_before=tomorrow",
        "class=7",
        "unit=Lhasa",
        "number=12a",
        "alarm=loud",
        "offset=3",
        "13812345678=",
        "city=lhasa&city=ngari",
    ]
    .map(|query| {
        let reply = service.get(&format!("/api/v1/tickets?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(!reply.text().contains("13812345678"));
        format!("{query}\n{}\n", reply.json()["detail"].as_str().expect("a detail"))
    });
    insta::assert_snapshot!(replies.join("\n"));
    insta::assert_snapshot!("bad_query", service.get("/api/v1/tickets?limit=501").show());
    assert_eq!(service.get("/healthz?x=1").status, 400);
}

#[test]
fn what_is_not_there_is_not_found() {
    let service = Service::start();
    let replies = [
        "/api/v1/tickets/126112200012",
        "/api/v1/tickets/126112200013",
        "/api/v1/tickets/abc",
        "/api/v1/tickets/%ff",
        "/api/v1/calls/019aa8d2-0000-7000-8000-000000000000",
        "/api/v1/calls/..%2F..%2Fetc%2Fpasswd",
        "/api/v1/recordings/019aa8d2-0000-7000-8000-000000000000/audio",
        "/api/v1/recordings/x/audio",
        "/api/v1/",
        "/api/v2/tickets",
    ]
    .map(|path| {
        let reply = service.get(path);
        assert_eq!(reply.status, 404, "{path}");
        format!("{path}\n{}\n", reply.json()["detail"].as_str().expect("a detail"))
    });
    insta::assert_snapshot!(replies.join("\n"));
    insta::assert_snapshot!("no_such_path", service.get("/api/nothing").show());
}
