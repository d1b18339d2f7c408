//! The rules of a call, one sentence each.

use super::caller::{NUMBER, call, call_on, citizen, empty_store, known, withheld};
use super::{INBOUND, inbound, topics};
use crate::digit::Digit;
use crate::ivr::{
    Action, Caller, EndedBy, Event, Features, Flow, Profile, Reply, Request, Stage, State, Status, Take, step,
};
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{RequestType, Requester};

/// A known Mandarin speaker at the beep, having chosen a complaint.
const TO_BEEP: [&str; 4] = ["-", "1", "1", "3"];

fn speaks(moves: &[&str]) -> super::caller::Heard {
    speaks_to(empty_store, moves)
}

fn speaks_to(store: super::caller::StoreReplies, moves: &[&str]) -> super::caller::Heard {
    call(known(Language::Zh), store, &[&TO_BEEP, moves].concat())
}

fn store_away(request: &Request) -> Option<Reply> {
    match request {
        Request::Latest { .. } => Some(Reply::Failed),
        _ => None,
    }
}

fn status(stage: Stage) -> Reply {
    Reply::Found(Status { number: NUMBER.parse().expect("a number"), stage, due: None })
}

// ---- Languages and notices

#[test]
fn an_unknown_caller_is_greeted_in_tibetan_and_then_in_mandarin() {
    let heard = call(citizen(), empty_store, &["hangup"]);
    let greeting = ["bo greet.hello", "bo city.nyingchi", "bo greet.line", "zh greet.hello", "zh city.nyingchi"];
    assert_eq!(heard.prompts()[..5], greeting);
    assert_eq!(heard.prompts()[6..10], ["bo lang.bo", "bo press.1", "zh lang.zh", "zh press.2"]);
}

#[test]
fn three_silences_at_the_language_mean_mandarin() {
    let heard = call(citizen(), empty_store, &["-", "-", "-", "hangup"]);
    assert_eq!(heard.said("zh menu.head"), 1);
    assert!(heard.requests().is_empty(), "a language nobody chose is not remembered");
}

#[test]
fn zero_at_the_language_asks_for_a_person_and_the_recording_is_still_announced() {
    let heard = call(citizen(), empty_store, &["0", "speak 12 hangup"]);
    assert_eq!(heard.nodes()[2..6], ["language", "mandarin_agent", "agent_recorded", "agent"]);
    assert_eq!((heard.said("zh notice.record"), heard.said("zh q.overflow")), (1, 1));
    assert_eq!(heard.draft().takes, [Take(1)]);
}

#[test]
fn a_known_caller_hears_one_greeting_and_the_other_language_on_seven() {
    let heard = call(known(Language::Bo), empty_store, &["-", "hangup"]);
    assert_eq!(heard.prompts()[3..5], ["zh lang.zh", "zh press.7"]);
    assert_eq!((heard.said("zh greet.hello"), heard.said("bo greet.hello")), (0, 1));
}

#[test]
fn a_choice_of_language_is_remembered_unless_the_number_is_withheld() {
    let heard = call(citizen(), empty_store, &["1", "hangup"]);
    assert!(matches!(heard.requests()[..], [Request::RememberLanguage { language: Language::Bo, .. }]));
    assert!(call(withheld(), empty_store, &["1", "hangup"]).requests().is_empty());
}

#[test]
fn keys_over_the_recording_notice_are_dropped_and_over_the_greeting_are_kept() {
    let heard = call(citizen(), empty_store, &["1 over greet.line", "3 over notice.record", "hangup"]);
    assert_eq!(heard.said("bo lang.bo"), 0, "the key came before the question");
    assert_eq!((heard.said("bo menu.head"), heard.entered("consult")), (1, 0));
}

#[test]
fn the_whole_call_is_kept_from_the_end_of_the_notice_on() {
    let heard = call(citizen(), empty_store, &["2", "hangup"]);
    let at = |wanted: &dyn Fn(&Action) -> bool| heard.actions.iter().position(wanted).expect("it happens");
    let notice = at(&|action| matches!(action, Action::Enter(node) if &**node == "notice"));
    let kept = at(&|action| *action == Action::CallRecording(true));
    let next = at(&|action| matches!(action, Action::Enter(node) if &**node == "notice_more"));
    assert!(notice < next && next < kept);
}

#[test]
fn a_machines_voice_is_announced_while_there_is_one() {
    let synthetic = Caller { features: Features { synthetic: true, ..Features::default() }, ..citizen() };
    assert_eq!(call(synthetic, empty_store, &["2", "hangup"]).said("zh notice.ai"), 1);
    assert_eq!(call(citizen(), empty_store, &["2", "hangup"]).said("zh notice.ai"), 0);
}

// ---- Menus

#[test]
fn each_key_of_the_main_menu_leads_where_it_says() {
    for (key, node) in [
        ("1", "who"),
        ("2", "progress"),
        ("3", "consult"),
        ("4", "type"),
        ("6", "emergency"),
        ("7", "switch"),
        ("0", "agent"),
    ] {
        let heard = call(known(Language::Zh), empty_store, &["-", key]);
        assert_eq!(heard.entered(node).min(1), 1, "{key}");
    }
}

#[test]
fn the_leaders_event_is_offered_only_while_it_is_open() {
    let heard = call(known(Language::Zh), empty_store, &["-", "5", "hangup"]);
    assert_eq!((heard.said("zh opt.leader"), heard.said("zh err.invalid"), heard.entered("event")), (0, 1, 0));
}

#[test]
fn nine_says_the_menu_again_and_counts_as_no_miss() {
    let heard = call(known(Language::Zh), empty_store, &["-", "-", "-", "9", "-", "-", "1", "hangup"]);
    assert_eq!((heard.said("zh menu.head"), heard.entered("who")), (6, 1));
}

#[test]
fn nine_says_the_languages_and_an_answer_to_a_question_again() {
    assert_eq!(call(citizen(), empty_store, &["9", "hangup"]).said("zh lang.zh"), 2);
    assert_eq!(call(known(Language::Bo), empty_store, &["9", "hangup"]).said("zh lang.zh"), 2);
    assert_eq!(call(known(Language::Bo), empty_store, &["-", "3", "1", "9", "hangup"]).said("bo kb.solved"), 2);
}

#[test]
fn eight_goes_back() {
    let heard = call(known(Language::Zh), empty_store, &["-", "1", "8", "3", "8", "6", "8", "hangup"]);
    assert_eq!(heard.entered("main"), 4);
}

#[test]
fn star_and_pound_are_no_choices() {
    let heard = call(known(Language::Zh), empty_store, &["-", "*", "#", "1", "hangup"]);
    assert_eq!((heard.said("zh err.invalid"), heard.entered("who")), (2, 1));
}

#[test]
fn three_wrong_keys_lead_to_a_recording() {
    let heard = call(known(Language::Zh), empty_store, &["-", "8", "8", "8", "speak 5 hangup"]);
    assert_eq!((heard.said("zh err.invalid"), heard.said("zh q.overflow")), (3, 1));
    assert_eq!(heard.draft().request_type, None);
}

#[test]
fn a_key_after_the_last_timeout_began_still_counts() {
    let heard = call(known(Language::Zh), empty_store, &["-", "-", "-", "-", "3 over err.timeout", "hangup"]);
    assert_eq!((heard.entered("consult"), heard.entered("agent")), (1, 0));
}

#[test]
fn the_first_key_has_six_seconds_and_the_next_four() {
    let heard = call(withheld(), empty_store, &["2", "2", "4261", "hangup"]);
    let timers = heard.actions.iter().filter_map(|action| match action {
        Action::StartTimer { ms } => Some(*ms),
        _ => None,
    });
    assert_eq!(timers.collect::<Vec<_>>(), [6_000, 6_000, 6_000, 4_000, 4_000, 4_000, 4_000]);
    let heard = call(known(Language::Bo), empty_store, &["-", "hangup"]);
    let first = heard.actions.iter().find(|action| matches!(action, Action::StartTimer { .. }));
    assert_eq!(first, Some(&Action::StartTimer { ms: 6_000 }), "a known caller has them too");
}

#[test]
fn the_menu_is_the_overflow_of_a_line_that_puts_people_first() {
    let caller = Caller { profile: Profile::HumanFirst, ..known(Language::Bo) };
    let heard = call(caller, empty_store, &["-", "1", "hangup"]);
    assert_eq!((heard.said("bo q.overflow"), heard.entered("who")), (1, 1));
}

// ---- Recording

#[test]
fn less_than_three_seconds_of_speech_is_asked_for_again_twice() {
    let heard = speaks(&["speak 2", "speak 0 silence", "speak 2", "hangup over q.overflow"]);
    assert_eq!((heard.said("zh rec.short"), heard.said("zh rec.silence"), heard.entered("agent")), (1, 1, 1));
    assert!(heard.drafts().is_empty());
}

#[test]
fn who_never_speaks_is_dismissed_politely() {
    let heard = speaks(&[]);
    assert_eq!(heard.said("zh q.overflow"), 2);
    assert_eq!(heard.prompts().last().map(String::as_str), Some("zh greet.bye"));
    assert!(heard.drafts().is_empty());
}

#[test]
fn a_hang_up_while_speaking_makes_a_ticket_of_three_seconds_or_more() {
    for (said, tickets) in [("speak 3 hangup", 1), ("speak 2 hangup", 0)] {
        let heard = speaks(&[said]);
        assert_eq!(heard.drafts().len(), tickets, "{said}");
        assert!(heard.drafts().iter().all(|draft| !draft.confirmed && draft.request_type.is_some()));
    }
}

#[test]
fn a_recording_that_runs_full_says_so() {
    assert_eq!(speaks(&["speak 180 limit", "hangup"]).said("zh rec.limit"), 1);
}

#[test]
fn a_key_over_the_introduction_goes_straight_to_the_beep() {
    let heard = speaks(&["5 over rec.intro", "speak 4", "hangup"]);
    assert_eq!((heard.said("beep"), heard.draft().speech_ms), (2, 4_000));
}

#[test]
fn the_key_that_ends_a_recording_is_no_choice() {
    let heard = speaks(&["speak 4", "-", "hangup"]);
    assert_eq!((heard.entered("review"), heard.said("zh err.invalid")), (1, 0));
}

// ---- Review

#[test]
fn timeout_in_the_review_submits_and_says_the_number() {
    let heard = speaks(&["speak 4"]);
    assert!(!heard.draft().confirmed);
    assert_eq!(heard.said(&format!("zh ticket {NUMBER}")), 2);
}

#[test]
fn a_hang_up_anywhere_after_the_recording_submits_once() {
    let later: [&[&str]; 6] = [
        &["hangup over rec.review"],
        &["hangup"],
        &["1", "hangup"],
        &["1", "2", "hangup"],
        &["1", "2", "2", "139", "hangup"],
        &["1", "2", "1", "hangup over tk.created"],
    ];
    for moves in later {
        let heard = speaks(&[&["speak 4"], moves].concat());
        assert_eq!(heard.draft().confirmed, moves[0] == "1", "{moves:?}");
    }
}

#[test]
fn a_second_recording_takes_the_place_of_the_first_once_it_is_long_enough() {
    assert_eq!(speaks(&["speak 4", "3", "speak 7", "1", "2", "1"]).draft().takes, [Take(2)]);
    assert_eq!(speaks(&["speak 4", "3", "speak 2 hangup"]).draft().takes, [Take(1)]);
    assert_eq!(speaks(&["speak 4", "3", "speak 9 hangup"]).draft().takes, [Take(2)]);
}

#[test]
fn additions_follow_the_first_recording_six_at_most() {
    let heard = speaks(&["speak 4", "4", "speak 2", "4", "speak 3 hangup"]);
    assert_eq!((&heard.draft().takes[..], heard.draft().speech_ms), (&[Take(1), Take(2), Take(3)][..], 9_000));
    let many = ["4", "speak 2", "4", "speak 2", "4", "speak 2", "4", "speak 2", "4", "speak 2", "4", "hangup"];
    let heard = speaks(&[&["speak 4"], &many[..]].concat());
    assert_eq!((heard.draft().takes.len(), heard.said("zh err.invalid")), (6, 1));
}

#[test]
fn listening_again_plays_what_was_recorded() {
    let heard = speaks(&["speak 4", "2", "hangup"]);
    assert_eq!(heard.said("recording [1]"), 2);
}

#[test]
fn a_cancelled_request_makes_no_ticket() {
    let heard = speaks(&["speak 4", "8", "hangup"]);
    assert_eq!((heard.drafts().len(), heard.said("zh tk.cancelled")), (0, 1));
    let heard = speaks(&["speak 4", "8", "1", "2", "2", "speak 5", "1", "2", "1"]);
    assert_eq!((heard.draft().requester, &heard.draft().takes[..]), (Requester::Enterprise, &[Take(2)][..]));
}

#[test]
fn who_asks_for_a_person_after_recording_keeps_what_was_said() {
    for (moves, confirmed) in [(&["0"][..], false), (&["1", "0"], true), (&["1", "2", "0"], true)] {
        let heard = speaks(&[&["speak 4"], moves].concat());
        assert_eq!((&heard.draft().takes[..], heard.draft().confirmed), (&[Take(1)][..], confirmed), "{moves:?}");
        assert_eq!(heard.said("zh tk.created"), 1);
    }
    let heard = call(known(Language::Zh), empty_store, &["-", "6", "0", "speak 5 hangup"]);
    assert_eq!((heard.entered("agent"), heard.drafts().len()), (1, 1));
}

// ---- Confidential, phone, number

#[test]
fn only_the_reviews_timeout_submits_at_once() {
    for answer in [["-", "-", "-"], ["7", "7", "7"]] {
        let heard = speaks(&[&["speak 4", "1"], &answer[..], &["2", "13900000000"]].concat());
        assert_eq!((heard.entered("phone_is"), &heard.draft().phone), (1, &Phone::parse("13900000000")));
    }
}

#[test]
fn only_a_report_of_wrongdoing_is_confidential_without_an_answer() {
    for (key, request_type) in [("3", RequestType::Complaint), ("4", RequestType::Report)] {
        for (answer, confidential) in [("-", key == "4"), ("1", true), ("2", false)] {
            let moves = ["-", "1", "1", key, "speak 4", "1", answer, "hangup"];
            let heard = call(known(Language::Bo), empty_store, &moves);
            assert_eq!((heard.draft().request_type, heard.draft().confidential), (Some(request_type), confidential));
        }
    }
}

#[test]
fn another_number_takes_the_caller_ids_place_and_both_are_kept() {
    let heard = speaks(&["speak 4", "1", "2", "2", "08946321111"]);
    assert_eq!(heard.draft().phone, Phone::parse("08946321111"));
    assert_eq!(heard.draft().other_phone, Phone::parse("13812345678"));
    assert_eq!(heard.said("zh phone 13812345678"), 1);
}

#[test]
fn a_number_must_be_a_mobile_or_a_landline_with_its_area_code() {
    let heard = speaks(&["speak 4", "1", "2", "2", "28912345678", "1390000#", "23456789012"]);
    assert_eq!((heard.said("zh phone.invalid"), heard.said("zh err.invalid")), (3, 0));
    assert_eq!((&heard.draft().phone, &heard.draft().other_phone), (&Phone::parse("13812345678"), &None));
}

#[test]
fn a_withheld_number_is_asked_for_after_the_fraud_notice() {
    let heard = call(withheld(), empty_store, &["2", "1", "1", "3", "speak 4", "1", "2"]);
    let asked = heard.prompts().iter().position(|said| said == "zh phone.enter").expect("it is asked");
    assert_eq!(heard.prompts()[asked - 1], "zh notice.antifraud");
    assert_eq!(heard.draft().phone, None);
    assert_eq!(heard.said("zh tk.contact1h"), 0, "nobody can be called within the hour");
}

#[test]
fn the_number_is_said_over_any_key() {
    let heard = speaks(&["speak 4", "1", "2", "1", "8 over tk.created", "0 over tk.contact1h"]);
    assert_eq!(heard.said(&format!("zh ticket {NUMBER}")), 2);
    assert_eq!(heard.nodes().last(), Some(&"end"));
}

#[test]
fn a_landline_is_promised_no_sms() {
    let features = Features { sms: true, ..Features::default() };
    for (phone, said) in [("13812345678", 1), ("08946321111", 0)] {
        let caller = Caller { features: features.clone(), phone: Phone::parse(phone), ..known(Language::Zh) };
        let heard = call(caller, empty_store, &[&TO_BEEP[..], &["speak 4", "1", "2", "1"]].concat());
        assert_eq!(heard.said("zh tk.sms"), said, "{phone}");
    }
}

#[test]
fn a_store_that_is_away_is_waited_for_five_seconds_and_asked_once() {
    let heard = speaks_to(store_away, &["speak 4", "1", "2", "1"]);
    assert!(heard.actions.contains(&Action::StartTimer { ms: 5_000 }));
    assert_eq!((heard.drafts().len(), heard.said("zh tk.failed"), heard.said("zh greet.bye")), (1, 1, 1));
}

// ---- Progress, consult, emergency

#[test]
fn an_unknown_ticket_may_be_typed_again_but_not_for_ever() {
    let wrong = ["-", "2", NUMBER, NUMBER, NUMBER, "hangup"];
    let heard = call(known(Language::Zh), empty_store, &wrong);
    assert_eq!((heard.said("zh pg.notfound"), heard.said("zh pg.verifyfail"), heard.entered("main")), (2, 1, 2));
}

#[test]
fn a_mistyped_ticket_number_never_reaches_the_store() {
    let heard = call(withheld(), empty_store, &["2", "2", "426112201379", "hangup"]);
    assert_eq!(heard.said("zh pg.notfound"), 1);
    assert!(heard.requests().is_empty());
}

#[test]
fn three_wrong_last_fours_end_in_the_main_menu() {
    fn store(request: &Request) -> Option<Reply> {
        Some(if matches!(request, Request::Lookup { .. }) { Reply::VerifyPhone } else { Reply::Mismatch })
    }
    let heard = call(withheld(), store, &["2", "2", NUMBER, "1111", "2222", "3333", "hangup"]);
    assert_eq!((heard.said("zh pg.verifyfail"), heard.said("zh pg.locked")), (2, 1));
    assert_eq!((heard.entered("main"), heard.entered("status")), (2, 0));
}

#[test]
fn a_locked_caller_hears_nothing_about_the_ticket() {
    fn store(_: &Request) -> Option<Reply> {
        Some(Reply::Locked)
    }
    let heard = call(withheld(), store, &["2", "2", NUMBER, "hangup"]);
    assert_eq!((heard.said("zh pg.locked"), heard.entered("status"), heard.entered("main")), (1, 0, 2));
}

#[test]
fn only_an_open_ticket_can_be_urged_and_a_missing_date_is_not_said() {
    fn open(request: &Request) -> Option<Reply> {
        Some(if matches!(request, Request::Urge { .. }) { Reply::AlreadyUrged } else { status(Stage::Assigned) })
    }
    fn closed(_: &Request) -> Option<Reply> {
        Some(status(Stage::Closed))
    }
    let heard = call(known(Language::Zh), open, &["-", "2", "1"]);
    assert_eq!((heard.said("zh pg.urged_already"), heard.said("zh st.due")), (1, 0));
    let heard = call(known(Language::Zh), closed, &["-", "2", "1"]);
    assert_eq!((heard.said("zh opt.urge"), heard.said("zh err.invalid")), (0, 1));
}

#[test]
fn progress_without_a_store_says_so_and_goes_back() {
    let heard = call(known(Language::Zh), store_away, &["-", "2", "hangup"]);
    assert_eq!((heard.said("zh err.system"), heard.entered("main")), (1, 2));
}

#[test]
fn an_answer_that_does_not_help_becomes_a_recorded_question() {
    let heard = call(known(Language::Bo), empty_store, &["-", "3", "6", "2", "speak 6", "1", "2", "1"]);
    assert_eq!(heard.draft().request_type, Some(RequestType::Consult));
    assert_eq!(heard.said("bo kbans.work"), 1);
}

fn one_topic(request: &Request) -> Option<Reply> {
    let topic = topics()[3].clone();
    Some(if matches!(request, Request::Consult { .. }) { Reply::Topics(vec![topic]) } else { Reply::Failed })
}

#[test]
fn the_store_says_what_the_consult_menu_offers() {
    let heard = call(known(Language::Zh), one_topic, &["-", "3", "2", "1", "1"]);
    assert_eq!((heard.said("zh kb.traffic"), heard.said("zh kb.social")), (2, 0), "once more after a wrong key");
    assert_eq!((heard.said("zh err.invalid"), heard.said("zh kbans.traffic")), (1, 1));
    assert!(heard.requests().contains(&&Request::DirectAnswer { topic: "about-traffic".into() }));
}

#[test]
fn the_consult_menu_of_the_program_is_there_while_the_store_is_away() {
    let heard = call(known(Language::Zh), store_away, &["-", "3", "6", "hangup"]);
    assert_eq!((heard.said("zh kb.social"), heard.said("zh kbans.work")), (1, 1));
}

#[test]
fn a_city_without_answers_records_the_question() {
    fn none(request: &Request) -> Option<Reply> {
        Some(if matches!(request, Request::Consult { .. }) { Reply::Topics(Vec::new()) } else { Reply::Failed })
    }
    let heard = call(known(Language::Zh), none, &["-", "3", "hangup"]);
    assert_eq!((heard.said("zh kb.head"), heard.entered("agent")), (0, 1));
}

#[test]
fn a_flow_may_name_its_answers_itself() {
    let fixed = INBOUND.replace(
        r#"{ key = 1, topic = 1, to = "topic" }"#,
        r#"{ key = 1, say = "kb.work", to = "solved", set = { topic = "work" } }"#,
    );
    let flow = Flow::parse(&fixed, "fixed.toml").expect("a flow");
    let heard = call_on(&flow, known(Language::Zh), one_topic, &["-", "3", "1", "1"]);
    assert_eq!(heard.said("zh kb.work"), 1);
    assert!(heard.requests().contains(&&Request::DirectAnswer { topic: "work".into() }));
}

#[test]
fn who_has_an_emergency_is_told_twice_to_dial_and_may_then_record() {
    let heard = call(known(Language::Zh), empty_store, &["-", "6", "2", "speak 5 hangup"]);
    assert_eq!((heard.said("zh notice.emergency"), heard.said("zh em.dial119")), (1, 2));
    assert_eq!(heard.drafts().len(), 1);
}

// ---- Whatever comes

/// Events as letters: `p` played, `t` timer, a figure is a key.
fn after(events: &str) -> State {
    let flow = inbound();
    let start = step(&flow, State::default(), Event::Start(known(Language::Zh))).0;
    events.chars().fold(start, |state, event| step(&flow, state, letter(event)).0)
}

fn letter(event: char) -> Event {
    match event {
        'p' => Event::Played,
        't' => Event::Timer,
        key => Event::Digit(Digit::from_char(key).expect("a key")),
    }
}

/// At the main menu, its choices being said.
const AT_MAIN: &str = "pptpp";

#[test]
fn a_late_answer_of_the_store_is_ignored() {
    let flow = inbound();
    let answer = || Event::Answer { ask: 1, reply: status(Stage::Processing) };
    let asked = after(&format!("{AT_MAIN}2"));
    assert_ne!(step(&flow, asked.clone(), answer()).0, asked, "in time it counts");
    let timed_out = step(&flow, asked, Event::Timer).0;
    assert_eq!(step(&flow, timed_out.clone(), answer()), (timed_out, Vec::new()));
}

#[test]
fn a_hang_up_before_the_recording_has_ended_waits_for_it() {
    let flow = inbound();
    let (state, actions) = step(&flow, after(&format!("{AT_MAIN}0pp")), Event::HungUp);
    assert_eq!((actions, state.is_over()), (vec![Action::StopRecord], false));
    let recorded = Event::Recorded { ended_by: EndedBy::HangUp, speech_ms: 3_000, duration_ms: 3_100, take: Take(1) };
    let (state, actions) = step(&flow, state, recorded);
    assert!(matches!(&actions[1], Action::Ask { request: Request::Submit(draft), .. } if draft.takes == [Take(1)]));
    assert!(state.is_over() && state.has_submitted());
}

#[test]
fn keys_typed_while_the_store_is_asked_count_for_the_next_question() {
    let flow = inbound();
    let asked = after(&format!("{AT_MAIN}2"));
    let typed = ['1', '#'].into_iter().filter_map(Digit::from_char).map(Event::Digit);
    let asked = typed.fold(asked, |state, event| step(&flow, state, event).0);
    let (_, actions) = step(&flow, asked, Event::Answer { ask: 1, reply: status(Stage::Processing) });
    assert!(actions.iter().any(|action| matches!(action, Action::Ask { request: Request::Urge { .. }, .. })));
}

fn shows_part_of(text: &str, number: &str) -> bool {
    number.as_bytes().windows(4).any(|run| text.contains(str::from_utf8(run).expect("digits")))
}

#[test]
fn what_a_caller_types_can_not_be_read_from_a_debug_text() {
    let typed = "1390894000";
    let (to_phone, to_ticket) = (format!("{AT_MAIN}0pp"), format!("{AT_MAIN}2"));
    let flow = inbound();
    let recorded = Event::Recorded { ended_by: EndedBy::Key, speech_ms: 4_000, duration_ms: 4_000, take: Take(1) };
    let state = step(&flow, after(&to_phone), recorded).0;
    let at_phone = "p1p2p2p".chars().fold(state, |state, event| step(&flow, state, letter(event)).0);
    let asked = step(&flow, after(&to_ticket), Event::Answer { ask: 1, reply: Reply::NotFound }).0;
    for (state, place) in [(at_phone, "phone"), (asked, "ticket")] {
        let state = typed.chars().fold(state, |state, key| step(&flow, state, letter(key)).0);
        assert!(state.is_collecting(&flow), "{place}: {state:?}");
        let text = format!("{state:?}");
        assert!(!shows_part_of(&text, typed) && text.contains("typed: **********,"), "{place}: {text}");
    }
    let (number, caller) = (NUMBER.parse().expect("a number"), Phone::parse("13812345678"));
    let lookup = Request::Lookup { number, caller: caller.clone() };
    let verify = Request::Verify { number, last_four: "5678".to_owned(), caller };
    for text in [format!("{lookup:?}"), format!("{verify:?}")] {
        assert!(!shows_part_of(&text, NUMBER) && !shows_part_of(&text, "13812345678"), "{text}");
    }
}

#[test]
fn a_key_is_part_of_a_number_where_one_is_asked_for_next() {
    let flow = inbound();
    assert!(!after("").is_collecting(&flow), "a key over the greeting is a choice");
    assert!(!after(AT_MAIN).is_collecting(&flow));
    assert!(after(&format!("{AT_MAIN}2")).is_collecting(&flow), "typed while the store is asked");
}

#[test]
fn every_prompt_of_the_flow_is_in_the_manifest_and_spoken() {
    let manifest: toml::Table = include_str!("../../../prompts/manifest.toml").parse().expect("a manifest");
    for (language, id) in inbound().prompts() {
        let entry = id.split('.').try_fold(&manifest, |table, part| table.get(part)?.as_table());
        let text = entry.and_then(|entry| entry.get(language.code())?.get("text")?.as_str());
        assert!(text.is_some_and(|text| text != "-"), "{id} in {language}: {text:?}");
    }
}

#[test]
fn a_flow_may_be_changed_without_a_word_of_code() {
    let changed = INBOUND.replace(r#""rec.review", "{recording}""#, r#""{recording}", "{pause 300}", "rec.review""#);
    let flow = Flow::parse(&changed, "changed.toml").expect("a flow");
    let heard = call_on(&flow, known(Language::Zh), empty_store, &[&TO_BEEP[..], &["speak 4", "hangup"]].concat());
    let said = heard.prompts();
    let played = said.iter().position(|said| said == "recording [1]").expect("it is played");
    assert_eq!(said[played + 1..played + 3], ["pause 300 ms", "zh rec.review"]);
}

#[test]
fn a_menu_without_words_waits_at_once() {
    let changed = INBOUND.replace(r#"say = "{other_language}", to = "remember""#, r#"to = "remember""#);
    let flow = Flow::parse(&changed, "changed.toml").expect("a flow");
    let heard = call_on(&flow, known(Language::Zh), empty_store, &["7", "hangup"]);
    assert_eq!((heard.said("bo lang.bo"), heard.said("bo menu.head")), (0, 1));
}
