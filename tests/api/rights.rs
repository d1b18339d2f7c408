//! Which role may give which command, and which tickets and requesters it sees.

use hotline::access::Role;
use hotline::city::City;
use hotline::live::LiveCall;
use hotline::ticket::{Direction, Number};
use serde_json::{Value, json};

use crate::people::{now, person, sign_in};
use crate::reading::fill;
use crate::service::Service;

/// A complaint of a city, as the operator files it.
fn filed(service: &Service, city: &str, confidential: bool) -> String {
    let request = json!({
        "city": city,
        "channel": "website",
        "type": "complaint",
        "title": "路灯不亮",
        "content": "三天不亮。",
        "class": "0101",
        "name": "扎西",
        "phone": "13812345678",
        "confidential": confidential,
    });
    let reply = service.post("/api/v1/tickets", &[], &request);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["number"].as_str().expect("a number").to_owned()
}

/// One command for each right that commands need.
fn commands() -> Vec<(Value, &'static [Role])> {
    use Role::{Agent, Leader, Supervisor, Unit};
    vec![
        (json!({ "command": "withdraw", "why": "x" }), &[Agent, Supervisor]),
        (json!({ "command": "sign" }), &[Unit]),
        (json!({ "command": "note", "text": "x" }), &[Agent, Unit, Supervisor]),
        (json!({ "command": "pass" }), &[Supervisor]),
        (json!({ "command": "ask_exclusion", "reason": "x", "note": "x" }), &[Unit, Supervisor]),
        (json!({ "command": "instruct", "text": "x" }), &[Leader]),
        (json!({ "command": "supervise", "level": 1, "why": "x" }), &[Supervisor, Leader]),
        (json!({ "command": "step_up" }), &[]),
    ]
}

#[test]
fn every_kind_of_command_is_for_its_roles() {
    let service = Service::start();
    for role in Role::ALL {
        person(&service, role.name(), *role, &["lhasa"], false);
        let token = format!("Bearer {}", sign_in(&service, role.name()));
        for (mut command, roles) in commands() {
            let number = filed(&service, "lhasa", false);
            let dispatch = json!({ "command": "dispatch", "version": 1, "unit": "lhasa-housing" });
            assert_eq!(service.post(&format!("/api/v1/tickets/{number}/commands"), &[], &dispatch).status, 200);
            command["version"] = json!(2);
            let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
            let path = format!("/api/v1/tickets/{number}/commands");
            let reply = service.send_bytes("POST", &path, &headers, command.to_string().as_bytes());
            // what is allowed may still not fit the state
            assert_eq!(reply.status != 403, roles.contains(role), "{role} {command}: {}", reply.text());
        }
    }
}

#[test]
fn a_user_sees_their_cities_and_a_unit_its_tickets() {
    let service = Service::start();
    let (own, foreign) = (filed(&service, "lhasa", false), filed(&service, "chamdo", false));
    person(&service, "agent", Role::Agent, &["lhasa"], false);
    person(&service, "unit", Role::Unit, &["lhasa"], false);
    let tokens = ["agent", "unit"].map(|name| (name, format!("Bearer {}", sign_in(&service, name))));
    let get = |name: &str, path: &str| {
        let (_, token) = tokens.iter().find(|(of, _)| *of == name).expect("signed in");
        service.ask("GET", path, &[("authorization", token)])
    };
    let read = |name: &str, number: &str| get(name, &format!("/api/v1/tickets/{number}")).status.as_u16();
    assert_eq!((read("agent", &own), read("agent", &foreign)), (200, 404));
    assert_eq!(read("unit", &own), 404, "not dispatched yet");
    let dispatch = json!({ "command": "dispatch", "version": 1, "unit": "lhasa-housing" });
    assert_eq!(service.post(&format!("/api/v1/tickets/{own}/commands"), &[], &dispatch).status, 200);
    assert_eq!(read("unit", &own), 200);
    for (name, expected) in [("agent", 1), ("unit", 1)] {
        let list = get(name, "/api/v1/tickets").json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(expected), "{name}");
        let other = get(name, "/api/v1/tickets?city=chamdo");
        assert_eq!(other.json()["items"].as_array().map(Vec::len), Some(0), "{name}");
    }
}

#[test]
fn units_add_files_to_their_own_tickets_and_who_only_reads_adds_none() {
    let service = Service::start();
    let number = filed(&service, "lhasa", false);
    for (name, role) in [("agent", Role::Agent), ("unit", Role::Unit), ("auditor", Role::Auditor)] {
        person(&service, name, role, &["lhasa"], false);
    }
    let tokens = ["agent", "unit", "auditor"].map(|name| (name, format!("Bearer {}", sign_in(&service, name))));
    let attach = |name: &str| {
        let (_, token) = tokens.iter().find(|(of, _)| *of == name).expect("signed in");
        let headers = [("authorization", token.as_str()), ("content-type", "text/plain")];
        let path = format!("/api/v1/tickets/{number}/attachments?name=note.txt");
        service.send_bytes("POST", &path, &headers, b"seen").status.as_u16()
    };
    assert_eq!((attach("agent"), attach("unit"), attach("auditor")), (201, 404, 403));
    let dispatch = json!({ "command": "dispatch", "version": 1, "unit": "lhasa-housing" });
    assert_eq!(service.post(&format!("/api/v1/tickets/{number}/commands"), &[], &dispatch).status, 200);
    assert_eq!((attach("unit"), attach("auditor")), (201, 403));
}

#[test]
fn the_audit_of_another_citys_tickets_is_not_shown() {
    let service = Service::start();
    let (own, foreign) = (filed(&service, "lhasa", false), filed(&service, "chamdo", false));
    person(&service, "tenzin", Role::Supervisor, &["lhasa"], true);
    let token = format!("Bearer {}", sign_in(&service, "tenzin"));
    let get = |path: &str| service.ask("GET", path, &[("authorization", &token)]);
    let subjects: Vec<Value> = get("/api/v1/audit").json()["items"]
        .as_array()
        .expect("acts")
        .iter()
        .map(|act| act["subject"].clone())
        .collect();
    assert!(subjects.contains(&json!(own)) && !subjects.contains(&json!(foreign)), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.as_str().is_some_and(|text| text.starts_with("account "))));
    assert_eq!(get(&format!("/api/v1/audit?subject={foreign}")).json()["items"], json!([]));
    // a time that no database of ours holds: `-9000000000000000000 1 x`
    assert_eq!(get("/api/v1/audit?cursor=LTkwMDAwMDAwMDAwMDAwMDAwMDAgMSB4").status, 400);
}

#[test]
fn only_named_people_see_a_confidential_requester() {
    let service = Service::start();
    let number = filed(&service, "lhasa", true);
    person(&service, "agent", Role::Agent, &["lhasa"], false);
    person(&service, "named", Role::Supervisor, &["lhasa"], true);
    let tokens = ["agent", "named"].map(|name| (name, format!("Bearer {}", sign_in(&service, name))));
    let ask = |name: &str, rest: &str, body: Option<&Value>| {
        let (_, token) = tokens.iter().find(|(of, _)| *of == name).expect("signed in");
        let path = format!("/api/v1/tickets/{number}{rest}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        match body {
            None => service.ask("GET", &path, &headers[..1]),
            Some(body) => service.send_bytes("POST", &path, &headers, body.to_string().as_bytes()),
        }
    };
    let seen = ask("agent", "", None).json();
    assert_eq!((&seen["phone"], &seen["name"], &seen["requester_hidden"]), (&Value::Null, &Value::Null, &json!(true)));
    let reason = json!({ "reason": "核实" });
    assert_eq!(ask("agent", "/reveal", Some(&reason)).status, 403);
    assert_eq!(ask("named", "", None).json()["phone"], "138****5678");
    assert_eq!(ask("named", "/reveal", Some(&reason)).json()["phone"], "13812345678");
}

#[test]
fn calls_are_of_the_callers_cities_and_their_numbers_for_named_people() {
    let service = Service::start();
    // an even one is of Lhasa, an odd one of Shigatse
    let (own, foreign) = (fill(&service, 2), fill(&service, 3));
    service.live.put(live_call("a", City::Lhasa));
    service.live.put(live_call("b", City::Shigatse));
    person(&service, "agent", Role::Agent, &["lhasa"], false);
    person(&service, "named", Role::Supervisor, &["lhasa", "shigatse"], true);
    let tokens = ["agent", "named"].map(|name| (name, format!("Bearer {}", sign_in(&service, name))));
    let get = |name: &str, path: &str| {
        let (_, token) = tokens.iter().find(|(of, _)| *of == name).expect("signed in");
        service.ask("GET", path, &[("authorization", token)])
    };
    let items = |name: &str, path: &str| get(name, path).json()["items"].as_array().expect("a list").clone();
    let calls = items("agent", "/api/v1/calls");
    assert_eq!((calls.len(), &calls[0]["city"], &calls[0]["phone"]), (1, &json!("lhasa"), &Value::Null));
    assert_eq!(items("agent", "/api/v1/calls?city=shigatse"), Vec::<Value>::new());
    assert_eq!(items("agent", "/api/v1/live/calls").len(), 1);
    let (all, live) = (items("named", "/api/v1/calls"), items("named", "/api/v1/live/calls"));
    assert_eq!((all.len(), live.len(), all[0]["phone"].is_string()), (2, 2, true));

    let call_of = |number: Number| {
        let ticket = service.get(&format!("/api/v1/tickets/{number}")).json();
        ticket["call"].as_str().expect("a call").to_owned()
    };
    let keys = |name: &str| {
        let events = get(name, &format!("/api/v1/calls/{}", call_of(own))).json()["events"].clone();
        let events = events.as_array().expect("events").clone();
        events.into_iter().find(|event| event["kind"] == "key").expect("a key")["text"].clone()
    };
    assert_eq!((keys("agent"), keys("named")), (json!("*"), json!("1 rfc4733")));
    assert_eq!(get("agent", &format!("/api/v1/calls/{}", call_of(foreign))).status, 404);
    let sound = |number: Number| {
        let ticket = service.get(&format!("/api/v1/tickets/{number}")).json();
        format!("/api/v1/recordings/{}/audio", ticket["recordings"][0]["id"].as_str().expect("an id"))
    };
    assert_eq!(get("agent", &sound(foreign)).status, 404);
}

fn live_call(id: &str, city: City) -> LiveCall {
    let started_at = now();
    LiveCall {
        id: id.to_owned(),
        direction: Direction::Inbound,
        city,
        language: None,
        node: "menu".to_owned(),
        started_at,
        recording: false,
    }
}

#[test]
fn the_audit_names_who_acted_to_colleagues_and_not_to_other_systems() {
    let service = Service::start();
    let number = filed(&service, "lhasa", false);
    for (name, role) in [("dolma", Role::Agent), ("unit", Role::Unit), ("auditor", Role::Auditor)] {
        person(&service, name, role, &["lhasa"], false);
    }
    let note = json!({ "command": "note", "text": "回电", "version": 1 }).to_string();
    let token = |name: &str| format!("Bearer {}", sign_in(&service, name));
    let path = format!("/api/v1/tickets/{number}");
    let json = [("authorization", &*token("dolma")), ("content-type", "application/json")];
    let reply = service.send_bytes("POST", &format!("{path}/commands"), &json, note.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    let dispatch = json!({ "command": "dispatch", "version": 2, "unit": "lhasa-housing" });
    assert_eq!(service.post(&format!("{path}/commands"), &[], &dispatch).status, 200);
    let client = |name: &str, scopes: &[&str]| {
        let made = service.post("/api/v1/clients", &[], &json!({ "name": name, "scopes": scopes, "cities": [] }));
        format!("Bearer {}", made.json()["token"].as_str().expect("a token"))
    };
    let get = |token: &str, path: &str| service.ask("GET", path, &[("authorization", token)]).json();
    let names = |act: &Value| (act["actor_name"].clone(), act["actor_account"].clone());
    let dolma = || (json!("dolma"), json!("dolma"));
    for name in ["dolma", "unit", "auditor"] {
        let acts = get(&token(name), &path)["audit"].clone();
        assert_eq!(names(&acts[1]), dolma(), "{name}: {acts}");
        assert_eq!((&acts[2]["actor"], names(&acts[2])), (&json!("operator"), (Value::Null, Value::Null)));
    }
    let acts = get(&client("wechat", &["tickets:read"]), &path)["audit"].clone();
    assert_eq!(names(&acts[1]), (Value::Null, Value::Null));
    assert!(acts[1]["actor"].as_str().is_some_and(|actor| actor.starts_with("account ")), "{acts}");
    let list = format!("/api/v1/audit?subject={number}");
    for token in [token("auditor"), client("archive", &["tickets:read", "audit:read"])] {
        assert_eq!(names(&get(&token, &list)["items"][1]), dolma());
        let made = get(&token, "/api/v1/audit?actor=operator")["items"].clone();
        assert!(made.as_array().is_some_and(|acts| acts.iter().all(|act| act["actor_name"].is_null())));
    }
}
