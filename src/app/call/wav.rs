//! The caller's WAV files: 8 kHz, mono, 16-bit.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::app::Failure;
use crate::driver::caller::Heard;
use crate::media::clip::Clip;

const FORMAT: WavSpec =
    WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
/// An hour, which is as long as a call may be.
const MOST_SAMPLES: u32 = 3_600 * 8_000;

/// What `--play` names.
pub fn read(path: &Path) -> Result<Clip, Failure> {
    let shown = path.display();
    let unreadable = |error: hound::Error| Failure::Setting(format!("--play {shown}: {}", fault(error)));
    let mut reader = WavReader::open(path).map_err(unreadable)?;
    let WavSpec { channels, sample_rate, bits_per_sample, .. } = reader.spec();
    if reader.spec() != FORMAT {
        return Err(Failure::Setting(format!(
            "--play {shown}: 8 kHz mono 16-bit PCM is wanted, this is {sample_rate} Hz, {channels} channels, \
             {bits_per_sample} bits; sox {shown} -r 8000 -c 1 -b 16 -e signed out.wav makes it"
        )));
    }
    if !(1..=MOST_SAMPLES).contains(&reader.len()) {
        return Err(Failure::Setting(format!("--play {shown}: up to an hour of sound is wanted, and not nothing")));
    }
    let samples = reader.samples::<i16>().collect::<Result<Vec<i16>, hound::Error>>().map_err(unreadable)?;
    Ok(Clip::from_linear(&samples))
}

/// What `--record` names: made before the call, so that a wrong path is known in time.
pub fn create(path: &Path) -> Result<Recording, Failure> {
    let writer = WavWriter::create(path, FORMAT)
        .map_err(|error| Failure::Setting(format!("--record {}: {}", path.display(), fault(error))))?;
    Ok(Recording { path: path.to_owned(), writer })
}

/// A file that waits for its sound.
pub struct Recording {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
}

impl Recording {
    pub fn finish(self, heard: &Heard) -> Result<(), Failure> {
        let Recording { path, mut writer } = self;
        let written = heard.samples().try_for_each(|sample| writer.write_sample(sample));
        written
            .and_then(|()| writer.finalize())
            .map_err(|error| Failure::Environment(format!("--record {}: {}", path.display(), fault(error))))
    }
}

fn fault(error: hound::Error) -> String {
    match error {
        // not the system's doing: hound ran out of bytes
        hound::Error::IoError(error) if error.raw_os_error().is_none() => "it is cut short".to_owned(),
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(_) => "this is no WAV file".to_owned(),
        other => other.to_string(),
    }
}
