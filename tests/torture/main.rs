//! The messages of RFC 4475 and RFC 5118, and mutations of them: what is read, and what the endpoint says to it.

mod caller;
mod corpus;
mod mutations;
mod table;

use caller::{Outcome, outcome};
use corpus::Message;
use hotline::sip::{self, wire};
use table::{Read, TABLE};

#[test]
fn every_message_has_its_row() {
    let mut named: Vec<&str> = TABLE.iter().map(|row| row.file).collect();
    let mut files: Vec<String> = corpus::all().into_iter().map(|message| message.file).collect();
    named.sort_unstable();
    files.sort_unstable();
    assert_eq!(named, files);
    assert_eq!(files.len(), 62);
}

#[test]
fn every_message_is_read_as_its_row_says() {
    for row in TABLE {
        let Message { bytes, .. } = corpus::read(row.file);
        match (wire::parse(&bytes), row.read) {
            (Ok(sip::Message::Request(request)), Read::Request { method, uri, body }) => {
                let got = (request.method.as_str(), request.uri.to_string(), request.body.len());
                assert_eq!(got, (method, uri.to_owned(), body), "{}", row.file);
            }
            (Ok(sip::Message::Response(response)), Read::Response { status, reason, body }) => {
                let got = (response.status.code(), response.reason.as_str(), response.body.len());
                assert_eq!(got, (status, reason, body), "{}", row.file);
            }
            (Err(malformed), Read::Malformed(defect)) => assert_eq!(malformed.defect, defect, "{}", row.file),
            (got, wanted) => panic!("{}: {wanted:?} was wanted, this came: {got:?}", row.file),
        }
    }
}

#[test]
fn every_message_gets_what_its_row_says() {
    for row in TABLE {
        let Message { bytes, .. } = corpus::read(row.file);
        assert_eq!(outcome(&bytes), row.outcome, "{} ({})", row.file, row.why);
    }
}

#[test]
fn every_valid_message_of_rfc_4475_is_read() {
    let valid = [
        "wsinv",
        "intmeth",
        "esc01",
        "escnull",
        "esc02",
        "lwsdisp",
        "longreq",
        "dblreq",
        "semiuri",
        "transports",
        "mpart01",
        "unreason",
        "noreason",
    ];
    for name in valid {
        let Message { bytes, .. } = corpus::read(&format!("rfc4475/{name}.dat"));
        assert!(wire::parse(&bytes).is_ok(), "{name}");
    }
}

#[test]
fn what_was_read_survives_being_written() {
    for message in corpus::all() {
        mutations::round(&message.bytes);
    }
}

#[test]
fn a_stream_cuts_what_a_datagram_holds() {
    let whole = corpus::read("rfc4475/transports.dat").bytes;
    let mut framer = wire::frame::Framer::new();
    framer.push(&whole);
    assert_eq!(framer.pull(), Ok(Some(wire::frame::Frame::Message(whole))));
    let unmeasured = corpus::read("rfc4475/inv2543.dat").bytes;
    framer.push(&unmeasured);
    assert_eq!(framer.pull().expect_err("no length").defect, wire::Defect::Missing("Content-Length"));
    assert!(matches!(outcome(&unmeasured), Outcome::Answer(_)), "by datagram it is a call");
}

#[test]
fn what_the_files_hide_behind_a_defect_is_answered_too() {
    let whole = [corpus::read("rfc4475/baddn.dat").bytes, b"\r\n".to_vec()].concat();
    let defect = wire::parse(&whole).expect_err("a display name with a bare comma").defect;
    assert_eq!((defect, outcome(&whole)), (wire::Defect::Value("From"), Outcome::Answer(400)));
    let text = String::from_utf8(corpus::read("rfc5118/ipv6-in-sdp").bytes).expect("text");
    let measured = text.replace("Content-Length: 268", "Content-Length: 251");
    assert_eq!(outcome(measured.as_bytes()), Outcome::Answer(488), "G.726 by IPv6");
}

#[test]
fn silence_has_its_reason() {
    for (file, why) in [
        ("rfc4475/bigcode.dat", wire::Silence::Response),
        ("rfc4475/scalarlg.dat", wire::Silence::Response),
        ("rfc4475/test.dat", wire::Silence::NotSip),
    ] {
        let malformed = wire::parse(&corpus::read(file).bytes).expect_err(file);
        assert_eq!(malformed.reply, wire::Reply::Silence(why), "{file}");
    }
}
