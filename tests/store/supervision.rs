//! Ten complaints about one thing are looked after as one.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::store::{Complaints, Hand, NotSupervised, Rules, Subscriber, Supervised};
use hotline::ticket::supervision::{Config, Subject};
use hotline::ticket::{Action, Actor, Level, Number};
use hotline::work::supervision::round;
use serde_json::json;

use crate::fixture::{Fixture, on_each_database};
use crate::life::{classified, command, complaint, dispatch, does, minutes, now_is};

on_each_database!(
    the_last_complaint_of_many_opens_it_with_all_that_belongs_to_it,
    spellings_of_a_place_are_one_matter,
    what_was_withdrawn_refused_or_is_no_complaint_does_not_count,
    merged_backfilled_and_changed_complaints_count_once,
    a_unit_is_supervised_for_all_its_complaints,
    it_goes_up_without_a_closed_ticket_and_ends_with_the_window,
    a_ticket_that_joins_is_supervised_too,
    two_nodes_open_one,
    it_is_opened_moved_and_ended_by_hand,
    what_was_ended_by_hand_needs_new_complaints,
    a_ticket_tells_how_many_complain_about_the_same,
);

/// Thursday, 10:00 in Beijing.
fn thursday() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

/// Three complaints are many here, and one webhook hears of everything.
fn strict(fixture: Fixture) -> Fixture {
    let supervision = Config { matter_tickets: 3, unit_tickets: 4, ..Config::default() };
    let rules = Rules {
        supervision,
        webhooks: vec![Subscriber { name: "desk".to_owned(), events: Vec::new() }],
        ..Rules::default()
    };
    fixture.with_rules(rules)
}

async fn lamps(fixture: &Fixture, numbers: std::ops::RangeInclusive<u32>, at: DateTime<Utc>) -> Vec<Number> {
    let mut made = Vec::new();
    for number in numbers {
        let ticket = complaint(fixture, number, at).await;
        classified(&fixture.store, ticket, "路灯不亮", "0105", "江苏路3号", at).await;
        made.push(ticket);
    }
    made
}

fn matter() -> Subject {
    Subject::Matter { city: City::Lhasa, class: "0105".parse().expect("a class"), place: "江苏路3号".to_owned() }
}

async fn open(fixture: &Fixture) -> Vec<Supervised> {
    fixture.store.supervisions(&City::ALL, true, 100, None).await.expect("read").items
}

async fn steps(fixture: &Fixture, now: DateTime<Utc>) -> u32 {
    round(&fixture.store, now).await.expect("looked")
}

async fn the_last_complaint_of_many_opens_it_with_all_that_belongs_to_it(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let mut tickets = lamps(&fixture, 1..=2, start).await;
    assert_eq!(steps(&fixture, start + minutes(1)).await, 0);
    tickets.extend(lamps(&fixture, 3..=3, start + minutes(2)).await);
    assert_eq!(steps(&fixture, start + minutes(3)).await, 1);
    assert_eq!(steps(&fixture, start + minutes(4)).await, 0, "once");
    let found = open(&fixture).await.remove(0);
    assert_eq!((&found.subject, found.level, found.tickets), (&matter(), Level::FIRST, 3));
    assert_eq!((found.opened_at, found.ended_at), (start + minutes(3), None));
    for number in tickets {
        assert_eq!(now_is(&fixture.store, number).await.supervision.level, Some(Level::FIRST));
    }
    let told = fixture.rows("select action || ' ' || actor from audit where subject like 'matter %'").await;
    assert_eq!(told, ["supervised system"]);
    let messages = fixture.rows("select body from outbox where event = 'supervision.opened'").await;
    let message: serde_json::Value = serde_json::from_str(&messages[0]).expect("JSON");
    assert_eq!((messages.len(), &message["of"]["place"], &message["level"]), (1, &"江苏路3号".into(), &1.into()));
}

async fn spellings_of_a_place_are_one_matter(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    for (number, place) in (1..).zip(["江苏路3号", "江苏路 ３ 号", "江苏路三号。"]) {
        let ticket = complaint(&fixture, number, start).await;
        classified(&fixture.store, ticket, "路灯不亮", "0105", place, start).await;
    }
    assert_eq!(steps(&fixture, start).await, 1);
    assert_eq!(open(&fixture).await.remove(0).subject, matter());
}

async fn what_was_withdrawn_refused_or_is_no_complaint_does_not_count(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let tickets = lamps(&fixture, 1..=5, start).await;
    let reason = fixture.rows("select code from reason where kind = 'refusal' order by code").await.remove(0);
    let not_counted = [
        json!({ "command": "withdraw", "why": "solved" }),
        json!({ "command": "refuse", "reason": reason, "note": "elsewhere" }),
        json!({ "command": "edit", "valid": false }),
    ];
    for (number, change) in tickets.iter().zip(not_counted) {
        does(&fixture.store, *number, command(change), start).await;
    }
    for number in 6..=9 {
        let ticket = complaint(&fixture, number, start).await;
        classified(&fixture.store, ticket, "路灯不亮", "0105", "江苏路3号", start).await;
        does(&fixture.store, ticket, command(json!({ "command": "edit", "type": "praise" })), start).await;
    }
    lamps(&fixture, 10..=12, start - TimeDelta::days(31)).await;
    assert_eq!(steps(&fixture, start).await, 0, "two count");
    lamps(&fixture, 13..=13, start).await;
    assert_eq!(steps(&fixture, start).await, 1);
}

async fn merged_backfilled_and_changed_complaints_count_once(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let tickets = lamps(&fixture, 1..=2, start).await;
    for _ in 0..5 {
        classified(&fixture.store, tickets[0], "路灯又不亮", "0105", "江苏路3号", start).await;
    }
    let merge = json!({ "command": "merge", "into": tickets[0] });
    does(&fixture.store, tickets[1], command(merge), start).await;
    assert_eq!(steps(&fixture, start + minutes(1)).await, 0, "two voices");
    // filed now, on paper, of ten days ago
    lamps(&fixture, 3..=3, start - TimeDelta::days(10)).await;
    assert_eq!(steps(&fixture, start + minutes(2)).await, 1);
    assert_eq!(open(&fixture).await.remove(0).tickets, 3);
}

async fn a_unit_is_supervised_for_all_its_complaints(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    for (number, place) in (1..).zip(["江苏路1号", "江苏路2号", "北京路1号", "北京路2号"]) {
        let ticket = complaint(&fixture, number, start).await;
        classified(&fixture.store, ticket, "路灯不亮", "0105", place, start).await;
        assert_eq!(steps(&fixture, start).await, 0);
        does(&fixture.store, ticket, dispatch(), start).await;
    }
    assert_eq!(steps(&fixture, start).await, 1);
    let unit = Subject::Unit { city: City::Lhasa, unit: "lhasa-housing".parse().expect("a unit") };
    assert_eq!(open(&fixture).await.remove(0).subject, unit);
}

async fn it_goes_up_without_a_closed_ticket_and_ends_with_the_window(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let tickets = lamps(&fixture, 1..=3, start).await;
    let after = |days| start + TimeDelta::days(days);
    steps(&fixture, start).await;
    assert_eq!(steps(&fixture, after(3)).await, 0, "the weekend");
    assert_eq!(steps(&fixture, after(4)).await, 1, "Monday is the second working day");
    assert_eq!(open(&fixture).await.remove(0).level, Level::new(2).expect("a level"));
    let answer = command(json!({ "command": "answer", "reply": "repaired" }));
    does(&fixture.store, tickets[0], answer.clone(), after(5)).await;
    assert_eq!(steps(&fixture, after(6)).await, 0, "one was closed the day before");
    let solved = command(json!({ "command": "visited", "means": "person", "solved": "yes" }));
    does(&fixture.store, tickets[0], solved.clone(), after(6)).await;
    for number in &tickets[1..] {
        does(&fixture.store, *number, answer.clone(), after(6)).await;
        does(&fixture.store, *number, solved.clone(), after(6)).await;
    }
    assert_eq!(steps(&fixture, after(29)).await, 0, "there were three in the window, and nothing is open");
    assert_eq!(steps(&fixture, after(31)).await, 1);
    assert!(open(&fixture).await.is_empty());
    let ended = fixture.store.supervisions(&[City::Lhasa], false, 100, None).await.expect("read").items.remove(0);
    assert_eq!((ended.ended_at, ended.ended_by), (Some(after(31)), Some(Actor::System)));
    let actions = fixture.rows("select action from audit where subject like 'matter %' order by sequence").await;
    assert_eq!(actions, ["supervised", "stepped_up", "supervision_ended"]);
    let events = fixture.rows("select event from outbox where event like 'supervision.%' order by created_at").await;
    assert_eq!(events, ["supervision.opened", "supervision.stepped_up", "supervision.ended"]);
}

async fn a_ticket_that_joins_is_supervised_too(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    lamps(&fixture, 1..=3, start).await;
    steps(&fixture, start).await;
    let late = lamps(&fixture, 4..=4, start + minutes(1)).await.remove(0);
    assert_eq!(steps(&fixture, start + minutes(2)).await, 0);
    assert_eq!(now_is(&fixture.store, late).await.supervision.level, Some(Level::FIRST));
}

async fn two_nodes_open_one(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let tickets = lamps(&fixture, 1..=6, start).await;
    let rules = || Rules { supervision: Config { matter_tickets: 3, ..Config::default() }, ..Rules::default() };
    let one = fixture.reopen().await.expect("opened").with_rules(rules());
    let other = fixture.reopen().await.expect("opened").with_rules(rules());
    let (first, second) = tokio::join!(round(&one, start), round(&other, start));
    assert_eq!(first.expect("looked") + second.expect("looked"), 1);
    assert_eq!(open(&fixture).await.len(), 1);
    let raised = fixture.rows("select subject from audit where action = 'supervised' and actor = 'system'").await;
    assert_eq!(raised.len(), tickets.len() + 1, "each ticket once, and the matter");
}

async fn it_is_opened_moved_and_ended_by_hand(fixture: Fixture) {
    let start = thursday();
    let number = lamps(&fixture, 1..=1, start).await.remove(0);
    let by = Hand { actor: Actor::Operator, why: "in the news", address: Some("192.0.2.7") };
    let store = &fixture.store;
    let level = |level| Level::new(level).expect("a level");
    let opened = store.open_supervision(&matter(), level(2), &by, start).await.expect("opened");
    assert_eq!(now_is(store, number).await.supervision.level, Some(Level::FIRST));
    let nowhere = Subject::Unit { city: City::Ngari, unit: "lhasa-housing".parse().expect("a unit") };
    assert_eq!(store.open_supervision(&nowhere, level(2), &by, start).await, Err(NotSupervised::NoSubject));
    let again = store.open_supervision(&matter(), level(2), &by, start).await;
    assert_eq!(again, Err(NotSupervised::OpenAlready));
    assert_eq!(store.step_supervision(opened.id, level(2), &by, start).await, Err(NotSupervised::SameLevel));
    let moved = store.step_supervision(opened.id, level(4), &by, start + minutes(1)).await.expect("moved");
    assert_eq!((moved.level, moved.level_at), (level(4), start + minutes(1)));
    assert_eq!(store.supervision(opened.id).await.expect("read"), Some(moved));
    assert_eq!(steps(&fixture, start + minutes(2)).await, 0, "one of it is open");
    let ended = store.end_supervision(opened.id, &by, start + minutes(3)).await.expect("ended");
    assert_eq!(ended.ended_by, Some(Actor::Operator));
    assert_eq!(store.end_supervision(opened.id, &by, start).await, Err(NotSupervised::Ended));
    let unknown = hotline::ticket::SupervisionId::new(start, [7; 10]);
    assert_eq!(store.end_supervision(unknown, &by, start).await, Err(NotSupervised::Unknown));
    let told =
        fixture.rows("select action || ' ' || reason from audit where subject like 'matter %' order by sequence");
    let actions = [Action::Supervised, Action::SteppedUp, Action::SupervisionEnded];
    assert_eq!(told.await, actions.map(|action| format!("{action} in the news")));
}

async fn what_was_ended_by_hand_needs_new_complaints(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    lamps(&fixture, 1..=3, start).await;
    steps(&fixture, start).await;
    let by = Hand { actor: Actor::Operator, why: "settled with all three", address: None };
    let id = open(&fixture).await.remove(0).id;
    fixture.store.end_supervision(id, &by, start + minutes(1)).await.expect("ended");
    assert_eq!(steps(&fixture, start + minutes(2)).await, 0);
    lamps(&fixture, 4..=5, start + minutes(3)).await;
    assert_eq!(steps(&fixture, start + minutes(4)).await, 0);
    lamps(&fixture, 6..=6, start + minutes(5)).await;
    assert_eq!(steps(&fixture, start + minutes(6)).await, 1);
}

async fn a_ticket_tells_how_many_complain_about_the_same(fixture: Fixture) {
    let fixture = strict(fixture);
    let start = thursday();
    let lamps = lamps(&fixture, 1..=2, start).await;
    let about = async |now| {
        let ticket = now_is(&fixture.store, lamps[0]).await;
        fixture.store.complaints_about(&ticket, now).await.expect("counted")
    };
    let counted = |tickets, level| Complaints { subject: matter(), tickets, threshold: 3, window_days: 30, level };
    assert_eq!(about(start + minutes(1)).await, [counted(2, None)], "no unit has it yet");
    for number in &lamps {
        does(&fixture.store, *number, dispatch(), start + minutes(2)).await;
    }
    let unit = Subject::Unit { city: City::Lhasa, unit: "lhasa-housing".parse().expect("a unit") };
    let of_unit = |tickets, level| Complaints { subject: unit.clone(), threshold: 4, ..counted(tickets, level) };
    assert_eq!(about(start + minutes(3)).await, [counted(2, None), of_unit(2, None)]);
    self::lamps(&fixture, 3..=3, start + minutes(4)).await;
    assert_eq!(steps(&fixture, start + minutes(5)).await, 1);
    let supervised = [counted(3, Some(Level::FIRST)), of_unit(2, None)];
    assert_eq!(about(start + minutes(6)).await, supervised);
    assert_eq!(about(start + TimeDelta::days(31)).await, [counted(0, Some(Level::FIRST)), of_unit(0, None)]);
    let id = open(&fixture).await.remove(0).id;
    let hand = Hand { actor: Actor::Operator, why: "修好了", address: None };
    fixture.store.end_supervision(id, &hand, start + minutes(7)).await.expect("ended");
    assert_eq!(about(start + minutes(8)).await, [counted(0, None), of_unit(2, None)], "only new ones count now");
    let ticket = complaint(&fixture, 9, start).await;
    let ticket = now_is(&fixture.store, ticket).await;
    assert!(
        fixture.store.complaints_about(&ticket, start).await.expect("counted").is_empty(),
        "nothing is known of it"
    );
}
