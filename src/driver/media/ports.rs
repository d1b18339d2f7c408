//! Pairs of ports for RTP and RTCP (RFC 3550 §11): even and next odd, none twice, none soon after its call. The search
//! begins elsewhere with each start, since after a crash the peers of the calls before still send to their ports.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, UdpSocket};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;

use super::locked;
use crate::clock::{Clock, Mono};

/// Ports from which pairs are taken, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PortRange {
    low: u16,
    high: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range of ports such as 20000-29999 with room for an even port and the next")]
pub struct BadRange;

/// No pair is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no pair of RTP ports is free")]
pub struct Exhausted;

/// Hands out bound pairs.
#[derive(Clone)]
pub struct Ports {
    address: IpAddr,
    quarantine: Duration,
    clock: Clock,
    pairs: Arc<Mutex<Pairs>>,
}

struct Pairs {
    range: PortRange,
    used: Vec<bool>,
    /// Where the search goes on, so that a pair rests as long as it can.
    next: usize,
    resting: VecDeque<(Mono, usize)>,
}

/// A bound pair, non-blocking. Dropped, it is closed and its ports rest.
pub struct Sockets {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    lease: Lease,
}

struct Lease {
    port: u16,
    index: usize,
    ports: Ports,
}

impl PortRange {
    pub fn new(low: u16, high: u16) -> Result<PortRange, BadRange> {
        let range = PortRange { low, high };
        if low == 0 || range.pairs() == 0 { Err(BadRange) } else { Ok(range) }
    }

    pub fn contains(&self, port: u16) -> bool {
        (self.low..=self.high).contains(&port)
    }

    pub fn bounds(&self) -> (u16, u16) {
        (self.low, self.high)
    }

    /// Pairs in the range.
    pub fn pairs(&self) -> usize {
        (usize::from(self.high) + 1).saturating_sub(self.first()) / 2
    }

    fn first(&self) -> usize {
        usize::from(self.low).next_multiple_of(2)
    }

    fn port(&self, index: usize) -> u16 {
        (self.first() + 2 * index) as u16
    }
}

impl Ports {
    /// `start` says which pair is the first to be tried, counted on past the end of the range.
    pub fn new(address: IpAddr, range: PortRange, quarantine_ms: u32, start: u64, clock: Clock) -> Ports {
        let next = (start % range.pairs() as u64) as usize;
        let pairs = Pairs { range, used: vec![false; range.pairs()], next, resting: VecDeque::new() };
        let quarantine = Duration::from_millis(u64::from(quarantine_ms));
        Ports { address, quarantine, clock, pairs: Arc::new(Mutex::new(pairs)) }
    }

    /// Binds a free pair; pairs of which another program has a port are passed over.
    pub fn allocate(&self) -> Result<Sockets, Exhausted> {
        let tries = locked(&self.pairs).used.len();
        for _ in 0..tries {
            let (index, port) = locked(&self.pairs).take(self.clock.mono()).ok_or(Exhausted)?;
            if let Ok((rtp, rtcp)) = bind(self.address, port) {
                let lease = Lease { port, index, ports: self.clone() };
                return Ok(Sockets { rtp, rtcp, lease });
            }
            locked(&self.pairs).used[index] = false;
        }
        Err(Exhausted)
    }

    /// Pairs that can be had now, as far as we know.
    pub fn free(&self) -> usize {
        let mut pairs = locked(&self.pairs);
        pairs.wake(self.clock.mono());
        pairs.used.iter().filter(|used| !**used).count()
    }
}

impl Pairs {
    fn take(&mut self, now: Mono) -> Option<(usize, u16)> {
        self.wake(now);
        let count = self.used.len();
        let index = (0..count).map(|n| (self.next + n) % count).find(|index| !self.used[*index])?;
        self.used[index] = true;
        self.next = (index + 1) % count;
        Some((index, self.range.port(index)))
    }

    fn wake(&mut self, now: Mono) {
        while let Some((_, index)) = self.resting.front().copied().filter(|(until, _)| *until <= now) {
            self.used[index] = false;
            self.resting.pop_front();
        }
    }
}

impl Sockets {
    /// The RTP port; RTCP has the next.
    pub fn port(&self) -> u16 {
        self.lease.port
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let until = self.ports.clock.mono() + self.ports.quarantine;
        locked(&self.ports.pairs).resting.push_back((until, self.index));
    }
}

impl FromStr for PortRange {
    type Err = BadRange;

    fn from_str(text: &str) -> Result<PortRange, BadRange> {
        let (low, high) = text.split_once('-').ok_or(BadRange)?;
        let port = |text: &str| text.trim().parse().map_err(|_| BadRange);
        PortRange::new(port(low)?, port(high)?)
    }
}

impl TryFrom<String> for PortRange {
    type Error = BadRange;

    fn try_from(text: String) -> Result<PortRange, BadRange> {
        text.parse()
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.low, self.high)
    }
}

fn bind(address: IpAddr, port: u16) -> std::io::Result<(UdpSocket, UdpSocket)> {
    let rtp = UdpSocket::bind((address, port))?;
    let rtcp = UdpSocket::bind((address, port + 1))?;
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok((rtp, rtcp))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_range_is_read_and_a_bad_one_refused() {
        let range: PortRange = "20001-20010".parse().expect("a range");
        assert_eq!((range.pairs(), range.port(0), range.port(3)), (4, 20_002, 20_008));
        assert_eq!(range.to_string(), "20001-20010");
        for bad in ["", "5", "7-6", "0-9", "3-4", "1-70000", "a-b"] {
            assert_eq!(bad.parse::<PortRange>(), Err(BadRange), "{bad}");
        }
        assert_eq!("65534-65535".parse::<PortRange>().map(|range| range.pairs()), Ok(1));
    }

    #[test]
    fn pairs_run_out_and_rest_before_they_are_used_again() {
        let ports = Ports::new(HERE, PortRange::new(31_000, 31_005).expect("a range"), 3_600_000, 0, Clock::start());
        let held: Vec<Sockets> = std::iter::from_fn(|| ports.allocate().ok()).collect();
        assert!(!held.is_empty() && held.len() <= 3);
        assert!(held.iter().all(|sockets| sockets.port() % 2 == 0));
        assert!(matches!(ports.allocate(), Err(Exhausted)));
        drop(held);
        assert!(matches!(ports.allocate(), Err(Exhausted)), "all rest");
    }

    #[test]
    fn without_a_rest_a_pair_is_free_at_once_but_comes_last() {
        let ports = Ports::new(HERE, PortRange::new(31_010, 31_017).expect("a range"), 0, 0, Clock::start());
        let first = ports.allocate().expect("a pair").port();
        let second = ports.allocate().expect("a pair").port();
        assert_ne!(first, second);
        assert_eq!(ports.free(), 4);
    }

    #[test]
    fn the_first_pair_is_where_the_start_says_and_the_search_goes_round() {
        for start in [3, 3 + 4 * 1_000, u64::MAX] {
            let range = PortRange::new(31_030, 31_037).expect("a range");
            let ports = Ports::new(HERE, range, 0, start, Clock::start());
            let held: Vec<Sockets> = std::iter::from_fn(|| ports.allocate().ok()).collect();
            let given: Vec<u16> = held.iter().map(Sockets::port).collect();
            assert_eq!(given, [31_036, 31_030, 31_032, 31_034], "{start}");
        }
    }

    #[test]
    fn a_pair_of_which_another_program_has_a_port_is_passed_over() {
        let taken = UdpSocket::bind((HERE, 31_021)).expect("a port");
        let ports = Ports::new(HERE, PortRange::new(31_020, 31_023).expect("a range"), 0, 0, Clock::start());
        assert_eq!(ports.allocate().expect("the other pair").port(), 31_022);
        drop(taken);
    }
}
