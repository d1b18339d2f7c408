//! One call's sound: packets and commands in, packets, frames and events out.
//!
//! A session lives in periods of 20 ms. At each visit its owner hands in what came ([`Session::command`],
//! [`Session::receive`], [`Session::receive_rtcp`]) and then lets the time pass ([`Session::advance`]).
//!
//! - RTP goes out in every period in which the direction allows it, silence when nothing plays, so that a NAT on the
//!   way stays open. Periods missed because the visit was late are skipped: timestamps and recording go on, what is
//!   played goes on where it was, and the next packet carries the marker.
//! - On hold (we may not send) what is played stands still, so that a menu is not lost; timestamps and the recording
//!   go on. What the peer sends while it should not is ignored. Its silence is a timeout only while both may send: a
//!   peer that holds us may play music, and need not.
//! - The recording is [`Config::reorder_ms`] behind, both sides alike.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::clock::{Mono, Now};
use crate::digit::Digit;
use crate::media::command::{Command, Cue};
use crate::media::config::{Config, MAX_DELAY};
use crate::media::dtmf::{Presses, inband, receive, send};
use crate::media::event::{Event, Path, Summary};
use crate::media::frame::Frame;
use crate::media::jitter::{Jitter, Placed};
use crate::media::latch::{Latch, Trust};
use crate::media::playout::{self, Playout};
use crate::media::progress::{LongSpeech, Tones};
use crate::media::reception::Order;
use crate::media::recorder::Recorder;
use crate::media::rtp::{self, Packet};
use crate::media::{FRAME, codec, rtcp, tone};
use crate::sdp::{Codec, Direction, Negotiated};

mod periods;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use periods::Periods;
use receiving::Receiving;
use sending::Sending;

/// Longest stretch of missed periods that is recorded as silence; after more than that the recording jumps.
const MOST_RECORDED: u32 = 100;

/// Payloads above this hold more sound (200 ms) than anybody puts into a packet.
const MAX_PAYLOAD: usize = 1_600;

/// The static payload type of comfort noise (RFC 3389 §4), which some send without offering it.
const COMFORT_NOISE: u8 = 13;

/// Where a session's products go. Its methods are called in the order in which things happen.
pub trait Outlet {
    fn send_rtp(&mut self, to: SocketAddr, packet: &[u8]);
    fn send_rtcp(&mut self, to: SocketAddr, packet: &[u8]);
    fn event(&mut self, event: Event);
    /// A frame for the recording; false if there was no room for it.
    fn record(&mut self, frame: &Frame) -> bool;
    /// Cues that are no longer needed, to be freed where freeing is allowed.
    fn discard(&mut self, cues: Vec<Cue>);
}

/// See the module.
pub struct Session {
    config: Config,
    negotiated: Negotiated,
    latch: Latch,
    clock: Periods,
    sending: Sending,
    receiving: Receiving,
    playout: Playout,
    recorder: Recorder,
    jitter: Jitter,
    /// What we sent in the latest periods, in A-law: the recording's other side.
    sent: [[u8; FRAME]; MAX_DELAY as usize],
    presses: Presses,
    keys_in: receive::Receiver,
    keys_out: send::Sender,
    tones: Option<inband::Detector>,
    progress: Option<(Tones, LongSpeech)>,
    summary: Summary,
    closed: bool,
}

impl Session {
    /// `signalling`: the host that SIP came from, which [`Trust::Network`] trusts.
    pub fn new(
        config: &Config,
        negotiated: Negotiated,
        signalling: Option<IpAddr>,
        seed: [u8; 32],
        now: Now,
    ) -> Session {
        let trusted = signalling.filter(|_| config.latch == Trust::Network);
        let latch = Latch::new(negotiated.peer_rtp, negotiated.peer_rtcp, trusted);
        let mut session = Session {
            config: config.clone(),
            latch,
            clock: Periods::new(now),
            sending: Sending::new(seed, now.mono),
            receiving: Receiving::new(now.mono),
            playout: Playout::new(),
            recorder: Recorder::new(config.delay()),
            jitter: Jitter::new(config.delay() * FRAME as u32),
            sent: [[codec::ALAW_SILENCE; FRAME]; MAX_DELAY as usize],
            presses: Presses::default(),
            keys_in: receive::Receiver::default(),
            keys_out: send::Sender::default(),
            tones: None,
            progress: None,
            summary: Summary::default(),
            closed: false,
            negotiated,
        };
        session.listen_for_tones();
        session
    }

    /// Moves the periods to begin at `at`, before the first of them: the moment of the first visit.
    pub fn begin(&mut self, at: Mono) {
        self.clock.next = at;
        self.receiving.alive(at);
    }

    /// After `Command::Close`: nothing more comes from this session.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Carries out a request of the call.
    pub fn command(&mut self, now: Mono, command: Command, out: &mut impl Outlet) {
        if self.closed {
            if let Command::Play { clips, .. } = command {
                out.discard(clips);
            }
            return;
        }
        match command {
            Command::Play { token, clips } => {
                self.sending.marker |= !self.playout.is_playing();
                if let Err(refused) = self.playout.play(token, clips) {
                    end_playback(refused, false, now, out);
                }
            }
            Command::Stop => self.stop(now, out),
            Command::Record(record) => self.recorder.start(record),
            Command::StopRecord => self.recorder.stop(),
            Command::CallRecording(on) => self.recorder.record_call(on),
            Command::Listen => self.progress = Some(Default::default()),
            Command::Reconfigure(negotiated) => self.reconfigure(now, negotiated),
            Command::SendDigits(digits) => {
                self.keys_out.send(digits);
            }
            Command::InfoDigit(digit) => self.key(digit, Path::Info, now, out),
            Command::Close => self.close(now, out),
        }
    }

    /// Takes a datagram of the RTP port.
    pub fn receive(&mut self, now: Mono, from: SocketAddr, bytes: &[u8], out: &mut impl Outlet) {
        if self.closed {
            return;
        }
        if rtp::is_rtcp(bytes) {
            return self.receive_rtcp(now, from, bytes);
        }
        if !self.latch.may_be(from) {
            self.summary.foreign += 1;
            return;
        }
        let Some(packet) = Packet::parse(bytes).filter(|packet| packet.payload.len() <= MAX_PAYLOAD) else {
            self.summary.discarded += 1;
            return;
        };
        let kind = packet.header.payload_type;
        let speech = kind == self.negotiated.payload;
        let key = self.negotiated.dtmf_payload == Some(kind);
        let comfort_noise = self.negotiated.comfort_noise == Some(kind) || kind == COMFORT_NOISE;
        if !(speech || key || comfort_noise) || !self.negotiated.direction.receives() {
            self.summary.discarded += 1;
            return;
        }
        if !self.latch.admit(from, packet.header.ssrc, packet.header.sequence) {
            self.summary.foreign += 1;
            return;
        }
        let order = self.receiving.count(&packet.header, now);
        if order == Order::Restart {
            self.jitter.restart();
        }
        if speech {
            self.hear(now, &packet, order != Order::Behind, out);
        } else if key {
            self.receive_key(now, &packet, out);
        }
    }

    /// Takes a datagram of the RTCP port.
    pub fn receive_rtcp(&mut self, now: Mono, from: SocketAddr, bytes: &[u8]) {
        if self.closed || !self.latch.may_be_rtcp(from) {
            self.summary.foreign += u64::from(!self.closed);
            return;
        }
        let Some(received) = rtcp::Received::parse(bytes, self.sending.ssrc) else {
            self.summary.discarded += 1;
            return;
        };
        self.latch.settle_rtcp(from);
        self.receiving.reported(&received, self.clock.ntp(now), now);
    }

    /// Lets the periods up to `now` pass: sends, records, reports. To be called about every 20 ms.
    pub fn advance(&mut self, now: Mono, out: &mut impl Outlet) {
        if self.closed {
            return;
        }
        self.skip_missed(now, out);
        if self.clock.owed(now) > 0 {
            self.period(now, out);
        }
        if self.sending.is_report_due(now) {
            self.report(now, false, out);
        }
        let patience = Duration::from_millis(u64::from(self.config.rtp_timeout_ms));
        if self.negotiated.direction == Direction::SendRecv && self.receiving.times_out(now, patience) {
            out.event(Event::RtpTimeout);
        }
    }

    /// The call's figures so far.
    pub fn summary(&self) -> Summary {
        self.receiving.summarize(Summary { packets_out: self.sending.packets, ..self.summary })
    }

    fn hear(&mut self, now: Mono, packet: &Packet<'_>, forward: bool, out: &mut impl Outlet) {
        let timestamp = packet.header.timestamp;
        // A visit that comes late finds more than the ring holds: time has to pass first.
        while self.clock.owed(now) > 1 && self.jitter.is_beyond(timestamp, packet.payload.len()) {
            self.skip(out);
        }
        let placed = match self.negotiated.codec {
            Codec::Pcma => self.jitter.write(timestamp, packet.payload, forward),
            Codec::Pcmu => {
                let mut alaw = [0; MAX_PAYLOAD];
                let alaw = &mut alaw[..packet.payload.len()];
                for (alaw, ulaw) in alaw.iter_mut().zip(packet.payload) {
                    *alaw = codec::ulaw_to_alaw(*ulaw);
                }
                self.jitter.write(timestamp, alaw, forward)
            }
        };
        self.summary.late += u64::from(placed == Placed::Late);
    }

    fn receive_key(&mut self, now: Mono, packet: &Packet<'_>, out: &mut impl Outlet) {
        match self.keys_in.receive(now, packet.header.ssrc, packet.header.timestamp, packet.payload) {
            Some(receive::Told::Pressed(digit)) => self.key(digit, Path::Rfc4733, now, out),
            Some(receive::Told::Held) => self.presses.hold(Path::Rfc4733, now),
            Some(receive::Told::Nothing) => {}
            None => self.summary.discarded += 1,
        }
    }

    fn key(&mut self, digit: Digit, path: Path, now: Mono, out: &mut impl Outlet) {
        if self.presses.admit(digit, path, now) {
            self.recorder.key();
            out.event(Event::Digit { digit, path });
        }
    }

    /// All periods owed but the last pass without a packet.
    fn skip_missed(&mut self, now: Mono, out: &mut impl Outlet) {
        let missed = self.clock.owed(now).saturating_sub(1);
        if missed > MOST_RECORDED {
            let jump = missed - MOST_RECORDED;
            self.clock.pass(jump);
            self.sending.pass(jump);
            self.summary.skipped += u64::from(jump);
            self.jitter.restart();
        }
        for _ in 0..missed.min(MOST_RECORDED) {
            self.skip(out);
        }
    }

    fn skip(&mut self, out: &mut impl Outlet) {
        self.summary.skipped += 1;
        self.sending.marker = true;
        let silence = [codec::ALAW_SILENCE; FRAME];
        let now = self.clock.next;
        self.end_period(now, silence, out);
    }

    fn period(&mut self, now: Mono, out: &mut impl Outlet) {
        let mut sound = [playout::silence(self.negotiated.codec); FRAME];
        let to = self.latch.rtp().filter(|_| self.negotiated.direction.sends());
        match to {
            Some(to) => self.send(now, to, &mut sound, out),
            None => self.sending.marker = true,
        }
        if self.negotiated.codec == Codec::Pcmu {
            sound = sound.map(codec::ulaw_to_alaw);
        }
        self.end_period(now, sound, out);
    }

    /// Sends what this period carries and leaves in `sound` what is heard of it.
    fn send(&mut self, now: Mono, to: SocketAddr, sound: &mut [u8; FRAME], out: &mut impl Outlet) {
        let codec = self.negotiated.codec;
        match (self.keys_out.period(self.sending.timestamp), self.negotiated.dtmf_payload) {
            (Some(send::Period::Event { payload, timestamp, marker, .. }), Some(payload_type)) => {
                return self.sending.send_event(payload_type, (timestamp, marker), &payload, to, out);
            }
            (Some(send::Period::Event { timestamp, digit, down: true, .. }), None) => {
                let from = self.sending.timestamp.wrapping_sub(timestamp) as usize;
                *sound = tone::key_frame(digit, from).map(|sample| match codec {
                    Codec::Pcma => codec::alaw_encode(sample),
                    Codec::Pcmu => codec::ulaw_encode(sample),
                });
            }
            (Some(_), _) => {}
            (None, _) => self.playout.frame(codec, sound, |ended| end_playback(ended, true, now, out)),
        }
        self.sending.send_speech(self.negotiated.payload, sound, to, out);
    }

    fn end_period(&mut self, now: Mono, sent: [u8; FRAME], out: &mut impl Outlet) {
        self.sending.pass(1);
        self.record(now, sent, out);
        self.clock.pass(1);
    }

    fn record(&mut self, now: Mono, sent: [u8; FRAME], out: &mut impl Outlet) {
        let place = self.clock.number as usize % self.config.delay() as usize;
        let system = std::mem::replace(&mut self.sent[place], sent);
        let mut caller = [0; FRAME];
        self.jitter.read(&mut caller);
        self.hear_tones(now, &caller, out);
        let held = !self.negotiated.direction.receives();
        let number = self.clock.number;
        let verdict = self.recorder.frame(number, &caller, held);
        self.hear_progress(&caller, verdict.speech && !held, out);
        if verdict.call || verdict.request {
            let frame = Frame { number, caller, system, call: verdict.call, request: verdict.request };
            self.summary.overruns += u64::from(!out.record(&frame));
        }
        if let Some(ended) = verdict.ended {
            out.event(Event::RecordEnded(ended));
        }
    }

    fn hear_progress(&mut self, caller: &[u8; FRAME], speech: bool, out: &mut impl Outlet) {
        let Some((tones, long_speech)) = &mut self.progress else { return };
        if let Some(tone) = tones.hear(caller) {
            out.event(Event::Tone(tone));
        }
        if long_speech.hear(speech && !tones.is_sounding()) {
            out.event(Event::LongSpeech);
        }
    }

    fn hear_tones(&mut self, now: Mono, caller: &[u8; FRAME], out: &mut impl Outlet) {
        let Some(tones) = &mut self.tones else { return };
        if self.recorder.is_recording_request() {
            return tones.reset();
        }
        let pressed = tones.hear(caller.iter().map(|octet| codec::alaw_decode(*octet)));
        if tones.is_down() {
            self.presses.hold(Path::InBand, now);
        }
        if let Some(digit) = pressed {
            self.key(digit, Path::InBand, now, out);
        }
    }

    fn listen_for_tones(&mut self) {
        let wanted = self.config.inband_dtmf && self.negotiated.dtmf_payload.is_none();
        if wanted != self.tones.is_some() {
            self.tones = wanted.then(inband::Detector::default);
        }
    }

    fn reconfigure(&mut self, now: Mono, negotiated: Negotiated) {
        self.latch.renegotiate(negotiated.peer_rtp, negotiated.peer_rtcp);
        if negotiated.codec != self.negotiated.codec || !self.negotiated.direction.receives() {
            self.jitter.restart();
        }
        self.negotiated = negotiated;
        self.receiving.alive(now);
        self.sending.marker = true;
        self.listen_for_tones();
    }

    fn stop(&mut self, now: Mono, out: &mut impl Outlet) {
        while let Some(ended) = self.playout.stop_one() {
            end_playback(ended, false, now, out);
        }
    }

    fn close(&mut self, now: Mono, out: &mut impl Outlet) {
        self.stop(now, out);
        self.skip_missed(now, out);
        for _ in 0..self.config.delay() {
            self.end_period(now, [codec::ALAW_SILENCE; FRAME], out);
        }
        if let Some(ended) = self.recorder.close(self.clock.number) {
            out.event(Event::RecordEnded(ended));
        }
        self.report(now, true, out);
        self.closed = true;
        out.event(Event::Closed(self.summary()));
    }

    fn report(&mut self, now: Mono, bye: bool, out: &mut impl Outlet) {
        self.sending.schedule_report(now);
        let Some(to) = self.latch.rtcp() else { return };
        let block = self.receiving.block(now);
        let compound = self.sending.report(self.clock.ntp(now), block, bye);
        let mut buffer = [0; rtcp::MAX_SENT];
        let length = compound.build(&mut buffer);
        out.send_rtcp(to, &buffer[..length]);
    }
}

fn end_playback(ended: playout::Ended, complete: bool, at: Mono, out: &mut impl Outlet) {
    out.event(Event::Played { token: ended.token, complete, at });
    out.discard(ended.cues);
}
