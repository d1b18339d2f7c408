//! Messages to bytes.
//!
//! Content-Length is always written and always true. A CR, LF or NUL can't reach a start line or a header: a space is
//! written in its place, so that no value, wherever it came from, adds a line to a message.

use rsip::headers::{Header, Headers};

use super::header;
use super::phrase::phrase;
use super::value::write_decimal;
use crate::sip::message::{Message, Request, Response};

/// The bytes of a request.
pub fn request(request: &Request) -> Vec<u8> {
    let mut out = buffer(&request.headers, &request.body);
    text(request.method.as_str(), &mut out);
    out.push(b' ');
    let uri_at = out.len();
    request.uri.write_to(&mut out);
    out[uri_at..].iter_mut().for_each(blank_control);
    out.extend_from_slice(b" SIP/2.0\r\n");
    headers_and_body(&request.headers, &request.body, &mut out);
    out
}

/// The bytes of a response. An empty reason becomes the registered phrase of the status.
pub fn response(response: &Response) -> Vec<u8> {
    let mut out = buffer(&response.headers, &response.body);
    let code = response.status.code();
    out.extend_from_slice(b"SIP/2.0 ");
    write_decimal(u64::from(code), &mut out);
    out.push(b' ');
    text(if response.reason.is_empty() { phrase(code) } else { &response.reason }, &mut out);
    out.extend_from_slice(b"\r\n");
    headers_and_body(&response.headers, &response.body, &mut out);
    out
}

pub fn message(message: &Message) -> Vec<u8> {
    match message {
        Message::Request(one) => request(one),
        Message::Response(one) => response(one),
    }
}

/// One allocation a message: the lengths are known.
fn buffer(headers: &Headers, body: &[u8]) -> Vec<u8> {
    const START_LINE_AND_LENGTH: usize = 256;
    let lines: usize = headers.iter().map(|one| header::name(one).len() + header::value(one).len() + 4).sum();
    Vec::with_capacity(START_LINE_AND_LENGTH + lines + body.len())
}

fn headers_and_body(headers: &Headers, body: &[u8], out: &mut Vec<u8>) {
    for one in headers.iter().filter(|one| !is_content_length(one)) {
        text(header::name(one), out);
        out.extend_from_slice(b": ");
        text(header::value(one), out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Content-Length: ");
    write_decimal(body.len() as u64, out);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

fn is_content_length(one: &Header) -> bool {
    header::name(one).eq_ignore_ascii_case("Content-Length")
}

fn text(text: &str, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(text.as_bytes());
    out[at..].iter_mut().for_each(blank_control);
}

fn blank_control(byte: &mut u8) {
    if matches!(*byte, b'\r' | b'\n' | 0) {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Method, StatusCode};
    use crate::sip::wire::fields::Fields;

    #[test]
    fn a_response_has_the_registered_phrase_and_a_true_length() {
        let mut headers = Headers::default();
        headers.add("v", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
        headers.add("Content-Length", "999");
        let busy = Response { status: StatusCode::BusyHere, reason: String::new(), headers, body: b"\0\xff".to_vec() };
        assert_eq!(
            response(&busy),
            b"SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nContent-Length: 2\r\n\r\n\0\xff"
        );
    }

    #[test]
    fn no_value_adds_a_line() {
        let mut headers = Headers::default();
        headers.add("Subject", "a\r\nEvil: 1\0");
        headers.add("X\nY", "b");
        let uri = "sip:a@b".parse().expect("a URI");
        let one = Request { method: Method::Other("M\r\nX".into()), uri, headers, body: Vec::new() };
        let bytes = request(&one);
        assert_eq!(bytes, b"M  X sip:a@b SIP/2.0\r\nSubject: a  Evil: 1 \r\nX Y: b\r\nContent-Length: 0\r\n\r\n");
    }
}
