//! Sounds that need no recording: beep, goodbye, keys. At 8 kHz, made at start and kept as clips.

use std::f64::consts::TAU;

use crate::digit::Digit;
use crate::media::FRAME;
use crate::media::clip::Clip;

const RATE: f64 = 8_000.0;

/// Samples over which a tone swells and fades, so that it does not click.
const EDGE: usize = 80;

/// One sine of `frequency` hertz; `level` is its amplitude from 0 to 1.
pub fn sine(frequency: f64, ms: u32, level: f64) -> Vec<i16> {
    let samples = ms as usize * 8;
    let amplitude = level.clamp(0.0, 1.0) * f64::from(i16::MAX);
    (0..samples)
        .map(|n| {
            let edge = (n.min(samples - 1 - n) as f64 / EDGE as f64).min(1.0);
            (amplitude * edge * (TAU * frequency * n as f64 / RATE).sin()) as i16
        })
        .collect()
}

/// "Speak now": 1 kHz, 400 ms.
pub fn beep() -> Clip {
    Clip::from_linear(&sine(1_000.0, 400, 0.35))
}

/// For the end of a call whose goodbye can't be spoken: three falling notes.
pub fn goodbye() -> Clip {
    let notes = [(784.0, 250), (659.0, 250), (523.0, 500)];
    let samples: Vec<i16> = notes.into_iter().flat_map(|(frequency, ms)| sine(frequency, ms, 0.3)).collect();
    Clip::from_linear(&samples)
}

/// The two tones of a key, in hertz (ITU-T Q.23).
pub fn frequencies(digit: Digit) -> [f64; 2] {
    let (row, column) = match digit.event() {
        0 => (3, 1),
        10 => (3, 0),
        11 => (3, 2),
        letter @ 12.. => (usize::from(letter - 12), 3),
        number => (usize::from((number - 1) / 3), usize::from((number - 1) % 3)),
    };
    [[697.0, 770.0, 852.0, 941.0][row], [1_209.0, 1_336.0, 1_477.0, 1_633.0][column]]
}

/// The frame of a key's tones that begins `from` samples into it; each tone at about -10 dBm0.
pub fn key_frame(digit: Digit, from: usize) -> [i16; FRAME] {
    const AMPLITUDE: f64 = 7_000.0;
    let [low, high] = frequencies(digit);
    std::array::from_fn(|n| {
        let t = TAU * (from + n) as f64 / RATE;
        (AMPLITUDE * ((t * low).sin() + (t * high).sin())) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_its_length_and_its_frequency() {
        let tone = sine(1_000.0, 100, 0.5);
        assert_eq!(tone.len(), 800);
        let rising = tone.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((98..=101).contains(&rising), "{rising}");
        assert!(tone.iter().all(|sample| sample.unsigned_abs() <= 16_384));
        assert_eq!((tone[0], tone[799]), (0, 0), "no click");
    }

    #[test]
    fn keys_have_the_tones_of_the_standard() {
        let tones = |c| frequencies(Digit::from_char(c).expect("a key"));
        assert_eq!(tones('1'), [697.0, 1_209.0]);
        assert_eq!(tones('6'), [770.0, 1_477.0]);
        assert_eq!(tones('0'), [941.0, 1_336.0]);
        assert_eq!(tones('#'), [941.0, 1_477.0]);
        assert_eq!(tones('D'), [941.0, 1_633.0]);
    }

    #[test]
    fn the_signals_are_as_long_as_they_say() {
        assert_eq!(beep().duration_ms(), 400);
        assert_eq!(goodbye().duration_ms(), 1_000);
    }
}
