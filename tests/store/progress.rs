//! Who may hear how a request goes, and how often it may be urged.

use chrono::TimeDelta;
use hotline::language::Language;
use hotline::store::{Progress, Urged, Verification};
use hotline::ticket::{Action, Number, RequestType};

use crate::fixture::{Fixture, morning, on_each_database, phone, ticket};

on_each_database!(
    the_own_number_hears_the_status,
    another_number_proves_itself_by_four_digits,
    three_wrong_tries_lock_for_half_an_hour,
    tries_at_once_are_counted_one_by_one,
    wrong_tries_are_forgotten,
    confidential_tickets_and_reports_are_never_read_out,
    a_ticket_of_an_unknown_type_is_not_read_out,
    the_latest_is_the_newest_that_may_be_read_out,
    callers_without_a_number_lock_the_ticket_for_each_other,
    a_ticket_is_urged_once_a_beijing_day,
    the_language_is_remembered,
);

async fn the_own_number_hears_the_status(fixture: Fixture) {
    let number = submit(&fixture, 1, |_| {}).await;
    let answer = fixture.store.status_for(Some(&phone(1)), number, morning()).await.expect("answered");
    let Progress::Readable(status) = answer else { panic!("{answer:?}") };
    assert_eq!((status.number, status.created_day.to_string()), (number, "2026-11-22".to_owned()));
    let unknown = Number::new(number.city(), number.day(), 77).expect("a number");
    let answer = fixture.store.status_for(Some(&phone(1)), unknown, morning()).await.expect("answered");
    assert_eq!(answer, Progress::Unknown);
}

async fn another_number_proves_itself_by_four_digits(fixture: Fixture) {
    let number = submit(&fixture, 1234, |_| {}).await;
    for caller in [Some(phone(2)), None] {
        let answer = fixture.store.status_for(caller.as_ref(), number, morning()).await.expect("answered");
        assert_eq!(answer, Progress::LastFourNeeded);
        assert_eq!(verify(&fixture, 2, number, "4321", 0).await, Verification::Wrong { left: 2 });
        let Verification::Verified(status) = verify(&fixture, 2, number, "1234", 0).await else { panic!("refused") };
        assert_eq!(status.number, number);
    }
    assert_eq!(verify(&fixture, 2, number, "34", 0).await, Verification::Wrong { left: 2 });
    assert_eq!(verify(&fixture, 2, number, "", 0).await, Verification::Wrong { left: 1 });
}

async fn three_wrong_tries_lock_for_half_an_hour(fixture: Fixture) {
    let number = submit(&fixture, 1234, |_| {}).await;
    assert_eq!(verify(&fixture, 2, number, "0000", 0).await, Verification::Wrong { left: 2 });
    assert_eq!(verify(&fixture, 2, number, "0001", 1).await, Verification::Wrong { left: 1 });
    let until = morning() + TimeDelta::minutes(32);
    assert_eq!(verify(&fixture, 2, number, "0002", 2).await, Verification::Locked { until });
    assert_eq!(verify(&fixture, 2, number, "1234", 31).await, Verification::Locked { until });
    let other = submit(&fixture, 5, |_| {}).await;
    let locked = fixture.store.status_for(Some(&phone(2)), other, morning() + TimeDelta::minutes(31)).await;
    assert_eq!(locked.expect("answered"), Progress::Locked { until });
    let free = fixture.store.status_for(Some(&phone(3)), other, morning() + TimeDelta::minutes(31)).await;
    assert_eq!(free.expect("answered"), Progress::LastFourNeeded);
    assert!(matches!(verify(&fixture, 2, number, "1234", 32).await, Verification::Verified(_)));
}

async fn tries_at_once_are_counted_one_by_one(fixture: Fixture) {
    let number = submit(&fixture, 1234, |_| {}).await;
    let mut tries = tokio::task::JoinSet::new();
    for last_four in 0..20 {
        let store = fixture.store.clone();
        tries.spawn(async move {
            store.verify(Some(&phone(2)), number, &format!("{last_four:04}"), morning()).await.expect("answered")
        });
    }
    let answers = tries.join_all().await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Verification::Wrong { .. })).count(), 2);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Verification::Locked { .. })).count(), 18);
}

async fn wrong_tries_are_forgotten(fixture: Fixture) {
    let number = submit(&fixture, 1234, |_| {}).await;
    for minute in [0, 30, 60, 90] {
        assert_eq!(verify(&fixture, 2, number, "0000", minute).await, Verification::Wrong { left: 2 });
    }
}

async fn confidential_tickets_and_reports_are_never_read_out(fixture: Fixture) {
    let confidential = submit(&fixture, 1234, |ticket| ticket.confidential = true).await;
    let report = submit(&fixture, 2345, |ticket| ticket.request_type = Some(RequestType::Report)).await;
    let anonymous = submit(&fixture, 3456, |ticket| ticket.phone = None).await;
    for (number, digits, last_four) in [(confidential, 1234, "1234"), (report, 2345, "2345")] {
        let own = fixture.store.status_for(Some(&phone(digits)), number, morning()).await.expect("answered");
        assert_eq!(own, Progress::NotReadOut);
        let stranger = fixture.store.status_for(Some(&phone(9)), number, morning()).await.expect("answered");
        assert_eq!(stranger, Progress::LastFourNeeded);
        assert_eq!(verify(&fixture, digits, number, last_four, 0).await, Verification::Wrong { left: 2 });
    }
    assert_eq!(verify(&fixture, 3456, anonymous, "3456", 0).await, Verification::Wrong { left: 2 });
    let answer = fixture.store.status_for(None, anonymous, morning()).await.expect("answered");
    assert_eq!(answer, Progress::LastFourNeeded);
}

async fn a_ticket_of_an_unknown_type_is_not_read_out(fixture: Fixture) {
    let left_early = submit(&fixture, 1234, |ticket| ticket.request_type = None).await;
    let own = fixture.store.status_for(Some(&phone(1234)), left_early, morning()).await.expect("answered");
    assert_eq!(own, Progress::NotReadOut);
    assert_eq!(verify(&fixture, 2, left_early, "1234", 0).await, Verification::Wrong { left: 2 });
    assert_eq!(fixture.store.latest_ticket(&phone(1234)).await, Ok(None));
}

async fn the_latest_is_the_newest_that_may_be_read_out(fixture: Fixture) {
    assert_eq!(fixture.store.latest_ticket(&phone(1)).await.expect("answered"), None);
    submit(&fixture, 1, |ticket| ticket.phone = Some(phone(1))).await;
    let newest = submit(&fixture, 2, |ticket| ticket.phone = Some(phone(1))).await;
    submit(&fixture, 3, |ticket| (ticket.phone, ticket.confidential) = (Some(phone(1)), true)).await;
    submit(&fixture, 4, |ticket| (ticket.phone, ticket.request_type) = (Some(phone(1)), Some(RequestType::Report)))
        .await;
    let latest = fixture.store.latest_ticket(&phone(1)).await.expect("answered").expect("a ticket");
    assert_eq!(latest.number, newest);
}

async fn callers_without_a_number_lock_the_ticket_for_each_other(fixture: Fixture) {
    let number = submit(&fixture, 1234, |_| {}).await;
    for _ in 0..3 {
        fixture.store.verify(None, number, "0000", morning()).await.expect("answered");
    }
    let withheld = fixture.store.verify(None, number, "1234", morning()).await.expect("answered");
    assert!(matches!(withheld, Verification::Locked { .. }));
    assert!(matches!(verify(&fixture, 2, number, "1234", 0).await, Verification::Verified(_)));
    let other = submit(&fixture, 2345, |_| {}).await;
    let withheld = fixture.store.verify(None, other, "2345", morning()).await.expect("answered");
    assert!(matches!(withheld, Verification::Verified(_)));
}

async fn a_ticket_is_urged_once_a_beijing_day(fixture: Fixture) {
    let number = submit(&fixture, 1, |_| {}).await;
    let urge = |hours| fixture.store.urge(number, morning() + TimeDelta::hours(hours));
    assert_eq!(urge(0).await, Ok(Urged::Done));
    assert_eq!(urge(13).await, Ok(Urged::AlreadyToday));
    assert_eq!(urge(14).await, Ok(Urged::Done));
    let audit = fixture.store.ticket(number).await.expect("read").expect("there").audit;
    let actions: Vec<_> = audit.iter().map(|entry| (entry.sequence, entry.action)).collect();
    assert_eq!(actions, [(1, Action::Created), (2, Action::Urged), (3, Action::Urged)]);
    fixture.execute("update ticket set state = 'archived'").await;
    assert_eq!(urge(48).await, Ok(Urged::AtItsEnd));
    let unknown = Number::new(number.city(), number.day(), 77).expect("a number");
    assert_eq!(fixture.store.urge(unknown, morning()).await, Ok(Urged::Unknown));
}

async fn the_language_is_remembered(fixture: Fixture) {
    assert_eq!(fixture.store.language_of(&phone(1)).await, Ok(None));
    for language in [Language::Bo, Language::Zh, Language::Zh] {
        fixture.store.remember_language(&phone(1), language, morning()).await.expect("remembered");
        assert_eq!(fixture.store.language_of(&phone(1)).await, Ok(Some(language)));
    }
    assert_eq!(fixture.store.language_of(&phone(2)).await, Ok(None));
}

async fn submit(fixture: &Fixture, number: u32, change: impl FnOnce(&mut hotline::store::NewTicket)) -> Number {
    let call = fixture.call(number).await;
    let mut new = ticket(&call);
    change(&mut new);
    let at = morning() + TimeDelta::seconds(i64::from(number));
    fixture.store.submit_ticket(&new, at).await.expect("submitted").number
}

async fn verify(fixture: &Fixture, caller: u32, number: Number, last_four: &str, minutes: i64) -> Verification {
    let now = morning() + TimeDelta::minutes(minutes);
    fixture.store.verify(Some(&phone(caller)), number, last_four, now).await.expect("answered")
}
