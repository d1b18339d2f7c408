//! Keys that we press: a key is 100 ms long, and 100 ms of silence follow it.

use crate::digit::Digit;
use crate::media::command::Digits;

/// Periods of 20 ms that a key is down.
const DOWN: u8 = 5;

/// Periods from a key to the next.
const CYCLE: u8 = 10;

/// The end is sent in the last period of the key and twice more (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;

/// -10 dBm0 in telephone-event, and about as much in a tone.
const VOLUME: u8 = 10;

/// The keys yet to be sent.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    keys: Option<Digits>,
    index: usize,
    period: u8,
    /// The timestamp of the event that is being sent.
    began: u32,
}

/// What one period carries while keys are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A telephone-event packet with the timestamp of the event's beginning.
    Event { payload: [u8; 4], timestamp: u32, marker: bool, digit: Digit, down: bool },
    /// Silence between keys.
    Gap,
}

impl Sender {
    /// Takes keys, unless some are still being sent.
    pub fn send(&mut self, keys: Digits) -> bool {
        let free = self.keys.is_none();
        if free && !keys.as_slice().is_empty() {
            *self = Sender { keys: Some(keys), ..Sender::default() };
        }
        free
    }

    /// What to send in the period that begins at `timestamp`; `None` when no key is being sent.
    pub fn period(&mut self, timestamp: u32) -> Option<Period> {
        let keys = self.keys?;
        let digit = *keys.as_slice().get(self.index)?;
        let period = self.period;
        if period == 0 {
            self.began = timestamp;
        }
        self.period += 1;
        if self.period == CYCLE {
            self.period = 0;
            self.index += 1;
            if self.index == keys.as_slice().len() {
                self.keys = None;
            }
        }
        if period >= DOWN + ENDS - 1 {
            return Some(Period::Gap);
        }
        let end = period >= DOWN - 1;
        let [high, low] = (u16::from((period + 1).min(DOWN)) * 160).to_be_bytes();
        let payload = [digit.event(), u8::from(end) << 7 | VOLUME, high, low];
        Some(Period::Event { payload, timestamp: self.began, marker: period == 0, digit, down: period < DOWN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Mono;
    use crate::media::dtmf::receive::{Receiver, Told};

    #[test]
    fn what_we_send_is_what_a_receiver_reads() {
        let mut sender = Sender::default();
        assert!(sender.send(Digits::parse("112#").expect("keys")));
        assert!(!sender.send(Digits::parse("9").expect("keys")), "busy");
        let (mut receiver, mut keys, mut timestamp, mut ends) = (Receiver::default(), String::new(), 77_u32, 0);
        while let Some(period) = sender.period(timestamp) {
            if let Period::Event { payload, timestamp, marker, .. } = period {
                let told = receiver.receive(Mono::default(), 1, timestamp, &payload);
                ends += usize::from(payload[1] & 0x80 != 0);
                if let Some(Told::Pressed(digit)) = told {
                    assert!(marker);
                    keys.push(digit.as_char());
                }
            }
            timestamp += 160;
        }
        assert_eq!((keys.as_str(), ends), ("112#", 12));
        assert_eq!(timestamp, 77 + 4 * 1_600, "200 ms a key");
    }

    #[test]
    fn durations_grow_to_the_length_of_the_key() {
        let mut sender = Sender::default();
        sender.send(Digit::STAR.into());
        let durations: Vec<u16> = (0..7)
            .map(|n| match sender.period(n * 160) {
                Some(Period::Event { payload: [.., high, low], .. }) => u16::from_be_bytes([high, low]),
                _ => 0,
            })
            .collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    }
}
