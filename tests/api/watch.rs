//! What is looked after: likely repeats, figures, and supervision by hand.

use serde_json::{Value, json};

use crate::service::Service;

fn filed(service: &Service, phone: &str, title: &str, place: &str, kind: &str) -> Value {
    let request = json!({
        "city": "lhasa", "channel": "wechat", "type": kind, "title": title, "content": title, "class": "0105",
        "place": place, "phone": phone,
    });
    let reply = service.post("/api/v1/tickets", &[], &request);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn matches(service: &Service, ticket: &Value) -> Value {
    let number = ticket["number"].as_str().expect("a number");
    service.get(&format!("/api/v1/tickets/{number}/matches")).json()["items"].clone()
}

#[test]
fn likely_repeats_are_proposed_with_what_speaks_for_them() {
    let service = Service::start();
    let one = filed(&service, "13812345678", "路灯不亮", "宇拓路3号", "complaint");
    let repeat = filed(&service, "13812345678", "路灯不亮", "宇拓路 3 号", "complaint");
    let report = filed(&service, "13812345678", "路灯不亮", "宇拓路三号", "report");
    let found = matches(&service, &one);
    assert_eq!((&found[0]["number"], &found[1]["number"]), (&repeat["number"], &report["number"]));
    assert_eq!(found[0]["parts"]["phone"], 400);
    let expected = json!({ "phone": 0, "shielded": true, "title": null, "place": null });
    let shown = &found[1];
    assert_eq!(
        json!({ "phone": shown["parts"]["phone"], "shielded": shown["shielded"], "title": shown["title"], "place": shown["place"] }),
        expected
    );
    let text = found.to_string();
    assert!(!text.contains("13812345678") && !text.contains('*'), "{text}");
    assert_eq!(service.get("/api/v1/tickets/126112200012/matches").status, 404);
}

#[test]
fn an_overview_counts_what_is_open() {
    let service = Service::start();
    filed(&service, "13812345678", "路灯不亮", "宇拓路3号", "complaint");
    let overview = service.get("/api/v1/overview").json();
    let lhasa = &overview["cities"]["lhasa"];
    assert_eq!((&lhasa["states"]["received"], &lhasa["states"]["in_progress"]), (&json!(1), &json!(0)));
    assert_eq!((&lhasa["overdue"], &lhasa["supervised"]), (&json!(0), &json!([0, 0, 0, 0])));
    assert_eq!(overview["cities"]["ngari"], Value::Null);
}

#[test]
fn a_matter_is_supervised_by_hand_from_beginning_to_end() {
    let service = Service::start();
    let ticket = filed(&service, "13812345678", "路灯不亮", "宇拓路 3 号", "complaint");
    let send = |path: &str, body: Value| service.post(&format!("/api/v1/supervision{path}"), &[], &body);
    let matter = json!({ "city": "lhasa", "class": "0105", "place": "宇拓路３号", "level": 2, "why": "媒体关注" });
    let opened = send("", matter.clone());
    assert_eq!(opened.status, 200, "{}", opened.text());
    let opened = opened.json();
    assert_eq!((&opened["place"], &opened["level"], &opened["tickets"]), (&json!("宇拓路3号"), &json!(2), &json!(1)));
    let number = ticket["number"].as_str().expect("a number");
    assert_eq!(service.get(&format!("/api/v1/tickets/{number}")).json()["supervision"], 1);
    let id = opened["id"].as_str().expect("an id");
    let refused = |reply: crate::service::Reply| (reply.status.as_u16(), reply.json()["refused"].clone());
    assert_eq!(refused(send("", matter)), (422, json!("open_already")));
    assert_eq!(
        refused(send(&format!("/{id}/step"), json!({ "level": 2, "why": "again" }))),
        (422, json!("same_level"))
    );
    let moved = send(&format!("/{id}/step"), json!({ "level": 3, "why": "on site" })).json();
    assert_eq!(moved["level"], 3);
    let listed = || service.get("/api/v1/supervision?city=lhasa").json();
    assert_eq!(listed()["items"][0]["id"], opened["id"]);
    assert_eq!(send(&format!("/{id}/end"), json!({ "why": " " })).json()["parameter"], "why");
    let ended = send(&format!("/{id}/end"), json!({ "why": "settled" })).json();
    assert_eq!(ended["ended_by"], "operator");
    assert_eq!(refused(send(&format!("/{id}/end"), json!({ "why": "again" }))), (422, json!("ended")));
    assert_eq!(listed()["items"], json!([]));
    assert_eq!(service.get("/api/v1/supervision?ended=true").json()["items"][0]["id"], opened["id"]);
    let audit =
        service.get("/api/v1/audit?subject=matter%20lhasa%200105%20%E5%AE%87%E6%8B%93%E8%B7%AF3%E5%8F%B7").json();
    let actions: Vec<&str> =
        audit["items"].as_array().expect("acts").iter().filter_map(|act| act["action"].as_str()).collect();
    assert_eq!(actions, ["supervision_ended", "stepped_up", "supervised"]);
}

#[test]
fn what_can_not_be_supervised_is_said_to_be_so() {
    let service = Service::start();
    let send = |body: Value| service.post("/api/v1/supervision", &[], &body);
    let nowhere = json!({ "city": "ngari", "unit": "lhasa-housing", "level": 1, "why": "many ask" });
    assert_eq!(send(nowhere).json()["refused"], "unknown");
    let both = json!({ "city": "lhasa", "class": "0105", "unit": "lhasa-housing", "level": 1, "why": "many ask" });
    assert_eq!(send(both).status, 400);
    let level = json!({ "city": "lhasa", "unit": "lhasa-housing", "level": 5, "why": "many ask" });
    assert_eq!((send(level.clone()).status.as_u16(), &send(level).json()["parameter"]), (400, &json!("level")));
    assert_eq!(service.get("/api/v1/supervision?ended=perhaps").status, 400);
    let unknown = "/api/v1/supervision/019aa8d2-0000-7000-8000-000000000000/end";
    assert_eq!(service.post(unknown, &[], &json!({ "why": "settled" })).status, 404);
}
