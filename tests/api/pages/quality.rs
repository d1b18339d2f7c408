//! Quality on pages: whoever scores, whoever is scored, and whoever has nothing to do with it.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::access::Role;
use hotline::clock::beijing_day;
use hotline::ticket::quality::week_of;
use serde_json::json;

use crate::people::{now, person, sign_in};
use crate::service::Service;

const POINTS: [(&str, &str); 6] = [
    ("greeting", "15"),
    ("listening", "10"),
    ("completeness", "20"),
    ("classification", "20"),
    ("answer", "15"),
    ("ending", "10"),
];

/// A request that this agent of Lhasa has dispatched, drawn for review a week later: its number and the review's id.
fn drawn(service: &Service, agent: &str) -> (String, String) {
    let request = json!({
        "city": "lhasa",
        "channel": "website",
        "type": "complaint",
        "title": "<script>alert(1)</script>",
        "content": "三天不亮。",
        "class": "0101",
    });
    let reply = service.post("/api/v1/tickets", &[], &request);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let number = reply.json()["number"].as_str().expect("a number").to_owned();
    let token = format!("Bearer {}", sign_in(service, agent));
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let dispatch = json!({ "command": "dispatch", "version": 1, "unit": "lhasa-housing" }).to_string();
    let reply =
        service.send_bytes("POST", &format!("/api/v1/tickets/{number}/commands"), &headers, dispatch.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    let at: DateTime<Utc> = now();
    let drawn = service.store.draw_reviews(week_of(beijing_day(at)), at + TimeDelta::days(7));
    assert_eq!(service.block_on(drawn), Ok(1));
    let review = &service.get("/api/v1/reviews").json()["items"][0];
    assert_eq!(review["ticket"], json!(number));
    (number, review["id"].as_str().expect("an id").to_owned())
}

fn people(service: &Service) {
    for (name, role, cities) in [
        ("agent", Role::Agent, &["lhasa"][..]),
        ("other", Role::Agent, &["lhasa"]),
        ("unit", Role::Unit, &["lhasa"]),
        ("sonam", Role::Supervisor, &["lhasa"]),
        ("pema", Role::Supervisor, &["lhasa"]),
        ("far", Role::Supervisor, &["ngari"]),
    ] {
        person(service, name, role, cities, false);
    }
}

#[test]
fn a_ticket_is_scored_appealed_against_and_decided() {
    let service = Service::start();
    people(&service);
    let (number, id) = drawn(&service, "agent");
    let [agent, sonam, pema] = ["agent", "sonam", "pema"].map(|name| service.browser(name));
    let path = format!("/quality/{id}");
    let list = sonam.page("/quality?city=&week=&review_state=open");
    assert!(list.contains(&number) && list.contains("随机抽取"));
    let form = sonam.page(&path);
    assert!(form.contains("name=\"completeness\" min=\"0\" max=\"25\"") && form.contains("初评"));
    assert!(!form.contains("<script>alert") && form.contains("script&#62;alert(1)"), "{form}");
    assert!(!agent.page(&path).contains("name=\"completeness\""));

    let too_many = POINTS.map(|(item, points)| (item, if item == "ending" { "11" } else { points }));
    assert_eq!(sonam.post(&format!("{path}/score"), &too_many).status, 400);
    assert_eq!(sonam.post(&format!("{path}/score"), &POINTS[1..]).status, 400);
    assert_eq!(agent.post(&format!("{path}/score"), &POINTS).status, 403);
    let note = [("note", "<b>没有核对地点</b>")];
    let given = sonam.sent(&format!("{path}/score"), &[&POINTS[..], &note].concat());
    assert_eq!(given, format!("{path}?done=scored"));
    assert_eq!(sonam.post(&format!("{path}/score"), &POINTS).status, 422, "nobody scores twice");

    let blind = pema.page(&path);
    assert!(blind.contains("复评") && !blind.contains("没有核对地点"), "a second score is given blind");
    assert!(pema.page("/quality").contains(&number) && !pema.page("/quality").contains(">90<"));
    let own = agent.page(&path);
    assert!(own.contains(">90<") && own.contains("b&#62;没有核对地点") && own.contains("提交申诉"), "{own}");
    assert_eq!(pema.post(&format!("{path}/appeal"), &[("text", "我不同意")]).status, 403);
    assert_eq!(agent.sent(&format!("{path}/appeal"), &[("text", "地点问过了")]), format!("{path}?done=appealed"));

    assert_eq!(sonam.post(&format!("{path}/decision"), &[("upheld", "no"), ("text", "维持")]).status, 422);
    let early = pema.post(&format!("{path}/decision"), &[("upheld", "yes"), ("text", "成立")]);
    assert_eq!(early.status, 422);
    assert!(early.text().contains("申诉成立前要先有复评。"));
    let best = POINTS.map(|(item, points)| (item, if item == "listening" { "15" } else { points }));
    pema.sent(&format!("{path}/score"), &best);
    pema.sent(&format!("{path}/decision"), &[("upheld", "yes"), ("text", "问过")]);
    let decided = agent.page(&path);
    assert!(decided.contains("申诉成立") && decided.contains("已裁定") && decided.contains(">95<"), "{decided}");
    let agreement = sonam.page("/quality");
    assert!(agreement.contains("5.0") && agreement.contains("100 %"), "{agreement}");
    let read = service.get("/api/v1/reviews/agreement").json();
    assert_eq!((&read["pairs"], &read["mean_difference"]), (&json!(1), &json!(5.0)));
    let acts = service.get(&format!("/api/v1/audit?subject={number}")).json();
    let acts: Vec<&str> =
        acts["items"].as_array().expect("acts").iter().filter_map(|act| act["action"].as_str()).collect();
    assert_eq!(acts[..4], ["scored", "scored", "appealed", "scored"]);
}

#[test]
fn reviews_of_others_are_not_there() {
    let service = Service::start();
    people(&service);
    let (number, id) = drawn(&service, "agent");
    let path = format!("/quality/{id}");
    for (name, seen) in [("agent", true), ("unit", true), ("pema", true), ("other", false), ("far", false)] {
        let browser = service.browser(name);
        assert_eq!(browser.get(&path).status == 200, seen, "{name}");
        assert_eq!(browser.page("/quality").contains(&number), seen, "{name}");
        if !seen {
            assert_eq!(browser.get(&path).status, 404, "{name}");
            assert_eq!(browser.post(&format!("{path}/appeal"), &[("text", "不同意")]).status, 404, "{name}");
        }
        for guessed in ["019aa8d2-0000-7000-8000-000000000000", "x", "..%2F..%2Fetc", "%ff"] {
            assert_eq!(browser.get(&format!("/quality/{guessed}")).status, 404, "{name} {guessed}");
        }
    }
    assert_eq!(service.browser("far").post(&format!("{path}/score"), &POINTS).status, 404);
}
