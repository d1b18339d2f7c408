//! The 44 bytes before the samples of a recording, rebuilt when a crash tore them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::media::peaks::{PeakMeter, Peaks};

/// Samples a second and channel.
pub(super) const SAMPLE_RATE: u32 = 8_000;

/// RIFF, `fmt ` and the start of `data` (Multimedia Programming Interface and Data Specifications 1.0).
const HEADER: u64 = 44;

/// Read at a time.
const BLOCK: usize = 64 * 1024;

/// A closed file's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub duration_ms: u64,
    /// 64 lower-case hex digits, of the whole file.
    pub sha256: String,
    pub bytes: u64,
    /// Not even the header had been written.
    pub headless: bool,
}

/// Makes the header fit the file's length, drops a torn last frame, syncs, and measures.
pub(super) fn restore(path: &Path, channels: u8) -> io::Result<Figures> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let frame = u64::from(frame_bytes(channels));
    let data = length.saturating_sub(HEADER) / frame * frame;
    let data = u32::try_from(data).map_err(|_| io::Error::other("a recording over 4 GiB"))?;
    file.set_len(HEADER + u64::from(data))?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header(channels, data))?;
    file.sync_all()?;
    Ok(Figures {
        duration_ms: u64::from(data) / frame * 1_000 / u64::from(SAMPLE_RATE),
        sha256: sha256(&mut file)?,
        bytes: HEADER + u64::from(data),
        headless: length < HEADER,
    })
}

/// Measures a file whose header is right.
pub(super) fn measure(path: &Path, channels: u8) -> io::Result<Figures> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let frames = bytes.saturating_sub(HEADER) / u64::from(frame_bytes(channels));
    let duration_ms = frames * 1_000 / u64::from(SAMPLE_RATE);
    Ok(Figures { duration_ms, sha256: sha256(&mut file)?, bytes, headless: bytes < HEADER })
}

/// The outline of a file's sound, in one pass.
pub(super) fn peaks(path: &Path, channels: u8) -> io::Result<Peaks> {
    let mut file = io::BufReader::with_capacity(BLOCK, File::open(path)?);
    file.seek(SeekFrom::Start(HEADER))?;
    let mut meter = PeakMeter::new(channels);
    let mut frame = vec![0; frame_bytes(channels) as usize];
    let mut samples = vec![0i16; usize::from(channels)];
    loop {
        match file.read_exact(&mut frame) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(meter.finish()),
            Err(error) => return Err(error),
        }
        for (sample, bytes) in samples.iter_mut().zip(frame.chunks_exact(2)) {
            *sample = i16::from_le_bytes([bytes[0], bytes[1]]);
        }
        meter.push(&samples);
    }
}

/// The samples of one channel files.
pub(super) fn samples(path: &Path) -> io::Result<Vec<i16>> {
    let reader = hound::WavReader::open(path).map_err(io_error)?;
    reader.into_samples::<i16>().collect::<Result<_, _>>().map_err(io_error)
}

pub(super) fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// 16-bit samples, all channels.
pub(super) const fn frame_bytes(channels: u8) -> u32 {
    2 * channels as u32
}

fn header(channels: u8, data: u32) -> [u8; HEADER as usize] {
    let frame = frame_bytes(channels);
    let mut bytes = [0; HEADER as usize];
    bytes[0..4].copy_from_slice(b"RIFF");
    bytes[4..8].copy_from_slice(&(data + HEADER as u32 - 8).to_le_bytes());
    bytes[8..16].copy_from_slice(b"WAVEfmt ");
    bytes[16..20].copy_from_slice(&16u32.to_le_bytes());
    bytes[20..22].copy_from_slice(&1u16.to_le_bytes());
    bytes[22..24].copy_from_slice(&u16::from(channels).to_le_bytes());
    bytes[24..28].copy_from_slice(&SAMPLE_RATE.to_le_bytes());
    bytes[28..32].copy_from_slice(&(SAMPLE_RATE * frame).to_le_bytes());
    bytes[32..34].copy_from_slice(&(frame as u16).to_le_bytes());
    bytes[34..36].copy_from_slice(&16u16.to_le_bytes());
    bytes[36..40].copy_from_slice(b"data");
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes
}

fn sha256(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut digest = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => break,
            read => digest.update(&block[..read]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn the_header_is_the_one_that_hound_writes() {
        for channels in [1u8, 2] {
            let spec = hound::WavSpec {
                channels: u16::from(channels),
                sample_rate: SAMPLE_RATE,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut file = Cursor::new(Vec::new());
            let mut writer = hound::WavWriter::new(&mut file, spec).expect("a writer");
            for sample in 0..320i16 {
                writer.write_sample(sample).expect("memory takes it");
            }
            writer.finalize().expect("memory takes it");
            assert_eq!(file.get_ref()[..44], header(channels, 640));
        }
    }
}
