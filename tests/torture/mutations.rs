//! Bytes that no RFC printed: nothing panics, and what is read is written so that it reads the same.

use hotline::sip::Message;
use hotline::sip::wire::frame::{Frame, Framer};
use hotline::sip::wire::value::{
    CSeq, Challenge, MediaType, NameAddr, Params, RAck, Reason, Replaces, RetryAfter, SessionExpires, Uri, Via, list,
};
use hotline::sip::wire::{self, MAX_HEAD, MAX_MESSAGE};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::corpus;

/// One change to a message.
#[derive(Clone, Debug)]
enum Change {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    /// A stretch of the message once more, somewhere else.
    Repeat(Index, usize, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n ".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"<".to_vec()),
        Just(b">".to_vec()),
        Just(b";".to_vec()),
        Just(b",".to_vec()),
        Just(b":".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"%".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b"@".to_vec()),
        Just("\u{e9}".as_bytes().to_vec()),
        vec(any::<u8>(), 1..5),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<Index>(), telling).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), 1..40usize).prop_map(|(at, len)| Change::Cut(at, len)),
        (any::<Index>(), 1..200usize, any::<Index>()).prop_map(|(from, len, to)| Change::Repeat(from, len, to)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match change {
            Change::Put(at, byte) => bytes[at.index(len)] = *byte,
            Change::Insert(at, more) => {
                let at = at.index(len);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Cut(at, count) => {
                let at = at.index(len);
                bytes.drain(at..(at + count).min(len));
            }
            Change::Repeat(from, count, to) => {
                let from = from.index(len);
                let stretch = bytes[from..(from + count).min(len)].to_vec();
                let to = to.index(len);
                bytes.splice(to..to, stretch);
            }
        }
    }
    bytes
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let all = corpus::all();
    (any::<Index>(), vec(change(), 0..6))
        .prop_map(move |(which, changes)| changed(which.get(&all).bytes.clone(), &changes))
}

/// Reads, and if that worked writes and reads again. An empty reason phrase is written as the registered one.
pub fn round(bytes: &[u8]) {
    let Ok(mut message) = wire::parse(bytes) else { return };
    let written = wire::emit::message(&message);
    if let Message::Response(response) = &mut message
        && response.reason.is_empty()
    {
        response.reason = wire::phrase::phrase(response.status.code()).to_owned();
    }
    assert_eq!(wire::parse(&written).as_ref(), Ok(&message), "{}", String::from_utf8_lossy(&written));
}

fn cut(pieces: &[Vec<u8>]) {
    let mut framer = Framer::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.pull() {
                Ok(Some(Frame::Message(message))) => assert!(message.len() <= MAX_MESSAGE + MAX_HEAD),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        round(&bytes);
        cut(&[bytes]);
    }

    #[test]
    fn a_changed_message_is_read_or_refused(bytes in mutated()) {
        round(&bytes);
        if let Err(malformed) = wire::parse(&bytes)
            && let Some(answer) = malformed.answer()
        {
            let response = answer.clone().into_response("192.0.2.1:5060".parse().expect("an address"), "tag");
            let written = wire::emit::response(&response);
            prop_assert!(written.starts_with(b"SIP/2.0 ") && written.ends_with(b"\r\n\r\n"));
        }
    }

    #[test]
    fn a_changed_stream_is_cut_or_given_up(streams in vec(mutated(), 1..4), size in 1..700usize) {
        let pieces: Vec<Vec<u8>> = streams.concat().chunks(size).map(<[u8]>::to_vec).collect();
        cut(&pieces);
    }

    #[test]
    fn any_value_is_read_or_refused(text in "[ -~\t\u{e9}]{0,60}") {
        let _ = (Via::parse(&text), NameAddr::parse(&text), CSeq::parse(&text), RAck::parse(&text));
        let _ = (Params::parse(&text), Challenge::parse(&text), MediaType::parse(&text), Reason::parse(&text));
        let _ = (Replaces::parse(&text), RetryAfter::parse(&text), SessionExpires::parse(&text), list(&text).count());
        if let Ok(uri) = text.parse::<Uri>() {
            prop_assert_eq!(uri.to_string().parse::<Uri>(), Ok(uri));
        }
    }

    #[test]
    fn any_uri_is_written_as_it_came(
        text in "sips?:([a-z0-9+*%4][a-z0-9;?/=&$,.+]{0,12}(:[a-z0-9]{0,4})?@)?([a-z0-9.-]{1,12}|\\[([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\\])(:[1-9][0-9]{0,3})?(;[a-z-]{1,5}(=[a-zA-Z0-9%.]{1,5})?){0,3}(\\?[a-z]=[a-z%]{0,4})?"
    ) {
        if let Ok(uri) = text.parse::<Uri>() {
            prop_assert_eq!(uri.to_string(), text);
        }
    }

    #[test]
    fn no_text_in_a_header_becomes_a_line(name in "[A-Za-z-]{1,12}", value in "(?s).{0,40}") {
        let Ok(hotline::sip::Message::Request(mut request)) = wire::parse(&corpus::read("rfc4475/zeromf.dat").bytes) else {
            panic!("a request");
        };
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        let before = lines(&wire::emit::request(&request));
        request.headers.push(wire::header::make(&format!("X-{name}"), value));
        let written = wire::emit::request(&request);
        prop_assert_eq!(lines(&written), before + 2);
        prop_assert!(!written.contains(&0));
    }
}
