//! How the peer's packets arrive: loss and jitter (RFC 3550 §6.4.1, appendices A.1, A.3 and A.8).

use crate::clock::Mono;
use crate::media::rtcp::Block;
use crate::media::rtp::{self, Header};

/// A jump of sequence numbers up to this is loss; a greater one is a sender that started again.
const MAX_DROPOUT: i16 = 3_000;

/// So far behind the highest number a packet is out of order; further behind, the sender started again.
const MAX_MISORDER: i16 = -100;

/// Counts of one stream (one SSRC).
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    /// The first number, extended by cycles as the highest one is.
    base: u64,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// Of the latest packet: arrival less timestamp, in samples.
    transit: u32,
    /// Sixteenths of a sample.
    jitter: u32,
}

/// Where a packet stands among those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The next or, after a loss, a later one.
    Forward,
    /// One that others have overtaken, or a duplicate.
    Behind,
    /// The sender's numbers start again.
    Restart,
}

impl Reception {
    pub fn begin(header: &Header, now: Mono) -> Reception {
        let first = u64::from(header.sequence);
        Reception {
            ssrc: header.ssrc,
            base: first,
            highest: first,
            received: 1,
            expected_before: 0,
            received_before: 0,
            transit: samples(now).wrapping_sub(header.timestamp),
            jitter: 0,
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet; after `Restart` the caller begins a new reception.
    pub fn count(&mut self, header: &Header, now: Mono) -> Order {
        let order = match rtp::sequence_distance(header.sequence, self.highest as u16) {
            ahead @ 1..MAX_DROPOUT => {
                self.highest += u64::from(ahead.unsigned_abs());
                Order::Forward
            }
            MAX_MISORDER..=0 => Order::Behind,
            _ => return Order::Restart,
        };
        self.received += 1;
        let transit = samples(now).wrapping_sub(header.timestamp);
        let difference = rtp::timestamp_distance(transit, self.transit).unsigned_abs();
        self.transit = transit;
        // A.8, in sixteenths; one packet can't count for more than a second.
        self.jitter = self.jitter + difference.min(8_000) - ((self.jitter + 8) >> 4);
        order
    }

    /// Packets that should have come.
    pub fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    /// Packets that did not come; duplicates do not make it negative.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    pub fn jitter_ms(&self) -> f32 {
        self.jitter as f32 / 16.0 / 8.0
    }

    /// The report block on this stream; the fraction lost is since the block before.
    pub fn block(&mut self, last_sender_report: u32, delay_since: u32) -> Block {
        let expected = self.expected() - self.expected_before;
        let received = self.received - self.received_before;
        self.expected_before = self.expected();
        self.received_before = self.received;
        let fraction_lost = (expected.saturating_sub(received) << 8).checked_div(expected).unwrap_or(0).min(255) as u8;
        Block {
            ssrc: self.ssrc,
            fraction_lost,
            lost: self.lost().min(0x7F_FFFF) as u32,
            highest_sequence: self.highest as u32,
            jitter: self.jitter >> 4,
            last_sender_report,
            delay_since,
        }
    }
}

/// The clock in samples of 8 kHz, cut to 32 bits.
fn samples(now: Mono) -> u32 {
    (now.as_micros() * 8 / 1_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 7 }
    }

    fn at(period: u64) -> Mono {
        Mono::from_micros(period * 20_000)
    }

    #[test]
    fn loss_is_what_the_numbers_leave_out_across_the_wrap() {
        let mut reception = Reception::begin(&header(65_534, 0), at(0));
        for (period, sequence) in [(1_u64, 65_535_u16), (2, 0), (5, 3), (6, 4)] {
            assert_eq!(reception.count(&header(sequence, period as u32 * 160), at(period)), Order::Forward);
        }
        assert_eq!((reception.expected(), reception.lost()), (7, 2));
        assert_eq!(reception.count(&header(1, 480), at(6)), Order::Behind);
        assert_eq!(reception.lost(), 1);
        let block = reception.block(0, 0);
        assert_eq!((block.lost, block.fraction_lost), (1, (256 / 7) as u8));
        assert_eq!(block.highest_sequence, 65_536 + 4);
        assert_eq!(reception.block(0, 0).fraction_lost, 0, "nothing new was lost since");
    }

    #[test]
    fn a_steady_stream_has_no_jitter_and_an_unsteady_one_has() {
        let mut reception = Reception::begin(&header(0, 0), at(0));
        for n in 1..200_u16 {
            reception.count(&header(n, u32::from(n) * 160), at(u64::from(n)));
        }
        assert_eq!(reception.jitter_ms(), 0.0);
        for n in 200..600_u16 {
            let late = Mono::from_micros(u64::from(n) * 20_000 + u64::from(n % 2) * 10_000);
            reception.count(&header(n, u32::from(n) * 160), late);
        }
        assert!((9.0..11.0).contains(&reception.jitter_ms()), "{}", reception.jitter_ms());
    }

    #[test]
    fn a_great_jump_is_a_restart() {
        let mut reception = Reception::begin(&header(10_000, 0), at(0));
        assert_eq!(reception.count(&header(30_000, 0), at(1)), Order::Restart);
        assert_eq!(reception.count(&header(9_000, 0), at(1)), Order::Restart);
    }
}
