//! Who asks, and from where: what the guard found out before the handler runs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::serve::IncomingStream;
use ipnet::IpNet;

use super::guard::forbidden;
use super::listener::Bounded;
use super::problem::{Kind, Problem};
use crate::access::{Caller, Denied};
use crate::store::By;
use crate::ticket::Ticket;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl Address {
    /// The other end of the connection; where that is a proxy, whom it names.
    pub fn of(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpNet]) -> Option<Address> {
        let ConnectInfo(Peer(peer)) = extensions.get::<ConnectInfo<Peer>>()?;
        Some(Address(behind(peer.ip().to_canonical(), headers, proxies)))
    }
}

/// The last address of `X-Forwarded-For` that is none of the proxies': what stands before it anybody could have written.
fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
    let mut address = peer;
    for text in named.into_iter().rev() {
        if !proxies.iter().any(|network| network.contains(&address)) {
            break;
        }
        let Ok(before) = text.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

/// A caller whose token the guard has accepted.
#[derive(Clone)]
pub struct Asking {
    pub caller: Arc<Caller>,
    /// The IP address, as the audit keeps it.
    pub address: Option<String>,
}

impl Asking {
    /// A ticket that this caller does not see is not there.
    pub fn seen(&self, ticket: Option<Ticket>) -> Result<Ticket, Problem> {
        ticket.filter(|ticket| self.caller.sees(ticket)).ok_or_else(no_ticket)
    }

    /// For what the store writes down.
    pub fn by(&self) -> By {
        By { actor: self.caller.actor, address: self.address.clone() }
    }

    /// # Errors
    /// 403, for a requester whom only named people see.
    pub fn sees_requester(&self, ticket: &Ticket) -> Result<(), Problem> {
        self.caller.sees_requester(ticket).map_err(|denied: Denied| forbidden(&denied))
    }
}

pub fn no_ticket() -> Problem {
    Problem::new(Kind::NotFound, "No ticket has this number.")
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asking, Problem> {
        let caller = parts.extensions.get::<Arc<Caller>>().map(Arc::clone);
        let address = parts.extensions.get::<Address>().map(|Address(address)| address.to_string());
        caller
            .map(|caller| Asking { caller, address })
            .ok_or_else(|| Problem::new(Kind::Unauthorized, "This path is for those who have a token."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_is_believed() {
        let proxies = ["10.0.0.0/8", "127.0.0.1/32"].map(|network| network.parse().expect("a network"));
        let seen = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().expect("a value"));
            }
            behind(peer.parse().expect("an address"), &headers, &proxies).to_string()
        };
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6, 198.51.100.7, 10.1.2.3"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["198.51.100.7, unknown"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
    }
}
