//! Sounds a caller makes: speech-like talk, in-band keys, single sines. 8 kHz, 16 bits.

use std::f64::consts::TAU;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub const RATE: f64 = 8000.0;

/// Talk of `ms` milliseconds that never repeats: a voice with a wandering pitch, vowels, hiss and syllables.
///
/// No pause in it is longer than 0.2 s, its level is about -18 dBFS, and two seeds do not correlate.
pub fn talk(seed: u64, ms: u32) -> Vec<i16> {
    let mut random = StdRng::seed_from_u64(seed);
    let count = samples(ms);
    let mut sound = Vec::with_capacity(count);
    let mut phase = 0.0;
    while sound.len() < count {
        let length = random.random_range(900..2000);
        let pitch = random.random_range(110.0..190.0);
        let glide = random.random_range(-30.0..30.0);
        let vowel = [random.random_range(300.0..850.0), random.random_range(900.0..2300.0)];
        let hiss = random.random_range(100.0..700.0);
        for index in 0..length {
            let part = f64::from(index) / f64::from(length);
            phase += (pitch + glide * part) / RATE;
            let envelope = (part * std::f64::consts::PI).sin().powf(0.6);
            let voiced: f64 = (1..=16)
                .map(|harmonic| {
                    let frequency = f64::from(harmonic) * (pitch + glide * part);
                    let gain: f64 =
                        vowel.iter().map(|formant| 1.0 / (1.0 + ((frequency - formant) / 150.0).powi(2))).sum();
                    gain * (TAU * phase * f64::from(harmonic)).sin()
                })
                .sum();
            let noise = hiss * random.random_range(-1.0..1.0);
            sound.push(clip(envelope * (voiced * 3000.0 + noise)));
        }
    }
    sound.truncate(count);
    sound
}

pub fn sine(frequency: f64, amplitude: f64, ms: u32) -> Vec<i16> {
    (0..samples(ms)).map(|index| clip(amplitude * (TAU * frequency * index as f64 / RATE).sin())).collect()
}

pub fn silence(ms: u32) -> Vec<i16> {
    vec![0; samples(ms)]
}

/// One key as a pair of tones (ITU-T Q.23), `ms` long, at -9 dBm0 a tone.
pub fn key(digit: char, ms: u32) -> Vec<i16> {
    let (low, high) = key_tones(digit);
    let (low, high) = (sine(low, 7000.0, ms), sine(high, 7000.0, ms));
    low.iter().zip(&high).map(|(low, high)| low + high).collect()
}

fn key_tones(digit: char) -> (f64, f64) {
    let at = "123A456B789C*0#D".find(digit).unwrap_or_else(|| panic!("{digit:?} is no key"));
    ([697.0, 770.0, 852.0, 941.0][at / 4], [1209.0, 1336.0, 1477.0, 1633.0][at % 4])
}

/// Power of `frequency` in `window`: the mean square of a sine with the amplitude found (Goertzel).
pub fn power_at(window: &[i16], frequency: f64) -> f64 {
    let coefficient = 2.0 * (TAU * frequency / RATE).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in window {
        let next = f64::from(*sample) + coefficient * last - before;
        before = last;
        last = next;
    }
    let squared = before * before + last * last - coefficient * before * last;
    2.0 * squared / (window.len() as f64).powi(2)
}

pub fn power(window: &[i16]) -> f64 {
    window.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / window.len().max(1) as f64
}

/// The keys in `sound`, each reported once however long it lasts; the tests' own oracle for in-band keys.
pub fn keys_in(sound: &[i16]) -> String {
    let mut found = String::new();
    let mut last = None;
    for window in sound.chunks_exact(160) {
        let total = power(window);
        let key = "123A456B789C*0#D".chars().find(|digit| {
            let (low, high) = key_tones(*digit);
            let (low, high) = (power_at(window, low), power_at(window, high));
            total > 10_000.0 && low > total * 0.3 && high > total * 0.3
        });
        if key != last {
            found.extend(key);
        }
        last = key;
    }
    found
}

fn samples(ms: u32) -> usize {
    ms as usize * 8
}

#[expect(clippy::cast_possible_truncation, reason = "clamped on the line itself")]
fn clip(value: f64) -> i16 {
    value.clamp(-32_767.0, 32_767.0) as i16
}

#[test]
fn talk_is_loud_and_has_no_long_pause() {
    let sound = talk(1, 5000);
    assert_eq!(sound.len(), 40_000);
    let level = 10.0 * (power(&sound) / 32_768_f64.powi(2)).log10();
    assert!((-26.0..-10.0).contains(&level), "{level} dBFS");
    for window in sound.chunks_exact(1600) {
        assert!(power(window) > 100_000.0, "a pause of 0.2 s");
    }
}

#[test]
fn keys_are_found_by_their_tones() {
    let mut sound = Vec::new();
    for digit in "1590*#".chars() {
        sound.extend(key(digit, 80));
        sound.extend(silence(80));
    }
    assert_eq!(keys_in(&sound), "1590*#");
    assert_eq!(keys_in(&talk(3, 4000)), "");
}
