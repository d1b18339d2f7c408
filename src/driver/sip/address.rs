//! Which of our addresses a peer sees, when we listen on all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Peers remembered; above it the table is emptied, which costs one system call a peer.
const REMEMBERED: usize = 4_096;

/// The address that our datagrams to a peer carry, asked of the routing table and remembered.
#[derive(Debug, Default)]
pub struct LocalAddresses {
    known: HashMap<IpAddr, IpAddr>,
}

impl LocalAddresses {
    /// `bound` itself unless it is unspecified; else its port at the address that the route to `peer` starts from.
    pub fn towards(&mut self, bound: SocketAddr, peer: IpAddr) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        if let Some(known) = self.known.get(&peer) {
            return SocketAddr::new(*known, bound.port());
        }
        let Some(local) = route_start(peer) else { return bound };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(peer, local);
        SocketAddr::new(local, bound.port())
    }
}

/// Connecting a datagram socket sends nothing: it only picks the route.
fn route_start(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, 9)).ok()?;
    socket.local_addr().ok().map(|a| a.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_address_is_kept_and_an_open_one_is_looked_up() {
        let mut addresses = LocalAddresses::default();
        let peer: IpAddr = Ipv4Addr::LOCALHOST.into();
        let bound: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
        assert_eq!(addresses.towards(bound, peer), bound);
        let open: SocketAddr = "0.0.0.0:5060".parse().expect("an address");
        assert_eq!(addresses.towards(open, peer).to_string(), "127.0.0.1:5060");
    }
}
