//! URIs: rsip's parts, our reading and writing (RFC 3261 §19.1, RFC 3966, RFC 5118 §4.1).

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use rsip::param::{Maddr, OtherParam, OtherParamValue};
use rsip::{Auth, Domain, Host, HostWithPort, Param, Scheme};

use super::text::number;

/// A URI of any scheme. A `sip:` or `sips:` URI is taken apart; any other is its scheme and the text after the
/// colon, kept byte for byte (rsip's type holds that text as the domain). Headers of a SIP URI (`?a=b`), which rsip's type
/// can't hold, ride as a last parameter whose name begins with `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(rsip::Uri);

/// Not a URI, or one that no SIP message may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a URI that can't be read")]
pub struct BadUri;

impl Uri {
    /// `sip:user@address` or, without a user, `sip:address`. The user is escaped where it has to be.
    pub fn sip(user: Option<&str>, address: SocketAddr) -> Uri {
        Uri(rsip::Uri {
            scheme: Some(Scheme::Sip),
            auth: user.map(|user| Auth { user: escape(user), password: None }),
            host_with_port: HostWithPort { host: Host::IpAddr(address.ip()), port: Some(address.port().into()) },
            params: Vec::new(),
            headers: Vec::new(),
        })
    }

    /// The scheme as written, `sip` and `sips` in lower case.
    pub fn scheme(&self) -> &str {
        match &self.0.scheme {
            Some(Scheme::Sip) | None => "sip",
            Some(Scheme::Sips) => "sips",
            Some(Scheme::Other(scheme)) => scheme,
        }
    }

    /// Whether it is `sip:` or `sips:`, so that it has a host.
    pub fn is_sip(&self) -> bool {
        !matches!(self.0.scheme, Some(Scheme::Other(_)))
    }

    pub fn is_sips(&self) -> bool {
        matches!(self.0.scheme, Some(Scheme::Sips))
    }

    pub fn is_tel(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("tel")
    }

    /// The user as written, escapes and all, without a password.
    pub fn user(&self) -> Option<&str> {
        self.0.auth.as_ref().map(|auth| auth.user.as_str())
    }

    /// Who is meant: the user of a SIP URI or the number of a `tel:` URI, escapes undone, parameters cut off
    /// (`+8613812345678` of `sip:+8613812345678;phone-context=x@host`).
    pub fn subscriber(&self) -> Option<String> {
        let raw = match &self.0.host_with_port.host {
            Host::Domain(rest) if self.is_tel() => rest.value(),
            _ => self.user()?,
        };
        let name = raw.split(';').next().unwrap_or(raw);
        Some(unescape(name).into_owned())
    }

    /// The host of a `sip:` or `sips:` URI; [`Uri::ip`] knows every way to write an address.
    pub fn host(&self) -> Option<&Host> {
        self.is_sip().then_some(&self.0.host_with_port.host)
    }

    /// The host when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host()? {
            Host::IpAddr(ip) => Some(*ip),
            Host::Domain(name) => host_ip(name.value()),
        }
    }

    pub fn port(&self) -> Option<u16> {
        self.0.host_with_port.port.map(u16::from)
    }

    /// A parameter's value, empty when it has none; names are compared without case.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.0.params.iter().map(param_parts).find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether the next proxy routes loosely (RFC 3261 §16.12).
    pub fn is_loose(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The `?…` headers as written, without the question mark.
    pub fn headers(&self) -> Option<&str> {
        self.0.params.iter().map(param_parts).find_map(|(name, _)| name.strip_prefix('?'))
    }

    /// With one parameter more, or that one changed.
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Uri {
        self.0.params.retain(|param| !param_parts(param).0.eq_ignore_ascii_case(name));
        let at = self.0.params.iter().position(|param| param_parts(param).0.starts_with('?'));
        self.0.params.insert(at.unwrap_or(self.0.params.len()), param(name, value));
        self
    }

    /// The same for another user, escaped where it has to be, and without a password.
    pub fn with_user(mut self, user: &str) -> Uri {
        self.0.auth = Some(Auth { user: escape(user), password: None });
        self
    }

    /// As a Request-URI: without the headers and the `method` parameter, which may not stand there
    /// (RFC 3261 §19.1.1).
    pub fn into_request_uri(mut self) -> Uri {
        self.0.params.retain(|param| {
            let name = param_parts(param).0;
            !name.starts_with('?') && !name.eq_ignore_ascii_case("method")
        });
        self
    }

    /// rsip's view of it.
    pub fn parts(&self) -> &rsip::Uri {
        &self.0
    }

    /// Appends its text to what is being written.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.scheme().as_bytes());
        out.push(b':');
        if let Some(auth) = &self.0.auth {
            out.extend_from_slice(auth.user.as_bytes());
            if let Some(password) = &auth.password {
                out.push(b':');
                out.extend_from_slice(password.as_bytes());
            }
            out.push(b'@');
        }
        write_host(&self.0.host_with_port.host, out);
        if let Some(port) = self.port() {
            out.push(b':');
            write_decimal(u64::from(port), out);
        }
        for param in &self.0.params {
            write_param(param, out);
        }
    }
}

impl FromStr for Uri {
    type Err = BadUri;

    fn from_str(text: &str) -> Result<Uri, BadUri> {
        Parts::read(text).map(|parts| parts.to_uri())
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(64);
        self.write_to(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// A URI that was checked but not yet copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts<'a> {
    Sip {
        secure: bool,
        user: Option<&'a str>,
        host: &'a str,
        port: Option<u16>,
        params: &'a str,
        headers: Option<&'a str>,
    },
    Other {
        scheme: &'a str,
        rest: &'a str,
    },
}

impl<'a> Parts<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Parts<'a>, BadUri> {
        if !text.bytes().all(is_uri_byte) {
            return Err(BadUri);
        }
        let (scheme, rest) = text.split_once(':').ok_or(BadUri)?;
        if scheme.eq_ignore_ascii_case("sip") {
            return sip_parts(false, rest);
        }
        if scheme.eq_ignore_ascii_case("sips") {
            return sip_parts(true, rest);
        }
        let named = scheme.bytes().enumerate().all(|(at, byte)| match byte {
            b'a'..=b'z' | b'A'..=b'Z' => true,
            b'0'..=b'9' | b'+' | b'-' | b'.' => at > 0,
            _ => false,
        });
        if scheme.is_empty() || !named || rest.is_empty() {
            return Err(BadUri);
        }
        Ok(Parts::Other { scheme, rest })
    }

    pub(crate) fn to_uri(self) -> Uri {
        Uri(match self {
            Parts::Other { scheme, rest } => rsip::Uri {
                scheme: Some(Scheme::Other(scheme.to_owned())),
                host_with_port: HostWithPort { host: Host::Domain(Domain::new(rest)), port: None },
                ..rsip::Uri::default()
            },
            Parts::Sip { secure, user, host, port, params, headers } => rsip::Uri {
                scheme: Some(if secure { Scheme::Sips } else { Scheme::Sip }),
                auth: user.map(auth),
                host_with_port: HostWithPort { host: to_host(host), port: port.map(Into::into) },
                params: uri_params(params)
                    .map(|(name, value)| param(name, value))
                    .chain(headers.map(carried))
                    .collect(),
                headers: Vec::new(),
            },
        })
    }
}

fn sip_parts(secure: bool, rest: &str) -> Result<Parts<'_>, BadUri> {
    let (user, rest) = match rest.split_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    if user.is_some_and(|user| user.is_empty() || user.starts_with(':') || !is_escaped(user)) {
        return Err(BadUri);
    }
    let (rest, headers) = match rest.split_once('?') {
        Some((rest, headers)) => (rest, Some(headers)),
        None => (rest, None),
    };
    let (host_port, params) = match rest.find(';') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = split_host_port(host_port).ok_or(BadUri)?;
    if !is_escaped(params) || !headers.is_none_or(is_escaped) {
        return Err(BadUri);
    }
    if uri_params(params).any(|(name, value)| !is_param(name) || !value.is_none_or(is_param)) {
        return Err(BadUri);
    }
    Ok(Parts::Sip { secure, user, host, port, params, headers })
}

/// `host`, `host:port`, `[v6]` and `[v6]:port`; the brackets stay with the host. `None` if it is none of them.
pub(crate) fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.starts_with('[') {
        let end = text.find(']')? + 1;
        let (host, after) = text.split_at(end);
        host[1..end - 1].parse::<Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(number(port)?))),
            None if after.is_empty() => Some((host, None)),
            None => None,
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(number(port)?)),
        None => (text, None),
    };
    is_host_name(host).then_some((host, port))
}

/// The address inside a host's text, brackets or not.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// Underscores are against RFC 3261 and in use.
fn is_host_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// An IPv6 reference that isn't in its shortest form stays text, so that it is written as it came.
fn to_host(host: &str) -> Host {
    match host_ip(host) {
        Some(IpAddr::V6(ip)) if host[1..host.len() - 1] != ip.to_string() => Host::Domain(Domain::new(host)),
        Some(ip) => Host::IpAddr(ip),
        None => Host::Domain(Domain::new(host)),
    }
}

fn auth(user: &str) -> Auth {
    match user.split_once(':') {
        Some((user, password)) => Auth { user: user.to_owned(), password: Some(password.to_owned()) },
        None => Auth { user: user.to_owned(), password: None },
    }
}

/// The parameters of `;a;b=c`; the text is empty or starts with `;`.
fn uri_params(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(';').skip(1).map(|one| match one.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (one, None),
    })
}

fn is_param(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b'=' | b'@' | b'?' | b','))
}

/// rsip's named variants only where they print as they came.
fn param(name: &str, value: Option<&str>) -> Param {
    match (name, value) {
        ("lr", None) => Param::Lr,
        ("maddr", Some(value)) => Param::Maddr(Maddr::new(value)),
        ("user", Some(value)) => Param::User(rsip::param::User::new(value)),
        (name, value) => Param::Other(OtherParam::new(name), value.map(OtherParamValue::new)),
    }
}

fn carried(headers: &str) -> Param {
    Param::Other(OtherParam::new(format!("?{headers}")), None)
}

fn param_parts(param: &Param) -> (&str, &str) {
    match param {
        Param::Lr => ("lr", ""),
        Param::Maddr(maddr) => ("maddr", maddr.value()),
        Param::User(user) => ("user", user.value()),
        Param::Other(name, value) => (name.value(), value.as_ref().map_or("", |value| value.value())),
        // `param` makes no others, and the rsip URI inside is ours alone
        _ => ("", ""),
    }
}

fn write_param(one: &Param, out: &mut Vec<u8>) {
    let (name, value) = param_parts(one);
    if name.is_empty() {
        return;
    }
    if !name.starts_with('?') {
        out.push(b';');
    }
    out.extend_from_slice(name.as_bytes());
    if !value.is_empty() {
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

fn write_host(host: &Host, out: &mut Vec<u8>) {
    let text = match host {
        Host::Domain(domain) => Cow::Borrowed(domain.value()),
        Host::IpAddr(IpAddr::V4(ip)) => Cow::Owned(ip.to_string()),
        Host::IpAddr(IpAddr::V6(ip)) => Cow::Owned(format!("[{ip}]")),
    };
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn write_decimal(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// What ends a URI or a line can't be in one; everything else printable is left to the part it stands in.
const fn is_uri_byte(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && !matches!(byte, b'<' | b'>' | b'"')
}

/// Whether every `%` begins an escape.
fn is_escaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1).is_some_and(u8::is_ascii_hexdigit) && bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit)
    })
}

/// Undoes `%41`; what is no escape, or makes no UTF-8, stays as it is.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Escapes what may not stand in a user part.
fn escape(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap_or_else(|BadUri| panic!("{text} is a URI"))
    }

    #[test]
    fn what_is_read_is_written_byte_for_byte() {
        for text in [
            "sip:john.doe@host",
            "sip:12345@192.0.2.1:5060;transport=tcp;lr",
            "sips:a:secret@example.com",
            "sip:[2001:db8::10]",
            "sip:[2001:DB8:0::10]",
            "sip:bob@[2001:db8::10]:5070;maddr=[2001:db8::1]",
            "sip:user;par=u%40example.net@example.com",
            "sip:sips%3Auser%40example.com@example.net",
            "sip:a@b;Transport=UDP;x?Route=%3Csip:example.com%3E&a=",
            "tel:+1-212-555-0101;phone-context=+1",
            "TEL:12345",
            "soap.beep://192.0.2.103:3002",
            "urn:service:sos",
            "isbn:2983792873",
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        ] {
            assert_eq!(uri(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for text in [
            "",
            "sip:",
            "sip:@host",
            "sip::x@host",
            "alan@example.com",
            "sip:a@b@c",
            "sip:a b@c",
            "sip:a@b;;lr",
            "sip:a@b;",
            "<sip:a@b>",
            "sip:a@b:",
            "sip:a@b:70000",
            "sip:2001:db8::10",
            "sip:[2001:db8::10",
            "sip:[1.2.3.4]",
            "sip:a%4@b",
            "sip:a%zz@b",
            "sip:a@b;x=%",
            "1sip:a",
            ":a",
            "sip:a@[::1]5060",
            "sip:a@h\u{e9}",
        ] {
            assert_eq!(text.parse::<Uri>(), Err(BadUri), "{text}");
        }
    }

    #[test]
    fn the_parts_are_found() {
        let one = uri("sip:+8613812345678;phone-context=x@[2001:db8::10]:5070;Transport=tcp;lr");
        assert_eq!(one.subscriber().as_deref(), Some("+8613812345678"));
        assert_eq!((one.ip(), one.port()), (Some("2001:db8::10".parse().expect("an address")), Some(5070)));
        assert_eq!(uri("sip:[2001:DB8:0::10]").ip(), one.ip());
        assert_eq!((one.param("transport"), one.is_loose()), (Some("tcp"), true));
        assert_eq!(uri("tel:+86-891-12345;isub=1").subscriber().as_deref(), Some("+86-891-12345"));
        assert_eq!(uri("sip:%75se%72@example.com").subscriber().as_deref(), Some("user"));
        assert_eq!(uri("sip:example.com").subscriber(), None);
        assert_eq!(uri("sip:a@b;method=BYE;x?Subject=y").into_request_uri().to_string(), "sip:a@b;x");
        assert_eq!(uri("sip:a@b?x=y").with_param("lr", None).to_string(), "sip:a@b;lr?x=y");
    }

    #[test]
    fn a_made_uri_reads_as_itself() {
        let made = Uri::sip(Some("a b@c"), "[::1]:5060".parse().expect("an address"));
        assert_eq!(made.to_string(), "sip:a%20b%40c@[::1]:5060");
        assert_eq!(uri(&made.to_string()), made);
        let other = uri("sip:a:secret@host:5070;transport=tcp").with_user("+8613812345678");
        assert_eq!(other.to_string(), "sip:+8613812345678@host:5070;transport=tcp");
    }
}
