//! Return visits over HTTP: why each has not been made yet, and what people do about it.

use chrono::{DateTime, Utc};
use hotline::access::Role;
use hotline::callback;
use hotline::store::{Ceilings, Holder, Order, Rules, Settlement, Store};
use hotline::ticket::{Actor, Command, Number, Outcome, Said, Side, Solved, VisitCall};
use serde_json::{Value, json};

use crate::people::{person, sign_in};
use crate::service::{Reply, Service};

/// Thursday, 10:00 in Beijing.
fn thursday() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

/// A complaint of a city that is answered directly on that Thursday, so that its visit is due.
fn closed(service: &Service, city: &str, phone: &str, confidential: bool) -> String {
    let request = json!({
        "city": city, "channel": "website", "type": "complaint", "title": "路灯不亮", "content": "三天不亮。",
        "class": "0101", "phone": phone, "confidential": confidential,
    });
    let reply = service.post("/api/v1/tickets", &[], &request);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let number = reply.json()["number"].as_str().expect("a number").to_owned();
    let order = Order {
        number: number.parse().expect("a number"),
        version: None,
        command: Command::Answer { reply: "已修复".parse().expect("a text") },
        actor: Actor::Operator,
        side: Side::Hotline,
        address: None,
    };
    service.block_on(service.store.execute(&order, thursday())).expect("answered");
    service.block_on(service.store.plan_visits(thursday())).expect("planned");
    number
}

fn lease(service: &Service) -> Vec<VisitCall> {
    let holder = Holder { node: "lhasa-1".to_owned(), start: "1".to_owned() };
    let plenty = Ceilings { live: 10, per_second: 10 };
    service.block_on(service.store.lease_visits(&holder, 10, plenty, thursday())).expect("leased")
}

fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().expect("a list").clone()
}

fn path(ticket: &str, rest: &str) -> String {
    format!("/api/v1/visits/{ticket}{rest}")
}

#[test]
fn a_visit_is_listed_with_its_plan_and_why_it_has_not_been_made_yet() {
    let service = Service::start();
    let ticket = closed(&service, "lhasa", "13812345678", false);
    let visit = items(&service.get("/api/v1/visits")).remove(0);
    assert_eq!((&visit["ticket"], &visit["state"], &visit["step"]), (&json!(ticket), &json!("due"), &json!("call")));
    assert_eq!((&visit["next_at"], &visit["held"]), (&json!("2026-11-26T02:00:00Z"), &json!("due")));
    assert_eq!((&visit["phone"], &visit["first_by"]), (&json!("138****5678"), &json!("2026-11-27T15:59:59Z")));
    for (query, found) in [
        ("city=lhasa&state=due&step=call", 1),
        ("city=ngari", 0),
        ("state=answered", 0),
        ("state=answered,due", 1),
        ("step=person", 0),
        ("limit=1", 1),
    ] {
        assert_eq!(items(&service.get(&format!("/api/v1/visits?{query}"))).len(), found, "{query}");
    }
    for query in ["state=lost", "step=walk", "due=soon", "city=beijing"] {
        assert_eq!(service.get(&format!("/api/v1/visits?{query}")).status, 400, "{query}");
    }
    let paused = service.post("/api/v1/visits/pause", &[], &json!({ "city": "lhasa", "why": "earthquake" }));
    assert_eq!(items(&paused)[0]["why"], "earthquake");
    assert_eq!(items(&service.get("/api/v1/visits"))[0]["why"], "paused");
    assert!(lease(&service).is_empty());
    let again = service.post("/api/v1/visits/pause", &[], &json!({ "city": "lhasa", "why": "earthquake" }));
    assert_eq!(again.status, 409);
    assert!(items(&service.post("/api/v1/visits/resume", &[], &json!({ "city": "lhasa" }))).is_empty());
    assert_eq!(service.post("/api/v1/visits/resume", &[], &json!({ "city": "lhasa" })).status, 409);
    assert!(items(&service.get("/api/v1/visits/pauses")).is_empty());
    assert_eq!(lease(&service).len(), 1);
}

#[test]
fn every_attempt_is_shown_with_what_was_said() {
    let service = Service::start();
    let ticket = closed(&service, "lhasa", "13812345678", false);
    let call = lease(&service).remove(0);
    service.block_on(service.store.attempt_said(call.attempt, Said::Solved(Solved::Partly), thursday())).expect("kept");
    let live = service.get(&path(&ticket, "")).json();
    assert_eq!((&live["visits"][0]["step"], &live["visits"][0]["why"]), (&json!("live"), &json!("a call goes on")));
    assert_eq!((&live["attempts"][0]["ended_at"], &live["attempts"][0]["solved"]), (&Value::Null, &json!("partly")));
    let settlement = Settlement {
        attempt: call.attempt,
        outcome: Outcome::NoKey,
        status: None,
        q850: Some(16),
        message_left: false,
        early: None,
    };
    service.block_on(service.store.settle_attempt(&settlement, thursday())).expect("settled");
    let settled = service.get(&path(&ticket, "")).json();
    assert_eq!((&settled["attempts"][0]["outcome"], &settled["attempts"][0]["q850"]), (&json!("no_key"), &json!(16)));
    assert_eq!(settled["visits"][0]["why"], "answered without pressing a key");
    assert_eq!(service.get(&path("126112200012", "")).status, 404);
    assert_eq!(service.get(&path("me", "")).status, 404);
}

#[test]
fn a_skipped_visit_is_a_task_that_a_person_answers() {
    let service = Service::start();
    let ticket = closed(&service, "lhasa", "13812345678", false);
    assert!(items(&service.get("/api/v1/visits/tasks")).is_empty());
    let why = json!({ "why": "住院" });
    assert_eq!(service.post(&path(&ticket, "/skip"), &[], &json!({ "why": "x" })).status, 400);
    assert_eq!(service.post(&path(&ticket, "/skip"), &[], &why).json()["visits"][0]["step"], "person");
    let again = service.post(&path(&ticket, "/skip"), &[], &why);
    assert_eq!((again.status.as_u16(), &again.json()["refused"]), (422, &json!("person_already")));
    let tasks = items(&service.get("/api/v1/visits/tasks?city=lhasa"));
    assert_eq!((tasks.len(), &tasks[0]["held"]), (1, &json!("skipped")));
    let both = json!({ "solved": "yes", "none_because": "unreached" });
    assert_eq!(service.post(&path(&ticket, "/answers"), &[], &both).json()["parameter"], "none_because");
    let nothing = service.post(&path(&ticket, "/answers"), &[], &json!({}));
    assert_eq!((nothing.status.as_u16(), &nothing.json()["refused"]), (422, &json!("no_answers")));
    let answers = json!({ "contacted": "late", "solved": "yes", "satisfaction": 4 });
    let answered = service.post(&path(&ticket, "/answers"), &[], &answers);
    assert_eq!(answered.status, 200, "{}", answered.text());
    let visit = &answered.json()["visits"][0];
    assert_eq!((&visit["state"], &visit["means"], &visit["why"]), (&json!("answered"), &json!("person"), &Value::Null));
    assert!(items(&service.get("/api/v1/visits/tasks")).is_empty());
    let acts = service.get(&format!("/api/v1/audit?subject={ticket}")).json();
    let actions: Vec<&Value> = acts["items"].as_array().expect("acts").iter().map(|act| &act["action"]).collect();
    assert_eq!(actions[..2], [&json!("visited"), &json!("changed")]);
    let unreached = closed(&service, "lhasa", "13812345679", false);
    let ended = service.post(&path(&unreached, "/answers"), &[], &json!({ "none_because": "unreached" }));
    assert_eq!(ended.json()["visits"][0]["state"], "unreached");
}

#[test]
fn a_number_opts_out_and_back_and_is_never_shown_whole() {
    let service = Service::start();
    let number = json!({ "phone": "+86 138 1234 5678" });
    let listed = items(&service.post("/api/v1/visits/opt-outs", &[], &number));
    assert_eq!((&listed[0]["phone"], &listed[0]["actor"]), (&json!("138****5678"), &json!("operator")));
    assert_eq!(service.post("/api/v1/visits/opt-outs", &[], &number).status, 409);
    assert_eq!(service.post("/api/v1/visits/opt-outs", &[], &json!({ "phone": "" })).json()["parameter"], "phone");
    let ticket = closed(&service, "lhasa", "13812345678", false);
    assert_eq!(service.get(&path(&ticket, "")).json()["visits"][0]["held"], "opted_out");
    assert!(items(&service.post("/api/v1/visits/opt-outs/remove", &[], &number)).is_empty());
    assert_eq!(service.post("/api/v1/visits/opt-outs/remove", &[], &number).status, 409);
    assert!(!service.get("/api/v1/audit").text().contains("13812345678"));
    assert!(!crate::service::logged().contains("13812345678"));
}

/// Has the number asked by SMS.
fn asked_by_sms(service: &Service, phone: &str) -> String {
    let visits = callback::Config { calls: false, ..callback::Config::default() };
    let store: Store = service.store.clone().with_rules(Rules { sms: true, visits, ..Rules::default() });
    let ticket = closed(service, "lhasa", phone, false);
    service.block_on(async {
        let number: Number = ticket.parse().expect("a number");
        let called = store.plan_visits(thursday()).await;
        assert_eq!(called, Ok(0), "{number} is to be called");
        let holder = Holder { node: "lhasa-1".to_owned(), start: "1".to_owned() };
        let plenty = Ceilings { live: 10, per_second: 10 };
        let calls = store.lease_visits(&holder, 10, plenty, thursday()).await.expect("looked");
        assert_eq!(calls, [], "calls are off: it is asked by SMS instead");
    });
    ticket
}

#[test]
fn the_gateway_hands_in_what_requesters_answer() {
    let service = Service::start();
    let ticket = asked_by_sms(&service, "13812345678");
    assert_eq!(service.get(&path(&ticket, "")).json()["visits"][0]["step"], "reply");
    let gateway = json!({ "name": "gateway", "scopes": ["visits:reply"], "cities": [] });
    let gateway = service.post("/api/v1/clients", &[], &gateway).json()["token"].as_str().expect("a token").to_owned();
    let elsewhere = json!({ "name": "elsewhere", "scopes": ["visits:reply"], "cities": ["ngari"] });
    let elsewhere = service.post("/api/v1/clients", &[], &elsewhere).json()["token"].as_str().expect("one").to_owned();
    let send = |token: &str, phone: &str, text: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = json!({ "phone": phone, "text": text }).to_string();
        service.send_bytes("POST", "/api/v1/visits/sms-reply", &headers, body.as_bytes())
    };
    let unreadable = send(&gateway, "13812345678", "好的");
    assert_eq!((unreadable.status.as_u16(), &unreadable.json()["refused"]), (422, &json!("unreadable")));
    assert_eq!(send(&gateway, "13812345679", "115").status, 404);
    assert_eq!(send(&elsewhere, "13812345678", "115").status, 404);
    assert_eq!(send(&gateway, "13812345678", "1 1 2").json(), json!({ "ticket": ticket, "new": true }));
    assert_eq!(send(&gateway, "13812345678", "1 1 2").json(), json!({ "ticket": ticket, "new": false }));
    let archived = service.get(&format!("/api/v1/tickets/{ticket}")).json();
    assert_eq!((&archived["state"], &archived["satisfaction"]), (&json!("archived"), &json!(4)));
    assert!(!crate::service::logged().contains("13812345678"));
}

#[test]
fn visits_are_of_the_callers_cities_and_their_numbers_for_named_people() {
    let service = Service::start();
    let (own, foreign) =
        (closed(&service, "lhasa", "13812345678", true), closed(&service, "chamdo", "13812345679", false));
    person(&service, "agent", Role::Agent, &["lhasa"], false);
    person(&service, "named", Role::Supervisor, &["lhasa"], true);
    let tokens = ["agent", "named"].map(|name| (name, format!("Bearer {}", sign_in(&service, name))));
    let ask = |name: &str, method: &str, path: &str, body: &Value| {
        let (_, token) = tokens.iter().find(|(of, _)| *of == name).expect("signed in");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        match method {
            "GET" => service.ask("GET", path, &headers[..1]),
            _ => service.send_bytes(method, path, &headers, body.to_string().as_bytes()),
        }
    };
    let list = |name: &str| items(&ask(name, "GET", "/api/v1/visits", &Value::Null));
    let (agents, nameds) = (list("agent"), list("named"));
    assert_eq!((agents.len(), nameds.len()), (1, 1));
    assert_eq!((&agents[0]["ticket"], &agents[0]["phone"]), (&json!(own), &Value::Null));
    assert_eq!(nameds[0]["phone"], "138****5678");
    assert!(items(&ask("agent", "GET", "/api/v1/visits?city=chamdo", &Value::Null)).is_empty());
    assert_eq!(ask("agent", "GET", &path(&foreign, ""), &Value::Null).status, 404);
    let skip = json!({ "why": "住院" });
    assert_eq!(ask("named", "POST", &path(&foreign, "/skip"), &skip).status, 404);
    assert_eq!(ask("agent", "POST", &path(&own, "/skip"), &skip).status, 403);
    let pause = json!({ "city": "chamdo", "why": "地震" });
    assert_eq!(ask("named", "POST", "/api/v1/visits/pause", &pause).status, 404);
    assert_eq!(service.post("/api/v1/visits/pause", &[], &pause).status, 200);
    assert!(items(&ask("named", "GET", "/api/v1/visits/pauses", &Value::Null)).is_empty());
}
