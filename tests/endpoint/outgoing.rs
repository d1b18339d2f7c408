//! Calls that go out, registrations and OPTIONS.

use std::time::Duration;

use hotline::sip::{
    Account, Command, Config, Event, Hop, Invite, Leg, Options, Party, Reason, Registration, Transport,
};

use crate::bench::{Bench, SDP, head, header, heads, hop, request, response, tag_of};

const SECOND: Duration = Duration::from_secs(1);
const ANSWER: &str = "Content-Type: application/sdp\r\n";

fn uri(text: &str) -> hotline::sip::Uri {
    text.parse().expect("a URI")
}

fn us() -> Party {
    Party { display: Some("12345".to_owned()), uri: uri("sip:12345@city.example") }
}

fn other_hop() -> Hop {
    Hop { peer: "192.0.2.8:5060".parse().expect("an address"), ..hop(Transport::Udp) }
}

fn invite(hops: Vec<Hop>) -> Invite {
    Invite {
        leg: Leg::outgoing(1),
        hops,
        uri: uri("sip:13800138000@trunk.example"),
        from: us(),
        to: uri("sip:13800138000@trunk.example"),
        asserted: None,
        private: false,
        offer: SDP.into(),
        credentials: Some(Account { realm: "trunk".into(), username: "u".into(), password: "p".into() }),
        ring_timeout_ms: None,
    }
}

fn place(bench: &mut Bench) -> String {
    bench.command(Command::Invite(Box::new(invite(vec![hop(Transport::Udp)])))).remove(0)
}

#[test]
fn a_200_is_acknowledged_each_time_and_a_second_fork_gets_a_bye() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let one = response(&sent, "200 OK", "one", ANSWER, SDP);
    assert_eq!(heads(&bench.receive(&one)), ["ACK"]);
    assert_eq!(heads(&bench.receive(&one)), ["ACK"]);
    assert_eq!(heads(&bench.receive(&response(&sent, "200 OK", "two", ANSWER, SDP))), ["ACK", "BYE"]);
    let accepted = bench.events.iter().filter(|event| matches!(event, Event::Accepted { .. })).count();
    assert_eq!(accepted, 1);
    let bye = bench.command(Command::HangUp { leg: Leg::outgoing(1), reason: Some(Reason::Q850(16)) });
    assert_eq!((head(&bye[0]), header(&bye[0], "Reason")), ("BYE", Some("Q.850;cause=16")));
    bench.pass(SECOND * 120);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn hanging_up_early_waits_for_a_provisional_response_to_cancel() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    assert!(bench.command(Command::HangUp { leg: Leg::outgoing(1), reason: None }).is_empty());
    assert_eq!(bench.ended(), ["Local Cancel"]);
    assert_eq!(heads(&bench.receive(&response(&sent, "180 Ringing", "one", "", ""))), ["CANCEL"]);
    assert_eq!(heads(&bench.receive(&response(&sent, "487 Request Terminated", "one", "", ""))), ["ACK"]);
    bench.pass(SECOND * 60);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn a_200_that_overtakes_the_cancel_is_acknowledged_and_ended() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    bench.receive(&response(&sent, "180 Ringing", "one", "", ""));
    assert_eq!(heads(&bench.command(Command::HangUp { leg: Leg::outgoing(1), reason: None })), ["CANCEL"]);
    assert_eq!(heads(&bench.receive(&response(&sent, "200 OK", "one", ANSWER, SDP))), ["ACK", "BYE"]);
    assert_eq!(bench.ended(), ["Local Cancel"]);
}

#[test]
fn a_cancel_that_nobody_answers_frees_the_call_after_64_t1() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    bench.receive(&response(&sent, "180 Ringing", "one", "", ""));
    bench.command(Command::HangUp { leg: Leg::outgoing(1), reason: None });
    bench.pass(SECOND * 40);
    assert!(bench.endpoint.is_idle(), "{:?}", bench.endpoint.counts());
}

#[test]
fn a_redirection_ends_the_call_and_dials_nothing() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let moved = response(&sent, "302 Moved Temporarily", "one", "", "");
    assert_eq!(heads(&bench.receive(&moved)), ["ACK"]);
    assert_eq!(bench.ended(), ["Peer Rejected { status: 302 }"]);
}

#[test]
fn the_next_hop_is_tried_after_503_timeout_and_transport_failure() {
    let both = || Command::Invite(Box::new(invite(vec![hop(Transport::Udp), other_hop()])));
    for fault in ["503", "timeout", "transport"] {
        let mut bench = Bench::new();
        let first = bench.command(both()).remove(0);
        let again = match fault {
            "503" => bench.receive(&response(&first, "503 Service Unavailable", "one", "", "")),
            "timeout" => bench.pass(SECOND * 32),
            _ => bench.transport_failed(hop(Transport::Udp)),
        };
        let second = again.iter().rfind(|one| head(one) == "INVITE").expect("another INVITE");
        assert_eq!(bench.hops.last().map(|hop| hop.peer), Some(other_hop().peer), "{fault}");
        assert_ne!(header(second, "Via"), header(&first, "Via"), "{fault}");
        assert_eq!(bench.ended(), Vec::<String>::new(), "{fault}");
        bench.transport_failed(other_hop());
        assert_eq!(bench.ended(), ["Network TransportFailed"], "{fault}");
    }
}

#[test]
fn a_challenge_of_the_trunks_realm_is_answered_once_and_no_other() {
    let challenge = |realm: &str, nonce: &str| {
        format!("Proxy-Authenticate: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"\r\n")
    };
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let again = bench.receive(&response(&sent, "407 Proxy", "one", &challenge("trunk", "n1"), ""));
    assert_eq!(heads(&again), ["ACK", "INVITE"]);
    let credentials = header(&again[1], "Proxy-Authorization").expect("credentials");
    assert!(credentials.contains("realm=\"trunk\""), "{credentials}");
    assert_eq!(heads(&bench.receive(&response(&again[1], "407 Proxy", "one", &challenge("trunk", "n2"), ""))), ["ACK"]);
    assert_eq!(bench.ended(), ["Peer Rejected { status: 407 }"]);

    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let refused = bench.receive(&response(&sent, "407 Proxy", "one", &challenge("elsewhere", "n"), ""));
    assert_eq!(heads(&refused), ["ACK"]);
}

#[test]
fn a_challenged_bye_is_sent_again_though_the_call_is_gone() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    bench.receive(&response(&sent, "200 OK", "one", ANSWER, SDP));
    let bye = bench.command(Command::HangUp { leg: Leg::outgoing(1), reason: None });
    let challenge = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n";
    let again = bench.receive(&response(&bye[0], "407 Proxy", "one", challenge, ""));
    assert_eq!(heads(&again), ["BYE"]);
    assert!(header(&again[0], "Proxy-Authorization").is_some());
}

#[test]
fn a_small_interval_is_raised_as_the_422_says() {
    let mut bench = Bench::with(Config { session_expires_s: 100, ..Config::default() });
    let sent = place(&mut bench);
    let again = bench.receive(&response(&sent, "422 Session Interval Too Small", "one", "Min-SE: 300\r\n", ""));
    assert_eq!(heads(&again), ["ACK", "INVITE"]);
    assert_eq!(header(&again[1], "Session-Expires"), Some("300"));
    assert_eq!(header(&again[1], "Min-SE"), Some("300"));
}

#[test]
fn a_reliable_provisional_response_is_acknowledged_once() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let ringing = |rseq| {
        response(&sent, "183 Session Progress", "one", &format!("Require: 100rel\r\nRSeq: {rseq}\r\n{ANSWER}"), SDP)
    };
    let prack = bench.receive(&ringing(7));
    assert_eq!(heads(&prack), ["PRACK"]);
    let cseq = header(&sent, "CSeq").expect("a CSeq");
    assert_eq!(header(&prack[0], "RAck"), Some(format!("7 {cseq}").as_str()));
    assert!(bench.receive(&ringing(7)).is_empty());
    assert!(bench.receive(&ringing(9)).is_empty());
    // the 200 need not repeat the answer
    bench.receive(&response(&sent, "200 OK", "one", "", ""));
    assert!(bench.events.contains(&Event::Accepted { leg: Leg::outgoing(1), sdp: Some(SDP.into()) }));
}

#[test]
fn requests_inside_the_call_follow_the_record_route() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    let routes = "Record-Route: <sip:192.0.2.21;lr>\r\nRecord-Route: <sip:192.0.2.20:5070;lr>\r\n";
    let ack = bench.receive(&response(&sent, "200 OK", "one", &format!("{routes}{ANSWER}"), SDP));
    assert!(ack[0].starts_with("ACK sip:peer@192.0.2.9:5060 SIP/2.0\r\n"), "{}", ack[0]);
    assert_eq!(header(&ack[0], "Route"), Some("<sip:192.0.2.20:5070;lr>"));
    assert_eq!(bench.hops.last().map(|hop| hop.peer.to_string()), Some("192.0.2.20:5070".to_owned()));
}

#[test]
fn a_large_request_goes_by_tcp_and_by_udp_when_nobody_takes_it_there() {
    let mut bench = Bench::new();
    let mut large = invite(vec![hop(Transport::Udp)]);
    large.offer = vec![b'x'; 1_400];
    let sent = bench.command(Command::Invite(Box::new(large)));
    assert!(header(&sent[0], "Via").expect("a Via").starts_with("SIP/2.0/TCP"));
    let again = bench.transport_failed(hop(Transport::Tcp));
    assert_eq!(heads(&again), ["INVITE"]);
    assert!(header(&again[0], "Via").expect("a Via").starts_with("SIP/2.0/UDP"));
    assert_eq!(bench.ended(), Vec::<String>::new());
}

#[test]
fn the_called_side_hangs_up() {
    let mut bench = Bench::new();
    let sent = place(&mut bench);
    bench.receive(&response(&sent, "200 OK", "peer", ANSWER, SDP));
    let call_id = header(&sent, "Call-ID").expect("a Call-ID");
    let bye = request("BYE", 1, Some(&tag_of(&sent, "From")), "", "").replace("call-1", call_id);
    assert_eq!(heads(&bench.receive(&bye)), ["200"]);
    assert_eq!(bench.ended(), ["Peer Bye"]);
}

#[test]
fn the_advertised_address_stands_in_via_and_contact() {
    let mut bench = Bench::with(Config { advertise: Some("sip.city.example:5070".into()), ..Config::default() });
    let sent = place(&mut bench);
    assert!(header(&sent, "Via").expect("a Via").starts_with("SIP/2.0/UDP sip.city.example:5070;"));
    assert_eq!(header(&sent, "Contact"), Some("<sip:sip.city.example:5070>"));
}

#[test]
fn a_registration_is_challenged_kept_fresh_and_taken_back() {
    let mut bench = Bench::new();
    let registration = Registration {
        trunk: 3,
        hops: vec![hop(Transport::Udp)],
        registrar: uri("sip:trunk.example"),
        address_of_record: uri("sip:12345@trunk.example"),
        contact_user: "12345".into(),
        credentials: Some(Account { realm: "trunk".into(), username: "u".into(), password: "p".into() }),
        expires_s: 60,
    };
    let sent = bench.command(Command::Register(Box::new(registration)));
    let challenge = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n";
    let again = bench.receive(&response(&sent[0], "401 Unauthorized", "r", challenge, ""));
    assert!(header(&again[0], "Authorization").is_some(), "{again:?}");
    let granted = |request: &str| {
        let ok = response(request, "200 OK", "r", "Expires: 60\r\n", "");
        ok.replace("<sip:peer@192.0.2.9:5060>", header(request, "Contact").expect("a Contact"))
    };
    bench.receive(&granted(&again[0]));
    assert!(bench.events.iter().any(|event| matches!(event, Event::Registered { trunk: 3, .. })), "{:?}", bench.events);
    let refreshed = bench.pass(SECOND * 50);
    assert_eq!(head(&refreshed[0]), "REGISTER");
    bench.receive(&granted(&refreshed[0]));
    let leaving = bench.command(Command::Unregister { trunk: 3 });
    assert_eq!(header(&leaving[0], "Expires"), Some("0"));
    bench.receive(&response(&leaving[0], "200 OK", "r", "", ""));
    assert!(bench.events.contains(&Event::Unregistered { trunk: 3 }));
    bench.pass(SECOND * 60);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn options_tell_whether_a_trunk_is_there() {
    let options = || Options { trunk: 1, hops: vec![hop(Transport::Udp)], uri: uri("sip:trunk.example"), from: us() };
    let mut bench = Bench::new();
    let sent = bench.command(Command::Options(Box::new(options())));
    bench.receive(&response(&sent[0], "200 OK", "t", "", ""));
    bench.command(Command::Options(Box::new(options())));
    bench.pass(SECOND * 33);
    let answers: Vec<_> =
        bench.events.iter().filter(|event| matches!(event, Event::OptionsAnswered { .. })).cloned().collect();
    let answer = |status| Event::OptionsAnswered { trunk: 1, status };
    assert_eq!(answers, [answer(Some(200)), answer(None)]);
}
