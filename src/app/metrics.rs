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
    for (name, unit, what) in GAUGES {
        describe_gauge!(*name, *unit, *what);
    }
}

const GAUGES: &[(&str, Unit, &str)] = &[
    ("hotline_outbox_waiting", Unit::Count, "Messages that wait to be taken, by target."),
    ("hotline_outbox_oldest_seconds", Unit::Seconds, "How long the oldest of them has waited, by target."),
    ("hotline_outbox_given_up", Unit::Count, "Messages that were given up and wait for somebody, by target."),
    ("hotline_disk_bytes", Unit::Bytes, "Size of the data folder's disk, without what is kept back for root."),
    ("hotline_disk_free_bytes", Unit::Bytes, "What is free of it."),
    ("hotline_disk_inodes", Unit::Count, "Inodes of the data folder's disk; 0 where it has no fixed number."),
    ("hotline_disk_free_inodes", Unit::Count, "Inodes that are free."),
    ("hotline_tickets_open", Unit::Count, "Open tickets, by city and state."),
    ("hotline_tickets_overdue", Unit::Count, "Open tickets past their due day, by city."),
    (
        "hotline_tickets_contact_breached",
        Unit::Count,
        "Tickets whose requester was not contacted within the hour, nor since, by city.",
    ),
    ("hotline_tickets_supervised", Unit::Count, "Open tickets under supervision, by city and level."),
    ("hotline_trunk_registered", Unit::Count, "1 while we are registered with the trunk."),
    ("hotline_trunk_up", Unit::Count, "1 while the trunk is registered, found and answering, as far as it is asked."),
    ("hotline_trunk_paused", Unit::Count, "1 while no calls go out by the trunk because of its troubles."),
    ("hotline_trunk_calls", Unit::Count, "Channels that calls out hold, by trunk."),
    ("hotline_visits_due", Unit::Count, "Return visits that are not made yet, by city and next step."),
    ("hotline_visits_closed", Unit::Count, "Closings of the last seven days, by city."),
    ("hotline_visits_attempted", Unit::Count, "Closings of the last seven days with an attempted visit, by city."),
    ("hotline_visits_reached", Unit::Count, "Closings of the last seven days with an answered visit, by city."),
    ("hotline_visits_reached_ratio", Unit::Count, "The same by all closings, by city."),
    ("hotline_visit_calls", Unit::Count, "Calls of return visits of the last seven days that may have rung, by city."),
    ("hotline_visit_calls_answered_ratio", Unit::Count, "Those that were picked up by all of them, by city."),
    (
        "hotline_visit_first_attempt_seconds",
        Unit::Seconds,
        "From the closing to the first attempt in the last seven days, by city and quantile.",
    ),
    ("hotline_recordings_without_row", Unit::Count, "Files of recordings that no row names, by last night's check."),
    ("hotline_recordings_without_file", Unit::Count, "Rows of recordings whose file is not there, by the same."),
    ("hotline_knowledge_to_review", Unit::Count, "Active knowledge entries whose review day has come."),
];

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
    ("hotline_outbox_delivered_total", "Messages that the far side has taken, by target."),
    ("hotline_outbox_failed_total", "Attempts to send a message that failed, by target."),
    ("hotline_outbox_dead_total", "Messages given up after the last attempt, by target."),
    ("hotline_trunk_verdicts_total", "Calls out by trunk and by whether it carried them or made trouble."),
    ("hotline_visit_attempts_total", "Calls of return visits placed, by city."),
    ("hotline_visit_outcomes_total", "How calls of return visits ended, by city and outcome."),
    ("hotline_sip_dropped_total", "Datagrams and connections dropped unread or unsent, by reason."),
    ("hotline_sip_events_total", "What the SIP endpoint counts: malformed messages, stray responses and the like."),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The metrics that the code counts, wherever; HTTP's are described by the console.
    fn counted(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                counted(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("app/metrics.rs") {
                let source = std::fs::read_to_string(&path).expect("a text");
                let names = source.split('"').filter(|text| {
                    let word = text.strip_prefix("hotline_").is_some_and(|rest| !rest.is_empty());
                    word && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                });
                found.extend(names.filter(|name| !name.starts_with("hotline_http_")).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_metric_of_the_code_is_described() {
        let mut found = Vec::new();
        counted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 40, "{found:?}");
        let described = |name: &str| {
            GAUGES.iter().any(|(known, ..)| *known == name)
                || COUNTERS.iter().any(|(known, _)| *known == name)
                || ["hotline_media_calls", "hotline_media_lateness_p99_seconds"].contains(&name)
        };
        // a rule of the tickets has this name
        let missing: Vec<&String> =
            found.iter().filter(|name| !described(name) && *name != "hotline_contacts").collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
