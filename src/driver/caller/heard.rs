//! What came down the line.

use crate::driver::media::recording::Source;
use crate::media::codec::{self, ALAW_SILENCE};
use crate::media::{FRAME, FRAME_MS};

/// A frame with more power than this is sound: -50 dB of a full-scale square wave.
const SOUND: i64 = 100 * 100;

/// A-law at 8 kHz from the first frame on; what was lost is silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    alaw: Vec<u8>,
    first: Option<u32>,
    sounding: u32,
}

impl Heard {
    pub fn alaw(&self) -> &[u8] {
        &self.alaw
    }

    /// Linear samples at 8 kHz.
    pub fn samples(&self) -> impl Iterator<Item = i16> {
        self.alaw.iter().map(|octet| codec::alaw_decode(*octet))
    }

    pub fn duration_ms(&self) -> u64 {
        (self.alaw.len() / 8) as u64
    }

    /// How much of it was not silent.
    pub fn sound_ms(&self) -> u64 {
        u64::from(self.sounding) * u64::from(FRAME_MS)
    }

    /// Takes everything that a ring has.
    pub(super) fn drain(&mut self, source: &mut Source) {
        while let Some(frame) = source.pop() {
            self.take(frame.number, &frame.caller);
        }
    }

    fn take(&mut self, number: u32, frame: &[u8; FRAME]) {
        let first = *self.first.get_or_insert(number);
        let at = number.saturating_sub(first) as usize * FRAME;
        if at > self.alaw.len() {
            self.alaw.resize(at, ALAW_SILENCE);
        }
        self.alaw.extend_from_slice(frame);
        self.sounding += u32::from(is_sound(frame));
    }
}

fn is_sound(frame: &[u8; FRAME]) -> bool {
    let power: i64 = frame.iter().map(|octet| i64::from(codec::alaw_decode(*octet)).pow(2)).sum();
    power > SOUND * FRAME as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_frames_are_silence_and_silence_is_no_sound() {
        let mut heard = Heard::default();
        let loud = [codec::alaw_encode(2_000); FRAME];
        heard.take(7, &loud);
        heard.take(9, &loud);
        heard.take(10, &[ALAW_SILENCE; FRAME]);
        assert_eq!((heard.duration_ms(), heard.sound_ms()), (80, 40));
        assert!(heard.alaw()[FRAME..2 * FRAME].iter().all(|octet| *octet == ALAW_SILENCE));
    }
}
