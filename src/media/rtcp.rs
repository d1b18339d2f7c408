//! RTCP (RFC 3550 §6): sender and receiver reports, the canonical name, BYE.

use std::time::Duration;

use chrono::{DateTime, Utc};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// Octets of a report block.
const BLOCK: usize = 24;

/// Octets of the canonical names that we write.
pub const CNAME: usize = 16;

/// The longest compound packet that we write: SR with a block, SDES, BYE.
pub const MAX_SENT: usize = 28 + BLOCK + 28 + 8;

/// Seconds from 1900 (NTP) to 1970 (UNIX).
const NTP_EPOCH: i64 = 2_208_988_800;

/// What a sender says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// 32 bits of seconds since 1900, 32 bits of fraction.
    pub ntp: u64,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// What a receiver says of a stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub ssrc: u32,
    /// Of the packets since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Since the beginning.
    pub lost: u32,
    pub highest_sequence: u32,
    /// In samples.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the latest sender report, 0 if none came.
    pub last_sender_report: u32,
    /// From that report to this one, in 65,536ths of a second.
    pub delay_since: u32,
}

/// A compound packet to write.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'a> {
    pub ssrc: u32,
    /// With it a sender report is written, else a receiver report.
    pub sender: Option<Sender>,
    pub block: Option<Block>,
    pub cname: &'a [u8; CNAME],
    pub bye: bool,
}

/// What matters to us in a compound packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    pub sender: Option<Sender>,
    /// The report on our stream.
    pub block: Option<Block>,
    pub bye: bool,
}

impl Received {
    /// Reads a compound packet; `ours` is the SSRC whose report block is wanted. `None` if it does not begin with a
    /// report or its lengths do not add up (RFC 3550 §A.2).
    pub fn parse(bytes: &[u8], ours: u32) -> Option<Received> {
        if !matches!(bytes.get(1), Some(&(SENDER_REPORT | RECEIVER_REPORT))) {
            return None;
        }
        let mut received = Received::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let [first, kind, high, low, ..] = *rest else { return None };
            let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
            let packet = rest.get(..length)?;
            if first >> 6 != 2 {
                return None;
            }
            received.read(kind, usize::from(first & 0x1F), packet, ours)?;
            rest = &rest[length..];
        }
        Some(received)
    }

    fn read(&mut self, kind: u8, count: usize, packet: &[u8], ours: u32) -> Option<()> {
        let blocks_at = match kind {
            SENDER_REPORT => {
                let ntp = u64::from(word(packet, 8)?) << 32 | u64::from(word(packet, 12)?);
                let (timestamp, packets, octets) = (word(packet, 16)?, word(packet, 20)?, word(packet, 24)?);
                self.sender = Some(Sender { ntp, timestamp, packets, octets });
                28
            }
            RECEIVER_REPORT => 8,
            BYE => {
                self.bye = true;
                return Some(());
            }
            _ => return Some(()),
        };
        for block in packet.get(blocks_at..blocks_at + count * BLOCK)?.chunks_exact(BLOCK) {
            let block = Block::parse(block)?;
            if block.ssrc == ours {
                self.block = Some(block);
            }
        }
        Some(())
    }
}

impl Block {
    fn parse(bytes: &[u8]) -> Option<Block> {
        let loss = word(bytes, 4)?;
        Some(Block {
            ssrc: word(bytes, 0)?,
            fraction_lost: (loss >> 24) as u8,
            // A negative count (duplicates) is no loss.
            lost: if loss & 0x80_0000 == 0 { loss & 0x7F_FFFF } else { 0 },
            highest_sequence: word(bytes, 8)?,
            jitter: word(bytes, 12)?,
            last_sender_report: word(bytes, 16)?,
            delay_since: word(bytes, 20)?,
        })
    }

    /// The time to the peer and back, at the NTP time `now` (RFC 3550 §6.4.1, figure 2); `None` if the peer has seen
    /// no report of ours or its figures are impossible.
    pub fn round_trip(&self, now: u64) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let spent = middle(now).wrapping_sub(self.last_sender_report);
        let fraction = spent.checked_sub(self.delay_since).filter(|fraction| *fraction < 60 << 16)?;
        Some(Duration::from_micros((u64::from(fraction) * 1_000_000) >> 16))
    }
}

impl Compound<'_> {
    /// Writes the packet and returns its length.
    pub fn build(&self, buffer: &mut [u8; MAX_SENT]) -> usize {
        let mut writer = Writer { buffer, length: 0 };
        let count = u8::from(self.block.is_some());
        let block_words = u16::from(count) * (BLOCK / 4) as u16;
        match &self.sender {
            Some(sender) => {
                writer.header(count, SENDER_REPORT, 6 + block_words, self.ssrc);
                writer.word((sender.ntp >> 32) as u32);
                writer.word(sender.ntp as u32);
                writer.word(sender.timestamp);
                writer.word(sender.packets);
                writer.word(sender.octets);
            }
            None => writer.header(count, RECEIVER_REPORT, 1 + block_words, self.ssrc),
        }
        if let Some(block) = &self.block {
            writer.block(block);
        }
        // One chunk with CNAME (item 1), an end octet and padding to a word.
        writer.header(1, SOURCE_DESCRIPTION, 6, self.ssrc);
        writer.bytes(&[1, CNAME as u8]);
        writer.bytes(self.cname);
        writer.bytes(&[0, 0]);
        if self.bye {
            writer.header(1, BYE, 1, self.ssrc);
        }
        writer.length
    }
}

struct Writer<'a> {
    buffer: &'a mut [u8; MAX_SENT],
    length: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    /// `words`: the length of the packet in words, less one.
    fn header(&mut self, count: u8, kind: u8, words: u16, ssrc: u32) {
        let [high, low] = words.to_be_bytes();
        self.bytes(&[0x80 | count, kind, high, low]);
        self.word(ssrc);
    }

    fn block(&mut self, block: &Block) {
        self.word(block.ssrc);
        self.word(u32::from(block.fraction_lost) << 24 | block.lost & 0x7F_FFFF);
        self.word(block.highest_sequence);
        self.word(block.jitter);
        self.word(block.last_sender_report);
        self.word(block.delay_since);
    }
}

/// The NTP time of a wall clock.
pub fn ntp(wall: DateTime<Utc>) -> u64 {
    let seconds = (wall.timestamp() + NTP_EPOCH) as u64;
    (seconds << 32) | ((u64::from(wall.timestamp_subsec_nanos()) << 32) / 1_000_000_000)
}

/// A length of time as an NTP difference.
pub fn ntp_span(span: Duration) -> u64 {
    (span.as_secs() << 32) | ((u64::from(span.subsec_nanos()) << 32) / 1_000_000_000)
}

/// The middle 32 bits of an NTP time, by which reports name each other.
pub fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: u32 = 0x1111_2222;

    fn block(ssrc: u32) -> Block {
        Block {
            ssrc,
            fraction_lost: 12,
            lost: 345,
            highest_sequence: 70_000,
            jitter: 9,
            last_sender_report: 0x0001_0000,
            delay_since: 0x8000,
        }
    }

    #[test]
    fn a_compound_packet_is_read_as_it_was_built() {
        let sender = Sender { ntp: 0x0123_4567_89AB_CDEF, timestamp: 5, packets: 6, octets: 7 };
        let compound =
            Compound { ssrc: 9, sender: Some(sender), block: Some(block(OURS)), cname: b"0123456789abcdef", bye: true };
        let mut buffer = [0; MAX_SENT];
        let length = compound.build(&mut buffer);
        assert_eq!(length, MAX_SENT);
        let received = Received::parse(&buffer[..length], OURS).expect("a compound packet");
        assert_eq!(received, Received { sender: Some(sender), block: Some(block(OURS)), bye: true });
        assert_eq!(Received::parse(&buffer[..length], 1).expect("a compound packet").block, None);
        assert_eq!(Received::parse(&buffer[..length - 4], OURS), None, "cut short");
    }

    #[test]
    fn a_receiver_report_alone_is_enough() {
        let compound = Compound { ssrc: 9, sender: None, block: None, cname: b"0123456789abcdef", bye: false };
        let mut buffer = [0; MAX_SENT];
        let length = compound.build(&mut buffer);
        assert_eq!(Received::parse(&buffer[..length], OURS), Some(Received::default()));
    }

    #[test]
    fn the_round_trip_leaves_out_the_time_at_the_peer() {
        // Sent at second 1, held for half a second, back at second 1.75.
        let now = 0x0000_0001_C000_0000_u64;
        assert_eq!(block(OURS).round_trip(now), Some(Duration::from_millis(250)));
        assert_eq!(block(OURS).round_trip(0x0000_0001_2000_0000), None, "back before it was held so long");
    }

    #[test]
    fn ntp_counts_from_1900() {
        let wall: DateTime<Utc> = "1970-01-01T00:00:00.5Z".parse().expect("a time");
        assert_eq!(ntp(wall), 2_208_988_800 << 32 | 0x8000_0000);
        assert_eq!(ntp_span(Duration::from_millis(1_250)), 0x0000_0001_4000_0000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..120), report: bool) {
            if report && bytes.len() >= 4 {
                let words = (bytes.len() / 4 - 1) as u8;
                let header = [0x80 | bytes[0] & 0x1F, 200 + bytes[1] % 2, 0, words];
                bytes[..4].copy_from_slice(&header);
            }
            Received::parse(&bytes, OURS);
        }
    }
}
