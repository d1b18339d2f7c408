//! Numbers are unique by city and day, whoever asks at the same time.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use hotline::city::City;
use hotline::store::{SubmitError, Submitted};

use crate::fixture::{Fixture, call, morning, on_each_database, ticket};

on_each_database!(
    the_first_number_of_a_day_ends_in_0001,
    a_hundred_submits_at_once_get_a_hundred_numbers,
    each_city_and_each_beijing_day_counts_for_itself,
    past_9999_the_next_free_days_numbers_are_used,
    a_failed_submit_uses_no_number,
);

async fn the_first_number_of_a_day_ends_in_0001(fixture: Fixture) {
    let submitted = submit(&fixture, 1, City::Lhasa, 0).await;
    assert_eq!(submitted.number.to_string(), "126112200012");
}

async fn a_hundred_submits_at_once_get_a_hundred_numbers(fixture: Fixture) {
    let mut submits = tokio::task::JoinSet::new();
    for number in 0..100 {
        let call = fixture.call(number).await;
        let store = fixture.store.clone();
        submits.spawn(async move { store.submit_ticket(&ticket(&call), morning()).await.expect("submitted").number });
    }
    let numbers: BTreeSet<_> = submits.join_all().await.into_iter().collect();
    let sequences: Vec<u16> = numbers.iter().map(|number| number.sequence()).collect();
    assert_eq!(sequences, (1..=100).collect::<Vec<u16>>());
}

async fn each_city_and_each_beijing_day_counts_for_itself(fixture: Fixture) {
    let mut numbers = Vec::new();
    for (call, city, hours) in [(1, City::Lhasa, 0), (2, City::Lhasa, 0), (3, City::Ngari, 0), (4, City::Lhasa, 14)] {
        let number = submit(&fixture, call, city, hours).await.number;
        numbers.push((number.city(), number.day().to_string(), number.sequence()));
    }
    let expected = [
        (City::Lhasa, "2026-11-22", 1),
        (City::Lhasa, "2026-11-22", 2),
        (City::Ngari, "2026-11-22", 1),
        (City::Lhasa, "2026-11-23", 1),
    ];
    assert_eq!(numbers, expected.map(|(city, day, sequence)| (city, day.to_owned(), sequence)));
}

async fn past_9999_the_next_free_days_numbers_are_used(fixture: Fixture) {
    submit(&fixture, 1, City::Lhasa, 0).await;
    submit(&fixture, 2, City::Lhasa, 24).await;
    use_up(&fixture, "2026-11-22").await;
    let number = submit(&fixture, 3, City::Lhasa, 0).await.number;
    assert_eq!((number.day().to_string().as_str(), number.sequence()), ("2026-11-23", 2));
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert!(file.ticket.numbered_ahead());
    assert_eq!(file.ticket.created_day.to_string(), "2026-11-22");
    use_up(&fixture, "2026-11-23").await;
    let number = submit(&fixture, 4, City::Lhasa, 0).await.number;
    assert_eq!((number.day().to_string().as_str(), number.sequence()), ("2026-11-24", 1));
}

async fn a_failed_submit_uses_no_number(fixture: Fixture) {
    let unknown = fixture.store.submit_ticket(&ticket(&call(9)), morning()).await;
    assert_eq!(unknown, Err(SubmitError::UnknownCall));
    assert_eq!(submit(&fixture, 1, City::Lhasa, 0).await.number.sequence(), 1);
}

async fn submit(fixture: &Fixture, number: u32, city: City, hours: i64) -> Submitted {
    let call = fixture.call(number).await;
    let mut ticket = ticket(&call);
    ticket.city = city;
    fixture.store.submit_ticket(&ticket, morning() + TimeDelta::hours(hours)).await.expect("submitted")
}

async fn use_up(fixture: &Fixture, day: &str) {
    let changed = fixture.execute(&format!("update number_sequence set last = 9999 where day = '{day}'")).await;
    assert_eq!(changed, 1);
}
