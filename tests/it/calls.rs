//! A call becomes a ticket, or rightly does not: domain rules §2 and §3 as a caller meets them.

use super::citizen::{Citizen, MANDARIN, TIBETAN, luhn_holds};
use super::peer::call::Dial;
use super::peer::phone::Phone;
use super::peer::service::{Service, book, request_recordings};
use super::peer::signal::talk;
use super::peer::time::seconds;

/// The whole way, every prompt on it, in one language.
fn a_request_becomes_a_ticket(key: char, language: &str, number: &str) {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, number);
    citizen.chooses(key);
    citizen.reports('3');
    citizen.records(&talk(11, 4500));
    citizen.hears(&["opt.rec_submit", "press.1", "opt.rec_listen", "press.2", "opt.rec_again", "press.3"]);
    citizen.presses("1");
    citizen.waits_for("conf.ask");
    citizen.hears(&["opt.conf_yes", "press.1", "opt.conf_no", "press.2"]);
    citizen.presses("2");
    citizen.waits_for("phone.is");
    let digits: Vec<String> = number.chars().map(|digit| format!("digit.{digit}")).collect();
    citizen.hears(&digits.iter().map(String::as_str).collect::<Vec<_>>());
    citizen.hears(&["opt.phone_ok", "press.1"]);
    citizen.presses("1");
    citizen.waits_for("tk.created");
    let spoken = citizen.hears_the_number();
    citizen.is_sent_home("tk.sla_c");

    let ticket = citizen.ticket(&service);
    assert_eq!(ticket["number"], spoken.as_str(), "what was spoken is the ticket's number");
    assert!(spoken.starts_with('5') && luhn_holds(&spoken), "{spoken} of Chamdo");
    assert_eq!(ticket["city"], "chamdo");
    assert_eq!(ticket["phone"], format!("{}****{}", &number[..3], &number[7..]));
    assert_eq!(ticket["language"], language);
    assert_eq!(ticket["type"], "complaint");
    assert_eq!(ticket["requester"], "citizen");
    assert_eq!(ticket["state"], "received");
    assert_eq!(ticket["confirmed"], true);
    assert_eq!(request_recordings(&ticket)[0]["ended_by"], "key");
}

#[test]
fn a_request_in_tibetan_becomes_a_ticket() {
    a_request_becomes_a_ticket(TIBETAN, "bo", "13989000001");
}

#[test]
fn a_request_in_mandarin_becomes_a_ticket() {
    a_request_becomes_a_ticket(MANDARIN, "zh", "13989000002");
}

#[test]
fn the_greeting_is_said_in_both_languages_and_each_offers_itself() {
    let service = Service::start();
    let citizen = Citizen::calls(&service, "13989000003");
    citizen.call.hear(&["bo/greet.hello", "bo/city.chamdo", "bo/greet.line"]);
    citizen.call.hear(&["zh/greet.hello", "zh/city.chamdo", "zh/greet.line"]);
    citizen.call.hear(&["bo/lang.bo", "bo/press.1", "zh/lang.zh", "zh/press.2"]);
    citizen.call.hear(&["bo/err.timeout", "zh/err.timeout", "bo/lang.bo", "bo/press.1", "zh/lang.zh", "zh/press.2"]);
    citizen.hangs_up();
}

#[test]
fn a_known_number_is_greeted_in_its_language_and_offered_the_other() {
    let service = Service::start();
    let mut first = Citizen::calls(&service, "13989000004");
    first.chooses(TIBETAN);
    first.hangs_up();
    let second = Citizen::calls(&service, "13989000004");
    second.call.hear(&["bo/greet.hello", "bo/city.chamdo", "bo/greet.line", "zh/lang.zh"]);
    second.presses("7");
    second.call.hear_until("zh/notice.record", seconds(5));
    second.hangs_up();
}

/// Where a caller hangs up, and whether a ticket comes of it: none, unconfirmed or confirmed.
#[test]
fn a_hang_up_loses_no_request_and_makes_none_of_nothing() {
    type Walk = fn(&mut Citizen);
    fn to_recording(citizen: &mut Citizen) {
        citizen.chooses(MANDARIN);
        citizen.reports('2');
    }
    fn to_review(citizen: &mut Citizen) {
        to_recording(citizen);
        citizen.records(&talk(21, 4000));
    }
    let walks: [(&str, Walk, Option<bool>); 10] = [
        ("greeting", |citizen| citizen.call.hear(&["bo/greet.hello"]), None),
        ("language", |citizen| drop(citizen.call.hear_until("bo/press.1", seconds(10))), None),
        ("main", |citizen| citizen.chooses(MANDARIN), None),
        ("beep", to_recording, None),
        (
            "short",
            |citizen| {
                to_recording(citizen);
                citizen.call.say(talk(22, 1500));
                citizen.call.said_all(seconds(5));
            },
            None,
        ),
        (
            "recording",
            |citizen| {
                to_recording(citizen);
                citizen.call.say(talk(23, 5000));
                citizen.call.said_all(seconds(10));
            },
            Some(false),
        ),
        ("review", to_review, Some(false)),
        (
            "confidential",
            |citizen| {
                to_review(citizen);
                citizen.presses("1");
                citizen.waits_for("conf.ask");
            },
            Some(true),
        ),
        (
            "phone",
            |citizen| {
                to_review(citizen);
                citizen.presses("1");
                citizen.waits_for("conf.ask");
                citizen.presses("1");
                citizen.waits_for("phone.is");
            },
            Some(true),
        ),
        (
            "created",
            |citizen| {
                to_review(citizen);
                citizen.submits();
            },
            Some(true),
        ),
    ];
    let service = Service::start();
    std::thread::scope(|scope| {
        for (index, (place, walk, wanted)) in walks.into_iter().enumerate() {
            let service = &service;
            scope.spawn(move || {
                let mut citizen = Citizen::calls(service, &format!("1398900010{index}"));
                walk(&mut citizen);
                citizen.hangs_up();
                match wanted {
                    Some(confirmed) => {
                        let ticket = citizen.ticket(service);
                        assert_eq!(ticket["confirmed"], confirmed, "hung up at {place}");
                        assert!(!request_recordings(&ticket).is_empty(), "hung up at {place}");
                    }
                    None => {
                        service.wait_call_over(&citizen.number);
                        assert!(service.tickets(&citizen.number).is_empty(), "hung up at {place}");
                    }
                }
            });
        }
    });
}

#[test]
fn silence_at_the_review_submits() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989000005");
    citizen.chooses(MANDARIN);
    citizen.reports('1');
    citizen.records(&talk(31, 4000));
    citizen.waits_longer_for("tk.created", seconds(60));
    let spoken = citizen.hears_the_number();
    let ticket = citizen.ticket(&service);
    assert_eq!((&ticket["number"], &ticket["confirmed"]), (&spoken.into(), &false.into()));
}

#[test]
fn cancel_makes_no_ticket() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989000006");
    citizen.chooses(MANDARIN);
    citizen.reports('1');
    citizen.records(&talk(32, 4000));
    citizen.waits_for("opt.rec_submit");
    citizen.presses("8");
    citizen.waits_for("menu.head");
    citizen.hangs_up();
    service.wait_call_over(&citizen.number);
    assert!(service.tickets(&citizen.number).is_empty());
}

#[test]
fn a_withheld_number_is_asked_for_and_its_ticket_carries_what_was_typed() {
    let service = Service::start();
    let dial = Dial::new(service.sip, "anonymous").header("Privacy", "id");
    let mut citizen = Citizen::dials(Phone::udp(&book()), &dial);
    citizen.chooses(TIBETAN);
    citizen.reports('5');
    citizen.records(&talk(33, 4000));
    citizen.waits_for("opt.rec_submit");
    citizen.presses("1");
    citizen.waits_for("conf.ask");
    citizen.presses("1");
    citizen.waits_for("phone.enter");
    citizen.presses("13989000007");
    citizen.waits_for("tk.created");
    let spoken = citizen.hears_the_number();
    let ticket = service.ticket("13989000007", seconds(10), |_| true);
    assert_eq!(ticket["number"], spoken.as_str());
    assert_eq!(ticket["type"], "suggest");
    assert_eq!(ticket["confidential"], true);
}

#[test]
fn an_asserted_identity_beats_the_from_header() {
    let service = Service::start();
    let asserted = "<sip:13989000008@trunk.example>";
    let dial = Dial::new(service.sip, "13700000000").header("P-Asserted-Identity", asserted);
    let mut citizen = Citizen::dials(Phone::udp(&book()), &dial);
    citizen.chooses(MANDARIN);
    citizen.reports('6');
    citizen.records(&talk(34, 4000));
    citizen.hangs_up();
    service.ticket("13989000008", seconds(10), |ticket| ticket["type"] == "praise");
}

#[test]
fn an_enterprise_is_promised_fifteen_working_days() {
    let service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989000009");
    citizen.chooses(MANDARIN);
    citizen.presses("4");
    citizen.waits_for("type.consult");
    citizen.presses("2");
    citizen.hears_to_the_beep();
    citizen.records(&talk(35, 4000));
    citizen.submits();
    citizen.hears_the_number();
    citizen.is_sent_home("tk.sla_e");
    assert_eq!(citizen.ticket(&service)["requester"], "enterprise");
}

#[test]
fn tickets_made_at_once_have_numbers_of_their_own() {
    let service = Service::start();
    let numbers = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|index| {
                let service = &service;
                scope.spawn(move || {
                    let mut citizen = Citizen::calls(service, &format!("1398900020{index}"));
                    citizen.chooses(MANDARIN);
                    citizen.reports('1');
                    citizen.records(&talk(40 + index, 4000));
                    citizen.submits();
                    let spoken = citizen.hears_the_number();
                    assert_eq!(citizen.ticket(service)["number"], spoken.as_str());
                    spoken
                })
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("a call that went well"))
            .collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(numbers.len(), 8);
}
