//! Whole calls, as transcripts.

use super::caller::{NUMBER, StoreReplies, call, citizen, empty_store, known, withheld};
use crate::ivr::{Caller, Features, LeaderEvent, Profile, Reply, Request, Stage, Status};
use crate::language::Language;

fn shows(name: &str, caller: Caller, store: StoreReplies, script: &[&str]) {
    insta::assert_snapshot!(name, call(caller, store, script).transcript);
}

#[test]
fn a_citizen_complains_in_tibetan() {
    shows("complaint_bo", citizen(), empty_store, &["1", "1", "1", "3", "speak 42", "1", "2", "1"]);
}

#[test]
fn an_enterprise_asks_for_help_in_mandarin_with_sms() {
    let caller = Caller { features: Features { sms: true, synthetic: true, ..Features::default() }, ..citizen() };
    shows("enterprise_zh", caller, empty_store, &["2", "4", "2", "speak 42 limit", "1", "2", "2", "13908940000"]);
}

#[test]
fn a_known_caller_changes_the_language_twice_and_hangs_up_while_speaking() {
    shows("other_language", known(Language::Zh), empty_store, &["7", "7", "1", "1", "4", "speak 9 hangup"]);
}

#[test]
fn nobody_speaks() {
    shows("silent", citizen(), empty_store, &[]);
}

#[test]
fn a_caller_hears_how_far_their_request_is_and_urges_it() {
    fn store(request: &Request) -> Option<Reply> {
        Some(match request {
            Request::Latest { .. } => Reply::Found(Status {
                number: NUMBER.parse().expect("a number"),
                stage: Stage::Processing,
                due: "2026-11-27".parse().ok(),
            }),
            Request::Urge { .. } => Reply::Urged,
            _ => Reply::Failed,
        })
    }
    shows("progress_zh", known(Language::Zh), store, &["-", "2", "1"]);
}

#[test]
fn a_withheld_number_shows_that_a_ticket_is_theirs() {
    fn store(request: &Request) -> Option<Reply> {
        Some(match request {
            Request::Lookup { .. } => Reply::VerifyPhone,
            Request::Verify { last_four, .. } if last_four == "5678" => {
                Reply::Found(Status { number: NUMBER.parse().expect("a number"), stage: Stage::Closed, due: None })
            }
            Request::Verify { .. } => Reply::Mismatch,
            _ => Reply::Failed,
        })
    }
    shows("verify_bo", withheld(), store, &["1", "2", "426112201378", "1111", "5678#"]);
}

#[test]
fn a_question_is_answered_at_once() {
    shows("consult_bo", known(Language::Bo), empty_store, &["-", "3", "4", "1"]);
}

#[test]
fn a_leader_listens() {
    let event = Some(LeaderEvent { id: 7, unit: Some("unit.water".into()) });
    let caller = Caller { features: Features { event, ..Features::default() }, ..known(Language::Zh) };
    shows("event_zh", caller, empty_store, &["-", "5", "speak 20 silence", "-", "-", "-"]);
}

#[test]
fn an_emergency_is_told_the_number() {
    shows("emergency_bo", known(Language::Bo), empty_store, &["-", "6", "3", "hangup over em.dial120"]);
}

#[test]
fn a_line_that_puts_people_first_has_the_menu_as_its_overflow() {
    let caller = Caller { profile: Profile::HumanFirst, ..known(Language::Zh) };
    shows("human_first_zh", caller, empty_store, &["-", "hangup"]);
}
