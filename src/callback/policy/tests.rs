//! The policy's promises, over many closings with a seeded behaviour.

use proptest::prelude::*;

use super::*;
use crate::ticket::calendar::{Announcement, Scope};
use crate::ticket::{Contacted, Said};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// As a person in Beijing reads it.
fn there(at: DateTime<Utc>) -> String {
    format!("{} {}", beijing_day(at), beijing_time(at).format("%H:%M"))
}

fn phone() -> Phone {
    Phone::parse("13800000001").expect("a phone")
}

/// A visit under way.
struct Visit {
    config: Config,
    calendar: Calendar,
    city: City,
    closed_at: DateTime<Utc>,
    phone: Option<Phone>,
    shielded: bool,
    tried: Vec<Tried>,
    given: Given,
    sms_at: Option<DateTime<Utc>>,
    opted_out: bool,
    number: Use,
    gateway: bool,
}

/// Closed on Thursday, 26 November 2026, at 10:00.
fn visit() -> Visit {
    Visit {
        config: Config::default(),
        calendar: Calendar::built_in(),
        city: City::Lhasa,
        closed_at: at("2026-11-26T02:00:00Z"),
        phone: Some(phone()),
        shielded: false,
        tried: Vec::new(),
        given: Given::default(),
        sms_at: None,
        opted_out: false,
        number: Use::default(),
        gateway: true,
    }
}

impl Visit {
    fn policy(&self) -> Policy<'_> {
        Policy { config: &self.config, calendar: &self.calendar, gateway: self.gateway }
    }

    fn next(&self, now: DateTime<Utc>) -> Next {
        let history = History {
            city: self.city,
            closed_at: self.closed_at,
            phone: self.phone.as_ref(),
            shielded: self.shielded,
            tried: &self.tried,
            given: self.given,
            sms_at: self.sms_at,
            opted_out: self.opted_out,
            number: &self.number,
        };
        self.policy().after(&history, now)
    }

    fn tried(&mut self, at: DateTime<Utc>, outcome: Outcome) {
        let tried = Tried { way: Way::Call, at, outcome };
        self.tried.push(tried);
        if tried.counts() {
            self.number.called.push(at);
        }
        match outcome {
            Outcome::Unknown => self.number.unknown = Some(at),
            Outcome::OptOut => self.opted_out = true,
            Outcome::Partial => self.given.hear(Said::Contacted(Contacted::Late)),
            _ => {}
        }
        if matches!(outcome, Outcome::Partial | Outcome::Complete) {
            self.number.answered.push(at);
        }
    }

    /// When the next call is and why not earlier, or what comes instead.
    fn plan(&self, now: &str) -> String {
        match self.next(at(now)) {
            Next::Call { at, held } => format!("call {} {held}", there(at)),
            Next::Sms { at, held } => format!("sms {} {held}", there(at)),
            Next::Reply { until } => format!("reply {}", there(until)),
            Next::Final { at } => format!("final {}", there(at)),
            Next::Person { because } => format!("person {because}"),
            Next::Answered => "answered".to_owned(),
            Next::NoPhone => "no phone".to_owned(),
        }
    }
}

#[test]
fn the_first_call_is_due_at_once_inside_a_window() {
    let visit = visit();
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "call 2026-11-26 10:00 due");
    assert_eq!(visit.plan("2026-11-26T05:00:00Z"), "call 2026-11-26 15:30 window");
    assert_eq!(visit.plan("2026-11-26T04:29:31Z"), "call 2026-11-26 15:30 window", "it would ring past 12:30");
    assert_eq!(visit.plan("2026-11-26T13:00:00Z"), "call 2026-11-27 09:30 window");
    let by = visit.policy().first_by(City::Lhasa, visit.closed_at);
    assert_eq!(there(by), "2026-11-27 23:59");
}

#[test]
fn attempts_lie_four_hours_and_a_half_day_apart() {
    let mut visit = visit();
    visit.tried(at("2026-11-26T04:00:00Z"), Outcome::NoAnswer);
    assert_eq!(visit.plan("2026-11-26T04:01:00Z"), "call 2026-11-26 16:00 apart");
    visit.tried(at("2026-11-26T08:00:00Z"), Outcome::Busy);
    assert_eq!(visit.plan("2026-11-26T08:01:00Z"), "call 2026-11-27 09:30 half_day");
    visit.tried(at("2026-11-27T01:30:00Z"), Outcome::Machine);
    assert_eq!(visit.plan("2026-11-27T01:31:00Z"), "sms 2026-11-27 09:31 due");
}

#[test]
fn two_attempts_to_a_number_hold_back_the_first_of_another_ticket() {
    let mut visit = visit();
    visit.number.called = vec![at("2026-11-26T01:50:00Z")];
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "call 2026-11-26 15:30 apart", "four hours after that one");
    visit.config.apart_minutes = 0;
    visit.number.called.push(at("2026-11-26T01:30:00Z"));
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "call 2026-11-27 09:30 number_cap");
}

#[test]
fn one_survey_a_day_is_answered() {
    let mut visit = visit();
    visit.number.answered = vec![at("2026-11-26T01:40:00Z")];
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "call 2026-11-27 09:30 surveyed");
}

#[test]
fn after_an_unknown_end_the_number_is_left_alone() {
    let mut visit = visit();
    visit.config.apart_minutes = 0;
    visit.config.cool_down_minutes = 600;
    visit.tried(at("2026-11-26T02:00:00Z"), Outcome::Unknown);
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "call 2026-11-27 09:30 cool_down");
    let other = Visit { number: visit.number.clone(), config: visit.config.clone(), ..super::tests::visit() };
    assert_eq!(other.plan("2026-11-26T09:00:00Z"), "call 2026-11-27 09:30 cool_down", "for its other tickets too");
}

#[test]
fn line_trouble_is_not_the_requesters_and_ends() {
    let mut visit = visit();
    let mut now = at("2026-11-26T02:00:00Z");
    for _ in 0..5 {
        visit.tried(now, Outcome::LineTrouble);
        let Next::Call { at, held } = visit.next(now) else { panic!("a call") };
        assert_eq!((at - now, held), (TimeDelta::minutes(15), Held::LineTrouble));
        now = at;
    }
    assert!(visit.number.called.is_empty());
    visit.tried(now, Outcome::LineTrouble);
    assert_eq!(visit.next(now), Next::Person { because: Because::LinesFailed });
}

#[test]
fn what_needs_a_person_ends_all_calling() {
    for (outcome, because) in [
        (Outcome::NoKey, Because::NoKey),
        (Outcome::WrongPerson, Because::WrongPerson),
        (Outcome::BadNumber, Because::BadNumber),
        (Outcome::Undialable, Because::Undialable),
    ] {
        let mut visit = visit();
        visit.tried(at("2026-11-26T02:00:00Z"), outcome);
        assert_eq!(visit.next(at("2026-11-26T02:01:00Z")), Next::Person { because });
    }
}

#[test]
fn who_wants_no_calls_gets_an_sms_or_a_person() {
    let mut visit = visit();
    visit.tried(at("2026-11-26T02:00:00Z"), Outcome::OptOut);
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "sms 2026-11-26 10:01 due");
    assert_eq!(visit.plan("2026-11-26T05:00:00Z"), "sms 2026-11-26 15:30 window");
    visit.shielded = true;
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "person opted_out", "nothing secret by SMS");
    visit.shielded = false;
    visit.gateway = false;
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "person opted_out");
    visit.gateway = true;
    visit.phone = Phone::parse("08916323111");
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "person opted_out");
}

#[test]
fn an_sms_is_waited_for_until_the_end_of_a_working_day() {
    let mut visit = visit();
    visit.opted_out = true;
    visit.sms_at = Some(at("2026-11-27T02:00:00Z"));
    assert_eq!(visit.plan("2026-11-27T02:00:00Z"), "reply 2026-11-30 23:59");
    assert_eq!(visit.plan("2026-11-30T16:00:00Z"), "person opted_out");
}

#[test]
fn some_answers_become_final_when_nobody_calls_back() {
    let mut visit = visit();
    visit.config.attempts = 1;
    visit.tried(at("2026-11-26T02:00:00Z"), Outcome::Partial);
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "final 2026-11-28 10:00");
    visit.config.attempts = 3;
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "call 2026-11-27 09:30 surveyed", "the survey goes on");
    visit.given.hear(Said::Solved(crate::ticket::Solved::Yes));
    visit.given.hear(Said::Satisfaction(crate::ticket::Satisfaction::new(4).expect("1 to 5")));
    assert_eq!(visit.plan("2026-11-26T02:01:00Z"), "answered");
}

#[test]
fn without_a_phone_nobody_is_called() {
    assert_eq!(Visit { phone: None, ..visit() }.plan("2026-11-26T02:00:00Z"), "no phone");
}

#[test]
fn calls_that_are_off_are_made_by_people() {
    let mut visit = visit();
    visit.config.calls = false;
    visit.gateway = false;
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "person calls_off");
    visit.config.calls = true;
    visit.config.windows.clear();
    assert_eq!(visit.plan("2026-11-26T02:00:00Z"), "person no_window");
}

/// Losar 2026 begins on 18 February.
#[test]
fn nobody_is_called_at_losar() {
    let visit = Visit { closed_at: at("2026-02-14T12:30:00Z"), ..visit() };
    assert_eq!(
        visit.plan("2026-02-14T12:30:00Z"),
        "call 2026-02-27 09:30 quiet_day",
        "the holiday lasts until the 26th"
    );
    let mut configured = Visit { calendar: Calendar::new([]), ..visit };
    assert_eq!(configured.plan("2026-02-18T02:00:00Z"), "call 2026-02-18 10:00 due");
    configured.config.quiet_days = (18..=20).filter_map(|day| NaiveDate::from_ymd_opt(2026, 2, day)).collect();
    assert_eq!(configured.plan("2026-02-18T02:00:00Z"), "call 2026-02-21 09:30 quiet_day");
}

#[test]
fn an_announced_day_off_moves_the_plan() {
    let mut visit = visit();
    let friday = NaiveDate::from_ymd_opt(2026, 11, 27).expect("a day");
    assert_eq!(visit.plan("2026-11-26T13:00:00Z"), "call 2026-11-27 09:30 window");
    let off = Announcement::new(Scope::City(City::Lhasa), 2026, [friday], []).expect("a day");
    visit.calendar.replace(off);
    assert_eq!(visit.plan("2026-11-26T13:00:00Z"), "call 2026-11-28 09:30 quiet_day");
    visit.city = City::Ngari;
    assert_eq!(visit.plan("2026-11-26T13:00:00Z"), "call 2026-11-27 09:30 window");
    visit.city = City::Lhasa;
    visit.config.call_on_days_off = true;
    assert_eq!(visit.plan("2026-11-26T13:00:00Z"), "call 2026-11-27 09:30 window");
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    use Outcome::*;
    let each = proptest::sample::select(vec![
        Partial,
        Busy,
        NoAnswer,
        Declined,
        LineTrouble,
        Machine,
        HungUp,
        Later,
        OptOut,
        Unknown,
        NoKey,
        WrongPerson,
        Complete,
    ]);
    proptest::collection::vec(each, 12)
}

/// Sets of settings that differ in what the promises are about.
fn configs() -> impl Strategy<Value = Config> {
    (1..5_u32, 0..600_u32, 1..4_u32, 0..600_u32, any::<bool>()).prop_map(|(attempts, apart, calls, cool_down, off)| {
        Config {
            attempts,
            apart_minutes: apart,
            calls_a_number_a_day: calls,
            cool_down_minutes: cool_down,
            call_on_days_off: off,
            quiet_days: (1..=28).step_by(5).filter_map(|day| NaiveDate::from_ymd_opt(2026, 2, day)).collect(),
            ..Config::default()
        }
    })
}

proptest! {
    /// Whatever the requester does, every call keeps the rules and the visit comes to its end.
    #[test]
    fn every_call_keeps_the_rules_and_every_visit_ends(
        config in configs(),
        minute in 0..525_600_i64,
        waits in proptest::collection::vec(0..2_000_i64, 12),
        outcomes in outcomes(),
        gateway in any::<bool>(),
    ) {
        let mut visit = Visit { config, gateway, ..visit() };
        visit.closed_at = at("2025-12-31T16:00:00Z") + TimeDelta::minutes(minute);
        let mut now = visit.closed_at;
        let mut steps = outcomes.into_iter().zip(waits);
        let mut calls: Vec<Tried> = Vec::new();
        loop {
            match visit.next(now) {
                Next::Call { at, .. } => {
                    prop_assert!(at >= now);
                    // the dialer comes late and asks again
                    let (outcome, wait) = steps.next().expect("no more than twelve calls");
                    now = at + TimeDelta::minutes(wait);
                    let Next::Call { at, .. } = visit.next(now) else { panic!("time alone ends no calling") };
                    now = at;
                    let day = beijing_day(now);
                    let windows = visit.config.windows_of(visit.city, day);
                    prop_assert!(windows.iter().any(|window| window.takes(beijing_time(now), visit.config.ring())));
                    prop_assert!(!visit.policy().is_quiet(visit.city, day));
                    let counted: Vec<&Tried> = calls.iter().filter(|tried| tried.counts()).collect();
                    prop_assert!(counted.len() < visit.config.attempts as usize);
                    prop_assert!(counted.iter().all(|tried| now - tried.at >= visit.config.apart()));
                    prop_assert!(counted.iter().all(|tried| visit.policy().half_day(tried.at) != visit.policy().half_day(now)));
                    let today = counted.iter().filter(|tried| beijing_day(tried.at) == day).count();
                    prop_assert!(today < visit.config.calls_a_number_a_day as usize);
                    let unknown = calls.iter().rfind(|tried| tried.outcome == Outcome::Unknown);
                    prop_assert!(unknown.is_none_or(|tried| now - tried.at >= visit.config.cool_down()));
                    let answered = |tried: &Tried| matches!(tried.outcome, Outcome::Partial | Outcome::Complete);
                    prop_assert!(calls.iter().all(|tried| beijing_day(tried.at) != day || !answered(tried)));
                    if outcome == Outcome::Complete {
                        visit.given.hear(Said::Contacted(Contacted::InTime));
                    }
                    visit.tried(now, outcome);
                    calls.push(*visit.tried.last().expect("just made"));
                }
                Next::Sms { at, .. } => {
                    prop_assert!(visit.gateway && at >= now && !visit.policy().is_quiet(visit.city, beijing_day(at)));
                    now = at;
                    prop_assert!(visit.sms_at.replace(now).is_none(), "one SMS a round");
                }
                Next::Reply { until } => {
                    prop_assert!(until > now);
                    now = until;
                }
                Next::Final { .. } | Next::Answered => {
                    prop_assert!(visit.given.has_answers());
                    break;
                }
                Next::Person { .. } => break,
                Next::NoPhone => panic!("there is one"),
            }
        }
    }
}
