//! Via (RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5).

use std::net::{IpAddr, SocketAddr};

use super::text::{is_token, number, trim};
use super::uri::{host_ip, split_host_port};
use super::{BadValue, Params};

/// What every transaction identifier of RFC 3261 begins with.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// As written: `UDP`, `TCP`, or something else.
    pub transport: &'a str,
    /// The sent-by host as written, an IPv6 address in its brackets.
    pub host: &'a str,
    pub port: Option<u16>,
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// # Errors
    /// Another protocol than `SIP/2.0`, a sent-by that is no host, bad parameters, or a `received` that is no address.
    pub fn parse(text: &'a str) -> Result<Via<'a>, BadValue> {
        let bad = BadValue("Via");
        let (protocol, rest) = text.split_once('/').ok_or(bad)?;
        let (version, rest) = rest.split_once('/').ok_or(bad)?;
        if !trim(protocol).eq_ignore_ascii_case("SIP") || trim(version) != "2.0" {
            return Err(bad);
        }
        let rest = trim(rest);
        let (transport, rest) = rest.split_at(rest.find([' ', '\t']).ok_or(bad)?);
        let (sent_by, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let (host, port) = sent_by_parts(trim(sent_by)).ok_or(bad)?;
        let via = Via { transport, host, port, params: Params::parse(params)? };
        let received = via.params.get("received");
        if !is_token(transport) || received.is_some_and(|text| host_ip(text).is_none()) {
            return Err(bad);
        }
        Ok(via)
    }

    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The branch, when it identifies the transaction as RFC 3261 §8.1.1.7 says: the cookie and something after it.
    pub fn magic_branch(&self) -> Option<&'a str> {
        let (cookie, rest) = self.branch()?.split_at_checked(MAGIC_COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty()).then_some(self.branch()?)
    }

    /// The address that the request was seen to come from, with or without brackets (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        host_ip(self.params.get("received")?)
    }

    /// Whether the sender asked for responses to its source port (RFC 3581).
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    pub fn rport(&self) -> Option<u16> {
        number(self.params.get("rport")?)
    }

    /// Sent-by as an address, default port 5060.
    pub fn sent_by_address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(host_ip(self.host)?, self.port.unwrap_or(5060)))
    }

    /// This value as the receiver of a request keeps it: `received` when sent-by says another address than the
    /// source's, and `rport` filled in when it was asked for (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn stamped(&self, source: SocketAddr) -> String {
        let mut value = format!("SIP/2.0/{} {}", self.transport, self.host);
        if let Some(port) = self.port {
            value.push_str(&format!(":{port}"));
        }
        for (name, given) in self.params.iter() {
            if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
                continue;
            }
            value.push(';');
            value.push_str(name);
            if let Some(given) = given {
                value.push('=');
                value.push_str(given);
            }
        }
        if self.wants_rport() || host_ip(self.host) != Some(source.ip()) {
            value.push_str(&format!(";received={}", source.ip()));
        }
        if self.wants_rport() {
            value.push_str(&format!(";rport={}", source.port()));
        }
        value
    }
}

fn sent_by_parts(text: &str) -> Option<(&str, Option<u16>)> {
    // white space is allowed around the colon only
    let Some(at) = text.rfind(':').filter(|_| text.contains([' ', '\t'])) else { return split_host_port(text) };
    let (host, none) = split_host_port(trim(&text[..at]))?;
    match none {
        None => Some((host, Some(number(trim(&text[at + 1..]))?))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_gives_its_parts() {
        let via = Via::parse("SIP  / 2.0  /UDP  192.0.2.2:5061 ;branch=z9hG4bK390skdjuw;rport").expect("a Via");
        assert_eq!((via.transport, via.host, via.port), ("UDP", "192.0.2.2", Some(5061)));
        assert_eq!((via.branch(), via.magic_branch()), (Some("z9hG4bK390skdjuw"), Some("z9hG4bK390skdjuw")));
        assert_eq!((via.wants_rport(), via.rport()), (true, None));
        let spaced = Via::parse("SIP/2.0/TCP spindle.example.com : 5070").expect("a Via");
        assert_eq!((spaced.host, spaced.port, spaced.magic_branch()), ("spindle.example.com", Some(5070), None));
        let six =
            Via::parse("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3-111").expect("a Via");
        assert_eq!(six.received(), Some("2001:db8::9:255".parse().expect("an address")));
        assert_eq!(six.sent_by_address(), Some("[2001:db8::9:1]:5060".parse().expect("an address")));
        let bracketed = Via::parse("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]").expect("a Via");
        assert_eq!(bracketed.received(), six.received());
    }

    #[test]
    fn the_source_is_stamped_in() {
        let source: SocketAddr = "192.0.2.1:6000".parse().expect("an address");
        let stamped = |text| Via::parse(text).expect("a Via").stamped(source);
        assert_eq!(stamped("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"), "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
        assert_eq!(
            stamped("SIP/2.0/UDP pc.example:5070;received=10.0.0.1;branch=z9hG4bK1"),
            "SIP/2.0/UDP pc.example:5070;branch=z9hG4bK1;received=192.0.2.1"
        );
        assert_eq!(
            stamped("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1"),
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1;rport=6000"
        );
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/7.0/UDP c.example.com",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDP a:b",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP a;received=b",
            "SIP/2.0/ UDP",
            "HTTP/2.0/TCP a",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }
}
