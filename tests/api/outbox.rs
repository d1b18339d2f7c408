//! Messages that did not arrive, and having them sent again.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::store::{NewTicket, Rules, Subscriber, Target};
use hotline::ticket::{Actor, CallId, Direction, Requester, Urgency};

use crate::service::{Service, bearer};

fn now() -> DateTime<Utc> {
    "2026-11-22T02:00:00Z".parse().expect("a time")
}

/// A ticket whose message to `portal` was given up; gives the message's id.
fn given_up(service: &Service) -> String {
    let webhooks = vec![Subscriber { name: "portal".to_owned(), events: Vec::new() }];
    let store = service.store.clone().with_rules(Rules { webhooks, ..Rules::default() });
    service.block_on(async {
        let call = hotline::store::NewCall {
            id: CallId::new(now(), [1; 10]),
            node: "lhasa-1".to_owned(),
            direction: Direction::Inbound,
            sip_call_id: None,
            city: City::Lhasa,
            line: "12345".to_owned(),
            phone: None,
            language: None,
            started_at: now(),
            answered_at: None,
        };
        store.insert_call(&call).await.expect("inserted");
        let new = NewTicket {
            call: call.id,
            recordings: Vec::new(),
            city: City::Lhasa,
            line: call.line.clone(),
            language: Language::Zh,
            requester: Requester::Citizen,
            phone: None,
            other_phone: None,
            confidential: false,
            request_type: None,
            urgency: Urgency::Normal,
            confirmed: true,
            actor: Actor::Caller,
        };
        store.submit_ticket(&new, now()).await.expect("submitted");
        let until = now() + TimeDelta::minutes(1);
        let leased = store.lease_messages(&Target::webhook("portal"), 1, now(), until).await.expect("leased");
        store.message_failed(&leased[0], "answered 500", None, now()).await.expect("written");
        leased[0].id.clone()
    })
}

#[test]
fn a_message_that_was_given_up_is_listed_and_sent_again() {
    let service = Service::start();
    let id = given_up(&service);
    let dead = service.get("/api/v1/outbox").json();
    let message = &dead["items"][0];
    assert_eq!(
        (&message["id"], &message["target"], &message["kind"]),
        (&id.as_str().into(), &"portal".into(), &"webhook".into())
    );
    assert_eq!((&message["error"], &message["attempts"]), (&"answered 500".into(), &1.into()));
    assert!(message["next_at"].is_null() && message["dead_at"].is_string() && message.get("body").is_none());

    let token = bearer();
    let retry = |id: &str| {
        let path = format!("/api/v1/outbox/{id}/retry");
        service.send_bytes("POST", &path, &[("authorization", &token)], &[]).status
    };
    assert_eq!(retry(&id), 200);
    assert_eq!(retry(&id), 404, "it is no longer dead");
    assert_eq!(service.get("/api/v1/outbox?state=dead").json()["items"].as_array().map(Vec::len), Some(0));
    let waiting = service.get("/api/v1/outbox?state=waiting").json();
    assert_eq!((&waiting["items"][0]["id"], &waiting["items"][0]["attempts"]), (&id.as_str().into(), &0.into()));
    assert_eq!(service.get("/api/v1/outbox?state=lost").status, 400);
    let acts = service.get(&format!("/api/v1/audit?subject=message%20{id}")).json();
    assert_eq!(acts["items"][0]["action"], "changed");
}
