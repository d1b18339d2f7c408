//! Return visits that make themselves: never two calls at once, never one too many, no answer lost.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hotline::callback::{self, Because, Next, reply};
use hotline::city::City;
use hotline::phone::Phone;
use hotline::store::{
    By, Ceilings, Holder, NotSkipped, PlannedVisit, Replied, Rules, Settled, Settlement, Store, VisitFilter, VisitStep,
};
use hotline::ticket::calendar::{Announcement, Scope};
use hotline::ticket::{
    Action, AttemptId, CallId, Contacted, Number, Outcome, Said, Satisfaction, Solved, State, VisitCall, Way,
};
use serde_json::json;

use crate::fixture::{Fixture, on_each_database, phone};
use crate::life::{command, complaint, does, in_progress, minutes, now_is};

on_each_database!(
    a_closing_is_planned_and_called_inside_the_window,
    an_attempt_is_on_record_before_anything_rings,
    two_holders_never_have_the_same_ticket_or_number,
    what_all_nodes_may_do_is_counted_in_the_database,
    an_attempt_whose_holder_is_gone_is_unknown_and_its_answers_count,
    a_lapsed_attempt_that_comes_back_still_tells_its_end,
    answers_are_kept_when_they_are_given,
    a_second_settlement_changes_nothing,
    the_next_attempt_waits_for_another_half_day,
    three_attempts_then_an_sms_then_a_person,
    a_reply_by_sms_counts_once,
    who_opts_out_is_not_called_for_any_ticket,
    a_number_is_called_twice_a_day_at_most,
    a_city_that_is_paused_calls_nobody,
    an_imported_day_off_moves_the_plan,
    without_a_phone_the_visit_ends_at_once,
    a_merged_ticket_is_visited_in_its_leads_round,
    who_calls_back_goes_on_where_it_stopped,
    an_attempt_without_a_line_is_given_back,
    line_trouble_is_no_attempt_of_the_requesters,
    a_corrected_number_is_called_anew,
    a_skipped_visit_is_a_persons,
    the_dissatisfied_who_want_it_redone_get_a_recheck,
    a_visit_that_a_person_made_is_left_alone,
    answers_outlast_a_person_who_reaches_nobody,
    lists_say_what_each_visit_waits_for,
    the_figures_of_a_city_count_closings_and_calls,
);

const PLENTY: Ceilings = Ceilings { live: 100, per_second: 100 };

/// Thursday, 10:00 in Beijing.
fn thursday() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn holder(start: &str) -> Holder {
    Holder { node: "lhasa-1".to_owned(), start: start.to_owned() }
}

fn rules() -> Rules {
    Rules { sms: true, ..Rules::default() }
}

/// A ticket of the number's own caller that is answered directly, so that its visit is due.
async fn closed(fixture: &Fixture, number: u32, at: DateTime<Utc>) -> Number {
    let ticket = complaint(fixture, number, at).await;
    does(&fixture.store, ticket, command(json!({ "command": "answer", "reply": "repaired" })), at).await;
    ticket
}

async fn plan(store: &Store, now: DateTime<Utc>) -> usize {
    store.plan_visits(now).await.expect("planned")
}

/// All that is due now.
async fn lease(store: &Store, now: DateTime<Utc>) -> Vec<VisitCall> {
    store.lease_visits(&holder("a"), 100, PLENTY, now).await.expect("leased")
}

async fn one(store: &Store, now: DateTime<Utc>) -> VisitCall {
    let mut calls = lease(store, now).await;
    assert_eq!(calls.len(), 1, "one call is due");
    calls.remove(0)
}

fn settlement(attempt: AttemptId, outcome: Outcome) -> Settlement {
    Settlement { attempt, outcome, status: None, q850: None, message_left: false, early: None }
}

async fn settle(store: &Store, attempt: AttemptId, outcome: Outcome, now: DateTime<Utc>) -> Settled {
    store.settle_attempt(&settlement(attempt, outcome), now).await.expect("settled")
}

async fn visit(store: &Store, ticket: Number) -> PlannedVisit {
    let filter = VisitFilter { ticket: Some(ticket), ..VisitFilter::default() };
    store.planned_visits(&filter, 10, None).await.expect("listed").items.remove(0)
}

fn said_all(redo: bool) -> [Said; 5] {
    let satisfied = Satisfaction::new(if redo { 1 } else { 5 }).expect("1 to 5");
    let solved = if redo { Solved::No } else { Solved::Yes };
    [
        Said::Willing,
        Said::Contacted(Contacted::InTime),
        Said::Solved(solved),
        Said::Satisfaction(satisfied),
        Said::Redo(redo),
    ]
}

async fn a_closing_is_planned_and_called_inside_the_window(fixture: Fixture) {
    let (store, noon) = (&fixture.store, at("2026-11-26T05:00:00Z"));
    let ticket = closed(&fixture, 1, noon).await;
    assert_eq!(plan(store, noon).await, 1);
    assert_eq!(plan(store, noon).await, 0, "once");
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.next_at), (Some(VisitStep::Call), Some(at("2026-11-26T07:30:00Z"))));
    let why = planned.why(noon);
    assert_eq!(why.as_deref(), Some("outside the calling hours, until 2026-11-26 15:30"));
    assert!(lease(store, at("2026-11-26T07:29:59Z")).await.is_empty());
    let call = one(store, at("2026-11-26T07:30:00Z")).await;
    assert_eq!((call.ticket, call.round, call.way, call.city), (ticket, 1, Way::Call, City::Lhasa));
    assert_eq!((&call.phone, call.line.as_deref(), call.may_leave_message), (&phone(1), Some("12345"), true));
    assert!(lease(store, at("2026-11-26T07:30:01Z")).await.is_empty(), "it is taken");
}

async fn an_attempt_is_on_record_before_anything_rings(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    let attempts = store.visit_attempts(ticket).await.expect("read");
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].id, attempts[0].ended_at, attempts[0].call), (call.attempt, None, None));
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.attempts), (Some(VisitStep::Live), 1));
    let leg = CallId::new(now, [7; 10]);
    store.attempt_dialled(call.attempt, "telecom", leg, now).await.expect("written");
    let attempts = store.visit_attempts(ticket).await.expect("read");
    assert_eq!((attempts[0].trunk.as_deref(), attempts[0].call), (Some("telecom"), Some(leg)));
}

/// Fifty visits of ten numbers, and two processes that take what they can.
async fn two_holders_never_have_the_same_ticket_or_number(fixture: Fixture) {
    let now = thursday();
    for number in 1..=50 {
        closed(&fixture, number, now).await;
    }
    fixture.execute("update ticket set phone = '1380000000' || substr(number, 11, 1)").await;
    plan(&fixture.store, now).await;
    let nodes = [fixture.store.clone(), fixture.reopen().await.expect("opened")];
    let (one, other) = (holder("a"), holder("b"));
    let (first, second) =
        tokio::join!(nodes[0].lease_visits(&one, 50, PLENTY, now), nodes[1].lease_visits(&other, 50, PLENTY, now));
    let mut taken = first.expect("leased");
    taken.extend(second.expect("leased"));
    let tickets: BTreeSet<Number> = taken.iter().map(|call| call.ticket).collect();
    let numbers: BTreeSet<&str> = taken.iter().map(|call| call.phone.digits()).collect();
    let all = fixture.rows("select distinct phone from ticket").await;
    assert_eq!((tickets.len(), numbers.len()), (taken.len(), taken.len()), "no ticket and no number twice");
    assert_eq!(taken.len(), all.len(), "every number is called");
}

async fn what_all_nodes_may_do_is_counted_in_the_database(fixture: Fixture) {
    let now = thursday();
    for number in 1..=6 {
        closed(&fixture, number, now).await;
    }
    plan(&fixture.store, now).await;
    let nodes = [fixture.store.clone(), fixture.reopen().await.expect("opened")];
    let few = Ceilings { live: 4, per_second: 3 };
    let (one, other) = (holder("a"), holder("b"));
    let (first, second) =
        tokio::join!(nodes[0].lease_visits(&one, 50, few, now), nodes[1].lease_visits(&other, 50, few, now));
    assert_eq!(first.expect("leased").len() + second.expect("leased").len(), 3, "in one second");
    let later = now + TimeDelta::seconds(2);
    let taken = nodes[0].lease_visits(&one, 50, few, later).await.expect("leased");
    assert_eq!(taken.len(), 1, "four at the same time");
    settle(&nodes[1], taken[0].attempt, Outcome::Busy, later).await;
    assert_eq!(nodes[1].lease_visits(&other, 50, few, later).await.expect("leased").len(), 1);
}

async fn an_attempt_whose_holder_is_gone_is_unknown_and_its_answers_count(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    store.attempt_said(call.attempt, Said::Contacted(Contacted::Late), now).await.expect("kept");
    store.renew_attempts(&holder("a"), now + TimeDelta::seconds(20)).await.expect("renewed");
    assert_eq!(store.settle_lapsed(now + TimeDelta::seconds(50)).await, Ok(0), "it was renewed");
    let lapsed = now + TimeDelta::seconds(51);
    assert_eq!(store.settle_lapsed(lapsed).await, Ok(1));
    assert_eq!(store.settle_lapsed(lapsed).await, Ok(0));
    let attempts = store.visit_attempts(ticket).await.expect("read");
    assert_eq!((attempts[0].outcome, attempts[0].given.contacted), (Some(Outcome::Unknown), Some(Contacted::Late)));
    for minute in [1, 60, 239] {
        assert!(lease(store, now + minutes(minute)).await.is_empty(), "inside its cool-down");
    }
    let again = one(store, at("2026-11-26T08:00:00Z")).await;
    assert_eq!(again.given.contacted, Some(Contacted::Late), "the survey goes on behind it");
    for said in said_all(false) {
        store.attempt_said(again.attempt, said, now).await.expect("kept");
    }
    assert_eq!(store.settle_lapsed(at("2026-11-26T08:10:00Z")).await, Ok(1));
    assert_eq!(now_is(store, ticket).await.state, State::Archived, "whose last answer was given is answered");
}

async fn a_lapsed_attempt_that_comes_back_still_tells_its_end(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    store.settle_lapsed(now + minutes(1)).await.expect("settled");
    let settled = settle(store, call.attempt, Outcome::WrongPerson, now + minutes(2)).await;
    assert_eq!(settled, Settled::Now(Some(Next::Person { because: Because::WrongPerson })));
    assert_eq!(settle(store, call.attempt, Outcome::Busy, now + minutes(3)).await, Settled::Already);
    assert_eq!(visit(store, ticket).await.step, Some(VisitStep::Person));
}

async fn answers_are_kept_when_they_are_given(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    for said in said_all(false) {
        store.attempt_said(call.attempt, said, now).await.expect("kept");
        store.attempt_said(call.attempt, said, now).await.expect("kept twice");
    }
    let attempts = store.visit_attempts(ticket).await.expect("read");
    assert!(attempts[0].given.willing && attempts[0].given.is_complete());
    settle(store, call.attempt, Outcome::Complete, now).await;
    let archived = now_is(store, ticket).await;
    assert_eq!((archived.state, archived.visit.solved), (State::Archived, Some(Solved::Yes)));
    assert_eq!(archived.visit.satisfaction, Satisfaction::new(5));
    assert_eq!(visit(store, ticket).await.state, "answered");
}

async fn a_second_settlement_changes_nothing(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    assert!(matches!(settle(store, call.attempt, Outcome::Busy, now).await, Settled::Now(Some(Next::Call { .. }))));
    let before = visit(store, ticket).await;
    assert_eq!(settle(store, call.attempt, Outcome::OptOut, now + minutes(1)).await, Settled::Already);
    assert_eq!(visit(store, ticket).await, before);
    let nobody = AttemptId::new(now, [9; 10]);
    assert_eq!(settle(store, nobody, Outcome::Busy, now).await, Settled::Unknown);
}

async fn the_next_attempt_waits_for_another_half_day(fixture: Fixture) {
    let (store, now) = (&fixture.store, at("2026-11-26T04:00:00Z"));
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    settle(store, one(store, now).await.attempt, Outcome::Later, now).await;
    let planned = visit(store, ticket).await;
    assert_eq!((planned.next_at, planned.held.as_deref()), (Some(at("2026-11-26T08:00:00Z")), Some("apart")));
    let machine = settlement(one(store, at("2026-11-26T08:00:00Z")).await.attempt, Outcome::Machine);
    let machine = Settlement { status: Some(200), q850: Some(16), message_left: true, ..machine };
    store.settle_attempt(&machine, at("2026-11-26T08:00:01Z")).await.expect("settled");
    assert_eq!(visit(store, ticket).await.next_at, Some(at("2026-11-27T01:30:00Z")));
    let attempts = store.visit_attempts(ticket).await.expect("read");
    assert_eq!((attempts[1].status, attempts[1].q850, attempts[1].message_left), (Some(200), Some(16), true));
    assert!(!one(store, at("2026-11-27T01:30:00Z")).await.may_leave_message, "one message a ticket");
}

async fn three_attempts_then_an_sms_then_a_person(fixture: Fixture) {
    let fixture = fixture.with_rules(rules());
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let days = ["2026-11-26T02:00:00Z", "2026-11-26T07:30:00Z", "2026-11-27T01:30:00Z"];
    for moment in days.map(at) {
        settle(store, one(store, moment).await.attempt, Outcome::NoAnswer, moment).await;
    }
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.sms_at), (Some(VisitStep::Reply), Some(at(days[2]))));
    assert_eq!(planned.attempts, 4);
    let sent = fixture.rows("select event from outbox where kind = 'sms' and event = 'visit'").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(plan(store, at("2026-11-30T15:59:58Z")).await, 0, "Monday is the working day that is waited");
    assert_eq!(plan(store, at("2026-11-30T16:00:00Z")).await, 1);
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.held.as_deref()), (Some(VisitStep::Person), Some("unreached")));
    assert_eq!(plan(store, at("2026-12-03T02:00:00Z")).await, 0, "it waits for a person");
    let unreached = command(json!({ "command": "end_visit", "because": "unreached" }));
    does(store, ticket, unreached, at("2026-12-03T02:00:00Z")).await;
    assert_eq!(visit(store, ticket).await.state, "unreached");
}

async fn a_reply_by_sms_counts_once(fixture: Fixture) {
    let attempts = callback::Config { attempts: 1, ..callback::Config::default() };
    let fixture = fixture.with_rules(Rules { visits: attempts, ..rules() });
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    let other = closed(&fixture, 2, now).await;
    fixture.execute(&format!("update ticket set phone = '13800000001' where number = '{other}'")).await;
    fixture.execute(&format!("update visit set closed_at = '2020-01-01T00:00:00Z' where ticket = '{other}'")).await;
    fixture
        .execute("insert into opt_out (phone, at, actor) values ('13800000001', '2026-11-26T01:00:00Z', 'caller')")
        .await;
    plan(store, now).await;
    let waiting = [visit(store, ticket).await, visit(store, other).await].map(|visit| visit.step);
    assert!(waiting.contains(&Some(VisitStep::Reply)) && waiting.contains(&Some(VisitStep::Sms)), "one at a time");
    let asked = if waiting[0] == Some(VisitStep::Reply) { ticket } else { other };
    let answers = reply::read("1 1 2").expect("a reply");
    let reply =
        async |phone: &Phone| store.sms_reply(phone, &City::ALL, &answers, &By::OPERATOR, now).await.expect("read");
    assert_eq!(reply(&phone(7)).await, Replied::NothingAsked);
    assert_eq!(reply(&phone(1)).await, Replied::Taken(asked));
    assert_eq!(reply(&phone(1)).await, Replied::Already(asked));
    let archived = now_is(store, asked).await;
    assert_eq!((archived.state, archived.visit.satisfaction), (State::Archived, Satisfaction::new(4)));
}

async fn who_opts_out_is_not_called_for_any_ticket(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    let next = settle(store, call.attempt, Outcome::OptOut, now).await;
    assert_eq!(next, Settled::Now(Some(Next::Person { because: Because::OptedOut })), "there is no gateway");
    assert_eq!(store.opt_outs(10).await.expect("read")[0].phone, phone(1));
    let second = closed(&fixture, 2, now).await;
    fixture.execute(&format!("update ticket set phone = '13800000001' where number = '{second}'")).await;
    plan(store, now).await;
    assert_eq!(visit(store, second).await.held.as_deref(), Some("opted_out"));
    let by = By::OPERATOR;
    assert_eq!(store.add_opt_out(&phone(1), &by, now).await, Ok(false));
    assert_eq!(store.remove_opt_out(&phone(1), &by, now).await, Ok(true));
    assert_eq!(store.remove_opt_out(&phone(1), &by, now).await, Ok(false));
    let told = fixture.rows("select action from audit where subject = 'opt-out 138****0001' order by sequence").await;
    assert_eq!(told, ["added", "removed"]);
    assert_eq!(visit(store, ticket).await.step, Some(VisitStep::Person), "a person's stays a person's");
}

async fn a_number_is_called_twice_a_day_at_most(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    for number in 1..=3 {
        closed(&fixture, number, now).await;
    }
    fixture.execute("update ticket set phone = '13800000001'").await;
    plan(store, now).await;
    settle(store, one(store, now).await.attempt, Outcome::NoAnswer, now).await;
    assert!(lease(store, now + minutes(10)).await.is_empty(), "four hours lie between two");
    let afternoon = at("2026-11-26T07:30:00Z");
    settle(store, one(store, afternoon).await.attempt, Outcome::NoAnswer, afternoon).await;
    assert!(lease(store, afternoon + minutes(245)).await.is_empty(), "nor in the evening");
    assert_eq!(fixture.rows("select cast(count(*) as text) from visit where step = 'call'").await, ["3"]);
    assert_eq!(lease(store, at("2026-11-27T01:30:00Z")).await.len(), 1);
}

async fn a_city_that_is_paused_calls_nobody(fixture: Fixture) {
    let (store, now, by) = (&fixture.store, thursday(), By::OPERATOR);
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    assert_eq!(store.pause_visits(City::Lhasa, "an earthquake", &by, now).await, Ok(true));
    assert_eq!(store.pause_visits(City::Lhasa, "again", &by, now).await, Ok(false));
    assert!(lease(store, now).await.is_empty());
    assert_eq!(visit(store, ticket).await.why(now).as_deref(), Some("paused"));
    assert_eq!(store.paused_visits().await.expect("read")[0].why, "an earthquake");
    assert_eq!(store.resume_visits(City::Lhasa, &by, now).await, Ok(true));
    assert_eq!(store.resume_visits(City::Lhasa, &by, now).await, Ok(false));
    assert_eq!(lease(store, now).await.len(), 1);
    let told = fixture.rows("select action from audit where subject = 'visits lhasa' order by sequence").await;
    assert_eq!(told, ["suspended", "resumed"]);
}

async fn an_imported_day_off_moves_the_plan(fixture: Fixture) {
    let (store, evening) = (&fixture.store, at("2026-11-26T13:00:00Z"));
    let ticket = closed(&fixture, 1, evening).await;
    plan(store, evening).await;
    assert_eq!(visit(store, ticket).await.next_at, Some(at("2026-11-27T01:30:00Z")));
    let friday = NaiveDate::from_ymd_opt(2026, 11, 27).expect("a day");
    let off = Announcement::new(Scope::Region, 2026, [friday], []).expect("a day");
    store.import_announcements(&[off], &By::OPERATOR, evening, false).await.expect("imported");
    assert_eq!(plan(store, evening).await, 1);
    assert_eq!(plan(store, evening).await, 0);
    assert_eq!(visit(store, ticket).await.next_at, Some(at("2026-11-28T01:30:00Z")));
    assert!(lease(store, at("2026-11-27T02:00:00Z")).await.is_empty());
}

async fn without_a_phone_the_visit_ends_at_once(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    fixture.execute("update ticket set phone = null").await;
    plan(store, now).await;
    let planned = visit(store, ticket).await;
    assert_eq!((planned.state.as_str(), planned.attempts), ("no_phone", 0));
    assert_eq!(now_is(store, ticket).await.state, State::Archived);
}

async fn a_merged_ticket_is_visited_in_its_leads_round(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let follower = complaint(&fixture, 1, now).await;
    let lead = complaint(&fixture, 2, now).await;
    does(store, follower, command(json!({ "command": "merge", "into": lead })), now).await;
    does(store, lead, command(json!({ "command": "answer", "reply": "repaired" })), now).await;
    plan(store, now).await;
    let calls = lease(store, now).await;
    assert_eq!(calls.iter().map(|call| call.ticket).collect::<BTreeSet<_>>(), BTreeSet::from([follower, lead]));
    for call in calls {
        for said in said_all(false) {
            store.attempt_said(call.attempt, said, now).await.expect("kept");
        }
        settle(store, call.attempt, Outcome::Complete, now).await;
    }
    let states = [follower, lead].map(|ticket| now_is(store, ticket));
    let [follower, lead] = states;
    assert_eq!((follower.await.state, lead.await.state), (State::Merged, State::Archived));
    assert_eq!(fixture.rows("select state from visit").await, ["answered", "answered"]);
}

async fn who_calls_back_goes_on_where_it_stopped(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    let (back, own) = (CallId::new(now, [3; 10]), holder("b"));
    let to_continue = async |now| store.visit_to_continue(&phone(1), back, &own, now).await.expect("looked for");
    assert_eq!(to_continue(now).await, None, "its call goes on");
    store.attempt_said(call.attempt, Said::Willing, now).await.expect("kept");
    store.attempt_said(call.attempt, Said::Solved(Solved::Yes), now).await.expect("kept");
    settle(store, call.attempt, Outcome::Partial, now).await;
    assert_eq!(to_continue(now + TimeDelta::hours(48) + minutes(1)).await, None, "too late");
    let night = now + TimeDelta::hours(47);
    let goes_on = to_continue(night).await.expect("a survey");
    assert_eq!((goes_on.way, goes_on.ticket, goes_on.given.solved), (Way::CallBack, ticket, Some(Solved::Yes)));
    assert_eq!(to_continue(night).await, None, "it goes on already");
    store.attempt_said(goes_on.attempt, Said::Contacted(Contacted::No), night).await.expect("kept");
    let satisfied = Said::Satisfaction(Satisfaction::new(3).expect("1 to 5"));
    store.attempt_said(goes_on.attempt, satisfied, night).await.expect("kept");
    settle(store, goes_on.attempt, Outcome::Complete, night).await;
    let archived = now_is(store, ticket).await;
    assert_eq!((archived.state, archived.visit.solved), (State::Archived, Some(Solved::Yes)));
    assert_eq!(to_continue(night + minutes(1)).await, None);
}

async fn an_attempt_without_a_line_is_given_back(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    store.release_attempt(call.attempt, now + minutes(1), now).await.expect("given back");
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.attempts), (Some(VisitStep::Call), 0));
    assert_eq!((planned.next_at, planned.held.as_deref()), (Some(now + minutes(1)), Some("no_line")));
    assert!(store.visit_attempts(ticket).await.expect("read").is_empty());
    assert_eq!(fixture.rows("select ticket from visit where attempted_at is not null").await, [""; 0]);
    let again = one(store, now + minutes(1)).await;
    store.attempt_dialled(again.attempt, "telecom", CallId::new(now, [1; 10]), now).await.expect("written");
    store.release_attempt(again.attempt, now + minutes(2), now).await.expect("looked at");
    assert_eq!(store.visit_attempts(ticket).await.expect("read").len(), 1, "what was dialled stays");
}

async fn line_trouble_is_no_attempt_of_the_requesters(fixture: Fixture) {
    let (store, mut now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    for _ in 0..6 {
        settle(store, one(store, now).await.attempt, Outcome::LineTrouble, now).await;
        now += minutes(15);
    }
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.held.as_deref()), (Some(VisitStep::Person), Some("lines_failed")));
    assert_eq!(planned.attempts, 0);
}

async fn a_corrected_number_is_called_anew(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    settle(store, one(store, now).await.attempt, Outcome::WrongPerson, now).await;
    assert_eq!(visit(store, ticket).await.held.as_deref(), Some("wrong_person"));
    assert_eq!(plan(store, now).await, 0);
    does(store, ticket, command(json!({ "command": "correct", "phone": "13900000001" })), now).await;
    assert_eq!(plan(store, now).await, 1);
    let call = one(store, now + minutes(1)).await;
    assert_eq!(call.phone.digits(), "13900000001");
    store.skip_visit(ticket, "is in hospital", &By::OPERATOR, now).await.expect("skipped");
    settle(store, call.attempt, Outcome::BadNumber, now).await;
    does(store, ticket, command(json!({ "command": "correct", "phone": "13900000002" })), now).await;
    assert_eq!(plan(store, now).await, 0, "what was skipped stays a person's");
}

async fn a_skipped_visit_is_a_persons(fixture: Fixture) {
    let (store, now, by) = (&fixture.store, thursday(), By::OPERATOR);
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    store.skip_visit(ticket, "is in hospital", &by, now).await.expect("skipped");
    assert_eq!(store.skip_visit(ticket, "again", &by, now).await, Err(NotSkipped::PersonAlready));
    settle(store, call.attempt, Outcome::NoAnswer, now).await;
    let planned = visit(store, ticket).await;
    assert_eq!((planned.step, planned.held.as_deref()), (Some(VisitStep::Person), Some("skipped")));
    let file = store.ticket(ticket).await.expect("read").expect("there");
    let entry = file.audit.iter().find(|entry| entry.action == Action::Changed).expect("on record");
    assert_eq!((entry.reason.as_deref(), entry.changes[0].is.as_deref()), (Some("is in hospital"), Some("person")));
    let open = complaint(&fixture, 2, now).await;
    assert_eq!(store.skip_visit(open, "early", &by, now).await, Err(NotSkipped::NotDue));
}

async fn the_dissatisfied_who_want_it_redone_get_a_recheck(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = in_progress(&fixture, 1, now).await;
    for step in [
        json!({ "command": "record_contact", "told": "5 days" }),
        json!({ "command": "reply", "text": "repaired" }),
        json!({ "command": "pass" }),
    ] {
        does(store, ticket, command(step), now).await;
    }
    plan(store, now).await;
    let call = one(store, now).await;
    let (spoken, recording) = fixture.recorded_call(77).await;
    store.attempt_dialled(call.attempt, "telecom", spoken.id, now).await.expect("written");
    for said in said_all(true).into_iter().chain([Said::Reason(recording)]) {
        store.attempt_said(call.attempt, said, now).await.expect("kept");
    }
    settle(store, call.attempt, Outcome::Complete, now).await;
    let file = store.ticket(ticket).await.expect("read").expect("there");
    assert_eq!(file.ticket.state, State::Recheck);
    assert!(file.recordings.iter().any(|found| found.id == recording), "the reason is on the ticket");
    does(store, ticket, command(json!({ "command": "uphold" })), now).await;
    for step in [json!({ "command": "reply", "text": "now" }), json!({ "command": "pass" })] {
        does(store, ticket, command(step), now).await;
    }
    plan(store, now).await;
    assert!(lease(store, now + minutes(5)).await.is_empty(), "one answered survey a day");
    let second = one(store, at("2026-11-27T01:30:00Z")).await;
    assert_eq!((second.round, second.given.has_answers()), (2, false), "a round has its own answers");
}

async fn a_visit_that_a_person_made_is_left_alone(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let ticket = closed(&fixture, 1, now).await;
    plan(store, now).await;
    let call = one(store, now).await;
    does(store, ticket, command(json!({ "command": "visited", "means": "person", "solved": "yes" })), now).await;
    assert_eq!(settle(store, call.attempt, Outcome::Busy, now).await, Settled::Now(None));
    assert_eq!(visit(store, ticket).await.state, "answered");
    assert!(lease(store, now + TimeDelta::days(1)).await.is_empty());
}

async fn answers_outlast_a_person_who_reaches_nobody(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let (told, silent) = (closed(&fixture, 1, now).await, closed(&fixture, 2, now).await);
    plan(store, now).await;
    for call in lease(store, now).await {
        if call.ticket == told {
            store.attempt_said(call.attempt, Said::Solved(Solved::No), now).await.expect("kept");
            settle(store, call.attempt, Outcome::Partial, now).await;
        } else {
            settle(store, call.attempt, Outcome::NoKey, now).await;
        }
    }
    for ticket in [told, silent] {
        does(store, ticket, command(json!({ "command": "end_visit", "because": "unreached" })), now).await;
    }
    let file = store.ticket(told).await.expect("read").expect("there");
    let visit_of = |file: &hotline::store::TicketFile| file.visits.last().map(|one| (one.state.clone(), one.solved));
    assert_eq!(visit_of(&file), Some(("answered".to_owned(), Some(Solved::No))));
    assert!(file.ticket.supervision.level.is_some(), "who is not satisfied is shown to a supervisor");
    let file = store.ticket(silent).await.expect("read").expect("there");
    assert_eq!(visit_of(&file), Some(("unreached".to_owned(), None)));
}

async fn lists_say_what_each_visit_waits_for(fixture: Fixture) {
    let (store, now) = (&fixture.store, thursday());
    let mut tickets = Vec::new();
    for number in 1..=5 {
        tickets.push(closed(&fixture, number, now + minutes(i64::from(number))).await);
    }
    let filter = VisitFilter { cities: Some(vec![City::Lhasa]), ..VisitFilter::default() };
    let first = store.planned_visits(&filter, 3, None).await.expect("listed");
    let rest = store.planned_visits(&filter, 3, first.next.as_ref()).await.expect("listed");
    let listed: Vec<Number> = first.items.iter().chain(&rest.items).map(|visit| visit.ticket).collect();
    tickets.reverse();
    assert_eq!((listed, rest.next), (tickets.clone(), None));
    assert_eq!(first.items[0].why(now).as_deref(), Some("no plan was made yet"));
    plan(store, now + minutes(10)).await;
    store.skip_visit(tickets[0], "is in hospital", &By::OPERATOR, now).await.expect("skipped");
    let tasks = VisitFilter { step: Some(VisitStep::Person), ..filter.clone() };
    let tasks = store.planned_visits(&tasks, 10, None).await.expect("listed").items;
    assert_eq!(tasks.iter().map(|visit| visit.ticket).collect::<Vec<_>>(), tickets[..1]);
    assert_eq!(tasks[0].why(now).as_deref(), Some("automatic attempts were skipped by hand"));
    let nowhere = VisitFilter { cities: Some(Vec::new()), ..VisitFilter::default() };
    assert!(store.planned_visits(&nowhere, 10, None).await.expect("listed").items.is_empty());
    let counts = store.visit_counts().await.expect("counted");
    let counts: Vec<_> = counts.iter().map(|count| (count.city, count.step, count.visits)).collect();
    let (call, person) = (Some(VisitStep::Call), Some(VisitStep::Person));
    assert_eq!(counts, [(City::Lhasa, call, 4), (City::Lhasa, person, 1)]);
}

async fn the_figures_of_a_city_count_closings_and_calls(fixture: Fixture) {
    let store = &fixture.store;
    for number in 1..=3 {
        closed(&fixture, number, thursday()).await;
    }
    plan(store, thursday()).await;
    let rings = thursday() + minutes(10);
    let calls = lease(store, rings).await;
    assert_eq!(calls.len(), 3);
    for said in said_all(false) {
        store.attempt_said(calls[0].attempt, said, rings).await.expect("kept");
    }
    settle(store, calls[0].attempt, Outcome::Complete, rings + minutes(2)).await;
    settle(store, calls[1].attempt, Outcome::NoAnswer, rings + minutes(2)).await;
    settle(store, calls[2].attempt, Outcome::LineTrouble, rings).await;
    let figures = store.visit_figures(thursday() - minutes(1)).await.expect("counted");
    let city = &figures[&calls[0].city];
    assert_eq!((city.closed, city.reached), (3, 1));
    assert_eq!((city.called, city.picked_up), (2, 1), "the line's trouble is no call");
    assert_eq!(city.first_attempt_s.first(), Some(&600));
    assert_eq!(store.visit_figures(rings).await.expect("counted").get(&calls[0].city).map(|city| city.closed), Some(0));
}
