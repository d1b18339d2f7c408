//! What holds for every route; the routes are those of the OpenAPI document.

use std::collections::BTreeSet;

use hotline::console::{self, Access, Config};
use serde_json::Value;

use crate::service::{self, Service, bearer};

fn document() -> Value {
    serde_json::from_str(console::openapi_document()).expect("JSON")
}

/// Every operation of the document: method, path with `{…}` filled in, and whether it says that a token is needed.
fn operations() -> Vec<(String, String, bool)> {
    let fill = |path: &str| {
        let path = path.replace("{number}", "126112200012").replace("{name}", "nobody").replace("{dimension}", "unit");
        let path = path.replace("{kind}", "refusal").replace("{code}", "0101");
        path.replace("{id}", "019aa8d2-0000-7000-8000-000000000000")
    };
    listed().into_iter().map(|(method, path, token)| (method, fill(&path), token)).collect()
}

fn listed() -> BTreeSet<(String, String, bool)> {
    let document = document();
    let paths = document["paths"].as_object().expect("paths").clone();
    let operations = paths.into_iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").clone();
        methods
            .into_iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), !operation["security"].is_null()))
    });
    operations.collect()
}

/// What is read, without a body.
fn paths() -> Vec<(String, bool)> {
    operations().into_iter().filter(|(method, ..)| method == "GET").map(|(_, path, token)| (path, token)).collect()
}

#[test]
fn the_document_lists_exactly_the_routes() {
    let routed: BTreeSet<(String, String, bool)> = console::entries()
        .into_iter()
        .map(|entry| (entry.method.to_string(), entry.path.to_owned(), matches!(entry.access, Access::Right(_))))
        .collect();
    assert_eq!(listed(), routed);
    for (method, path, token_needed) in routed {
        let gives_one = method == "POST" && path == "/api/v1/session";
        assert_eq!(token_needed, path.starts_with("/api/v1/") && !gives_one, "{method} {path}");
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_is_described() {
    let document = document();
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().expect("paths");
    for (path, operation) in paths
        .iter()
        .flat_map(|(path, item)| item.as_object().expect("operations").values().map(move |operation| (path, operation)))
    {
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{path}");
        assert!(ids.insert(operation["operationId"].as_str().expect("an id")), "{path}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(["400", "500", "504"].iter().all(|status| responses.contains_key(*status)), "{path}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{path}");
        let described = |response: &Value| response["$ref"].is_string() || response["description"].is_string();
        assert!(responses.values().all(described), "{path}");
    }
    insta::assert_snapshot!(console::openapi_document());
}

#[test]
fn the_token_is_asked_for_exactly_where_the_document_says() {
    let service = Service::start();
    let wrong = bearer() + "x";
    for (method, path, token_needed) in operations() {
        for headers in [
            vec![],
            vec![("authorization", wrong.as_str())],
            vec![("authorization", "Basic dXNlcjpwYXNz")],
            vec![("authorization", "Bearer")],
            vec![("authorization", "Bearer ")],
        ] {
            let reply = service.ask(&method, &path, &headers);
            assert_eq!(reply.status == 401, token_needed, "{method} {path} {headers:?}");
            assert_eq!(reply.header("www-authenticate").is_some(), token_needed);
        }
        if method == "GET" && !path.ends_with("/events") {
            assert_ne!(service.get(&path).status, 401, "{path}");
            let small = bearer().replace("Bearer", "bearer");
            assert_ne!(service.ask("GET", &path, &[("authorization", &small)]).status, 401, "{path}");
        }
    }
    insta::assert_snapshot!("no_token", service.ask("GET", "/api/v1/tickets", &[]).show());
    insta::assert_snapshot!("wrong_token", service.ask("GET", "/api/v1/tickets", &[("authorization", &wrong)]).show());
}

#[test]
fn only_the_listed_methods_are_allowed() {
    let service = Service::start();
    let operations = operations();
    for path in operations.iter().map(|(_, path, _)| path).collect::<BTreeSet<_>>() {
        let allowed: Vec<&str> =
            operations.iter().filter(|(_, of, _)| of == path).map(|(method, ..)| method.as_str()).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if allowed.contains(&method) {
                continue;
            }
            let reply = service.ask(method, path, &[("authorization", &bearer())]);
            assert_eq!(reply.status, 405, "{method} {path}");
            let named: BTreeSet<&str> = reply.header("allow").expect("it names them").split(',').collect();
            let with_head = allowed.iter().copied().chain(allowed.contains(&"GET").then_some("HEAD")).collect();
            assert_eq!(named, with_head, "{method} {path}");
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        }
        if allowed.contains(&"GET") {
            let head = service.ask("HEAD", path, &[("authorization", &bearer())]);
            assert!(head.body.is_empty() && head.status != 405, "{path}");
        }
    }
    insta::assert_snapshot!(service.ask("PUT", "/api/v1/tickets", &[("authorization", &bearer())]).show());
}

#[test]
fn every_answer_is_kept_out_of_caches_and_frames_and_has_an_id() {
    let service = Service::start();
    let mut ids = BTreeSet::new();
    let with_unknown = paths().into_iter().map(|(path, _)| path).chain(["/api/nothing".to_owned()]);
    for path in with_unknown.filter(|path| !path.ends_with("/events")) {
        let reply = service.get(&path);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            reply.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'"),
            "{path}"
        );
        assert!(ids.insert(reply.header("x-request-id").expect("an id").to_owned()), "{path}");
    }
}

#[test]
fn a_request_with_a_body_is_refused() {
    let service = Service::start();
    let reply = service.ask("GET", "/healthz", &[("content-length", "0")]);
    assert_eq!(reply.status, 200);
    let reply = service.get_with_body("/api/v1/tickets", "phone=13812345678");
    insta::assert_snapshot!(reply.show());
}

#[test]
fn a_service_is_ready_when_every_part_is() {
    let service = Service::start();
    assert_eq!(service.ask("GET", "/healthz", &[]).json(), serde_json::json!({ "alive": true }));
    service.live.report("sip", true, "listens on 127.0.0.1:5060");
    service.live.report("media", true, "1 thread");
    insta::assert_snapshot!("ready", service.ask("GET", "/readyz", &[]).show());
    service.live.report("media", false, "late: 45 ms");
    insta::assert_snapshot!("not_ready", service.ask("GET", "/readyz", &[]).show());
    service.live.report("media", true, "1 thread");
    service.block_on(service.store.close());
    let reply = service.ask("GET", "/readyz", &[]);
    assert_eq!((reply.status.as_u16(), &reply.json()["parts"]["database"]["ok"]), (503, &Value::Bool(false)));
    assert_eq!(service.ask("GET", "/healthz", &[]).status, 200);
    assert_eq!(service.get("/api/v1/tickets").status, 500);
}

#[test]
fn metrics_are_served() {
    let service = Service::start();
    let metrics = service.ask("GET", "/metrics", &[]);
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
}

#[test]
fn requests_are_counted_and_timed_by_matched_path() {
    let service = Service::start();
    service.get("/api/v1/tickets?phone=13712345678");
    service.get("/api/v1/tickets/13712345678");
    service.get("/13712345678");
    service.ask("BREW", "/healthz", &[]);
    let text = service.get("/metrics").text().to_owned();
    for series in [
        "hotline_http_requests_total{path=\"/api/v1/tickets\",method=\"GET\",status=\"200\"}",
        "hotline_http_requests_total{path=\"/api/v1/tickets/{number}\",method=\"GET\",status=\"404\"}",
        "hotline_http_requests_total{path=\"unmatched\",method=\"GET\",status=\"404\"}",
        "hotline_http_requests_total{path=\"/healthz\",method=\"other\",status=\"405\"}",
        "hotline_http_request_duration_seconds_bucket{path=\"/api/v1/tickets\",method=\"GET\",le=\"0.005\"}",
        "hotline_http_request_duration_seconds_sum{path=\"/api/v1/tickets\",method=\"GET\"}",
    ] {
        assert!(text.contains(series), "{series}\n{text}");
    }
    assert!(!text.contains("13712345678"));
}

#[test]
fn more_requests_than_allowed_are_told_to_come_back() {
    let service = Service::start_with(Config { max_requests: 0, ..Config::default() });
    insta::assert_snapshot!(service.get("/api/v1/tickets").show());
    assert_eq!(service.get("/healthz").status, 200, "alive, not idle");
}

#[test]
fn a_panic_is_a_500_without_its_words() {
    let service = Service::start_as(Config::default(), || panic!("the secret words"));
    insta::assert_snapshot!(service.ask("GET", "/metrics", &[]).show());
    assert_eq!(service.ask("GET", "/healthz", &[]).status, 200, "the service goes on");
}

#[test]
fn a_request_leaves_one_line_without_its_query_or_token() {
    let service = Service::start();
    let reply = service.get("/api/v1/tickets?phone=13987654321&limit=7");
    let id = reply.header("x-request-id").expect("an id").to_owned();
    let lines: Vec<String> = service::logged()
        .lines()
        .filter(|line| line.contains(&id) && line.contains(" duration_ms="))
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for field in ["request", "method=\"GET\"", "path=\"/api/v1/tickets\"", "status=200", "duration_ms="] {
        assert!(lines[0].contains(field), "{field}: {lines:?}");
    }
    service.get("/13987654321?phone=13987654321");
    service.get("/api/v1/tickets/13987654321");
    service.get("/api/v1/tickets?13987654321=1");
    assert!(service::logged().contains("path=\"unmatched\""));
    for secret in ["13987654321", "limit=7", service::TOKEN] {
        assert!(!service::logged().contains(secret), "{secret}");
    }
}
