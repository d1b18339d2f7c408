//! Reports say what a count over all tickets says, whatever has happened to them since the days were counted.

mod ledger;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};
use hotline::app::simulate::fill;
use hotline::city::City;
use hotline::clock::beijing_day;
use hotline::simulate::Plan;
use hotline::store::{Behind, Counted, Dimension, ReportQuery, ReportRow, Store};
use hotline::ticket::Number;
use hotline::ticket::figure::{Counts, Figure, Standing};

use crate::fixture::{Fixture, call, morning, on_each_database, ticket};
use ledger::Ledger;
use walk::Walk;

on_each_database!(
    reports_equal_a_count_over_all_tickets_whatever_happens,
    reports_of_a_simulated_year_equal_a_count_over_all_tickets,
    the_list_behind_a_figure_holds_what_it_counts,
    a_report_of_an_event_counts_what_came_in_at_it,
    a_day_that_was_counted_is_counted_again_only_when_it_changed,
    a_count_that_is_cut_short_goes_on_where_it_was,
    counts_at_once_agree_and_lose_nothing,
    a_class_that_rises_is_raised_once_a_week,
    codes_have_their_names,
);

/// A leaders' event.
const EVENT: &str = "住建局 11 月听民声";

/// The seed that `SEED` names, or one of its own.
const SEED: u64 = 0x0912_3450_0912_3451;

async fn reports_equal_a_count_over_all_tickets_whatever_happens(fixture: Fixture) {
    let mut walk = Walk::new(&fixture, SEED);
    for step in 1..=700_u32 {
        walk.step(&fixture).await;
        // some days stay as they were counted long ago
        if step.is_multiple_of(140) || step == 5 {
            agree(&walk, &format!("step {step}")).await;
        }
    }
    let counted: Counts =
        Ledger::of(&walk).await.rows(&query(&walk, Dimension::Total, None)).remove("").expect("a row");
    let never: Vec<_> = Figure::ALL.iter().filter(|figure| counted.of(**figure) == 0).collect();
    assert!(never.is_empty(), "the walk never came to {never:?}");
}

/// Asked in the middle of it and at its end, for the year and for a month.
async fn reports_of_a_simulated_year_equal_a_count_over_all_tickets(fixture: Fixture) {
    let first: NaiveDate = "2025-11-20".parse().expect("a day");
    let plan = Plan::new(2_000, 365, 21, first).expect("a plan");
    fill(&fixture.store, &plan, |_| {}).await.expect("filled");
    let ledger = Ledger::of_database(&fixture).await;
    let last = first + Days::new(380);
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    for (from, to, today) in
        [(first, last, last), (first, last, day("2026-06-15")), (day("2026-03-01"), day("2026-03-31"), last)]
    {
        let query =
            ReportQuery { dimension: Dimension::Total, from, to, cities: Vec::new(), unit: None, event: None, today };
        equal(&fixture.store, &ledger, &query, &format!("{from} to {to} on {today}")).await;
    }
    let whole = ReportQuery {
        dimension: Dimension::Total,
        from: first,
        to: last,
        cities: Vec::new(),
        unit: None,
        event: None,
        today: last,
    };
    let counted = ledger.rows(&whole).remove("").expect("a row");
    assert_eq!(counted.of(Figure::Received), 2_000);
    let never: Vec<_> = Figure::ALL.iter().filter(|figure| counted.of(**figure) == 0).collect();
    assert!(never.is_empty(), "the year never came to {never:?}");
}

async fn agree(walk: &Walk, when: &str) {
    let ledger = Ledger::of(walk).await;
    equal(&walk.store, &ledger, &query(walk, Dimension::Total, None), when).await;
}

/// Every dimension, of all cities, of one, and of one unit.
async fn equal(store: &Store, ledger: &Ledger, asked: &ReportQuery, when: &str) {
    for dimension in Dimension::ALL {
        for (cities, unit) in [(vec![], None), (vec![City::Lhasa], None), (vec![], Some("lhasa-housing"))] {
            let unit = unit.and_then(|unit| unit.parse().ok());
            let query = ReportQuery { dimension, cities, unit, ..asked.clone() };
            equals(store, ledger, &query, when).await;
        }
    }
}

async fn equals(store: &Store, ledger: &Ledger, query: &ReportQuery, when: &str) {
    let rows = store.report(query).await.expect("a report");
    let counts: BTreeMap<String, Counts> = rows.iter().map(counted).filter(not_empty).collect();
    let place = format!("{when}: {} {:?} {:?} {:?}", query.dimension, query.cities, query.unit, query.event);
    if query.dimension == Dimension::Total {
        assert_eq!(store.hours(query).await.expect("hours"), ledger.hours(query), "{place}");
    }
    assert_eq!(counts, ledger.rows(query), "{place}");
    for row in rows {
        for standing in Standing::ALL {
            let expected = ledger.standing(query, &row.key, *standing).len() as u64;
            assert_eq!(row.standings.of(*standing), expected, "{place}: {} {standing}", row.key);
        }
    }
}

async fn a_report_of_an_event_counts_what_came_in_at_it(fixture: Fixture) {
    let mut walk = Walk::new(&fixture, SEED + 2);
    for _ in 0..200 {
        walk.step(&fixture).await;
    }
    assert_eq!(fixture.store.events(&[], None).await, Ok(vec![]));
    let some = format!("update ticket set event = '{EVENT}' where substr(number, 11, 1) in ('1', '4', '7')");
    fixture.execute(&some).await;
    assert_eq!(fixture.store.events(&[City::Lhasa], None).await, Ok(vec![EVENT.to_owned()]));
    assert_eq!(fixture.store.events(&[City::Ngari], None).await, Ok(vec![]));
    for (unit, events) in [("lhasa-housing", vec![EVENT.to_owned()]), ("ngari-housing", vec![])] {
        let unit = unit.parse().expect("a code");
        assert_eq!(fixture.store.events(&[], Some(&unit)).await, Ok(events), "{unit}");
    }
    let ledger = Ledger::of(&walk).await;
    for dimension in Dimension::ALL {
        for (cities, unit) in [(vec![], None), (vec![City::Lhasa], Some("lhasa-housing"))] {
            let report = ReportQuery { cities, event: EVENT.parse().ok(), ..query(&walk, dimension, unit) };
            equals(&walk.store, &ledger, &report, "an event").await;
        }
    }
    let report = ReportQuery { event: EVENT.parse().ok(), ..query(&walk, Dimension::Channel, None) };
    let row = &walk.store.report(&report).await.expect("a report")[0];
    let whole = walk.store.report(&query(&walk, Dimension::Channel, None)).await.expect("a report");
    assert!((1..whole[0].counts.of(Figure::Received)).contains(&row.counts.of(Figure::Received)));
    let all = Figure::ALL.iter().map(|figure| Counted::Figure(*figure));
    for counted in all.chain(Standing::ALL.iter().map(|standing| Counted::Standing(*standing))) {
        let expected = match counted {
            Counted::Figure(figure) => ledger.behind(&report, &row.key, figure),
            Counted::Standing(standing) => ledger.standing(&report, &row.key, standing),
        };
        let behind = Behind { report: report.clone(), counted, key: Some(row.key.clone()) };
        assert_eq!(pages(&walk.store, &behind).await, expected, "{}", counted.name());
    }
}

async fn the_list_behind_a_figure_holds_what_it_counts(fixture: Fixture) {
    let mut walk = Walk::new(&fixture, SEED + 1);
    for _ in 0..260 {
        walk.step(&fixture).await;
    }
    let ledger = Ledger::of(&walk).await;
    for dimension in [Dimension::Total, Dimension::City, Dimension::Day, Dimension::Unit, Dimension::Group] {
        let report = query(&walk, dimension, None);
        for row in walk.store.report(&report).await.expect("a report") {
            for figure in Figure::ALL {
                let behind =
                    Behind { report: report.clone(), counted: Counted::Figure(*figure), key: Some(row.key.clone()) };
                let expected = ledger.behind(&report, &row.key, *figure);
                assert_eq!(pages(&walk.store, &behind).await, expected, "{dimension} {} {figure}", row.key);
                assert!(expected.len() as u64 <= row.counts.of(*figure));
            }
            for standing in Standing::ALL.iter().filter(|_| dimension != Dimension::Day) {
                let counted = Counted::Standing(*standing);
                let behind = Behind { report: report.clone(), counted, key: Some(row.key.clone()) };
                let expected = ledger.standing(&report, &row.key, *standing);
                assert_eq!(pages(&walk.store, &behind).await, expected, "{dimension} {} {standing}", row.key);
            }
        }
    }
    let report = query(&walk, Dimension::Unit, None);
    let expected = ledger.behind(&query(&walk, Dimension::Total, None), "", Figure::Received);
    let all = Behind { report, counted: Counted::Figure(Figure::Received), key: None };
    assert_eq!(pages(&walk.store, &all).await, expected);
}

/// All pages, three at a time.
async fn pages(store: &Store, behind: &Behind) -> BTreeSet<Number> {
    let (mut numbers, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.tickets_behind(behind, 3, cursor.as_ref()).await.expect("a page");
        numbers.extend(page.items.iter().map(|ticket| ticket.number));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let once: BTreeSet<Number> = numbers.iter().copied().collect();
    assert_eq!(once.len(), numbers.len(), "a ticket is listed once");
    once
}

async fn a_day_that_was_counted_is_counted_again_only_when_it_changed(fixture: Fixture) {
    let number = submit(&fixture, 1, 0).await;
    let day = beijing_day(morning());
    let recount = async |from: NaiveDate, to: NaiveDate| fixture.store.recount(from, to, &[]).await.expect("counted");
    assert_eq!(recount(day, day).await, 1);
    assert_eq!(recount(day, day).await, 0);
    let last = day + Days::new(30);
    assert_eq!(recount(day, last).await, 1, "the day it is due");
    submit(&fixture, 2, 60).await;
    assert_eq!(recount(day, day).await, 1);
    let rows =
        fixture.rows("select cast(received as text) from report_day where dimension = 'total' order by day").await;
    assert_eq!(rows, ["2", "0"], "{number}");
}

async fn a_count_that_is_cut_short_goes_on_where_it_was(fixture: Fixture) {
    let first = beijing_day(morning());
    for day in first.iter_days().take(20) {
        fixture.execute(&format!("insert into report_stale values ('{day}', 'ngari', '', 0)")).await;
    }
    let last = first + Days::new(30);
    let mut left = Vec::new();
    while left.last() != Some(&0) {
        let done = fixture.store.recount_while(first, last, &[], || false).await.expect("counted");
        assert_eq!(done.counted + done.left, left.last().copied().unwrap_or(20));
        left.push(done.left);
    }
    assert_eq!(left, [12, 4, 0], "eight days a transaction");
    let done = fixture.store.recount_while(first, last, &[], || true).await.expect("counted");
    assert_eq!((done.counted, done.left), (0, 0));
}

async fn counts_at_once_agree_and_lose_nothing(fixture: Fixture) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let call = fixture.call(number).await;
        let store = fixture.store.clone();
        tasks.spawn(async move {
            store.submit_ticket(&ticket(&call), morning()).await.expect("submitted");
            store.report(&day_query(Dimension::Total)).await.expect("a report");
        });
    }
    tasks.join_all().await;
    let rows = fixture.store.report(&day_query(Dimension::Total)).await.expect("a report");
    assert_eq!(rows[0].counts.of(Figure::Received), 40);
}

async fn a_class_that_rises_is_raised_once_a_week(fixture: Fixture) {
    let mut number = 0;
    let mut arrive = async |days: i64, class: &str| {
        number += 1;
        let ticket = submit(&fixture, number, days * 86_400).await;
        fixture.execute(&format!("update ticket set class = '{class}' where number = '{ticket}'")).await;
    };
    for days in [-20, -3, -6, 0, 0, 0] {
        arrive(days, "0101").await;
    }
    arrive(-7, "0101").await;
    arrive(-34, "0101").await;
    arrive(-35, "0101").await;
    arrive(-1, "0201").await;
    arrive(-8, "0102").await;
    let today = beijing_day(morning());
    let weeks = fixture.store.class_weeks(today, &[]).await.expect("counted");
    let seen: Vec<_> = weeks.iter().map(|of| (of.class.to_string(), of.week, of.four_weeks_before)).collect();
    assert_eq!(seen, [("0101".to_owned(), 5, 3), ("0201".to_owned(), 1, 0)]);
    let monday = "2026-11-16".parse().expect("a day");
    let raise = async |monday| fixture.store.raise_trend(&weeks[0], monday, morning()).await.expect("raised");
    assert!(raise(monday).await);
    assert!(!raise(monday).await);
    assert!(raise(monday + Days::new(7)).await);
    let audit =
        fixture.rows("select subject || ' ' || actor || ': ' || reason from audit where action = 'raised'").await;
    assert_eq!(audit, ["trend lhasa 0101 system: 5 in seven days, 3 in the four weeks before"; 2]);
}

async fn codes_have_their_names(fixture: Fixture) {
    for (dimension, code, zh) in
        [(Dimension::Unit, "lhasa-housing", "住"), (Dimension::Class, "0101", ""), (Dimension::Group, "01", "")]
    {
        let names = fixture.store.names(dimension).await.expect("read");
        assert!(names[code].zh.contains(zh) && !names[code].bo.is_empty(), "{code}");
    }
    assert!(fixture.store.names(Dimension::Day).await.expect("read").is_empty());
}

fn query(walk: &Walk, dimension: Dimension, unit: Option<&str>) -> ReportQuery {
    let today = beijing_day(walk.now);
    let from = beijing_day(morning()) + Days::new(1);
    let unit = unit.map(|unit| unit.parse().expect("a unit"));
    ReportQuery { dimension, from, to: today, cities: Vec::new(), unit, event: None, today }
}

fn day_query(dimension: Dimension) -> ReportQuery {
    let day = beijing_day(morning());
    ReportQuery { dimension, from: day, to: day, cities: Vec::new(), unit: None, event: None, today: day }
}

fn counted(row: &ReportRow) -> (String, Counts) {
    (row.key.clone(), row.counts.clone())
}

fn not_empty(row: &(String, Counts)) -> bool {
    row.1 != Counts::default()
}

async fn submit(fixture: &Fixture, number: u32, seconds: i64) -> Number {
    let call = call(number);
    fixture.store.insert_call(&call).await.expect("inserted");
    let at = morning() + TimeDelta::seconds(seconds);
    fixture.store.submit_ticket(&ticket(&call), at).await.expect("submitted").number
}
