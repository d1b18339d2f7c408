//! Tickets that are looked at: drawn once, scored by two, appealed against, decided.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hotline::city::City;
use hotline::clock::Clock;
use hotline::store::{By, NewScore, NotReviewed, Order, Review, ReviewFilter, Rules, Store};
use hotline::ticket::quality::{Config, Fatal, Form, Item, Points, ReviewState, Why};
use hotline::ticket::{AccountId, Action, Actor, Number, Side};
use hotline::work::quality::Drawing;
use serde_json::json;

use crate::fixture::{Fixture, morning, on_each_database};
use crate::life::{classified, command, complaint, dispatch, does};

on_each_database!(
    a_week_is_drawn_once_by_person_with_all_dissatisfied,
    a_score_is_given_twice_and_never_by_the_same,
    an_appeal_is_decided_by_another_and_counts_the_second_score,
);

fn account(n: u8) -> AccountId {
    AccountId::new(DateTime::UNIX_EPOCH, [n; 10])
}

fn by(n: u8) -> By {
    By { actor: Actor::Account(account(n)), address: None }
}

fn form(points: impl Fn(Item) -> u8, fatal: Vec<Fatal>) -> NewScore {
    let points = Item::ALL.iter().map(|item| Points { item: *item, points: points(*item) }).collect();
    NewScore { form: Form::new(points, fatal).expect("a form"), note: "听过".to_owned() }
}

fn monday() -> NaiveDate {
    "2026-11-16".parse().expect("a day")
}

fn next_week() -> DateTime<Utc> {
    morning() + TimeDelta::days(2)
}

async fn dispatched_by(store: &Store, number: Number, person: u8, now: DateTime<Utc>) {
    classified(store, number, "路灯不亮", "0105", "江苏路3号", now).await;
    let order = Order {
        number,
        version: None,
        command: dispatch(),
        actor: by(person).actor,
        side: Side::Hotline,
        address: None,
    };
    store.execute(&order, now).await.expect("dispatched");
}

async fn all(store: &Store, filter: ReviewFilter) -> Vec<Review> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.reviews(&filter, 2, cursor.as_ref()).await.expect("read");
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Six tickets of two people, two each to be drawn; one requester is dissatisfied.
async fn drawn(fixture: Fixture) -> (Fixture, Number) {
    let quality = Config { per_person: 2, ..Config::default() };
    let fixture = fixture.with_rules(Rules { quality, ..Rules::default() });
    let (store, now) = (&fixture.store, morning());
    let mut first = None;
    for number in 1..=6u32 {
        let ticket = complaint(&fixture, number, now).await;
        dispatched_by(store, ticket, 1 + (number % 2) as u8, now).await;
        first.get_or_insert(ticket);
    }
    let first = first.expect("a ticket");
    for step in [
        json!({ "command": "sign" }),
        json!({ "command": "record_contact", "told": "5 days" }),
        json!({ "command": "reply", "text": "repaired" }),
        json!({ "command": "pass" }),
        json!({ "command": "visited", "means": "person", "solved": "no", "satisfaction": 1 }),
    ] {
        does(store, first, command(step), now).await;
    }
    let drawing = Drawing { store: store.clone(), clock: Clock::start() };
    assert_eq!(drawing.look(now).await, Ok(0), "the week is not over");
    let count = drawing.look(next_week()).await.expect("drawn");
    assert!((4..=5).contains(&count), "{count}");
    assert_eq!(drawing.look(next_week() + TimeDelta::hours(1)).await, Ok(0), "once");
    (fixture, first)
}

async fn a_week_is_drawn_once_by_person_with_all_dissatisfied(fixture: Fixture) {
    let (fixture, dissatisfied) = drawn(fixture).await;
    let reviews = all(&fixture.store, ReviewFilter::default()).await;
    for person in [1, 2] {
        let of = reviews.iter().filter(|review| review.person == Some(account(person)) && review.why == Why::Random);
        assert!((1..=2).contains(&of.count()), "{reviews:#?}");
    }
    let of_why = |why| reviews.iter().filter(|review| review.why == why).map(|one| one.ticket).collect::<Vec<_>>();
    assert_eq!(of_why(Why::Dissatisfied), [dissatisfied]);
    assert!(reviews.iter().all(|review| review.week == monday() && review.state == ReviewState::Open));
    let count = async |filter| all(&fixture.store, filter).await.len();
    let none = ReviewFilter::default;
    assert_eq!(count(ReviewFilter { cities: Some(vec![City::Ngari]), ..none() }).await, 0);
    assert_eq!(count(ReviewFilter { cities: Some(Vec::new()), ..none() }).await, 0);
    assert_eq!(count(ReviewFilter { unit: "lhasa-housing".parse().ok(), ..none() }).await, reviews.len());
    assert_eq!(count(ReviewFilter { week: Some(monday()), ..none() }).await, reviews.len());
    assert_eq!(count(ReviewFilter { state: Some(ReviewState::Scored), ..none() }).await, 0);
    // another database draws the same
    let other = Fixture::sqlite_memory().await;
    let (other, _) = drawn(other).await;
    let tickets = |reviews: &[Review]| reviews.iter().map(|review| (review.ticket, review.why)).collect::<Vec<_>>();
    assert_eq!(tickets(&all(&other.store, none()).await), tickets(&reviews));
}

async fn a_score_is_given_twice_and_never_by_the_same(fixture: Fixture) {
    let (fixture, _) = drawn(fixture).await;
    let (store, now) = (&fixture.store, next_week());
    let review = all(store, ReviewFilter { person: Some(account(1)), ..ReviewFilter::default() }).await.remove(0);
    let best = form(Item::most, Vec::new());
    let refused = async |new: &NewScore, n: u8| store.score_review(review.id, new, &by(n), now).await.map(drop);
    assert_eq!(refused(&best, 1).await, Err(NotReviewed::OwnWork));
    let file = store.score_review(review.id, &best, &by(8), now).await.expect("scored");
    assert_eq!((file.review.state, file.review.total), (ReviewState::Scored, Some(100)));
    assert_eq!(refused(&best, 8).await, Err(NotReviewed::SamePerson));
    assert_eq!(store.agreement(None, monday(), monday()).await, Ok(None));
    let file = store.score_review(review.id, &form(|_| 10, vec![Fatal::Rudeness]), &by(9), now).await.expect("scored");
    assert_eq!((file.review.total, file.scores[1].total), (Some(100), 0), "the first counts");
    assert_eq!((&file.scores[1].fatal[..], file.scores[1].points.len()), (&[Fatal::Rudeness][..], 6));
    assert_eq!(refused(&best, 7).await, Err(NotReviewed::ScoredTwice));
    let agreed = store.agreement(Some(&[City::Lhasa]), monday(), monday()).await.expect("read").expect("a pair");
    assert_eq!((agreed.pairs, agreed.mean_difference, agreed.same_verdict), (1, 100.0, 0.0));
    assert_eq!(store.agreement(Some(&[City::Ngari]), monday(), monday()).await, Ok(None));
    let audit = store.ticket(review.ticket).await.expect("read").expect("there").audit;
    let told: Vec<_> = audit.iter().rev().take(2).map(|act| (act.action, act.changes[0].is.clone())).collect();
    assert_eq!(told, [(Action::Scored, Some("0".to_owned())), (Action::Scored, Some("100".to_owned()))]);
}

async fn an_appeal_is_decided_by_another_and_counts_the_second_score(fixture: Fixture) {
    let (fixture, _) = drawn(fixture).await;
    let (store, now) = (&fixture.store, next_week());
    let reviews = all(store, ReviewFilter::default()).await;
    let [one, other] = [&reviews[0], &reviews[1]].map(|review| review.id);
    let (low, high) = (form(|_| 5, Vec::new()), form(|item| item.most() - 1, Vec::new()));
    let appeal = async |id, at| store.appeal_review(id, "分类没有错", &by(1), at).await.map(|file| file.review.state);
    assert_eq!(appeal(one, now).await, Err(NotReviewed::NotScored));
    store.score_review(one, &low, &by(8), now).await.expect("scored");
    store.score_review(other, &low, &by(8), now).await.expect("scored");
    assert_eq!(appeal(one, now + TimeDelta::days(8)).await, Err(NotReviewed::TooLate));
    let decide = async |id, upheld, n: u8| store.decide_review(id, upheld, "复核", &by(n), now).await;
    assert_eq!(decide(one, true, 9).await, Err(NotReviewed::NotAppealed));
    assert_eq!(appeal(one, now).await, Ok(ReviewState::Appealed));
    assert_eq!(appeal(one, now).await, Err(NotReviewed::NotScored), "once");
    assert_eq!(decide(one, true, 8).await, Err(NotReviewed::SamePerson));
    assert_eq!(decide(one, true, 9).await, Err(NotReviewed::NoSecondScore));
    store.score_review(one, &high, &by(9), now).await.expect("scored");
    let decided = decide(one, true, 9).await.expect("decided");
    assert_eq!((decided.review.state, decided.review.total), (ReviewState::Decided, Some(94)));
    assert_eq!(decided.review.decision.map(|said| said.text), Some("复核".to_owned()));
    assert_eq!(appeal(other, now).await, Ok(ReviewState::Appealed));
    let kept = decide(other, false, 9).await.expect("decided");
    assert_eq!((kept.review.upheld, kept.review.total), (Some(false), Some(30)));
    let late = store.score_review(other, &high, &by(9), now).await.map(drop);
    assert_eq!(late, Err(NotReviewed::ScoredTwice), "what is decided is not scored again");
}
