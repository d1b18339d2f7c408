//! Keys as tones in the sound (ITU-T Q.23), found by Goertzel's filters under the conditions of Q.24.
//!
//! Windows of 102 samples (12.75 ms) overlap by half. A window is a hit when one tone of each group stands out, the
//! two are of like strength, they hold most of the window's power and their harmonics are weak (those of speech are
//! strong). Four hits in a row are a key: a tone of 40 ms always makes them, one of 23 ms never does.

use crate::digit::Digit;

/// The low group and the high group, in hertz (Q.23).
const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Low, high, and a harmonic of each: the third of the low tones (their second lie among the high ones), the second of
/// the high tones.
const FILTERS: usize = 16;
const WINDOW: usize = 102;

/// Hits that make a key, and misses that end it.
const HITS: u8 = 4;
const MISSES: u8 = 4;

/// The least power of each tone: an amplitude of about 250 of 32,768, -42 dBFS.
const LEAST: f32 = 250.0 * 250.0;

/// The high tone may be 4 dB stronger and 8 dB weaker than the low one.
const HIGH_STRONGER: f32 = 2.512;
const HIGH_WEAKER: f32 = 6.310;

/// A tone stands out from its group by 8 dB.
const STANDS_OUT: f32 = 6.310;

/// Of the window's power, what both tones hold together.
const SHARE: f32 = 0.72;

/// The harmonic is 12 dB below its tone.
const HARMONIC: f32 = 16.0;

static COEFFICIENTS: std::sync::LazyLock<[f32; FILTERS]> = std::sync::LazyLock::new(coefficients);

/// Listens to one side of a call.
#[derive(Clone, Debug)]
pub struct Detector {
    coefficients: [f32; FILTERS],
    windows: [Window; 2],
    candidate: Option<Digit>,
    hits: u8,
    misses: u8,
    down: Option<Digit>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    one: [f32; FILTERS],
    two: [f32; FILTERS],
    power: f32,
    samples: usize,
}

impl Default for Detector {
    fn default() -> Detector {
        let late = Window { samples: WINDOW / 2, ..Window::EMPTY };
        Detector {
            coefficients: *COEFFICIENTS,
            windows: [Window::EMPTY, late],
            candidate: None,
            hits: 0,
            misses: 0,
            down: None,
        }
    }
}

impl Detector {
    /// Hears the next samples; the key that goes down in them.
    pub fn hear(&mut self, samples: impl Iterator<Item = i16>) -> Option<Digit> {
        let mut pressed = None;
        for sample in samples {
            for index in 0..self.windows.len() {
                if let Some(heard) = self.windows[index].hear(f32::from(sample), &self.coefficients) {
                    pressed = self.judge(heard).or(pressed);
                }
            }
        }
        pressed
    }

    /// Whether a key is down.
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        *self = Detector::default();
    }

    fn judge(&mut self, heard: Option<Digit>) -> Option<Digit> {
        self.hits = match heard {
            Some(_) if heard == self.candidate => self.hits.saturating_add(1),
            Some(_) => 1,
            None => 0,
        };
        self.candidate = heard;
        if heard == self.down {
            self.misses = 0;
            return None;
        }
        if self.down.is_some() {
            self.misses += 1;
            if self.misses >= MISSES {
                (self.down, self.misses) = (None, 0);
            }
        }
        let pressed = heard.filter(|_| self.hits >= HITS)?;
        (self.down, self.misses) = (Some(pressed), 0);
        Some(pressed)
    }
}

impl Window {
    const EMPTY: Window = Window { one: [0.0; FILTERS], two: [0.0; FILTERS], power: 0.0, samples: 0 };

    /// `Some` at the end of the window: the key that sounds through it, if any.
    fn hear(&mut self, sample: f32, coefficients: &[f32; FILTERS]) -> Option<Option<Digit>> {
        for ((one, two), coefficient) in self.one.iter_mut().zip(&mut self.two).zip(coefficients) {
            let zero = sample + coefficient * *one - *two;
            (*two, *one) = (*one, zero);
        }
        self.power += sample * sample;
        self.samples += 1;
        if self.samples < WINDOW {
            return None;
        }
        let heard = self.key(coefficients);
        *self = Window::EMPTY;
        Some(heard)
    }

    fn key(&self, coefficients: &[f32; FILTERS]) -> Option<Digit> {
        // The square of a tone's amplitude.
        let scale = 4.0 / (WINDOW * WINDOW) as f32;
        let squares: [f32; FILTERS] = std::array::from_fn(|i| {
            let (one, two) = (self.one[i], self.two[i]);
            (one * one + two * two - coefficients[i] * one * two) * scale
        });
        let (low, high) = (strongest(&squares[..4])?, strongest(&squares[4..8])?);
        let (low_square, high_square) = (squares[low], squares[4 + high]);
        let strong = low_square >= LEAST && high_square >= LEAST;
        let alike = high_square <= low_square * HIGH_STRONGER && low_square <= high_square * HIGH_WEAKER;
        let share = (low_square + high_square) * (WINDOW as f32 / 2.0) >= SHARE * self.power;
        let pure = squares[8 + low] * HARMONIC <= low_square && squares[12 + high] * HARMONIC <= high_square;
        if strong && alike && share && pure { Digit::from_char(KEYS[low][high]) } else { None }
    }
}

/// The one that stands out from the others.
fn strongest(group: &[f32]) -> Option<usize> {
    let best = (0..group.len()).max_by(|a, b| group[*a].total_cmp(&group[*b]))?;
    let stands_out = (0..group.len()).all(|other| other == best || group[other] * STANDS_OUT <= group[best]);
    stands_out.then_some(best)
}

fn coefficients() -> [f32; FILTERS] {
    let (low, high) = (LOW.into_iter(), HIGH.into_iter());
    let harmonics = low.clone().map(|frequency| 3.0 * frequency).chain(high.clone().map(|frequency| 2.0 * frequency));
    let mut all = low.chain(high).chain(harmonics);
    std::array::from_fn(|_| {
        let frequency = all.next().expect("sixteen frequencies");
        (2.0 * (std::f64::consts::TAU * frequency / 8_000.0).cos()) as f32
    })
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::media::tone;

    /// A key of `ms` with each tone's amplitude and frequency scaled, between silences.
    fn sound(key: Digit, samples: usize, low: f64, high: f64, frequency: f64) -> Vec<i16> {
        let [low_hz, high_hz] = tone::frequencies(key);
        let mut sound = vec![0_i16; 300];
        sound.extend((0..samples).map(|n| {
            let t = n as f64 * std::f64::consts::TAU * frequency / 8_000.0;
            (low * (t * low_hz).sin() + high * (t * high_hz).sin()) as i16
        }));
        sound.extend([0; 400]);
        sound
    }

    fn keys(sound: &[i16]) -> String {
        let mut detector = Detector::default();
        sound.chunks(160).filter_map(|frame| detector.hear(frame.iter().copied())).map(Digit::as_char).collect()
    }

    fn every_key() -> impl Iterator<Item = Digit> {
        (0..16).filter_map(Digit::from_event)
    }

    #[test]
    fn every_key_of_forty_milliseconds_is_heard_once_at_any_moment() {
        for key in every_key() {
            for shift in (0..102).step_by(7) {
                let mut shifted = vec![0; shift];
                shifted.extend(sound(key, 320, 4_000.0, 4_000.0, 1.0));
                assert_eq!(keys(&shifted), key.as_char().to_string(), "shift {shift}");
            }
        }
    }

    #[test]
    fn a_tone_of_twenty_three_milliseconds_is_no_key() {
        for key in every_key() {
            for shift in 0..102 {
                let mut shifted = vec![0; shift];
                shifted.extend(sound(key, 184, 4_000.0, 4_000.0, 1.0));
                assert_eq!(keys(&shifted), "", "shift {shift}");
            }
        }
    }

    #[test]
    fn frequencies_off_by_one_and_a_half_percent_are_heard() {
        for key in every_key() {
            for frequency in [0.985, 1.015] {
                assert_eq!(keys(&sound(key, 640, 4_000.0, 4_000.0, frequency)), key.as_char().to_string());
            }
        }
    }

    #[test]
    fn twist_is_heard_within_four_and_eight_decibels_and_not_far_beyond() {
        let five = Digit::from_event(5).expect("a key");
        let (three_decibels, seven, twelve) = (1.41, 2.24, 3.98);
        assert_eq!(keys(&sound(five, 640, 4_000.0, 4_000.0 * three_decibels, 1.0)), "5");
        assert_eq!(keys(&sound(five, 640, 4_000.0, 4_000.0 / seven, 1.0)), "5");
        assert_eq!(keys(&sound(five, 640, 2_000.0, 2_000.0 * twelve, 1.0)), "");
        assert_eq!(keys(&sound(five, 640, 8_000.0, 8_000.0 / twelve, 1.0)), "");
    }

    #[test]
    fn a_key_twice_is_two_keys_and_a_dropout_of_ten_milliseconds_none() {
        let five = Digit::from_event(5).expect("a key");
        let mut twice = sound(five, 640, 4_000.0, 4_000.0, 1.0);
        twice.extend(sound(five, 640, 4_000.0, 4_000.0, 1.0));
        assert_eq!(keys(&twice), "55");
        let mut broken = sound(five, 1_600, 4_000.0, 4_000.0, 1.0);
        broken[900..980].fill(0);
        assert_eq!(keys(&broken), "5");
    }

    #[test]
    fn noise_fifteen_decibels_below_does_not_hide_a_key() {
        let mut rng = StdRng::seed_from_u64(7);
        for key in every_key() {
            let mut noisy = sound(key, 640, 4_000.0, 4_000.0, 1.0);
            for sample in &mut noisy {
                *sample += rng.random_range(-1_200..1_200);
            }
            assert_eq!(keys(&noisy), key.as_char().to_string());
        }
    }

    #[test]
    fn noise_and_a_voice_like_sound_are_no_keys() {
        let mut rng = StdRng::seed_from_u64(8);
        let noise: Vec<i16> = (0..80_000).map(|_| rng.random_range(-12_000..12_000)).collect();
        assert_eq!(keys(&noise), "");
        // A buzz of many harmonics that glides from 90 to 300 Hz.
        let mut phase = 0.0_f64;
        let voice: Vec<i16> = (0..160_000)
            .map(|n| {
                phase += (90.0 + f64::from(n) / 160_000.0 * 210.0) / 8_000.0;
                (1..12)
                    .map(|k| (phase * std::f64::consts::TAU * f64::from(k)).sin() * 6_000.0 / f64::from(k))
                    .sum::<f64>() as i16
            })
            .collect();
        assert_eq!(keys(&voice), "");
    }
}
