//! A database of the first schema, with rows in every table, serves on.

use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{Ceilings, Holder, TicketFilter, TicketOrder};
use hotline::ticket::{Action, Actor, Direction, Number, State};
use hotline::work::clocks::round;
use serde_json::json;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::cluster;
use crate::fixture::{Fixture, Folder, morning};
use crate::life::{classified, command, dispatch, does, refused};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// As the first version wrote them: three tickets, of which two are urged.
const ROWS: [&str; 10] = [
    "insert into call values ('01936f00-0000-7000-8000-000000000001', 'lhasa-1', 'inbound', 'a@b', 'lhasa', '12345', \
     '13800000001', 'bo', '2026-11-20T02:00:00+00:00', '2026-11-20T02:00:01+00:00', '2026-11-20T02:03:00+00:00', 'caller')",
    "insert into call_event values ('01936f00-0000-7000-8000-000000000001', 1, '2026-11-20T02:00:00+00:00', 0, 'node', \
     'answer')",
    "insert into ticket values \
     ('126112000016', 'lhasa', 'phone', '12345', '01936f00-0000-7000-8000-000000000001', '2026-11-20T02:02:00+00:00', \
      '2026-11-20', 'bo', 'citizen', '13800000001', null, false, 'help', 'normal', true, 'received'), \
     ('126112000024', 'lhasa', 'phone', '12345', null, '2026-11-20T03:02:00+00:00', '2026-11-20', 'zh', 'enterprise', \
      null, '13800000002', true, 'report', 'urgent', false, 'received'), \
     ('326112000012', 'shannan', 'phone', null, null, '2026-11-19T15:59:00+00:00', '2026-11-19', 'zh', 'citizen', \
      '13800000003', null, false, null, 'normal', true, 'received')",
    "insert into audit values \
     ('126112000016', 1, '2026-11-20T02:02:00+00:00', 'caller', 'created', null, null, null), \
     ('126112000016', 2, '2026-11-21T02:02:00+00:00', 'caller', 'urged', null, null, null), \
     ('126112000024', 1, '2026-11-20T03:02:00+00:00', 'system', 'created', null, null, null), \
     ('326112000012', 1, '2026-11-20T03:02:00+00:00', 'repair', 'created', null, null, null)",
    "insert into recording values ('01936f00-0000-7000-8000-000000000002', '01936f00-0000-7000-8000-000000000001', \
     '126112000016', 'request', 'lhasa-1', '2026/11/20/a.wav', 1, '2026-11-20T02:01:00+00:00', 'closed', 4000, 'ab', \
     64044, 'key', false)",
    "insert into number_sequence values ('lhasa', '2026-11-20', 2), ('shannan', '2026-11-20', 1)",
    "insert into urge values ('126112000016', '2026-11-21', '2026-11-21T02:02:00+00:00')",
    "insert into caller_language values ('13800000001', 'bo', '2026-11-20T02:00:00+00:00')",
    "insert into progress_failure values ('13800000009', 2, '2026-11-20T02:00:00+00:00')",
    "insert into meta values ('schema_note', 'first')",
];

/// A schema's number, and rows as it had them.
type Step = (i64, &'static [&'static str]);

async fn old_sqlite(steps: &[Step]) -> Fixture {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.path().join("old.db").display());
    let mut connection = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.expect("created");
    for (schema, rows) in steps {
        SQLITE.run_to(*schema, &mut connection).await.expect("an old schema");
        for row in *rows {
            sqlx::query(*row).execute(&mut connection).await.expect(row);
        }
    }
    connection.close().await.expect("closed");
    Fixture::open(folder, url).await
}

async fn old_postgres(steps: &[Step]) -> Fixture {
    let url = cluster::database().await;
    let mut connection = PgConnection::connect(&url).await.expect("connected");
    for (schema, rows) in steps {
        POSTGRES.run_to(*schema, &mut connection).await.expect("an old schema");
        for row in *rows {
            sqlx::query(*row).execute(&mut connection).await.expect(row);
        }
    }
    connection.close().await.expect("closed");
    Fixture::open(Folder::new(), url).await
}

#[tokio::test]
async fn the_first_schema_in_sqlite_is_brought_here_with_its_rows() {
    serves_on(old_sqlite(&[(1, &ROWS)]).await).await;
}

#[tokio::test]
async fn the_first_schema_in_postgres_is_brought_here_with_its_rows() {
    serves_on(old_postgres(&[(1, &ROWS)]).await).await;
}

/// As the second version left a ticket that was answered directly, on a Friday.
const DUE_VISIT: [&str; 2] = [
    "update ticket set state = 'closed', closed_at = '2026-11-20T04:00:00+00:00' where number = '126112000016'",
    "insert into visit (ticket, round, state, closed_at, due_at, attempts) values ('126112000016', 1, 'due', \
     '2026-11-20T04:00:00+00:00', '2026-11-20T04:00:00+00:00', 0)",
];

#[tokio::test]
async fn visits_that_were_due_before_they_were_planned_get_a_plan_in_sqlite() {
    is_planned(old_sqlite(&[(1, &ROWS), (2, &DUE_VISIT)]).await).await;
}

#[tokio::test]
async fn visits_that_were_due_before_they_were_planned_get_a_plan_in_postgres() {
    is_planned(old_postgres(&[(1, &ROWS), (2, &DUE_VISIT)]).await).await;
}

async fn is_planned(fixture: Fixture) {
    assert_eq!(fixture.store.plan_visits(morning()).await, Ok(1));
    assert_eq!(fixture.rows("select step from visit").await, ["call"]);
    let holder = Holder { node: "lhasa-1".to_owned(), start: "1".to_owned() };
    let plenty = Ceilings { live: 10, per_second: 10 };
    let calls = fixture.store.lease_visits(&holder, 10, plenty, morning()).await.expect("leased");
    assert_eq!(calls.iter().map(|call| call.ticket).collect::<Vec<_>>(), [number("126112000016")]);
}

fn number(text: &str) -> Number {
    text.parse().expect("a number")
}

async fn serves_on(fixture: Fixture) {
    every_row_is_there(&fixture).await;
    assert_eq!(fixture.store.fill_due_days(morning()).await, Ok(3));
    assert_eq!(round(&fixture.store, morning(), 100).await.expect("looked").raised, 3, "late for their dispatch");
    let due: Vec<String> = fixture.rows("select cast(due_day as text) from ticket order by number").await;
    assert_eq!(due, ["2026-11-27", "2026-12-11", "2026-11-26"]);
    a_ticket_lives_on(&fixture).await;
    let store = fixture.reopen().await.expect("it opens again");
    assert_eq!(
        store.tickets(&TicketFilter::default(), TicketOrder::Created, 10, None).await.expect("read").items.len(),
        3
    );
}

async fn every_row_is_there(fixture: &Fixture) {
    let file = fixture.store.ticket(number("126112000016")).await.expect("read").expect("there");
    let ticket = &file.ticket;
    assert_eq!((ticket.state, ticket.version, ticket.handling.round), (State::Received, 1, 1));
    assert_eq!((ticket.state_since, ticket.handling.due_day), (ticket.created_at, None));
    assert_eq!(ticket.phone, Phone::parse("13800000001"));
    assert_eq!((file.recordings.len(), file.recordings[0].duration_ms), (1, Some(4000)));
    let found = &file.recordings[0];
    assert_eq!((found.city, found.language, &found.phone), (City::Lhasa, Some(Language::Bo), &ticket.phone));
    assert_eq!((found.direction, found.owner), (Direction::Inbound, Some(ticket.number)), "it is found by its call");
    let told: Vec<_> = file.audit.iter().map(|entry| (entry.sequence, entry.actor, entry.action)).collect();
    assert_eq!(told, [(1, Actor::Caller, Action::Created), (2, Actor::Caller, Action::Urged)]);
    let other = fixture.store.ticket(number("126112000024")).await.expect("read").expect("there").ticket;
    assert!(other.confidential && !other.confirmed && other.phone.is_none() && other.other_phone.is_some());
    let call = ticket.call.expect("its call");
    assert_eq!(fixture.store.call(call).await.expect("read").expect("there").id, call);
    for (table, rows) in [
        ("call", 1),
        ("call_event", 1),
        ("ticket", 3),
        ("audit", 4),
        ("audit_subject", 3),
        ("recording", 1),
        ("number_sequence", 2),
        ("urge", 1),
        ("caller_language", 1),
        ("progress_failure", 1),
    ] {
        let found = fixture.rows(&format!("select cast(count(*) as text) from {table}")).await;
        assert_eq!(found, [rows.to_string()], "{table}");
    }
    assert_eq!(fixture.rows("select value from meta where name = 'schema_note'").await, ["first"]);
}

async fn a_ticket_lives_on(fixture: &Fixture) {
    let (store, one, now) = (&fixture.store, number("126112000016"), morning());
    assert_eq!(refused(store, one, dispatch(), now).await, "no_title");
    classified(store, one, "路灯不亮", "0105", "江苏路3号", now).await;
    does(store, one, dispatch(), now).await;
    for step in [
        json!({ "command": "sign" }),
        json!({ "command": "record_contact", "told": "5 days" }),
        json!({ "command": "reply", "text": "repaired" }),
        json!({ "command": "pass" }),
        json!({ "command": "visited", "means": "person", "solved": "yes", "satisfaction": 5 }),
    ] {
        does(store, one, command(step), now).await;
    }
    let file = store.ticket(one).await.expect("read").expect("there");
    assert_eq!(file.ticket.state, State::Archived);
    let sequence: Vec<u32> = file.audit.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequence, (1..=11).collect::<Vec<_>>(), "the history goes on where it was");
}
