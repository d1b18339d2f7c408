use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::media::clip::Clip;
use crate::media::codec::ALAW_SILENCE;
use crate::media::command::{Digits, Record};
use crate::media::event::{EndedBy, RecordEnded};
use crate::media::progress::Tone;
use crate::media::rtp::Header;

const PEER: &str = "10.1.1.1:4000";
const SSRC: u32 = 0xAB;

#[derive(Default)]
struct Collected {
    rtp: Vec<(SocketAddr, Vec<u8>)>,
    rtcp: Vec<(SocketAddr, Vec<u8>)>,
    events: Vec<Event>,
    frames: Vec<Frame>,
    discarded: usize,
    full: bool,
}

impl Outlet for Collected {
    fn send_rtp(&mut self, to: SocketAddr, packet: &[u8]) {
        self.rtp.push((to, packet.to_vec()));
    }

    fn send_rtcp(&mut self, to: SocketAddr, packet: &[u8]) {
        self.rtcp.push((to, packet.to_vec()));
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn record(&mut self, frame: &Frame) -> bool {
        if !self.full {
            self.frames.push(*frame);
        }
        !self.full
    }

    fn discard(&mut self, _cues: Vec<Cue>) {
        self.discarded += 1;
    }
}

/// A session, its products and a peer, in virtual time.
struct Line {
    session: Session,
    out: Collected,
    period: u64,
    sequence: u16,
}

impl Line {
    fn new() -> Line {
        Line::with(negotiated(), &Config::default())
    }

    fn with(negotiated: Negotiated, config: &Config) -> Line {
        let now = Now { mono: at(0), wall: "2026-11-22T00:00:00Z".parse().expect("a time") };
        let signalling = Some("10.1.1.9".parse().expect("an address"));
        let session = Session::new(config, negotiated, signalling, [7; 32], now);
        Line { session, out: Collected::default(), period: 0, sequence: 65_530 }
    }

    fn now(&self) -> Mono {
        at(self.period * 20)
    }

    fn command(&mut self, command: Command) {
        self.session.command(self.now(), command, &mut self.out);
    }

    /// A packet with the timestamp of this period.
    fn peer(&mut self, payload_type: u8, payload: &[u8]) {
        let timestamp = self.period as u32 * 160;
        self.peer_at(PEER, payload_type, timestamp, payload);
    }

    fn peer_at(&mut self, from: &str, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let header = Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: SSRC };
        self.sequence = self.sequence.wrapping_add(1);
        self.packet(from, &header, payload);
    }

    fn packet(&mut self, from: &str, header: &Header, payload: &[u8]) {
        let mut buffer = [0; rtp::MAX_SENT];
        let length = rtp::build(header, payload, &mut buffer);
        self.session.receive(self.now(), from.parse().expect("an address"), &buffer[..length], &mut self.out);
    }

    fn advance(&mut self) {
        self.session.advance(self.now(), &mut self.out);
        self.period += 1;
    }

    /// So many periods in which the peer talks.
    fn talk(&mut self, periods: u64) {
        for _ in 0..periods {
            let n = self.period;
            self.peer(8, &voice(n as u32));
            self.advance();
        }
    }

    /// So many periods in which somebody talks from another address.
    fn talk_from(&mut self, from: &str, periods: u64) {
        for _ in 0..periods {
            let n = self.period as u32;
            self.peer_at(from, 8, n * 160, &voice(n));
            self.advance();
        }
    }

    fn quiet(&mut self, periods: u64) {
        for _ in 0..periods {
            self.advance();
        }
    }

    fn sent(&self) -> Vec<Packet<'_>> {
        self.out.rtp.iter().map(|(_, bytes)| Packet::parse(bytes).expect("RTP")).collect()
    }

    fn keys(&self) -> String {
        let key = |event: &Event| if let Event::Digit { digit, .. } = event { Some(digit.as_char()) } else { None };
        self.out.events.iter().filter_map(key).collect()
    }

    fn record_ended(&self) -> Option<RecordEnded> {
        self.out.events.iter().find_map(|event| if let Event::RecordEnded(ended) = event { Some(*ended) } else { None })
    }
}

fn at(ms: u64) -> Mono {
    Mono::from_micros(1_000_000 + ms * 1_000)
}

fn negotiated() -> Negotiated {
    Negotiated {
        codec: Codec::Pcma,
        payload: 8,
        dtmf_payload: Some(101),
        peer_rtp: PEER.parse().expect("an address"),
        peer_rtcp: "10.1.1.1:4001".parse().expect("an address"),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        comfort_noise: None,
    }
}

/// A loud frame told apart by its number.
fn voice(n: u32) -> [u8; FRAME] {
    std::array::from_fn(|i| codec::alaw_encode(if i % 8 < 4 { 8_000 + (n % 64) as i16 * 256 } else { -8_000 }))
}

fn clip(frames: usize) -> (Arc<Clip>, Vec<u8>) {
    let octets: Vec<u8> = (0..frames * FRAME).map(|i| (i * 7 % 251) as u8).collect();
    (Arc::new(Clip::from_alaw(octets.clone())), octets)
}

fn event_payload(code: u8, end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [code, u8::from(end) << 7 | 10, high, low]
}

const RECORD: Record = Record { max_ms: 60_000, silence_ms: 1_000, stop_on_key: true };

#[test]
fn a_clip_is_heard_to_the_bit_in_an_unbroken_stream() {
    let mut line = Line::new();
    line.quiet(3);
    let (clip, octets) = clip(10);
    line.command(Command::Play { token: 5, clips: vec![Cue::Clip(clip)] });
    line.quiet(12);
    let sent = line.sent();
    let heard: Vec<u8> = sent[3..13].iter().flat_map(|packet| packet.payload).copied().collect();
    assert_eq!(heard, octets);
    assert!(sent[13].payload.iter().all(|octet| *octet == ALAW_SILENCE));
    for pair in sent.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert_eq!(pair[1].header.timestamp, pair[0].header.timestamp.wrapping_add(160));
    }
    let marked: Vec<usize> = (0..sent.len()).filter(|n| sent[*n].header.marker).collect();
    assert_eq!(marked, [0, 3], "at the beginning and where the talk begins");
    assert_eq!(line.out.events, [Event::Played { token: 5, complete: true, at: at(12 * 20) }]);
    assert_eq!(line.out.discarded, 1);
}

#[test]
fn stop_silences_within_one_frame_and_ends_each_token() {
    let mut line = Line::new();
    for token in [1, 2] {
        line.command(Command::Play { token, clips: vec![Cue::Clip(clip(10).0)] });
    }
    line.quiet(2);
    line.command(Command::Stop);
    line.quiet(1);
    assert!(line.sent()[2].payload.iter().all(|octet| *octet == ALAW_SILENCE));
    let stopped = |token| Event::Played { token, complete: false, at: at(40) };
    assert_eq!(line.out.events, [stopped(1), stopped(2)]);
}

#[test]
fn late_visits_skip_and_do_not_burst() {
    let mut line = Line::new();
    let (clip, octets) = clip(4);
    line.command(Command::Play { token: 1, clips: vec![Cue::Clip(clip)] });
    line.quiet(2);
    line.period += 5;
    line.quiet(2);
    let sent = line.sent();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[2].header.timestamp, sent[1].header.timestamp.wrapping_add(6 * 160));
    assert_eq!(sent[2].header.sequence, sent[1].header.sequence.wrapping_add(1));
    assert!(sent[2].header.marker);
    assert_eq!(sent.iter().flat_map(|packet| packet.payload).copied().collect::<Vec<u8>>(), octets, "nothing is lost");
    assert_eq!(line.session.summary().skipped, 5);
}

#[test]
fn both_sides_are_recorded_to_the_bit_and_at_one_time() {
    let mut line = Line::new();
    let (clip, octets) = clip(20);
    line.command(Command::CallRecording(true));
    line.command(Command::Play { token: 1, clips: vec![Cue::Clip(clip)] });
    line.talk(20);
    line.quiet(8);
    assert_eq!(line.out.frames.len(), 20);
    for (n, frame) in line.out.frames.iter().enumerate() {
        assert_eq!(frame.number as usize, n + 8, "eight frames behind");
        assert_eq!(frame.caller, voice(n as u32));
        assert_eq!(frame.system[..], octets[n * FRAME..(n + 1) * FRAME]);
        assert!(frame.call && !frame.request);
    }
}

#[test]
fn a_visit_that_comes_half_a_second_late_still_records_all() {
    let mut line = Line::new();
    line.command(Command::CallRecording(true));
    line.talk(10);
    // The packets of 40 periods wait in the socket.
    line.period = 49;
    for n in 10..50_u32 {
        line.peer_at(PEER, 8, n * 160, &voice(n));
    }
    line.advance();
    line.quiet(8);
    let recorded: Vec<[u8; FRAME]> = line.out.frames.iter().map(|frame| frame.caller).collect();
    assert_eq!(recorded, (0..50).map(voice).collect::<Vec<_>>());
}

#[test]
fn a_request_ends_by_silence_and_its_frames_are_marked() {
    let mut line = Line::new();
    line.command(Command::Record(RECORD));
    line.talk(100);
    line.quiet(80);
    let ended = line.record_ended().expect("the end");
    assert_eq!(ended.ended_by, EndedBy::Silence);
    assert!((2_000..=2_100).contains(&ended.speech_ms), "{}", ended.speech_ms);
    let frames: Vec<&Frame> = line.out.frames.iter().filter(|frame| frame.request).collect();
    assert_eq!(frames.len() as u32 * 20, ended.duration_ms);
    assert!(frames.iter().all(|frame| !frame.call));
    assert_eq!(frames[0].caller, voice(0));
}

#[test]
fn a_key_ends_a_request_and_is_reported_before() {
    let mut line = Line::new();
    line.command(Command::Record(RECORD));
    line.talk(50);
    line.peer(101, &event_payload(11, false, 160));
    line.quiet(9);
    assert_eq!(line.out.events[0], Event::Digit { digit: Digit::POUND, path: Path::Rfc4733 });
    let ended = line.record_ended().expect("the end");
    assert_eq!((ended.ended_by, ended.duration_ms), (EndedBy::Key, 1_000));
}

#[test]
fn closing_writes_out_what_is_still_in_the_buffer() {
    let mut line = Line::new();
    line.command(Command::Record(RECORD));
    line.talk(60);
    line.command(Command::Close);
    assert_eq!(line.out.frames.len(), 60);
    assert_eq!(line.out.frames[59].caller, voice(59));
    let ended = line.record_ended().expect("the end");
    assert_eq!((ended.ended_by, ended.duration_ms), (EndedBy::Closed, 1_200));
    let Some(Event::Closed(summary)) = line.out.events.last() else { panic!("{:?}", line.out.events) };
    assert_eq!((summary.packets_in, summary.packets_out, summary.lost), (60, 60, 0));
    let bye = rtcp::Received::parse(&line.out.rtcp.last().expect("a report").1, 0).expect("RTCP");
    assert!(bye.bye);
    let sent = line.out.rtp.len();
    line.quiet(5);
    assert_eq!(line.out.rtp.len(), sent, "a closed session is silent");
}

#[test]
fn a_request_across_a_jump_tells_the_number_after_its_last_frame() {
    for ending in [Command::StopRecord, Command::Close] {
        let mut line = Line::new();
        line.command(Command::Record(Record { silence_ms: 0, ..RECORD }));
        line.talk(60);
        line.period += 1_000;
        line.quiet(1);
        line.talk(20);
        line.command(ending);
        line.quiet(20);
        let ended = line.record_ended().expect("the end");
        let frames: Vec<u32> = line.out.frames.iter().filter(|frame| frame.request).map(|frame| frame.number).collect();
        assert_eq!(Some(ended.end_frame), frames.last().map(|last| last + 1));
        assert_eq!(ended.duration_ms, frames.len() as u32 * 20);
        assert!(ended.end_frame - frames[0] > frames.len() as u32 + 800, "{ended:?}");
    }
}

#[test]
fn a_full_ring_is_counted() {
    let mut line = Line::new();
    line.out.full = true;
    line.command(Command::CallRecording(true));
    line.talk(20);
    assert_eq!(line.session.summary().overruns, 12);
}

#[test]
fn strangers_are_neither_recorded_nor_answered() {
    let mut line = Line::new();
    line.command(Command::CallRecording(true));
    line.peer_at("10.6.6.6:4000", 8, 0, &voice(1));
    line.peer_at("10.1.1.9:4000", 8, 0, &voice(1));
    line.quiet(20);
    assert!(line.out.frames.iter().all(|frame| frame.caller == [ALAW_SILENCE; FRAME]));
    assert!(line.out.rtp.iter().all(|(to, _)| to.to_string() == PEER));
    assert_eq!(line.session.summary().foreign, 2);
    assert_eq!(line.session.summary().packets_in, 0);
}

#[test]
fn the_signalling_host_is_taken_where_it_is_trusted() {
    let mut line = Line::with(negotiated(), &Config { latch: Trust::Network, ..Config::default() });
    line.talk_from("10.1.1.9:7000", 5);
    assert_eq!(line.out.rtp[3].0.to_string(), PEER);
    assert_eq!(line.out.rtp[4].0.to_string(), "10.1.1.9:7000");
}

#[test]
fn a_latch_does_not_move_unless_a_description_says_so() {
    let mut line = Line::new();
    line.talk_from("10.1.1.1:9000", 5);
    line.talk_from("10.1.1.1:9500", 9);
    assert!(line.out.rtp[4..].iter().all(|(to, _)| to.to_string() == "10.1.1.1:9000"));
    let moved = Negotiated { peer_rtp: "10.1.1.2:4000".parse().expect("an address"), ..negotiated() };
    line.command(Command::Reconfigure(moved));
    line.quiet(1);
    assert_eq!(line.out.rtp[14].0.to_string(), "10.1.1.2:4000");
}

#[test]
fn the_sound_of_a_call_before_is_neither_recorded_nor_answered() {
    let mut line = Line::new();
    line.command(Command::CallRecording(true));
    let mut stray = Header { marker: false, payload_type: 8, sequence: 700, timestamp: 5_000, ssrc: 99 };
    for n in 0..50 {
        // the trunk still sends it, from the port that it gave that call
        line.packet("10.1.1.1:9000", &stray, &voice(63));
        (stray.sequence, stray.timestamp) = (stray.sequence + 1, stray.timestamp + 160);
        if n >= 3 {
            line.peer(8, &voice(n));
        }
        line.advance();
    }
    line.quiet(8);
    let recorded: Vec<[u8; FRAME]> = line.out.frames.iter().map(|frame| frame.caller).collect();
    assert_eq!(recorded[..3], [[ALAW_SILENCE; FRAME]; 3]);
    assert_eq!(recorded[3..], (3..50).map(voice).collect::<Vec<_>>());
    assert!(line.out.rtp.iter().all(|(to, _)| to.to_string() == PEER));
    assert_eq!((line.session.summary().foreign, line.session.summary().packets_in), (50, 47));
}

#[test]
fn a_caller_who_comes_late_takes_the_line_back_from_the_call_before() {
    let mut line = Line::new();
    line.command(Command::CallRecording(true));
    line.talk_from("10.1.1.1:9000", 20);
    assert_eq!(line.out.rtp[19].0.to_string(), "10.1.1.1:9000");
    for n in 20..40 {
        let header = Header { marker: true, payload_type: 8, sequence: n, timestamp: u32::from(n) * 160, ssrc: 5 };
        line.packet(PEER, &header, &voice(u32::from(n)));
        line.peer_at("10.1.1.1:9000", 8, u32::from(n) * 160, &voice(63));
        line.advance();
    }
    line.quiet(8);
    assert!(line.out.rtp[20..].iter().all(|(to, _)| to.to_string() == PEER));
    let recorded: Vec<[u8; FRAME]> = line.out.frames[20..].iter().map(|frame| frame.caller).collect();
    assert_eq!(recorded, (20..40).map(voice).collect::<Vec<_>>());
}

#[test]
fn a_packet_of_a_wrong_type_neither_latches_nor_counts() {
    let mut line = Line::new();
    line.peer_at("10.1.1.1:9000", 0, 0, &voice(1));
    line.peer_at("10.1.1.1:9000", 96, 0, &voice(1));
    line.quiet(1);
    assert_eq!(line.out.rtp[0].0.to_string(), PEER);
    assert_eq!((line.session.summary().discarded, line.session.summary().packets_in), (2, 0));
}

#[test]
fn a_new_ssrc_goes_on_in_time() {
    let mut line = Line::new();
    line.command(Command::CallRecording(true));
    line.talk(10);
    for n in 10..20 {
        let header =
            Header { marker: true, payload_type: 8, sequence: n, timestamp: 999_000 + u32::from(n) * 160, ssrc: 5 };
        line.packet(PEER, &header, &voice(u32::from(n)));
        line.advance();
    }
    line.quiet(8);
    let recorded: Vec<[u8; FRAME]> = line.out.frames.iter().map(|frame| frame.caller).collect();
    assert_eq!(recorded, (0..20).map(voice).collect::<Vec<_>>());
}

#[test]
fn info_and_rtp_of_one_press_are_one_key() {
    let mut line = Line::new();
    let timestamp = 0;
    for n in 1..=10_u16 {
        line.peer_at(PEER, 101, timestamp, &event_payload(4, n > 7, n * 160));
        line.advance();
    }
    line.command(Command::InfoDigit(Digit::from_event(4).expect("a key")));
    assert_eq!(line.keys(), "4");
    line.quiet(20);
    line.command(Command::InfoDigit(Digit::from_event(4).expect("a key")));
    assert_eq!(line.keys(), "44");
}

fn tones(line: &mut Line, digit: char) {
    let digit = Digit::from_char(digit).expect("a key");
    for n in 0..5 {
        line.peer(8, &tone::key_frame(digit, n * FRAME).map(codec::alaw_encode));
        line.advance();
    }
    line.quiet(5);
}

#[test]
fn tones_are_keys_only_without_telephone_event_and_never_in_a_request() {
    let without = Negotiated { dtmf_payload: None, ..negotiated() };
    let mut line = Line::with(without.clone(), &Config::default());
    tones(&mut line, '5');
    line.quiet(10);
    assert_eq!(line.keys(), "5");
    line.command(Command::Record(Record { silence_ms: 0, ..RECORD }));
    tones(&mut line, '6');
    line.quiet(10);
    assert_eq!(line.keys(), "5");
    line.command(Command::StopRecord);
    line.quiet(10);
    tones(&mut line, '#');
    line.quiet(10);
    assert_eq!(line.keys(), "5#");
    for config in [Config { inband_dtmf: false, ..Config::default() }, Config::default()] {
        let negotiated = if config.inband_dtmf { negotiated() } else { without.clone() };
        let mut line = Line::with(negotiated, &config);
        tones(&mut line, '5');
        line.quiet(10);
        assert_eq!(line.keys(), "");
    }
}

#[test]
fn our_keys_go_out_as_events_or_as_tones() {
    let mut line = Line::new();
    line.command(Command::SendDigits(Digits::parse("19").expect("keys")));
    line.quiet(25);
    let events: Vec<_> = line.sent().into_iter().filter(|packet| packet.header.payload_type == 101).collect();
    assert_eq!(events.len(), 14);
    assert_eq!(events.iter().filter(|packet| packet.header.marker).count(), 2);

    let without = Negotiated { dtmf_payload: None, ..negotiated() };
    let mut line = Line::with(without, &Config::default());
    line.command(Command::SendDigits(Digits::parse("19").expect("keys")));
    line.quiet(25);
    let mut detector = inband::Detector::default();
    let heard: Vec<char> = line
        .sent()
        .iter()
        .filter_map(|packet| detector.hear(packet.payload.iter().map(|octet| codec::alaw_decode(*octet))))
        .map(Digit::as_char)
        .collect();
    assert_eq!(heard, ['1', '9']);
}

#[test]
fn hold_sends_nothing_keeps_the_prompt_and_the_time() {
    let mut line = Line::new();
    let (clip, octets) = clip(4);
    line.command(Command::CallRecording(true));
    line.command(Command::Play { token: 1, clips: vec![Cue::Clip(clip)] });
    line.talk(2);
    line.command(Command::Reconfigure(Negotiated { direction: Direction::Inactive, ..negotiated() }));
    line.talk(2_000);
    assert_eq!(line.out.rtp.len(), 2);
    assert!(!line.out.events.contains(&Event::RtpTimeout), "a peer on hold may be silent");
    line.command(Command::Reconfigure(negotiated()));
    line.talk(2);
    let sent = line.sent();
    assert_eq!(sent[2].header.timestamp, sent[1].header.timestamp.wrapping_add(2_001 * 160));
    assert!(sent[2].header.marker);
    assert_eq!(sent.iter().flat_map(|packet| packet.payload).copied().collect::<Vec<u8>>(), octets);
    line.quiet(8);
    assert_eq!(line.out.frames.len(), 2_004);
    assert_eq!(line.out.frames[1].caller, voice(1));
    assert_eq!(line.out.frames[2].caller, [ALAW_SILENCE; FRAME], "what is sent on hold is not heard");
    assert_eq!(line.out.frames[2_002].caller, voice(2_002));
}

#[test]
fn a_peer_that_holds_without_music_is_not_dead_until_it_has_taken_us_back() {
    for direction in [Direction::RecvOnly, Direction::SendOnly, Direction::Inactive] {
        let mut line = Line::new();
        line.talk(5);
        line.command(Command::Reconfigure(Negotiated { direction, ..negotiated() }));
        line.quiet(4_000);
        assert_eq!(line.out.events, [], "{direction:?}");
        line.command(Command::Reconfigure(negotiated()));
        line.quiet(1_400);
        assert_eq!(line.out.events, [], "{direction:?}");
        line.quiet(200);
        assert_eq!(line.out.events, [Event::RtpTimeout], "{direction:?}");
    }
}

#[test]
fn a_dead_peer_is_reported_once_and_comfort_noise_is_life() {
    let mut line = Line::new();
    line.talk(5);
    for _ in 0..40 {
        line.peer(13, &[70]);
        line.quiet(50);
    }
    assert_eq!(line.out.events, []);
    line.quiet(3_000);
    assert_eq!(line.out.events, [Event::RtpTimeout]);
    line.talk(1);
    line.quiet(1_600);
    assert_eq!(line.out.events, [Event::RtpTimeout, Event::RtpTimeout]);
}

#[test]
fn reports_go_both_ways_and_measure_the_round_trip() {
    let mut line = Line::new();
    line.talk(1_000);
    let count = line.out.rtcp.len();
    assert!((2..=9).contains(&count), "{count} reports in 20 s");
    let (to, report) = line.out.rtcp.last().expect("a report");
    assert_eq!(to.to_string(), "10.1.1.1:4001");
    let received = rtcp::Received::parse(report, SSRC).expect("RTCP");
    let sender = received.sender.expect("a sender report");
    assert_eq!(received.block.map(|block| (block.lost, block.ssrc)), Some((0, SSRC)));
    let ours = line.sent()[0].header.ssrc;
    // The peer had our report 100 ms, and 40 ms went by on the way.
    let reported = sender.ntp;
    let now = at(20_000);
    let spent = line.session.clock.ntp(now).wrapping_sub(reported);
    let held = ((spent - rtcp::ntp_span(Duration::from_millis(40))) >> 16) as u32;
    let block = rtcp::Block {
        ssrc: ours,
        fraction_lost: 0,
        lost: 3,
        highest_sequence: 0,
        jitter: 0,
        last_sender_report: rtcp::middle(reported),
        delay_since: held,
    };
    let compound = rtcp::Compound { ssrc: SSRC, sender: None, block: Some(block), cname: &[b'x'; 16], bye: false };
    let mut buffer = [0; rtcp::MAX_SENT];
    let length = compound.build(&mut buffer);
    line.session.receive_rtcp(now, "10.1.1.1:4001".parse().expect("an address"), &buffer[..length]);
    let summary = line.session.summary();
    assert!((39.0..41.0).contains(&summary.round_trip_ms.expect("a round trip")), "{summary:?}");
    assert_eq!(summary.peer_lost, Some(3));
}

#[test]
fn mu_law_is_recorded_as_a_law() {
    let mut line = Line::with(Negotiated { codec: Codec::Pcmu, payload: 0, ..negotiated() }, &Config::default());
    line.command(Command::CallRecording(true));
    let (clip, octets) = clip(1);
    line.command(Command::Play { token: 1, clips: vec![Cue::Clip(clip)] });
    line.peer(0, &voice(3).map(codec::alaw_to_ulaw));
    line.quiet(9);
    let mu: Vec<u8> = octets.iter().map(|octet| codec::alaw_to_ulaw(*octet)).collect();
    assert_eq!(line.sent()[0].payload, mu);
    let frame = line.out.frames[0];
    let expected: Vec<u8> = mu.iter().map(|octet| codec::ulaw_to_alaw(*octet)).collect();
    assert_eq!(frame.system[..], expected);
    assert_eq!(frame.caller, voice(3).map(|octet| codec::ulaw_to_alaw(codec::alaw_to_ulaw(octet))));
}

proptest! {
    /// Whatever is lost, sent as comfort noise or not sent at all: the recording has a frame a period, and each frame
    /// that came is at its own time.
    #[test]
    fn a_recording_keeps_its_time(fates in prop::collection::vec(0_u8..4, 1..300)) {
        let mut line = Line::new();
        line.command(Command::CallRecording(true));
        line.talk(1);
        for fate in &fates {
            let n = line.period as u32;
            match fate {
                0 | 1 => line.peer(8, &voice(n)),
                2 => line.sequence = line.sequence.wrapping_add(1), // lost
                _ => line.peer(13, &[60]),
            }
            line.advance();
        }
        line.quiet(8);
        prop_assert_eq!(line.out.frames.len(), fates.len() + 1);
        for (n, frame) in line.out.frames.iter().enumerate().skip(1) {
            let expected = if fates[n - 1] < 2 { voice(n as u32) } else { [ALAW_SILENCE; FRAME] };
            prop_assert_eq!(frame.caller, expected);
        }
    }

    #[test]
    fn nothing_that_comes_from_the_network_panics(
        datagrams in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..64), any::<bool>(), 0_u8..4), 0..60),
    ) {
        let mut line = Line::new();
        line.command(Command::CallRecording(true));
        for (mut bytes, rtcp, kind) in datagrams {
            if let [first, second, ..] = bytes.as_mut_slice() && kind > 0 {
                (*first, *second) = (0x80, [8, 101, 13][usize::from(kind - 1)]);
            }
            let from = PEER.parse().expect("an address");
            match rtcp {
                true => line.session.receive_rtcp(line.now(), from, &bytes),
                false => line.session.receive(line.now(), from, &bytes, &mut line.out),
            }
            line.advance();
        }
        prop_assert!(line.session.summary().packets_out > 0 || line.period == 0);
    }
}

#[test]
fn what_stands_for_a_person_is_told_only_while_it_is_listened_for() {
    let frames = |samples: Vec<i16>| -> Vec<Vec<u8>> {
        let frames = samples.chunks_exact(FRAME).map(|frame| frame.iter().map(|s| codec::alaw_encode(*s)).collect());
        frames.collect()
    };
    let busy = frames([tone::sine(450.0, 360, 0.3), vec![0; 340 * 8]].concat().repeat(3));
    let mut line = Line::new();
    let hear = |line: &mut Line| {
        for frame in &busy {
            line.peer(8, frame);
            line.advance();
        }
        line.talk(250);
    };
    hear(&mut line);
    let told = |event: &Event| matches!(event, Event::Tone(_) | Event::LongSpeech);
    assert_eq!(line.out.events.iter().filter(|event| told(event)).count(), 0);
    line.command(Command::Listen);
    hear(&mut line);
    let heard: Vec<Event> = line.out.events.iter().copied().filter(told).collect();
    assert_eq!(heard, [Event::Tone(Tone::Busy), Event::LongSpeech]);
}
