//! The peer's stream: its signs of life, its loss, its reports.

use std::time::Duration;

use crate::clock::Mono;
use crate::media::event::Summary;
use crate::media::reception::{Order, Reception};
use crate::media::rtcp;
use crate::media::rtp::Header;

pub(super) struct Receiving {
    stream: Option<Reception>,
    packets: u64,
    /// Lost of streams that are over.
    lost_before: u64,
    life: Mono,
    timed_out: bool,
    /// Middle of the NTP time of the peer's latest report, and when it came.
    sender_report: Option<(u32, Mono)>,
    peer_block: Option<rtcp::Block>,
    round_trip: Option<Duration>,
}

impl Receiving {
    pub fn new(now: Mono) -> Receiving {
        Receiving {
            stream: None,
            packets: 0,
            lost_before: 0,
            life: now,
            timed_out: false,
            sender_report: None,
            peer_block: None,
            round_trip: None,
        }
    }

    /// Something came from the peer, or it may be silent from now.
    pub fn alive(&mut self, now: Mono) {
        self.life = now;
        self.timed_out = false;
    }

    /// True once when nothing has come for so long.
    pub fn times_out(&mut self, now: Mono, patience: Duration) -> bool {
        let late = !self.timed_out && now.since(self.life) >= patience;
        self.timed_out |= late;
        late
    }

    /// Counts a packet; a new SSRC or a great jump begins a new stream.
    pub fn count(&mut self, header: &Header, now: Mono) -> Order {
        self.alive(now);
        self.packets += 1;
        let order = match &mut self.stream {
            Some(stream) if stream.ssrc() == header.ssrc => stream.count(header, now),
            _ => Order::Restart,
        };
        if order == Order::Restart {
            self.lost_before += self.stream.as_ref().map_or(0, Reception::lost);
            self.stream = Some(Reception::begin(header, now));
        }
        order
    }

    /// Takes the peer's report; `ntp` is the time now.
    pub fn reported(&mut self, received: &rtcp::Received, ntp: u64, now: Mono) {
        self.alive(now);
        if let Some(sender) = received.sender {
            self.sender_report = Some((rtcp::middle(sender.ntp), now));
        }
        if let Some(block) = received.block {
            self.round_trip = block.round_trip(ntp).or(self.round_trip);
            self.peer_block = Some(block);
        }
    }

    /// Our report on the peer's stream.
    pub fn block(&mut self, now: Mono) -> Option<rtcp::Block> {
        let (last, delay) = self
            .sender_report
            .map_or((0, 0), |(middle, came)| (middle, (now.since(came).as_micros() * 65_536 / 1_000_000) as u32));
        self.stream.as_mut().map(|stream| stream.block(last, delay))
    }

    /// Adds what is known here to a summary.
    pub fn summarize(&self, summary: Summary) -> Summary {
        let stream = self.stream.as_ref();
        Summary {
            packets_in: self.packets,
            lost: self.lost_before + stream.map_or(0, Reception::lost),
            jitter_ms: stream.map_or(0.0, Reception::jitter_ms),
            round_trip_ms: self.round_trip.map(|time| time.as_secs_f32() * 1_000.0),
            peer_lost: self.peer_block.map(|block| u64::from(block.lost)),
            ..summary
        }
    }
}
