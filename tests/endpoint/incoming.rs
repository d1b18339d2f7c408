//! Calls that come in.

use std::time::Duration;

use hotline::sip::{Command, Config, Event, Leg, Transport};

use crate::bench::{Bench, SDP, head, header, heads, hop, invite, request, tag_of};

const SECOND: Duration = Duration::from_secs(1);

/// A call that was answered and acknowledged; our tag with it.
fn answered(more: &str) -> (Bench, Leg, String) {
    let mut bench = Bench::new();
    bench.receive(&invite(more));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: SDP.into() });
    let tag = tag_of(&ok[0], "To");
    assert!(bench.receive(&request("ACK", 1, Some(&tag), "", "")).is_empty());
    (bench, leg, tag)
}

#[test]
fn an_invite_is_told_of_with_who_calls_whom() {
    let mut bench = Bench::new();
    let more = "P-Asserted-Identity: <tel:+8613812345678>\r\nPrivacy: id\r\nDiversion: <sip:100@192.0.2.9>\r\n";
    assert_eq!(heads(&bench.receive(&invite(more))), ["100"]);
    let Some(Event::Incoming { invite, .. }) = bench.events.first() else { panic!("{:?}", bench.events) };
    assert_eq!(invite.request_user.as_deref(), Some("12345"));
    assert_eq!(invite.from_user.as_deref(), Some("13800138000"));
    assert_eq!(invite.asserted_user.as_deref(), Some("+8613812345678"));
    assert_eq!(invite.diversion_user.as_deref(), Some("100"));
    assert!(invite.privacy);
    assert_eq!(invite.offer.as_deref(), Some(SDP.as_bytes()));
}

#[test]
fn a_repeated_invite_gets_the_last_response() {
    let mut bench = Bench::new();
    bench.receive(&invite(""));
    let leg = bench.leg();
    bench.command(Command::Ring { leg });
    assert_eq!(heads(&bench.receive(&invite(""))), ["180"]);
    bench.command(Command::Reject { leg, status: 486, retry_after_s: None });
    assert_eq!(heads(&bench.receive(&invite(""))), ["486"]);
    assert_eq!(bench.ended(), ["Local Rejected { status: 486 }"]);
}

#[test]
fn lost_ack_repeats_the_200_and_then_ends_the_call_with_a_bye() {
    let mut bench = Bench::new();
    bench.receive(&invite(""));
    let leg = bench.leg();
    bench.command(Command::Answer { leg, sdp: SDP.into() });
    assert_eq!(heads(&bench.pass(SECOND * 4)), ["200", "200", "200"]);
    let rest = bench.pass(SECOND * 29);
    assert_eq!(rest.iter().find(|one| head(one) != "200").map(|one| head(one)), Some("BYE"));
    assert_eq!(bench.ended(), ["Network NoAck"]);
    bench.pass(SECOND * 120);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn a_bye_of_the_peer_ends_the_call_with_its_cause() {
    let (mut bench, _, tag) = answered("");
    let sent = bench.receive(&request("BYE", 2, Some(&tag), "Reason: Q.850;cause=16;text=\"x\"\r\n", ""));
    assert_eq!(heads(&sent), ["200"]);
    let ended = bench.events.iter().find_map(|event| match event {
        Event::Ended { ended, .. } => Some(ended.q850),
        _ => None,
    });
    assert_eq!((bench.ended(), ended), (vec!["Peer Bye".to_owned()], Some(Some(16))));
    bench.pass(SECOND * 60);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn cancel_before_the_answer_is_487_and_after_it_changes_nothing() {
    let mut bench = Bench::new();
    bench.receive(&invite(""));
    let cancel = request("CANCEL", 1, None, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
    assert_eq!(heads(&bench.receive(&cancel)), ["200", "487"]);
    assert_eq!(bench.ended(), ["Peer Cancel"]);

    let (mut bench, leg, _) = answered("");
    assert_eq!(heads(&bench.receive(&cancel)), ["200"]);
    assert_eq!(bench.ended(), Vec::<String>::new());
    assert_eq!(heads(&bench.command(Command::HangUp { leg, reason: None })), ["BYE"]);
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut bench = Bench::new();
    bench.receive(&invite(""));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: SDP.into() });
    assert!(bench.command(Command::HangUp { leg, reason: None }).is_empty());
    assert_eq!(bench.ended(), ["Local Bye"]);
    let tag = tag_of(&ok[0], "To");
    assert_eq!(heads(&bench.receive(&request("ACK", 1, Some(&tag), "", ""))), ["BYE"]);
}

#[test]
fn an_invite_without_sdp_gets_our_offer_and_the_ack_brings_the_answer() {
    let mut bench = Bench::new();
    bench.receive(&request("INVITE", 1, None, "", ""));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: b"offer".to_vec() });
    assert!(ok[0].ends_with("\r\n\r\noffer"));
    let tag = tag_of(&ok[0], "To");
    bench.receive(&request("ACK", 1, Some(&tag), "Content-Type: application/sdp\r\n", "answer"));
    assert!(bench.events.contains(&Event::Answered { leg, answer: Some(b"answer".to_vec()) }));
}

#[test]
fn a_key_by_info_is_told() {
    let (mut bench, leg, tag) = answered("");
    let info =
        request("INFO", 2, Some(&tag), "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=160\r\n");
    assert_eq!(heads(&bench.receive(&info)), ["200"]);
    assert_eq!(heads(&bench.receive(&info)), ["200"]);
    let digits = bench.events.iter().filter(|event| matches!(event, Event::Digit { .. })).count();
    assert_eq!(digits, 1);
    let digit = hotline::digit::Digit::from_char('5').expect("a key");
    assert!(bench.events.contains(&Event::Digit { leg, digit, duration_ms: 160 }));
    for (cseq, more, body, status) in [
        (3, "Content-Type: text/plain\r\n", "5", "415"),
        (4, "Info-Package: foo\r\n", "", "469"),
        (5, "Content-Type: application/dtmf\r\n", "q", "400"),
    ] {
        assert_eq!(heads(&bench.receive(&request("INFO", cseq, Some(&tag), more, body))), [status]);
    }
}

#[test]
fn a_request_out_of_order_is_500() {
    let (mut bench, _, tag) = answered("");
    assert_eq!(heads(&bench.receive(&request("OPTIONS", 9, Some(&tag), "", ""))), ["200"]);
    assert_eq!(heads(&bench.receive(&request("OPTIONS", 8, Some(&tag), "", ""))), ["500"]);
}

#[test]
fn a_reinvite_is_offered_answered_and_acknowledged() {
    let (mut bench, leg, tag) = answered("");
    let reinvite = request("INVITE", 2, Some(&tag), "Content-Type: application/sdp\r\n", "new offer");
    assert_eq!(heads(&bench.receive(&reinvite)), ["100"]);
    assert!(bench.events.contains(&Event::Offer { leg, sdp: Some(b"new offer".to_vec()) }));
    let second = request("UPDATE", 3, Some(&tag), "Content-Type: application/sdp\r\n", "another");
    let refused = bench.receive(&second);
    assert_eq!((heads(&refused), header(&refused[0], "Retry-After").is_some()), (vec!["500"], true));
    assert_eq!(heads(&bench.command(Command::Accept { leg, sdp: b"answer".to_vec() })), ["200"]);
    assert_eq!(heads(&bench.pass(SECOND)), ["200"]);
    bench.receive(&request("ACK", 2, Some(&tag), "", ""));
    assert!(bench.pass(SECOND * 9).is_empty());
}

#[test]
fn a_reinvite_against_ours_is_491_and_ours_goes_on() {
    let (mut bench, leg, tag) = answered("");
    let ours = bench.command(Command::Reinvite { leg, sdp: b"ours".to_vec() });
    assert_eq!(heads(&ours), ["INVITE"]);
    let theirs = request("INVITE", 2, Some(&tag), "Content-Type: application/sdp\r\n", "theirs");
    assert_eq!(heads(&bench.receive(&theirs)), ["100", "491"]);
    // the peer owns the Call-ID: we come back within 2 s (RFC 3261 §14.1)
    let glare = crate::bench::response(&ours[0], "491 Request Pending", "peer", "", "");
    assert_eq!(heads(&bench.receive(&glare)), ["ACK"]);
    let again = bench.pass(Duration::from_millis(2_000));
    let again = again.iter().find(|one| head(one) == "INVITE").expect("our offer again");
    let ok = crate::bench::response(again, "200 OK", "peer", "Content-Type: application/sdp\r\n", "agreed");
    assert_eq!(heads(&bench.receive(&ok)), ["ACK"]);
    assert!(bench.events.contains(&Event::OfferAnswered { leg, sdp: b"agreed".to_vec() }));
}

#[test]
fn a_challenge_inside_a_call_that_came_in_is_not_answered() {
    let (mut bench, leg, _) = answered("");
    let bye = bench.command(Command::HangUp { leg, reason: None });
    let challenge = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n";
    let answer = crate::bench::response(&bye[0], "407 Proxy Authentication Required", "peer", challenge, "");
    assert!(bench.receive(&answer).is_empty());
}

#[test]
fn ringing_is_reliable_when_the_peer_requires_it_and_the_200_waits_for_the_prack() {
    let mut bench = Bench::new();
    bench.receive(&invite("Require: 100rel\r\n"));
    let leg = bench.leg();
    let ringing = bench.command(Command::Ring { leg });
    let rseq = header(&ringing[0], "RSeq").expect("an RSeq").to_owned();
    let tag = tag_of(&ringing[0], "To");
    assert!(bench.command(Command::Answer { leg, sdp: SDP.into() }).is_empty());
    assert_eq!(heads(&bench.pass(SECOND)), ["180"]);
    let prack = |cseq, rack: &str| request("PRACK", cseq, Some(&tag), rack, "");
    assert_eq!(heads(&bench.receive(&prack(2, ""))), ["400"]);
    assert_eq!(heads(&bench.receive(&prack(3, "RAck: 1 9 INVITE\r\n"))), ["481"]);
    assert_eq!(heads(&bench.receive(&prack(4, &format!("RAck: {rseq} 1 INVITE\r\n")))), ["200", "200"]);
}

#[test]
fn a_call_without_its_prack_ends_after_64_t1() {
    let mut bench = Bench::new();
    bench.receive(&invite("Require: 100rel\r\n"));
    let leg = bench.leg();
    bench.command(Command::Ring { leg });
    let sent = bench.pass(SECOND * 33);
    assert!(sent.iter().any(|one| head(one) == "504"), "{:?}", heads(&sent));
    assert_eq!(bench.ended(), ["Network NoPrack"]);
}

#[test]
fn the_callee_refreshes_a_session_whose_caller_can_not_and_ends_one_that_nobody_refreshes() {
    let (mut bench, _, _) = answered("Session-Expires: 120\r\nAllow: UPDATE\r\n");
    let refresh = bench.pass(SECOND * 61);
    assert_eq!(head(&refresh[0]), "UPDATE");
    assert_eq!(header(&refresh[0], "Session-Expires"), Some("120;refresher=uac"));
    let ok = crate::bench::response(&refresh[0], "200 OK", "peer", "Session-Expires: 120;refresher=uac\r\n", "");
    bench.receive(&ok);
    assert_eq!(bench.ended(), Vec::<String>::new());
    let rest = bench.pass(SECOND * 120);
    assert!(rest.iter().any(|one| head(one) == "BYE"), "{:?}", heads(&rest));
    assert_eq!(bench.ended().len(), 1);
}

#[test]
fn the_peer_refreshes_where_it_can_and_its_silence_ends_the_call() {
    let mut bench = Bench::new();
    bench.receive(&invite("Supported: timer\r\nSession-Expires: 90\r\n"));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: SDP.into() });
    assert_eq!(header(&ok[0], "Session-Expires"), Some("90;refresher=uac"));
    assert_eq!(header(&ok[0], "Require"), Some("timer"));
    let tag = tag_of(&ok[0], "To");
    bench.receive(&request("ACK", 1, Some(&tag), "", ""));
    assert!(bench.pass(SECOND * 50).is_empty());
    let update = request("UPDATE", 2, Some(&tag), "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "");
    assert_eq!(heads(&bench.receive(&update)), ["200"]);
    assert!(bench.pass(SECOND * 59).is_empty());
    assert_eq!(head(&bench.pass(SECOND * 2)[0]), "BYE");
    assert_eq!(bench.ended(), ["Network SessionExpired"]);
}

#[test]
fn responses_go_where_the_via_says() {
    for (via, peer) in [
        ("192.0.2.9:5070", "192.0.2.9:5070"),
        ("192.0.2.9:5070;rport", "192.0.2.9:5060"),
        ("10.0.0.7:5080", "192.0.2.9:5080"),
        ("10.0.0.7", "192.0.2.9:5060"),
        ("192.0.2.9:5070;maddr=192.0.2.77", "192.0.2.77:5070"),
    ] {
        let mut bench = Bench::new();
        let text = request("OPTIONS", 1, None, "", "").replacen("UDP 192.0.2.9:5060", &format!("UDP {via}"), 1);
        let sent = bench.receive(&text);
        assert_eq!(bench.hops[0].peer.to_string(), peer, "{via}");
        let received = header(&sent[0], "Via").expect("a Via").contains("received=192.0.2.9");
        assert_eq!(received, via.starts_with("10.") || via.contains("rport"), "{via}");
    }
}

#[test]
fn over_tcp_a_response_is_sent_once_on_the_same_connection() {
    let mut bench = Bench::new();
    let tcp = hop(Transport::Tcp);
    bench.receive_over(tcp, &invite("").replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    let leg = bench.leg();
    bench.command(Command::Reject { leg, status: 488, retry_after_s: None });
    assert!(bench.pass(SECOND * 20).is_empty());
    assert!(bench.hops.iter().all(|one| *one == tcp));
}

#[test]
fn a_peer_of_rfc_2543_is_matched_by_its_fields() {
    let mut bench = Bench::new();
    let old = |text: String| text.replace(";branch=z9hG4bKINVITE1", "").replace(";branch=z9hG4bKACK1", "");
    bench.receive(&old(invite("")));
    let leg = bench.leg();
    let busy = bench.command(Command::Reject { leg, status: 486, retry_after_s: None });
    assert_eq!(heads(&bench.receive(&old(invite("")))), ["486"]);
    let tag = tag_of(&busy[0], "To");
    bench.receive(&old(request("ACK", 1, Some(&tag), "", "")));
    assert!(bench.pass(SECOND * 10).is_empty());
    assert!(bench.endpoint.is_idle());
}

#[test]
fn a_peer_of_rfc_2543_without_a_contact_is_reached_by_its_from() {
    let mut bench = Bench::new();
    let text = invite("").replace(";branch=z9hG4bKINVITE1", "");
    bench.receive(&text.replace("Contact: <sip:13800138000@192.0.2.9:5060>\r\n", ""));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: SDP.into() });
    let ack = request("ACK", 1, Some(&tag_of(&ok[0], "To")), "", "").replace(";branch=z9hG4bKACK1", "");
    bench.receive(&ack);
    let bye = bench.command(Command::HangUp { leg, reason: None });
    assert!(bye[0].starts_with("BYE sip:13800138000@192.0.2.9 SIP/2.0\r\n"), "{}", bye[0]);
}

#[test]
fn a_bye_of_ours_is_told_before_the_end() {
    let (mut bench, leg, _) = answered("");
    bench.command(Command::HangUp { leg, reason: None });
    let last: Vec<_> = bench.events.iter().rev().take(2).collect();
    assert!(matches!(last[0], Event::Ended { .. }), "{last:?}");
    assert_eq!(*last[1], Event::Trace { leg, sent: true, line: "BYE".to_owned() });
}

/// A call of ours to refresh, and its first refresh.
fn refreshed(more: &str) -> (Bench, Leg, String) {
    let (mut bench, leg, _) = answered(&format!("Session-Expires: 120\r\n{more}"));
    let refresh = bench.pass(SECOND * 61).swap_remove(0);
    (bench, leg, refresh)
}

#[test]
fn a_refresh_with_our_offer_brings_an_answer() {
    let (mut bench, leg, refresh) = refreshed("");
    assert_eq!(head(&refresh), "INVITE");
    let more = "Session-Expires: 120;refresher=uac\r\nContent-Type: application/sdp\r\n";
    bench.receive(&crate::bench::response(&refresh, "200 OK", "peer", more, "moved"));
    assert!(bench.events.contains(&Event::OfferAnswered { leg, sdp: b"moved".to_vec() }));
    // without one nothing has changed
    let told = |bench: &Bench| bench.events.iter().filter(|one| matches!(one, Event::OfferAnswered { .. })).count();
    let again = bench.pass(SECOND * 61).swap_remove(0);
    bench.receive(&crate::bench::response(&again, "200 OK", "peer", "Session-Expires: 120;refresher=uac\r\n", ""));
    assert_eq!(told(&bench), 1);
}

#[test]
fn a_peer_that_refuses_update_is_refreshed_by_a_reinvite() {
    for status in ["405 Method Not Allowed", "500 Server Internal Error", "501 Not Implemented"] {
        let (mut bench, _, refresh) = refreshed("Allow: UPDATE\r\n");
        assert_eq!(head(&refresh), "UPDATE");
        let second = bench.receive(&crate::bench::response(&refresh, status, "peer", "", ""));
        assert_eq!(heads(&second), ["INVITE"], "{status}");
        let more = "Session-Expires: 120;refresher=uac\r\nContent-Type: application/sdp\r\n";
        bench.receive(&crate::bench::response(&second[0], "200 OK", "peer", more, SDP));
        assert_eq!(head(&bench.pass(SECOND * 61)[0]), "INVITE", "UPDATE is not tried again");
        assert!(bench.ended().is_empty());
    }
}

#[test]
fn a_retry_after_of_zero_is_waited_for_a_second() {
    let (mut bench, _, refresh) = refreshed("Allow: UPDATE\r\n");
    let busy = crate::bench::response(&refresh, "500 Server Internal Error", "peer", "Retry-After: 0\r\n", "");
    assert!(bench.receive(&busy).is_empty());
    assert!(bench.pass(Duration::from_millis(900)).is_empty());
    assert_eq!(heads(&bench.pass(Duration::from_millis(200))), ["INVITE"]);
}

#[test]
fn a_call_that_nobody_answers_ends() {
    let mut bench = Bench::with(Config { max_ringing_s: 20, ..Config::default() });
    bench.receive(&invite(""));
    assert!(bench.pass(SECOND * 19).is_empty());
    assert_eq!(head(&bench.pass(SECOND * 2)[0]), "480");
    assert_eq!(bench.ended(), ["Local Rejected { status: 480 }"]);
}
