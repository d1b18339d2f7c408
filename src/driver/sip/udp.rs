//! SIP over UDP: one socket, one message a datagram (RFC 3261 §18.1).

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// The largest datagram that can arrive; what is longer than the endpoint's caps is refused there.
pub const LARGEST: usize = 65_535;

#[derive(Debug)]
pub struct Udp {
    socket: UdpSocket,
    bound: SocketAddr,
}

/// What became of a datagram to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// The socket's buffer is full: like any lost datagram, the transaction repeats it.
    Dropped,
    /// No route, too large: the peer will never get it.
    Failed,
}

impl Udp {
    pub async fn bind(address: SocketAddr) -> io::Result<Udp> {
        let socket = UdpSocket::bind(address).await?;
        let bound = socket.local_addr()?;
        // until the runtime has seen that it is writable, every send would count as one to a full buffer
        socket.writable().await?;
        Ok(Udp { socket, bound })
    }

    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// The next datagram. An error of the socket is one of a datagram that went before: it is passed over.
    pub async fn receive(&self, buffer: &mut [u8]) -> (usize, SocketAddr) {
        loop {
            match self.socket.recv_from(buffer).await {
                Ok((length, from)) => return (length, canonical(from)),
                Err(error) => tracing::debug!(%error, "a datagram could not be received"),
            }
        }
    }

    /// A datagram that has arrived already, if there is one.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let (length, from) = self.socket.try_recv_from(buffer).ok()?;
        Some((length, canonical(from)))
    }

    pub fn send(&self, to: SocketAddr, bytes: &[u8]) -> Sent {
        match self.socket.try_send_to(bytes, to) {
            Ok(_) => Sent::Yes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Sent::Dropped,
            Err(_) => Sent::Failed,
        }
    }
}

/// An IPv4 peer seen through an IPv6 socket is an IPv4 peer.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
