//! What each metric means, for whoever reads `/metrics`. No label holds anything about a person.

use metrics::{Unit, describe_counter, describe_gauge};

/// Describes every metric of the service but those of HTTP, which the console describes.
pub fn describe() {
    for (name, what) in COUNTERS {
        describe_counter!(*name, Unit::Count, *what);
    }
    describe_gauge!("hotline_media_calls", Unit::Count, "Calls that have sound.");
    describe_gauge!(
        "hotline_media_lateness_p99_seconds",
        Unit::Seconds,
        "How late 99 % of the media threads' visits were at most in the last second."
    );
    describe_gauge!("hotline_trunk_registered", Unit::Count, "1 while we are registered with the trunk.");
}

const COUNTERS: &[(&str, &str)] = &[
    ("hotline_calls_total", "Calls taken in, by city."),
    ("hotline_calls_refused_total", "Calls refused before they were answered, by reason."),
    ("hotline_tickets_created_total", "Tickets made, by city and channel."),
    ("hotline_call_events_dropped_total", "Events of calls given up because the store was away for too long."),
    ("hotline_store_failures_total", "Times a call found the store away."),
    ("hotline_recordings_failed_total", "Recordings that could not be created or stopped at a failing disk."),
    ("hotline_recording_frames_lost_total", "Frames of 20 ms that recordings miss and have as silence."),
    ("hotline_recording_overruns_total", "Frames of 20 ms that found the ring to the recorder full."),
    ("hotline_rtp_packets_received_total", "RTP and RTCP packets read."),
    ("hotline_rtp_packets_sent_total", "RTP and RTCP packets written."),
    ("hotline_rtp_packets_lost_total", "RTP packets lost on the way here, of calls that have ended."),
    ("hotline_rtp_packets_foreign_total", "RTP packets from addresses that are no caller's, of calls that have ended."),
    ("hotline_rtp_periods_skipped_total", "Periods of 20 ms in which nothing was sent because the thread was late."),
    ("hotline_sip_dropped_total", "Datagrams and connections dropped unread or unsent, by reason."),
    ("hotline_sip_events_total", "What the SIP endpoint counts: malformed messages, stray responses and the like."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_in_the_code_is_described() {
        for source in [
            include_str!("../driver/calls.rs"),
            include_str!("../driver/keeper/files.rs"),
            include_str!("../driver/keeper/rows.rs"),
            include_str!("../driver/recorder.rs"),
            include_str!("../driver/sip/mod.rs"),
            include_str!("../driver/sip/tcp.rs"),
            include_str!("../work/watchman.rs"),
        ] {
            for name in source.split('"').filter(|text| text.starts_with("hotline_") && text.ends_with("_total")) {
                assert!(COUNTERS.iter().any(|(known, _)| *known == name), "{name} is not described");
            }
        }
    }
}
