//! Requests that are refused, and calls that are not let in.

use hotline::sip::{Admission, Command, Config, Event};

use crate::bench::{Bench, SDP, header, heads, invite, request};

#[test]
fn a_request_that_does_not_fit_is_told_why() {
    let sdp = "Content-Type: application/sdp\r\n";
    for (what, text, status, explained) in [
        ("REGISTER is known and not taken", request("REGISTER", 1, None, "", ""), "405", Some("Allow")),
        (
            "REFER does not make it dial",
            request("REFER", 1, None, "Refer-To: <sip:a@192.0.2.7>\r\n", ""),
            "405",
            Some("Allow"),
        ),
        ("a method that nobody knows", request("DANCE", 1, None, "", ""), "501", Some("Allow")),
        ("an extension that is required", invite("Require: replaces, 100rel\r\n"), "420", Some("Unsupported")),
        (
            "a body that is no SDP",
            request("INVITE", 1, None, "Content-Type: text/plain\r\n", "hi"),
            "415",
            Some("Accept"),
        ),
        ("a packed body", invite("Content-Encoding: gzip\r\n"), "415", Some("Accept-Encoding")),
        ("a small session interval", invite("Supported: timer\r\nSession-Expires: 30\r\n"), "422", Some("Min-SE")),
        ("a scheme from elsewhere", invite("").replacen("sip:12345@192.0.2.1", "http://192.0.2.1/", 1), "416", None),
        ("a sips URI", invite("").replacen("sip:12345", "sips:12345", 1), "416", None),
        ("no Contact", invite("").replace("Contact: <sip:13800138000@192.0.2.9:5060>\r\n", ""), "400", None),
        ("a dialog that is not there", request("INVITE", 2, Some("x"), sdp, SDP), "481", None),
        ("a BYE outside every dialog", request("BYE", 1, None, "", ""), "481", None),
        ("a CANCEL of nothing", request("CANCEL", 1, None, "", ""), "481", None),
        ("another version", invite("").replacen("SIP/2.0", "SIP/3.0", 1), "505", None),
        ("a CSeq that is none", invite("").replacen("CSeq: 1", "CSeq: one", 1), "400", None),
    ] {
        let mut bench = Bench::new();
        let sent = bench.receive(&text);
        assert_eq!(heads(&sent), [status], "{what}");
        let missing = explained.filter(|name| header(&sent[0], name).is_none());
        assert_eq!(missing, None, "{what}: {}", sent[0]);
        assert!(!bench.events.iter().any(|event| matches!(event, Event::Incoming { .. })), "{what}");
    }
}

#[test]
fn a_body_above_the_limit_is_413() {
    let mut bench = Bench::with(Config { max_body: 20, ..Config::default() });
    assert_eq!(heads(&bench.receive(&invite(""))), ["413"]);
}

#[test]
fn max_forwards_of_zero_does_not_stop_a_call_at_its_end() {
    let mut bench = Bench::new();
    let sent = bench.receive(&invite("").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(heads(&sent), ["100"]);
}

#[test]
fn replaces_that_is_not_required_makes_an_ordinary_call() {
    let mut bench = Bench::new();
    assert_eq!(heads(&bench.receive(&invite("Replaces: x;to-tag=a;from-tag=b\r\n"))), ["100"]);
}

#[test]
fn the_same_call_by_two_ways_is_482() {
    let mut bench = Bench::new();
    bench.receive(&invite(""));
    let merged = invite("").replace("z9hG4bKINVITE1", "z9hG4bKother");
    assert_eq!(heads(&bench.receive(&merged)), ["482"]);
}

#[test]
fn admission_decides_about_new_calls_and_options_only() {
    for (admission, status, retry_after) in [
        (Admission::Draining { retry_after_s: 5 }, "503", Some("5")),
        (Admission::Late, "503", None),
        (Admission::Full, "486", None),
    ] {
        let mut bench = Bench::new();
        bench.receive(&invite(""));
        let leg = bench.leg();
        bench.command(Command::Admission(admission));
        for method in ["INVITE", "OPTIONS"] {
            let sent = bench.receive(&request(method, 7, None, "", "").replace("call-1", "call-2"));
            let refused: Vec<_> = sent.iter().filter(|one| !one.starts_with("SIP/2.0 100")).cloned().collect();
            assert_eq!(heads(&refused), [status], "{admission:?} {method}");
            assert_eq!(header(&refused[0], "Retry-After"), retry_after, "{admission:?} {method}");
        }
        assert_eq!(heads(&bench.command(Command::Answer { leg, sdp: SDP.into() })), ["200"]);
    }
}

#[test]
fn options_say_what_a_call_would_get() {
    let mut bench = Bench::new();
    let sent = bench.receive(&request("OPTIONS", 1, None, "", ""));
    assert_eq!(heads(&sent), ["200"]);
    for name in ["Allow", "Accept", "Supported"] {
        assert!(header(&sent[0], name).is_some(), "{name}: {}", sent[0]);
    }
}

#[test]
fn above_its_limit_it_refuses_and_remembers_nothing_of_it() {
    let mut bench = Bench::with(Config { max_transactions: 2, max_half_open: 100, ..Config::default() });
    let mut statuses = Vec::new();
    for call in 0..4 {
        let text = invite("").replace("call-1", &format!("c{call}")).replace("z9hG4bK", &format!("z9hG4bK{call}"));
        statuses.extend(bench.receive(&text).iter().map(|one| crate::bench::head(one).to_owned()));
    }
    assert_eq!(statuses, ["100", "100", "503", "503"]);
    assert_eq!(bench.endpoint.counts().server_transactions, 2);
}

#[test]
fn half_open_calls_and_lines_are_bounded() {
    for (config, status) in [
        (Config { max_half_open: 1, ..Config::default() }, "503"),
        (Config { max_legs: 1, ..Config::default() }, "486"),
    ] {
        let mut bench = Bench::with(config);
        bench.receive(&invite(""));
        let second = invite("").replace("call-1", "call-2").replace("z9hG4bK", "z9hG4bK2");
        assert_eq!(heads(&bench.receive(&second)), [status]);
    }
}
