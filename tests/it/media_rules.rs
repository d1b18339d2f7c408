//! Keys by every path, packets from strangers, and calls whose audio has died.

use super::citizen::{Citizen, MANDARIN};
use super::peer::call::Dial;
use super::peer::compare::{align, assert_same_sound};
use super::peer::dialog::Ended;
use super::peer::g711::Law;
use super::peer::media::{Quiet, intrude};
use super::peer::net::rtp_pair;
use super::peer::phone::Phone;
use super::peer::rtp::Press;
use super::peer::sdp::Offer;
use super::peer::service::{Service, Setup, book};
use super::peer::signal::talk;
use super::peer::time::seconds;
use super::recording::sound_of;

fn at_the_menu(dial: &Dial) -> Citizen {
    let mut citizen = Citizen::dials(Phone::udp(&book()), dial);
    citizen.chooses(MANDARIN);
    citizen
}

/// One key must lead one menu on, not two: `1` at the main menu is the menu who, where another `1` would lead to type.
#[track_caller]
fn counts_once(citizen: &Citizen) {
    citizen.waits_for("who.citizen");
    citizen.hears(&["press.1", "who.enterprise", "press.2"]);
    citizen.hangs_up();
}

#[test]
fn a_telephone_event_counts_once_whatever_was_lost_or_doubled() {
    let service = Service::start();
    let presses = [
        Press { lost_marker: true, ..Press::default() },
        Press { lost_ends: true, ..Press::default() },
        Press { duplicated: true, ..Press::default() },
        Press { lost_marker: true, lost_ends: true, duplicated: true, ..Press::default() },
        Press { ms: 40, ..Press::default() },
        Press { ms: 900, ..Press::default() },
    ];
    std::thread::scope(|scope| {
        for (index, press) in presses.into_iter().enumerate() {
            let service = &service;
            scope.spawn(move || {
                let citizen = at_the_menu(&Dial::new(service.sip, &format!("1398900400{index}")));
                citizen.call.press_as("1", press);
                counts_once(&citizen);
            });
        }
    });
}

#[test]
fn two_quick_presses_of_one_key_are_two() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004010"));
    citizen.presses("11");
    citizen.waits_for("type.consult");
    citizen.hangs_up();
}

#[test]
fn info_keys_count() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004011"));
    citizen.call.info_key('1');
    counts_once(&citizen);
}

#[test]
fn the_same_key_by_event_and_info_counts_once() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004012"));
    citizen.presses("1");
    citizen.call.info_key('1');
    counts_once(&citizen);
}

#[test]
fn in_band_keys_count_where_telephone_event_was_not_agreed() {
    let service = Service::start();
    let offer = Offer { telephone_event: None, ..Offer::default() };
    let citizen = Citizen::dials(Phone::udp(&book()), &Dial::new(service.sip, "13989004013").offer(offer));
    citizen.call.hear_until("bo/greet.hello", seconds(5));
    citizen.call.press_in_band("2");
    citizen.call.hear_until("zh/menu.head", seconds(10));
    citizen.call.press_in_band("1");
    counts_once(&citizen);
}

#[test]
fn in_band_keys_do_not_count_where_telephone_event_was_agreed() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004014"));
    citizen.call.press_in_band("1");
    citizen.waits_for("opt.report");
    citizen.hears(&["press.1", "opt.progress", "press.2"]);
    citizen.hangs_up();
}

#[test]
fn rtp_from_elsewhere_is_neither_recorded_nor_answered() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004015"));
    citizen.reports('2');
    let said = talk(81, 5000);
    citizen.call.say(said.clone());
    let target = citizen.call.description().expect("answered").audio;
    let loopback = "127.0.0.1".parse().expect("an address");
    let (stranger, _) = rtp_pair(loopback);
    let forged = talk(82, 4000);
    assert_eq!(intrude(&stranger, target, Law::A, &forged), 0, "the stranger hears nothing");
    citizen.call.said_all(seconds(10));
    assert_eq!(citizen.call.audio().strangers(), 0);
    citizen.hangs_up();
    let sound = sound_of(&service, &citizen.ticket(&service));
    assert_same_sound(&said, &sound, 4900);
    assert!(align(&forged, &sound).correlation < 0.3);
}

#[test]
fn a_call_whose_audio_died_is_ended_and_its_request_kept() {
    let service = Setup::default().config("[media.session]\nrtp_timeout_ms = 4000").start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004016"));
    citizen.reports('2');
    citizen.call.say(talk(83, 4000));
    citizen.call.said_all(seconds(10));
    citizen.call.audio().quiet(Quiet::Nothing);
    citizen.call.audio().send_reports(None);
    assert_eq!(citizen.call.ended(seconds(15)), Ended::ByPeer);
    citizen.ticket(&service);
}

#[test]
fn reports_tell_the_truth_about_our_stream() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004017"));
    let report = citizen.call.audio().wait_report(seconds(12)).expect("a receiver report about our stream");
    assert_eq!((report.lost, report.fraction_lost), (0, 0), "{report:?}");
    assert!(report.highest_sequence & 0xFFFF_0000 <= 0x1_0000, "{report:?}");
    citizen.hangs_up();
}

#[test]
fn hold_stops_our_audio_and_resume_brings_it_back() {
    let service = Service::start();
    let citizen = at_the_menu(&Dial::new(service.sip, "13989004018"));
    let inactive = Offer { direction: "inactive", ..Offer::default() };
    assert_eq!(citizen.call.reinvite(inactive).status(), Some(200));
    let before = citizen.call.audio().packets();
    assert!(!citizen.call.audio().wait_packets(before + 25, seconds(1)), "audio although the call is on hold");
    citizen.call.resume();
    let before = citizen.call.audio().packets();
    assert!(citizen.call.audio().wait_packets(before + 25, seconds(3)), "no audio after the hold");
    citizen.hangs_up();
}
