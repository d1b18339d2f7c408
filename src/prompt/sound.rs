//! The WAV files of the prompts: their one format, what they say of themselves, and how loud they are.
//!
//! The build script checks the files with this same code.

/// Samples a second.
pub const RATE: u32 = 8_000;

/// The longest prompt, in samples: two minutes.
const LONGEST: usize = 120 * RATE as usize;

/// The largest file that is read: two minutes and room for chunks that are not sound.
pub const LARGEST_FILE: u64 = LONGEST as u64 * 2 + 65_536;

/// What a WAV file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// At [`RATE`].
    pub samples: Vec<i16>,
    /// `ICMT` of its `LIST` `INFO`: the text that is said in it, unless some program left a remark there.
    pub comment: Option<String>,
    /// `ISFT`: who made it.
    pub maker: Option<String>,
}

impl Sound {
    /// Reads a WAV file of 8 kHz, mono, 16-bit PCM.
    ///
    /// # Errors
    /// What is different from that, in words.
    pub fn read(wav: &[u8]) -> Result<Sound, String> {
        let (Some(b"RIFF"), Some(b"WAVE")) = (wav.get(..4), wav.get(8..12)) else {
            return Err("not a WAV file".to_owned());
        };
        let (mut format, mut samples, mut info) = (None, None, Info::default());
        let mut rest = &wav[12..];
        while let Some(chunk) = Chunk::first(rest) {
            match (chunk.name, chunk.body) {
                // what is damaged after the samples takes nothing from them
                (_, None) if samples.is_some() => break,
                (_, None) => return Err("the WAV file is cut short".to_owned()),
                (b"fmt ", Some(body)) => format = Some(body),
                (b"data", Some(body)) if samples.is_none() => samples = Some(pcm(format, body)?),
                (b"LIST", Some(body)) => info.take(body),
                _ => {}
            }
            rest = chunk.after;
        }
        let samples = samples.ok_or("a WAV file without samples")?;
        Ok(Sound { samples, comment: info.comment, maker: info.maker })
    }

    /// What is wrong if the file itself says that another text is said in it than `text`.
    pub fn disagreement(&self, text: &str) -> Option<String> {
        let said = self.comment.as_deref().filter(|comment| super::text::is_speech(comment))?;
        (said != text.trim()).then(|| format!("says another text than the manifest: {said}; record it again"))
    }
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    /// `None`: it goes on after the end of the file.
    body: Option<&'a [u8]>,
    /// The chunks after it.
    after: &'a [u8],
}

impl Chunk<'_> {
    fn first(bytes: &[u8]) -> Option<Chunk<'_>> {
        let (header, rest) = bytes.split_first_chunk::<8>()?;
        let (name, size) = header.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        let after = rest.get(size.saturating_add(size % 2)..).unwrap_or_default();
        Some(Chunk { name, body: rest.get(..size), after })
    }
}

/// What a `LIST` `INFO` chunk tells.
#[derive(Default)]
struct Info {
    comment: Option<String>,
    maker: Option<String>,
}

impl Info {
    fn take(&mut self, list: &[u8]) {
        let Some(mut rest) = list.strip_prefix(b"INFO") else { return };
        while let Some(Chunk { name, body: Some(entry), after }) = Chunk::first(rest) {
            match name {
                b"ICMT" => self.comment = line(entry),
                b"ISFT" => self.maker = line(entry),
                _ => {}
            }
            rest = after;
        }
    }
}

/// The text up to its NUL; `None` for nothing and for what is not UTF-8.
fn line(entry: &[u8]) -> Option<String> {
    let text = entry.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(text).ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
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

    fn wav(before: &[u8], after: &[u8]) -> Vec<u8> {
        let format = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";
        [&format[..], before, b"data\x04\0\0\0\x01\0\x02\0", after].concat()
    }

    fn list(kind: &[u8; 4], entries: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let chunk = |name: &[u8; 4], body: &[u8]| {
            let size = u32::try_from(body.len()).expect("a short text").to_le_bytes();
            [&name[..], &size, body, &[0][..body.len() % 2]].concat()
        };
        let entries = entries.iter().flat_map(|(name, body)| chunk(name, body));
        chunk(b"LIST", &kind.iter().copied().chain(entries).collect::<Vec<u8>>())
    }

    #[test]
    fn no_header_however_broken_is_more_than_an_error() {
        let whole = wav(&list(b"INFO", &[(b"ICMT", b"a\0")]), &[]);
        assert_eq!(Sound::read(&whole).map(|sound| sound.samples), Ok(vec![1, 2]));
        for end in 0..whole.len() {
            assert!(Sound::read(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xFF;
            let _ = Sound::read(&broken);
        }
    }

    #[test]
    fn a_file_tells_its_text_and_its_maker_before_or_after_the_samples() {
        let info = list(b"INFO", &[(b"ISFT", b"voice 1\0"), (b"INAM", b"x\0"), (b"ICMT", "您好。\0".as_bytes())]);
        for file in [wav(&info, &[]), wav(&[], &info)] {
            let sound = Sound::read(&file).expect("a sound");
            assert_eq!((sound.comment.as_deref(), sound.maker.as_deref()), (Some("您好。"), Some("voice 1")));
            assert_eq!(sound.disagreement("您好。"), None);
            let expected = "says another text than the manifest: 您好。; record it again";
            assert_eq!(sound.disagreement("您好").as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_text_in_a_file_disagrees_with_nothing() {
        for list in [
            list(b"INFO", &[(b"ICMT", b"made by a program\0")]),
            list(b"INFO", &[(b"ICMT", &[0xE6, 0x82, 0])]),
            list(b"INFO", &[(b"ICMT", b"\0")]),
            list(b"adtl", &[(b"ICMT", "您好。\0".as_bytes())]),
            b"LIST\xff\0\0\0INFO".to_vec(),
        ] {
            assert_eq!(Sound::read(&wav(&[], &list)).expect("a sound").disagreement("好"), None);
        }
    }
}
