//! The flow of return visits (domain.md §4), rule by rule.

use std::collections::BTreeSet;

use super::caller::{Heard, NUMBER, call, call_on, citizen, empty_store, known};
use super::visit;
use crate::digit::Digit;
use crate::ivr::{
    Action, Caller, EndedBy, Event, Features, Flow, Request, Spoken, State, Take, Utterance, Visit, VisitEnd, step,
};
use crate::language::Language;
use crate::ticket::{Contacted, Given, Outcome, Said, Satisfaction, Solved};

fn asked() -> Visit {
    Visit {
        ticket: NUMBER.parse().expect("a number"),
        language: Language::Bo,
        filed_on: "2026-11-22".parse().expect("a day"),
        confidential: false,
        given: Given::default(),
        may_leave_message: true,
        called_back: false,
    }
}

fn of(visit: Visit) -> Caller {
    Caller { visit: Some(visit), ..citizen() }
}

fn visits(visit: Visit, script: &[&str]) -> Heard {
    call_on(&super::visit(), of(visit), empty_store, script)
}

fn hears(script: &[&str]) -> Heard {
    visits(asked(), script)
}

fn said(heard: &Heard) -> Vec<Said> {
    let said = |request: &&Request| match request {
        Request::Said(Spoken::Typed(said)) => Some(*said),
        _ => None,
    };
    heard.requests().iter().filter_map(said).collect()
}

fn reasons(heard: &Heard) -> Vec<Take> {
    let reason = |request: &&Request| match request {
        Request::Said(Spoken::Reason(take)) => Some(*take),
        _ => None,
    };
    heard.requests().iter().filter_map(reason).collect()
}

fn outcome(heard: &Heard) -> Outcome {
    heard.state.visit_end().outcome
}

fn satisfaction(of: u8) -> Said {
    Said::Satisfaction(Satisfaction::new(of).expect("1-5"))
}

#[test]
fn a_satisfied_citizen_answers_three_questions() {
    insta::assert_snapshot!("visit_bo", hears(&["1", "1", "1", "1"]).transcript);
}

#[test]
fn an_unsolved_matter_is_asked_about_and_handled_again() {
    insta::assert_snapshot!("visit_unsolved_bo", hears(&["1", "3", "3", "5", "speak 9", "1"]).transcript);
}

#[test]
fn nobody_presses_a_key_in_either_language() {
    insta::assert_snapshot!("visit_silent", hears(&[]).transcript);
}

// ---- The gate

#[test]
fn the_visit_begins_in_the_tickets_language() {
    assert_eq!(hears(&["hangup"]).prompts()[..2], ["bo greet.hello", "bo greet.line"]);
    let mandarin = visits(Visit { language: Language::Zh, ..asked() }, &["hangup"]);
    assert_eq!(mandarin.prompts()[..4], ["zh greet.hello", "zh greet.line", "zh rv.purpose", "zh notice.record"]);
}

#[test]
fn a_machine_that_speaks_is_announced() {
    let features = Features { synthetic: true, ..Features::default() };
    let heard = call_on(&visit(), Caller { features, ..of(asked()) }, empty_store, &["hangup"]);
    assert_eq!(heard.said("bo notice.ai"), 1);
    assert_eq!(hears(&["hangup"]).said("bo notice.ai"), 0);
}

#[test]
fn the_call_is_kept_from_the_end_of_the_notice_on() {
    let heard = hears(&["hangup"]);
    let kept = heard.actions.iter().position(|action| *action == Action::CallRecording(true));
    let notice = heard.actions.iter().position(|action| matches!(action, Action::Enter(node) if &**node == "notice"));
    assert!(notice < kept && kept.is_some());
}

#[test]
fn each_key_of_the_gate_ends_as_it_says() {
    for (key, words, ends) in [
        ("2", "bo rv.later_ack", Outcome::Later),
        ("3", "bo rv.wrong_ack", Outcome::WrongPerson),
        ("4", "bo rv.stop_ack", Outcome::OptOut),
    ] {
        let heard = hears(&[key]);
        assert_eq!((heard.said(words), outcome(&heard)), (1, ends));
        assert_eq!(heard.state.visit_decided(), Some(ends));
        assert_eq!(said(&heard), []);
        let hung_up = hears(&[key, &format!("hangup over {}", &words[3..])]);
        assert_eq!(outcome(&hung_up), ends, "what was said counts");
    }
}

#[test]
fn seven_says_the_notice_and_the_gate_in_the_other_language() {
    let heard = hears(&["7", "1", "hangup"]);
    assert_eq!((heard.said("zh notice.record"), heard.said("zh opt.rv_start"), heard.said("zh rv.q1")), (1, 1, 1));
    assert_eq!(said(&heard), [Said::Willing]);
}

#[test]
fn a_wrong_key_at_the_gate_is_told_and_asked_again() {
    let heard = hears(&["5", "1", "hangup"]);
    assert_eq!((heard.said("bo err.invalid"), heard.entered("gate_key"), heard.entered("q1")), (1, 1, 1));
}

#[test]
fn no_key_in_eight_seconds_brings_the_other_language_once() {
    let heard = hears(&["-", "1", "hangup"]);
    assert!(heard.actions.contains(&Action::StartTimer { ms: 8_000 }));
    assert_eq!((heard.said("bo opt.rv_start"), heard.said("zh opt.rv_start")), (1, 1));
    assert_eq!(heard.said("zh rv.q1"), 1);
}

#[test]
fn a_late_key_counts_over_the_other_language() {
    let heard = hears(&["-", "1 over greet.hello", "hangup"]);
    assert_eq!((said(&heard), heard.entered("q1")), (vec![Said::Willing], 1));
}

#[test]
fn what_talks_four_seconds_on_end_and_presses_no_key_is_a_machine() {
    let heard = hears(&["talk", "-", "-"]);
    let left = VisitEnd { outcome: Outcome::Machine, message_left: true };
    assert_eq!((heard.state.visit_end(), heard.said("bo rv.vm")), (left, 1));
    let cut_off = hears(&["-", "talk", "-", "hangup over rv.vm"]);
    assert_eq!(cut_off.state.visit_end(), VisitEnd { outcome: Outcome::Machine, message_left: false });
}

#[test]
fn a_second_message_is_not_left() {
    let heard = visits(Visit { may_leave_message: false, ..asked() }, &["talk", "-", "-"]);
    assert_eq!((outcome(&heard), heard.said("bo rv.vm")), (Outcome::Machine, 0));
}

#[test]
fn who_talks_and_presses_a_key_is_no_machine() {
    assert_eq!(outcome(&hears(&["talk", "-", "7", "-", "-", "-"])), Outcome::NoKey);
    assert_eq!(outcome(&hears(&["talk", "5", "-", "-", "-"])), Outcome::NoKey);
}

#[test]
fn silence_is_no_key() {
    let heard = hears(&[]);
    assert_eq!((outcome(&heard), heard.said("bo rv.vm") + heard.said("zh rv.vm")), (Outcome::NoKey, 0));
}

#[test]
fn who_hangs_up_before_the_gate_has_hung_up() {
    assert_eq!(outcome(&hears(&["hangup over rv.purpose"])), Outcome::HungUp);
    assert_eq!(outcome(&hears(&["1", "hangup over rv.matter2"])), Outcome::HungUp);
    let (never_answered, _) = step(&visit(), State::default(), Event::HungUp);
    assert_eq!(never_answered.visit_end().outcome, Outcome::HungUp);
}

// ---- The matter

#[test]
fn the_matter_is_told_by_its_day_and_its_last_four() {
    let heard = hears(&["1", "hangup"]);
    let matter = ["bo rv.matter1", "bo date 2026-11-22", "bo rv.matter2", "bo digits 1378"];
    assert!(heard.prompts().windows(4).any(|said| said == matter), "{}", heard.transcript);
}

#[test]
fn of_a_confidential_matter_only_the_last_four_are_told() {
    let heard = visits(Visit { confidential: true, ..asked() }, &["1", "hangup"]);
    assert_eq!(
        (heard.said("bo digits 1378"), heard.said("bo date 2026-11-22"), heard.said("bo rv.matter1")),
        (1, 0, 0)
    );
}

/// Everything the flow can do, whatever is pressed, said or left out: each place with what is known in it, once.
fn walk(flow: &Flow, caller: Caller, mut look: impl FnMut(&State, &Action)) -> usize {
    let keys = "0123456789*#".chars().map(|key| Event::Digit(Digit::from_char(key).expect("a key")));
    let recorded =
        |speech_ms| Event::Recorded { ended_by: EndedBy::Silence, speech_ms, duration_ms: 9_000, take: Take(1) };
    let mut events: Vec<Event> = keys.collect();
    events.extend([Event::Played, Event::Timer, Event::LongSpeech, Event::HungUp, recorded(0), recorded(5_000)]);
    let (mut open, mut seen) = (vec![step(flow, State::default(), Event::Start(caller))], BTreeSet::new());
    while let Some((mut state, actions)) = open.pop() {
        for action in &actions {
            look(&state, action);
        }
        let mut ahead = Vec::new();
        if let Some(known) = &mut state.known {
            known.asked = 0;
            ahead.clone_from(&known.ahead);
        }
        if seen.insert(format!("{state:?} {ahead:?}")) && !state.is_over() {
            open.extend(events.iter().map(|event| step(flow, state.clone(), event.clone())));
        }
    }
    seen.len()
}

fn tells_the_matter(action: &Action) -> bool {
    let Action::Say { utterances, .. } = action else { return false };
    utterances.iter().any(|said| match said {
        Utterance::Prompt(_, id) => id.starts_with("rv.matter") || id.starts_with("rv.q"),
        Utterance::TicketNumber(..) | Utterance::Digits(..) | Utterance::Date(..) | Utterance::Phone(..) => true,
        Utterance::Count(..) | Utterance::Recording(_) | Utterance::Beep | Utterance::Pause { .. } => false,
    })
}

#[test]
fn nothing_of_the_matter_is_said_before_the_gate_whatever_is_pressed() {
    let half = Given { contacted: Some(Contacted::Late), solved: Some(Solved::No), ..Given::default() };
    for given in [Given::default(), half] {
        let mut told = 0;
        let places = walk(&visit(), of(Visit { given, ..asked() }), |state, action| {
            let willing = state.known.as_ref().is_some_and(|known| known.visited.given.willing);
            let tells = tells_the_matter(action);
            assert!(willing || !tells, "{action:?}");
            told += usize::from(tells);
        });
        assert!(places > 40 && told > 0, "{places} places were seen, {told} told the matter");
    }
}

#[test]
fn the_day_of_a_confidential_matter_is_never_said() {
    walk(&visit(), of(Visit { confidential: true, ..asked() }), |_, action| {
        let Action::Say { utterances, .. } = action else { return };
        assert!(!utterances.iter().any(|said| matches!(said, Utterance::Date(..) | Utterance::TicketNumber(..))));
    });
}

// ---- The questions

#[test]
fn each_key_is_kept_at_once_and_means_what_was_said() {
    for (script, wanted) in [
        (["1", "1", "1", "1"], [Said::Contacted(Contacted::InTime), Said::Solved(Solved::Yes), satisfaction(5)]),
        (["1", "2", "2", "2"], [Said::Contacted(Contacted::Late), Said::Solved(Solved::Partly), satisfaction(4)]),
        (["1", "3", "1", "3"], [Said::Contacted(Contacted::No), Said::Solved(Solved::Yes), satisfaction(3)]),
    ] {
        let heard = hears(&script);
        assert_eq!(said(&heard), [&[Said::Willing], &wanted[..]].concat());
        assert_eq!((outcome(&heard), heard.said("bo rv.why")), (Outcome::Complete, 0));
    }
    for (key, is) in [("4", 2), ("5", 1)] {
        let heard = hears(&["1", "1", "1", key, "speak 3", "2"]);
        assert_eq!(said(&heard)[3..], [satisfaction(is), Said::Redo(false)]);
        assert_eq!((heard.said("bo rv.noted"), heard.said("bo rv.thanks")), (1, 1));
    }
}

#[test]
fn who_is_not_satisfied_says_why_and_whether_it_is_to_be_done_again() {
    let heard = hears(&["1", "1", "3", "1", "speak 30 limit", "1"]);
    assert_eq!((reasons(&heard), said(&heard).last().copied()), (vec![Take(1)], Some(Said::Redo(true))));
    let longest = |action: &&Action| matches!(action, Action::Record { max_ms: 60_000, .. });
    assert_eq!(heard.actions.iter().filter(longest).count(), 1);
    assert_eq!((heard.said("bo rv.reopened"), outcome(&heard)), (1, Outcome::Complete));
    assert!(heard.drafts().is_empty(), "a reason is no request");
}

#[test]
fn a_reason_is_kept_when_the_line_goes_down_in_it() {
    let heard = hears(&["1", "1", "3", "1", "speak 12 hangup"]);
    assert_eq!((reasons(&heard), outcome(&heard)), (vec![Take(1)], Outcome::Complete));
}

#[test]
fn who_gives_no_reason_is_still_asked_about_doing_it_again() {
    let heard = hears(&["1", "1", "3", "1", "speak 0 silence", "1"]);
    assert_eq!((reasons(&heard), heard.said("bo rv.reopened")), (vec![], 1));
}

#[test]
fn no_answer_about_doing_it_again_is_noted() {
    let heard = hears(&["1", "1", "3", "1", "speak 3", "-", "-", "-"]);
    assert_eq!((heard.said("bo rv.noted"), outcome(&heard)), (1, Outcome::Complete));
    assert!(!said(&heard).iter().any(|said| matches!(said, Said::Redo(_))));
}

#[test]
fn a_hang_up_keeps_what_was_said() {
    let heard = hears(&["1", "2", "hangup"]);
    assert_eq!(said(&heard), [Said::Willing, Said::Contacted(Contacted::Late)]);
    assert_eq!(outcome(&heard), Outcome::Partial);
}

#[test]
fn three_wrong_or_missing_keys_end_the_survey_with_what_was_said() {
    let heard = hears(&["1", "1", "9", "0", "5", "-"]);
    assert_eq!((outcome(&heard), heard.said("bo greet.bye")), (Outcome::Partial, 1));
    assert_eq!(heard.said("bo rv.q2"), 4, "9 says it again and counts anew");
    assert_eq!(outcome(&hears(&["1", "-", "-", "-"])), Outcome::NoKey, "willing, but without an answer");
}

#[test]
fn seven_changes_the_language_of_a_question() {
    let heard = hears(&["1", "7", "1", "hangup"]);
    assert_eq!((heard.said("zh rv.q1"), heard.said("zh rv.q2")), (1, 1));
}

#[test]
fn a_survey_that_goes_on_asks_for_the_right_person_and_then_for_what_is_left() {
    let given = Given { willing: true, contacted: Some(Contacted::No), ..Given::default() };
    let heard = visits(Visit { given, ..asked() }, &["1", "1", "1"]);
    assert_eq!((heard.entered("gate"), heard.said("bo rv.q1"), heard.said("bo rv.q2")), (1, 0, 1));
    assert_eq!(outcome(&heard), Outcome::Complete);
    let at_the_gate = visits(Visit { given, ..asked() }, &["hangup"]);
    assert_eq!(outcome(&at_the_gate), Outcome::HungUp, "nothing was added");
}

#[test]
fn a_survey_that_broke_off_at_the_reason_asks_for_it() {
    let given = Given {
        willing: true,
        contacted: Some(Contacted::No),
        solved: Some(Solved::No),
        satisfaction: Satisfaction::new(3),
        ..Given::default()
    };
    let heard = visits(Visit { given, ..asked() }, &["1", "speak 4", "1"]);
    assert_eq!((reasons(&heard), said(&heard)), (vec![Take(1)], vec![Said::Willing, Said::Redo(true)]));
}

// ---- A call back

#[test]
fn who_calls_back_is_asked_whether_to_go_on_and_leaves_the_menu_for_the_survey() {
    let heard = call(of(Visit { called_back: true, ..asked() }), empty_store, &["1"]);
    insta::assert_snapshot!("visit_resume", heard.transcript);
    assert_eq!(heard.actions.last(), Some(&Action::GoOnVisiting));
}

#[test]
fn who_calls_back_for_something_else_hears_the_menu_and_is_called_later() {
    for (caller, key, menu) in [
        (of(asked()), "2", "language"),
        (of(asked()), "-", "language"),
        (Caller { visit: Some(asked()), ..known(Language::Zh) }, "5", "language_known"),
    ] {
        let heard = call(caller, empty_store, &[key, "hangup"]);
        assert_eq!((heard.entered(menu), heard.state.visit_decided()), (1, Some(Outcome::Later)));
    }
}

#[test]
fn who_calls_back_goes_on_behind_the_gate() {
    let given = Given { willing: true, contacted: Some(Contacted::No), ..Given::default() };
    let heard = visits(Visit { given, called_back: true, ..asked() }, &["1", "1"]);
    assert_eq!((heard.said("bo notice.record"), heard.entered("gate"), heard.entered("q1")), (1, 0, 0));
    assert_eq!(outcome(&heard), Outcome::Complete);
}
