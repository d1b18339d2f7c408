//! Watches the media threads: exports their figures and closes the door while sound is late.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::driver::calls::Stage;
use crate::driver::media::Media;
use crate::driver::sip::Sip;
use crate::live::{Live, Words};
use crate::sip::{Admission, Command};

/// One look at everything.
const EVERY: Duration = Duration::from_millis(500);
/// Looks in time before a door that was closed for lateness opens again.
const CALM_LOOKS: u32 = 4;

/// What is watched.
pub struct Watchman {
    pub sip: Sip,
    pub media: Arc<Media>,
    pub live: Arc<Live>,
    pub clock: Clock,
    /// The 99th percentile of lateness above which new calls are refused (architecture: 40 ms for a second).
    pub late_limit_us: u32,
}

impl Watchman {
    /// Until it is cancelled. A draining service stays closed.
    pub async fn run(self, stage: watch::Receiver<Stage>, cancelled: CancellationToken) {
        let mut calm = CALM_LOOKS;
        loop {
            let late = self.look_at_media();
            calm = self.admit(late, calm, &stage).await;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Exports the media threads' figures; true when they are too late for more calls.
    fn look_at_media(&self) -> bool {
        let late_us = self.media.late_p99_us();
        metrics::gauge!("hotline_media_lateness_p99_seconds").set(f64::from(late_us) / 1e6);
        metrics::gauge!("hotline_media_calls").set(self.media.calls() as f64);
        let mut sums = [0_u64; 6];
        for figures in self.media.figures() {
            let counts = [
                figures.packets_in(),
                figures.packets_out(),
                figures.lost(),
                figures.foreign(),
                figures.skipped(),
                figures.overruns(),
            ];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let names = [
            "hotline_rtp_packets_received_total",
            "hotline_rtp_packets_sent_total",
            "hotline_rtp_packets_lost_total",
            "hotline_rtp_packets_foreign_total",
            "hotline_rtp_periods_skipped_total",
            "hotline_recording_overruns_total",
        ];
        for (name, sum) in names.into_iter().zip(sums) {
            metrics::counter!(name).absolute(sum);
        }
        let late = late_us > self.late_limit_us;
        let late_ms = late_us.div_ceil(1_000);
        let words = Words::new(format!("99 % of visits are at most {late_ms} ms late")).said("media_late", &[&late_ms]);
        self.live.report("media", !late, words);
        late
    }

    /// Closes at once, opens after some looks in time.
    async fn admit(&self, late: bool, calm: u32, stage: &watch::Receiver<Stage>) -> u32 {
        let admit = async |admission| {
            // the stage is set before the door is closed for good, so the last word is the drain's
            if *stage.borrow() == Stage::Serving {
                self.sip.command(Command::Admission(admission)).await;
            }
        };
        if late {
            if calm > 0 {
                tracing::warn!("sound is late: no new calls are taken");
                admit(Admission::Late).await;
            }
            return 0;
        }
        if calm + 1 == CALM_LOOKS {
            tracing::info!("sound is in time again: calls are taken");
            admit(Admission::Open).await;
        }
        (calm + 1).min(CALM_LOOKS)
    }
}
