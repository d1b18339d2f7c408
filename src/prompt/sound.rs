//! The WAV files of the prompts: their one format, and how loud they are.
//!
//! Standard library only: the build script checks the files with this same code.

/// Samples a second.
pub const RATE: u32 = 8_000;

/// The longest prompt, in samples: two minutes.
const LONGEST: usize = 120 * RATE as usize;

/// The largest file that is read: [`LONGEST`] and room for chunks that are not sound.
pub const LARGEST_FILE: u64 = LONGEST as u64 * 2 + 65_536;

/// The samples of a WAV file of 8 kHz, mono, 16-bit PCM.
///
/// # Errors
/// What is different from that, in words.
pub fn samples(wav: &[u8]) -> Result<Vec<i16>, String> {
    let (Some(b"RIFF"), Some(b"WAVE")) = (wav.get(..4), wav.get(8..12)) else {
        return Err("not a WAV file".to_owned());
    };
    let mut format = None;
    let mut rest = &wav[12..];
    while let Some((header, body)) = rest.split_at_checked(8) {
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let chunk = body.get(..size).ok_or("the WAV file is cut short")?;
        match &header[..4] {
            b"fmt " => format = Some(chunk),
            b"data" => return pcm(format, chunk),
            _ => {}
        }
        rest = body.get(size + size % 2..).unwrap_or_default();
    }
    Err("a WAV file without samples".to_owned())
}

fn pcm(format: Option<&[u8]>, data: &[u8]) -> Result<Vec<i16>, String> {
    let format = format.and_then(|format| format.first_chunk::<16>()).ok_or("a WAV file without a format")?;
    let word = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    let (coding, channels, bits) = (word(0), word(2), word(14));
    if (coding, channels, rate, bits) != (1, 1, RATE, 16) {
        return Err(format!(
            "8 kHz mono 16-bit PCM is wanted, not coding {coding}, {channels} channels, {rate} Hz, {bits} bits"
        ));
    }
    if data.len() / 2 > LONGEST {
        return Err(format!("longer than {} seconds", LONGEST / RATE as usize));
    }
    Ok(data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// How loud a prompt is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Power of the active frames in dB below the overload point (after ITU-T P.56).
    pub active_dbov: f64,
    /// Highest sample in dB below full scale.
    pub peak_dbfs: f64,
    pub duration_ms: u32,
}

impl Level {
    /// Frames of 20 ms count as active down to 15.9 dB below the level that they have together (P.56's margin).
    pub fn of(samples: &[i16]) -> Level {
        let mut powers: Vec<f64> = samples.chunks(RATE as usize / 50).map(power).collect();
        let mut level = mean(&powers);
        loop {
            let before = powers.len();
            powers.retain(|&power| power >= level / 38.9);
            level = mean(&powers);
            if powers.len() == before {
                break;
            }
        }
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        Level {
            active_dbov: 10.0 * (level / (32_768.0 * 32_768.0)).log10(),
            peak_dbfs: 20.0 * (f64::from(peak) / 32_768.0).log10(),
            duration_ms: u32::try_from(samples.len() / (RATE as usize / 1000)).unwrap_or(u32::MAX),
        }
    }

    /// No sound that a caller could hear.
    pub fn is_silent(&self) -> bool {
        self.duration_ms < 40 || !self.active_dbov.is_finite() || self.active_dbov < -50.0
    }
}

fn power(frame: &[i16]) -> f64 {
    frame.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum::<f64>() / frame.len().max(1) as f64
}

fn mean(powers: &[f64]) -> f64 {
    powers.iter().sum::<f64>() / powers.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(amplitude: i16, samples: usize) -> impl Iterator<Item = i16> {
        (0..samples).map(move |at| if at / 8 % 2 == 0 { amplitude } else { -amplitude })
    }

    #[test]
    fn the_level_is_that_of_the_active_part_alone() {
        let speech: Vec<i16> = square(3_277, 4_000).collect();
        let padded: Vec<i16> = square(0, 8_000).chain(square(3_277, 4_000)).chain(square(0, 8_000)).collect();
        for level in [Level::of(&speech), Level::of(&padded)] {
            assert!((level.active_dbov + 20.0).abs() < 0.01 && (level.peak_dbfs + 20.0).abs() < 0.01, "{level:?}");
        }
        assert_eq!(Level::of(&padded).duration_ms, 2_500);
    }

    #[test]
    fn nothing_silence_and_a_click_are_silent() {
        for samples in [vec![], vec![0; 8_000], vec![8; 8_000], vec![20_000; 100]] {
            assert!(Level::of(&samples).is_silent());
        }
        assert!(!Level::of(&square(1_000, 800).collect::<Vec<_>>()).is_silent());
    }

    #[test]
    fn no_header_however_broken_is_more_than_an_error() {
        let whole = [
            &b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0"[..],
            &[1, 0, 2, 0],
        ]
        .concat();
        assert_eq!(samples(&whole), Ok(vec![1, 2]));
        for end in 0..whole.len() {
            assert!(samples(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xFF;
            let _ = samples(&broken);
        }
    }
}
