//! The HTTP side: who may read, what is answered, and what is never told.

use std::os::unix::fs::PermissionsExt;

use super::citizen::{Citizen, MANDARIN};
use super::peer::service::{Service, request_recordings};
use super::peer::signal::talk;
use super::peer::time::seconds;

#[test]
fn nothing_is_read_without_the_token_and_the_token_is_the_owners() {
    let service = Service::start();
    for path in ["/api/v1/tickets", "/api/v1/calls", "/api/v1/tickets/126112200012", "/api/v1/recordings/x/audio"] {
        assert_eq!(service.get_with(path, &[]).0, 401, "{path}");
        assert_eq!(service.get_with(path, &[("Authorization", "Bearer wrong")]).0, 401, "{path}");
    }
    let mode = std::fs::metadata(service.data().join("api-token")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn health_and_readiness_answer_without_a_token() {
    let service = Service::start();
    assert_eq!(service.get_with("/healthz", &[]).0, 200);
    assert_eq!(service.get_with("/readyz", &[]).0, 200);
    assert_eq!(service.get_with("/metrics", &[]).0, 200);
}

#[test]
fn what_is_not_there_is_a_problem_document() {
    let service = Service::start();
    let (status, body) = service.get("/api/v1/tickets/126112200012");
    let problem: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &problem["status"]), (404, &404.into()), "{problem}");
    let list = service.json("/api/v1/tickets?phone=13989005000");
    assert_eq!((list["items"].as_array().map(Vec::len), list["next"].is_null()), (Some(0), true));
    assert_eq!(service.get("/api/v1/tickets?limit=many").0, 400);
}

#[test]
fn lists_are_turned_page_by_page_and_ranges_are_served() {
    let service = Service::start();
    for index in 0..3 {
        let mut citizen = Citizen::calls(&service, "13989005001");
        if index == 0 {
            citizen.chooses(MANDARIN);
        } else {
            citizen.call.hear_until("zh/menu.head", seconds(15));
        }
        citizen.reports('1');
        citizen.records(&talk(90 + index, 3600));
        citizen.hangs_up();
        service.wait_call_over("13989005001");
    }
    let mut numbers = Vec::new();
    let mut path = "/api/v1/tickets?phone=13989005001&limit=2".to_owned();
    for _ in 0..4 {
        let page = service.json(&path);
        let items = page["items"].as_array().expect("items");
        numbers.extend(items.iter().map(|ticket| ticket["number"].as_str().expect("a number").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/tickets?phone=13989005001&limit=2&cursor={next}");
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "{numbers:?}");
    let ticket = &service.tickets("13989005001")[0];
    let id = request_recordings(ticket)[0]["id"].as_str().expect("an id").to_owned();
    let token = format!("Bearer {}", service.token());
    let path = format!("/api/v1/recordings/{id}/audio");
    let (status, part) = service.get_with(&path, &[("Authorization", &token), ("Range", "bytes=0-43")]);
    assert_eq!((status, part.as_slice()), (206, &service.recording(&id)[..44]));
}

#[test]
fn no_phone_number_reaches_the_log_or_a_metric() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989005777");
    citizen.chooses(MANDARIN);
    citizen.reports('1');
    citizen.records(&talk(94, 4000));
    citizen.hangs_up();
    citizen.ticket(&service);
    let metrics = String::from_utf8(service.get("/metrics").1).expect("text");
    for (place, text) in [("log", service.log()), ("metrics", metrics)] {
        assert!(!text.contains("13989005777"), "the {place} names the caller");
        assert!(!text.contains("phone="), "the {place} holds a query string");
        assert!(!text.contains(&service.token()), "the {place} holds the token");
    }
}
