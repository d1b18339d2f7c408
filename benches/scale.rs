//! Lists, searches and reports with many tickets, on SQLite and on PostgreSQL.
//!
//! `cargo bench --bench scale [-- TICKETS]` (100,000) fills both with a simulated year, says how long that took and how
//! large it is, and asks each list 200 times, each time for another city, unit, phone, number or words: p50 and p95 of
//! the store's whole answer, a page of 50 with its recordings. Then reports: the first after the fill, and each of three
//! 200 times, for another month, quarter or city. Then the console's pages, over HTTP, 100 times each.
//! `HOTLINE_BENCH_DATABASE=sqlite` or a PostgreSQL url asks one only; otherwise PostgreSQL is a cluster of its own in /tmp. What it makes it takes away.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

#[expect(dead_code, reason = "the tests copy databases, too")]
#[path = "../tests/store/cluster.rs"]
mod cluster;
#[path = "scale/pages.rs"]
mod pages;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{Days, Months, NaiveDate};
use hotline::app::simulate::fill;
use hotline::city::City;
use hotline::report::{Period, table};
use hotline::simulate::Plan;
use hotline::store::{Config, DatabaseUrl, Dimension, ReportQuery, Store, TicketFilter, TicketOrder};
use hotline::ticket::catalogue::Catalogue;
use hotline::ticket::{State, Ticket};

const ASKED: usize = 200;
const PAGE: u32 = 50;

fn main() {
    let tickets = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let only = std::env::var("HOTLINE_BENCH_DATABASE").ok();
    let folder = Folder(std::env::temp_dir().join(format!("hotline-scale-{}", std::process::id())));
    if only.as_deref().is_none_or(|only| only == "sqlite") {
        std::fs::create_dir_all(&folder.0).expect("a folder");
        runtime.block_on(measure("SQLite", format!("sqlite://{}", folder.0.join("scale.db").display()), tickets));
        println!("  size {:.2} GiB", gibibytes(&folder.0));
    }
    if only.as_deref() != Some("sqlite") {
        runtime.block_on(async {
            let url = match only {
                Some(url) => url,
                None => cluster::database().await,
            };
            measure("PostgreSQL", url, tickets).await;
        });
    }
}

/// Gone when this is.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn gibibytes(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes: u64 = files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    bytes as f64 / f64::from(1 << 30)
}

async fn measure(name: &str, url: String, tickets: u32) {
    let config = Config { url: Some(DatabaseUrl::from(url)), ..Config::default() };
    let store = Store::open(&config, Path::new(".")).await.expect("the store opens");
    let first: NaiveDate = "2025-11-20".parse().expect("a day");
    let plan = Plan::new(tickets, 365, 1, first).expect("a plan");
    let began = Instant::now();
    fill(&store, &plan, |_| {}).await.expect("filled");
    let took = began.elapsed();
    println!(
        "{name}: {tickets} tickets in {:.1} s, {:.0} a second",
        took.as_secs_f64(),
        f64::from(tickets) / took.as_secs_f64()
    );
    store.close().await;
    // anew: what the database knows of its tables is read when a connection opens
    let store = Store::open(&config, Path::new(".")).await.expect("the store opens");
    let sample = sample(&store).await;
    for (what, order, filter) in lists() {
        let mut times = Vec::with_capacity(ASKED);
        let mut found = 0;
        for at in 0..ASKED {
            let filter = filter(&sample[at % sample.len()], at);
            let asked = Instant::now();
            found += store.tickets(&filter, order, PAGE, None).await.expect("a page").items.len();
            times.push(asked.elapsed());
        }
        report(what, times, found);
    }
    let mut times = Vec::with_capacity(ASKED);
    for ticket in sample.iter().cycle().take(ASKED) {
        let asked = Instant::now();
        store.ticket(ticket.number).await.expect("read").expect("there");
        times.push(asked.elapsed());
    }
    report("one ticket with its history", times, ASKED);
    let mut times = Vec::with_capacity(ASKED);
    for at in 0..ASKED {
        let filter = TicketFilter { open: true, cities: Some(vec![City::ALL[at % 7]]), ..TicketFilter::default() };
        let asked = Instant::now();
        store.count_tickets(&filter, TicketOrder::Created, 1_000).await.expect("counted");
        times.push(asked.elapsed());
    }
    report("count of a city's open tickets, up to 1,000", times, ASKED);
    reports(&store, first).await;
    println!("  the console's pages, over HTTP (in place of rows: KiB a page)");
    pages::measure(&store, &sample, |what, times, bytes| report(what, times, bytes / 1024)).await;
    store.close().await;
}

/// The period and the cities of the so-manieth report.
type PlaceAndTime<'a> = &'a dyn Fn(usize) -> (Period, Vec<City>);

/// As the API asks for them.
async fn reports(store: &Store, first: NaiveDate) {
    let month = |at: usize| Period::month(first + Months::new(1 + at as u32 % 11)).expect("a month");
    let today = first + Days::new(365);
    let query = |dimension, period: Period, cities| ReportQuery {
        dimension,
        from: period.from(),
        to: period.to(),
        cities,
        unit: None,
        event: None,
        today,
    };
    let year = Period::new(first, today).expect("a year");
    let asked = Instant::now();
    let rows = table(store, &query(Dimension::Unit, year, vec![]), year, None).await.expect("a report").rows.len();
    report("first report after the fill: the year by unit", vec![asked.elapsed()], rows);
    let reports: [(&str, Dimension, PlaceAndTime<'_>); 4] = [
        ("report of a month by unit", Dimension::Unit, &|at| (month(at), vec![])),
        ("report of a quarter by city", Dimension::City, &|at| (quarter(month(at)), vec![])),
        ("report of a quarter by class, of a city", Dimension::Class, &|at| {
            (quarter(month(at)), vec![City::ALL[at % 7]])
        }),
        ("report of the year by unit", Dimension::Unit, &|_| (year, vec![])),
    ];
    for (what, dimension, of) in reports {
        let mut times = Vec::with_capacity(ASKED);
        let mut rows = 0;
        for at in 0..ASKED {
            let (period, cities) = of(at);
            let asked = Instant::now();
            rows += table(store, &query(dimension, period, cities), period, None).await.expect("a report").rows.len();
            times.push(asked.elapsed());
        }
        report(what, times, rows);
    }
}

/// The month and the two after it.
fn quarter(month: Period) -> Period {
    Period::new(month.from(), month.from() + Months::new(3) - Days::new(1)).expect("a quarter")
}

fn report(what: &str, mut times: Vec<Duration>, found: usize) {
    times.sort();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "  {what:<48} p50 {:>8.2} ms  p95 {:>8.2} ms  {:>5.1} rows",
        at(50),
        at(95),
        found as f64 / times.len() as f64
    );
}

/// Tickets of all the year and all cities, to ask for.
async fn sample(store: &Store) -> Vec<Ticket> {
    let mut sample = Vec::new();
    for city in City::ALL {
        for month in 0..12 {
            let to = "2025-12-20T00:00:00Z"
                .parse()
                .ok()
                .map(|to: chrono::DateTime<chrono::Utc>| to + chrono::TimeDelta::days(30 * month));
            let filter = TicketFilter { cities: Some(vec![city]), to, ..TicketFilter::default() };
            let page = store.tickets(&filter, TicketOrder::Created, 3, None).await.expect("a page");
            sample.extend(page.items.into_iter().map(|listed| listed.ticket));
        }
    }
    sample.retain(|ticket| ticket.phone.is_some() && ticket.matter.title.is_some());
    sample
}

type Asked = fn(&Ticket, usize) -> TicketFilter;

fn lists() -> [(&'static str, TicketOrder, Asked); 12] {
    fn none() -> TicketFilter {
        TicketFilter::default()
    }
    fn unit(at: usize) -> Option<hotline::ticket::UnitCode> {
        let units = &Catalogue::built_in().units;
        Some(units[at % units.len()].code.clone())
    }
    fn words(ticket: &Ticket, from: usize, count: usize) -> Option<String> {
        let title = ticket.matter.title.as_ref().map(|title| title.as_str()).unwrap_or_default();
        Some(title.chars().skip(from).take(count).collect())
    }
    use TicketOrder::{Created, Due};
    [
        ("inbox of a unit, by time left", Due, |_, at| TicketFilter { unit: unit(at), open: true, ..none() }),
        ("tickets of a unit, newest first", Created, |_, at| TicketFilter { unit: unit(at), ..none() }),
        ("archived of a unit, newest first", Created, |_, at| TicketFilter {
            unit: unit(at),
            states: vec![State::Archived],
            ..none()
        }),
        ("inbox of a city, open by time left", Due, |ticket, _| TicketFilter {
            cities: Some(vec![ticket.city]),
            open: true,
            ..none()
        }),
        ("inbox of a city, one state", Created, |ticket, at| TicketFilter {
            cities: Some(vec![ticket.city]),
            states: vec![State::ALL[at % State::ALL.len()]],
            ..none()
        }),
        ("open of all cities, newest first", Created, |_, _| TicketFilter { open: true, ..none() }),
        ("class of a city", Created, |ticket, _| TicketFilter {
            cities: Some(vec![ticket.city]),
            class: ticket.matter.class.map(hotline::ticket::catalogue::Subject::Class),
            ..none()
        }),
        ("search by number (first 11 digits)", Created, |ticket, _| TicketFilter {
            number: ticket.number.to_string()[..11].parse().ok(),
            ..none()
        }),
        ("search by phone", Created, |ticket, _| TicketFilter { phone: ticket.phone.clone(), ..none() }),
        ("search by a whole title", Created, |ticket, _| TicketFilter { text: words(ticket, 0, 40), ..none() }),
        ("search by four characters", Created, |ticket, _| TicketFilter { text: words(ticket, 2, 4), ..none() }),
        ("search by two characters in a city", Created, |ticket, _| TicketFilter {
            cities: Some(vec![ticket.city]),
            text: words(ticket, 2, 2),
            ..none()
        }),
    ]
}
