//! Announcements that are imported: which due days move, which stay, and what is kept of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hotline::city::City;
use hotline::store::{By, Moved, NewTicket, Order};
use hotline::ticket::calendar::{Announcement, Calendar, Scope, WorkingDays};
use hotline::ticket::{Action, Actor, Answers, Command, Edit, Means, Number, Satisfaction, Side, Solved, Ticket};

use crate::fixture::{Fixture, morning, on_each_database, ticket};

on_each_database!(
    a_dry_run_shows_what_an_import_moves_and_changes_nothing,
    an_import_moves_open_tickets_and_writes_each_move_down,
    an_import_of_a_city_moves_its_tickets_alone,
    an_import_done_twice_moves_nothing,
    an_extension_and_a_suspension_survive_an_import,
    a_later_round_is_counted_from_the_day_it_began,
    the_calendar_of_another_process_is_read_anew,
    tickets_of_the_first_schema_get_their_due_days,
    commands_and_imports_at_once_leave_no_day_of_the_old_calendar,
);

/// The last Monday of 2026: five working days end in the year nobody has announced.
fn december() -> DateTime<Utc> {
    "2026-12-28T02:00:00Z".parse().expect("a time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// The first of January and the two days after the weekend are off.
fn announced(scope: Scope) -> Announcement {
    let off = ["2027-01-01", "2027-01-04", "2027-01-05"].map(day);
    Announcement::new(scope, 2027, off, []).expect("an announcement")
}

async fn submit(fixture: &Fixture, number: u32, city: City, now: DateTime<Utc>) -> Number {
    let call = fixture.call(number).await;
    let new = NewTicket { city, ..ticket(&call) };
    fixture.store.submit_ticket(&new, now).await.expect("submitted").number
}

async fn give(fixture: &Fixture, number: Number, command: Command, now: DateTime<Utc>) -> Ticket {
    let system = matches!(command, Command::Grant);
    let actor = if system { Actor::System } else { Actor::Operator };
    let order = Order { number, version: None, command, actor, side: Side::Hotline, address: None };
    fixture.store.execute(&order, now).await.expect("carried out")
}

/// To its unit, signed, contacted.
async fn handled(fixture: &Fixture, number: u32, now: DateTime<Utc>) -> Number {
    let ticket = submit(fixture, number, City::Lhasa, now).await;
    let edit = Edit { title: "路灯不亮".parse().ok(), class: "0101".parse().ok(), ..Edit::default() };
    give(fixture, ticket, Command::Edit(Box::new(edit)), now).await;
    let unit = "lhasa-housing".parse().expect("a unit");
    give(fixture, ticket, Command::Dispatch { unit, assisting: Vec::new() }, now).await;
    give(fixture, ticket, Command::Sign, now).await;
    let told = "受理".parse().expect("a text");
    give(fixture, ticket, Command::RecordContact { told, at: None }, now).await;
    ticket
}

async fn read(fixture: &Fixture, number: Number) -> Ticket {
    fixture.store.ticket(number).await.expect("read").expect("there").ticket
}

async fn due(fixture: &Fixture, number: Number) -> (Option<NaiveDate>, bool) {
    let handling = read(fixture, number).await.handling;
    (handling.due_day, handling.due_provisional)
}

fn moved(number: Number, city: City) -> Moved {
    Moved {
        number,
        city,
        was: Some(day("2027-01-04")),
        was_provisional: true,
        is: day("2027-01-07"),
        provisional: false,
    }
}

async fn a_dry_run_shows_what_an_import_moves_and_changes_nothing(fixture: Fixture) {
    let number = submit(&fixture, 1, City::Lhasa, december()).await;
    submit(&fixture, 2, City::Lhasa, morning()).await;
    let nation = [announced(Scope::Nation)];
    let shown = fixture.store.import_announcements(&nation, &By::OPERATOR, december(), true).await.expect("shown");
    assert_eq!(shown, [moved(number, City::Lhasa)]);
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-04")), true));
    assert_eq!(fixture.store.calendar().await.expect("read").announcement(Scope::Nation, 2027), None);
    assert!(fixture.rows("select action from audit where subject = 'calendar'").await.is_empty());
    assert_eq!(
        fixture.store.import_announcements(&nation, &By::OPERATOR, december(), false).await.expect("imported"),
        shown
    );
}

async fn an_import_moves_open_tickets_and_writes_each_move_down(fixture: Fixture) {
    let open = submit(&fixture, 1, City::Nagqu, december()).await;
    let withdrawn = submit(&fixture, 2, City::Nagqu, december()).await;
    give(&fixture, withdrawn, Command::Withdraw { why: "已解决".parse().expect("a text") }, december()).await;
    fixture.execute("delete from report_stale").await;
    let imported =
        fixture.store.import_announcements(&[announced(Scope::Nation)], &By::OPERATOR, december(), false).await;
    assert_eq!(imported.expect("imported"), [moved(open, City::Nagqu)]);
    assert_eq!(due(&fixture, open).await, (Some(day("2027-01-07")), false));
    assert_eq!(due(&fixture, withdrawn).await.0, Some(day("2027-01-04")));

    let file = fixture.store.ticket(open).await.expect("read").expect("there");
    let entry = file.audit.last().expect("an entry");
    assert_eq!((entry.action, entry.actor, file.ticket.version), (Action::Rescheduled, Actor::Operator, 2));
    let changes: Vec<_> = entry
        .changes
        .iter()
        .map(|change| (change.field.as_str(), change.was.as_deref().unwrap_or(""), change.is.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(changes, [("due_day", "2027-01-04", "2027-01-07"), ("due_provisional", "true", "false")]);
    let calendar =
        fixture.rows("select action || ' ' || reason || ' ' || changes from audit where subject = 'calendar'");
    let expected = r#"added national.2027 [{"field":"off","is":"2027-01-01 2027-01-04 2027-01-05"}]"#;
    assert_eq!(calendar.await, [expected]);
    let stale = fixture.rows("select cast(day as text) from report_stale where city = 'nagqu' order by day").await;
    assert!(stale.contains(&"2027-01-04".to_owned()) && stale.contains(&"2027-01-07".to_owned()), "{stale:?}");
}

async fn an_import_of_a_city_moves_its_tickets_alone(fixture: Fixture) {
    let number = submit(&fixture, 1, City::Lhasa, december()).await;
    submit(&fixture, 2, City::Chamdo, december()).await;
    let city = [announced(Scope::City(City::Lhasa))];
    let moves = fixture.store.import_announcements(&city, &By::OPERATOR, december(), false).await.expect("imported");
    assert_eq!(moves, [Moved { provisional: true, ..moved(number, City::Lhasa) }]);
}

async fn an_import_done_twice_moves_nothing(fixture: Fixture) {
    submit(&fixture, 1, City::Lhasa, december()).await;
    let nation = [announced(Scope::Nation)];
    fixture.store.import_announcements(&nation, &By::OPERATOR, december(), false).await.expect("imported");
    let again = fixture.store.import_announcements(&nation, &By::OPERATOR, december(), false).await.expect("imported");
    assert_eq!(again, []);
    assert_eq!(fixture.rows("select action from audit where subject = 'calendar'").await, ["added"]);
}

async fn an_extension_and_a_suspension_survive_an_import(fixture: Fixture) {
    let number = handled(&fixture, 1, december()).await;
    let reason = |kind: &'static str| {
        let sql = format!("select code from reason where kind = '{kind}' order by code limit 1");
        let fixture = &fixture;
        async move { fixture.rows(&sql).await.remove(0).parse().expect("a code") }
    };
    let note = || "材料未到".parse().expect("a text");
    let ask = Command::AskExtension {
        working_days: WorkingDays::new(2).expect("two"),
        reason: reason("extension").await,
        note: note(),
    };
    give(&fixture, number, ask, december()).await;
    give(&fixture, number, Command::Grant, december()).await;
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-06")), true));
    let until = day("2027-01-20");
    give(&fixture, number, Command::Suspend { until, reason: reason("suspension").await, note: note() }, december())
        .await;
    let thursday = december() + TimeDelta::days(3);
    give(&fixture, number, Command::Resume, thursday).await;
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-11")), true), "three days are given back");
    fixture
        .store
        .import_announcements(&[announced(Scope::Nation)], &By::OPERATOR, december(), false)
        .await
        .expect("imported");
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-14")), false), "10 working days from 28 December");
}

async fn a_later_round_is_counted_from_the_day_it_began(fixture: Fixture) {
    let number = handled(&fixture, 1, morning()).await;
    give(&fixture, number, Command::Reply { text: "已修".parse().expect("a text") }, morning()).await;
    give(&fixture, number, Command::Pass, morning()).await;
    let answers = Answers {
        means: Means::Person,
        contacted: None,
        solved: Some(Solved::No),
        satisfaction: Satisfaction::new(1),
        redo: true,
        recording: None,
    };
    give(&fixture, number, Command::Visited(answers), morning()).await;
    give(&fixture, number, Command::Uphold, december()).await;
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-04")), true));
    fixture
        .store
        .import_announcements(&[announced(Scope::Nation)], &By::OPERATOR, december(), false)
        .await
        .expect("imported");
    assert_eq!(due(&fixture, number).await, (Some(day("2027-01-07")), false));
    assert_eq!(read(&fixture, number).await.handling.round_started_at, Some(december()));
}

async fn the_calendar_of_another_process_is_read_anew(fixture: Fixture) {
    let other = fixture.reopen().await.expect("opened");
    assert_eq!(*other.calendar().await.expect("read"), Calendar::built_in());
    fixture
        .store
        .import_announcements(&[announced(Scope::Nation)], &By::OPERATOR, december(), false)
        .await
        .expect("imported");
    assert!(other.calendar().await.expect("read").is_announced(2027));
    let call = fixture.call(1).await;
    let submitted = other.submit_ticket(&ticket(&call), december()).await.expect("submitted");
    assert_eq!(due(&fixture, submitted.number).await, (Some(day("2027-01-07")), false));
}

async fn tickets_of_the_first_schema_get_their_due_days(fixture: Fixture) {
    let number = submit(&fixture, 1, City::Lhasa, morning()).await;
    submit(&fixture, 2, City::Lhasa, morning()).await;
    let expected = due(&fixture, number).await;
    fixture.execute(&format!("update ticket set due_day = null where number = '{number}'")).await;
    assert_eq!(fixture.store.fill_due_days(december()).await, Ok(1));
    assert_eq!(due(&fixture, number).await, expected);
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    let entry = file.audit.last().expect("an entry");
    assert_eq!((entry.action, entry.actor), (Action::Rescheduled, Actor::System));
    assert_eq!(fixture.store.fill_due_days(december()).await, Ok(0));
}

async fn commands_and_imports_at_once_leave_no_day_of_the_old_calendar(fixture: Fixture) {
    let mut calls = Vec::new();
    for number in 0..12 {
        calls.push(fixture.call(number).await);
    }
    let submits = calls.into_iter().map(|call| {
        let store = fixture.store.clone();
        tokio::spawn(async move { store.submit_ticket(&ticket(&call), december()).await.expect("submitted").number })
    });
    let submits: Vec<_> = submits.collect();
    fixture
        .store
        .import_announcements(&[announced(Scope::Nation)], &By::OPERATOR, december(), false)
        .await
        .expect("imported");
    for submit in submits {
        let number = submit.await.expect("no panic");
        assert_eq!(due(&fixture, number).await, (Some(day("2027-01-07")), false), "{number}");
    }
}
