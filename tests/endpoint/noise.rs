//! Broken and misplaced messages in the middle of calls.

use std::time::Duration;

use hotline::sip::{Command, Event, Transport};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::bench::{Bench, SDP, header, hop, invite, request, response, tag_of};

/// Everything that a peer may say in a call with this tag of ours.
fn conversation(tag: &str) -> Vec<String> {
    let sdp = "Content-Type: application/sdp\r\n";
    let mut messages = vec![
        invite(""),
        invite("Require: 100rel\r\nSupported: timer\r\nSession-Expires: 90\r\n"),
        request("ACK", 1, Some(tag), sdp, SDP),
        request("INVITE", 2, Some(tag), sdp, SDP),
        request("ACK", 2, Some(tag), "", ""),
        request("UPDATE", 3, Some(tag), sdp, SDP),
        request("INFO", 4, Some(tag), "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=160\r\n"),
        request("PRACK", 5, Some(tag), "RAck: 1 1 INVITE\r\n", ""),
        request("OPTIONS", 6, Some(tag), "", ""),
        request("BYE", 7, Some(tag), "Reason: Q.850;cause=16\r\n", ""),
        request("CANCEL", 1, None, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1"),
        request("OPTIONS", 8, None, "", ""),
    ];
    let answered = messages.clone();
    messages.extend(answered.iter().map(|one| response(one, "200 OK", tag, "RSeq: 1\r\nRequire: 100rel\r\n", SDP)));
    messages
}

fn damaged(rng: &mut StdRng, message: &str) -> Vec<u8> {
    let mut bytes = message.as_bytes().to_vec();
    for _ in 0..rng.random_range(0..4) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => bytes[at] = rng.random(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, *b"\r\n;,<>\"0=: ".get(rng.random_range(0..11)).unwrap_or(&0)),
            _ => bytes.truncate(at.max(20)),
        }
    }
    bytes
}

#[test]
fn no_message_makes_it_panic_and_nothing_stays_for_ever() {
    for seed in 0..300 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut bench = Bench::new();
        bench.receive(&invite(""));
        let leg = bench.leg();
        let tag = bench.command(Command::Ring { leg }).first().map(|one| tag_of(one, "To")).expect("a 180");
        let messages = conversation(&tag);
        for _ in 0..60 {
            let which = rng.random_range(0..messages.len());
            let message = damaged(&mut rng, &messages[which]);
            let transport = if rng.random_bool(0.9) { Transport::Udp } else { Transport::Tcp };
            bench.receive_bytes(hop(transport), &message);
            match rng.random_range(0..8) {
                0 => drop(bench.command(Command::Answer { leg, sdp: SDP.into() })),
                1 => drop(bench.command(Command::Accept { leg, sdp: SDP.into() })),
                2 => drop(bench.command(Command::Reinvite { leg, sdp: SDP.into() })),
                _ => drop(bench.pass(Duration::from_millis(rng.random_range(0..2_000)))),
            }
        }
        let begun: Vec<_> = bench
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Incoming { leg, .. } => Some(*leg),
                _ => None,
            })
            .collect();
        for leg in &begun {
            bench.command(Command::HangUp { leg: *leg, reason: None });
        }
        bench.pass(Duration::from_secs(600));
        assert!(bench.endpoint.is_idle(), "seed {seed}: {:?}", bench.endpoint.counts());
        assert_eq!(bench.ended().len(), begun.len(), "seed {seed}");
    }
}

#[test]
fn a_call_whose_connection_is_gone_is_ended_over_a_new_one() {
    let mut bench = Bench::new();
    let connection = hotline::sip::Hop { peer: "192.0.2.9:41000".parse().expect("an address"), ..hop(Transport::Tcp) };
    bench.receive_over(connection, &invite("").replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    let leg = bench.leg();
    let ok = bench.command(Command::Answer { leg, sdp: SDP.into() });
    bench.receive_over(connection, &request("ACK", 1, Some(&tag_of(&ok[0], "To")), "", ""));
    let bye = bench.command(Command::HangUp { leg, reason: None });
    assert_eq!(bench.hops.last(), Some(&connection));
    let again = bench.transport_failed(connection);
    assert_eq!(bench.hops.last(), Some(&hop(Transport::Tcp)));
    assert_eq!(header(&again[0], "Call-ID"), header(&bye[0], "Call-ID"));
}
