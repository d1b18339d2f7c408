//! What an unanswered call says: SIP status, Q.850 cause and the tone that was heard (domain §4).

use crate::ticket::Outcome;

/// What the network played before an answer: the Chinese plan's 450 Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// 1 s on, 4 s off.
    RingBack,
    /// 0.35 s on, 0.35 s off.
    Busy,
    /// 0.7 s on, 0.7 s off.
    Congestion,
}

/// How a call that nobody answered ended. A cause beats a tone, and a tone beats the status: networks that play to the
/// caller end with whatever status their gateway has.
pub fn of_refusal(status: Option<u16>, q850: Option<u8>, tone: Option<Tone>) -> Outcome {
    q850.and_then(of_cause).or_else(|| tone.and_then(of_tone)).or_else(|| status.map(of_status)).unwrap_or_else(|| {
        // our own time ran out: it rang for nothing, or the far side never said a word
        if tone == Some(Tone::RingBack) { Outcome::NoAnswer } else { Outcome::LineTrouble }
    })
}

/// ITU-T Q.850 §2.2.7; `None` for a cause that says less than the status (16 normal clearing, 31 unspecified, 127).
fn of_cause(cause: u8) -> Option<Outcome> {
    match cause {
        1 | 22 | 28 => Some(Outcome::BadNumber),
        17 => Some(Outcome::Busy),
        18..=20 => Some(Outcome::NoAnswer),
        21 => Some(Outcome::Declined),
        16 | 31 | 127 => None,
        _ => Some(Outcome::LineTrouble),
    }
}

/// Ring-back says that it rang, which the status refines.
fn of_tone(tone: Tone) -> Option<Outcome> {
    match tone {
        Tone::RingBack => None,
        Tone::Busy => Some(Outcome::Busy),
        Tone::Congestion => Some(Outcome::LineTrouble),
    }
}

/// RFC 3261 §21. What no rule names is the line's trouble: nobody knows that the requester did it.
fn of_status(status: u16) -> Outcome {
    match status {
        486 | 600 => Outcome::Busy,
        // 487 answers our own CANCEL after the ringing time
        408 | 480 | 487 => Outcome::NoAnswer,
        603 | 606 => Outcome::Declined,
        404 | 410 | 484 | 604 => Outcome::BadNumber,
        _ => Outcome::LineTrouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_statuses() {
        for (statuses, outcome) in [
            (&[486, 600][..], Outcome::Busy),
            (&[408, 480, 487], Outcome::NoAnswer),
            (&[603, 606], Outcome::Declined),
            (&[404, 410, 484, 604], Outcome::BadNumber),
            (&[300, 302, 401, 403, 407, 415, 488, 500, 502, 503, 504, 580], Outcome::LineTrouble),
        ] {
            for status in statuses {
                assert_eq!(of_refusal(Some(*status), None, None), outcome, "{status}");
            }
        }
    }

    #[test]
    fn a_cause_beats_the_status_and_the_tone() {
        for (cause, outcome) in [
            (1, Outcome::BadNumber),
            (17, Outcome::Busy),
            (18, Outcome::NoAnswer),
            (19, Outcome::NoAnswer),
            (20, Outcome::NoAnswer),
            (21, Outcome::Declined),
            (22, Outcome::BadNumber),
            (28, Outcome::BadNumber),
            (34, Outcome::LineTrouble),
            (38, Outcome::LineTrouble),
        ] {
            assert_eq!(of_refusal(Some(480), Some(cause), Some(Tone::Busy)), outcome, "{cause}");
            assert_eq!(of_refusal(Some(503), Some(cause), None), outcome, "{cause}");
        }
    }

    #[test]
    fn a_cause_that_says_nothing_leaves_it_to_tone_and_status() {
        assert_eq!(of_refusal(Some(486), Some(16), None), Outcome::Busy);
        assert_eq!(of_refusal(Some(480), Some(31), Some(Tone::Busy)), Outcome::Busy);
        assert_eq!(of_refusal(Some(480), None, Some(Tone::Congestion)), Outcome::LineTrouble);
        assert_eq!(of_refusal(Some(603), None, Some(Tone::RingBack)), Outcome::Declined);
        assert_eq!(of_refusal(None, None, Some(Tone::RingBack)), Outcome::NoAnswer);
        assert_eq!(of_refusal(None, None, None), Outcome::LineTrouble);
    }
}
