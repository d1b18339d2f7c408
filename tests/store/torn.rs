//! Killed between any two statements, the store holds the whole of each command or nothing of it.
//!
//! A process of its own lives through some tickets' lives and is killed by strace at its n-th write: of a page to
//! SQLite's files, or of a message to PostgreSQL.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::store::{Ceilings, Holder, Rules, Settlement, Store, Subscriber, TicketFile};
use hotline::ticket::supervision::Config;
use hotline::ticket::{Action, CallId, Number, Outcome, Said, Solved, State, VisitCall};
use hotline::work::{clocks, supervision};
use serde_json::json;

use crate::cluster;
use crate::fixture::{Fixture, Folder, config};
use crate::killing::{self, SIGKILL, Traced};
use crate::life::{classified, command, complained, dispatch, does};

/// Kills on each database, spread over all writes.
const KILLS: usize = 12;
/// Tells the process which database it is to live in.
const URL: &str = "HOTLINE_TORN_URL";

#[tokio::test]
async fn killed_at_any_page_sqlite_holds_whole_commands() {
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite://{}", path(name).display());
    Fixture::open(Folder::new(), url("template.db")).await.store.close().await;
    let copy = |name: &str| std::fs::copy(path("template.db"), path(name)).expect("copied");
    copy("whole.db");
    let calls = "write,pwrite64,fdatasync,fsync";
    let writes = killing::whole(&life(&url("whole.db"), calls, &folder));
    for at in killing::spread(writes, KILLS) {
        let name = format!("{at}.db");
        copy(&name);
        assert_eq!(life(&url(&name), calls, &folder).run(Some(at)).signal(), Some(SIGKILL), "at {at} of {writes}");
        holds_whole_commands(&url(&name), at).await;
    }
}

#[tokio::test]
async fn killed_at_any_statement_postgres_holds_whole_commands() {
    let folder = Folder::new();
    let (template, whole) = (cluster::database().await, cluster::database().await);
    for url in [&template, &whole] {
        Fixture::open(Folder::new(), url.clone()).await.store.close().await;
    }
    let calls = "sendto";
    let writes = killing::whole(&life(&whole, calls, &folder));
    let mut killed = 0;
    for at in killing::spread(writes, KILLS) {
        let url = cluster::copy(&template).await;
        let ended = life(&url, calls, &folder).run(Some(at));
        // a life that opened fewer connections than the first may be over before its n-th message
        assert!(ended.signal() == Some(SIGKILL) || ended.success(), "{ended} at {at} of {writes}");
        killed += usize::from(!ended.success());
        cluster::alone(&url).await;
        holds_whole_commands(&url, at).await;
    }
    assert!(killed >= KILLS - 2, "only {killed} were killed");
}

/// A process that lives through [`lives`].
fn life(url: &str, calls: &'static str, folder: &Folder) -> Traced {
    Traced { test: "torn::lives", variables: vec![(URL, url.to_owned())], calls, log: folder.path().join("strace") }
}

fn morning() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

async fn opened(url: &str) -> Store {
    let supervision = Config { matter_tickets: 3, ..Config::default() };
    let rules = Rules {
        supervision,
        webhooks: vec![Subscriber { name: "desk".to_owned(), events: Vec::new() }],
        ..Rules::default()
    };
    Store::open(&config(url), Path::new("/")).await.expect("opened").with_rules(rules)
}

#[tokio::test]
#[ignore = "the others run it in a process of its own"]
async fn lives() {
    let Ok(url) = std::env::var(URL) else { panic!("{URL} names the database") };
    let (store, now) = (opened(&url).await, morning());
    let mut tickets = Vec::new();
    for number in 1..=3 {
        let ticket = complained(&store, number, now).await;
        classified(&store, ticket, "路灯不亮", "0105", "江苏路3号", now).await;
        tickets.push(ticket);
    }
    let step = async |number, step| does(&store, number, command(step), now).await.version;
    does(&store, tickets[0], dispatch(), now).await;
    step(tickets[0], json!({ "command": "sign" })).await;
    let round = [
        json!({ "command": "record_contact", "told": "5 days" }),
        json!({ "command": "reply", "text": "repaired" }),
        json!({ "command": "pass" }),
    ];
    for one in &round {
        step(tickets[0], one.clone()).await;
    }
    step(tickets[0], json!({ "command": "visited", "means": "person", "satisfaction": 1, "redo": true })).await;
    step(tickets[0], json!({ "command": "uphold" })).await;
    for one in &round {
        step(tickets[0], one.clone()).await;
    }
    supervision::round(&store, now).await.expect("looked");
    clocks::round(&store, now + TimeDelta::hours(1), 100).await.expect("looked");
    step(tickets[1], json!({ "command": "merge", "into": tickets[2] })).await;
    step(tickets[2], json!({ "command": "answer", "reply": "repaired" })).await;
    returns(&store, now).await;
    store.close().await;
}

/// Calls everybody whose visit is due, and hears that it is solved.
async fn returns(store: &Store, now: DateTime<Utc>) {
    store.plan_visits(now).await.expect("planned");
    let holder = Holder { node: "lhasa-1".to_owned(), start: "1".to_owned() };
    let calls = store.lease_visits(&holder, 10, Ceilings { live: 10, per_second: 10 }, now).await.expect("leased");
    assert_eq!(calls.len(), 2, "the merged one and its lead");
    for VisitCall { attempt, .. } in calls {
        store.attempt_dialled(attempt, "telecom", CallId::new(now, [1; 10]), now).await.expect("written");
        for said in [Said::Willing, Said::Solved(Solved::Yes)] {
            store.attempt_said(attempt, said, now).await.expect("kept");
        }
        let outcome = Outcome::OptOut;
        let settlement = Settlement { attempt, outcome, status: None, q850: None, message_left: false, early: None };
        store.settle_attempt(&settlement, now).await.expect("settled");
    }
}

async fn holds_whole_commands(url: &str, at: usize) {
    let fixture = Fixture::open(Folder::new(), url.to_owned()).await;
    let store = opened(url).await;
    let numbers = fixture.rows("select number from ticket order by number").await;
    for number in &numbers {
        let number: Number = number.parse().expect("a number");
        let file = store.ticket(number).await.expect("read").expect("there");
        is_what_its_history_tells(&file, at);
        brought_everything_with_it(&fixture, &file, at).await;
        if file.ticket.state.is_open() {
            let after = does(&store, number, command(json!({ "command": "note", "text": "on" })), morning()).await;
            assert_eq!(after.version, file.ticket.version + 1, "killed at {at}");
        }
    }
    let orphans = "select subject from audit where subject like '1%' and subject not in (select number from ticket)";
    assert_eq!(fixture.rows(orphans).await, [""; 0], "killed at {at}");
    let opened = fixture.rows("select action from audit where subject like 'matter %'").await;
    let supervised = fixture.rows("select subject from supervision").await;
    let told = fixture.rows("select event from outbox where ticket is null").await;
    assert_eq!((opened.len(), told.len()), (supervised.len(), supervised.len()), "killed at {at}");
    attempts_and_visits_agree(&fixture, at).await;
    store.close().await;
    fixture.store.close().await;
}

/// A live attempt has its visit wait, one that has ended has taken it on; an opt-out is on the list with its audit row.
async fn attempts_and_visits_agree(fixture: &Fixture, at: usize) {
    let attempts = |ended: &str| format!("select ticket from attempt where ended_at is {ended} order by ticket");
    let visits = |which: &str| format!("select ticket from visit where {which} order by ticket");
    let live = fixture.rows(&visits("state = 'due' and step = 'live' and attempts = 1")).await;
    assert_eq!(live, fixture.rows(&attempts("null")).await, "killed at {at}");
    let answered = fixture.rows(&visits("state = 'answered' and means = 'call'")).await;
    assert_eq!(answered, fixture.rows(&attempts("not null")).await, "killed at {at}");
    let listed = fixture.rows("select phone from opt_out").await;
    let told = fixture.rows("select subject from audit where subject like 'opt-out %'").await;
    assert_eq!((listed.len(), told.len()), (answered.len(), answered.len()), "killed at {at}");
}

fn is_what_its_history_tells(file: &TicketFile, at: usize) {
    let sequence: Vec<u32> = file.audit.iter().map(|entry| entry.sequence).collect();
    let expected: Vec<u32> = (1..=file.ticket.version).collect();
    assert_eq!(sequence, expected, "a version an entry; killed at {at}");
    let mut changes = file.audit.iter().flat_map(|entry| &entry.changes);
    let told = changes.rfind(|change| change.field == "state").and_then(|change| change.is.as_deref());
    assert_eq!(told.unwrap_or("received"), file.ticket.state.name(), "killed at {at}");
}

/// Each change of state has its message, each contact its proof, each closing its visit.
async fn brought_everything_with_it(fixture: &Fixture, file: &TicketFile, at: usize) {
    let number = file.ticket.number;
    let rows = async |table: &str| {
        fixture.rows(&format!("select cast(1 as text) from {table} and ticket = '{number}'")).await.len()
    };
    let count = |action| file.audit.iter().filter(|entry| entry.action == action).count();
    let moved = file.audit.iter().filter(|entry| entry.changes.iter().any(|change| change.field == "state")).count();
    let messages = rows("outbox where event in ('ticket.created', 'ticket.state_changed')").await;
    assert_eq!(messages, moved + 1, "killed at {at}");
    let contacts = rows("contact where true").await;
    assert_eq!(contacts, count(Action::Contacted), "killed at {at}");
    let answered = rows("visit where state = 'answered'").await;
    assert_eq!(answered, count(Action::Visited), "killed at {at}");
    let due = rows("visit where state = 'due'").await;
    let waits = matches!(file.ticket.state, State::AwaitingVisit | State::Closed);
    let follows = file.ticket.state == State::Merged;
    assert!(due == usize::from(waits) || follows && due <= 1, "killed at {at}");
    let words = rows("gram where gram = '路灯'").await;
    assert_eq!(words, usize::from(file.ticket.matter.title.is_some()), "killed at {at}");
}
