//! The peer's sound in order and in time, for the recording.
//!
//! A ring of samples addressed by RTP timestamp: what was not received, for loss or for silence suppression, is
//! silence of the right length. It is read a frame per period of our own clock, a fixed delay behind the latest
//! packet. The offset from the peer's timestamps to ours stays as the first packet set it, and moves only
//! - to a new stream, or when the timestamps jump out of the ring;
//! - when a packet in sequence comes after its time has been read (its sender paused without counting);
//! - by a slow measure, when the clocks have drifted apart, and then where it is quiet.

use std::ops::Range;

use crate::media::codec::{self, ALAW_SILENCE};
use crate::media::{FRAME, rtp};

/// Samples in the ring: 512 ms.
const CAPACITY: usize = 4_096;

/// Packets over which the drift is measured: about 5 s.
const WINDOW: u32 = 250;

/// The least time between a packet and its reading that is left alone, in samples.
const LEAST_MARGIN: i32 = 160;

/// Above this the delay has grown enough to be cut back.
const GREATEST_MARGIN: i32 = 2_048;

/// The loudest sample of a packet at whose start nobody hears a correction.
const QUIET: u16 = 512;

#[derive(Clone)]
pub struct Jitter {
    ring: [u8; CAPACITY],
    /// Where the next frame is read, on our own circle of samples.
    read: u32,
    /// What makes our position of a timestamp of the peer; `None` until the first packet of a stream.
    offset: Option<u32>,
    delay: u32,
    drift: Drift,
}

#[derive(Clone, Copy)]
struct Drift {
    packets: u32,
    least: i32,
    /// To be added to the offset at the next quiet packet.
    correction: i32,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    Kept,
    /// It came after its time was read, and others had overtaken it.
    Late,
}

impl Jitter {
    /// `delay` in samples, at most half the ring.
    pub fn new(delay: u32) -> Jitter {
        let delay = delay.min(CAPACITY as u32 / 2);
        Jitter { ring: [ALAW_SILENCE; CAPACITY], read: 0, offset: None, delay, drift: Drift::new() }
    }

    /// The next packet begins a new stream: its place follows from when it comes.
    pub fn restart(&mut self) {
        self.offset = None;
    }

    /// Whether a packet lies beyond the ring as it stands, so that reading on would make room for it.
    pub fn is_beyond(&self, timestamp: u32, len: usize) -> bool {
        self.offset.is_some_and(|offset| end(self.margin(timestamp, offset), len) > CAPACITY as i32)
    }

    /// Puts A-law octets in their place. `forward`: no later packet has come before this one.
    pub fn write(&mut self, timestamp: u32, octets: &[u8], forward: bool) -> Placed {
        let len = octets.len().min(CAPACITY / 2);
        let octets = &octets[..len];
        if self.drift.correction != 0 && forward && is_quiet(octets) && self.correct(len) {
            return Placed::Kept;
        }
        let offset = self.offset.unwrap_or_else(|| self.anchor(timestamp));
        self.offset = Some(offset);
        let mut margin = self.margin(timestamp, offset);
        let (over, beyond) = (end(margin, len) <= 0, end(margin, len) > CAPACITY as i32);
        if over && !forward {
            return Placed::Late;
        }
        if over || beyond {
            let offset = self.anchor(timestamp);
            self.offset = Some(offset);
            margin = self.margin(timestamp, offset);
        }
        self.drift.measure(margin, self.delay as i32);
        let missed = (-margin).max(0) as usize;
        let (to_end, from_start) = self.places(margin.max(0), len - missed);
        let (first, second) = octets[missed..].split_at(to_end.len());
        self.ring[to_end].copy_from_slice(first);
        self.ring[from_start].copy_from_slice(second);
        Placed::Kept
    }

    /// Takes out the next 20 ms.
    pub fn read(&mut self, frame: &mut [u8; FRAME]) {
        let (to_end, from_start) = self.places(0, FRAME);
        let (first, second) = frame.split_at_mut(to_end.len());
        for (part, places) in [(first, to_end), (second, from_start)] {
            part.copy_from_slice(&self.ring[places.clone()]);
            self.ring[places].fill(ALAW_SILENCE);
        }
        self.read = self.read.wrapping_add(FRAME as u32);
    }

    /// Where in the ring `len` samples lie, `ahead` of what is read next: up to its end, and on from its start.
    fn places(&self, ahead: i32, len: usize) -> (Range<usize>, Range<usize>) {
        let start = self.read.wrapping_add_signed(ahead) as usize % CAPACITY;
        let end = start + len;
        (start..end.min(CAPACITY), 0..end.saturating_sub(CAPACITY))
    }

    /// From where the next frame is read to the place of a timestamp, in samples.
    fn margin(&self, timestamp: u32, offset: u32) -> i32 {
        rtp::timestamp_distance(timestamp.wrapping_add(offset), self.read)
    }

    /// The offset that puts a packet which comes now at the full delay.
    fn anchor(&self, timestamp: u32) -> u32 {
        self.read.wrapping_add(self.delay).wrapping_sub(timestamp)
    }

    /// Moves the offset at a quiet packet of `len` samples: later at once, which leaves silence before it; earlier by
    /// leaving out quiet packets. Returns whether this packet is to be left out.
    fn correct(&mut self, len: usize) -> bool {
        let len = len as i32;
        let (step, left_out) = match self.drift.correction {
            later @ 1.. => (later, false),
            earlier if earlier <= -len => (-len, true),
            _ => (0, false),
        };
        self.drift.correction = if left_out { self.drift.correction - step } else { 0 };
        self.offset = self.offset.map(|offset| offset.wrapping_add_signed(step));
        left_out
    }
}

/// Where `len` samples at a margin end. Timestamps of the network lie as far off as half their circle.
fn end(margin: i32, len: usize) -> i32 {
    margin.saturating_add(i32::try_from(len).unwrap_or(i32::MAX))
}

fn is_quiet(octets: &[u8]) -> bool {
    octets.iter().all(|octet| codec::alaw_decode(*octet).unsigned_abs() <= QUIET)
}

impl Drift {
    const fn new() -> Drift {
        Drift { packets: 0, least: i32::MAX, correction: 0 }
    }

    fn measure(&mut self, margin: i32, delay: i32) {
        self.least = self.least.min(margin);
        self.packets += 1;
        if self.packets == WINDOW {
            let least = self.least;
            let fits = (LEAST_MARGIN..=GREATEST_MARGIN).contains(&least);
            let correction = if fits { 0 } else { delay - least };
            *self = Drift { correction, ..Drift::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DELAY: u32 = 8 * 160;

    /// A frame that is told apart by its number and is neither quiet nor silence.
    fn voice(n: u32) -> [u8; FRAME] {
        std::array::from_fn(|i| 0x80 | (n as usize + i) as u8 & 0x0F | 0x20)
    }

    fn frame(jitter: &mut Jitter) -> [u8; FRAME] {
        let mut frame = [0; FRAME];
        jitter.read(&mut frame);
        frame
    }

    #[test]
    fn what_goes_in_comes_out_a_delay_later() {
        let mut jitter = Jitter::new(DELAY);
        for n in 0..100 {
            jitter.write(n * 160, &voice(n), true);
            let expected = if n < 8 { [ALAW_SILENCE; FRAME] } else { voice(n - 8) };
            assert_eq!(frame(&mut jitter), expected, "period {n}");
        }
    }

    #[test]
    fn packets_of_ten_and_sixty_milliseconds_fill_the_same_frames() {
        for len in [80_usize, 480] {
            let sound: Vec<u8> = (0..9_600).map(|i| voice(i / 160)[i as usize % 160]).collect();
            let mut jitter = Jitter::new(DELAY);
            let mut heard = Vec::new();
            for (n, octets) in sound.chunks(len).enumerate() {
                jitter.write(7_000 + (n * len) as u32, octets, true);
                while heard.len() < (n + 1) * len / FRAME * FRAME {
                    heard.extend(frame(&mut jitter));
                }
            }
            assert_eq!(heard[DELAY as usize..], sound[..heard.len() - DELAY as usize], "{len}");
        }
    }

    #[test]
    fn an_overtaken_packet_that_is_too_late_is_dropped() {
        let mut jitter = Jitter::new(DELAY);
        for n in 0..20 {
            jitter.write(n * 160, &voice(n), true);
            frame(&mut jitter);
        }
        assert_eq!(jitter.write(160, &voice(1), false), Placed::Late);
    }

    #[test]
    fn a_sender_that_paused_without_counting_loses_nothing() {
        let mut jitter = Jitter::new(DELAY);
        jitter.write(0, &voice(0), true);
        for _ in 0..50 {
            frame(&mut jitter);
        }
        assert_eq!(jitter.write(160, &voice(1), true), Placed::Kept);
        let heard: Vec<_> = (0..9).map(|_| frame(&mut jitter)).collect();
        assert_eq!(heard[8], voice(1));
    }

    #[test]
    fn clocks_that_drift_apart_lose_nothing_in_half_an_hour() {
        for ppm in [-300_i64, 300] {
            let mut jitter = Jitter::new(DELAY);
            let (mut sent, mut heard) = (0_u32, 0);
            for period in 0..90_000_i64 {
                // Every second a pause of 100 ms, filled with silence, as somebody who speaks makes it.
                while i64::from(sent) * (1_000_000 + ppm) <= period * 1_000_000 {
                    let octets = if sent % 50 < 5 { [ALAW_SILENCE; FRAME] } else { voice(0) };
                    assert_eq!(jitter.write(sent * 160, &octets, true), Placed::Kept);
                    sent += 1;
                }
                heard += frame(&mut jitter).iter().filter(|octet| **octet != ALAW_SILENCE).count();
            }
            let spoken = (sent - sent.div_ceil(50) * 5) as usize * FRAME;
            assert!(heard.abs_diff(spoken) <= 2 * 1_280 + 160 * 8, "{ppm} ppm: {heard} of {spoken}");
        }
    }

    proptest! {
        /// Loss, silence suppression and reordering within the delay: each sample that came is heard at its own time,
        /// all else is silence.
        #[test]
        fn each_sample_has_its_own_time(
            start: u32,
            fates in prop::collection::vec(prop::option::weighted(0.6, 0_u32..7), 1..200),
        ) {
            let mut jitter = Jitter::new(DELAY);
            let mut arrivals: Vec<(u32, u32)> = fates.iter().enumerate()
                .filter_map(|(n, late)| late.map(|late| (n as u32 + late, n as u32))).collect();
            // The first packet sets the time; here it is one that was not held up.
            if let Some(first) = arrivals.first_mut() { first.0 = first.1; }
            let Some(&(base, _)) = arrivals.first() else { return Ok(()) };
            arrivals.sort();
            let mut highest = 0;
            for period in base..fates.len() as u32 + 16 {
                for (_, n) in arrivals.iter().filter(|(at, _)| *at == period) {
                    let placed = jitter.write(start.wrapping_add(n * 160), &voice(*n), *n >= highest);
                    highest = highest.max(*n);
                    prop_assert_eq!(placed, Placed::Kept);
                }
                let heard = frame(&mut jitter);
                let expected = period.checked_sub(8)
                    .filter(|n| fates.get(*n as usize).is_some_and(Option::is_some) && *n >= base)
                    .map_or([ALAW_SILENCE; FRAME], voice);
                prop_assert_eq!(heard, expected);
            }
        }

        /// Timestamps about half the circle away, where sums of a distance and a length are at their greatest.
        #[test]
        fn the_farthest_timestamps_are_taken(
            start: u32,
            packets in prop::collection::vec((-2_000_i32..=2_000, any::<bool>(), 0_usize..2_000, any::<bool>()), 1..50),
        ) {
            let mut jitter = Jitter::new(DELAY);
            let mut timestamp = start;
            jitter.write(timestamp, &voice(0), true);
            for (near, half, len, forward) in packets {
                let step = if half { i32::MAX.wrapping_add(near) } else { near };
                timestamp = timestamp.wrapping_add_signed(step);
                let lies_ahead = jitter.offset.is_some_and(|offset| jitter.margin(timestamp, offset) > CAPACITY as i32);
                prop_assert!(!lies_ahead || jitter.is_beyond(timestamp, len));
                jitter.write(timestamp, &vec![0x11; len], forward);
                frame(&mut jitter);
            }
        }

        #[test]
        fn any_timestamps_are_taken(packets in prop::collection::vec((any::<u32>(), 0_usize..2_000, any::<bool>()), 0..50)) {
            let mut jitter = Jitter::new(DELAY);
            for (timestamp, len, forward) in packets {
                jitter.write(timestamp, &vec![0x11; len], forward);
                frame(&mut jitter);
            }
        }
    }
}
