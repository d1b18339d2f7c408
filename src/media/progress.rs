//! What a line says before and instead of a person: the tones of the Chinese network, and speech without a pause.
//!
//! All tones are of 450 Hz (GF 002-9002.1, YD/T 729): ring-back 1 s on and 4 s off, busy 0.35 s on and off, congestion
//! 0.7 s on and off. Windows of 10 ms are a tone, quiet, or something else by one Goertzel filter; the lengths of the
//! runs decide.

use std::f32::consts::TAU;

use crate::media::{FRAME, FRAME_MS, codec};

/// A tone of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    RingBack,
    Busy,
    Congestion,
}

const WINDOW: usize = 80;
const WINDOW_MS: u32 = 10;

/// Of a window's power, what 450 Hz hold: a tone that is 25 Hz off still has 80 %.
const SHARE: f32 = 0.65;
/// The least mean square of a tone: -42 dB of full scale.
const LEAST: f32 = 65_000.0;
/// A pause is 6 dB below its tone.
const PAUSE: f32 = 4.0;
/// So many windows of another kind end a run; fewer are a click, or a lost packet.
const TURNS: u32 = 3;

const BUSY_MS: std::ops::RangeInclusive<u32> = 290..=410;
const CONGESTION_MS: std::ops::RangeInclusive<u32> = 600..=800;
const RING_MS: std::ops::RangeInclusive<u32> = 880..=1_120;
/// So much of the four seconds of silence tells ring-back from all others.
const RING_PAUSE_MS: u32 = 2_000;

/// Speech with shorter gaps goes on.
const GAP_MS: u32 = 500;
/// An answering machine speaks so long on end, a citizen who has picked up does not.
const LONG_SPEECH_MS: u32 = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tone,
    Quiet,
    Other,
}

/// One kind of window on end.
#[derive(Clone, Copy, Debug)]
struct Run {
    kind: Kind,
    windows: u32,
}

/// Hears the tones of the network in one side of a call.
#[derive(Clone, Debug)]
pub struct Tones {
    coefficient: f32,
    /// The mean square of the tone that sounds, or sounded last.
    level: f32,
    run: Run,
    /// Windows of another kind that may begin a new run.
    turn: Run,
    /// The tone and the pause before this run, in milliseconds, as long as they may be of one pattern.
    before: [Option<u32>; 2],
    told: Option<Tone>,
}

impl Default for Tones {
    fn default() -> Tones {
        let run = Run { kind: Kind::Other, windows: 0 };
        let coefficient = 2.0 * (TAU * 450.0 / 8_000.0).cos();
        Tones { coefficient, level: LEAST, run, turn: run, before: [None; 2], told: None }
    }
}

impl Tones {
    /// Hears a frame in A-law; a tone when it is recognised in it, and then again only after another one.
    pub fn hear(&mut self, frame: &[u8; FRAME]) -> Option<Tone> {
        let mut heard = None;
        for window in frame.chunks_exact(WINDOW) {
            let kind = self.kind(window);
            self.pass(kind);
            heard = self.recognised().or(heard);
        }
        let heard = heard.filter(|heard| self.told != Some(*heard))?;
        self.told = Some(heard);
        Some(heard)
    }

    /// Whether a tone of the network sounds now.
    pub fn is_sounding(&self) -> bool {
        self.run.kind == Kind::Tone
    }

    fn kind(&mut self, window: &[u8]) -> Kind {
        let (mut one, mut two, mut power) = (0.0_f32, 0.0_f32, 0.0_f32);
        for octet in window {
            let sample = f32::from(codec::alaw_decode(*octet));
            let zero = sample + self.coefficient * one - two;
            (two, one) = (one, zero);
            power += sample * sample;
        }
        let mean = power / WINDOW as f32;
        let tone = (one * one + two * two - self.coefficient * one * two) * 2.0 / (WINDOW * WINDOW) as f32;
        if mean >= LEAST && tone >= SHARE * mean {
            // a tone fades in and out
            self.level += (mean - self.level) * if mean > self.level { 1.0 } else { 0.25 };
            Kind::Tone
        } else if mean < self.level / PAUSE {
            Kind::Quiet
        } else {
            Kind::Other
        }
    }

    fn pass(&mut self, kind: Kind) {
        if kind == self.run.kind {
            // what was taken for a turn was none
            self.run.windows = (self.run.windows + self.turn.windows).saturating_add(1);
            self.turn.windows = 0;
            return;
        }
        self.turn = Run { kind, windows: self.turn.windows + 1 };
        if self.turn.windows < TURNS {
            return;
        }
        let ended = std::mem::replace(&mut self.run, self.turn);
        self.turn.windows = 0;
        let lasted = ended.windows * WINDOW_MS;
        self.before = match ended.kind {
            Kind::Tone | Kind::Quiet => [self.before[1], Some(lasted)],
            Kind::Other => [None; 2],
        };
    }

    fn recognised(&self) -> Option<Tone> {
        let lasted = self.run.windows * WINDOW_MS;
        match (self.run.kind, self.before) {
            // a second tone as long as the pause before it and the tone before that
            (Kind::Quiet, [Some(pause), Some(tone)]) if lasted == WINDOW_MS * TURNS => {
                let is = |range: &std::ops::RangeInclusive<u32>| range.contains(&pause) && range.contains(&tone);
                is(&BUSY_MS).then_some(Tone::Busy).or(is(&CONGESTION_MS).then_some(Tone::Congestion))
            }
            (Kind::Quiet, [_, Some(tone)]) if lasted >= RING_PAUSE_MS && RING_MS.contains(&tone) => {
                Some(Tone::RingBack)
            }
            _ => None,
        }
    }
}

/// Measures speech without a pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct LongSpeech {
    run_ms: u32,
    gap_ms: u32,
    told: bool,
}

impl LongSpeech {
    /// Takes the next frame; true once a run, when it is long.
    pub fn hear(&mut self, speech: bool) -> bool {
        self.gap_ms = if speech { 0 } else { self.gap_ms + FRAME_MS };
        if self.gap_ms >= GAP_MS {
            *self = LongSpeech { gap_ms: GAP_MS, ..LongSpeech::default() };
            return false;
        }
        if speech || self.run_ms > 0 {
            self.run_ms = self.run_ms.saturating_add(FRAME_MS);
        }
        let long = !self.told && self.run_ms >= LONG_SPEECH_MS;
        self.told |= long;
        long
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::media::tone::sine;

    const CADENCES: [(Tone, u32, u32); 3] =
        [(Tone::RingBack, 1_000, 4_000), (Tone::Busy, 350, 350), (Tone::Congestion, 700, 700)];

    fn cadence(frequency: f64, level: f64, on_ms: u32, off_ms: u32) -> Vec<i16> {
        let period = [sine(frequency, on_ms, level), vec![0; off_ms as usize * 8]].concat();
        period.repeat(3)
    }

    fn tones(samples: &[i16]) -> Vec<Tone> {
        let mut heard = Tones::default();
        let frames = samples.chunks_exact(FRAME);
        frames.filter_map(|frame| heard.hear(&std::array::from_fn(|n| codec::alaw_encode(frame[n])))).collect()
    }

    fn with_noise(samples: &[i16], amplitude: i16, seed: u64) -> Vec<i16> {
        let mut rng = StdRng::seed_from_u64(seed);
        samples.iter().map(|sample| sample.saturating_add(rng.random_range(-amplitude..=amplitude))).collect()
    }

    #[test]
    fn each_tone_is_recognised_once_at_every_level_and_phase() {
        for (tone, on_ms, off_ms) in CADENCES {
            for level in [0.9, 0.3, 0.1, 0.03, 0.015] {
                for shift in [0, 37, 99, 151] {
                    let samples = [vec![0; shift], cadence(450.0, level, on_ms, off_ms)].concat();
                    assert_eq!(tones(&samples), [tone], "{level} {shift}");
                }
            }
        }
    }

    #[test]
    fn a_tone_may_be_a_little_high_or_low_and_noisy() {
        for (tone, on_ms, off_ms) in CADENCES {
            for frequency in [430.0, 450.0, 470.0] {
                let samples = cadence(frequency, 0.2, on_ms, off_ms);
                assert_eq!(tones(&with_noise(&samples, 1_500, 7)), [tone], "{frequency}");
            }
        }
    }

    #[test]
    fn other_tones_and_other_cadences_are_none_of_the_three() {
        for (frequency, on_ms, off_ms) in
            [(350.0, 350, 350), (620.0, 350, 350), (1_000.0, 1_000, 4_000), (450.0, 200, 200), (450.0, 500, 500)]
        {
            assert_eq!(tones(&cadence(frequency, 0.3, on_ms, off_ms)), [], "{frequency} {on_ms}");
        }
        assert_eq!(tones(&sine(450.0, 5_000, 0.3)), [], "the dial tone");
    }

    #[test]
    fn noise_is_no_tone() {
        assert_eq!(tones(&with_noise(&vec![0; 8_000 * 60], 8_000, 3)), []);
    }

    #[test]
    fn a_tone_after_another_is_told_too() {
        let both = [cadence(450.0, 0.3, 1_000, 4_000), cadence(450.0, 0.3, 350, 350)].concat();
        assert_eq!(tones(&both), [Tone::RingBack, Tone::Busy]);
    }

    fn long(pattern: &[(bool, u32)]) -> usize {
        let mut heard = LongSpeech::default();
        let frames = pattern.iter().flat_map(|(speech, ms)| std::iter::repeat_n(*speech, (ms / FRAME_MS) as usize));
        frames.filter(|speech| heard.hear(*speech)).count()
    }

    #[test]
    fn four_seconds_of_speech_with_short_gaps_are_long_and_told_once() {
        assert_eq!(long(&[(false, 3_000), (true, 9_000)]), 1);
        assert_eq!(long(&[(true, 2_000), (false, 400), (true, 2_000)]), 1);
        assert_eq!(long(&[(true, 4_100), (false, 600), (true, 4_100)]), 2, "two runs");
    }

    #[test]
    fn an_answer_in_pieces_is_not_long() {
        assert_eq!(long(&[(true, 3_900)]), 0);
        assert_eq!(long(&[(true, 3_000), (false, 600), (true, 3_000), (false, 600)]), 0);
        assert_eq!(long(&[(false, 60_000)]), 0);
    }
}
