//! Writing a description (RFC 8866 §5).

use std::net::IpAddr;

use super::{Codec, Direction, Ours};

/// One `m=` line of ours.
pub(super) enum Line<'a> {
    /// A stream that we don't take: port 0, else as it was offered (RFC 3264 §6).
    Refused {
        media: &'a str,
        protocol: &'a str,
        formats: &'a str,
    },
    Audio(Audio),
}

/// Our audio stream: speech first, then events and comfort noise.
pub(super) struct Audio {
    pub speech: Vec<(u8, Codec)>,
    pub dtmf_payload: Option<u8>,
    pub comfort_noise: Option<u8>,
    pub ptime_ms: u32,
    pub direction: Direction,
}

pub(super) fn description(ours: &Ours, lines: &[Line<'_>]) -> Vec<u8> {
    let (kind, address) = (family(ours.address), ours.address);
    let mut text = format!(
        "v=0\r\no=- {} {} IN {kind} {address}\r\ns=-\r\nc=IN {kind} {address}\r\nt=0 0\r\n",
        ours.session_id, ours.version
    );
    for line in lines {
        match line {
            Line::Refused { media, protocol, formats } => {
                text.push_str(&format!("m={media} 0 {protocol} {formats}\r\n"))
            }
            Line::Audio(audio) => push_audio(ours.rtp_port, audio, &mut text),
        }
    }
    text.into_bytes()
}

fn push_audio(port: u16, audio: &Audio, text: &mut String) {
    text.push_str(&format!("m=audio {port} RTP/AVP"));
    let events = audio.dtmf_payload.iter().chain(&audio.comfort_noise);
    for payload in audio.speech.iter().map(|(payload, _)| payload).chain(events) {
        text.push_str(&format!(" {payload}"));
    }
    text.push_str("\r\n");
    for (payload, codec) in &audio.speech {
        text.push_str(&format!("a=rtpmap:{payload} {}/8000\r\n", codec.encoding()));
    }
    if let Some(payload) = audio.dtmf_payload {
        text.push_str(&format!("a=rtpmap:{payload} telephone-event/8000\r\na=fmtp:{payload} 0-15\r\n"));
    }
    if let Some(payload) = audio.comfort_noise {
        text.push_str(&format!("a=rtpmap:{payload} CN/8000\r\n"));
    }
    text.push_str(&format!("a=ptime:{}\r\na={}\r\n", audio.ptime_ms, audio.direction.token()));
}

fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}
