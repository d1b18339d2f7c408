//! Lives written in bulk: the same rows as one command at a time, and the same from the same seed.

use chrono::{DateTime, Days, TimeDelta, Utc};
use hotline::app::simulate::{Progress, fill};
use hotline::simulate::Plan;
use hotline::store::{BulkError, Order};
use hotline::ticket::calendar::Calendar;
use hotline::ticket::deadline::Limits;
use hotline::ticket::{AccountId, Actor, Answers, Command, Effect, Life, Means, Moment, Number, Side};

use crate::fixture::{Fixture, call, morning, on_each_database, ticket};

on_each_database!(
    bulk_writes_the_rows_that_commands_write,
    one_seed_fills_two_databases_alike,
    a_database_that_has_tickets_is_refused,
    numbers_go_on_after_the_simulated_ones,
);

/// Every row that a command leaves, a text each.
const ROWS: [&str; 8] = [
    "select subject || ' ' || sequence || ' ' || at || ' ' || actor || ' ' || action || ' ' || coalesce(changes, '-') \
        || ' ' || coalesce(reason, '-') || ' ' || coalesce(address, '-') from audit order by subject, sequence",
    "select subject || ' ' || last from audit_subject order by subject",
    "select ticket || ' ' || sequence || ' ' || round || ' ' || at || ' ' || actor || ' ' || told \
        from contact order by ticket, sequence",
    "select ticket || ' ' || round || ' ' || state || ' ' || due_at || ' ' || attempts || ' ' \
        || coalesce(cast(attempted_at as text), '-') || ' ' || coalesce(cast(answered_at as text), '-') || ' ' \
        || coalesce(means, '-') || ' ' || coalesce(contacted, '-') || ' ' || coalesce(solved, '-') || ' ' \
        || coalesce(cast(satisfaction as text), '-') || ' ' || coalesce(cast(redo as text), '-') || ' ' \
        || coalesce(recording, '-') from visit order by ticket, round",
    "select ticket || ' ' || day || ' ' || at from urge order by ticket, day",
    "select gram || ' ' || ticket from gram order by gram, ticket",
    "select ticket || ' ' || unit || ' ' || cast(is_open as text) from assisting order by ticket, unit",
    "select city || ' ' || day || ' ' || last from number_sequence order by city, day",
];

/// Days that have to be counted anew, and what was counted.
const MARKED: &str = "select distinct city || ' ' || day as marked from report_stale order by marked";
const COUNTED: &str = "select dimension || ' ' || day || ' ' || city || ' ' || key || ' ' || received || ' ' || closed \
        || ' ' || due_met || ' ' || contact_met || ' ' || visits || ' ' || satisfied || ' ' || redone \
        from report_day order by dimension, day, city, key";

async fn rows(fixture: &Fixture) -> Vec<String> {
    let mut rows = Vec::new();
    for query in ROWS {
        rows.extend(fixture.rows(query).await);
    }
    rows
}

fn account(number: u8) -> Actor {
    Actor::Account(AccountId::new(morning(), [number; 10]))
}

fn command(json: &str) -> Command {
    serde_json::from_str(json).expect("a command")
}

/// Minutes after the creation, who, from which side, what.
fn short_life() -> Vec<(i64, Actor, Side, Command)> {
    let (agent, clerk, supervisor) = (account(1), account(2), account(3));
    vec![
        (
            3,
            agent,
            Side::Hotline,
            r#"{"command":"edit","title":"八廓街路灯不亮","content":"晚上很黑。","class":"0105","place":"八廓街"}"#,
        ),
        (5, agent, Side::Hotline, r#"{"command":"dispatch","unit":"lhasa-city","assisting":["lhasa-housing"]}"#),
        (20, clerk, Side::Unit, r#"{"command":"sign"}"#),
        (31, clerk, Side::Unit, r#"{"command":"record_contact","told":"五日内答复"}"#),
        (40, clerk, Side::Unit, r#"{"command":"record_contact","told":"再次联系"}"#),
        (45, Actor::Caller, Side::Requester, r#"{"command":"urge"}"#),
        (
            50,
            clerk,
            Side::Unit,
            r#"{"command":"ask_extension","working_days":3,"reason":"complex_matter","note":"查"}"#,
        ),
        (60, supervisor, Side::Hotline, r#"{"command":"grant"}"#),
        (70, clerk, Side::Unit, r#"{"command":"reply","text":"已修"}"#),
        (80, supervisor, Side::Hotline, r#"{"command":"pass"}"#),
        (
            90,
            Actor::System,
            Side::System,
            r#"{"command":"visited","means":"call","solved":"no","satisfaction":1,"redo":true}"#,
        ),
        (95, supervisor, Side::Hotline, r#"{"command":"uphold"}"#),
        (99, clerk, Side::Unit, r#"{"command":"reply","text":"又修"}"#),
        (100, supervisor, Side::Hotline, r#"{"command":"pass"}"#),
        (110, agent, Side::Hotline, r#"{"command":"end_visit","because":"unreached"}"#),
    ]
    .into_iter()
    .map(|(minutes, actor, side, json)| (minutes, actor, side, command(json)))
    .collect()
}

/// A follower that comes in later, is merged while its lead is open, and is visited after its lead was closed twice.
fn follower(lead: Number) -> Vec<(i64, Actor, Side, Command)> {
    let answers = Answers {
        means: Means::Person,
        contacted: None,
        solved: None,
        satisfaction: hotline::ticket::Satisfaction::new(4),
        redo: false,
        recording: None,
    };
    vec![
        (12, account(1), Side::Hotline, command(r#"{"command":"note","text":"同一件事"}"#)),
        (15, account(3), Side::Hotline, Command::Merge { into: lead }),
        (120, account(1), Side::Hotline, Command::Visited(answers)),
    ]
}

async fn bulk_writes_the_rows_that_commands_write(fixture: Fixture) {
    let bulk_fixture = fixture.another().await;
    let created = morning();
    let mut lives = Vec::new();
    for number in 1..=2 {
        let call = fixture.call(number).await;
        bulk_fixture.call(number).await;
        let number = fixture.store.submit_ticket(&ticket(&call), created).await.expect("submitted").number;
        let ticket = fixture.store.ticket(number).await.expect("read").expect("there").ticket;
        lives.push(Life::begin(ticket, Actor::Caller, &Calendar::built_in(), &Limits::default()));
    }
    let (lead, second) = (lives[0].created.number, lives[1].created.number);
    let mut deeds: Vec<(usize, (i64, Actor, Side, Command))> = short_life().into_iter().map(|deed| (0, deed)).collect();
    deeds.extend(follower(lead).into_iter().map(|deed| (1, deed)));
    deeds.sort_by_key(|(_, (minutes, ..))| *minutes);
    for (whose, (minutes, actor, side, command)) in deeds {
        let now = created + TimeDelta::minutes(minutes);
        let number = [lead, second][whose];
        let order = Order { number, version: None, command: command.clone(), actor, side, address: None };
        fixture.store.execute(&order, now).await.expect("executed");
        walk(&mut lives, whose, command, now, actor, side);
    }
    let mut bulk = bulk_fixture.store.bulk().await.expect("a fresh database");
    bulk.write(&lives).await.expect("written");
    assert_eq!(bulk_fixture.rows(MARKED).await, fixture.rows(MARKED).await);
    bulk.finish(|_, _| {}).await.expect("finished");
    assert_eq!(rows(&bulk_fixture).await, rows(&fixture).await);
    assert_eq!(bulk_fixture.rows(MARKED).await, [""; 0], "its days are counted");
    let day = hotline::clock::beijing_day(created);
    fixture.store.recount(day, day + Days::new(60), &[]).await.expect("counted");
    assert_eq!(bulk_fixture.rows(COUNTED).await, fixture.rows(COUNTED).await);
    for number in [lead, second] {
        let executed = fixture.store.ticket(number).await.expect("read").expect("there");
        let written = bulk_fixture.store.ticket(number).await.expect("read").expect("there");
        assert_eq!(written.ticket, executed.ticket);
    }
}

/// The same command in memory; a lead that is closed makes its follower's visit due.
fn walk(lives: &mut [Life], whose: usize, command: Command, now: DateTime<Utc>, actor: Actor, side: Side) {
    let (calendar, limits) = (Calendar::built_in(), Limits::default());
    let moment = Moment { now, actor, side, calendar: &calendar, limits: &limits };
    lives[whose].carry_out(command, &moment).expect("carried out");
    let effects = lives[whose].deeds.last().map(|deed| deed.effects.clone()).expect("it was done");
    for effect in effects {
        if let (0, Effect::VisitDue { round }) = (whose, effect) {
            lives[1].followed.push((now, round));
        }
    }
}

fn plan(tickets: u32, days: u32) -> Plan {
    Plan::new(tickets, days, 11, "2026-09-01".parse().expect("a day")).expect("a plan")
}

async fn one_seed_fills_two_databases_alike(fixture: Fixture) {
    let other = fixture.another().await;
    for fixture in [&fixture, &other] {
        let mut heard = Vec::new();
        let written = fill(&fixture.store, &plan(1_200, 30), |progress| heard.push(progress)).await.expect("filled");
        let counted = heard.split_off(2);
        assert_eq!(
            (written, heard),
            (1_200, [1_000, 1_200].map(|tickets| Progress::Written { tickets, all: 1_200 }).into())
        );
        let Some(Progress::Counted { days, all }) = counted.last() else { panic!("{counted:?}") };
        assert!(days == all && counted.len() > 4, "{counted:?}");
    }
    assert_eq!(rows(&fixture).await, rows(&other).await);
    assert_eq!(fixture.rows(COUNTED).await, other.rows(COUNTED).await);
    const TICKETS: &str = "select number || ' ' || state || ' ' || version || ' ' || coalesce(title, '-') || ' ' \
        || coalesce(phone, '-') || ' ' || coalesce(lead_unit, '-') || ' ' || coalesce(cast(ended_at as text), '-') \
        from ticket order by number";
    assert_eq!(fixture.rows(TICKETS).await, other.rows(TICKETS).await);
}

async fn a_database_that_has_tickets_is_refused(fixture: Fixture) {
    fill(&fixture.store, &plan(5, 1), |_| {}).await.expect("filled");
    assert_eq!(fill(&fixture.store, &plan(5, 1), |_| {}).await, Err(BulkError::NotFresh));
}

async fn numbers_go_on_after_the_simulated_ones(fixture: Fixture) {
    let call = call(1);
    let day = hotline::clock::beijing_day(call.started_at);
    let plan = Plan::new(40, 1, 3, day).expect("a plan");
    fill(&fixture.store, &plan, |_| {}).await.expect("filled");
    let highest = "select max(number) from ticket where city = 'lhasa'";
    let highest: Number = fixture.rows(highest).await[0].parse().expect("a number");
    fixture.store.insert_call(&call).await.expect("inserted");
    let next = fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted").number;
    assert_eq!((next.day(), next.sequence()), (highest.day(), highest.sequence() + 1));
}
