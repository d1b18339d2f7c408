//! What recordings are found by, who may find them, their waveforms, and how long they are kept.

mod belonging;
mod expiry;
mod holds;
mod outline;
mod search;

pub(super) use belonging::{belong_to_attempt, belong_to_ticket, follow_ticket};
pub use expiry::{Expired, OnDisk, Outlook, RecordingsChecked};
pub use holds::{Held, LegalHold};
pub(super) use outline::insert_peaks;
pub use outline::peaks_of;
pub use search::{RecordingFilter, Whose};

/// In seconds: where one span of lengths ends and the next begins. The spans are numbered from 0.
const SPAN_ENDS_S: [u64; 5] = [3, 30, 120, 300, 900];

/// The span of a length.
pub(super) fn span(duration_ms: u64) -> i64 {
    SPAN_ENDS_S.iter().filter(|end| duration_ms >= **end * 1_000).count() as i64
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn every_length_is_in_one_span() {
        let spans = [0, 2_999, 3_000, 29_999, 30_000, 120_000, 299_999, 300_000, 900_000, u64::MAX].map(span);
        assert_eq!(spans, [0, 0, 1, 1, 2, 3, 3, 4, 5, 5]);
    }
}
