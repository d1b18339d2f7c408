//! The service as a trunk's client: how it registers, and who gets its credentials.

use super::peer::call::Dial;
use super::peer::dialog::{Ended, Manners, challenge};
use super::peer::phone::{Incoming, Phone};
use super::peer::service::{Service, Setup, book};
use super::peer::sip::Sip;
use super::peer::time::seconds;

const REALM: &str = "trunk.test";

/// A service whose trunk is `registrar`.
fn service_of(registrar: &Phone, more: &str) -> Service {
    let trunk = format!(
        "[trunk.city]\nregistrar = \"sip:{}\"\nusername = \"ivr\"\nrealm = \"{REALM}\"\n\
         password_file = \"trunk-password\"\nexpires_s = 600\n{more}",
        registrar.address()
    );
    Setup::default().config(&trunk).file("trunk-password", "s3cret").start()
}

#[track_caller]
fn next_register(registrar: &Phone) -> Incoming {
    let register = registrar.incoming(seconds(10), |request| request.method() == Some("REGISTER"));
    register.unwrap_or_else(|| panic!("no REGISTER:\n{}", registrar.ladder()))
}

#[test]
fn a_registrar_gets_the_interval_it_wants_and_credentials_of_its_realm_alone() {
    let registrar = Phone::udp(&book());
    let service = service_of(&registrar, "");
    let first = next_register(&registrar);
    assert_eq!((first.request.header("Expires"), first.request.header("Authorization")), (Some("600"), None));
    let brief = Sip::response(&first.request, 423, "Interval Too Brief", "t1").with("Min-Expires", "1800");
    registrar.respond(&first, &brief);
    let longer = next_register(&registrar);
    assert_eq!(longer.request.header("Expires"), Some("1800"));
    registrar.respond(&longer, &challenge(&longer.request, REALM));
    let authorized = next_register(&registrar);
    let credentials = authorized.request.header("Authorization").unwrap_or_default();
    assert!(credentials.contains("username=\"ivr\"") && !credentials.contains("s3cret"), "{credentials}");
    let contact = authorized.request.header("Contact").unwrap_or_default().to_owned();
    let done = Sip::response(&authorized.request, 200, "OK", "t2").with("Contact", format!("{contact};expires=1800"));
    registrar.respond(&authorized, &done);
    service.wait_metric("hotline_trunk_registered", seconds(5), |registered| registered == 1.0);
    assert!(!service.log().contains("s3cret"));
}

/// What `/readyz` says of the trunks, and whether the service is ready.
fn trunks_of(service: &Service) -> (u16, String) {
    let (status, body) = service.get_with("/readyz", &[]);
    let ready: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    (status, ready["parts"]["trunks"]["detail"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_trunk_that_stops_answering_is_down_until_it_answers_again() {
    let peer = Phone::udp(&book());
    let trunk = format!("[trunk.city]\npeer = \"sip:{}\"\nnumber = \"12345\"\nkeep_alive_s = 1\n", peer.address());
    let sip = "allow = [\"127.0.0.1/32\"]\n[sip.agent]\nt1_ms = 20";
    let service = Setup::default().sip(sip).config(&trunk).start();
    let is_up = |up: f64| service.wait_metric("hotline_trunk_up", seconds(15), |found| found == up);
    is_up(1.0);
    assert_eq!(trunks_of(&service), (200, "all can be used".to_owned()));
    assert_eq!(service.metric("hotline_trunk_registered"), None, "there is nothing to register");
    for silence in [Some(503), None, Some(408)] {
        peer.answer_options(silence);
        is_up(0.0);
        assert_eq!(trunks_of(&service), (503, "not answering: city".to_owned()), "{silence:?}");
        // 405 is an answer: somebody works there
        peer.answer_options(Some(405));
        is_up(1.0);
        assert_eq!(trunks_of(&service).0, 200);
    }
    let ladder = peer.ladder();
    assert!(ladder.contains("<- OPTIONS"), "{ladder}");
    assert_eq!(service.log().matches("a trunk no longer answers").count(), 3, "{}", service.log());
}

/// The SIP digest leak: a caller who challenges our BYE in the trunk's own realm gets nothing to work on.
#[test]
fn a_challenged_bye_of_a_call_that_came_in_is_not_sent_again_with_credentials() {
    let phone = Phone::udp(&book());
    let service = service_of(&phone, "\n[calls]\nlongest_call_s = 1\n");
    let manners = Manners { challenges_bye: Some(REALM.to_owned()), ..Manners::default() };
    let call = phone.call(&Dial { manners, ..Dial::new(service.sip, "13989003301") });
    call.answered(seconds(5));
    assert_eq!(call.ended(seconds(20)), Ended::ByPeer);
    // what was asked after the challenge is answered after it
    let ask = phone.request("OPTIONS", &format!("sip:12345@{}", service.sip), "13989003301");
    phone.exchange(&ask, service.sip, seconds(5)).expect("an answer to OPTIONS");
    service.wait_call_over("13989003301");
    let ladder = phone.ladder();
    assert_eq!(ladder.matches("<- BYE").count(), 1, "{ladder}");
}
