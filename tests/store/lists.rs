//! Lists: newest first, every item once, whatever comes in between two pages.

use chrono::TimeDelta;
use hotline::city::City;
use hotline::store::{Cursor, Filter, ListError, NewCall, TicketFilter, TicketOrder};
use hotline::ticket::{CallId, Number};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::fixture::{Fixture, call, morning, on_each_database, phone, ticket};

on_each_database!(
    pages_hold_every_ticket_once_while_others_come_in,
    tickets_are_narrowed_by_phone_city_and_time,
    calls_are_narrowed_and_paged_too,
    an_empty_list_has_no_next_page,
    a_cursor_of_one_order_is_refused_by_the_other,
);

/// Creation times from a handful of moments, so that many tickets share one; page sizes; tickets between pages.
fn cases() -> impl Strategy<Value = (Vec<i64>, u32, u32)> {
    (proptest::collection::vec(0i64..4, 0..12), 1u32..5, 0u32..3)
}

async fn pages_hold_every_ticket_once_while_others_come_in(fixture: Fixture) {
    let mut runner = TestRunner::deterministic();
    let mut calls = 0;
    for case in 0..24u32 {
        let tree = cases().new_tree(&mut runner).expect("a case");
        let (moments, limit, between) = tree.current();
        let city = City::ALL[case as usize % 7];
        let filter = TicketFilter { cities: Some(vec![city]), ..TicketFilter::default() };
        fixture.clear().await;
        let mut expected = Vec::new();
        for moment in &moments {
            calls += 1;
            expected.push((*moment, submit(&fixture, calls, city, *moment).await));
        }
        expected.sort_by(|one, other| other.cmp(one));
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page =
                fixture.store.tickets(&filter, TicketOrder::Created, limit, cursor.as_ref()).await.expect("a page");
            assert!(page.items.len() <= limit as usize);
            seen.extend(page.items.iter().map(|item| item.ticket.number));
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string().parse().expect("our own cursor"));
            for _ in 0..between {
                calls += 1;
                submit(&fixture, calls, city, 100).await;
            }
        }
        assert_eq!(seen, expected.iter().map(|(_, number)| *number).collect::<Vec<_>>(), "case {case}");
    }
}

async fn tickets_are_narrowed_by_phone_city_and_time(fixture: Fixture) {
    let lhasa = submit(&fixture, 1, City::Lhasa, 0).await;
    let ngari = submit(&fixture, 2, City::Ngari, 1).await;
    let late = submit(&fixture, 3, City::Lhasa, 2).await;
    let at = |seconds| Some(morning() + TimeDelta::seconds(seconds));
    for (filter, expected) in [
        (Filter::default(), vec![late, ngari, lhasa]),
        (Filter { phone: Some(phone(2)), ..Filter::default() }, vec![ngari]),
        (Filter { phone: Some(phone(9)), ..Filter::default() }, vec![]),
        (Filter { cities: Some(vec![City::Lhasa]), ..Filter::default() }, vec![late, lhasa]),
        (Filter { from: at(1), ..Filter::default() }, vec![late, ngari]),
        (Filter { to: at(1), ..Filter::default() }, vec![lhasa]),
        (Filter { cities: Some(vec![City::Lhasa]), from: at(1), to: at(3), phone: Some(phone(3)) }, vec![late]),
    ] {
        let page = fixture.store.tickets(&filter.clone().into(), TicketOrder::Created, 10, None).await.expect("a page");
        assert_eq!(page.items.iter().map(|item| item.ticket.number).collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(page.next, None);
    }
}

async fn calls_are_narrowed_and_paged_too(fixture: Fixture) {
    let mut expected = Vec::new();
    for number in 1..=5 {
        let other = NewCall { city: City::Ngari, ..call(number + 100) };
        fixture.store.insert_call(&other).await.expect("inserted");
        expected.insert(0, fixture.call(number).await.id);
    }
    let filter = Filter { cities: Some(vec![City::Lhasa]), ..Filter::default() };
    let mut seen: Vec<CallId> = Vec::new();
    let mut cursor = None;
    loop {
        let page = fixture.store.calls(&filter, 2, cursor.as_ref()).await.expect("a page");
        seen.extend(page.items.iter().map(|call| call.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
    let filter = Filter { phone: Some(phone(104)), ..Filter::default() };
    assert_eq!(fixture.store.calls(&filter, 2, None).await.expect("a page").items.len(), 1);
}

async fn an_empty_list_has_no_next_page(fixture: Fixture) {
    let page = fixture.store.tickets(&TicketFilter::default(), TicketOrder::Created, 0, None).await.expect("a page");
    assert!(page.items.is_empty() && page.next.is_none());
}

async fn a_cursor_of_one_order_is_refused_by_the_other(fixture: Fixture) {
    for number in 1..=3 {
        submit(&fixture, number, City::Lhasa, i64::from(number)).await;
    }
    let filter = TicketFilter::default();
    for (order, other) in [(TicketOrder::Created, TicketOrder::Due), (TicketOrder::Due, TicketOrder::Created)] {
        let page = fixture.store.tickets(&filter, order, 1, None).await.expect("a page");
        let cursor: Cursor = page.next.expect("there are more").to_string().parse().expect("our own cursor");
        assert!(fixture.store.tickets(&filter, order, 1, Some(&cursor)).await.is_ok());
        let refused = fixture.store.tickets(&filter, other, 1, Some(&cursor)).await;
        assert!(matches!(refused, Err(ListError::Cursor(_))));
    }
    let calls = fixture.store.calls(&Filter::default(), 1, None).await.expect("a page");
    let cursor = calls.next.expect("there are more");
    let refused = fixture.store.tickets(&filter, TicketOrder::Created, 1, Some(&cursor)).await;
    assert!(matches!(refused, Err(ListError::Cursor(_))));
}

async fn submit(fixture: &Fixture, number: u32, city: City, seconds: i64) -> Number {
    let call = fixture.call(number).await;
    let mut ticket = ticket(&call);
    ticket.city = city;
    let at = morning() + TimeDelta::seconds(seconds);
    fixture.store.submit_ticket(&ticket, at).await.expect("submitted").number
}
