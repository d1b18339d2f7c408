//! Our stream: numbers, timestamps, and what its reports say.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::Outlet;
use crate::clock::Mono;
use crate::media::{FRAME, rtcp, rtp};

/// Mean time between reports; each is 0.5 to 1.5 of it (RFC 3550 §6.2).
const REPORT_INTERVAL_MS: u64 = 5_000;

pub(super) struct Sending {
    pub ssrc: u32,
    /// Of the next period.
    pub timestamp: u32,
    /// The next speech packet begins a talk spurt.
    pub marker: bool,
    pub packets: u64,
    sequence: u16,
    octets: u32,
    cname: [u8; rtcp::CNAME],
    report_at: Mono,
    reported_packets: u64,
    rng: StdRng,
}

impl Sending {
    pub fn new(seed: [u8; 32], now: Mono) -> Sending {
        let mut rng = StdRng::from_seed(seed);
        let cname = std::array::from_fn(|_| b"0123456789abcdef"[rng.random_range(0..16_usize)]);
        // The first report comes after half the time (RFC 3550 §6.2).
        let first = rng.random_range(REPORT_INTERVAL_MS / 4..=REPORT_INTERVAL_MS * 3 / 4);
        Sending {
            ssrc: rng.next_u32(),
            timestamp: rng.next_u32(),
            marker: true,
            packets: 0,
            sequence: rng.next_u32() as u16,
            octets: 0,
            cname,
            report_at: now + Duration::from_millis(first),
            reported_packets: 0,
            rng,
        }
    }

    /// A frame of speech, with the marker if a talk spurt begins.
    pub fn send_speech(&mut self, payload_type: u8, frame: &[u8; FRAME], to: SocketAddr, out: &mut impl Outlet) {
        let marker = std::mem::take(&mut self.marker);
        self.send(payload_type, self.timestamp, marker, frame, to, out);
    }

    /// A telephone-event packet; the speech after it is a new talk spurt.
    pub fn send_event(
        &mut self,
        payload_type: u8,
        (timestamp, marker): (u32, bool),
        payload: &[u8],
        to: SocketAddr,
        out: &mut impl Outlet,
    ) {
        self.marker = true;
        self.send(payload_type, timestamp, marker, payload, to, out);
    }

    /// Periods go by.
    pub fn pass(&mut self, periods: u32) {
        self.timestamp = self.timestamp.wrapping_add(periods.wrapping_mul(FRAME as u32));
    }

    pub fn is_report_due(&self, now: Mono) -> bool {
        self.report_at <= now
    }

    /// A report is due again later, whether or not there is somebody to send this one to.
    pub fn schedule_report(&mut self, now: Mono) {
        let spread = self.rng.random_range(REPORT_INTERVAL_MS / 2..=REPORT_INTERVAL_MS * 3 / 2);
        self.report_at = now + Duration::from_millis(spread);
    }

    /// A sender report if anything was sent since the report before, else a receiver report.
    pub fn report(&mut self, ntp: u64, block: Option<rtcp::Block>, bye: bool) -> rtcp::Compound<'_> {
        let sent_since = self.packets > self.reported_packets;
        self.reported_packets = self.packets;
        let sender = rtcp::Sender { ntp, timestamp: self.timestamp, packets: self.packets as u32, octets: self.octets };
        rtcp::Compound { ssrc: self.ssrc, sender: sent_since.then_some(sender), block, cname: &self.cname, bye }
    }

    fn send(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        to: SocketAddr,
        out: &mut impl Outlet,
    ) {
        let header = rtp::Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        let mut buffer = [0; rtp::MAX_SENT];
        let length = rtp::build(&header, payload, &mut buffer);
        out.send_rtp(to, &buffer[..length]);
        self.sequence = self.sequence.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        self.packets += 1;
    }
}
