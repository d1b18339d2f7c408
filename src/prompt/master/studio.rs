//! WAV files as studios make them: 16, 24 or 32 bits or float, any rate and number of channels.

use std::io::Cursor;
use std::ops::RangeInclusive;

use hound::{SampleFormat, WavReader, WavSpec};

const RATES: RangeInclusive<u32> = 8_000..=192_000;
const CHANNELS: RangeInclusive<u16> = 1..=8;

/// The longest recording whose samples are read, in seconds; a prompt is far shorter.
const LONGEST_S: u32 = 600;

/// The largest file that is read: ten minutes of what most studios record, two channels of 24 bits at 48 kHz.
pub const LARGEST_FILE: u64 = 256 << 20;

/// What was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Studio {
    /// Channel by channel for each moment; full scale is -1 to 1.
    pub samples: Vec<f32>,
    /// Hz.
    pub rate: u32,
    pub channels: u16,
}

impl Studio {
    /// Reads a WAV file: PCM of 16, 24 or 32 bits or float of 32, plain or `WAVE_FORMAT_EXTENSIBLE`.
    ///
    /// # Errors
    /// In words: another coding, rate or number of channels, a longer one than ten minutes, a file that is cut short
    /// or no WAV file.
    pub fn read(wav: &[u8]) -> Result<Studio, String> {
        let mut reader = WavReader::new(Cursor::new(wav)).map_err(|error| refusal(error, wav))?;
        let WavSpec { channels, sample_rate: rate, bits_per_sample, sample_format } = reader.spec();
        if !RATES.contains(&rate) {
            return Err(format!("{rate} Hz: 8 to 192 kHz are wanted"));
        }
        if !CHANNELS.contains(&channels) {
            return Err(format!("{channels} channels: at most {} are mixed", CHANNELS.end()));
        }
        if reader.duration() / rate >= LONGEST_S {
            return Err(format!("{} s long: at most {LONGEST_S} are read", reader.duration() / rate));
        }
        // hound looks for such samples at the wrong end of their container
        let container = Format::of(wav).map_or(bits_per_sample, |format| format.container_bits);
        if container != bits_per_sample {
            return Err(format!("{bits_per_sample} bits in containers of {container}: export it as 24-bit PCM"));
        }
        let samples = match (sample_format, bits_per_sample) {
            (SampleFormat::Float, 32) => reader.samples::<f32>().collect::<Result<Vec<f32>, _>>(),
            (SampleFormat::Int, 16 | 24 | 32) => {
                let full = 2_f64.powi(i32::from(bits_per_sample) - 1);
                reader.samples::<i32>().map(|sample| Ok((f64::from(sample?) / full) as f32)).collect()
            }
            (_, bits) => return Err(format!("{bits} bits: PCM of 16, 24 or 32 bits or float of 32 is wanted")),
        };
        let samples = samples.map_err(|error| refusal(error, wav))?;
        match samples.iter().position(|sample| !sample.is_finite()) {
            Some(at) => Err(format!("sample {at} is no number")),
            None => Ok(Studio { samples, rate, channels }),
        }
    }
}

/// Two facts of the `fmt ` chunk that hound keeps to itself.
struct Format {
    coding: u16,
    container_bits: u16,
}

impl Format {
    fn of(wav: &[u8]) -> Option<Format> {
        let mut rest = wav.get(12..)?;
        while let Some((header, body)) = rest.split_at_checked(8) {
            let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
            if &header[..4] == b"fmt " {
                let fields = body.first_chunk::<16>()?;
                let word = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
                let container_bits = word(12).checked_div(word(2))?.saturating_mul(8);
                return Some(Format { coding: word(0), container_bits });
            }
            rest = body.get(size.checked_add(size % 2)?..)?;
        }
        None
    }
}

fn refusal(error: hound::Error, wav: &[u8]) -> String {
    let coding = Format::of(wav).map_or(0, |format| format.coding);
    match error {
        hound::Error::IoError(_) if wav.starts_with(b"RIFF") => "the WAV file is cut short".to_owned(),
        hound::Error::IoError(_) | hound::Error::FormatError("no RIFF tag found" | "no WAVE tag found") => {
            "not a WAV file".to_owned()
        }
        hound::Error::FormatError(what) => format!("a WAV file that can't be read: {what}"),
        hound::Error::Unsupported | hound::Error::TooWide | hound::Error::InvalidSampleFormat => {
            format!("coding {coding:#06x}: PCM of 16, 24 or 32 bits or float of 32 is wanted")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use hound::WavWriter;

    use super::*;

    fn spec(bits: u16, format: SampleFormat) -> WavSpec {
        WavSpec { channels: 2, sample_rate: 48_000, bits_per_sample: bits, sample_format: format }
    }

    fn written<S: hound::Sample + Copy>(spec: WavSpec, samples: &[S]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, spec).expect("a writer");
        samples.iter().for_each(|sample| writer.write_sample(*sample).expect("a sample"));
        writer.finalize().expect("a whole file");
        file.into_inner()
    }

    /// Half of full scale down, nothing, a quarter up, nearly all: in each coding.
    fn files() -> [Vec<u8>; 4] {
        let whole = |bits: u32| [-(1 << (bits - 2)), 0, 1 << (bits - 3), (1_i64 << (bits - 1)) as i32 / 64 * 63];
        let wide = [-(1 << 30), 0, 1 << 29, i32::MAX / 64 * 63];
        [
            written(spec(16, SampleFormat::Int), &whole(16)),
            written(spec(24, SampleFormat::Int), &whole(24)),
            written(spec(32, SampleFormat::Int), &wide),
            written(spec(32, SampleFormat::Float), &[-0.5_f32, 0.0, 0.25, 0.984_375]),
        ]
    }

    #[test]
    fn every_coding_of_a_studio_is_read_to_the_same_samples() {
        for file in files() {
            let studio = Studio::read(&file).expect("a studio's file");
            assert_eq!((studio.rate, studio.channels, studio.samples.len()), (48_000, 2, 4));
            for (sample, wanted) in studio.samples.iter().zip([-0.5, 0.0, 0.25, 0.984_375]) {
                assert!((sample - wanted).abs() < 1e-4, "{:?}", studio.samples);
            }
        }
        assert_eq!(Format::of(&files()[1]).expect("a format").coding, 0xFFFE, "hound writes 24 bits as extensible");
    }

    #[test]
    fn what_is_not_read_says_why() {
        let [plain, extensible, _, float] = files();
        let changed = |file: &[u8], at: usize, bytes: &[u8]| {
            let mut file = file.to_vec();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            Studio::read(&file).expect_err("a refusal")
        };
        let alone = |spec: WavSpec| Studio::read(&written(spec, &[0_i16; 72])).expect_err("a refusal");
        let plain_spec = spec(16, SampleFormat::Int);
        for (said, wanted) in [
            (Studio::read(b"").expect_err("nothing"), "not a WAV file"),
            (Studio::read(b"no sound at all, only text").expect_err("text"), "not a WAV file"),
            (Studio::read(&plain[..40]).expect_err("a piece"), "the WAV file is cut short"),
            (Studio::read(&plain[..46]).expect_err("a piece"), "the WAV file is cut short"),
            (changed(&plain, 20, &[0x55, 0]), "coding 0x0055: PCM of 16, 24 or 32 bits or float of 32 is wanted"),
            (alone(WavSpec { sample_rate: 6_000, ..plain_spec }), "6000 Hz: 8 to 192 kHz are wanted"),
            (alone(WavSpec { channels: 9, ..plain_spec }), "9 channels: at most 8 are mixed"),
            (
                alone(WavSpec { bits_per_sample: 8, ..plain_spec }),
                "8 bits: PCM of 16, 24 or 32 bits or float of 32 is wanted",
            ),
            (changed(&extensible, 38, &[20, 0]), "20 bits in containers of 24: export it as 24-bit PCM"),
            (changed(&float, float.len() - 4, &f32::NAN.to_le_bytes()), "sample 3 is no number"),
        ] {
            assert_eq!(said, wanted);
        }
    }

    #[test]
    fn a_recording_of_more_than_ten_minutes_is_refused_by_its_header() {
        let mut file =
            written(WavSpec { channels: 1, sample_rate: 8_000, ..spec(16, SampleFormat::Int) }, &[0_i16; 72]);
        let (size, data) = (40..44, 601 * 16_000_u32);
        assert_eq!(file[size.clone()], 144_u32.to_le_bytes());
        file[size].copy_from_slice(&data.to_le_bytes());
        assert_eq!(Studio::read(&file), Err("601 s long: at most 600 are read".to_owned()));
    }

    #[test]
    fn no_file_however_broken_is_more_than_an_error() {
        for file in files() {
            for at in 0..file.len() {
                for bits in [0xFF, 0x01, 0x80] {
                    let mut broken = file.clone();
                    broken[at] ^= bits;
                    let _ = Studio::read(&broken);
                    let _ = Studio::read(&file[..at]);
                }
            }
        }
    }
}
