//! What a message that can't be taken is answered with.

use std::net::SocketAddr;

use rsip::headers::{Header, Headers};

use super::fields::Fields;
use super::value::{BLANK, CSeq, Via};
use super::{MAX_HEAD, header};
use crate::sip::message::{Method, Response};

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    #[error("nothing but line ends: a keep-alive")]
    Empty,
    #[error("the message is larger than 64 KiB")]
    MessageTooLarge,
    #[error("start line and headers are larger than 16 KiB")]
    HeadTooLarge,
    #[error("the body would be larger than a message may be")]
    BodyTooLarge,
    #[error("the start line is longer than 8 KiB")]
    StartLineTooLong,
    #[error("a header line is longer than 8 KiB")]
    LineTooLong,
    #[error("more than 128 headers")]
    TooManyHeaders,
    #[error("no blank line ends the headers")]
    NoBlankLine,
    #[error("a CR, LF or NUL that ends no line")]
    ControlCharacter,
    #[error("a start line that is neither a request's nor a response's")]
    StartLine,
    #[error("another version than SIP/2.0")]
    Version,
    #[error("a Request-URI that can't be read")]
    RequestUri,
    #[error("a status code outside 100-699")]
    Status,
    #[error("a header line without a name")]
    HeaderLine,
    #[error("no {0}")]
    Missing(&'static str),
    #[error("more than one {0}")]
    Repeated(&'static str),
    #[error("a {0} that can't be read")]
    Value(&'static str),
    #[error("CSeq names another method than the request")]
    MethodMismatch,
    #[error("the body is shorter than Content-Length says")]
    ShortBody,
}

impl Defect {
    /// The status that tells the sender of such a request (RFC 3261 §21.4, §21.5).
    pub const fn status(self) -> u16 {
        match self {
            Defect::BodyTooLarge => 413,
            Defect::StartLineTooLong => 414,
            Defect::Version => 505,
            Defect::MessageTooLarge | Defect::HeadTooLarge => 513,
            _ => 400,
        }
    }
}

/// Why nothing is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// CRLFs between messages (RFC 3261 §7.5, RFC 5626 §3.5.1).
    KeepAlive,
    /// Its start line is none of SIP's.
    NotSip,
    /// A response is never answered.
    Response,
    /// An ACK is never answered (RFC 3261 §17).
    Ack,
    /// Without a Via nobody could tell what was answered.
    NoVia,
}

/// A message that can't be taken: what is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{defect}")]
pub struct Malformed {
    pub defect: Defect,
    pub reply: Reply,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Answer(Box<Answer>),
    Silence(Silence),
}

/// The makings of a stateless error response: what could be read of Via, From, To, Call-ID and CSeq, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub method: Method,
    pub headers: Headers,
}

impl Answer {
    /// The response, the top Via stamped with the request's source and `to_tag` added to a To without one
    /// (RFC 3261 §8.2.6.2).
    pub fn into_response(self, source: SocketAddr, to_tag: &str) -> Response {
        let mut headers = self.headers;
        let stamped = headers.find("Via").and_then(|text| Via::parse(text).ok()).map(|via| via.stamped(source));
        if let (Some(stamped), Some(top)) = (stamped, headers.iter_mut().find(|one| matches!(one, Header::Via(_)))) {
            *top = header::make("Via", stamped);
        }
        let untagged = headers.to_header().filter(|to| to.tag().is_none()).and(headers.find("To"));
        if let Some(to) = untagged.map(|to| format!("{to};tag={to_tag}")) {
            headers.put("To", to);
        }
        Response { status: self.status.into(), reason: String::new(), headers, body: Vec::new() }
    }
}

impl Malformed {
    /// Reads what it can of bytes that have this defect.
    pub(crate) fn new(defect: Defect, bytes: &[u8]) -> Malformed {
        Malformed { defect, reply: reply(defect, bytes) }
    }

    pub fn answer(&self) -> Option<&Answer> {
        match &self.reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Silence(_) => None,
        }
    }
}

fn reply(defect: Defect, bytes: &[u8]) -> Reply {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_HEAD)]);
    let head = head.trim_start_matches(['\r', '\n']);
    if head.is_empty() {
        return Reply::Silence(Silence::KeepAlive);
    }
    let (start, lines) = head.split_once('\n').unwrap_or((head, ""));
    if start.get(..4).is_some_and(|protocol| protocol.eq_ignore_ascii_case("SIP/")) {
        return Reply::Silence(Silence::Response);
    }
    let Some(method) = request_method(start) else { return Reply::Silence(Silence::NotSip) };
    if method == Method::Ack {
        return Reply::Silence(Silence::Ack);
    }
    let headers = salvage(lines);
    if !headers.has("Via") {
        return Reply::Silence(Silence::NoVia);
    }
    Reply::Answer(Box::new(Answer { status: defect.status(), method, headers }))
}

fn request_method(start: &str) -> Option<Method> {
    let start = start.trim();
    let (method, rest) = start.split_once(' ')?;
    // a start line too long to be here whole has no version to look at
    let cut = start.len() >= super::MAX_LINE;
    let version = rest.rsplit(' ').next().unwrap_or("");
    let sip = version.get(..4).is_some_and(|protocol| protocol.eq_ignore_ascii_case("SIP/"));
    (super::value::is_token(method) && (sip || cut)).then(|| Method::from_token(method))
}

/// The headers that a response repeats, the first of each but every Via, as far as they can be told from the rest.
fn salvage(lines: &str) -> Headers {
    let mut kept: Vec<Header> = Vec::new();
    let mut folding = false;
    for line in lines.split('\n') {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        if line.starts_with(BLANK) {
            if let Some(last) = kept.pop_if(|_| folding) {
                kept.push(header::make(
                    header::name(&last),
                    format!("{} {}", header::value(&last), line.trim()).trim(),
                ));
            }
            continue;
        }
        let found = line.split_once(':').map(|(name, value)| header::make(name.trim(), value.trim()));
        let wanted = found
            .filter(|one| is_repeated_in_responses(one) && (is_via(one) || !kept.iter().any(|had| same(had, one))));
        folding = wanted.is_some();
        if kept.len() < super::MAX_HEADERS {
            kept.extend(wanted);
        }
    }
    kept.retain(|one| !matches!(one, Header::CSeq(_)) || CSeq::parse(header::value(one)).is_ok());
    kept.into()
}

fn is_repeated_in_responses(one: &Header) -> bool {
    matches!(one, Header::Via(_) | Header::From(_) | Header::To(_) | Header::CallId(_) | Header::CSeq(_))
}

fn is_via(one: &Header) -> bool {
    matches!(one, Header::Via(_))
}

fn same(one: &Header, other: &Header) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
