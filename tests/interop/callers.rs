//! Foreign callers at the service: they type, talk and hang up in each state, and what they said is what is kept.

use super::baresip::Baresip;
use super::linphone::Linphone;
use super::peer::compare::assert_same_sound;
use super::peer::service::{Service, book, request_recordings};
use super::peer::signal::{silence, talk};
use super::peer::time::seconds;
use super::peer::wav::Wav;
use super::sipp::Sipp;

/// How much of a recording must be there, in milliseconds, of `said`.
#[track_caller]
fn assert_kept(service: &Service, number: &str, said: &[i16], least_ms: usize) {
    let ticket = service.ticket(number, seconds(10), |_| true);
    let id = request_recordings(&ticket)[0]["id"].as_str().expect("an id").to_owned();
    let sound = Wav::mono(&service.recording(&id)).unwrap_or_else(|fault| panic!("{fault}"));
    assert_same_sound(said, &sound, least_ms);
}

fn uri(service: &Service) -> String {
    format!("sip:12345@{}", service.sip)
}

fn sipp_makes_a_ticket(tcp: bool, number: &str) {
    let (service, said) = (Service::start(), talk(101, 4500));
    let mut sipp = Sipp::call("request.xml", service.sip, number, tcp, &said);
    sipp.succeeds(seconds(40));
    assert_kept(&service, number, &said, 4300);
    let ticket = service.ticket(number, seconds(5), |_| true);
    assert_eq!((&ticket["type"], &ticket["language"]), (&"complaint".into(), &"bo".into()));
}

#[test]
fn sipp_makes_a_ticket_over_udp() {
    sipp_makes_a_ticket(false, "13989007001");
}

#[test]
fn sipp_makes_a_ticket_over_tcp() {
    sipp_makes_a_ticket(true, "13989007002");
}

#[test]
fn sipp_hangs_up_as_soon_as_it_is_answered() {
    let service = Service::start();
    Sipp::call("hang_up.xml", service.sip, "13989007003", false, &[]).succeeds(seconds(20));
    service.wait_call_over("13989007003");
    assert!(service.tickets("13989007003").is_empty());
}

/// baresip's talk begins with the call: the walk to the beep takes some seconds of it, the rest is recorded.
#[test]
fn baresip_makes_a_ticket_and_hears_its_number() {
    let (service, said, book) = (Service::start(), talk(102, 40_000), book());
    let mut baresip = Baresip::caller(said.clone());
    baresip.dial(&uri(&service));
    for (prompt, key) in
        [("bo/greet.hello", "1"), ("bo/menu.head", "1"), ("bo/who.citizen", "1"), ("bo/type.consult", "2")]
    {
        baresip.hears(&book, prompt, seconds(10));
        baresip.press(key);
    }
    baresip.hears(&book, "beep", seconds(10));
    baresip.hears_on(5000, seconds(10));
    baresip.press("#");
    for (prompt, key) in [("bo/opt.rec_submit", "1"), ("bo/conf.ask", "2"), ("bo/phone.is", "1")] {
        baresip.hears(&book, prompt, seconds(20));
        baresip.press(key);
    }
    baresip.event("CALL_CLOSED", seconds(30));
    assert_kept(&service, "13989001234", &said, 4500);
    let number = service.tickets("13989001234")[0]["number"].as_str().expect("a number").to_owned();
    let spoken =
        baresip.heard_names(&book).into_iter().filter_map(|name| name.strip_prefix("bo/digit.").map(str::to_owned));
    let spoken: String = spoken.collect();
    assert!(spoken.ends_with(&format!("{number}{number}")), "{spoken} was heard, {number} is the ticket");
}

#[test]
fn baresip_hangs_up_in_each_state() {
    let (service, book) = (Service::start(), book());
    let walk = [
        ("bo/greet.hello", "2"),
        ("zh/menu.head", "1"),
        ("zh/who.citizen", "1"),
        ("zh/type.consult", "4"),
        ("beep", "#"),
        ("zh/opt.rec_submit", "1"),
        ("zh/conf.ask", "1"),
        ("zh/phone.is", "1"),
        ("zh/tk.created", ""),
    ];
    std::thread::scope(|scope| {
        for states in 1..=walk.len() {
            let (service, book, walk) = (&service, &book, &walk);
            scope.spawn(move || {
                let number = format!("1398900720{states}");
                let mut baresip = Baresip::caller_as(&number, talk(110 + states as u64, 60_000));
                baresip.dial(&uri(service));
                for (index, (prompt, key)) in walk[..states].iter().enumerate() {
                    baresip.hears(book, prompt, seconds(25));
                    if *prompt == "beep" {
                        baresip.hears_on(4500, seconds(10));
                    }
                    if index + 1 < states {
                        baresip.press(key);
                    }
                }
                baresip.hang_up();
                baresip.event("CALL_CLOSED", seconds(5));
                service.wait_call_over(&number);
                let tickets = service.tickets(&number);
                assert_eq!(tickets.len(), usize::from(states >= 5), "hung up at {}", walk[states - 1].0);
            });
        }
    });
}

#[test]
fn linphonec_makes_a_ticket() {
    let (service, book) = (Service::start(), book());
    let mut said = silence(200);
    said.extend(talk(103, 40_000));
    let mut linphone = Linphone::start(&said);
    linphone.dial(&uri(&service));
    for (prompt, key) in
        [("bo/greet.hello", "2"), ("zh/menu.head", "1"), ("zh/who.citizen", "1"), ("zh/type.consult", "2")]
    {
        linphone.hears(&book, prompt, seconds(10));
        linphone.press(key);
    }
    linphone.hears(&book, "beep", seconds(10));
    linphone.hears_on(5000, seconds(10));
    linphone.hang_up();
    assert_kept(&service, "13989005678", &said, 4000);
}
