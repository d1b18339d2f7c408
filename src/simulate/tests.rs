//! What a simulated year looks like.

use std::collections::BTreeMap;

use super::*;
use crate::language::Language;
use crate::ticket::{Action, Channel, State, Ticket};

fn plan(tickets: u32, days: u32, seed: u64) -> Plan {
    Plan::new(tickets, days, seed, NaiveDate::from_ymd_opt(2025, 11, 20).expect("a day")).expect("a plan")
}

fn lives(tickets: u32, days: u32, seed: u64) -> Vec<Life> {
    let world = World { calendar: Arc::new(Calendar::built_in()), limits: Default::default() };
    Simulation::new(&plan(tickets, days, seed), world).collect()
}

fn permille(part: usize, all: usize) -> usize {
    part * 1_000 / all
}

#[test]
fn one_seed_gives_the_same_lives_and_another_gives_others() {
    assert_eq!(lives(300, 20, 7), lives(300, 20, 7));
    assert_ne!(lives(300, 20, 7), lives(300, 20, 8));
}

/// Every command is one that the rules allow: a debug build asserts it at each.
#[test]
fn lives_keep_the_rules_whatever_the_seed() {
    for seed in 0..6 {
        let lives = lives(1_500, 90, seed);
        assert_eq!(lives.len(), 1_500, "seed {seed}");
        for life in &lives {
            let mut at = life.created.created_at;
            for deed in &life.deeds {
                assert!(deed.at >= at && deed.at < beijing_end(90), "{} goes back in time", life.created.number);
                at = deed.at;
            }
            assert_eq!(life.ticket().version, 1 + u32::try_from(life.deeds.len()).expect("a few"));
        }
    }
}

fn beijing_end(days: u32) -> DateTime<Utc> {
    arrivals::beijing_midnight(plan(1, days, 0).end())
}

#[test]
fn numbers_follow_one_another_in_each_city_and_day() {
    let mut last = BTreeMap::new();
    for life in lives(2_000, 10, 3) {
        let number = life.created.number;
        assert_eq!(number.day(), life.created.created_day);
        let last = last.entry((number.city(), number.day())).or_insert(0);
        *last += 1;
        assert_eq!(number.sequence(), *last);
    }
    assert_eq!(last.keys().map(|(city, _)| *city).collect::<std::collections::BTreeSet<_>>().len(), 7);
}

#[test]
fn the_year_has_the_rates_of_chamdo() {
    let lives = lives(12_000, 365, 1);
    let tickets: Vec<&Ticket> = lives.iter().map(Life::ticket).collect();
    let count = |wanted: &dyn Fn(&Ticket) -> bool| tickets.iter().filter(|ticket| wanted(ticket)).count();
    let all = tickets.len();
    let open = count(&|ticket| ticket.state.is_open() && ticket.handling.closed_at.is_none());
    assert!((1..=10).contains(&permille(open, all)), "{open} are not closed");
    let answered = count(&|ticket| ticket.visit.satisfaction.is_some());
    let satisfied = count(&|ticket| ticket.visit.satisfaction.is_some_and(|given| given.get() >= 3));
    assert!((957..=972).contains(&permille(satisfied, answered)), "{satisfied} of {answered} are satisfied");
    let phoned = count(&|ticket| ticket.channel == Channel::Phone);
    let tibetan = count(&|ticket| ticket.language == Language::Bo);
    assert!((690..=750).contains(&permille(phoned, all)) && (530..=570).contains(&permille(tibetan, all)));
    let due = lives.iter().filter(|life| contact_was_due(life)).count();
    let breached = lives.iter().filter(|life| did(life, Action::Raised, "contact_breached")).count();
    assert!((30..=110).contains(&permille(breached, due)), "{breached} of {due} were contacted late");
}

fn contact_was_due(life: &Life) -> bool {
    life.deeds.iter().any(|deed| deed.ticket.handling.contact_due_at.is_some())
}

fn did(life: &Life, action: Action, words: &str) -> bool {
    life.deeds.iter().any(|deed| deed.command.action() == action && deed.command.words() == Some(words))
}

#[test]
fn every_turn_of_a_life_is_taken_by_somebody() {
    let lives = lives(12_000, 365, 1);
    let mut states = BTreeMap::<State, u32>::new();
    let mut actions = BTreeMap::<Action, u32>::new();
    for life in &lives {
        *states.entry(life.ticket().state).or_default() += 1;
        for deed in &life.deeds {
            *actions.entry(deed.command.action()).or_default() += 1;
        }
    }
    for state in [State::Archived, State::Refused, State::Withdrawn, State::Merged, State::InProgress] {
        assert!(states.contains_key(&state), "{state}: {states:?}");
    }
    use Action::*;
    for action in [
        Edited,
        Noted,
        Answered,
        Refused,
        Dispatched,
        Signed,
        Returned,
        ReturnAccepted,
        ReturnRejected,
        Contacted,
        Asked,
        Granted,
        Denied,
        Resumed,
        Replied,
        Passed,
        Failed,
        Visited,
        VisitEnded,
        Upheld,
        Dismissed,
        Merged,
        Withdrawn,
        Reopened,
        Urged,
        Instructed,
        Transferred,
        Supervised,
        SteppedUp,
        Raised,
    ] {
        assert!(actions.contains_key(&action), "{action}: {actions:?}");
    }
}

#[test]
fn a_merged_ticket_is_visited_when_its_lead_was_closed() {
    let lives = lives(6_000, 60, 5);
    let find = |number| lives.iter().find(|life| life.created.number == number).expect("its lead is there");
    let followers: Vec<&Life> =
        lives.iter().filter(|life| life.ticket().state == State::Merged && !life.followed.is_empty()).collect();
    assert!(followers.len() > 10, "{} followers", followers.len());
    for follower in followers {
        let lead = find(follower.ticket().handling.merged_into.expect("it follows"));
        assert!(lead.created.created_at < follower.created.created_at);
        for (at, round) in &follower.followed {
            let closed = lead
                .deeds
                .iter()
                .any(|deed| deed.at == *at && deed.effects.contains(&Effect::VisitDue { round: *round }));
            assert!(closed, "{} follows nothing", follower.created.number);
        }
    }
}

#[test]
fn nobodys_telephone_rings() {
    for life in lives(500, 5, 2) {
        if let Some(phone) = &life.created.phone {
            assert!(phone.digits().starts_with("019") && phone.digits().len() == 11);
        }
    }
}

#[test]
fn a_plan_that_has_no_numbers_is_refused() {
    let from = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a day");
    assert_eq!(Plan::new(100, 0, 1, from(2026)), Err(BadPlan::Days));
    assert_eq!(Plan::new(100, 365, 1, from(1999)), Err(BadPlan::Years));
    assert_eq!(Plan::new(100, 3_660, 1, from(2095)), Err(BadPlan::Years));
    assert_eq!(Plan::new(0, 1, 1, from(2026)), Err(BadPlan::Tickets));
    assert_eq!(Plan::new(20_001, 1, 1, from(2026)), Err(BadPlan::Tickets));
    assert!(Plan::new(20_000, 1, 1, from(2026)).is_ok());
}
