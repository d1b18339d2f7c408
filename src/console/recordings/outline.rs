//! A recording's waveform.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Heard, heard, inside, unreadable};
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::guard::busy;
use crate::console::problem::Problem;
use crate::console::segment::Segment;
use crate::store;
use crate::ticket::RecordingId;

/// Samples a millisecond.
const SAMPLES_A_MS: f64 = 8.0;

/// A recording's waveform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Peaks)]
pub struct PeaksOut {
    duration_ms: u64,
    /// How long a stretch a point stands for.
    ms_a_point: f64,
    /// By channel, the caller first: the loudest sample of each stretch, 0 to 255. At most 2000 points each.
    channels: Vec<Vec<u8>>,
}

/// The waveform of a recording: at most 2000 points a channel, whatever its length.
#[utoipa::path(
    get,
    path = "/api/v1/recordings/{id}/peaks",
    operation_id = "read_peaks",
    tag = "tickets",
    params(("id" = RecordingId, Path, description = "The id of a recording of a ticket or a call.")),
    responses((status = 200, body = PeaksOut))
)]
pub async fn peaks(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
) -> Result<Json<PeaksOut>, Problem> {
    let heard = heard(&shared, &asking, &id).await?;
    heard.sounds()?;
    Ok(Json(outline_of(&shared, &heard).await?))
}

/// What was kept when the recording ended; of one that has none, made of its file and kept.
///
/// # Errors
/// The file can't be read.
async fn outline_of(shared: &Shared, heard: &Heard) -> Result<PeaksOut, Problem> {
    let recording = &heard.recording;
    let failed = |error: store::StoreError| Problem::internal("peaks", &error);
    let peaks = match shared.store.peaks(recording).await.map_err(failed)? {
        Some(peaks) => peaks,
        None => {
            let _permit = Arc::clone(&shared.transfers).try_acquire_owned().map_err(|_| busy())?;
            let unreadable = unreadable(recording.id);
            let path = inside(&shared.recordings, &recording.path).map_err(unreadable)?;
            let channels = recording.channels;
            let made = tokio::task::spawn_blocking(move || store::peaks_of(&path, channels)).await;
            let peaks = made.map_err(std::io::Error::other).and_then(|made| made).map_err(unreadable)?;
            shared.store.keep_peaks(recording.id, &peaks).await.map_err(failed)?;
            peaks
        }
    };
    Ok(PeaksOut {
        duration_ms: recording.duration_ms.unwrap_or_default(),
        ms_a_point: f64::from(peaks.samples_a_point) / SAMPLES_A_MS,
        channels: peaks.channels,
    })
}
