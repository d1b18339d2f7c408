//! A recording's file while it grows.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::FinishedRecording;
use super::wav::{self, SAMPLE_RATE};
use crate::media::codec::alaw_decode;
use crate::media::peaks::PeakMeter;
use crate::ticket::{EndedBy, RecordingId};

/// Half a second of both channels.
const BUFFER: usize = 16 * 1024;

/// 9 hours of stereo; far from the 4 GiB that a WAV header can name.
const MAX_DATA_BYTES: u64 = 1 << 30;

/// Why sound was not kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The disk is full or failed (`source.kind()` tells). What was written before stays.
    #[error("the recording {id} can't be written: {source}")]
    Io { id: RecordingId, source: io::Error },
    /// An earlier write failed; said again for every later one.
    #[error("the recording {0} stopped at an earlier failure")]
    Stopped(RecordingId),
    #[error("the recording {0} is as long as a file may be")]
    TooLong(RecordingId),
}

/// Appends A-law as 16-bit PCM at 8 kHz. Every call may block on the disk: it belongs on a writer's thread.
pub struct RecordingWriter {
    id: RecordingId,
    /// Below the folder of recordings; what the row holds.
    relative: String,
    path: PathBuf,
    channels: u8,
    wav: hound::WavWriter<BufWriter<File>>,
    /// The same file again, since hound keeps its own to itself.
    file: File,
    peaks: PeakMeter,
    data_bytes: u64,
    stopped: bool,
    damaged: bool,
}

impl RecordingWriter {
    /// Creates the file with its header and syncs both; the caller syncs the folder.
    pub(super) fn create(
        id: RecordingId,
        relative: String,
        path: PathBuf,
        channels: u8,
    ) -> Result<RecordingWriter, RecordingError> {
        let spec = hound::WavSpec {
            channels: u16::from(channels),
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let open = || -> io::Result<_> {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let again = file.try_clone()?;
            let buffer = BufWriter::with_capacity(BUFFER, file);
            let mut wav = hound::WavWriter::new(buffer, spec).map_err(wav::io_error)?;
            wav.flush().map_err(wav::io_error)?;
            again.sync_all()?;
            Ok((wav, again))
        };
        let (wav, file) = open().map_err(|source| RecordingError::Io { id, source })?;
        let peaks = PeakMeter::new(channels);
        let (data_bytes, stopped, damaged) = (0, false, false);
        Ok(RecordingWriter { id, relative, path, channels, wav, file, peaks, data_bytes, stopped, damaged })
    }

    pub fn id(&self) -> RecordingId {
        self.id
    }

    /// The path below the folder of recordings, for [`super::NewRecording`].
    pub fn path(&self) -> &str {
        &self.relative
    }

    /// Appends as many samples of both sides; a request's recording leaves `system` out. A shorter side is heard as
    /// silence at its end.
    pub fn append(&mut self, caller: &[u8], system: &[u8]) -> Result<(), RecordingError> {
        if self.stopped {
            return Err(RecordingError::Stopped(self.id));
        }
        let samples = if self.channels == 1 { caller.len() } else { caller.len().max(system.len()) };
        let bytes = samples as u64 * u64::from(wav::frame_bytes(self.channels));
        if self.data_bytes + bytes > MAX_DATA_BYTES {
            return Err(RecordingError::TooLong(self.id));
        }
        let written = self.write(caller, system, samples);
        self.keep(written)?;
        self.data_bytes += bytes;
        Ok(())
    }

    /// Hands the samples and a fitting header to the operating system: after this a killed process loses nothing.
    /// Call it every half second.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        if self.stopped {
            return Err(RecordingError::Stopped(self.id));
        }
        let flushed = self.wav.flush().map_err(wav::io_error);
        self.keep(flushed)
    }

    /// Flushes, and waits until the disk has it: after this a power cut loses nothing. Call it every second.
    pub fn sync(&mut self) -> Result<(), RecordingError> {
        self.flush()?;
        let synced = self.file.sync_data();
        self.keep(synced)
    }

    /// The same file, to wait for the disk on another thread ([`File::sync_data`] after a flush): a disk that stalls
    /// must not hold up what is to be flushed.
    pub fn handle(&self) -> Result<File, RecordingError> {
        self.file.try_clone().map_err(|source| RecordingError::Io { id: self.id, source })
    }

    /// Sound was lost before it came here.
    pub fn mark_damaged(&mut self) {
        self.damaged = true;
    }

    pub fn duration_ms(&self) -> u64 {
        self.data_bytes / u64::from(wav::frame_bytes(self.channels)) * 1_000 / u64::from(SAMPLE_RATE)
    }

    /// Ends the file. After a failed write its header is made to fit what the disk took, and it is damaged; an error
    /// means that not even that could be done, and leaves the file to the repair at the next start.
    pub fn finish(mut self, ended_by: EndedBy) -> Result<FinishedRecording, RecordingError> {
        let (id, path, channels) = (self.id, self.path.clone(), self.channels);
        let whole = self.sync().is_ok();
        let damaged = self.damaged;
        // what a failing disk did not take is looked for in the file
        let peaks = whole.then(|| std::mem::replace(&mut self.peaks, PeakMeter::new(channels)).finish());
        drop(self); // hound writes a last time when dropped: before the file is measured
        let figures = if whole { wav::measure(&path, channels) } else { wav::restore(&path, channels) };
        let figures = figures.map_err(|source| RecordingError::Io { id, source })?;
        Ok(FinishedRecording {
            id,
            duration_ms: figures.duration_ms,
            sha256: figures.sha256,
            bytes: figures.bytes,
            ended_by,
            damaged,
            peaks,
        })
    }

    fn write(&mut self, caller: &[u8], system: &[u8], samples: usize) -> io::Result<()> {
        let sample = |side: &[u8], at: usize| side.get(at).map_or(0, |octet| alaw_decode(*octet));
        let mut block = self.wav.get_i16_writer((samples * usize::from(self.channels)) as u32);
        for at in 0..samples {
            let both = [sample(caller, at), sample(system, at)];
            let written = &both[..usize::from(self.channels.min(2))];
            written.iter().for_each(|sample| block.write_sample(*sample));
            self.peaks.push(written);
        }
        block.flush().map_err(wav::io_error)
    }

    fn keep(&mut self, result: io::Result<()>) -> Result<(), RecordingError> {
        result.map_err(|source| {
            self.stopped = true;
            self.damaged = true;
            RecordingError::Io { id: self.id, source }
        })
    }
}

impl std::fmt::Debug for RecordingWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingWriter").field("id", &self.id).field("data_bytes", &self.data_bytes).finish()
    }
}
