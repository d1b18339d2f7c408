//! Keys: RFC 4733 both ways, tones (ITU-T Q.23, Q.24) both ways, and one report per press.

use std::time::Duration;

use crate::clock::Mono;
use crate::digit::Digit;
use crate::media::event::Path;

pub mod inband;
pub mod receive;
pub mod send;

/// The same key by a second way within this is the same press.
const SAME_PRESS: Duration = Duration::from_millis(200);

/// Lets each press through once, whatever ways it comes.
#[derive(Clone, Debug, Default)]
pub struct Presses {
    latest: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    digit: Digit,
    path: Path,
    /// When the key was last known to be down.
    at: Mono,
}

impl Presses {
    /// Whether a key that begins now is a press not yet reported.
    pub fn admit(&mut self, digit: Digit, path: Path, now: Mono) -> bool {
        let known = self
            .latest
            .is_some_and(|press| press.digit == digit && press.path != path && now.since(press.at) <= SAME_PRESS);
        if !known {
            self.latest = Some(Press { digit, path, at: now });
        }
        !known
    }

    /// The key is still down, as its own way tells: another way may report it only when it is released (as INFO does).
    pub fn hold(&mut self, path: Path, now: Mono) {
        if let Some(press) = self.latest.as_mut().filter(|press| press.path == path) {
            press.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_micros(ms * 1_000)
    }

    #[test]
    fn the_same_key_by_a_second_way_counts_once() {
        let five = Digit::from_event(5).expect("a key");
        let mut presses = Presses::default();
        assert!(presses.admit(five, Path::Rfc4733, at(0)));
        assert!(!presses.admit(five, Path::Info, at(200)));
        assert!(presses.admit(five, Path::Rfc4733, at(210)), "a second press by the first way");
        assert!(presses.admit(five, Path::Info, at(411)), "too late for the same press");
    }

    #[test]
    fn another_key_is_another_press() {
        let mut presses = Presses::default();
        assert!(presses.admit(Digit::STAR, Path::Rfc4733, at(0)));
        assert!(presses.admit(Digit::POUND, Path::Info, at(10)));
    }

    #[test]
    fn info_at_the_release_of_a_long_press_is_the_same_press() {
        let mut presses = Presses::default();
        assert!(presses.admit(Digit::STAR, Path::Rfc4733, at(0)));
        for ms in (20..3_000).step_by(20) {
            presses.hold(Path::Rfc4733, at(ms));
        }
        assert!(!presses.admit(Digit::STAR, Path::Info, at(3_050)));
    }
}
