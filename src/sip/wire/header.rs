//! Header names: rsip's variants, their spelling, and the compact forms (RFC 3261 §7.3.3).

use rsip::headers::{Header, UntypedHeader};

/// A header by its name, full or compact, in any case. A name that rsip doesn't know keeps its spelling; its compact
/// form is expanded.
pub fn make(name: &str, value: impl Into<String>) -> Header {
    known(name, value.into())
}

macro_rules! headers {
    ($($variant:ident, $name:literal, $($key:literal)|+;)*) => {
        fn known(name: &str, value: String) -> Header {
            let mut buffer = [0u8; LONGEST];
            match lower(name, &mut buffer) {
                $($(Some($key))|+ => Header::$variant(rsip::headers::$variant::new(value)),)*
                key => Header::Other(key.and_then(extension).unwrap_or(name).to_owned(), value),
            }
        }

        /// The header's name as it is written.
        pub fn name(header: &Header) -> &str {
            match header {
                $(Header::$variant(_) => $name,)*
                Header::Other(name, _) => name,
            }
        }

        /// The header's value as it is written.
        pub fn value(header: &Header) -> &str {
            match header {
                $(Header::$variant(header) => header.value(),)*
                Header::Other(_, value) => value,
            }
        }

    };
}

headers! {
    Accept, "Accept", "accept";
    AcceptEncoding, "Accept-Encoding", "accept-encoding";
    AcceptLanguage, "Accept-Language", "accept-language";
    AlertInfo, "Alert-Info", "alert-info";
    Allow, "Allow", "allow";
    AuthenticationInfo, "Authentication-Info", "authentication-info";
    Authorization, "Authorization", "authorization";
    CSeq, "CSeq", "cseq";
    CallId, "Call-ID", "call-id" | "i";
    CallInfo, "Call-Info", "call-info";
    Contact, "Contact", "contact" | "m";
    ContentDisposition, "Content-Disposition", "content-disposition";
    ContentEncoding, "Content-Encoding", "content-encoding" | "e";
    ContentLanguage, "Content-Language", "content-language";
    ContentLength, "Content-Length", "content-length" | "l";
    ContentType, "Content-Type", "content-type" | "c";
    Date, "Date", "date";
    ErrorInfo, "Error-Info", "error-info";
    Event, "Event", "event" | "o";
    Expires, "Expires", "expires";
    From, "From", "from" | "f";
    InReplyTo, "In-Reply-To", "in-reply-to";
    MaxForwards, "Max-Forwards", "max-forwards";
    MimeVersion, "MIME-Version", "mime-version";
    MinExpires, "Min-Expires", "min-expires";
    Organization, "Organization", "organization";
    Priority, "Priority", "priority";
    ProxyAuthenticate, "Proxy-Authenticate", "proxy-authenticate";
    ProxyAuthorization, "Proxy-Authorization", "proxy-authorization";
    ProxyRequire, "Proxy-Require", "proxy-require";
    RecordRoute, "Record-Route", "record-route";
    ReplyTo, "Reply-To", "reply-to";
    Require, "Require", "require";
    RetryAfter, "Retry-After", "retry-after";
    Route, "Route", "route";
    Server, "Server", "server";
    Subject, "Subject", "subject" | "s";
    SubscriptionState, "Subscription-State", "subscription-state";
    Supported, "Supported", "supported" | "k";
    Timestamp, "Timestamp", "timestamp";
    To, "To", "to" | "t";
    Unsupported, "Unsupported", "unsupported";
    UserAgent, "User-Agent", "user-agent";
    Via, "Via", "via" | "v";
    Warning, "Warning", "warning";
    WwwAuthenticate, "WWW-Authenticate", "www-authenticate";
}

pub(crate) fn is_content_length_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l")
}

/// Longer than every name above.
const LONGEST: usize = 24;

/// The name in lower case; `None` when it is longer than every name we know.
fn lower<'b>(name: &str, buffer: &'b mut [u8; LONGEST]) -> Option<&'b str> {
    let buffer = buffer.get_mut(..name.len())?;
    buffer.copy_from_slice(name.as_bytes());
    buffer.make_ascii_lowercase();
    std::str::from_utf8(buffer).ok()
}

/// The full name of a compact form of an RFC after 3261.
fn extension(compact: &str) -> Option<&'static str> {
    Some(match compact {
        "x" => "Session-Expires",
        "r" => "Refer-To",
        "b" => "Referred-By",
        "u" => "Allow-Events",
        "a" => "Accept-Contact",
        "j" => "Reject-Contact",
        "d" => "Request-Disposition",
        "y" => "Identity",
        "n" => "Identity-Info",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_one_header() {
        for (given, written) in [
            ("v", "Via"),
            ("VIA", "Via"),
            ("i", "Call-ID"),
            ("call-id", "Call-ID"),
            ("www-authenticate", "WWW-Authenticate"),
            ("X", "Session-Expires"),
            ("session-expires", "session-expires"),
            ("Subscription-State", "Subscription-State"),
            ("proxy-authorization", "Proxy-Authorization"),
            ("X-Something-Longer-Than-Every-Known-Name", "X-Something-Longer-Than-Every-Known-Name"),
        ] {
            let header = make(given, "value");
            assert_eq!((name(&header), value(&header)), (written, "value"));
        }
    }
}
