//! One whole message: a datagram, or what [`super::frame::Framer`] cut out of a stream.

use rsip::headers::{Header, Headers};

use super::lex::Head;
use super::malformed::{Defect, Malformed};
use super::value::{NameAddr, Uri, Via, delta_seconds, is_token, list, max_forwards, split_cseq};
use super::{MAX_HEADERS, MAX_MESSAGE, header};
use crate::sip::message::{Message, Method, Request, Response};

/// Reads a message (RFC 3261 §7).
///
/// What comes back can be relied on: Via, From, To, Call-ID and CSeq are there, once where once is right, and readable;
/// CSeq names the request's method; Max-Forwards, Contact, Route and Record-Route are readable where they are there. A
/// list in Via, Contact, Route or Record-Route is split, one header a value. Content-Length is not among the headers:
/// the body is cut to it (RFC 3261 §18.3), and the writer writes it anew. Without one the body is all that follows.
///
/// # Errors
/// What is wrong, and the response it earns or why there is none.
pub fn parse(bytes: &[u8]) -> Result<Message, Malformed> {
    let bytes = skip_line_ends(bytes);
    read(bytes).map_err(|defect| Malformed::new(defect, bytes))
}

/// CRLFs before a start line mean nothing (RFC 3261 §7.5).
fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let at = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[at..]
}

fn read(bytes: &[u8]) -> Result<Message, Defect> {
    if bytes.is_empty() {
        return Err(Defect::Empty);
    }
    if bytes.len() > MAX_MESSAGE {
        return Err(Defect::MessageTooLarge);
    }
    let (head, rest) = Head::split(bytes)?;
    let start = StartLine::read(head.start_line())?;
    let (headers, length) = headers(&head)?;
    check(&headers)?;
    let body = body(rest, length)?.to_vec();
    match start {
        StartLine::Request { method, uri } => {
            let (_, named) = cseq(&headers)?;
            if named != method {
                return Err(Defect::MethodMismatch);
            }
            let method = Method::from_token(method);
            Ok(Message::Request(Request { method, uri, headers, body }))
        }
        StartLine::Response { code, reason } => {
            let reason = reason.to_owned();
            Ok(Message::Response(Response { status: code.into(), reason, headers, body }))
        }
    }
}

enum StartLine<'a> {
    Request { method: &'a str, uri: Uri },
    Response { code: u16, reason: &'a str },
}

impl<'a> StartLine<'a> {
    fn read(line: &'a str) -> Result<StartLine<'a>, Defect> {
        let (first, rest) = line.split_once(' ').ok_or(Defect::StartLine)?;
        if first.contains('/') {
            return StartLine::response(first, rest);
        }
        let (uri, version) = rest.rsplit_once(' ').ok_or(Defect::StartLine)?;
        if !is_token(first) {
            return Err(Defect::StartLine);
        }
        version_two(version)?;
        let uri: Uri = uri.parse().map_err(|_| Defect::RequestUri)?;
        if uri.headers().is_some() {
            // headers have no place in a Request-URI (RFC 3261 §19.1.1)
            return Err(Defect::RequestUri);
        }
        Ok(StartLine::Request { method: first, uri })
    }

    fn response(version: &str, rest: &'a str) -> Result<StartLine<'a>, Defect> {
        version_two(version)?;
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let digits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        let code = code.parse().ok().filter(|code| digits && (100..700).contains(code)).ok_or(Defect::Status)?;
        Ok(StartLine::Response { code, reason })
    }
}

fn version_two(version: &str) -> Result<(), Defect> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let other = version.get(..4).filter(|protocol| protocol.eq_ignore_ascii_case("SIP/"));
    let numbers = version.get(4..).and_then(|numbers| numbers.split_once('.'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (other, numbers) {
        (Some(_), Some((major, minor))) if digits(major) && digits(minor) => Err(Defect::Version),
        _ => Err(Defect::StartLine),
    }
}

/// All headers but Content-Length, and its value.
fn headers(head: &Head<'_>) -> Result<(Headers, Option<u32>), Defect> {
    let mut headers: Vec<Header> = Vec::with_capacity(24);
    let mut length = None;
    for line in head.headers() {
        let (name, value) = line?;
        match header::make(&name, value) {
            Header::ContentLength(value) => {
                let value = delta_seconds(&String::from(value)).map_err(|_| Defect::Value("Content-Length"))?;
                if length.replace(value).is_some() {
                    return Err(Defect::Repeated("Content-Length"));
                }
            }
            one => push(one, &mut headers),
        }
        if headers.len() > MAX_HEADERS {
            return Err(Defect::TooManyHeaders);
        }
    }
    Ok((headers.into(), length))
}

fn push(one: Header, headers: &mut Vec<Header>) {
    let listed = matches!(one, Header::Via(_) | Header::Contact(_) | Header::Route(_) | Header::RecordRoute(_));
    if !listed || !header::value(&one).contains(',') {
        return headers.push(one);
    }
    let name = header::name(&one);
    headers.extend(list(header::value(&one)).take(MAX_HEADERS + 1).map(|value| header::make(name, value)));
}

fn body(rest: &[u8], length: Option<u32>) -> Result<&[u8], Defect> {
    let Some(length) = length else { return Ok(rest) };
    let length = length as usize;
    if length > MAX_MESSAGE {
        return Err(Defect::BodyTooLarge);
    }
    rest.get(..length).ok_or(Defect::ShortBody)
}

/// The single headers: how often each was seen, in the order of [`SINGLE`].
const SINGLE: [&str; 6] = ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type"];
const MANDATORY: usize = 4;

fn check(headers: &Headers) -> Result<(), Defect> {
    let mut seen = [false; SINGLE.len()];
    let mut via = false;
    for one in headers.iter() {
        let value = header::value(one);
        let single = match one {
            Header::From(_) => 0,
            Header::To(_) => 1,
            Header::CallId(_) => 2,
            Header::CSeq(_) => 3,
            Header::MaxForwards(_) => 4,
            Header::ContentType(_) => 5,
            Header::Via(_) => {
                via = true;
                Via::parse(value).map_err(|_| Defect::Value("Via"))?;
                continue;
            }
            Header::Contact(_) if value == "*" => continue,
            Header::Contact(_) | Header::Route(_) | Header::RecordRoute(_) => {
                NameAddr::parse(value).map_err(|_| Defect::Value(address_name(one)))?;
                continue;
            }
            _ => continue,
        };
        if std::mem::replace(&mut seen[single], true) {
            return Err(Defect::Repeated(SINGLE[single]));
        }
        check_single(single, value).map_err(|()| Defect::Value(SINGLE[single]))?;
    }
    if !via {
        return Err(Defect::Missing("Via"));
    }
    match seen[..MANDATORY].iter().position(|seen| !seen) {
        Some(missing) => Err(Defect::Missing(SINGLE[missing])),
        None => Ok(()),
    }
}

fn check_single(single: usize, value: &str) -> Result<(), ()> {
    let sound = match single {
        0 | 1 => NameAddr::parse(value).is_ok(),
        2 => is_call_id(value),
        3 => split_cseq(value).is_ok(),
        4 => max_forwards(value).is_ok(),
        _ => true,
    };
    if sound { Ok(()) } else { Err(()) }
}

fn is_call_id(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b',')
}

fn address_name(one: &Header) -> &'static str {
    match one {
        Header::Contact(_) => "Contact",
        Header::Route(_) => "Route",
        _ => "Record-Route",
    }
}

fn cseq(headers: &Headers) -> Result<(u32, &str), Defect> {
    let value = headers.iter().find(|one| matches!(one, Header::CSeq(_))).map_or("", header::value);
    split_cseq(value).map_err(|_| Defect::Value("CSeq"))
}

#[cfg(test)]
mod tests {
    use super::super::fields::Fields;
    use super::super::malformed::{Reply, Silence};
    use super::*;

    const HEADERS: &str =
        "v: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/TCP b\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\n";

    fn request(start: &str, more: &str) -> Result<Message, Malformed> {
        parse(format!("{start}\r\n{HEADERS}{more}").as_bytes())
    }

    #[test]
    fn a_request_is_cut_at_its_length_and_its_lists_are_split() {
        let message =
            request("BYE sip:a@b SIP/2.0", "CSeq: 1 BYE\r\nl: 2\r\nContact: <sip:a,b@c>, sip:d@e\r\n\r\n\0\u{ff}rest");
        let Ok(Message::Request(request)) = message else { panic!("a request: {message:?}") };
        assert_eq!(request.body, [0, 0xc3]);
        assert_eq!(request.headers.all("Via").collect::<Vec<_>>(), ["SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/2.0/TCP b"]);
        assert_eq!(request.headers.all("Contact").collect::<Vec<_>>(), ["<sip:a,b@c>", "sip:d@e"]);
        assert!(!request.headers.has("Content-Length"));
        assert_eq!(request.headers.from_tag(), Some("1"));
    }

    #[test]
    fn each_defect_earns_its_status() {
        let start = "BYE sip:a@b SIP/2.0";
        let x = "x".repeat(9000);
        for (start, more, defect, status) in [
            (start, "CSeq: 1 BYE\r\nl: 1\r\n\r\n", Defect::ShortBody, 400),
            (start, "CSeq: 1 BYE\r\nl: -1\r\n\r\n", Defect::Value("Content-Length"), 400),
            (start, "CSeq: 1 BYE\r\nl: 0\r\nContent-Length: 0\r\n\r\n", Defect::Repeated("Content-Length"), 400),
            (start, "CSeq: 1 BYE\r\nl: 65537\r\n\r\n", Defect::BodyTooLarge, 413),
            (start, "CSeq: 1 BYE\r\n", Defect::NoBlankLine, 400),
            (start, "\r\n", Defect::Missing("CSeq"), 400),
            (start, "CSeq: 1 INVITE\r\n\r\n", Defect::MethodMismatch, 400),
            (start, "CSeq: 1 BYE\r\nTo: <sip:x@y>\r\n\r\n", Defect::Repeated("To"), 400),
            (start, "CSeq: 1 BYE\r\nRoute: <sip:x\r\n\r\n", Defect::Value("Route"), 400),
            (start, "CSeq: 1 BYE\r\nnothing\r\n\r\n", Defect::HeaderLine, 400),
            (start, &format!("CSeq: 1 BYE\r\nX: {x}\r\n\r\n"), Defect::LineTooLong, 400),
            (start, &"X: y\r\n".repeat(4000), Defect::HeadTooLarge, 513),
            (start, &format!("CSeq: 1 BYE\r\n{}\r\n", "X: y\r\n".repeat(128)), Defect::TooManyHeaders, 400),
            (start, &format!("CSeq: 1 BYE\r\n\r\n{}", x.repeat(8)), Defect::MessageTooLarge, 513),
            ("BYE sip:a@b SIP/3.0", "CSeq: 1 BYE\r\n\r\n", Defect::Version, 505),
            ("BYE sip:a@b  SIP/2.0", "CSeq: 1 BYE\r\n\r\n", Defect::RequestUri, 400),
            (&format!("BYE sip:{x}@b SIP/2.0"), "CSeq: 1 BYE\r\n\r\n", Defect::StartLineTooLong, 414),
        ] {
            let malformed = request(start, more).expect_err("malformed");
            let answer = malformed.answer().unwrap_or_else(|| panic!("{defect} is answered"));
            assert_eq!((malformed.defect, answer.status), (defect, status));
            assert_eq!((answer.headers.call_id(), &answer.method), (Some("x"), &Method::Bye));
        }
    }

    #[test]
    fn what_gets_no_answer_says_why() {
        for (bytes, why) in [
            (&b"\r\n\r\n"[..], Silence::KeepAlive),
            (b"", Silence::KeepAlive),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Silence::NotSip),
            (b"\xff\xfe\0\0", Silence::NotSip),
            (b"SIP/2.0 200 OK\r\n\r\n", Silence::Response),
            (b"SIP/2.0 099 X\r\n\r\n", Silence::Response),
            (b"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n", Silence::Ack),
            (b"BYE sip:a@b SIP/2.0\r\nCall-ID: x\r\n\r\n", Silence::NoVia),
        ] {
            assert_eq!(parse(bytes).expect_err("malformed").reply, Reply::Silence(why));
        }
    }

    #[test]
    fn an_answer_repeats_what_was_readable_and_gets_a_tag() {
        let bytes =
            b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;rport\r\nTo:\r\n <sip:c@d>\r\nCSeq: no\r\nX: y\r\n z\r\n\r\n";
        let Reply::Answer(answer) = parse(bytes).expect_err("malformed").reply else { panic!("an answer") };
        let response = answer.into_response("192.0.2.7:999".parse().expect("an address"), "t1");
        assert_eq!(
            String::from_utf8(super::super::emit::response(&response)).expect("text"),
            "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP a;received=192.0.2.7;rport=999\r\nTo: <sip:c@d>;tag=t1\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
