//! Symmetric RTP: whose packets are the peer's, and where ours go.
//!
//! Until the peer's first packet ours go where its description says. The first speech or key packet from exactly the
//! offered address settles both directions for good. Another port of the offered host (a NAT that rewrites ports) and,
//! if so configured, the host that the signalling came from settle them only by several packets in sequence, since a
//! trunk that missed the end of an earlier call goes on sending it to a port that is now this call's; and the offered
//! address, once heard, still takes the call back from there. Only a new description opens the question again.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

/// Packets in sequence of one SSRC by which a source other than the offered address proves itself.
const PROBATION: u8 = 5;

/// Which hosts may prove themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The offered host.
    #[default]
    Offered,
    /// And the one that the signalling came from: for callers behind NAT that offer an address of their own network.
    Network,
}

#[derive(Clone, Debug)]
pub struct Latch {
    offered: SocketAddr,
    offered_rtcp: SocketAddr,
    signalling: Option<IpAddr>,
    settled: Option<SocketAddr>,
    settled_rtcp: Option<SocketAddr>,
    candidate: Option<Candidate>,
}

/// A source under probation. There is one at a time: of two that send at once nobody can say which is the peer, so
/// neither is taken.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
    packets: u8,
}

impl Latch {
    /// `signalling` is the host that SIP came from, if it is to be trusted.
    pub fn new(offered: SocketAddr, offered_rtcp: SocketAddr, signalling: Option<IpAddr>) -> Latch {
        Latch { offered, offered_rtcp, signalling, settled: None, settled_rtcp: None, candidate: None }
    }

    /// Where RTP goes, if anywhere.
    pub fn rtp(&self) -> Option<SocketAddr> {
        self.settled.or_else(|| is_reachable(self.offered).then_some(self.offered))
    }

    /// Where RTCP goes, if anywhere.
    pub fn rtcp(&self) -> Option<SocketAddr> {
        let beside = |rtp: SocketAddr| Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?));
        let moved = self.settled.filter(|settled| !same(*settled, self.offered));
        self.settled_rtcp
            .or_else(|| moved.and_then(beside))
            .or_else(|| is_reachable(self.offered_rtcp).then_some(self.offered_rtcp))
    }

    /// Whether a packet from there may be the peer's; [`Latch::admit`] decides.
    pub fn may_be(&self, from: SocketAddr) -> bool {
        same(from, self.offered)
            || self.settled.map_or_else(|| self.may_prove(from.ip()), |settled| same(settled, from))
    }

    /// Whether RTCP from there may be the peer's.
    pub fn may_be_rtcp(&self, from: SocketAddr) -> bool {
        let elsewhere = match (self.settled_rtcp, self.settled) {
            (Some(settled), _) => same(settled, from),
            (None, Some(rtp)) => rtp.ip().to_canonical() == from.ip().to_canonical(),
            (None, None) => false,
        };
        same(from, self.offered_rtcp) || elsewhere
    }

    /// Takes a valid packet: whether it is the peer's.
    pub fn admit(&mut self, from: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        if let Some(settled) = self.settled
            && same(settled, from)
        {
            return true;
        }
        let offered = same(from, self.offered);
        let proven = self.settled.is_none() && self.may_prove(from.ip()) && self.passes(from, ssrc, sequence);
        if offered || proven {
            (self.settled, self.settled_rtcp) = (Some(from), None);
        }
        offered || proven
    }

    /// A valid report came from there.
    pub fn settle_rtcp(&mut self, from: SocketAddr) {
        if same(from, self.offered_rtcp) {
            self.settled_rtcp = Some(from);
        }
        self.settled_rtcp.get_or_insert(from);
    }

    /// A new description: if it names another address, the next packet settles anew.
    pub fn renegotiate(&mut self, offered: SocketAddr, offered_rtcp: SocketAddr) {
        if offered != self.offered || offered_rtcp != self.offered_rtcp {
            *self = Latch::new(offered, offered_rtcp, self.signalling);
        }
    }

    /// Whether packets of that host can prove it to be the peer; with nowhere offered nobody can.
    fn may_prove(&self, ip: IpAddr) -> bool {
        let (ip, offered) = (ip.to_canonical(), self.offered.ip().to_canonical());
        !offered.is_unspecified() && (ip == offered || self.signalling.is_some_and(|host| host.to_canonical() == ip))
    }

    /// Counts a packet of a candidate; true when it is the last that was needed.
    fn passes(&mut self, from: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        let goes_on =
            |known: &Candidate| same(known.from, from) && (known.ssrc, known.next_sequence) == (ssrc, sequence);
        let before = self.candidate.filter(goes_on).map_or(0, |known| known.packets);
        let packets = before + 1;
        self.candidate = Some(Candidate { from, ssrc, next_sequence: sequence.wrapping_add(1), packets });
        packets >= PROBATION
    }
}

fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}

fn is_reachable(address: SocketAddr) -> bool {
    address.port() != 0 && !address.ip().is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn latch(signalling: Option<&str>) -> Latch {
        let signalling = signalling.map(|ip| ip.parse().expect("an address"));
        Latch::new(address("10.0.0.1:4000"), address("10.0.0.1:4001"), signalling)
    }

    /// The verdicts on so many packets in sequence.
    fn stream(latch: &mut Latch, from: &str, ssrc: u32, sequences: std::ops::Range<u16>) -> Vec<bool> {
        sequences.map(|sequence| latch.admit(address(from), ssrc, sequence)).collect()
    }

    #[test]
    fn another_port_of_the_offered_host_is_taken_after_five_packets_and_then_no_third_one() {
        let mut latch = latch(None);
        assert_eq!(latch.rtp(), Some(address("10.0.0.1:4000")));
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 10..16), [false, false, false, false, true, true]);
        assert_eq!(latch.rtp(), Some(address("10.0.0.1:61000")));
        assert_eq!(latch.rtcp(), Some(address("10.0.0.1:61001")));
        assert!(!latch.may_be(address("10.0.0.1:62000")));
        assert_eq!(stream(&mut latch, "10.0.0.1:62000", 2, 0..9), [false; 9]);
    }

    #[test]
    fn the_offered_address_is_taken_at_once_and_for_good() {
        let mut latch = latch(None);
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 10..14), [false; 4]);
        assert_eq!(stream(&mut latch, "10.0.0.1:4000", 2, 0..1), [true]);
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 14..30), [false; 16]);
        assert!(!latch.may_be(address("10.0.0.1:61000")));
    }

    #[test]
    fn the_offered_address_takes_the_call_back_from_another_port() {
        let mut latch = latch(None);
        stream(&mut latch, "10.0.0.1:61000", 1, 10..20);
        latch.settle_rtcp(address("10.0.0.1:61001"));
        assert!(latch.may_be(address("10.0.0.1:4000")));
        assert_eq!(stream(&mut latch, "10.0.0.1:4000", 2, 0..1), [true]);
        assert_eq!((latch.rtp(), latch.rtcp()), (Some(address("10.0.0.1:4000")), Some(address("10.0.0.1:4001"))));
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 20..40), [false; 20]);
    }

    #[test]
    fn a_probation_starts_over_with_a_gap_another_ssrc_or_another_source() {
        let mut latch = latch(None);
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 65_532..65_535), [false; 3]);
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 1, 1..5), [false; 4]);
        assert_eq!(stream(&mut latch, "10.0.0.1:61000", 2, 5..9), [false; 4]);
        for sequence in 0..50 {
            assert!(!latch.admit(address("10.0.0.1:61000"), 2, 20 + sequence));
            assert!(!latch.admit(address("10.0.0.1:62000"), 3, sequence));
        }
        assert_eq!(latch.rtp(), Some(address("10.0.0.1:4000")));
    }

    #[test]
    fn a_report_from_the_offered_address_wins_too() {
        let mut latch = latch(None);
        assert!(!latch.may_be_rtcp(address("10.0.0.1:7001")), "nothing is settled yet");
        latch.admit(address("10.0.0.1:4000"), 1, 1);
        assert!(latch.may_be_rtcp(address("10.0.0.1:7001")));
        latch.settle_rtcp(address("10.0.0.1:7001"));
        assert!(latch.may_be_rtcp(address("10.0.0.1:4001")));
        latch.settle_rtcp(address("10.0.0.1:4001"));
        assert!(!latch.may_be_rtcp(address("10.0.0.1:7001")));
        assert_eq!(latch.rtcp(), Some(address("10.0.0.1:4001")));
    }

    #[test]
    fn a_stranger_is_not_taken_and_the_signalling_host_only_if_trusted() {
        let caller = address("192.0.2.9:5000");
        assert!(!latch(None).may_be(caller));
        assert!(latch(Some("192.0.2.9")).may_be(caller));
        assert!(!latch(Some("192.0.2.9")).may_be(address("192.0.2.10:5000")));
    }

    #[test]
    fn only_a_new_address_in_a_description_opens_the_question() {
        let mut latch = latch(None);
        stream(&mut latch, "10.0.0.1:4002", 1, 0..5);
        latch.renegotiate(address("10.0.0.1:4000"), address("10.0.0.1:4001"));
        assert_eq!(latch.rtp(), Some(address("10.0.0.1:4002")));
        latch.renegotiate(address("10.0.0.2:4000"), address("10.0.0.2:4001"));
        assert_eq!(latch.rtp(), Some(address("10.0.0.2:4000")));
        assert!(latch.may_be(address("10.0.0.2:1")));
        assert!(!latch.may_be(address("10.0.0.1:4002")));
    }

    #[test]
    fn nothing_is_sent_to_nowhere() {
        let latch = Latch::new(address("0.0.0.0:4000"), address("0.0.0.0:4001"), None);
        assert_eq!((latch.rtp(), latch.rtcp()), (None, None));
    }

    #[test]
    fn nobody_proves_himself_where_nowhere_is_offered() {
        let caller = address("192.0.2.9:5000");
        for nowhere in ["0.0.0.0:4000", "[::]:4000"] {
            let mut latch = Latch::new(address(nowhere), address(nowhere), Some(caller.ip()));
            assert!(!latch.may_be(caller));
            assert_eq!(stream(&mut latch, "192.0.2.9:5000", 1, 0..9), [false; 9]);
            assert_eq!(latch.rtp(), None);
        }
    }

    #[test]
    fn a_mapped_address_is_the_same_host() {
        assert!(latch(None).may_be(address("[::ffff:10.0.0.1]:4000")));
    }
}
