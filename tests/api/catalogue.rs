//! The catalogue and the calendar through the API.

use hotline::access::Role;
use serde_json::{Value, json};

use crate::people::{person, sign_in};
use crate::service::{Reply, Service, bearer};

fn put(service: &Service, path: &str, document: &Value) -> Reply {
    let headers = [("authorization", bearer()), ("content-type", "application/json".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    service.send_bytes("PUT", path, &headers, document.to_string().as_bytes())
}

fn items(service: &Service, path: &str) -> Vec<Value> {
    service.get(path).json()["items"].as_array().expect("items").clone()
}

/// The entry without its code, as it is sent.
fn entry(service: &Service, path: &str, key: &str, code: &str) -> Value {
    let found = items(service, path).into_iter().find(|item| item[key] == code);
    let mut entry = found.expect("it is there");
    let members = entry.as_object_mut().expect("an object");
    members.remove(key);
    members.remove("kind");
    entry
}

#[test]
fn the_catalogue_is_listed_and_narrowed() {
    let service = Service::start();
    let classes = items(&service, "/api/v1/classes");
    assert_eq!((&classes[0]["code"], &classes[1]["code"]), (&json!("01"), &json!("0101")));
    let units = items(&service, "/api/v1/units?city=nagqu");
    assert!(!units.is_empty() && units.iter().all(|unit| unit["city"] == "nagqu"));
    let refusals = items(&service, "/api/v1/reasons?kind=refusal");
    assert!(refusals.iter().all(|reason| reason["told_to_requester"].is_string()));
    let knowledge = items(&service, "/api/v1/knowledge?city=lhasa&active=true");
    assert_eq!(knowledge[0]["id"], "social-insurance");
    assert_eq!(items(&service, "/api/v1/knowledge?active=false"), Vec::<Value>::new());
    assert_eq!(service.get("/api/v1/units?city=beijing").status, 400);
    assert_eq!(service.get("/api/v1/reasons?kind=whim").status, 400);
}

#[test]
fn an_entry_is_added_changed_and_retired() {
    let service = Service::start();
    let mut class = entry(&service, "/api/v1/classes", "code", "0101");
    assert_eq!(put(&service, "/api/v1/classes/0199", &class).status, 201);
    class["active"] = json!(false);
    let retired = put(&service, "/api/v1/classes/0199", &class);
    assert_eq!((retired.status.as_u16(), &retired.json()["code"]), (200, &json!("0199")));
    let gone = items(&service, "/api/v1/classes?active=false");
    assert_eq!((gone.len(), &gone[0]["code"]), (1, &json!("0199")));

    let group = json!({ "zh": "其他", "bo": "གཞན" });
    assert_eq!(put(&service, "/api/v1/classes/77", &group).status, 201);
    let mut unit = entry(&service, "/api/v1/units", "code", "lhasa-housing");
    unit["classes"] = json!(["77"]);
    assert_eq!(put(&service, "/api/v1/units/lhasa-housing", &unit).json()["classes"], json!(["77"]));
    let reason = json!({ "zh": "材料不齐", "bo": "ཡིག་ཆ་མ་ཚང་བ" });
    assert_eq!(put(&service, "/api/v1/reasons/return/papers_missing", &reason).status, 201);
    let mut answer = entry(&service, "/api/v1/knowledge", "id", "social-insurance");
    answer["position"] = json!(9);
    assert_eq!(put(&service, "/api/v1/knowledge/social-insurance", &answer).json()["position"], 9);
    let audit = items(&service, "/api/v1/audit?subject=knowledge%20social-insurance");
    assert_eq!((&audit[0]["action"], &audit[0]["actor"]), (&json!("changed"), &json!("operator")));
    assert_eq!(audit[0]["changes"], json!([{ "field": "position", "was": "1", "is": "9" }]));
}

#[test]
fn a_unit_begins_with_its_own_templates_and_everybodys() {
    let service = Service::start();
    person(&service, "tsering", Role::Unit, &["lhasa"], false);
    person(&service, "boss", Role::Administrator, &["lhasa"], false);
    let (unit, boss) = (sign_in(&service, "tsering"), sign_in(&service, "boss"));
    let sent = |of: Value, kind: &str| json!({ "unit": of, "city": "lhasa", "kind": kind, "title": "收到", "text_zh": "您好。" });
    let put = |token: &str, id: &str, document: &Value| {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let path = format!("/api/v1/reply-templates/{id}");
        service.send_bytes("PUT", &path, &headers, document.to_string().as_bytes())
    };
    assert_eq!(put(&unit, "mine", &sent(json!("lhasa-housing"), "reply")).status, 201);
    assert_eq!(put(&unit, "mine", &sent(json!("lhasa-housing"), "contact")).json()["kind"], "contact");
    assert_eq!(put(&boss, "all", &sent(Value::Null, "reply")).status, 201);
    assert_eq!(put(&boss, "other", &sent(json!("lhasa-health"), "reply")).status, 201);
    for (id, of) in [("all", Value::Null), ("other", json!("lhasa-housing")), ("mine", json!("lhasa-health"))] {
        assert_eq!(put(&unit, id, &sent(of, "reply")).status, 403, "{id}");
    }
    let everywhere = json!({ "kind": "reply", "title": "收到", "text_zh": "您好。" });
    assert_eq!(put(&boss, "everywhere", &everywhere).status, 403, "not given every city");
    let listed = |query: &str| {
        let path = format!("/api/v1/reply-templates{query}");
        let reply = service.ask("GET", &path, &[("authorization", &format!("Bearer {unit}"))]);
        let items = reply.json()["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(""), ["mine", "all"]);
    assert_eq!(listed("?template_kind=reply&active=true"), ["all"]);
}

#[test]
fn what_does_not_fit_names_the_member_and_what_stands_against_it_is_a_conflict() {
    let service = Service::start();
    let mut told = String::new();
    let unit = entry(&service, "/api/v1/units", "code", "lhasa-housing");
    let class = entry(&service, "/api/v1/classes", "code", "0101");
    let answer = entry(&service, "/api/v1/knowledge", "id", "social-insurance");
    let with = |entry: &Value, member: &str, value: Value| {
        let mut changed = entry.clone();
        changed[member] = value;
        changed
    };
    let plain = json!({ "zh": "原因", "bo": "རྒྱུ་མཚན" });
    for (path, document) in [
        ("classes/7801", class.clone()),
        ("classes/781", class.clone()),
        ("classes/01", class.clone()),
        ("classes/01", json!({ "zh": "建设", "bo": "འཛུགས་སྐྲུན", "active": false })),
        ("classes/0101", with(&class, "zh", json!(""))),
        ("classes/0101", with(&class, "colour", json!("red"))),
        ("units/lhasa-housing", with(&unit, "classes", json!(["7999"]))),
        ("units/lhasa-housing", with(&unit, "city", json!("ngari"))),
        ("reasons/refusal/too_late", plain.clone()),
        ("reasons/return/litigation", plain.clone()),
        ("reasons/whim/litigation", plain),
        ("knowledge/social-insurance", with(&answer, "unit", json!("lhasa-nobody"))),
        ("knowledge/social-insurance", with(&answer, "city", json!("ngari"))),
        ("knowledge/social-insurance", with(&answer, "prompt", Value::Null)),
    ] {
        let reply = put(&service, &format!("/api/v1/{path}"), &document);
        let problem = reply.json();
        let member = problem["parameter"].as_str().unwrap_or("-");
        told +=
            &format!("{path}: {} {member}: {}\n", reply.status.as_u16(), problem["detail"].as_str().expect("words"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn an_announcement_shows_what_it_moves_before_it_moves_it() {
    let service = Service::start();
    let before = service.get("/api/v1/calendar").json();
    let announcement =
        json!({ "announcements": [{ "scope": "nagqu", "year": 2098, "off": ["2098-08-01"], "work": [] }] });
    let shown = put(&service, "/api/v1/calendar?dry_run=true", &announcement);
    assert_eq!((shown.status.as_u16(), shown.json()), (200, json!({ "dry_run": true, "moved": [] })));
    assert_eq!(service.get("/api/v1/calendar").json(), before);
    assert_eq!(put(&service, "/api/v1/calendar", &announcement).json()["dry_run"], false);
    let announced = service.get("/api/v1/calendar").json();
    assert!(announced["announcements"].as_array().expect("a list").contains(&announcement["announcements"][0]));
}

#[test]
fn announcements_are_taken_as_toml_too() {
    let service = Service::start();
    let send = |text: &str| {
        let token = bearer();
        let headers = [("authorization", token.as_str()), ("content-type", "application/toml")];
        service.send_bytes("PUT", "/api/v1/calendar", &headers, text.as_bytes())
    };
    assert_eq!(send("[region.2098]\noff = [\"2098-03-28\"]\n").status, 200);
    let wrong = send("[region.2098]\noff = [\"2099-03-28\"]\n");
    assert_eq!((wrong.status.as_u16(), &wrong.json()["parameter"]), (400, &json!("region.2098.off[0]")));
    assert_eq!(wrong.json()["detail"], "Line 2: 2099-03-28 is not in 2098.");
    let both = json!({ "announcements": [{ "scope": "region", "year": 2098, "off": ["2098-01-01"], "work": ["2098-01-01"] }] });
    let wrong = put(&service, "/api/v1/calendar", &both);
    assert_eq!((wrong.status.as_u16(), &wrong.json()["parameter"]), (400, &json!("announcements[0]")));
}

#[test]
fn a_ticket_says_why_it_is_due_that_day() {
    let service = Service::start();
    let number = crate::reading::fill(&service, 2);
    let reply = service.get(&format!("/api/v1/tickets/{number}/due"));
    let due = reply.text();
    insta::assert_snapshot!(due.replace("},{", "},\n{"));
    assert_eq!(service.get("/api/v1/tickets/126112299990/due").status, 404);
}
