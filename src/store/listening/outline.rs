//! Waveforms: kept when a recording ends; made of the file for those that have none.

use std::io;
use std::path::Path;

use crate::media::peaks::Peaks;
use crate::store::row::{bigint, count};
use crate::store::{Recording, Store, StoreError, Transaction, on, wav};
use crate::ticket::RecordingId;

impl Store {
    /// A recording's waveform, if it was made already.
    pub async fn peaks(&self, recording: &Recording) -> Result<Option<Peaks>, StoreError> {
        const SQL: &str = "select samples_a_point, points from recording_peaks where recording = $1";
        let row: Option<(i64, Vec<u8>)> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(recording.id.to_string())
            .fetch_optional(pool)
            .await)?;
        let Some((samples_a_point, points)) = row else { return Ok(None) };
        let channels = usize::from(recording.channels.max(1));
        let each = points.len() / channels;
        let channels = (0..channels).map(|at| points[at * each..(at + 1) * each].to_vec()).collect();
        Ok(Some(Peaks {
            samples_a_point: count("recording_peaks.samples_a_point", samples_a_point)?,
            channels,
            loud_ms: recording.loud_ms.unwrap_or_default(),
        }))
    }

    /// Keeps what was made of the file; of two that made it, either's will do.
    pub async fn keep_peaks(&self, recording: RecordingId, peaks: &Peaks) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_peaks(&mut transaction, recording, peaks).await?;
        transaction.commit().await
    }
}

/// The waveform of a recording's file. Reads all of it: it belongs on a thread that may block.
///
/// # Errors
/// The file can't be read.
pub fn peaks_of(file: &Path, channels: u8) -> io::Result<Peaks> {
    wav::peaks(file, channels)
}

pub(in crate::store) async fn insert_peaks(
    transaction: &mut Transaction,
    recording: RecordingId,
    peaks: &Peaks,
) -> Result<(), StoreError> {
    const POINTS: &str = "insert into recording_peaks (recording, samples_a_point, points) values ($1, $2, $3) \
         on conflict (recording) do nothing";
    const LOUD: &str = "update recording set loud_ms = $2 where id = $1";
    on!(transaction, transaction => sqlx::query(POINTS)
        .bind(recording.to_string())
        .bind(i64::from(peaks.samples_a_point))
        .bind(peaks.channels.concat())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    on!(transaction, transaction => sqlx::query(LOUD)
        .bind(recording.to_string())
        .bind(bigint(peaks.loud_ms))
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}
