//! A telephone's sound: what a citizen says and types, as RTP packets every 20 ms.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::LazyLock;

use hotline::clock::Mono;
use hotline::digit::Digit;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const FRAME: usize = 160;

/// A second of loud noise in A-law; which law it is taken for makes no difference to noise.
static VOICE: LazyLock<Vec<[u8; FRAME]>> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(12_345);
    (0..50).map(|_| std::array::from_fn(|_| [0x2A, 0xAA, 0x3A, 0xBA][rng.random_range(0..4_usize)])).collect()
});

#[derive(Debug)]
pub struct Telephone {
    /// Where the service takes sound.
    pub peer: SocketAddr,
    /// The payload type of speech.
    pub speech: u8,
    /// The payload type of keys; without one they go by signalling.
    pub keys: Option<u8>,
    /// On hold nothing is sent.
    pub held: bool,
    pub talks_until: Mono,
    /// Sends nothing but a comfort noise packet now and then while nobody talks.
    pub suppresses_silence: bool,
    waiting: VecDeque<(Digit, u32)>,
    press: Option<Press>,
    /// Keys whose first packet went out.
    pub pressed: Vec<Digit>,
    pause: u32,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    periods: usize,
}

#[derive(Debug)]
struct Press {
    digit: Digit,
    timestamp: u32,
    duration: u16,
    left: u32,
}

impl Telephone {
    pub fn new(peer: SocketAddr, speech: u8, keys: Option<u8>, rng: &mut StdRng) -> Telephone {
        Telephone {
            peer,
            speech,
            keys,
            held: false,
            talks_until: Mono::ZERO,
            suppresses_silence: rng.random_bool(0.5),
            waiting: VecDeque::new(),
            press: None,
            pressed: Vec::new(),
            pause: 0,
            sequence: rng.random(),
            timestamp: rng.random(),
            ssrc: rng.random(),
            periods: 0,
        }
    }

    /// Presses a key for so many periods of 20 ms, after the keys before it.
    pub fn press(&mut self, digit: Digit, periods: u32) {
        self.waiting.push_back((digit, periods));
    }

    /// What goes out in the next period.
    pub fn period(&mut self, now: Mono) -> Vec<Vec<u8>> {
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.periods += 1;
        if self.held {
            return Vec::new();
        }
        if let Some(packets) = self.key() {
            return packets;
        }
        if now < self.talks_until {
            let frame = VOICE[self.periods % VOICE.len()];
            return vec![self.packet(self.speech, self.timestamp, &frame)];
        }
        match (self.suppresses_silence, self.periods.is_multiple_of(25)) {
            (true, true) => vec![self.packet(13, self.timestamp, &[70])],
            (true, false) => Vec::new(),
            (false, _) => {
                let silence = if self.speech == 0 { 0xFF } else { 0xD5 };
                vec![self.packet(self.speech, self.timestamp, &[silence; FRAME])]
            }
        }
    }

    /// The packets of a key that is down (RFC 4733 §2.5): its end goes out three times.
    fn key(&mut self) -> Option<Vec<Vec<u8>>> {
        let payload_type = self.keys?;
        if self.press.is_none() {
            if self.pause > 0 {
                self.pause -= 1;
                return None;
            }
            let (digit, left) = self.waiting.pop_front()?;
            self.pressed.push(digit);
            self.press = Some(Press { digit, timestamp: self.timestamp, duration: 0, left });
        }
        let mut press = self.press.take()?;
        press.duration += FRAME as u16;
        let ends = press.left == 0;
        let [high, low] = press.duration.to_be_bytes();
        let payload = [press.digit.event(), u8::from(ends) << 7 | 10, high, low];
        let times = if ends { 3 } else { 1 };
        let packets = (0..times).map(|_| self.packet(payload_type, press.timestamp, &payload)).collect();
        if ends {
            self.pause = 4;
        } else {
            press.left -= 1;
            self.press = Some(press);
        }
        Some(packets)
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        packet
    }
}
