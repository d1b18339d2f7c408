//! telephone-event packets of the peer (RFC 4733): one key per event, told apart by its RTP timestamp alone.
//!
//! The marker and the end bit may be lost, packets may come twice or overtake each other; any one packet of an event
//! is enough, and the first that comes reports the key. A sender that plays a capture (SIPp) says the same timestamp
//! each time: once a key has ended and no packet of it came for a while, it is pressed again.

use std::time::Duration;

use crate::clock::Mono;
use crate::digit::Digit;
use crate::media::rtp;

/// Events that are remembered, so that a packet which was overtaken does not report its key again.
const REMEMBERED: usize = 8;

/// A longer event goes on under a new timestamp, this many samples later (RFC 4733 §2.5.1.3).
const SEGMENT: i32 = 0xFFFF;

/// A packet of an ended event that is no end itself and comes so long after the one before begins a press. Shorter, and
/// a packet that was overtaken, or waited in a socket for a late visit, would press the key a second time.
const AGAIN: Duration = Duration::from_secs(2);

/// The events of one stream.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    events: [Option<Event>; REMEMBERED],
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    ssrc: u32,
    timestamp: u32,
    code: u8,
    ended: bool,
    /// When its latest packet came.
    seen: Mono,
}

/// What a packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A key goes down.
    Pressed(Digit),
    /// The latest key is still down, or was just released.
    Held,
    /// Nothing new.
    Nothing,
}

impl Receiver {
    /// Takes the payload of a telephone-event packet; `None` if it is malformed or no key.
    pub fn receive(&mut self, now: Mono, ssrc: u32, timestamp: u32, payload: &[u8]) -> Option<Told> {
        let [code, flags, ..] = *payload.get(..4)? else { return None };
        let digit = Digit::from_event(code)?;
        let ended = flags & 0x80 != 0;
        let newest = self.newest(ssrc);
        if let Some(event) = self.find(ssrc, timestamp) {
            let before = std::mem::replace(&mut event.seen, now);
            if event.ended && !ended && now.since(before) >= AGAIN {
                event.ended = false;
                return Some(Told::Pressed(digit));
            }
            event.ended |= ended;
            let is_newest = newest.is_some_and(|newest| newest.timestamp == timestamp);
            return Some(if is_newest { Told::Held } else { Told::Nothing });
        }
        let distance = newest.map(|newest| rtp::timestamp_distance(timestamp, newest.timestamp));
        self.remember(Event { ssrc, timestamp, code, ended, seen: now });
        let goes_on = distance == Some(SEGMENT) && newest.is_some_and(|newest| newest.code == code && !newest.ended);
        Some(if goes_on { Told::Held } else { Told::Pressed(digit) })
    }

    fn find(&mut self, ssrc: u32, timestamp: u32) -> Option<&mut Event> {
        self.events.iter_mut().flatten().find(|event| event.ssrc == ssrc && event.timestamp == timestamp)
    }

    fn newest(&self, ssrc: u32) -> Option<Event> {
        let of_stream = self.events.iter().flatten().filter(|event| event.ssrc == ssrc);
        of_stream.copied().reduce(|newest, event| {
            if rtp::timestamp_distance(event.timestamp, newest.timestamp) > 0 { event } else { newest }
        })
    }

    fn remember(&mut self, event: Event) {
        self.events[self.next] = Some(event);
        self.next = (self.next + 1) % REMEMBERED;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payload(code: u8, end: bool, duration: u16) -> [u8; 4] {
        let [high, low] = duration.to_be_bytes();
        [code, u8::from(end) << 7 | 10, high, low]
    }

    /// The packets of one press, as (timestamp, payload).
    fn press(code: u8, timestamp: u32, updates: u16) -> Vec<(u32, [u8; 4])> {
        let mut train: Vec<_> = (1..=updates).map(|n| (timestamp, payload(code, false, n * 160))).collect();
        train.extend([(timestamp, payload(code, true, (updates + 1).saturating_mul(160))); 3]);
        train
    }

    fn keys(packets: impl IntoIterator<Item = (u32, [u8; 4])>) -> String {
        let mut receiver = Receiver::default();
        let told = packets
            .into_iter()
            .filter_map(|(timestamp, payload)| receiver.receive(Mono::default(), 1, timestamp, &payload));
        told.filter_map(|told| if let Told::Pressed(digit) = told { Some(digit.as_char()) } else { None }).collect()
    }

    #[test]
    fn a_long_press_is_one_key() {
        assert_eq!(keys(press(7, 1_000, 400)), "7");
    }

    #[test]
    fn an_event_of_twenty_seconds_in_three_segments_is_one_key() {
        let mut train = press(7, 0_u32.wrapping_sub(40_000), 409);
        train.truncate(409); // the end belongs to the last segment
        train.extend(press(7, 25_535, 409).into_iter().take(409));
        train.extend(press(7, 91_070, 100));
        assert_eq!(keys(train), "7");
    }

    #[test]
    fn the_same_key_again_after_lost_ends_is_a_second_key() {
        let first = press(3, 1_000, 5).into_iter().take(4);
        assert_eq!(keys(first.chain(press(3, 3_000, 5))), "33");
    }

    #[test]
    fn a_capture_played_again_is_a_second_key() {
        let mut receiver = Receiver::default();
        let mut presses = |at: Mono| {
            let train = press(1, 13_280, 5).into_iter();
            let told = train.filter_map(|(timestamp, payload)| receiver.receive(at, 1, timestamp, &payload));
            told.filter(|told| matches!(told, Told::Pressed(_))).count()
        };
        let start = Mono::default();
        assert_eq!(presses(start), 1);
        assert_eq!(presses(start + Duration::from_millis(1_900)), 0, "repeated by the network");
        assert_eq!(presses(start + Duration::from_millis(3_900)), 1);
        let late_end = receiver.receive(start + Duration::from_secs(9), 1, 13_280, &payload(1, true, 960));
        assert_eq!(late_end, Some(Told::Held));
    }

    #[test]
    fn a_hook_flash_and_a_short_payload_are_no_key() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.receive(Mono::default(), 1, 0, &payload(16, false, 160)), None);
        assert_eq!(receiver.receive(Mono::default(), 1, 0, &[5, 10, 0]), None);
    }

    #[test]
    fn a_sender_whose_timestamps_fall_back_is_still_heard() {
        assert_eq!(keys(press(1, 900_000, 3).into_iter().chain(press(2, 1_000, 3)).chain(press(3, 5_000, 3))), "123");
    }

    #[test]
    fn a_new_stream_may_use_the_timestamp_again() {
        let mut receiver = Receiver::default();
        let five = Digit::from_event(5).expect("a key");
        assert_eq!(receiver.receive(Mono::default(), 1, 9, &payload(5, false, 160)), Some(Told::Pressed(five)));
        assert_eq!(receiver.receive(Mono::default(), 2, 9, &payload(5, false, 160)), Some(Told::Pressed(five)));
    }

    proptest! {
        /// However its packets are lost, doubled and shuffled, a press of which one packet comes is one key.
        #[test]
        fn a_press_is_one_key_or_was_lost_whole(
            base: u32,
            presses in prop::collection::vec((0_u8..16, 1_u16..40), 1..6),
            fates in prop::collection::vec((0_usize..3, 0_usize..6), 300),
        ) {
            let mut timestamp = base;
            let mut arrivals = Vec::new();
            let mut sent = 0;
            for (number, (code, updates)) in presses.iter().enumerate() {
                for packet in press(*code, timestamp, *updates) {
                    let (copies, late) = fates[sent % fates.len()];
                    arrivals.extend((0..copies).map(|copy| (sent + late * (copy + 1), number, packet)));
                    sent += 1;
                }
                timestamp = timestamp.wrapping_add(u32::from(*updates + 4) * 160 + 800);
                sent += 5;
            }
            arrivals.sort_by_key(|(at, ..)| *at);
            let mut came: Vec<usize> = arrivals.iter().map(|(_, number, _)| *number).collect();
            came.sort_unstable();
            came.dedup();
            let mut expected: Vec<char> =
                came.iter().filter_map(|number| Digit::from_event(presses[*number].0)).map(Digit::as_char).collect();
            let mut heard: Vec<char> = keys(arrivals.into_iter().map(|(.., packet)| packet)).chars().collect();
            expected.sort_unstable();
            heard.sort_unstable();
            prop_assert_eq!(heard, expected);
        }
    }
}
