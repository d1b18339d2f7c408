//! Keys and prompts: typing over, retries, the way back, and the menus beside the request.

use super::citizen::{Citizen, MANDARIN, TIBETAN};
use super::peer::service::Service;
use super::peer::signal::talk;
use super::peer::time::{millis, now, seconds};

#[test]
fn a_key_over_a_prompt_stops_it_and_counts() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001001");
    citizen.chooses(MANDARIN);
    let pressed = now();
    citizen.presses("1");
    let skipped = citizen.waits_for("who.citizen");
    assert!(skipped.len() <= 2, "the menu went on over the key: {skipped:?}");
    let heard = citizen.call.audio().heard();
    let next = heard.last().expect("just heard").at_ms;
    let after = citizen.call.audio().arrival(next).expect("it arrived").saturating_duration_since(pressed);
    assert!(after < millis(1000), "{after:?} from key to prompt");
    citizen.hangs_up();
}

#[test]
fn the_recording_notice_cannot_be_skipped() {
    let service = Service::start();
    let citizen = Citizen::calls(&service, "13989001002");
    citizen.call.hear_until("bo/greet.hello", seconds(5));
    citizen.presses("2");
    citizen.call.hear_until("zh/notice.record", seconds(5));
    citizen.presses("1");
    citizen.call.hear_until("zh/menu.head", seconds(5));
    let heard = citizen.call.audio().heard();
    let notice = heard.iter().find(|heard| format!("{:?}", heard.sound).contains("notice.record")).expect("heard");
    assert!(notice.lasted_ms >= 220, "cut after {} ms", notice.lasted_ms);
    citizen.hangs_up();
}

#[test]
fn a_wrong_key_is_told_and_the_menu_said_again() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001003");
    citizen.chooses(MANDARIN);
    citizen.presses("#");
    citizen.waits_for("err.invalid");
    citizen.waits_for("opt.report");
    citizen.presses("9");
    citizen.waits_for("menu.head");
    citizen.presses("1");
    citizen.waits_for("who.citizen");
    citizen.presses("8");
    citizen.waits_for("menu.head");
    citizen.hangs_up();
}

#[test]
fn three_silences_lead_from_the_menu_to_the_recording() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001004");
    citizen.chooses(TIBETAN);
    let skipped = citizen.waits_longer_for("beep", seconds(90));
    let count = |id: &str| skipped.iter().filter(|prompt| **prompt == citizen.prompt(id)).count();
    assert!(count("err.timeout") >= 2, "{skipped:?}");
    citizen.call.hear_silence(millis(100), seconds(5));
    citizen.call.say(talk(51, 4000));
    citizen.call.said_all(seconds(10));
    citizen.hangs_up();
    citizen.ticket(&service);
}

#[test]
fn zero_asks_for_a_person_and_is_recorded_while_there_is_none() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001005");
    citizen.chooses(MANDARIN);
    citizen.presses("0");
    let skipped = citizen.waits_longer_for("beep", seconds(30));
    assert!(skipped.contains(&"zh/q.overflow".to_owned()), "{skipped:?}");
    citizen.hangs_up();
}

#[test]
fn seven_changes_the_language() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001006");
    citizen.chooses(MANDARIN);
    citizen.presses("7");
    citizen.call.hear_until("bo/menu.head", seconds(5));
    citizen.hangs_up();
}

#[test]
fn the_latest_ticket_is_found_by_caller_id_and_urged_once_a_day() {
    let service = Service::start();
    let mut first = Citizen::calls(&service, "13989001007");
    first.chooses(MANDARIN);
    first.reports('2');
    first.records(&talk(52, 4000));
    first.submits();
    let number = first.hears_the_number();
    first.is_sent_home("tk.sla_c");
    let second = Citizen::calls(&service, "13989001007");
    second.waits_for("menu.head");
    second.presses("2");
    second.waits_for("pg.latest");
    let digits: Vec<String> = number[8..].chars().map(|digit| format!("digit.{digit}")).collect();
    second.hears(&digits.iter().map(String::as_str).collect::<Vec<_>>());
    second.hears(&["st.accepted", "st.due"]);
    second.waits_for("opt.urge");
    second.presses("1");
    second.waits_for("pg.urged");
    second.waits_for("opt.urge");
    second.presses("1");
    second.waits_for("pg.urged_already");
    second.hangs_up();
}

#[test]
fn a_question_is_answered_from_the_knowledge_base() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001008");
    citizen.chooses(MANDARIN);
    citizen.presses("3");
    citizen.waits_for("kb.head");
    citizen.presses("1");
    citizen.waits_for("kb.solved");
    citizen.hangs_up();
}

#[test]
fn an_emergency_hears_where_to_call() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989001009");
    citizen.chooses(MANDARIN);
    citizen.presses("6");
    citizen.waits_for("em.110");
    citizen.presses("1");
    citizen.waits_for("em.dial110");
    citizen.hears(&["em.dial110"]);
    citizen.hangs_up();
}
