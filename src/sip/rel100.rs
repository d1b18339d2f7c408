//! Reliable provisional responses (RFC 3262), both sides.

use std::time::Duration;

use crate::sip::message::Method;
use crate::sip::wire::value::RAck;

/// The server side: one response at a time waits for its PRACK, the next ones queue (RFC 3262 §3).
#[derive(Clone, Debug)]
pub struct Sender {
    /// CSeq number of the INVITE.
    cseq: u32,
    next: u32,
    waiting: Option<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    rseq: u32,
    repeat: Duration,
}

impl Sender {
    /// `first` is the first RSeq: random, 1 to 2^31 - 1 (RFC 3262 §3).
    pub fn new(cseq: u32, first: u32) -> Sender {
        Sender { cseq, next: first, waiting: None }
    }

    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Numbers a response that is now sent, and says when to repeat it.
    pub fn send(&mut self, t1: Duration) -> (u32, Duration) {
        let rseq = self.next;
        self.next += 1;
        self.waiting = Some(Waiting { rseq, repeat: t1 });
        (rseq, t1)
    }

    /// The response is repeated now: in how long again. It doubles without a bound (RFC 3262 §3).
    pub fn repeat(&mut self) -> Option<Duration> {
        let waiting = self.waiting.as_mut()?;
        waiting.repeat *= 2;
        Some(waiting.repeat)
    }

    /// Whether a PRACK fits what waits (RFC 3262 §3): 481 when it does not.
    pub fn acknowledge(&mut self, rack: &RAck) -> bool {
        let fits = rack.cseq.method == Method::Invite
            && rack.cseq.number == self.cseq
            && self.waiting.as_ref().is_some_and(|waiting| waiting.rseq == rack.rseq);
        if fits {
            self.waiting = None;
        }
        fits
    }
}

/// The client side, one for each early dialog (RFC 3262 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    last: Option<u32>,
}

impl Receiver {
    /// Whether a reliable response is the next one, to be acknowledged. A repeated one has been, and one out of order
    /// must not be (RFC 3262 §4).
    pub fn receive(&mut self, rseq: u32) -> bool {
        let next = self.last.is_none_or(|last| rseq == last.wrapping_add(1));
        if next {
            self.last = Some(rseq);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rack(text: &str) -> RAck {
        RAck::parse(text).expect("an RAck")
    }

    #[test]
    fn only_the_prack_that_names_the_waiting_response_fits() {
        let mut sender = Sender::new(5, 100);
        assert_eq!(sender.send(Duration::from_millis(500)).0, 100);
        for (text, fits) in [
            ("99 5 INVITE", false),
            ("100 6 INVITE", false),
            ("100 5 UPDATE", false),
            ("100 5 INVITE", true),
            ("100 5 INVITE", false),
        ] {
            assert_eq!(sender.acknowledge(&rack(text)), fits, "{text}");
        }
        assert_eq!(sender.send(Duration::from_millis(500)).0, 101);
    }

    #[test]
    fn an_unacknowledged_response_is_repeated_at_doubling_intervals() {
        let mut sender = Sender::new(5, 1);
        assert_eq!(sender.repeat(), None);
        sender.send(Duration::from_millis(500));
        let intervals: Vec<_> = (0..3).filter_map(|_| sender.repeat()).map(|interval| interval.as_millis()).collect();
        assert_eq!(intervals, [1_000, 2_000, 4_000]);
    }

    #[test]
    fn a_repeated_or_early_response_is_not_acknowledged_again() {
        let mut receiver = Receiver::default();
        let taken: Vec<_> = [7, 7, 9, 8, 9].into_iter().filter(|rseq| receiver.receive(*rseq)).collect();
        assert_eq!(taken, [7, 8, 9]);
    }
}
