//! SIP as a peer sees it: who is answered, with what, and what is repeated.

use super::citizen::{Citizen, MANDARIN};
use super::peer::call::Dial;
use super::peer::dialog::{Ended, Manners};
use super::peer::phone::{Phone, Settings};
use super::peer::sdp::Offer;
use super::peer::service::{Service, Setup, book};
use super::peer::signal::talk;
use super::peer::sip::{Sip, parameter};
use super::peer::time::{millis, seconds};

/// The final status of a request outside a dialog.
fn status(phone: &Phone, service: &Service, request: &Sip) -> Option<u16> {
    phone.exchange(request, service.sip, seconds(5)).and_then(|response| response.status())
}

fn uri(service: &Service) -> String {
    format!("sip:12345@{}", service.sip)
}

#[test]
fn requests_outside_a_dialog_get_the_answer_their_method_earns() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let ask = |method: &str| phone.request(method, &uri(&service), "13989003001");
    let contact = |request: Sip| request.with("Contact", format!("<sip:a@{}>", phone.address()));
    let options = phone.exchange(&ask("OPTIONS"), service.sip, seconds(5)).expect("an answer to OPTIONS");
    assert_eq!(options.status(), Some(200));
    assert!(options.header("Allow").is_some_and(|allow| allow.contains("INVITE")), "{options:?}");
    let register = phone.exchange(&contact(ask("REGISTER")), service.sip, seconds(5)).expect("an answer to REGISTER");
    assert_eq!((register.status(), register.header("Allow").is_some()), (Some(405), true));
    assert_eq!(status(&phone, &service, &ask("FROBNICATE")), Some(501));
    assert_eq!(status(&phone, &service, &ask("BYE")), Some(481));
    assert_eq!(status(&phone, &service, &ask("UPDATE")), Some(481));
    assert_eq!(status(&phone, &service, &ask("CANCEL")), Some(481));
}

#[test]
fn an_invite_that_cannot_be_served_is_told_why() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let invite = || {
        let contact = format!("<sip:a@{}>", phone.address());
        phone.request("INVITE", &uri(&service), "13989003002").with("Contact", contact)
    };
    let at = "127.0.0.1:40000".parse().expect("an address");
    let sdp = Offer::default().text(at, 1);
    let required = phone.exchange(&invite().with("Require", "teleport"), service.sip, seconds(5)).expect("an answer");
    assert_eq!((required.status(), required.header("Unsupported")), (Some(420), Some("teleport")));
    let html = invite().with_body("text/html", "<p>hello</p>");
    assert_eq!(status(&phone, &service, &html), Some(415));
    let g729 = Offer { codecs: vec![18], ..Offer::default() }.text(at, 1);
    assert_eq!(status(&phone, &service, &invite().with_body("application/sdp", g729)), Some(488));
    let multicast = sdp.replace("IN IP4 127.0.0.1", "IN IP4 224.2.1.1/127");
    assert_eq!(status(&phone, &service, &invite().with_body("application/sdp", multicast)), Some(488));
    let broken = invite().with_body("application/sdp", "this is no session");
    assert!(matches!(status(&phone, &service, &broken), Some(400 | 488)));
    let timer = invite().with("Supported", "timer").with("Session-Expires", "30").with_body("application/sdp", sdp);
    let small = phone.exchange(&timer, service.sip, seconds(5)).expect("an answer");
    assert_eq!((small.status(), small.header("Min-SE").is_some()), (Some(422), true));
}

#[test]
fn our_own_rtp_port_in_an_offer_is_refused() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let loops = format!("127.0.0.1:{}", service.rtp_ports.0 + 10).parse().expect("an address");
    let invite = phone
        .request("INVITE", &uri(&service), "13989003003")
        .with("Contact", format!("<sip:a@{}>", phone.address()))
        .with_body("application/sdp", Offer::default().text(loops, 1));
    assert_eq!(status(&phone, &service, &invite), Some(488));
}

#[test]
fn unknown_networks_get_no_answer_at_all() {
    let service = Service::start();
    let stranger = Settings { address: "127.0.0.2".parse().expect("an address"), ..Settings::new(&book()) };
    let phone = Phone::start(stranger);
    assert_eq!(status(&phone, &service, &phone.request("OPTIONS", &uri(&service), "13989003004")), None);
    let friend = Phone::udp(&book());
    assert_eq!(status(&friend, &service, &friend.request("OPTIONS", &uri(&service), "13989003004")), Some(200));
}

#[test]
fn an_empty_list_of_networks_denies_all() {
    let (service, phone) = (Setup::default().sip("allow = []").start(), Phone::udp(&book()));
    assert_eq!(status(&phone, &service, &phone.request("OPTIONS", &uri(&service), "13989003005")), None);
}

#[test]
fn a_full_service_is_busy_and_takes_the_next_call_when_one_ended() {
    let service = Setup::default().environment("HOTLINE__CALLS__MAX_CALLS", "2").start();
    let first = Citizen::calls(&service, "13989003006");
    let second = Citizen::calls(&service, "13989003007");
    let phone = Phone::udp(&book());
    let third = phone.call(&Dial::new(service.sip, "13989003008"));
    assert_eq!(third.ended(seconds(5)), Ended::Refused(486));
    first.hangs_up();
    service.wait_call_over("13989003006");
    let fourth = Citizen::calls(&service, "13989003009");
    fourth.hangs_up();
    second.hangs_up();
}

#[test]
fn draining_refuses_new_calls_and_lets_running_ones_finish() {
    let mut service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989003010");
    citizen.chooses(MANDARIN);
    service.terminate();
    service.wait_draining();
    let phone = Phone::udp(&book());
    let call = phone.call(&Dial::new(service.sip, "13989003011"));
    let refused = call.final_response(seconds(5)).expect("a final response");
    assert_eq!(refused.status(), Some(503));
    assert!(refused.header("Retry-After").is_some(), "{refused:?}");
    citizen.reports('1');
    citizen.records(&talk(71, 4000));
    citizen.submits();
    citizen.hears_the_number();
    citizen.is_sent_home("tk.sla_c");
    let status = service.exit(seconds(10)).expect("the last call over, the service ends");
    assert!(status.success(), "{status}\n{}", service.log());
}

#[test]
fn a_call_that_outlasts_the_drain_hears_goodbye_and_keeps_its_request() {
    let mut service = Setup::default().environment("HOTLINE__DRAIN_TIMEOUT_S", "1").start();
    let mut citizen = Citizen::calls(&service, "13989003021");
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    citizen.call.say(talk(75, 4000));
    citizen.call.said_all(seconds(10));
    service.terminate();
    citizen.waits_for("greet.bye");
    assert_eq!(citizen.call.ended(seconds(10)), Ended::ByPeer);
    let status = service.exit(seconds(10)).expect("the last call over, the service ends");
    assert!(status.success(), "{status}\n{}", service.log());
    service.begin();
    citizen.ticket(&service);
}

#[test]
fn a_flood_of_calls_is_refused_above_the_limit_and_leaves_nothing_behind() {
    let service = Setup::default().environment("HOTLINE__CALLS__MAX_CALLS", "4").start();
    let phone = Phone::udp(&book());
    let calls: Vec<_> =
        (0..40).map(|index| phone.call(&Dial::new(service.sip, &format!("139890031{index:02}")))).collect();
    let statuses: Vec<_> =
        calls.iter().map(|call| call.final_response(seconds(10)).and_then(|response| response.status())).collect();
    let count = |wanted: u16| statuses.iter().filter(|status| **status == Some(wanted)).count();
    assert_eq!((count(200), count(486)), (4, 36), "{statuses:?}");
    drop(calls);
    service.wait_metric("hotline_media_calls", seconds(10), |calls| calls == 0.0);
    Citizen::calls(&service, "13989003199").hangs_up();
}

#[test]
fn the_same_call_by_two_ways_is_482_and_the_first_goes_on() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let manners = Manners { acknowledges: false, ..Manners::default() };
    let call = phone.call(&Dial { manners, ..Dial::new(service.sip, "13989003022") });
    call.answered(seconds(5));
    let mut merged = call.invite();
    let branch = merged.branch();
    let via = merged.headers.iter_mut().find(|(name, _)| name == "Via").expect("an INVITE has one");
    via.1 = via.1.replace(&branch, "z9hG4bKanotherway");
    assert_eq!(status(&phone, &service, &merged), Some(482));
    call.acknowledge();
    call.hear_until("bo/greet.hello", seconds(5));
    call.hang_up();
}

#[test]
fn a_body_beyond_all_measure_is_413() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let invite = phone
        .request("INVITE", &uri(&service), "13989003023")
        .with("Contact", format!("<sip:a@{}>", phone.address()))
        .with_body("application/sdp", "a=x\r\n".repeat(4000));
    assert_eq!(status(&phone, &service, &invite), Some(413));
}

#[test]
fn a_second_signal_ends_the_calls_and_keeps_what_was_said() {
    let mut service = Service::start();
    let mut citizen = Citizen::calls(&service, "13989003012");
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    citizen.call.say(talk(72, 5000));
    citizen.call.said_all(seconds(10));
    service.terminate();
    service.wait_draining(); // two signals at once may count as one
    service.terminate();
    assert_eq!(citizen.call.ended(seconds(10)), Ended::ByPeer);
    service.exit(seconds(10)).expect("it ends");
    service.begin();
    citizen.ticket(&service);
}

#[test]
fn a_lost_ack_repeats_the_200_and_the_late_ack_ends_it() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let manners = Manners { acknowledges: false, ..Manners::default() };
    let call = phone.call(&Dial { manners, ..Dial::new(service.sip, "13989003013") });
    call.answered(seconds(5));
    assert!(call.wait_repeated_answer(seconds(3)), "{}", call.trace());
    call.acknowledge();
    call.hear_until("bo/greet.hello", seconds(5));
    let repeats = call.repeated_answers();
    call.hear_until("zh/greet.line", seconds(10));
    assert_eq!(call.repeated_answers(), repeats, "the 200 comes on although it was acknowledged");
    call.hang_up();
}

#[test]
fn a_retransmitted_invite_is_one_call() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let call = phone.call(&Dial::new(service.sip, "13989003014"));
    call.answered(seconds(5));
    phone.send_bytes(&call.invite().bytes(), service.sip);
    call.hear_until("zh/greet.line", seconds(10));
    call.hang_up();
    service.wait_call_over("13989003014");
    assert_eq!(service.calls("13989003014").len(), 1);
}

#[test]
fn cancel_ends_a_call_whichever_comes_first() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    for index in 0..10 {
        let call = phone.call(&Dial::new(service.sip, &format!("1398900301{index}")));
        let ended = call.cancel();
        assert!(matches!(ended, Ended::Refused(487) | Ended::ByUs), "{ended:?}\n{}", call.trace());
    }
}

#[test]
fn an_invite_without_an_offer_is_answered_with_one() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    let mut citizen = Citizen::dials(phone, &Dial { offer: None, ..Dial::new(service.sip, "13989003015") });
    citizen.chooses(MANDARIN);
    citizen.reports('1');
    citizen.records(&talk(73, 4000));
    citizen.hangs_up();
    citizen.ticket(&service);
}

#[test]
fn a_caller_who_requires_reliable_responses_is_answered_and_gets_no_other() {
    let service = Service::start();
    let dial = Dial::new(service.sip, "13989003016").header("Require", "100rel");
    let citizen = Citizen::dials(Phone::udp(&book()), &dial);
    citizen.call.hear_until("bo/greet.hello", seconds(5));
    assert_eq!(citizen.call.provisional(), [100], "{}", citizen.phone.ladder());
    citizen.hangs_up();
}

#[test]
fn a_session_timer_is_agreed_and_our_refresh_keeps_it() {
    let service = Service::start();
    let dial = Dial::new(service.sip, "13989003017")
        .header("Supported", "timer")
        .header("Session-Expires", "90;refresher=uac");
    let citizen = Citizen::dials(Phone::udp(&book()), &dial);
    let answer = citizen.call.final_response(seconds(5)).expect("answered");
    let expires = answer.header("Session-Expires").expect("the timer is agreed");
    assert_eq!(parameter(expires, "refresher").as_deref(), Some("uac"));
    let update = citizen.call.request("UPDATE").with("Session-Expires", "90;refresher=uac").with("Supported", "timer");
    assert_eq!(citizen.call.transact(&update).status(), Some(200));
    citizen.hangs_up();
}

#[test]
fn requests_in_a_dialog_that_must_not_move_the_call_do_not() {
    let service = Service::start();
    let citizen = Citizen::calls(&service, "13989003018");
    let refer = citizen.call.request("REFER").with("Refer-To", "<sip:evil@127.0.0.1:9>");
    let refused = citizen.call.transact(&refer).status().unwrap_or_default();
    assert!((400..700).contains(&refused), "REFER got {refused}");
    let unknown = citizen.call.transact(&citizen.call.request("FROBNICATE"));
    assert_eq!(unknown.status(), Some(501));
    assert_eq!(citizen.call.transact(&citizen.call.request("OPTIONS")).status(), Some(200));
    citizen.call.hear_until("zh/greet.line", seconds(10));
    citizen.hangs_up();
}

#[test]
fn a_call_over_tcp_goes_the_whole_way() {
    let service = Service::start();
    let phone = Phone::tcp(&book(), service.sip);
    let mut citizen = Citizen::dials(phone, &Dial::new(service.sip, "13989003019"));
    citizen.chooses(MANDARIN);
    citizen.reports('1');
    citizen.records(&talk(74, 4000));
    citizen.submits();
    let spoken = citizen.hears_the_number();
    citizen.is_sent_home("tk.sla_c");
    assert_eq!(citizen.ticket(&service)["number"], spoken.as_str());
}

#[test]
fn rubbish_is_survived() {
    let (service, phone) = (Service::start(), Phone::udp(&book()));
    for rubbish in [&b""[..], b"\r\n\r\n", b"\0\0\0\0", b"INVITE", b"INVITE sip:a SIP/2.0\r\n\r\n", &[0xFF; 3000]] {
        phone.send_bytes(rubbish, service.sip);
    }
    let citizen = Citizen::calls(&service, "13989003020");
    citizen.call.hear_until("bo/greet.hello", seconds(5));
    citizen.hangs_up();
    assert!(!citizen.call.wait_repeated_answer(millis(10)));
}
