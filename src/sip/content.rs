//! Bodies, as far as the user agent itself reads them: which part is SDP, and which key an INFO carries.

use crate::digit::Digit;
use crate::sip::message::Request;
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::MediaType;

/// A body that is neither SDP nor a multipart body with SDP in it: 415 (RFC 3261 §8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

/// The session description of a message, `None` when it has none.
///
/// # Errors
/// A body of another type or with an encoding, unless its sender marked it as optional (RFC 3261 §20.11).
pub fn session_description(headers: &impl Fields, body: &[u8]) -> Result<Option<Vec<u8>>, Unsupported> {
    if body.is_empty() {
        return Ok(None);
    }
    let optional = headers.find("Content-Disposition").is_some_and(|text| text.contains("handling=optional"));
    let unreadable = if optional { Ok(None) } else { Err(Unsupported) };
    if headers.find("Content-Encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return unreadable;
    }
    match headers.content_type() {
        Some(kind) if kind.is("application", "sdp") => Ok(Some(body.to_vec())),
        Some(kind) if kind.kind.eq_ignore_ascii_case("multipart") => kind
            .params
            .unquoted("boundary")
            .and_then(|boundary| sdp_part(&boundary, body))
            .map_or(unreadable, |sdp| Ok(Some(sdp))),
        _ => unreadable,
    }
}

/// What an INFO asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Info {
    Digit {
        digit: Digit,
        duration_ms: u32,
    },
    /// No body: a probe by an old peer, answered 200 (RFC 2976 §2.2).
    Nothing,
    /// An INFO package that we have not offered: 469 (RFC 6086 §4.2.2).
    Package,
    /// 415
    Unsupported,
    /// A body of a type that we take which holds no key: 400.
    Malformed,
}

/// How long a key lasts whose sender did not say.
const USUAL_KEY_MS: u32 = 160;
const LONGEST_KEY_MS: u32 = 5_000;

/// Reads `application/dtmf-relay` (`Signal=5`, `Duration=160`) and `application/dtmf` (`5`).
pub fn info(request: &Request) -> Info {
    if request.headers.has("Info-Package") {
        return Info::Package;
    }
    if request.body.is_empty() {
        return Info::Nothing;
    }
    let Ok(body) = std::str::from_utf8(&request.body) else { return Info::Unsupported };
    match request.headers.content_type() {
        Some(kind) if kind.is("application", "dtmf-relay") => relay(body),
        Some(kind) if kind.is("application", "dtmf") => {
            key(body).map_or(Info::Malformed, |digit| Info::Digit { digit, duration_ms: USUAL_KEY_MS })
        }
        _ => Info::Unsupported,
    }
}

fn relay(body: &str) -> Info {
    let field = |name: &str| {
        body.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
    };
    let Some(digit) = field("Signal").and_then(|(_, value)| key(value)) else { return Info::Malformed };
    let duration = field("Duration").and_then(|(_, value)| value.trim().parse().ok());
    Info::Digit { digit, duration_ms: duration.unwrap_or(USUAL_KEY_MS).min(LONGEST_KEY_MS) }
}

/// A key by its sign or by its RFC 4733 event code: `5`, `*`, `10`.
fn key(text: &str) -> Option<Digit> {
    let text = text.trim();
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) => Digit::from_char(sign),
        _ => text.parse().ok().and_then(Digit::from_event),
    }
}

/// The body of the first part that is `application/sdp` (RFC 2046 §5.1.1).
fn sdp_part(boundary: &str, body: &[u8]) -> Option<Vec<u8>> {
    const PARTS: usize = 16;
    let delimiter = format!("--{boundary}").into_bytes();
    let starts: Vec<usize> = line_starts(body).filter(|at| body[*at..].starts_with(&delimiter)).take(PARTS).collect();
    starts.windows(2).find_map(|pair| {
        let part = &body[pair[0] + delimiter.len()..pair[1]];
        let (head, content) = split_head(part)?;
        let head = std::str::from_utf8(head).ok()?;
        let kind = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim();
            (name.eq_ignore_ascii_case("Content-Type") || name.eq_ignore_ascii_case("c")).then_some(value)
        })?;
        MediaType::parse(kind.trim()).ok().filter(|kind| kind.is("application", "sdp"))?;
        Some(content.strip_suffix(b"\r\n").unwrap_or(content).to_vec())
    })
}

fn line_starts(body: &[u8]) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1))
}

fn split_head(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&part[..at], &part[at + 4..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Headers, Method};

    fn headers(kind: &str) -> Headers {
        let mut headers = Headers::default();
        headers.add("Content-Type", kind);
        headers
    }

    fn key_of(kind: &str, body: &str) -> Info {
        info(&Request {
            method: Method::Info,
            uri: "sip:12345@192.0.2.1".parse().expect("a URI"),
            headers: headers(kind),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn an_info_names_a_key_in_the_ways_that_are_in_use() {
        let five = |duration_ms| Info::Digit { digit: Digit::from_char('5').expect("a key"), duration_ms };
        let star = |duration_ms| Info::Digit { digit: Digit::STAR, duration_ms };
        for (kind, body, expected) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", five(160)),
            ("application/dtmf-relay", "Signal= 5\nDuration= 250", five(250)),
            ("application/dtmf-relay", "signal=*\r\n", star(160)),
            ("application/dtmf-relay", "Signal=10\r\nDuration=4000000000\r\n", star(5_000)),
            ("application/dtmf-relay", "Duration=160\r\n", Info::Malformed),
            ("application/dtmf-relay", "Signal=x\r\n", Info::Malformed),
            ("application/dtmf", "5", five(160)),
            ("application/dtmf", "", Info::Nothing),
            ("application/media_control+xml", "<x/>", Info::Unsupported),
        ] {
            assert_eq!(key_of(kind, body), expected, "{kind} {body:?}");
        }
    }

    #[test]
    fn the_sdp_part_of_a_multipart_body_is_found() {
        let body = b"--b1\r\nContent-Type: application/isup\r\n\r\n\x01\x10\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=x\r\n\r\n--b1--\r\n";
        let found = session_description(&headers("multipart/mixed; boundary=\"b1\""), body);
        assert_eq!(found, Ok(Some(b"v=0\r\no=x\r\n".to_vec())));
        assert_eq!(session_description(&headers("multipart/mixed;boundary=b2"), body), Err(Unsupported));
    }

    #[test]
    fn a_foreign_body_is_refused_unless_it_is_optional() {
        let mut foreign = headers("text/plain");
        assert_eq!(session_description(&foreign, b"hello"), Err(Unsupported));
        foreign.add("Content-Disposition", "render;handling=optional");
        assert_eq!(session_description(&foreign, b"hello"), Ok(None));
        let mut packed = headers("application/sdp");
        packed.add("Content-Encoding", "gzip");
        assert_eq!(session_description(&packed, b"v=0"), Err(Unsupported));
    }
}
