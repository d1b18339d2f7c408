//! What we ask of trunks outside calls: registrations and OPTIONS.

use rand::RngExt;

use super::clients::{Outbound, Outcome, User};
use super::command::{Options, Registration};
use super::event::Event;
use super::identity::ACCEPT;
use super::outgoing::party;
use super::{Endpoint, Wake};
use crate::sip::message::{Headers, Hop, Method, Request};
use crate::sip::registration;
use crate::sip::wire::fields::Fields;

/// A trunk that we register with.
#[derive(Debug)]
pub(super) struct Trunk {
    binding: registration::Registration,
    hops: Vec<Hop>,
    /// Which of the hops is used.
    hop: usize,
}

impl Endpoint {
    /// `Command::Register`. Takes the place of an earlier registration of the same trunk.
    pub(super) fn register(&mut self, registration: Registration) -> Option<()> {
        let hop = *registration.hops.first()?;
        let contact = self.contact(hop, Some(&registration.contact_user));
        let config = registration::Config {
            registrar: registration.registrar,
            address_of_record: registration.address_of_record,
            contact: contact.trim_matches(['<', '>']).parse().ok()?,
            expires_s: registration.expires_s,
            accounts: registration.credentials.into_iter().collect(),
        };
        let binding = registration::Registration::new(config, self.rng.random());
        self.trunks.insert(registration.trunk, Trunk { binding, hops: registration.hops, hop: 0 });
        self.trunk_timer(registration.trunk);
        Some(())
    }

    /// `Command::Unregister`
    pub(super) fn unregister(&mut self, trunk: u32) -> Option<()> {
        let event = self.trunks.get_mut(&trunk)?.binding.unregister(self.now);
        self.trunk_event(trunk, event);
        Some(())
    }

    /// Does what is due at a trunk's registrar, and sets the time of what comes next.
    pub(super) fn trunk_timer(&mut self, id: u32) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        match trunk.binding.poll(self.now) {
            Some(registration::Action::Send(request)) => {
                let hop = trunk.hops[trunk.hop];
                self.timers.stop(Wake::Trunk(id));
                self.send(Outbound { request: *request, hop, user: User::Register(id), leg: None, digest: None });
            }
            Some(registration::Action::Wait(at)) => self.timers.start(Wake::Trunk(id), at),
            None => self.timers.stop(Wake::Trunk(id)),
        }
    }

    pub(super) fn register_outcome(&mut self, id: u32, outcome: &Outcome) {
        let now = self.now;
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let event = match outcome {
            Outcome::Response(response) => {
                if matches!(response.status.code(), 408 | 503) {
                    trunk.next_hop();
                }
                trunk.binding.handle_response(now, response)
            }
            Outcome::TimedOut | Outcome::TransportFailed => {
                trunk.next_hop();
                trunk.binding.handle_failure(now)
            }
        };
        self.trunk_event(id, event);
    }

    fn trunk_event(&mut self, trunk: u32, event: Option<registration::Event>) {
        match event {
            Some(registration::Event::Registered { until }) => self.emit(Event::Registered { trunk, until }),
            Some(registration::Event::Failed { status, retry_at }) => {
                let status = status.unwrap_or(408);
                self.emit(Event::RegistrationFailed { trunk, status, retry_at: Some(retry_at) });
            }
            Some(registration::Event::Lost { retry_at }) => {
                self.emit(Event::RegistrationFailed { trunk, status: 200, retry_at: Some(retry_at) });
            }
            Some(registration::Event::Unregistered) => {
                self.timers.stop(Wake::Trunk(trunk));
                self.trunks.remove(&trunk);
                return self.emit(Event::Unregistered { trunk });
            }
            None => {}
        }
        self.trunk_timer(trunk);
    }

    /// `Command::Options` (RFC 3261 §11.1).
    pub(super) fn options(&mut self, options: Options) -> Option<()> {
        let hop = *options.hops.first()?;
        let mut headers = Headers::default();
        headers.add("Max-Forwards", "70");
        let tag = self.random_word();
        headers.add("From", format!("{};tag={tag}", party(&options.from)));
        headers.add("To", format!("<{}>", options.uri));
        headers.add("Call-ID", self.random_word());
        let cseq: u16 = self.rng.random();
        headers.add("CSeq", format!("{cseq} OPTIONS"));
        headers.add("Accept", ACCEPT);
        let uri = options.uri.into_request_uri();
        let request = Request { method: Method::Options, uri, headers, body: Vec::new() };
        self.send(Outbound { request, hop, user: User::Options(options.trunk), leg: None, digest: None });
        Some(())
    }

    pub(super) fn options_outcome(&mut self, trunk: u32, outcome: &Outcome) {
        let status = match outcome {
            Outcome::Response(response) if response.status.code() < 200 => return,
            Outcome::Response(response) => Some(response.status.code()),
            Outcome::TimedOut | Outcome::TransportFailed => None,
        };
        self.emit(Event::OptionsAnswered { trunk, status });
    }
}

impl Trunk {
    fn next_hop(&mut self) {
        self.hop = (self.hop + 1) % self.hops.len();
    }
}
