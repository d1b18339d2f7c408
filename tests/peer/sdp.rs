//! Session descriptions: offers built from a short description, answers held against the offer.

use std::net::{IpAddr, SocketAddr};

use super::g711::Law;

/// What the phone offers or answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Payload types in order of preference: 8, 0.
    pub codecs: Vec<u8>,
    pub telephone_event: Option<u8>,
    /// `sendrecv`, `sendonly`, `recvonly`, `inactive`.
    pub direction: &'static str,
    pub ptime_ms: u32,
    pub comfort_noise: bool,
}

impl Default for Offer {
    fn default() -> Offer {
        Offer {
            codecs: vec![8, 0],
            telephone_event: Some(101),
            direction: "sendrecv",
            ptime_ms: 20,
            comfort_noise: false,
        }
    }
}

impl Offer {
    pub fn text(&self, at: SocketAddr, version: u32) -> String {
        let mut formats: Vec<u8> = self.codecs.clone();
        formats.extend(self.comfort_noise.then_some(13));
        formats.extend(self.telephone_event);
        let list: Vec<String> = formats.iter().map(u8::to_string).collect();
        let kind = if at.is_ipv6() { "IP6" } else { "IP4" };
        let (address, port) = (at.ip(), at.port());
        let mut text = format!(
            "v=0\r\no=softphone 7 {version} IN {kind} {address}\r\ns=-\r\nc=IN {kind} {address}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {}\r\n",
            list.join(" ")
        );
        for format in formats {
            let name = match format {
                8 => "PCMA/8000",
                0 => "PCMU/8000",
                13 => "CN/8000",
                18 => "G729/8000",
                _ => "telephone-event/8000",
            };
            text.push_str(&format!("a=rtpmap:{format} {name}\r\n"));
        }
        if let Some(event) = self.telephone_event {
            text.push_str(&format!("a=fmtp:{event} 0-15\r\n"));
        }
        text.push_str(&format!("a=ptime:{}\r\na={}\r\n", self.ptime_ms, self.direction));
        text
    }
}

/// What the other side said about its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub audio: SocketAddr,
    pub formats: Vec<u8>,
    pub telephone_event: Option<u8>,
    pub direction: String,
    pub session_version: u64,
}

impl Description {
    pub fn parse(body: &[u8]) -> Result<Description, String> {
        let text = std::str::from_utf8(body).map_err(|_| "SDP that is not UTF-8")?;
        if !text.ends_with("\r\n") {
            return Err("SDP whose last line does not end".into());
        }
        let lines: Vec<&str> = text.trim_end_matches("\r\n").split("\r\n").collect();
        check_order(&lines)?;
        let origin: Vec<&str> = value(&lines, "o=").ok_or("no o=")?.split(' ').collect();
        if origin.len() != 6 {
            return Err(format!("o= with {} fields", origin.len()));
        }
        let media: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("m=")).collect();
        let [media] = media.as_slice() else { return Err(format!("{} m= lines", media.len())) };
        let fields: Vec<&str> = media.split(' ').collect();
        let [_, port, "RTP/AVP", formats @ ..] = fields.as_slice() else { return Err(format!("m={media}")) };
        let formats: Vec<u8> = formats.iter().filter_map(|format| format.parse().ok()).collect();
        let connection = value(&lines, "c=").ok_or("no c=")?;
        let address: IpAddr =
            connection.rsplit(' ').next().unwrap_or_default().parse().map_err(|_| format!("c={connection}"))?;
        let port: u16 = port.parse().map_err(|_| format!("m={media}"))?;
        let telephone_event = lines.iter().find_map(|line| {
            let (format, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            name.starts_with("telephone-event/8000").then(|| format.parse().ok())?
        });
        let direction = ["sendrecv", "sendonly", "recvonly", "inactive"]
            .into_iter()
            .find(|name| lines.iter().any(|line| line.strip_prefix("a=") == Some(name)))
            .unwrap_or("sendrecv");
        Ok(Description {
            audio: SocketAddr::new(address, port),
            formats,
            telephone_event,
            direction: direction.into(),
            session_version: origin[2].parse().map_err(|_| "a session version that is no number")?,
        })
    }

    /// RFC 3264 §6: an answer takes formats of the offer only, and its direction fits.
    pub fn check_answer(&self, offer: &Offer) -> Result<(), String> {
        let foreign = |format: &&u8| {
            !offer.codecs.contains(format)
                && offer.telephone_event != Some(**format)
                && !(offer.comfort_noise && **format == 13)
        };
        if let Some(format) = self.formats.iter().find(foreign) {
            return Err(format!("the answer names {format}, which was not offered"));
        }
        let fits = match offer.direction {
            "sendonly" => ["recvonly", "inactive"].contains(&self.direction.as_str()),
            "recvonly" => ["sendonly", "inactive"].contains(&self.direction.as_str()),
            "inactive" => self.direction == "inactive",
            _ => true,
        };
        if !fits {
            return Err(format!("{} answered with {}", offer.direction, self.direction));
        }
        if self.law().is_none() {
            return Err("the first format of the answer is neither PCMA nor PCMU".into());
        }
        Ok(())
    }

    /// The direction an answer to this takes (RFC 3264 §6.1).
    pub fn mirrored(&self) -> &'static str {
        match self.direction.as_str() {
            "sendonly" => "recvonly",
            "recvonly" => "sendonly",
            "inactive" => "inactive",
            _ => "sendrecv",
        }
    }

    /// The codec to send: the first format.
    pub fn law(&self) -> Option<Law> {
        self.formats.first().copied().and_then(Law::of_payload)
    }
}

/// The order of RFC 8866 §5 for the lines that appear.
fn check_order(lines: &[&str]) -> Result<(), String> {
    if lines.first() != Some(&"v=0") {
        return Err("SDP does not begin with v=0".into());
    }
    let session: String = lines.iter().filter_map(|line| line.chars().next()).take_while(|kind| *kind != 'm').collect();
    let rank = |kind: char| "vosiuepcbtrzka".find(kind);
    let ranks: Option<Vec<usize>> = session.chars().map(rank).collect();
    let ranks = ranks.ok_or_else(|| format!("an unknown line among {session}"))?;
    if !ranks.is_sorted() || !["o", "s", "t"].iter().all(|must| session.contains(must)) {
        return Err(format!("session lines in the order {session}"));
    }
    match lines.iter().find(|line| line.get(1..2) != Some("=")) {
        Some(line) => Err(format!("SDP line {line:?}")),
        None => Ok(()),
    }
}

fn value<'a>(lines: &[&'a str], prefix: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(prefix))
}

#[test]
fn an_offer_is_read_back_and_an_answer_is_held_against_it() {
    let offer = Offer::default();
    let at = SocketAddr::from(([127, 0, 0, 1], 4000));
    let read = Description::parse(offer.text(at, 1).as_bytes()).expect("a good offer");
    assert_eq!((read.audio, read.telephone_event, read.law()), (at, Some(101), Some(Law::A)));
    read.check_answer(&offer).expect("an offer fits itself");
    let narrow = Offer { codecs: vec![0], ..Offer::default() };
    assert!(read.check_answer(&narrow).is_err(), "PCMA was not offered");
    let held = Offer { direction: "sendonly", ..Offer::default() };
    assert!(read.check_answer(&held).is_err(), "sendrecv does not answer sendonly");
    let upside_down = offer.text(at, 1).replace("t=0 0\r\n", "").replace("s=-\r\n", "t=0 0\r\ns=-\r\n");
    assert!(Description::parse(upside_down.as_bytes()).is_err());
}
