//! From a studio's sound to a prompt of the telephone: one channel, 8 kHz, [`BAND_HZ`], [`ACTIVE_DBOV`], trimmed.
//!
//! Pure: samples in, samples and a [`Report`] of what was changed out. [`studio`] reads the files.

mod filter;
mod limit;
pub mod studio;

use std::fmt;

use super::parts;
use super::sound::{Level, RATE};
use filter::Butterworth;
use studio::Studio;

/// What a telephone carries.
pub const BAND_HZ: (f64, f64) = (150.0, 3_500.0);
/// Where active speech comes to lie (after ITU-T P.56).
pub const ACTIVE_DBOV: f64 = -21.0;

/// Below the loudest frame: what is quieter before the first and after the last word is room, not speech.
const SPEECH_DB: f64 = -35.0;
/// A frame whose power is measured.
const FRAME_MS: usize = 10;
/// A file that peaks below it holds no speech.
const SILENT_DBFS: f64 = -60.0;
/// The shortest sound that is a word.
const SHORTEST_MS: usize = 60;
/// The silence around it included, [`super::sound`] reads two minutes.
const LONGEST_S: usize = 119;
const FADE_MS: usize = 5;
/// The level is met within so many dB, or the limiter keeps it from being met.
const CLOSE_DB: f64 = 0.1;
const TRIES: usize = 6;

/// How much silence a prompt brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sentence: 50 ms before, 120 ms after.
    Phrase,
    /// A part of a number or a date, or a name within a sentence: 10 ms before, 20 ms after.
    Part,
}

impl Kind {
    /// By the group of a prompt's id: `digit.7` is a part.
    pub fn of(id: &str) -> Kind {
        if parts::is_part(id) { Kind::Part } else { Kind::Phrase }
    }

    /// Milliseconds before and after.
    pub const fn silence_ms(self) -> (usize, usize) {
        match self {
            Kind::Phrase => (50, 120),
            Kind::Part => (10, 20),
        }
    }
}

/// Why a file can't become a prompt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unfit {
    #[error("there is no sound in it")]
    Empty,
    #[error("silent: it peaks at {peak_dbfs:.0} dBFS")]
    Silent { peak_dbfs: f64 },
    #[error("too short: {ms} ms of sound, at least {SHORTEST_MS} are a word")]
    Short { ms: usize },
    #[error("too long: {s} s of sound, at most {LONGEST_S} are played")]
    Long { s: usize },
    #[error("clipped in {places} places, first at {first_s:.2} s: record it again at a lower level")]
    Clipped { places: usize, first_s: f64 },
    #[error("it can't be brought to 8 kHz: {0}")]
    Rate(String),
}

/// A prompt, and what was done to make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mastered {
    /// 8 kHz.
    pub samples: Vec<i16>,
    pub report: Report,
}

/// What was changed on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Hz, when it was not 8 kHz.
    pub resampled_from: Option<u32>,
    /// Channels, when there was more than one.
    pub mixed_from: Option<u16>,
    /// Cut before the first and after the last word, in seconds.
    pub trimmed_s: (f64, f64),
    /// From the studio's level to the prompt's.
    pub gain_db: f64,
    /// The most that was taken from a peak.
    pub limited_db: f64,
    /// What came of it.
    pub level: Level,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done = Vec::new();
        done.extend(self.resampled_from.map(|rate| format!("{} kHz to 8", f64::from(rate) / 1_000.0)));
        done.extend(self.mixed_from.map(|channels| format!("{channels} channels mixed")));
        let (before, after) = self.trimmed_s;
        if before + after > 0.005 {
            done.push(format!("{before:.2} s cut before and {after:.2} s after"));
        }
        done.push(format!("{:+.1} dB", self.gain_db));
        if self.limited_db > 0.05 {
            done.push(format!("peaks {:.1} dB lower", self.limited_db));
        }
        let seconds = f64::from(self.level.duration_ms) / 1_000.0;
        write!(f, "{}; now {seconds:.2} s at {:.1} dBov", done.join(", "), self.level.active_dbov)
    }
}

/// Makes a prompt of a recording.
///
/// A recording counts as clipped when three samples or more stand at one height at full scale in three places or
/// more of one channel: one such place may be a plosive that just touched it, and no caller hears it.
///
/// # Errors
/// Nothing can be made of it that a caller should hear.
pub fn master(studio: &Studio, kind: Kind) -> Result<Mastered, Unfit> {
    clipping(studio)?;
    let mixed = mixed(studio)?;
    let mut sound = filter::resample(&mixed, studio.rate, RATE).map_err(Unfit::Rate)?;
    Butterworth::high_pass(BAND_HZ.0, RATE).run(&mut sound);
    Butterworth::low_pass(BAND_HZ.1, RATE).run(&mut sound);
    let Cut { sound, left_out_s: trimmed_s, missing: (before, after) } = cut(&sound, kind)?;
    let (mut sound, gain_db, limited_db) = levelled(&sound);
    fade(&mut sound);
    let samples = [vec![0; before], whole(&sound), vec![0; after]].concat();
    let level = Level::of(&samples);
    let report = Report {
        resampled_from: Some(studio.rate).filter(|rate| *rate != RATE),
        mixed_from: Some(studio.channels).filter(|channels| *channels > 1),
        trimmed_s,
        gain_db,
        limited_db,
        level,
    };
    Ok(Mastered { samples, report })
}

/// The mean of the channels, without what the microphone's amplifier adds to every sample.
fn mixed(studio: &Studio) -> Result<Vec<f64>, Unfit> {
    let channels = usize::from(studio.channels.max(1));
    let mut sound: Vec<f64> = (studio.samples.chunks_exact(channels))
        .map(|frame| frame.iter().copied().map(f64::from).sum::<f64>() / channels as f64)
        .collect();
    if sound.is_empty() {
        return Err(Unfit::Empty);
    }
    // the middle and not the mean, which a loud word moves
    let middle = *sound.clone().select_nth_unstable_by(sound.len() / 2, f64::total_cmp).1;
    sound.iter_mut().for_each(|sample| *sample -= middle);
    let peak_dbfs = decibels(peak(&sound));
    if peak_dbfs < SILENT_DBFS { Err(Unfit::Silent { peak_dbfs }) } else { Ok(sound) }
}

/// Refuses what is clipped in any of its channels; of several it tells the worst.
fn clipping(studio: &Studio) -> Result<(), Unfit> {
    let channels = usize::from(studio.channels.max(1));
    let of_channel = |channel| flat_tops(studio.samples.iter().skip(channel).step_by(channels).copied());
    match (0..channels).map(of_channel).max_by_key(Vec::len).as_deref() {
        Some(places @ [first, _, _, ..]) => {
            Err(Unfit::Clipped { places: places.len(), first_s: *first as f64 / f64::from(studio.rate) })
        }
        _ => Ok(()),
    }
}

/// Where a channel stands at one height at full scale for three samples or more.
fn flat_tops(channel: impl Iterator<Item = f32>) -> Vec<usize> {
    /// Anything from the largest value of 16 bits.
    const FULL: f32 = 0.999_96;
    let (mut before, mut run, mut places) = (0.0_f32, 0, Vec::new());
    for (at, sample) in channel.enumerate() {
        run = match sample.abs() >= FULL {
            true if sample.to_bits() == before.to_bits() => run + 1,
            true => 1,
            false => 0,
        };
        before = sample;
        if run == 3 {
            places.push(at);
        }
    }
    places
}

/// The words, with the room around them.
struct Cut {
    sound: Vec<f64>,
    /// Left out before and after, in seconds.
    left_out_s: (f64, f64),
    /// Samples of silence that the recording lacks before and after.
    missing: (usize, usize),
}

/// Cuts just before the first word and just after the last.
fn cut(sound: &[f64], kind: Kind) -> Result<Cut, Unfit> {
    let (first, end_of_last) = speech(sound).ok_or_else(|| Unfit::Silent { peak_dbfs: decibels(peak(sound)) })?;
    let ms = (end_of_last - first) / samples_of(1);
    if ms < SHORTEST_MS {
        return Err(Unfit::Short { ms });
    }
    if ms >= LONGEST_S * 1_000 {
        return Err(Unfit::Long { s: ms.div_ceil(1_000) });
    }
    let (before, after) = kind.silence_ms();
    let (before, after) = (samples_of(before), samples_of(after));
    let start = first.saturating_sub(before);
    let end = (end_of_last + after).min(sound.len());
    let seconds = |samples: usize| samples as f64 / f64::from(RATE);
    Ok(Cut {
        sound: sound[start..end].to_vec(),
        left_out_s: (seconds(start), seconds(sound.len() - end)),
        missing: (before - (first - start), after - (end - end_of_last)),
    })
}

/// Where the first word begins and the last one ends, by the power of frames: single samples of a room's noise rise far
/// above its level. `None` for a sound of nothing.
fn speech(sound: &[f64]) -> Option<(usize, usize)> {
    let power = |frame: &[f64]| frame.iter().map(|sample| sample * sample).sum::<f64>() / frame.len() as f64;
    let powers: Vec<f64> = sound.chunks(samples_of(FRAME_MS)).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let is_speech = |power: &f64| loudest > 0.0 && *power >= loudest * 10_f64.powf(SPEECH_DB / 10.0);
    let (first, last) = (powers.iter().position(is_speech)?, powers.iter().rposition(is_speech)?);
    Some((first * samples_of(FRAME_MS), ((last + 1) * samples_of(FRAME_MS)).min(sound.len())))
}

/// At [`ACTIVE_DBOV`], peaks limited; the gain, and the most that the limiter took, in dB.
fn levelled(sound: &[f64]) -> (Vec<f64>, f64, f64) {
    // an even height first: a level is measured on 16 bits
    let mut gain_db = -3.0 - decibels(peak(sound));
    let mut best = (sound.to_vec(), gain_db, 0.0);
    for _ in 0..TRIES {
        let mut tried: Vec<f64> = sound.iter().map(|sample| sample * 10_f64.powf(gain_db / 20.0)).collect();
        let limited_db = limit::limit(&mut tried);
        let missing = ACTIVE_DBOV - Level::of(&whole(&tried)).active_dbov;
        best = (tried, gain_db, limited_db);
        if missing.abs() < CLOSE_DB {
            break;
        }
        gain_db += missing;
    }
    best
}

/// Rises from and sinks to nothing within [`FADE_MS`].
fn fade(sound: &mut [f64]) {
    let length = samples_of(FADE_MS).min(sound.len() / 2);
    let end = sound.len();
    for at in 0..length {
        let gain = (at as f64 + 0.5) / length as f64;
        sound[at] *= gain;
        sound[end - 1 - at] *= gain;
    }
}

fn whole(sound: &[f64]) -> Vec<i16> {
    sound.iter().map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

fn peak(sound: &[f64]) -> f64 {
    sound.iter().fold(0.0, |most, sample| most.max(sample.abs()))
}

fn decibels(height: f64) -> f64 {
    20.0 * height.log10()
}

const fn samples_of(ms: usize) -> usize {
    ms * RATE as usize / 1_000
}

#[cfg(test)]
mod tests;
