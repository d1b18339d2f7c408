//! Reports over HTTP: figures, the tickets behind them, and files.

use chrono::Days;
use hotline::clock::{Clock, beijing_day};
use serde_json::{Value, json};

use crate::service::{Reply, Service};

/// Three requests of Lhasa, the first answered at once; one of Ngari.
fn filled() -> Service {
    let service = Service::start();
    let mut numbers = Vec::new();
    for city in ["lhasa", "lhasa", "lhasa", "ngari"] {
        let request = json!({
            "city": city,
            "channel": "wechat",
            "type": "complaint",
            "title": "=1+1, 路灯",
            "content": "三天不亮。",
            "class": "0101",
            "phone": "13812345678",
        });
        let reply = service.post("/api/v1/tickets", &[], &request);
        assert_eq!(reply.status, 201, "{}", reply.text());
        numbers.push(reply.json()["number"].as_str().expect("a number").to_owned());
    }
    let answer = json!({ "command": "answer", "reply": "已告知。", "version": 1 });
    let reply = service.post(&format!("/api/v1/tickets/{}/commands", numbers[0]), &[], &answer);
    assert_eq!(reply.status, 200, "{}", reply.text());
    service
}

fn problem(service: &Service, path: &str) -> (u16, String) {
    let reply = service.get(path);
    (reply.status.as_u16(), reply.json()["detail"].as_str().expect("words").to_owned())
}

fn lines(reply: &Reply) -> Vec<String> {
    let text = reply.text().strip_prefix('\u{feff}').expect("a byte order mark").to_owned();
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_report_has_figures_and_rates_with_what_they_are_made_of() {
    let service = filled();
    let report = service.get("/api/v1/reports/city?compare=previous").json();
    let row = |at: usize| &report["rows"][at];
    assert_eq!((&row(0)["key"], &row(1)["key"]), (&json!("lhasa"), &json!("ngari")));
    assert_eq!((&row(0)["zh"], &row(0)["figures"]["received"]), (&json!("拉萨市"), &json!(3)));
    let rate = json!({ "numerator": 1.0, "denominator": 4, "left_out": 0, "rate": 0.25 });
    assert_eq!(report["total"]["rates"]["closed"], rate);
    assert_eq!(report["total"]["rates"]["satisfaction"]["rate"], Value::Null);
    assert_eq!(report["total"]["now"]["open"], 4);
    assert_eq!(report["total"]["before"]["figures"]["received"], 0);
    let report = service.get("/api/v1/reports/class?city=ngari").json();
    assert_eq!((&report["rows"][0]["key"], &report["total"]["figures"]["received"]), (&json!("0101"), &json!(1)));
    assert!(report["rows"][0]["bo"].is_string());
}

#[test]
fn a_report_of_very_many_changed_days_says_so_and_is_there_when_they_are_counted() {
    let service = Service::start_reporting(hotline::report::Config { count_for_ms: 0, ..Default::default() });
    for city in ["lhasa", "shigatse", "chamdo", "nyingchi", "shannan"] {
        let request = json!({ "city": city, "channel": "weibo", "type": "help", "title": "路灯", "content": "不亮。", "class": "0101" });
        assert_eq!(service.post("/api/v1/tickets", &[], &request).status, 201);
    }
    // today and the due day of each city
    let today = beijing_day(Clock::start().wall());
    let path = format!("/api/v1/reports/city?from={today}&to={}", today + Days::new(60));
    let early = service.get(&path);
    assert_eq!((early.status.as_u16(), early.header("retry-after")), (503, Some("10")));
    let problem = early.json();
    assert_eq!(problem["type"], "/api/openapi.json#/components/responses/not_counted");
    assert!(problem["detail"].as_str().expect("words").contains("the figures of 2 days"), "{problem}");
    let report = service.get(&path);
    assert_eq!((report.status.as_u16(), &report.json()["total"]["figures"]["received"]), (200, &json!(5)));
}

#[test]
fn a_figure_leads_to_its_tickets_page_by_page() {
    let service = filled();
    let path = "/api/v1/reports/city/tickets?figure=received&key=lhasa&limit=2";
    let first = service.get(path).json();
    let next = first["next"].as_str().expect("a second page");
    let second = service.get(&format!("{path}&cursor={next}")).json();
    let count = |page: &Value| page["items"].as_array().expect("items").len();
    assert_eq!((count(&first), count(&second), &second["next"]), (2, 1, &Value::Null));
    let direct = service.get("/api/v1/reports/total/tickets?figure=direct").json();
    assert_eq!((count(&direct), &direct["items"][0]["state"]), (1, &json!("closed")));
    let open = service.get("/api/v1/reports/type/tickets?figure=open&key=complaint").json();
    assert_eq!(count(&open), 4);
}

#[test]
fn a_list_and_a_report_are_files_and_the_audit_says_so() {
    let service = filled();
    let tickets = service.get("/api/v1/exports/tickets?city=lhasa");
    assert_eq!(tickets.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(tickets.header("content-disposition"), Some("attachment; filename=\"tickets.csv\""));
    let rows = lines(&tickets);
    assert_eq!(rows.len(), 4);
    assert!(rows[1].contains(",\"'=1+1, 路灯\",") && rows[1].contains(",138****5678,"), "{}", rows[1]);
    let sheet = service.get("/api/v1/exports/tickets?format=xlsx");
    assert_eq!(sheet.header("content-disposition"), Some("attachment; filename=\"tickets.xlsx\""));
    assert!(sheet.body.starts_with(b"PK"));
    let report = service.get("/api/v1/reports/city?period=2026&format=csv");
    let rows = lines(&report);
    assert!(rows[0].starts_with("key,zh,bo,ranked,received,"), "{}", rows[0]);
    assert!(service.get("/api/v1/reports/city?format=xlsx").body.starts_with(b"PK"));
    let audit = service.get("/api/v1/audit?action=exported").json();
    let acts: Vec<_> = audit["items"].as_array().expect("items").iter().rev().collect();
    let subjects: Vec<_> = acts.iter().map(|act| act["subject"].as_str().expect("a subject")).collect();
    assert_eq!(subjects, ["tickets", "tickets", "report city", "report city"]);
    assert_eq!((&acts[0]["reason"], &acts[0]["actor"]), (&json!("csv, 3 rows, city lhasa"), &json!("operator")));
}

#[test]
fn what_rises_is_listed() {
    let service = filled();
    assert_eq!(service.get("/api/v1/reports/trends").json()["items"], json!([]));
    for _ in 0..2 {
        let request = json!({
            "city": "lhasa", "channel": "paper", "class": "0101", "type": "help", "title": "路灯", "content": "不亮",
        });
        assert_eq!(service.post("/api/v1/tickets", &[], &request).status, 201);
    }
    let items = service.get("/api/v1/reports/trends?city=lhasa").json()["items"].clone();
    assert_eq!(
        (&items[0]["class"], &items[0]["week"], &items[0]["four_weeks_before"]),
        (&json!("0101"), &json!(5), &json!(0))
    );
    assert!(items[0]["zh"].is_string() && items[1].is_null());
}

#[test]
fn what_cannot_be_reported_is_refused_with_what_can() {
    let service = Service::start();
    for (path, status, words) in [
        ("/api/v1/reports/nothing", 404, "No such report: a report is by total"),
        ("/api/v1/reports/unit?period=2026-13", 400, "`period`: a period is a day"),
        ("/api/v1/reports/unit?from=2026-11-01", 400, "`from` wants `to`"),
        ("/api/v1/reports/unit?to=2026-11-01", 400, "`to` wants `from`"),
        ("/api/v1/reports/unit?from=2026-11-02&to=2026-11-01", 400, "`to`: a period ends"),
        ("/api/v1/reports/unit?from=2026-11-2&to=2026-11-11", 400, "`from` has to be a day"),
        ("/api/v1/reports/unit?period=2026&to=2026-11-01", 400, "Give `period`, or"),
        ("/api/v1/reports/unit?compare=yes", 400, "`compare` is"),
        ("/api/v1/reports/unit?format=pdf", 400, "`format`: a file is csv or xlsx"),
        ("/api/v1/reports/unit?city=beijing", 400, "`city`: a city is"),
        ("/api/v1/reports/unit/tickets", 400, "`figure` is wanted"),
        ("/api/v1/reports/unit/tickets?figure=beauty", 400, "`figure`: a figure is one"),
        ("/api/v1/exports/tickets?format=pdf", 400, "`format`: a file is"),
    ] {
        let (given, detail) = problem(&service, path);
        assert!(given == status && detail.starts_with(words), "{path}: {given} {detail}");
    }
}
