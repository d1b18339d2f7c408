//! A ticket's life over HTTP: filed on any channel, moved by commands, looked into, never changed behind a back.

use serde_json::{Value, json};

use crate::people::now;
use crate::service::{Reply, Service, bearer};

/// A request from WeChat.
fn request() -> Value {
    json!({
        "city": "lhasa",
        "channel": "wechat",
        "type": "complaint",
        "title": "路灯不亮",
        "content": "宇拓路的路灯三天不亮。",
        "class": "0101",
        "place": "宇拓路",
        "name": "扎西",
        "phone": "13812345678",
    })
}

fn filed(service: &Service) -> Value {
    let reply = service.post("/api/v1/tickets", &[], &request());
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn path(ticket: &Value, rest: &str) -> String {
    format!("/api/v1/tickets/{}{rest}", ticket["number"].as_str().expect("a number"))
}

/// Gives a command to the ticket as it was last seen.
fn command(service: &Service, ticket: &Value, mut command: Value) -> Reply {
    command["version"] = ticket["version"].clone();
    service.post(&path(ticket, "/commands"), &[], &command)
}

fn done(service: &Service, ticket: &Value, given: Value) -> Value {
    let reply = command(service, ticket, given.clone());
    assert_eq!(reply.status, 200, "{given}: {}", reply.text());
    reply.json()
}

#[test]
fn a_ticket_goes_from_received_to_archived() {
    let service = Service::start();
    let mut ticket = filed(&service);
    assert_eq!((&ticket["state"], &ticket["phone"]), (&json!("received"), &json!("138****5678")));
    assert!(ticket["due_day"].is_string() && ticket["version"] == 1);
    for (given, state) in [
        (json!({ "command": "edit", "urgency": "urgent", "summary": "路灯故障" }), "received"),
        (json!({ "command": "dispatch", "unit": "lhasa-housing", "assisting": ["lhasa-transport"] }), "dispatched"),
        (json!({ "command": "sign" }), "in_progress"),
        (json!({ "command": "record_contact", "told": "三日内修复" }), "in_progress"),
        (json!({ "command": "reply", "text": "已修复。" }), "under_review"),
        (json!({ "command": "pass" }), "awaiting_visit"),
        (
            json!({ "command": "visited", "means": "person", "contacted": "in_time", "solved": "yes", "satisfaction": 5 }),
            "archived",
        ),
    ] {
        ticket = done(&service, &ticket, given);
        assert_eq!(ticket["state"], state);
    }
    let detail = service.get(&path(&ticket, "")).json();
    let actions: Vec<&str> =
        detail["audit"].as_array().expect("acts").iter().filter_map(|act| act["action"].as_str()).collect();
    let expected = ["created", "edited", "dispatched", "signed", "contacted", "replied", "passed", "visited"];
    assert_eq!(actions, expected);
    assert_eq!(detail["contacts"][0]["told"], "三日内修复");
    assert_eq!(detail["visits"][0]["state"], "answered");
    assert_eq!((&detail["satisfaction"], &detail["solved"]), (&json!(5), &json!("yes")));
}

#[test]
fn who_was_slower_gets_409_with_the_ticket_as_it_is() {
    let service = Service::start();
    let seen = filed(&service);
    let quicker = done(&service, &seen, json!({ "command": "note", "text": "先打过电话" }));
    let reply = command(&service, &seen, json!({ "command": "note", "text": "后到" }));
    assert_eq!(reply.status, 409);
    let problem = reply.json();
    assert!(problem["type"].as_str().is_some_and(|kind| kind.ends_with("/changed")), "{problem}");
    assert_eq!(problem["current"]["version"], quicker["version"]);
}

#[test]
fn what_a_rule_forbids_is_422_with_the_rules_name() {
    let service = Service::start();
    let ticket = filed(&service);
    for (given, rule) in [
        (json!({ "command": "sign" }), "state"),
        (json!({ "command": "transfer", "unit": "lhasa-housing", "why": "x" }), "no_lead"),
        (json!({ "command": "dispatch", "unit": "chamdo-housing" }), "unknown"),
        (json!({ "command": "edit", "class": "9999" }), "unknown"),
        (json!({ "command": "refuse", "reason": "no_such_reason", "note": "" }), "unknown"),
        (json!({ "command": "merge", "into": ticket["number"] }), "itself"),
        (json!({ "command": "grant" }), "nothing_asked"),
    ] {
        let reply = command(&service, &ticket, given.clone());
        assert_eq!((reply.status.as_u16(), &reply.json()["refused"]), (422, &json!(rule)), "{given}: {}", reply.text());
        assert_eq!(reply.json()["current"]["version"], 1);
    }
}

#[test]
fn the_clocks_own_commands_are_nobodys() {
    let service = Service::start();
    let reply = command(&service, &filed(&service), json!({ "command": "step_up" }));
    assert_eq!((reply.status.as_u16(), reply.json()["detail"].as_str()), (403, Some("Only the clock does this.")));
}

#[test]
fn a_body_that_cannot_be_used_names_the_member() {
    let service = Service::start();
    let ticket = filed(&service);
    let mut shown = String::new();
    for body in [
        "",
        "[]",
        r#"{"command": "shout", "version": 1}"#,
        r#"{"command": "dispatch", "version": 1}"#,
        r#"{"command": "dispatch", "version": 1, "unit": "No Such Unit"}"#,
        r#"{"command": "note", "text": "x"}"#,
        r#"{"command": "correct", "version": 1, "phone": "13812345678x"}"#,
        r#"{"command": "visited", "version": 1, "means": "person", "satisfaction": 6}"#,
    ] {
        let headers = [("authorization", bearer()), ("content-type", "application/json".to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = service.send_bytes("POST", &path(&ticket, "/commands"), &headers, body.as_bytes());
        assert_eq!(reply.status, 400, "{body}");
        assert!(!reply.text().contains("13812345678"), "{}", reply.text());
        shown.push_str(&format!("{body}\n    {}\n", reply.json()["detail"].as_str().expect("words")));
    }
    insta::assert_snapshot!(shown);
    let reply = service.send_bytes("POST", "/api/v1/tickets", &[("authorization", &bearer())], b"{}");
    assert_eq!(reply.status, 415);
    let large = json!({ "command": "note", "text": "字".repeat(100_000) });
    assert_eq!(command(&service, &ticket, large).status, 413);
}

#[test]
fn a_second_try_under_one_key_gives_the_first_ticket() {
    let service = Service::start();
    let key = [("idempotency-key", "wx-20261126-0001")];
    let first = service.post("/api/v1/tickets", &key, &request());
    let second = service.post("/api/v1/tickets", &key, &request());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert_eq!(first.json()["number"], second.json()["number"]);
    let mut other = request();
    other["content"] = json!("别的事。");
    assert_eq!(service.post("/api/v1/tickets", &key, &other).status, 409);
    assert_eq!(service.post("/api/v1/tickets", &[("idempotency-key", "")], &request()).status, 400);
    let unknown = service.post(
        "/api/v1/tickets",
        &[],
        &json!({ "class": "9999", "city": "lhasa", "channel": "weibo",
        "type": "help", "content": "x" }),
    );
    assert_eq!((unknown.status.as_u16(), &unknown.json()["parameter"]), (400, &json!("class")));
}

#[test]
fn a_letter_is_filed_with_the_day_it_came() {
    let service = Service::start();
    let mut letter = request();
    letter["channel"] = json!("paper");
    letter["received_at"] = json!("2126-01-01T00:00:00Z");
    assert_eq!(service.post("/api/v1/tickets", &[], &letter).status, 400);
    letter["received_at"] = json!(now() - chrono::TimeDelta::days(9));
    let ticket = service.post("/api/v1/tickets", &[], &letter).json();
    let created: chrono::DateTime<chrono::Utc> =
        ticket["created_at"].as_str().expect("a time").parse().expect("a time");
    assert!(now() - created > chrono::TimeDelta::days(8));
}

#[test]
fn a_phone_number_is_shown_whole_for_a_reason_that_is_kept() {
    let service = Service::start();
    let ticket = filed(&service);
    assert_eq!(service.post(&path(&ticket, "/reveal"), &[], &json!({ "reason": " " })).status, 400);
    let shown = service.post(&path(&ticket, "/reveal"), &[], &json!({ "reason": "回电确认地址" })).json();
    assert_eq!((&shown["phone"], &shown["name"]), (&json!("13812345678"), &json!("扎西")));
    let audit =
        service.get(&format!("/api/v1/audit?action=revealed&subject={}", ticket["number"].as_str().unwrap())).json();
    let act = &audit["items"][0];
    assert_eq!((&act["actor"], &act["reason"]), (&json!("operator"), &json!("回电确认地址")));
    assert_eq!(act["address"], "127.0.0.1");
    assert!(!service.get("/api/v1/audit").text().contains("13812345678"));
}

#[test]
fn the_audit_is_read_by_pages() {
    let service = Service::start();
    let ticket = filed(&service);
    let noted = done(&service, &ticket, json!({ "command": "note", "text": "一" }));
    done(&service, &noted, json!({ "command": "note", "text": "二" }));
    let first = service.get("/api/v1/audit?limit=2").json();
    let next = first["next"].as_str().expect("a second page");
    let second = service.get(&format!("/api/v1/audit?limit=2&cursor={next}")).json();
    let sequences = |page: &Value| -> Vec<u64> {
        page["items"].as_array().expect("acts").iter().filter_map(|act| act["sequence"].as_u64()).collect()
    };
    assert_eq!((sequences(&first), sequences(&second)), (vec![3, 2], vec![1]));
    assert_eq!(second["next"], Value::Null);
    assert_eq!(service.get("/api/v1/audit?cursor=x").status, 400);
}

#[test]
fn a_file_is_added_and_read_back() {
    let service = Service::start();
    let ticket = filed(&service);
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 1_000]].concat();
    let send = |media_type: &str, query: &str, bytes: &[u8]| {
        let headers = [("authorization", bearer()), ("content-type", media_type.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        service.send_bytes("POST", &path(&ticket, &format!("/attachments{query}")), &headers, bytes)
    };
    let added = send("image/png", "?name=lamp.png", &picture);
    assert_eq!(added.status, 201, "{}", added.text());
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    let read = service.get(&format!("/api/v1/attachments/{id}"));
    assert_eq!((read.body == picture, read.header("content-type")), (true, Some("image/png")));
    assert_eq!(read.header("content-disposition"), Some("attachment"));
    assert_eq!(service.get(&path(&ticket, "")).json()["attachments"][0]["name"], "lamp.png");
    assert_eq!(send("text/html", "?name=page.html", b"<html>").status, 415);
    assert_eq!(send("image/png", "?name=page.png", b"<html>").status, 415);
    assert_eq!(send("image/png", "", &picture).status, 400);
    assert_eq!(send("text/plain", "?name=empty.txt", b"").status, 400);
    assert_eq!(service.get("/api/v1/attachments/019aa8d2-0000-7000-8000-000000000000").status, 404);
}
