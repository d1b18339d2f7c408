//! A dialog (RFC 3261 §12): who talks to whom, in which order, and by which way.

use std::net::SocketAddr;

use crate::sip::message::{Hop, Method, Request, Transport, Uri};
use crate::sip::wire::header;

/// What names a dialog (RFC 3261 §12): Call-ID and both tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DialogId {
    pub call_id: String,
    pub local_tag: String,
    /// Empty for a peer of RFC 2543.
    pub remote_tag: String,
}

#[derive(Clone, Debug)]
pub struct Dialog {
    pub id: DialogId,
    /// From of our requests: our address and tag as they stood in the first INVITE.
    pub local: String,
    /// To of our requests.
    pub remote: String,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
    /// The peer's Contact.
    pub target: Uri,
    /// In the order in which our requests visit them.
    pub routes: Vec<Uri>,
    /// Where the peer's first message came from or our INVITE went to.
    pub hop: Hop,
}

/// A request came out of order (RFC 3261 §12.2.2): 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

impl Dialog {
    /// Takes the CSeq number of a request from the peer; ACK and CANCEL repeat that of their INVITE and don't come here.
    ///
    /// # Errors
    /// A number that is not above the last one.
    pub fn receive(&mut self, cseq: u32) -> Result<(), OutOfOrder> {
        if self.remote_cseq.is_some_and(|last| cseq <= last) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(cseq);
        Ok(())
    }

    /// A target refresh request or its 2xx names a new Contact (RFC 3261 §12.2.1.2, §12.2.2).
    pub fn refresh_target(&mut self, contact: Option<Uri>) {
        if let Some(contact) = contact.filter(Uri::is_sip) {
            self.target = contact;
        }
    }

    /// The next request to the peer (RFC 3261 §12.2.1.1), without Via and Contact.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.request_with(method, self.local_cseq)
    }

    /// A request with a given CSeq number: the ACK to a 2xx repeats that of its INVITE (§13.2.2.4).
    pub fn request_with(&self, method: Method, cseq: u32) -> Request {
        let (uri, routes) = self.way();
        let mut headers = Vec::with_capacity(16);
        headers.extend(routes.iter().map(|route| header::make("Route", format!("<{route}>"))));
        headers.push(header::make("Max-Forwards", "70"));
        headers.push(header::make("From", self.local.clone()));
        headers.push(header::make("To", self.remote.clone()));
        headers.push(header::make("Call-ID", self.id.call_id.clone()));
        headers.push(header::make("CSeq", format!("{cseq} {method}")));
        Request { method, uri, headers: headers.into(), body: Vec::new() }
    }

    /// Where the next request goes: to the first route, else to the target. A name that would have to be looked up
    /// stands for the hop that the dialog was made over.
    pub fn next_hop(&self) -> Hop {
        let next = self.routes.first().unwrap_or(&self.target);
        let Some(ip) = next.ip() else { return self.hop };
        // a connection that is there is used again: the peer's port on it is not the one in its Contact
        if self.hop.transport.is_reliable() && ip == self.hop.peer.ip() {
            return self.hop;
        }
        let tcp = next.param("transport").is_some_and(|transport| transport.eq_ignore_ascii_case("tcp"));
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        Hop { transport, local: self.hop.local, peer: SocketAddr::new(ip, next.port().unwrap_or(5060)) }
    }

    /// Request-URI and Route values: a first route without `lr` is a strict router, which expects itself in the
    /// Request-URI and the target as the last route (§12.2.1.1).
    fn way(&self) -> (Uri, Vec<Uri>) {
        match self.routes.split_first() {
            Some((strict, rest)) if !strict.is_loose() => {
                let mut routes = rest.to_vec();
                routes.push(self.target.clone());
                (strict.clone().into_request_uri(), routes)
            }
            _ => (self.target.clone().into_request_uri(), self.routes.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::wire::emit;

    fn uri(text: &str) -> Uri {
        text.parse().expect("a URI")
    }

    fn dialog(routes: &[&str]) -> Dialog {
        Dialog {
            id: DialogId { call_id: "c".into(), local_tag: "a".into(), remote_tag: "b".into() },
            local: "<sip:hotline@192.0.2.1>;tag=a".into(),
            remote: "<sip:peer@192.0.2.9>;tag=b".into(),
            local_cseq: 1,
            remote_cseq: None,
            target: uri("sip:peer@192.0.2.9:5070"),
            routes: routes.iter().copied().map(uri).collect(),
            hop: Hop {
                transport: Transport::Udp,
                local: "192.0.2.1:5060".parse().expect("an address"),
                peer: "192.0.2.50:5060".parse().expect("an address"),
            },
        }
    }

    fn lines(request: &Request) -> Vec<String> {
        let bytes = emit::request(request);
        String::from_utf8(bytes).expect("text").lines().take(3).map(str::to_owned).collect()
    }

    #[test]
    fn without_routes_a_request_goes_to_the_contact() {
        let mut dialog = dialog(&[]);
        assert_eq!(lines(&dialog.request(Method::Bye))[0], "BYE sip:peer@192.0.2.9:5070 SIP/2.0");
        assert_eq!(dialog.next_hop().peer.to_string(), "192.0.2.9:5070");
    }

    #[test]
    fn a_loose_router_gets_the_request_and_stays_a_route() {
        let mut dialog = dialog(&["sip:192.0.2.20;lr"]);
        let lines = lines(&dialog.request(Method::Bye));
        assert_eq!(lines[..2], ["BYE sip:peer@192.0.2.9:5070 SIP/2.0", "Route: <sip:192.0.2.20;lr>"]);
        assert_eq!(dialog.next_hop().peer.to_string(), "192.0.2.20:5060");
    }

    #[test]
    fn a_strict_router_stands_in_the_request_uri() {
        let mut dialog = dialog(&["sip:192.0.2.20", "sip:192.0.2.21;lr"]);
        let lines = lines(&dialog.request(Method::Bye));
        assert_eq!(
            lines,
            ["BYE sip:192.0.2.20 SIP/2.0", "Route: <sip:192.0.2.21;lr>", "Route: <sip:peer@192.0.2.9:5070>"]
        );
    }

    #[test]
    fn requests_of_the_peer_must_come_in_order() {
        let mut dialog = dialog(&[]);
        assert_eq!([dialog.receive(7), dialog.receive(9)], [Ok(()), Ok(())]);
        assert_eq!([dialog.receive(9), dialog.receive(8)], [Err(OutOfOrder), Err(OutOfOrder)]);
    }
}
