//! What is late is raised once, by whoever looks first.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::ticket::{Action, Actor, Alarm, Level, Number, State};
use hotline::work::clocks::round;
use serde_json::json;

use crate::fixture::{Fixture, on_each_database};
use crate::life::{classified, command, complaint, dispatch, does, in_progress, minutes, now_is};

on_each_database!(
    each_alarm_is_raised_when_it_is_late_and_once,
    a_contact_in_time_and_a_due_day_that_is_today_are_not_late,
    a_suspension_is_shown_on_its_review_day,
    two_nodes_raise_everything_once,
    a_batch_is_bounded_and_the_next_look_goes_on,
    a_ticket_that_can_not_be_read_keeps_no_other_waiting,
    supervision_goes_up_after_two_working_days_without_progress,
    two_returns_two_redos_and_an_instruction_are_supervised,
    an_overview_counts_what_is_open,
);

/// Thursday, 10:00 in Beijing.
fn thursday() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

async fn raised(fixture: &Fixture, number: Number) -> Vec<&'static str> {
    now_is(&fixture.store, number).await.handling.raised.iter().map(|alarm| alarm.name()).collect()
}

async fn look(fixture: &Fixture, now: DateTime<Utc>) -> u32 {
    round(&fixture.store, now, 100).await.expect("looked").raised
}

async fn each_alarm_is_raised_when_it_is_late_and_once(fixture: Fixture) {
    let start = thursday();
    let number = complaint(&fixture, 1, start).await;
    assert_eq!(look(&fixture, start + minutes(30) - TimeDelta::seconds(1)).await, 0);
    assert_eq!(look(&fixture, start + minutes(30)).await, 1);
    assert_eq!(look(&fixture, start + minutes(31)).await, 0, "once");
    assert_eq!(raised(&fixture, number).await, ["undispatched"]);
    classified(&fixture.store, number, "路灯不亮", "0105", "江苏路3号", start + minutes(40)).await;
    does(&fixture.store, number, dispatch(), start + minutes(40)).await;
    assert_eq!(look(&fixture, start + minutes(69)).await, 0);
    assert_eq!(look(&fixture, start + minutes(70)).await, 1);
    assert_eq!(look(&fixture, start + minutes(100)).await, 0, "the hour is not over while its last second lasts");
    assert_eq!(look(&fixture, start + minutes(100) + TimeDelta::seconds(1)).await, 1);
    assert_eq!(raised(&fixture, number).await, ["unsigned", "contact_breached"]);
    let last = "2026-12-03T15:59:59Z".parse().expect("a time");
    assert_eq!(look(&fixture, last).await, 0);
    assert_eq!(look(&fixture, last + TimeDelta::seconds(1)).await, 1);
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert_eq!(file.ticket.handling.raised.last(), Some(&Alarm::Overdue));
    assert_eq!(file.ticket.supervision.level, Some(Level::FIRST), "what is overdue is supervised");
    let entries = file.audit.iter().filter(|entry| entry.action == Action::Raised);
    let told: Vec<_> = entries.map(|entry| (entry.actor, entry.reason.as_deref().expect("which"))).collect();
    let expected = ["undispatched", "unsigned", "contact_breached", "overdue"];
    assert_eq!(told, expected.map(|alarm| (Actor::System, alarm)));
}

async fn a_contact_in_time_and_a_due_day_that_is_today_are_not_late(fixture: Fixture) {
    let start = thursday();
    let number = in_progress(&fixture, 1, start).await;
    does(
        &fixture.store,
        number,
        command(json!({ "command": "record_contact", "told": "5 days" })),
        start + minutes(50),
    )
    .await;
    assert_eq!(look(&fixture, start + minutes(600)).await, 0);
    assert_eq!(look(&fixture, "2026-12-03T15:00:00Z".parse().expect("a time")).await, 0);
}

async fn a_suspension_is_shown_on_its_review_day(fixture: Fixture) {
    let start = thursday();
    let number = in_progress(&fixture, 1, start).await;
    does(&fixture.store, number, command(json!({ "command": "record_contact", "told": "5 days" })), start).await;
    let reasons = fixture.rows("select code from reason where kind = 'suspension' order by code").await;
    let suspend = json!({ "command": "suspend", "until": "2026-12-10", "reason": reasons[0], "note": "winter" });
    does(&fixture.store, number, command(suspend), start + minutes(1)).await;
    assert_eq!(look(&fixture, "2026-12-09T15:59:59Z".parse().expect("a time")).await, 0, "not even overdue");
    assert_eq!(look(&fixture, "2026-12-09T16:00:00Z".parse().expect("a time")).await, 1);
    assert_eq!(raised(&fixture, number).await, ["review_due"]);
}

async fn two_nodes_raise_everything_once(fixture: Fixture) {
    let start = thursday();
    for number in 1..=10 {
        complaint(&fixture, number, start).await;
    }
    let nodes = [fixture.reopen().await.expect("opened"), fixture.reopen().await.expect("opened")];
    let late = start + minutes(45);
    let (one, other) = tokio::join!(round(&nodes[0], late, 100), round(&nodes[1], late, 100));
    assert_eq!(one.expect("looked").raised + other.expect("looked").raised, 10);
    let entries = fixture.rows("select subject from audit where action = 'raised'").await;
    assert_eq!(entries.len(), 10);
}

async fn a_batch_is_bounded_and_the_next_look_goes_on(fixture: Fixture) {
    let start = thursday();
    for number in 1..=5 {
        complaint(&fixture, number, start).await;
    }
    let late = start + minutes(45);
    for expected in [2, 2, 1, 0] {
        assert_eq!(round(&fixture.store, late, 2).await.expect("looked").raised, expected);
    }
}

async fn a_ticket_that_can_not_be_read_keeps_no_other_waiting(fixture: Fixture) {
    let start = thursday();
    let broken = complaint(&fixture, 1, start).await;
    let whole = complaint(&fixture, 2, start).await;
    fixture.execute(&format!("update ticket set channel = 'drum' where number = '{broken}'")).await;
    let error = round(&fixture.store, start + minutes(45), 100).await.expect_err("one can't be read");
    assert!(error.to_string().contains("ticket.channel"), "{error}");
    assert_eq!(raised(&fixture, whole).await, ["undispatched"]);
}

async fn supervision_goes_up_after_two_working_days_without_progress(fixture: Fixture) {
    let start = thursday();
    let number = in_progress(&fixture, 1, start).await;
    let supervise = command(json!({ "command": "supervise", "level": 1, "why": "many ask" }));
    does(&fixture.store, number, supervise, start).await;
    does(&fixture.store, number, command(json!({ "command": "record_contact", "told": "5 days" })), start + minutes(1))
        .await;
    let stepped_up = async |now: &str| {
        let now = now.parse().expect("a time");
        round(&fixture.store, now, 100).await.expect("looked").stepped_up
    };
    assert_eq!(stepped_up("2026-11-29T15:59:59Z").await, 0, "Friday is one working day, the weekend none");
    assert_eq!(stepped_up("2026-11-29T16:00:00Z").await, 1, "Monday is the second");
    assert_eq!(stepped_up("2026-11-30T16:00:00Z").await, 0);
    assert_eq!(stepped_up("2026-12-02T02:00:00Z").await, 1);
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert_eq!(file.ticket.supervision.level, Level::new(3));
    assert_eq!(file.audit.iter().filter(|entry| entry.action == Action::SteppedUp).count(), 2);
}

async fn two_returns_two_redos_and_an_instruction_are_supervised(fixture: Fixture) {
    let start = thursday();
    let ground = fixture.rows("select code from reason where kind = 'return' order by code").await.remove(0);
    let returned = in_progress(&fixture, 1, start).await;
    let level = async |number| now_is(&fixture.store, number).await.supervision.level;
    let give_back = command(json!({ "command": "return", "ground": ground, "note": "not ours" }));
    does(&fixture.store, returned, give_back.clone(), start + minutes(1)).await;
    assert_eq!(level(returned).await, None);
    does(&fixture.store, returned, command(json!({ "command": "reject_return", "why": "it is" })), start).await;
    does(&fixture.store, returned, give_back, start + minutes(2)).await;
    assert_eq!(level(returned).await, Some(Level::FIRST));

    let redone = in_progress(&fixture, 2, start).await;
    let dissatisfied = json!({ "command": "visited", "means": "person", "satisfaction": 1, "redo": true });
    let round = [
        json!({ "command": "record_contact", "told": "5 days" }),
        json!({ "command": "reply", "text": "done" }),
        json!({ "command": "pass" }),
        dissatisfied,
        json!({ "command": "uphold" }),
    ];
    for expected in [None, Some(Level::FIRST)] {
        for (minute, step) in (1..).zip(&round) {
            does(&fixture.store, redone, command(step.clone()), start + minutes(minute)).await;
        }
        assert_eq!(level(redone).await, expected);
    }

    let instructed = in_progress(&fixture, 3, start).await;
    does(&fixture.store, instructed, command(json!({ "command": "instruct", "text": "today" })), start).await;
    assert_eq!(level(instructed).await, Some(Level::FIRST));
    let levels = fixture.rows("select subject from audit where changes like '%supervision%' order by subject").await;
    assert_eq!(levels, [returned, redone, instructed].map(|number| number.to_string()));
}

async fn an_overview_counts_what_is_open(fixture: Fixture) {
    let start = thursday();
    complaint(&fixture, 1, start).await;
    in_progress(&fixture, 2, start).await;
    let archived = complaint(&fixture, 3, start).await;
    does(&fixture.store, archived, command(json!({ "command": "withdraw", "why": "solved" })), start).await;
    let instruct = command(json!({ "command": "instruct", "text": "today" }));
    let instructed = in_progress(&fixture, 4, start).await;
    does(&fixture.store, instructed, instruct, start).await;
    let overview = async |now| fixture.store.overview(now, None).await.expect("counted");
    let figures = overview(start + minutes(50)).await.cities.remove(&City::Lhasa).expect("counted");
    assert_eq!(figures.states.len(), 2);
    assert_eq!((figures.of_state(State::Received), figures.of_state(State::InProgress)), (1, 2));
    assert_eq!((figures.contact_soon, figures.contact_breached, figures.overdue), (2, 0, 0));
    assert_eq!(figures.supervised, [1, 0, 0, 0]);
    let later = overview(start + TimeDelta::days(9)).await.cities.remove(&City::Lhasa).expect("counted");
    assert_eq!((later.contact_soon, later.contact_breached, later.overdue), (0, 2, 3));
    let unit = "lhasa-transport".parse().expect("a unit");
    assert!(fixture.store.overview(start, Some(&unit)).await.expect("counted").cities.is_empty());
    assert!(overview(start + TimeDelta::days(9_000)).await.knowledge_to_review > 0);
}
