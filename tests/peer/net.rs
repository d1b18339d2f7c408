//! Ports nobody else uses: every binding of the tests comes from here, so two tests never get the same, in one
//! process or in two.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Below the ephemeral ports of Linux (32768 and up), so that port 0 of somebody else can't land in a range of ours.
const FIRST: u16 = 12_000;
const BLOCKS: u16 = 312;
/// Ports of a block, of which the last one is its guard: while a process listens there, the block is its own. A range
/// that was given stays with its owner until the process ends, even while nothing is bound in it.
const BLOCK: u16 = 64;
const GIVEN: u16 = BLOCK - 2;

static PORTS: Mutex<Ports> = Mutex::new(Ports { guards: Vec::new(), next: 0, end: 0 });

struct Ports {
    guards: Vec<TcpListener>,
    /// What is left of the block that small requests share.
    next: u16,
    end: u16,
}

/// The first port of `count` free ones in a row, for UDP and TCP on 127.0.0.1; even.
pub fn free_ports(count: u16) -> u16 {
    let count = count + count % 2;
    assert!(count <= GIVEN, "at most {GIVEN} ports in a row");
    let mut ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let start = ports.take(count);
        if (start..start + count).all(free) {
            return start;
        }
    }
}

/// An even RTP port and the odd one above it.
pub fn rtp_pair(address: IpAddr) -> (UdpSocket, UdpSocket) {
    for _ in 0..50 {
        let port = free_ports(2);
        if let (Ok(rtp), Ok(rtcp)) = (UdpSocket::bind((address, port)), UdpSocket::bind((address, port + 1))) {
            return (rtp, rtcp);
        }
    }
    panic!("no pair of RTP ports on {address}");
}

impl Ports {
    fn take(&mut self, count: u16) -> u16 {
        if count > GIVEN / 4 {
            return self.claim();
        }
        if self.next + count > self.end {
            self.next = self.claim();
            self.end = self.next + GIVEN;
        }
        self.next += count;
        self.next - count
    }

    /// A block of our own. Processes that run side by side begin far from one another.
    fn claim(&mut self) -> u16 {
        let offset = std::process::id().wrapping_mul(2_654_435_761) >> 16;
        let offset = u16::try_from(offset).expect("16 bits fit") % BLOCKS;
        for block in 0..BLOCKS {
            let first = FIRST + (offset + block) % BLOCKS * BLOCK;
            if let Ok(guard) = TcpListener::bind((LOOPBACK, first + BLOCK - 1)) {
                self.guards.push(guard);
                return first;
            }
        }
        panic!("no block of {BLOCK} free ports from {FIRST} on");
    }
}

fn free(port: u16) -> bool {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok()
}
