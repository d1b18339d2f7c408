//! How the databases go about the lists that people wait for: by an index, never through the whole table.

use hotline::app::simulate::fill;
use hotline::city::City;
use hotline::simulate::Plan;
use hotline::store::{
    AuditFilter, Dimension, RecordingFilter, ReportQuery, TicketFilter, TicketOrder, Whose, WordSearch,
};
use hotline::ticket::{Line, RecordingKind, State};

use crate::fixture::{Fixture, morning};

/// The lists of the pages, by name.
fn lists(fixture_phone: &str) -> Vec<(&'static str, TicketFilter, TicketOrder)> {
    let none = TicketFilter::default;
    let unit = || "lhasa-housing".parse().ok();
    let city = || Some(vec![City::Lhasa]);
    vec![
        ("newest of all", none(), TicketOrder::Created),
        ("newest of a city", TicketFilter { cities: city(), ..none() }, TicketOrder::Created),
        (
            "newest of two cities",
            TicketFilter { cities: Some(vec![City::Lhasa, City::Ngari]), ..none() },
            TicketOrder::Created,
        ),
        ("city's inbox", TicketFilter { cities: city(), open: true, ..none() }, TicketOrder::Due),
        (
            "city by state",
            TicketFilter { cities: city(), states: vec![State::Received], ..none() },
            TicketOrder::Created,
        ),
        (
            "city's archive",
            TicketFilter { cities: city(), states: vec![State::Archived], ..none() },
            TicketOrder::Created,
        ),
        ("unit's inbox", TicketFilter { unit: unit(), open: true, ..none() }, TicketOrder::Due),
        ("unit's tickets", TicketFilter { unit: unit(), ..none() }, TicketOrder::Created),
        ("unit as lead", TicketFilter { lead: unit(), ..none() }, TicketOrder::Created),
        ("overdue", TicketFilter { overdue_on: "2026-10-20".parse().ok(), ..none() }, TicketOrder::Due),
        ("class", TicketFilter { class: "0707".parse().ok(), ..none() }, TicketOrder::Created),
        ("phone", TicketFilter { phone: hotline::phone::Phone::parse(fixture_phone), ..none() }, TicketOrder::Created),
        ("number", TicketFilter { number: "1260915".parse().ok(), ..none() }, TicketOrder::Created),
        (
            "supervised",
            TicketFilter { cities: city(), supervised: hotline::ticket::Level::new(2), ..none() },
            TicketOrder::Created,
        ),
        (
            "supervised now",
            TicketFilter { open: true, supervised: Some(hotline::ticket::Level::FIRST), ..none() },
            TicketOrder::Created,
        ),
        ("asked", TicketFilter { open: true, asked: true, ..none() }, TicketOrder::Created),
        (
            "asked, of a class",
            TicketFilter { open: true, asked: true, class: "0707".parse().ok(), ..none() },
            TicketOrder::Created,
        ),
        (
            "words of a unit",
            TicketFilter { unit: unit(), text: Some("投诉".to_owned()), ..none() },
            TicketOrder::Created,
        ),
        ("words of open ones", TicketFilter { open: true, text: Some("投诉".to_owned()), ..none() }, TicketOrder::Due),
        (
            "class of a unit",
            TicketFilter { lead: "lhasa-housing".parse().ok(), class: "0707".parse().ok(), ..none() },
            TicketOrder::Created,
        ),
        ("followers", TicketFilter { merged_into: "126112200012".parse().ok(), ..none() }, TicketOrder::Created),
        ("repeats", TicketFilter { repeat_of: "126112200012".parse().ok(), ..none() }, TicketOrder::Created),
        ("rare words", TicketFilter { text: Some("墨脱县农贸市场".to_owned()), ..none() }, TicketOrder::Created),
        ("common words", TicketFilter { text: Some("投诉".to_owned()), ..none() }, TicketOrder::Created),
    ]
}

async fn filled(fixture: &Fixture, tickets: u32) {
    let plan = Plan::new(tickets, 60, 6, "2026-09-01".parse().expect("a day")).expect("a plan");
    fill(&fixture.store, &plan, |_| {}).await.expect("filled");
}

async fn plans(fixture: &Fixture) -> Vec<(&'static str, Vec<String>)> {
    let phone = fixture.rows("select phone from ticket where phone is not null limit 1").await.remove(0);
    let mut plans = Vec::new();
    for (name, filter, order) in lists(&phone) {
        plans.push((name, fixture.store.explain_tickets(&filter, order).await.expect("explained")));
    }
    let narrowed = WordSearch { named: 0, narrowed: 100_000, walked: 500 };
    let walked = WordSearch { narrowed: 0, ..narrowed };
    for (how, word_search) in [("words narrowed", narrowed), ("words walked", walked)] {
        let store = fixture.store.clone().with_word_search(word_search);
        for cities in [None, Some(vec![City::Nyingchi])] {
            let filter =
                TicketFilter { text: Some("墨脱县农贸市场".to_owned()), cities, ..TicketFilter::default() };
            plans.push((how, store.explain_tickets(&filter, TicketOrder::Created).await.expect("explained")));
        }
    }
    plans
}

#[tokio::test]
async fn sqlite_finds_every_list_by_an_index() {
    let fixture = Fixture::sqlite_file().await;
    filled(&fixture, 6_000).await;
    for (name, plan) in plans(&fixture).await {
        let by_index = |step: &String| step.contains("INDEX") || step.contains("PRIMARY KEY");
        assert!(plan.iter().any(by_index), "{name}: {plan:#?}");
        let through_all = |step: &&String| step.starts_with("SCAN ticket") && !step.contains("INDEX");
        let through_all = plan.iter().find(|step| through_all(step) || step.starts_with("SCAN gram"));
        assert_eq!(through_all, None, "{name}: {plan:#?}");
        // the planner is led to these by how the list is written
        let led_to = match name {
            "asked" | "asked, of a class" => "INDEX ticket_asked",
            "supervised now" => "INDEX ticket_supervised_now",
            "class of a unit" => "INDEX ticket_unit_class",
            _ => "",
        };
        assert!(plan.iter().any(|step| step.contains(led_to)), "{name}: {plan:#?}");
        let through_a_class = plan.iter().any(|step| step.contains("ticket_class_created"));
        assert!(name != "asked, of a class" || !through_a_class, "{plan:#?}");
    }
}

#[tokio::test]
async fn postgres_finds_every_list_by_an_index() {
    let fixture = Fixture::postgres().await;
    filled(&fixture, 12_000).await;
    for (name, plan) in plans(&fixture).await {
        let by_index = plan.iter().any(|step| step.contains("Index") || step.contains("Bitmap"));
        let through_all =
            plan.iter().find(|step| step.contains("Seq Scan on ticket") || step.contains("Seq Scan on gram"));
        assert!(by_index && through_all.is_none(), "{name}: {plan:#?}");
    }
}

/// By dimension and place: a month and a year; of everything, of a unit, and of a leaders' event that few tickets came in at.
async fn report_plans(fixture: &Fixture) -> Vec<(String, Vec<String>)> {
    const EVENT: &str = "局长接听日";
    fixture.execute(&format!("update ticket set event = '{EVENT}' where substr(number, 9, 3) = '007'")).await;
    let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a day");
    let mut plans = Vec::new();
    for (from, to) in [(day("2026-09-01"), day("2026-09-30")), (day("2026-01-01"), day("2026-12-31"))] {
        for (dimension, unit, event) in [
            (Dimension::Unit, None, None),
            (Dimension::Class, None, None),
            (Dimension::Total, Some("lhasa-housing"), None),
            (Dimension::Unit, None, Some(EVENT)),
        ] {
            let unit = unit.and_then(|unit| unit.parse().ok());
            let event: Option<Line> = event.and_then(|event| event.parse().ok());
            for cities in [Vec::new(), vec![City::Lhasa]] {
                let name = format!("{dimension} of {cities:?} {unit:?} {event:?} from {from}");
                let (unit, event) = (unit.clone(), event.clone());
                let query = ReportQuery { dimension, from, to, cities, unit, event, today: to };
                let explained = fixture.store.explain_report(&query).await.expect("explained");
                plans.extend(explained.into_iter().map(|plan| (name.clone(), plan)));
            }
        }
    }
    plans
}

/// The tables that grow with the tickets.
const LARGE: [&str; 5] = ["ticket", "visit", "audit", "report_day", "report_stale"];

#[tokio::test]
async fn sqlite_counts_and_sums_reports_by_indexes() {
    let fixture = Fixture::sqlite_file().await;
    filled(&fixture, 6_000).await;
    for (name, plan) in report_plans(&fixture).await {
        let names = |step: &str| {
            let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            // t, v and a are how a count calls tickets, visits and the audit
            table.is_some_and(|table| LARGE.contains(&table) || ["t", "v", "a"].contains(&table))
        };
        let through_all = plan.iter().find(|step| names(step));
        assert_eq!(through_all, None, "{name}: {plan:#?}");
    }
}

#[tokio::test]
async fn postgres_counts_and_sums_reports_by_indexes() {
    let fixture = Fixture::postgres().await;
    filled(&fixture, 12_000).await;
    for (name, plan) in report_plans(&fixture).await {
        // two months of roll-ups and of marks: a month is so large a part of them that reading them whole may be less work
        let through_all = plan.iter().find(|step| {
            let table = step.split("Seq Scan on ").nth(1).and_then(|rest| rest.split(' ').next());
            table.is_some_and(|table| LARGE[..3].contains(&table))
        });
        assert_eq!(through_all, None, "{name}: {plan:#?}");
    }
}

/// Twenty thousand recordings of one call, as unlike each other as lists ask for.
async fn recorded(fixture: &Fixture) {
    fixture.recorded_call(1).await;
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) \
         insert into recording (id, call, kind, node, path, channels, started_at, state, damaged, city, direction, language, \
         phone, phone_end, owner, unit, shielded, satisfaction, answered, span, duration_ms) \
         select 'r' || i, call.id, case i % 9 when 0 then 'reason' else 'call' end, 'n', 'p' || i, 1, call.started_at, 'closed', \
         false, case i % 5 when 0 then 'ngari' else 'lhasa' end, 'inbound', 'bo', '1380000' || (i % 5000), \
         cast(i % 5000 as text), 't' || (i / 2), 'u' || (i % 50), i % 40 = 0, case i % 30 when 0 then 1 end, i % 60 = 0, \
         i % 6, i from n cross join call";
    assert_eq!(fixture.execute(many).await, 20_000);
    gathered(fixture).await;
}

/// PostgreSQL gathers statistics by itself in service; SQLite has none there, either.
async fn gathered(fixture: &Fixture) {
    if fixture.url.starts_with("postgres") {
        fixture.execute("analyze").await;
    }
}

fn recording_lists() -> Vec<(&'static str, RecordingFilter, Whose)> {
    let none = RecordingFilter::default;
    let all = Whose { shielded: true, ..Whose::default() };
    let lhasa = Whose { cities: Some(vec![City::Lhasa]), ..Whose::default() };
    let unit = Whose { unit: "u7".parse().ok(), ..lhasa.clone() };
    vec![
        ("newest", none(), all.clone()),
        ("newest of a city", none(), lhasa.clone()),
        ("a unit's", none(), unit),
        ("ticket", RecordingFilter { ticket: "126112200012".parse().ok(), ..none() }, lhasa.clone()),
        ("phone", RecordingFilter { phone: hotline::phone::Phone::parse("13800004000"), ..none() }, lhasa.clone()),
        ("end of a phone", RecordingFilter { phone_end: Some("4000".to_owned()), ..none() }, lhasa.clone()),
        ("kind", RecordingFilter { kind: Some(RecordingKind::Reason), ..none() }, lhasa.clone()),
        ("length", RecordingFilter { min_ms: Some(1_000_000), ..none() }, lhasa.clone()),
        ("dissatisfied", RecordingFilter { satisfaction: vec![1, 2], ..none() }, all),
        ("answered", RecordingFilter { answered: true, ..none() }, lhasa),
    ]
}

#[tokio::test]
async fn sqlite_finds_every_list_of_recordings_by_an_index() {
    let fixture = Fixture::sqlite_file().await;
    recorded(&fixture).await;
    for (name, filter, whose) in recording_lists() {
        let plan = fixture.store.explain_recordings(&filter, &whose).await.expect("explained");
        let through_all = plan.iter().find(|step| step.starts_with("SCAN recording") && !step.contains("INDEX"));
        assert_eq!(through_all, None, "{name}: {plan:#?}");
        assert!(plan.iter().any(|step| step.contains("INDEX recording_")), "{name}: {plan:#?}");
    }
}

#[tokio::test]
async fn postgres_finds_every_list_of_recordings_by_an_index() {
    let fixture = Fixture::postgres().await;
    recorded(&fixture).await;
    for (name, filter, whose) in recording_lists() {
        let plan = fixture.store.explain_recordings(&filter, &whose).await.expect("explained");
        let through_all = plan.iter().find(|step| step.contains("Seq Scan on recording"));
        assert_eq!(through_all, None, "{name}: {plan:#?}");
    }
}

/// Twenty thousand acts of ten thousand accounts, from two hundred addresses.
async fn acted(fixture: &Fixture) {
    fixture.recorded_call(1).await;
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) \
         insert into audit (subject, sequence, at, actor, action, address) \
         select 'account ' || (i % 10000), 1 + i / 10000, call.started_at, 'system', 'logged_in', '192.0.2.' || (i % 200) \
         from n cross join call where i < 20000";
    assert_eq!(fixture.execute(many).await, 19_999);
    gathered(fixture).await;
}

fn audits() -> [(&'static str, AuditFilter); 3] {
    let from = || AuditFilter { address: Some("192.0.2.7".to_owned()), ..AuditFilter::default() };
    let since = "2026-01-01T00:00:00Z".parse().ok();
    [
        ("address", from()),
        ("address and time", AuditFilter { from: since, ..from() }),
        ("address, of some cities", AuditFilter { cities: Some(vec![City::Lhasa]), ..from() }),
    ]
}

#[tokio::test]
async fn sqlite_finds_what_came_from_an_address_by_an_index() {
    let fixture = Fixture::sqlite_file().await;
    acted(&fixture).await;
    for (name, filter) in audits() {
        let plan = fixture.store.explain_audit(&filter).await.expect("explained");
        assert!(plan.iter().any(|step| step.contains("INDEX audit_address")), "{name}: {plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{name}: {plan:#?}");
    }
}

#[tokio::test]
async fn postgres_finds_what_came_from_an_address_by_an_index() {
    let fixture = Fixture::postgres().await;
    acted(&fixture).await;
    for (name, filter) in audits() {
        let plan = fixture.store.explain_audit(&filter).await.expect("explained");
        assert!(plan.iter().any(|step| step.contains("audit_address")), "{name}: {plan:#?}");
    }
}

#[tokio::test]
async fn what_is_sealed_next_is_found_in_its_order_however_much_waits() {
    for fixture in [Fixture::sqlite_file().await, Fixture::postgres().await] {
        filled(&fixture, 6_000).await;
        let plan = fixture.store.explain_sealing(morning()).await.expect("explained");
        let in_order = plan.iter().any(|step| step.contains("audit_unsealed"));
        let sorted = plan.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("Sort"));
        assert!(in_order && !sorted, "{plan:#?}");
    }
}
