//! What a request must be before anybody looks at what it wants (RFC 3261 §8.2), and whether new calls are let in.

use super::Endpoint;
use super::command::Admission;
use super::identity::{ACCEPT, ALLOW, OPTIONS};
use crate::sip::content;
use crate::sip::message::{Method, Request};
use crate::sip::wire::fields::Fields;
use crate::sip::wire::value::MediaType;

/// A request that is answered at once with an error, and the headers that explain it.
#[derive(Debug)]
pub(super) struct Unfit {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
}

/// Whether a request is part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Inside,
    Outside,
}

impl Endpoint {
    /// The inspection of RFC 3261 §8.2.1-8.2.3: method, URI, Require, body. Max-Forwards 0 is a proxy's affair
    /// (§16.3): the endpoint that a request reaches takes it.
    pub(super) fn check(&self, request: &Request, scope: Scope) -> Result<(), Unfit> {
        check_method(&request.method)?;
        if scope == Scope::Outside {
            check_uri(request)?;
        }
        check_required(request)?;
        check_accepted(request)?;
        check_body(request, self.config.max_body)
    }

    /// The status for a new call, or for an OPTIONS that asks what a call would get, if it is not let in.
    pub(super) fn refusal(&self, busy: bool) -> Option<(u16, Vec<(&'static str, String)>)> {
        match self.admission {
            Admission::Draining { retry_after_s } => Some((503, vec![("Retry-After", retry_after_s.to_string())])),
            Admission::Late => Some((503, Vec::new())),
            Admission::Full => Some((486, Vec::new())),
            Admission::Open if busy => Some((486, Vec::new())),
            Admission::Open => None,
        }
    }
}

/// §8.2.1: a method that we know and don't take is 405, one that we don't know 501 (§21.5.2). REFER is among the
/// former: nobody makes this endpoint dial.
fn check_method(method: &Method) -> Result<(), Unfit> {
    match method {
        Method::Invite
        | Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Options
        | Method::Prack
        | Method::Update
        | Method::Info => Ok(()),
        Method::Register | Method::Refer | Method::Subscribe | Method::Notify | Method::Message | Method::Publish => {
            Err(unfit(405, [("Allow", ALLOW.to_owned())]))
        }
        Method::Other(_) => Err(unfit(501, [("Allow", ALLOW.to_owned())])),
    }
}

/// §8.2.2.1: `sip:`, and `tel:` which trunks put there; `sips:` promises what we can't keep.
fn check_uri(request: &Request) -> Result<(), Unfit> {
    let known = request.uri.is_tel() || request.uri.is_sip() && !request.uri.is_sips();
    if known { Ok(()) } else { Err(unfit(416, [])) }
}

/// §8.2.2.3. `Replaces` is not among ours: an INVITE that requires it gets 420, one that merely carries it is a call of its
/// own, as from any user agent without the extension (RFC 3891 §3), and takes nobody else's over.
fn check_required(request: &Request) -> Result<(), Unfit> {
    let unknown: Vec<_> = request.headers.unknown_options("Require", &OPTIONS).collect();
    if unknown.is_empty() { Ok(()) } else { Err(unfit(420, [("Unsupported", unknown.join(", "))])) }
}

/// §21.4.7: an INVITE whose sender takes no SDP back can't be answered. Without an Accept it takes SDP (§20.1).
fn check_accepted(request: &Request) -> Result<(), Unfit> {
    if request.method != Method::Invite || !request.headers.has("Accept") {
        return Ok(());
    }
    let takes_sdp = request
        .headers
        .elements("Accept")
        .filter_map(|range| MediaType::parse(range).ok())
        .any(|range| range.is("application", "sdp") || range.is("application", "*") || range.is("*", "*"));
    if takes_sdp { Ok(()) } else { Err(unfit(406, [])) }
}

fn check_body(request: &Request, max: usize) -> Result<(), Unfit> {
    if request.body.len() > max {
        return Err(unfit(413, []));
    }
    let sessions = matches!(request.method, Method::Invite | Method::Update | Method::Prack);
    if sessions && content::session_description(&request.headers, &request.body).is_err() {
        return Err(unsupported_body());
    }
    Ok(())
}

/// §8.2.3
pub(super) fn unsupported_body() -> Unfit {
    unfit(415, [("Accept", ACCEPT.to_owned()), ("Accept-Encoding", "identity".to_owned())])
}

fn unfit<const N: usize>(status: u16, headers: [(&'static str, String); N]) -> Unfit {
    Unfit { status, headers: headers.into() }
}
