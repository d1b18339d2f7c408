use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::*;
use crate::digit::Digit;
use crate::media::clip::Clip;
use crate::media::codec::{self, ALAW_SILENCE};
use crate::media::command::{Cue, Record};
use crate::media::event::{EndedBy, Path};
use crate::media::frame::Frame;
use crate::media::rtp::{self, Header, Packet};
use crate::media::{FRAME, latch};
use crate::sdp::{Codec, Direction};

const PATIENCE: Duration = Duration::from_secs(10);

/// A telephone: its clock is the RTP that it hears.
struct Phone {
    socket: UdpSocket,
    service: SocketAddr,
    sequence: u16,
}

impl Phone {
    fn new(service_port: u16) -> Phone {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Phone { socket, service: ([127, 0, 0, 1], service_port).into(), sequence: 0 }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// The payload of the next packet.
    fn hear(&self) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let (length, from) = self.socket.recv_from(&mut buffer).expect("RTP within the time");
        assert_eq!(from, self.service);
        Packet::parse(&buffer[..length]).expect("RTP").payload.to_vec()
    }

    fn say(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let header = Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: 1 };
        self.sequence += 1;
        let mut buffer = [0; rtp::MAX_SENT];
        let length = rtp::build(&header, payload, &mut buffer);
        self.socket.send_to(&buffer[..length], self.service).expect("sent");
    }
}

fn media(ports: &str, calls_per_thread: usize) -> Media {
    let ports = ports.parse().expect("a range");
    let session = media::config::Config { latch: latch::Trust::Offered, ..Default::default() };
    let config = Config { ports, calls_per_thread, quarantine_ms: 0, session, ..Config::default() };
    Media::start(config, Clock::start()).expect("a thread")
}

fn opened(sockets: Sockets, peer: SocketAddr, recording: Option<Sink>) -> Opened {
    let negotiated = Negotiated {
        codec: Codec::Pcma,
        payload: 8,
        dtmf_payload: Some(101),
        peer_rtp: peer,
        peer_rtcp: SocketAddr::new(peer.ip(), 9),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        comfort_noise: None,
    };
    Opened { sockets, negotiated, signalling: None, seed: [3; 32], recording }
}

/// A call with a telephone at its other end.
fn call(media: &Media, recording: Option<Sink>) -> (CallMedia, Phone) {
    let sockets = media.allocate().expect("ports");
    let phone = Phone::new(sockets.port());
    let call = media.open(opened(sockets, phone.address(), recording)).expect("a call");
    (call, phone)
}

async fn event(call: &mut CallMedia) -> Event {
    tokio::time::timeout(PATIENCE, call.event()).await.expect("an event within the time").expect("an open call")
}

fn voice(n: u32) -> [u8; FRAME] {
    std::array::from_fn(|i| codec::alaw_encode(if i % 8 < 4 { 8_000 + (n % 64) as i16 * 256 } else { -8_000 }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_played_arrives_to_the_bit() {
    let media = media("30000-30019", 4);
    let (mut call, phone) = call(&media, None);
    let octets: Vec<u8> = (0..50 * FRAME).map(|i| (i % 200) as u8).collect();
    let clips = vec![Cue::Clip(Arc::new(Clip::from_alaw(octets.clone())))];
    call.command(Command::Play { token: 9, clips }).expect("room");
    let mut heard: Vec<u8> = Vec::new();
    while heard.len() < octets.len() {
        let payload = phone.hear();
        if !heard.is_empty() || payload.iter().any(|octet| *octet != ALAW_SILENCE) {
            heard.extend(payload);
        }
    }
    assert_eq!(heard, octets);
    let Event::Played { token: 9, complete: true, .. } = event(&mut call).await else { panic!("not played") };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_arrives_once() {
    let media = media("30020-30039", 4);
    let (mut call, mut phone) = call(&media, None);
    for (n, end) in [(1_u8, false), (2, false), (3, true), (3, true), (3, true)] {
        phone.say(101, 4_000, &[7, u8::from(end) << 7, n, 0]);
    }
    let seven = Digit::from_event(7).expect("a key");
    assert_eq!(event(&mut call).await, Event::Digit { digit: seven, path: Path::Rfc4733 });
    call.command(Command::Close).expect("room");
    let Event::Closed(summary) = event(&mut call).await else { panic!("a second key") };
    assert_eq!(summary.packets_in, 5);
    assert_eq!(call.event().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_neither_heard_nor_answered() {
    let media = media("30040-30059", 4);
    let sockets = media.allocate().expect("ports");
    let mut phone = Phone::new(sockets.port());
    let (sink, mut source) = media.recording().expect("a ring");
    // Another host of the loopback network.
    let stranger = UdpSocket::bind("127.0.0.2:0").expect("a port");
    let mut call = media.open(opened(sockets, phone.address(), Some(sink))).expect("a call");
    call.command(Command::CallRecording(true)).expect("room");
    let mut false_packet = vec![0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
    false_packet.extend(voice(1));
    for n in 0..20 {
        stranger.send_to(&false_packet, phone.service).expect("sent");
        phone.hear();
        phone.say(8, n * 160, &[ALAW_SILENCE; FRAME]);
    }
    call.command(Command::Close).expect("room");
    let Event::Closed(summary) = event(&mut call).await else { panic!("not closed") };
    assert!(summary.foreign >= 18, "{summary:?}");
    while let Some(frame) = source.pop() {
        assert!(frame.caller.iter().all(|octet| *octet == ALAW_SILENCE));
    }
    stranger.set_nonblocking(true).expect("a socket");
    assert!(stranger.recv(&mut [0; 99]).is_err(), "a stranger got an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_recorded_to_the_bit_and_in_order() {
    let media = media("30060-30079", 4);
    let (sink, mut source) = media.recording().expect("a ring");
    let (mut call, mut phone) = call(&media, Some(sink));
    call.command(Command::CallRecording(true)).expect("room");
    call.command(Command::Record(Record { max_ms: 60_000, silence_ms: 0, stop_on_key: true })).expect("room");
    phone.hear();
    for n in 0..60 {
        phone.say(8, 7_000 + n * 160, &voice(n));
        phone.hear();
    }
    phone.say(101, 20_000, &[11, 0, 1, 0]);
    assert_eq!(event(&mut call).await, Event::Digit { digit: Digit::POUND, path: Path::Rfc4733 });
    let Event::RecordEnded(ended) = event(&mut call).await else { panic!("not ended") };
    assert_eq!(ended.ended_by, EndedBy::Key);
    assert!(ended.speech_ms >= 1_180, "{ended:?}");
    let frames: Vec<Frame> = std::iter::from_fn(|| source.pop()).filter(|frame| frame.request).collect();
    assert_eq!(frames.len() as u32 * 20, ended.duration_ms);
    assert!(frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    let said: Vec<[u8; FRAME]> =
        frames.iter().map(|frame| frame.caller).filter(|caller| caller[0] != ALAW_SILENCE).collect();
    assert_eq!(said, (0..60).map(voice).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_thread_refuses_and_takes_again_after_a_close() {
    let media = media("30080-30099", 1);
    let (mut first, _phone) = call(&media, None);
    let sockets = media.allocate().expect("ports");
    let peer = sockets.port();
    let refused = media.open(opened(sockets, ([127, 0, 0, 1], peer).into(), None)).err();
    assert_eq!(refused, Some(OpenError::Full));
    first.command(Command::Close).expect("room");
    while let Some(_last) = tokio::time::timeout(PATIENCE, first.event()).await.expect("the end within the time") {}
    let wait = async {
        while media.calls() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the place within the time");
    let (_second, phone) = call(&media, None);
    phone.hear();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_is_closed() {
    let media = media("30100-30119", 4);
    let free = media.ports.free();
    let (sink, source) = media.recording().expect("a ring");
    let (call, phone) = call(&media, Some(sink));
    phone.hear();
    drop(call);
    let wait = async {
        while media.calls() > 0 || !source.is_over() || media.ports.free() < free {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("all is given back within the time");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_commands_are_handed_back() {
    let media = media("30120-30139", 4);
    let (mut call, phone) = call(&media, None);
    phone.hear();
    let refused = (0..=2 * COMMANDS).find_map(|_| call.command(Command::CallRecording(true)).err());
    let Some(Crowded(Command::CallRecording(true))) = refused else { panic!("all were taken at once") };
    // The thread goes on, and so does the call.
    phone.hear();
    call.command(Command::Close).expect("room again");
    let Event::Closed(_) = event(&mut call).await else { panic!("not closed") };
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_threads_closes_calls_and_keeps_what_was_said() {
    let media = media("30140-30159", 4);
    let (sink, mut source) = media.recording().expect("a ring");
    let (mut call, mut phone) = call(&media, Some(sink));
    call.command(Command::CallRecording(true)).expect("room");
    phone.hear();
    for n in 0..30 {
        phone.say(8, n * 160, &voice(n));
        phone.hear();
    }
    // Each packet is read before the next period is sent, the last one before this.
    phone.hear();
    drop(media);
    let Event::Closed(summary) = event(&mut call).await else { panic!("not closed") };
    assert_eq!(summary.packets_in, 30);
    assert_eq!(call.event().await, None);
    let frames: Vec<Frame> = std::iter::from_fn(|| source.pop()).collect();
    let said = frames.iter().map(|frame| frame.caller).filter(|caller| caller[0] != ALAW_SILENCE);
    assert_eq!(said.collect::<Vec<_>>(), (0..30).map(voice).collect::<Vec<_>>());
    assert!(source.is_over());
}
