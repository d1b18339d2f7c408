//! Reading a description (RFC 8866 §5, §9). What is not needed is skipped.

use std::net::IpAddr;

use super::{Direction, MAX_DESCRIPTION, MAX_LINES, MAX_STREAMS, Refusal};

/// A description, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Description<'a> {
    pub streams: Vec<Stream<'a>>,
}

/// One `m=` line and what belongs to it, session-level lines counted in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stream<'a> {
    pub media: &'a str,
    pub port: u16,
    pub protocol: &'a str,
    /// The formats as written.
    pub formats: &'a str,
    pub address: Option<Address>,
    pub direction: Option<Direction>,
    rtpmaps: Vec<(u8, &'a str)>,
    pub rtcp: Option<(u16, Option<Address>)>,
    pub ptime_ms: Option<u32>,
    pub maxptime_ms: Option<u32>,
}

/// A connection address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Ip(IpAddr),
    /// A name, another network, or a notation that is none.
    Unusable,
}

impl<'a> Stream<'a> {
    /// Payload types in the order of preference, each with its encoding `name/clock[/channels]` as mapped.
    pub(super) fn payloads(&self) -> impl Iterator<Item = (u8, Option<&'a str>)> {
        self.formats
            .split_ascii_whitespace()
            .filter_map(|format| format.parse::<u8>().ok())
            .filter(|payload| *payload < 128)
            .map(|payload| {
                (payload, self.rtpmaps.iter().find(|(mapped, _)| *mapped == payload).map(|(_, encoding)| *encoding))
            })
    }
}

/// # Errors
/// Which part can't be read; a description over a limit counts as such.
pub(super) fn parse(bytes: &[u8]) -> Result<Description<'_>, Refusal> {
    if bytes.len() > MAX_DESCRIPTION {
        return Err(Refusal::Malformed("a description of this size"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed("text that is not UTF-8"))?;
    let mut session = Level::default();
    let mut origin = false;
    let mut streams: Vec<(Stream<'_>, Level<'_>)> = Vec::new();
    // bare LF is tolerated (RFC 8866 §5)
    for (number, line) in text.lines().enumerate() {
        if number >= MAX_LINES {
            return Err(Refusal::Malformed("a description of so many lines"));
        }
        if line.is_empty() {
            continue;
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err(Refusal::Malformed("a line"));
        };
        if number == 0 && (kind, value.trim()) != ("v", "0") {
            return Err(Refusal::Malformed("the version"));
        }
        let level = streams.last_mut().map_or(&mut session, |(_, level)| level);
        match kind {
            "o" => origin = value.split_ascii_whitespace().count() == 6,
            "c" => level.address = Some(connection(value)?),
            "a" => level.attribute(value)?,
            "m" if streams.len() == MAX_STREAMS => return Err(Refusal::Malformed("a description of so many streams")),
            "m" => streams.push((stream(value)?, Level::default())),
            _ => {}
        }
    }
    if !origin {
        return Err(Refusal::Malformed("the origin"));
    }
    Ok(Description {
        streams: streams.into_iter().map(|(stream, level)| level.over(&session).into_stream(stream)).collect(),
    })
}

/// What may stand at session level and again in a stream.
#[derive(Clone, Default)]
struct Level<'a> {
    address: Option<Address>,
    direction: Option<Direction>,
    rtpmaps: Vec<(u8, &'a str)>,
    rtcp: Option<(u16, Option<Address>)>,
    ptime_ms: Option<u32>,
    maxptime_ms: Option<u32>,
}

impl<'a> Level<'a> {
    fn attribute(&mut self, text: &'a str) -> Result<(), Refusal> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.trim();
        match name {
            "sendrecv" => self.direction = Some(Direction::SendRecv),
            "sendonly" => self.direction = Some(Direction::SendOnly),
            "recvonly" => self.direction = Some(Direction::RecvOnly),
            "inactive" => self.direction = Some(Direction::Inactive),
            "rtpmap" => {
                let (payload, encoding) = value.split_once(' ').ok_or(Refusal::Malformed("an rtpmap"))?;
                let payload = payload.parse().map_err(|_| Refusal::Malformed("an rtpmap"))?;
                self.rtpmaps.push((payload, encoding.trim()));
            }
            "rtcp" => self.rtcp = Some(rtcp(value)?),
            "ptime" => self.ptime_ms = milliseconds(value),
            "maxptime" => self.maxptime_ms = milliseconds(value),
            _ => {}
        }
        Ok(())
    }

    fn over(self, session: &Level<'a>) -> Level<'a> {
        Level {
            address: self.address.or(session.address),
            direction: self.direction.or(session.direction),
            ptime_ms: self.ptime_ms.or(session.ptime_ms),
            maxptime_ms: self.maxptime_ms.or(session.maxptime_ms),
            ..self
        }
    }

    fn into_stream(self, stream: Stream<'a>) -> Stream<'a> {
        Stream {
            address: self.address,
            direction: self.direction,
            rtpmaps: self.rtpmaps,
            rtcp: self.rtcp,
            ptime_ms: self.ptime_ms,
            maxptime_ms: self.maxptime_ms,
            ..stream
        }
    }
}

fn stream(value: &str) -> Result<Stream<'_>, Refusal> {
    let bad = Refusal::Malformed("a media line");
    let mut parts = value.trim().splitn(4, ' ');
    let (Some(media), Some(port), Some(protocol), Some(formats)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad);
    };
    // a number of ports may follow (hierarchical encodings, not used with RTP)
    let port = port.split('/').next().and_then(|port| port.parse().ok()).ok_or(bad)?;
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible(media) || !visible(protocol) || !formats.split(' ').all(visible) {
        return Err(bad);
    }
    Ok(Stream {
        media,
        port,
        protocol,
        formats,
        address: None,
        direction: None,
        rtpmaps: Vec::new(),
        rtcp: None,
        ptime_ms: None,
        maxptime_ms: None,
    })
}

/// `IN IP4 192.0.2.1`, `IN IP4 224.2.36.42/127`, `IN IP6 2001:db8::1`.
fn connection(value: &str) -> Result<Address, Refusal> {
    let mut parts = value.split_ascii_whitespace();
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(network), Some(kind), Some(address), None) => Ok(address_of(network, kind, address)),
        _ => Err(Refusal::Malformed("a connection line")),
    }
}

fn address_of(network: &str, kind: &str, address: &str) -> Address {
    let ip = address.split('/').next().and_then(|ip| ip.parse::<IpAddr>().ok());
    match (network, kind, ip) {
        ("IN", "IP4", Some(ip @ IpAddr::V4(_))) | ("IN", "IP6", Some(ip @ IpAddr::V6(_))) => Address::Ip(ip),
        _ => Address::Unusable,
    }
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP4 192.0.2.1` (RFC 3605).
fn rtcp(value: &str) -> Result<(u16, Option<Address>), Refusal> {
    let bad = Refusal::Malformed("an rtcp attribute");
    let mut parts = value.split_ascii_whitespace();
    let port = parts.next().and_then(|port| port.parse().ok()).ok_or(bad)?;
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Ok((port, None)),
        (Some(network), Some(kind), Some(address)) => Ok((port, Some(address_of(network, kind, address)))),
        _ => Err(bad),
    }
}

/// Fractions are cut off (RFC 8866 §6.4 allows none, some peers send them); what is no number is not there.
fn milliseconds(value: &str) -> Option<u32> {
    value.split('.').next()?.parse().ok().filter(|ms| *ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_lines_win_over_session_lines() {
        let text = b"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\nc=IN IP4 192.0.2.1\nt=0 0\na=sendonly\na=ptime:30\nm=audio 4000/2 RTP/AVP 8 101 x\nc=IN IP6 2001:db8::1\na=rtpmap:101 telephone-event/8000\na=rtcp:4009 IN IP4 192.0.2.9\nm=video 0 RTP/AVP 31\n";
        let description = parse(text).expect("a description");
        let audio = &description.streams[0];
        assert_eq!((audio.port, audio.direction, audio.ptime_ms), (4000, Some(Direction::SendOnly), Some(30)));
        assert_eq!(audio.address, Some(Address::Ip("2001:db8::1".parse().expect("an address"))));
        assert_eq!(audio.rtcp, Some((4009, Some(Address::Ip("192.0.2.9".parse().expect("an address"))))));
        assert_eq!(audio.payloads().collect::<Vec<_>>(), [(8, None), (101, Some("telephone-event/8000"))]);
        assert_eq!(description.streams[1].address, Some(Address::Ip("192.0.2.1".parse().expect("an address"))));
    }

    #[test]
    fn what_is_no_description_is_refused() {
        let whole = "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n";
        for text in [
            String::new(),
            "v=1\r\no=- 1 1 IN IP4 h\r\n".into(),
            "o=- 1 1 IN IP4 h\r\nv=0\r\n".into(),
            "v=0\r\no=- 1 1 IN IP4\r\n".into(),
            format!("{whole}nonsense\r\n"),
            format!("{whole}m=audio\r\n"),
            format!("{whole}m=audio 70000 RTP/AVP 8\r\n"),
            format!("{whole}m=audio 4000 RTP/AVP \r\n"),
            format!("{whole}c=IN IP4\r\n"),
            format!("{whole}a=rtpmap:8\r\n"),
            format!("{whole}a=rtcp:none\r\n"),
            format!("{whole}{}", "m=audio 4000 RTP/AVP 8\r\n".repeat(MAX_STREAMS + 1)),
            format!("{whole}{}", "a=x\r\n".repeat(MAX_LINES)),
            format!("{whole}a={}\r\n", "x".repeat(MAX_DESCRIPTION)),
        ] {
            assert!(matches!(parse(text.as_bytes()), Err(Refusal::Malformed(_))), "{text:.80}");
        }
        assert!(parse(b"v=0\r\n\xff=\r\n").is_err());
    }
}
