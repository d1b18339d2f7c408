//! Offer and answer (RFC 3264).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::parse::{Address, Stream, parse};
use super::write::{Audio, Line, description};
use super::{Codec, Direction, Negotiated, Ours, Refusal};

/// Packets of 20 ms unless the peer asks for something else.
const PTIME_MS: u32 = 20;
const PTIMES_MS: [u32; 5] = [10, 20, 30, 40, 60];
const TELEPHONE_EVENT: u8 = 101;
/// The static payload type of comfort noise (RFC 3389 §4).
const COMFORT_NOISE: u8 = 13;

/// Our offer: PCMA, PCMU and telephone-event in packets of 20 ms.
pub fn offer(ours: &Ours) -> Vec<u8> {
    let speech = [Codec::Pcma, Codec::Pcmu].map(|codec| (codec.payload(), codec)).to_vec();
    let audio = Audio {
        speech,
        dtmf_payload: Some(TELEPHONE_EVENT),
        comfort_noise: None,
        ptime_ms: PTIME_MS,
        direction: ours.direction,
    };
    description(ours, &[Line::Audio(audio)])
}

/// Answers an offer: the first audio stream that can be used, the offer's first codec of ours, every other stream
/// refused with port 0.
///
/// # Errors
/// Why the whole offer is refused.
pub fn answer(peer_offer: &[u8], ours: &Ours) -> Result<(Vec<u8>, Negotiated), Refusal> {
    let offered = parse(peer_offer)?;
    let (chosen, negotiated) = choose(&offered.streams, ours)?;
    let streams = offered.streams.iter().enumerate();
    let lines: Vec<Line<'_>> = streams
        .map(|(at, stream)| match at == chosen {
            true => Line::Audio(audio(&negotiated)),
            false => Line::Refused { media: stream.media, protocol: stream.protocol, formats: stream.formats },
        })
        .collect();
    Ok((description(ours, &lines), negotiated))
}

/// What the peer's answer to our [`offer`] makes of it.
///
/// # Errors
/// Why it can't be used.
pub fn accept(peer_answer: &[u8], ours: &Ours) -> Result<Negotiated, Refusal> {
    let answered = parse(peer_answer)?;
    // we offered one stream: what follows the first line of an answer answers nothing
    let stream = answered.streams.first().ok_or(Refusal::NoAudio)?;
    negotiate(stream, ours)
}

fn audio(negotiated: &Negotiated) -> Audio {
    Audio {
        speech: vec![(negotiated.payload, negotiated.codec)],
        dtmf_payload: negotiated.dtmf_payload,
        comfort_noise: negotiated.comfort_noise,
        ptime_ms: negotiated.ptime_ms,
        direction: negotiated.direction,
    }
}

/// The first stream that works, or why the first audio stream doesn't.
fn choose(streams: &[Stream<'_>], ours: &Ours) -> Result<(usize, Negotiated), Refusal> {
    let mut refusal = None;
    for (at, stream) in streams.iter().enumerate() {
        match negotiate(stream, ours) {
            Ok(negotiated) => return Ok((at, negotiated)),
            Err(Refusal::NoAudio) => {}
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(refusal.unwrap_or(Refusal::NoAudio))
}

fn negotiate(stream: &Stream<'_>, ours: &Ours) -> Result<Negotiated, Refusal> {
    if stream.media != "audio" || stream.port == 0 {
        return Err(Refusal::NoAudio);
    }
    if stream.protocol != "RTP/AVP" {
        return Err(Refusal::Protocol);
    }
    let (payload, codec) = stream.payloads().find_map(speech).ok_or(Refusal::NoCodec)?;
    let peer_rtp = address(stream.address, stream.port, ours)?;
    let peer_rtcp = match stream.rtcp {
        Some((port, named)) => address(named.or(stream.address), port, ours)?,
        None => SocketAddr::new(peer_rtp.ip(), peer_rtp.port().saturating_add(1)),
    };
    let mut theirs = stream.direction.unwrap_or_default();
    if peer_rtp.ip().is_unspecified() {
        // hold as it was before RFC 3264 (§8.4): nothing may be sent there, and nobody is there to be heard
        theirs = Direction::Inactive;
    }
    Ok(Negotiated {
        codec,
        payload,
        dtmf_payload: stream
            .payloads()
            .find(|(_, encoding)| is_encoding(*encoding, "telephone-event"))
            .map(|(payload, _)| payload),
        peer_rtp,
        peer_rtcp,
        direction: theirs.mirrored().and(ours.direction),
        ptime_ms: ptime(stream),
        comfort_noise: stream.payloads().find(is_comfort_noise).map(|(payload, _)| payload),
    })
}

fn speech((payload, encoding): (u8, Option<&str>)) -> Option<(u8, Codec)> {
    let ours = [Codec::Pcma, Codec::Pcmu];
    let codec = match encoding {
        None => ours.into_iter().find(|codec| codec.payload() == payload),
        Some(_) => ours.into_iter().find(|codec| is_encoding(encoding, codec.encoding())),
    };
    codec.map(|codec| (payload, codec))
}

/// A payload type without an rtpmap has its static meaning (RFC 3551 §6).
fn is_comfort_noise((payload, encoding): &(u8, Option<&str>)) -> bool {
    match encoding {
        None => *payload == COMFORT_NOISE,
        Some(_) => is_encoding(*encoding, "CN"),
    }
}

/// `NAME/8000` or `NAME/8000/1`, in any case.
fn is_encoding(encoding: Option<&str>, name: &str) -> bool {
    let mut parts = encoding.unwrap_or("").split('/');
    parts.next().is_some_and(|one| one.eq_ignore_ascii_case(name))
        && parts.next() == Some("8000")
        && parts.next().is_none_or(|channels| channels == "1")
}

fn ptime(stream: &Stream<'_>) -> u32 {
    let most = stream.maxptime_ms.unwrap_or(u32::MAX);
    let asked = stream.ptime_ms.filter(|ms| PTIMES_MS.contains(ms)).unwrap_or(PTIME_MS);
    if asked <= most {
        return asked;
    }
    PTIMES_MS.into_iter().rev().find(|ms| *ms <= most).unwrap_or(PTIMES_MS[0])
}

/// Where to send, if it is somewhere that a peer may point us at.
fn address(named: Option<Address>, port: u16, ours: &Ours) -> Result<SocketAddr, Refusal> {
    let Some(Address::Ip(ip)) = named else { return Err(Refusal::Address) };
    let plain = ip.to_canonical();
    if plain.is_multicast() {
        return Err(Refusal::Multicast);
    }
    if plain == IpAddr::V4(Ipv4Addr::BROADCAST) || (ip.is_ipv4() != ours.address.is_ipv4() && !plain.is_unspecified()) {
        return Err(Refusal::Address);
    }
    let is_ours =
        plain == ours.address.to_canonical() || ours.own_addresses.iter().any(|own| own.to_canonical() == plain);
    if is_ours && ours.own_rtp_range.contains(&port) {
        return Err(Refusal::OwnPort);
    }
    Ok(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::super::Session;
    use super::*;

    fn ours() -> Ours {
        Ours {
            address: "192.0.2.10".parse().expect("an address"),
            rtp_port: 20000,
            session_id: 7,
            version: 1,
            direction: Direction::SendRecv,
            own_addresses: vec!["10.0.0.1".parse().expect("an address")],
            own_rtp_range: 20000..=29999,
        }
    }

    fn offered(lines: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{lines}").into_bytes()
    }

    fn negotiated(lines: &str) -> Negotiated {
        answer(&offered(lines), &ours()).unwrap_or_else(|why| panic!("{lines}: {why}")).1
    }

    fn refused(lines: &str) -> Refusal {
        answer(&offered(lines), &ours()).expect_err(lines)
    }

    #[test]
    fn our_offer_names_two_codecs_and_events() {
        let text = String::from_utf8(offer(&ours())).expect("text");
        assert_eq!(
            text,
            "v=0\r\no=- 7 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 0 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
             a=ptime:20\r\na=sendrecv\r\n"
        );
    }

    #[test]
    fn the_offers_order_chooses_the_codec() {
        for (lines, codec, payload) in [
            ("m=audio 4000 RTP/AVP 0 8\r\n", Codec::Pcmu, 0),
            ("m=audio 4000 RTP/AVP 18 8 0\r\n", Codec::Pcma, 8),
            ("m=audio 4000 RTP/AVP 97 0\r\na=rtpmap:97 pcma/8000/1\r\n", Codec::Pcma, 97),
            ("m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 G729/8000\r\n", Codec::Pcmu, 0),
            ("m=audio 4000 RTP/AVP 97 8\r\na=rtpmap:97 PCMA/16000\r\n", Codec::Pcma, 8),
        ] {
            let got = negotiated(lines);
            assert_eq!((got.codec, got.payload), (codec, payload), "{lines}");
        }
    }

    #[test]
    fn the_answer_keeps_the_order_and_refuses_other_streams() {
        let lines = "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8 96 13 18\r\na=rtpmap:96 telephone-event/8000\r\n\
                     m=audio 4002 RTP/AVP 8\r\nm=image 4004 udptl t38\r\n";
        let (body, got) = answer(&offered(lines), &ours()).expect("an answer");
        let text = String::from_utf8(body).expect("text");
        let (_, streams) = text.split_once("t=0 0\r\n").expect("a time line");
        assert_eq!(
            streams,
            "m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8 96 13\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n\
             m=audio 0 RTP/AVP 8\r\nm=image 0 udptl t38\r\n"
        );
        assert_eq!((got.dtmf_payload, got.comfort_noise), (Some(96), Some(13)));
        assert_eq!(got.peer_rtcp, "192.0.2.1:4001".parse().expect("an address"));
    }

    #[test]
    fn a_held_stream_is_mirrored() {
        let line = "m=audio 4000 RTP/AVP 8\r\n";
        for (attribute, direction) in [
            ("", Direction::SendRecv),
            ("a=sendonly\r\n", Direction::RecvOnly),
            ("a=recvonly\r\n", Direction::SendOnly),
            ("a=inactive\r\n", Direction::Inactive),
            ("c=IN IP4 0.0.0.0\r\n", Direction::Inactive),
            ("c=IN IP4 0.0.0.0\r\na=sendonly\r\n", Direction::Inactive),
            ("c=IN IP6 ::\r\n", Direction::Inactive),
            ("c=IN IP4 0.0.0.0\r\na=recvonly\r\n", Direction::Inactive),
        ] {
            assert_eq!(negotiated(&format!("{line}{attribute}")).direction, direction, "{attribute}");
        }
        let unwilling = Ours { direction: Direction::SendOnly, ..ours() };
        let got = answer(&offered(line), &unwilling).expect("an answer").1;
        assert_eq!(got.direction, Direction::SendOnly);
    }

    #[test]
    fn packet_times_stay_within_what_both_can() {
        for (attributes, ms) in [
            ("", 20),
            ("a=ptime:30\r\n", 30),
            ("a=ptime:35\r\n", 20),
            ("a=maxptime:10\r\n", 10),
            ("a=ptime:60\r\na=maxptime:45\r\n", 40),
        ] {
            assert_eq!(negotiated(&format!("m=audio 4000 RTP/AVP 8\r\n{attributes}")).ptime_ms, ms, "{attributes}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        for (lines, why, status) in [
            ("", Refusal::NoAudio, 488),
            ("m=video 4000 RTP/AVP 31\r\n", Refusal::NoAudio, 488),
            ("m=audio 0 RTP/AVP 8\r\n", Refusal::NoAudio, 488),
            ("m=audio 4000 RTP/AVP 18 3\r\n", Refusal::NoCodec, 488),
            ("m=audio 4000 RTP/SAVP 8\r\n", Refusal::Protocol, 488),
            ("m=audio 4000 RTP/AVPF 8\r\n", Refusal::Protocol, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 224.2.36.42/127\r\n", Refusal::Multicast, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 ff15::101\r\n", Refusal::Multicast, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 host.example.com\r\n", Refusal::Address, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 255.255.255.255\r\n", Refusal::Address, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n", Refusal::Address, 488),
            ("m=audio 20002 RTP/AVP 8\r\nc=IN IP4 10.0.0.1\r\n", Refusal::OwnPort, 488),
            ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 192.0.2.10\r\na=rtcp:20001\r\n", Refusal::OwnPort, 488),
            ("m=audio x RTP/AVP 8\r\n", Refusal::Malformed("a media line"), 400),
        ] {
            let got = refused(lines);
            assert_eq!((got, got.status()), (why, status), "{lines}");
        }
        assert_eq!(Refusal::NoCodec.warning("192.0.2.10:5060"), "305 192.0.2.10:5060 \"there is no common codec\"");
        assert_eq!(negotiated("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 10.0.0.1\r\n").peer_rtp.port(), 4000);
    }

    #[test]
    fn an_answer_to_our_offer_is_accepted() {
        let peer = Ours { address: "192.0.2.1".parse().expect("an address"), rtp_port: 4000, ..ours() };
        let theirs = Ours { own_rtp_range: 4000..=4010, own_addresses: Vec::new(), ..peer };
        let (body, at_peer) = answer(&offer(&ours()), &theirs).expect("an answer");
        let here = accept(&body, &ours()).expect("agreed");
        assert_eq!((here.codec, here.payload, here.dtmf_payload), (at_peer.codec, at_peer.payload, Some(101)));
        assert_eq!((here.peer_rtp, at_peer.peer_rtp.port()), ("192.0.2.1:4000".parse().expect("an address"), 20000));
        assert_eq!(accept(&offered("m=audio 0 RTP/AVP 8\r\n"), &ours()), Err(Refusal::NoAudio));
    }

    #[test]
    fn the_version_rises_with_each_change_and_only_then() {
        let mut session = Session::new(ours());
        let version = |body: &[u8]| {
            let text = String::from_utf8_lossy(body);
            text.split(' ').nth(2).and_then(|number| number.parse::<u64>().ok()).expect("a version")
        };
        let first = offered("m=audio 4000 RTP/AVP 8\r\n");
        let held = offered("m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
        let versions =
            [&first, &first, &held, &held, &first].map(|offer| version(&session.answer(offer).expect("an answer").0));
        assert_eq!(versions, [1, 1, 2, 2, 3]);
        assert!(session.answer(b"nonsense").is_err());
        session.set_direction(Direction::Inactive);
        assert_eq!([version(&session.offer()), version(&session.offer())], [4, 4]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_get_an_answer_or_a_refusal(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let _ = answer(&bytes, &ours());
            let _ = accept(&bytes, &ours());
        }

        #[test]
        fn every_answer_is_readable(
            lines in proptest::collection::vec("(m=(audio|video) [0-9]{1,5} RTP/AVP( [0-9]{1,3}){1,4}|a=rtpmap:[0-9]{1,3} (PCMA|PCMU|telephone-event|CN)/8000|a=(sendonly|inactive|ptime:[0-9]{1,3})|c=IN IP4 [0-9]{1,3}\\.0\\.2\\.1)", 0..12)
        ) {
            let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            if let Ok((body, negotiated)) = answer(&offered(&lines), &ours()) {
                let parsed = parse(&body).expect("our own description");
                let live: Vec<_> = parsed.streams.iter().filter(|stream| stream.port != 0).collect();
                assert_eq!(live.len(), 1);
                assert_eq!(live[0].payloads().next().map(|(payload, _)| payload), Some(negotiated.payload));
            }
        }
    }
}
