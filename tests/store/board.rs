//! What the live board counts: matters near supervision, calls by hour, ways through the flow.

use chrono::{NaiveTime, TimeDelta};
use hotline::city::City;
use hotline::clock::{beijing_day, from_beijing};
use hotline::store::CallEvent;
use hotline::ticket::EventKind;

use crate::fixture::{Fixture, call, morning, on_each_database, ticket};

on_each_database!(
    a_matter_is_near_supervision_while_it_lacks_three_complaints_or_fewer,
    calls_count_in_the_hour_they_began_in,
    a_call_counts_once_on_each_way_it_went,
);

async fn a_matter_is_near_supervision_while_it_lacks_three_complaints_or_fewer(fixture: Fixture) {
    let mut near = Vec::new();
    for number in 0..10_u32 {
        let call = fixture.call(number).await;
        let made = fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted");
        let matter = "class = '0101', place_key = '八廓街', request_type = 'complaint'";
        fixture.execute(&format!("update ticket set {matter} where number = '{}'", made.number)).await;
        let found = fixture.store.near_matters(morning(), &[]).await.expect("counted");
        near.push(found.first().map(|matter| (matter.tickets, matter.threshold)));
    }
    let expected = [7, 8, 9].map(|tickets| Some((tickets, 10)));
    assert_eq!(near[..6], [None; 6]);
    assert_eq!(near[6..9], expected);
    assert_eq!(near[9], None, "with ten it is supervised");
    let last = "select number from ticket order by number desc limit 1";
    fixture.execute(&format!("update ticket set state = 'withdrawn' where number in ({last})")).await;
    let found = fixture.store.near_matters(morning(), &[City::Lhasa]).await.expect("counted");
    assert_eq!((found[0].city, found[0].place.as_str()), (City::Lhasa, "八廓街"));
    assert!(fixture.store.near_matters(morning(), &[City::Nagqu]).await.expect("counted").is_empty());
    assert!(fixture.store.near_matters(morning() + TimeDelta::days(31), &[]).await.expect("counted").is_empty());
}

async fn calls_count_in_the_hour_they_began_in(fixture: Fixture) {
    let day = beijing_day(morning());
    let midnight = from_beijing(day, NaiveTime::MIN);
    for (number, minutes) in [(0, 0), (1, 59), (2, 60), (3, 1_439), (4, -1), (5, 1_440)] {
        let mut call = call(number);
        call.started_at = midnight + TimeDelta::minutes(minutes);
        fixture.store.insert_call(&call).await.expect("inserted");
    }
    let hours = fixture.store.calls_by_hour(day, &[]).await.expect("counted");
    assert_eq!((hours[0], hours[1], hours[23], hours.iter().sum::<u64>()), (2, 1, 1, 4));
    assert_eq!(fixture.store.calls_by_hour(day, &[City::Nagqu]).await.expect("counted"), [0; 24]);
}

async fn a_call_counts_once_on_each_way_it_went(fixture: Fixture) {
    for (number, nodes) in [(0, &["answer", "main", "main", "bye"][..]), (1, &["answer", "main", "answer", "main"])] {
        let call = fixture.call(number).await;
        let event = |(sequence, node): (u32, &&str)| CallEvent {
            call: call.id,
            sequence,
            at: morning(),
            offset_ms: 0,
            kind: EventKind::Node,
            text: (*node).to_owned(),
        };
        let mut events: Vec<CallEvent> = (1..).zip(nodes).map(event).collect();
        events.push(CallEvent { kind: EventKind::Key, text: "1".to_owned(), ..event((90, &"")) });
        fixture.store.append_events(&events).await.expect("appended");
    }
    let day = beijing_day(morning());
    let mut steps = fixture.store.steps_of_calls(day, &[]).await.expect("counted");
    steps.sort();
    let steps: Vec<_> = steps.iter().map(|(from, to, calls)| (from.as_str(), to.as_str(), *calls)).collect();
    assert_eq!(steps, [("answer", "main", 2), ("main", "answer", 1), ("main", "bye", 1), ("main", "main", 1)]);
    assert!(fixture.store.steps_of_calls(day, &[City::Nagqu]).await.expect("counted").is_empty());
}
