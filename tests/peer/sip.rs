//! SIP as text: built by hand, read strictly. What this reader refuses, our service must never send.

use std::fmt::Write;
use std::net::SocketAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// Request or status line, without its CRLF.
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sip {
    pub fn request(method: &str, uri: &str) -> Sip {
        Sip { first: format!("{method} {uri} SIP/2.0"), headers: Vec::new(), body: Vec::new() }
    }

    /// A response to `request` with the headers RFC 3261 §8.2.6.2 copies; `tag` is added to To when it has none.
    pub fn response(request: &Sip, status: u16, reason: &str, tag: &str) -> Sip {
        let mut response = Sip { first: format!("SIP/2.0 {status} {reason}"), headers: Vec::new(), body: Vec::new() };
        for (name, value) in &request.headers {
            match name.to_ascii_lowercase().as_str() {
                "via" | "from" | "call-id" | "cseq" | "record-route" => {
                    response.headers.push((name.clone(), value.clone()));
                }
                "to" if parameter(value, "tag").is_none() && status > 100 => {
                    response.headers.push((name.clone(), format!("{value};tag={tag}")));
                }
                "to" => response.headers.push((name.clone(), value.clone())),
                _ => {}
            }
        }
        response
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Sip {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn with_body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Sip {
        let mut message = self.with("Content-Type", content_type);
        message.body = body.into();
        message
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").expect("a String takes all");
        }
        write!(text, "Content-Length: {}\r\n\r\n", self.body.len()).expect("a String takes all");
        let mut bytes = text.into_bytes();
        bytes.extend(&self.body);
        bytes
    }

    /// One whole message; every deviation from the long form of RFC 3261 is an error.
    pub fn parse(bytes: &[u8]) -> Result<Sip, String> {
        let message = Sip::read(bytes)?;
        message.check()?;
        Ok(message)
    }

    /// One whole message of a program that is not to be judged here.
    pub fn read(bytes: &[u8]) -> Result<Sip, String> {
        let end = find(bytes, b"\r\n\r\n").ok_or("no empty line after the headers")?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "headers that are not UTF-8")?;
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        if head.replace("\r\n", "").contains(['\r', '\n', '\0']) {
            return Err("a bare CR, LF or NUL in the headers".into());
        }
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon in {line:?}"))?;
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
            {
                return Err(format!("{name:?} is no header name"));
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Sip { first, headers, body: bytes[end + 4..].to_vec() })
    }

    /// The length of the first message in a stream, when all of it is there (RFC 3261 §18.3).
    pub fn framed(bytes: &[u8]) -> Result<Option<usize>, String> {
        let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let head = String::from_utf8_lossy(&bytes[..end]);
        let length = head
            .split("\r\n")
            .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))
            .ok_or("a message without Content-Length on a stream")?;
        let length: usize = length.1.trim().parse().map_err(|_| "a Content-Length that is no number")?;
        Ok((bytes.len() >= end + 4 + length).then_some(end + 4 + length))
    }

    fn check(&self) -> Result<(), String> {
        let length = self.one("Content-Length")?;
        if length != self.body.len().to_string() {
            return Err(format!("Content-Length {length}, body of {} bytes", self.body.len()));
        }
        if !self.body.is_empty() && self.header("Content-Type").is_none() {
            return Err("a body without Content-Type".into());
        }
        for name in ["From", "To", "Call-ID", "CSeq"] {
            self.one(name)?;
        }
        let via = self.list("Via");
        let top = via.first().ok_or("no Via")?;
        if !top.starts_with("SIP/2.0/") || parameter(top, "branch").is_none_or(|branch| !branch.starts_with("z9hG4bK"))
        {
            return Err(format!("Via {top:?}"));
        }
        let cseq = self.one("CSeq")?;
        let (number, method) = cseq.split_once(' ').ok_or_else(|| format!("CSeq {cseq:?}"))?;
        if number.parse::<u32>().is_err() {
            return Err(format!("CSeq {cseq:?}"));
        }
        match self.status() {
            Some(status) => self.check_response(status, method),
            None => self.check_request(method),
        }
    }

    fn check_response(&self, status: u16, method: &str) -> Result<(), String> {
        if !(100..700).contains(&status) {
            return Err(format!("status {status}"));
        }
        if status > 100 && parameter(self.one("To")?, "tag").is_none() {
            return Err(format!("{status} without a tag in To"));
        }
        if method == "INVITE" && (200..300).contains(&status) && self.list("Contact").len() != 1 {
            return Err("2xx to INVITE without one Contact".into());
        }
        if status == 405 && self.header("Allow").is_none() {
            return Err("405 without Allow".into());
        }
        if status == 420 && self.header("Unsupported").is_none() {
            return Err("420 without Unsupported".into());
        }
        Ok(())
    }

    fn check_request(&self, method: &str) -> Result<(), String> {
        let mut parts = self.first.split(' ');
        let (Some(start), Some(uri), Some("SIP/2.0"), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("start line {:?}", self.first));
        };
        if start != method {
            return Err(format!("{start} with CSeq of {method}"));
        }
        if !uri.contains(':') {
            return Err(format!("Request-URI {uri:?}"));
        }
        let hops = self.one("Max-Forwards")?;
        if hops.parse::<u8>().is_err() {
            return Err(format!("Max-Forwards {hops:?}"));
        }
        if parameter(self.one("From")?, "tag").is_none() {
            return Err("From without a tag".into());
        }
        if method == "INVITE" && self.list("Contact").len() != 1 {
            return Err("INVITE without one Contact".into());
        }
        Ok(())
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        if self.status().is_some() { None } else { self.first.split(' ').next() }
    }

    pub fn uri(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.first.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a header that must be there once.
    pub fn one(&self, name: &str) -> Result<&str, String> {
        let count = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count();
        if count == 1 { Ok(self.header(name).expect("counted")) } else { Err(format!("{count} {name} headers")) }
    }

    /// All values of a header whose lines may hold comma lists (Via, Route, Contact …).
    pub fn list(&self, name: &str) -> Vec<String> {
        let lines = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.flat_map(|(_, value)| split_list(value)).collect()
    }

    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    pub fn cseq(&self) -> (u32, &str) {
        let (number, method) = self.header("CSeq").unwrap_or_default().split_once(' ').unwrap_or_default();
        (number.parse().unwrap_or_default(), method)
    }

    pub fn branch(&self) -> String {
        self.list("Via").first().and_then(|via| parameter(via, "branch")).unwrap_or_default()
    }

    pub fn tag(&self, header: &str) -> Option<String> {
        parameter(self.header(header)?, "tag")
    }

    /// `INVITE 1` or `200 (INVITE 1)`: a step of a ladder.
    pub fn step(&self) -> String {
        let (number, method) = self.cseq();
        match self.status() {
            Some(status) => format!("{status} ({method} {number})"),
            None => format!("{method} {number}"),
        }
    }
}

/// A parameter of a header value, outside its angle brackets.
pub fn parameter(value: &str, name: &str) -> Option<String> {
    let outside = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    outside.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The URI of a name-addr or addr-spec.
pub fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => value.split(';').next().unwrap_or_default().trim(),
    }
}

/// Where a URI with an IPv4 literal leads; none for a name.
pub fn address_of(uri: &str) -> Option<SocketAddr> {
    let rest = uri.split_once(':')?.1;
    let host = rest.split([';', '?']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:5060") };
    with_port.parse().ok()
}

fn split_list(value: &str) -> Vec<String> {
    let (mut parts, mut quoted, mut depth) = (vec![String::new()], false, 0);
    for character in value.chars() {
        match character {
            '"' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(character);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ringing() -> Sip {
        let invite = Sip::request("INVITE", "sip:12345@127.0.0.1")
            .with("Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1")
            .with("From", "<sip:a@b>;tag=1")
            .with("To", "<sip:c@d>")
            .with("Call-ID", "x")
            .with("CSeq", "1 INVITE");
        Sip::response(&invite, 180, "Ringing", "t")
    }

    #[test]
    fn what_is_built_is_read_back() {
        let message = Sip::parse(&ringing().bytes()).expect("a good message");
        assert_eq!((message.status(), message.tag("To").as_deref()), (Some(180), Some("t")));
        assert_eq!(Sip::framed(&ringing().bytes()), Ok(Some(ringing().bytes().len())));
    }

    #[test]
    fn mistakes_of_the_peer_are_named() {
        let good = String::from_utf8(ringing().bytes()).expect("text");
        for (from, to) in [
            ("Content-Length: 0", "Content-Length: 1"),
            ("Content-Length: 0", "X: 0"),
            (";tag=t", ""),
            ("z9hG4bK", "z9"),
            ("1 INVITE", "INVITE"),
            ("\r\nCSeq", "\nCSeq"),
            ("Call-ID: x\r\n", "Call-ID: x\r\nCall-ID: x\r\n"),
        ] {
            assert!(Sip::parse(good.replacen(from, to, 1).as_bytes()).is_err(), "{from} as {to}");
        }
    }

    #[test]
    fn lists_are_split_outside_brackets_and_quotes() {
        let message = ringing().with("Record-Route", "\"a,b\" <sip:p1;lr>, <sip:p2?x=1,2>");
        assert_eq!(message.list("Record-Route"), ["\"a,b\" <sip:p1;lr>", "<sip:p2?x=1,2>"]);
        assert_eq!(address_of("sip:a@127.0.0.1:5070;transport=tcp").map(|at| at.port()), Some(5070));
    }
}
