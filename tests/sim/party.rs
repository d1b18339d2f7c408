//! Somebody with a telephone: an endpoint and a person who does this and that with their calls, by seed.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use hotline::clock::Mono;
use hotline::digit::Digit;
use hotline::sip::{Command, Config, Ended, Endpoint, Event, Hop, Input, Invite, Leg, Output, Transport, Why};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::network::{Datagram, Network};

/// What happened to one leg.
#[derive(Debug, Default)]
pub struct Story {
    pub answered: u32,
    pub accepted: u32,
    pub incoming: u32,
    pub open_offers: i32,
    pub keys_sent: u32,
    pub keys_heard: u32,
    pub ended: Vec<Ended>,
    pub lines: Vec<String>,
}

/// What this person is like.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Longest time until a call is hung up; `None`: never by this person.
    pub patience_ms: Option<u64>,
    /// Shares of a hundred.
    pub rejects: u32,
    pub ignores: u32,
    pub cancels: u32,
    pub reinvites: u32,
    pub refuses_offers: u32,
}

#[derive(Debug)]
pub struct Party {
    pub endpoint: Endpoint,
    pub address: SocketAddr,
    pub stories: HashMap<Leg, Story>,
    habits: Habits,
    rng: StdRng,
    plans: BTreeMap<(Mono, u64), Command>,
    planned: u64,
    wake: Option<Mono>,
}

pub const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

impl Party {
    pub fn new(address: &str, config: Config, habits: Habits, seed: [u8; 32]) -> Party {
        let mut rng = StdRng::from_seed(seed);
        Party {
            endpoint: Endpoint::new(config, rng.random()),
            address: address.parse().expect("an address"),
            stories: HashMap::new(),
            habits,
            rng,
            plans: BTreeMap::new(),
            planned: 0,
            wake: None,
        }
    }

    /// Plans a call.
    pub fn call(&mut self, at: Mono, number: u64, to: SocketAddr) {
        let leg = Leg::outgoing(number);
        let uri = |user: &str, address: SocketAddr| format!("sip:{user}@{address}").parse().expect("a URI");
        let invite = Invite {
            leg,
            hops: vec![Hop { transport: Transport::Udp, local: self.address, peer: to }],
            uri: uri("12345", to),
            from: hotline::sip::Party { display: None, uri: uri("citizen", self.address) },
            to: uri("12345", to),
            asserted: None,
            private: false,
            offer: SDP.to_vec(),
            credentials: None,
            ring_timeout_ms: Some(60_000),
        };
        self.stories.insert(leg, Story::default());
        self.plan(at, Command::Invite(Box::new(invite)));
        if self.rng.random_range(0..100) < self.habits.cancels {
            let after = self.within(6_000);
            self.plan(at + after, Command::HangUp { leg, reason: None });
        }
    }

    /// When this party has something to do.
    pub fn next(&self) -> Option<Mono> {
        let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
        self.wake.into_iter().chain(plan).min()
    }

    pub fn act(&mut self, now: Mono, network: &mut Network) {
        while let Some(entry) = self.plans.first_entry().filter(|entry| entry.key().0 <= now) {
            let command = entry.remove();
            self.handle(now, Input::Command(command), network);
        }
        if self.wake.is_some_and(|wake| wake <= now) {
            self.handle(now, Input::Timeout, network);
        }
    }

    pub fn receive(&mut self, now: Mono, datagram: &Datagram, network: &mut Network) {
        let hop = Hop { transport: Transport::Udp, local: self.address, peer: datagram.from };
        self.handle(now, Input::Received { hop, bytes: &datagram.bytes }, network);
    }

    fn handle(&mut self, now: Mono, input: Input<'_>, network: &mut Network) {
        self.endpoint.handle(now, input);
        loop {
            match self.endpoint.poll_output() {
                Output::Transmit { hop, bytes } => {
                    network.send(now, Datagram { from: self.address, to: hop.peer, bytes });
                }
                Output::Event(event) => self.notice(now, event),
                Output::Wait(at) => {
                    self.wake = at;
                    break;
                }
            }
        }
    }

    fn notice(&mut self, now: Mono, event: Event) {
        match event {
            Event::Incoming { leg, invite } => {
                assert!(invite.offer.is_some(), "the offer did not arrive");
                self.stories.entry(leg).or_default().incoming += 1;
                self.pick_up(now, leg);
            }
            Event::Answered { leg, .. } => {
                self.story(leg).answered += 1;
                self.converse(now, leg);
            }
            Event::Accepted { leg, sdp } => {
                assert!(sdp.is_some(), "the answer did not arrive");
                self.story(leg).accepted += 1;
                self.converse(now, leg);
            }
            Event::Offer { leg, .. } => {
                let after = self.within(1_000);
                let refuse = self.rng.random_range(0..100) < self.habits.refuses_offers;
                self.plan(
                    now + after,
                    if refuse {
                        Command::RefuseOffer { leg, status: 488 }
                    } else {
                        Command::Accept { leg, sdp: SDP.to_vec() }
                    },
                );
            }
            Event::OfferAnswered { leg, .. } | Event::OfferRefused { leg, .. } => self.story(leg).open_offers -= 1,
            Event::Ended { leg, ended } => self.story(leg).ended.push(ended),
            Event::Trace { leg, sent, line } => {
                let arrow = if sent { "->" } else { "<-" };
                let line = format!("{:>9} {arrow} {line}", now.as_micros() / 1_000);
                self.story(leg).lines.push(line);
            }
            Event::Digit { leg, .. } => self.story(leg).keys_heard += 1,
            Event::Ringing { .. }
            | Event::Counted(_)
            | Event::Registered { .. }
            | Event::RegistrationFailed { .. }
            | Event::Unregistered { .. }
            | Event::OptionsAnswered { .. } => {}
        }
    }

    fn pick_up(&mut self, now: Mono, leg: Leg) {
        let throw = self.rng.random_range(0..100);
        if throw < self.habits.rejects {
            let after = self.within(3_000);
            return self.plan(now + after, Command::Reject { leg, status: 486, retry_after_s: None });
        }
        if self.rng.random_bool(0.5) {
            let after = self.within(500);
            self.plan(now + after, Command::Ring { leg });
        }
        if self.rng.random_bool(0.3) {
            let after = self.within(2_000);
            self.plan(now + after, Command::Progress { leg, sdp: SDP.to_vec() });
        }
        if throw < self.habits.rejects + self.habits.ignores {
            return;
        }
        let after = self.within(4_000);
        self.plan(now + after, Command::Answer { leg, sdp: SDP.to_vec() });
    }

    fn converse(&mut self, now: Mono, leg: Leg) {
        while self.rng.random_range(0..100) < self.habits.reinvites {
            let after = self.within(5_000);
            self.story(leg).open_offers += 1;
            self.plan(now + after, Command::Reinvite { leg, sdp: SDP.to_vec() });
        }
        for _ in 0..self.rng.random_range(0..3) {
            let after = self.within(8_000);
            let digit = Digit::from_event(self.rng.random_range(0..16)).expect("a key");
            self.story(leg).keys_sent += 1;
            self.plan(now + after, Command::Digit { leg, digit, duration_ms: 160 });
        }
        if let Some(patience) = self.habits.patience_ms {
            let after = self.within(patience);
            self.plan(now + after, Command::HangUp { leg, reason: None });
        }
    }

    fn story(&mut self, leg: Leg) -> &mut Story {
        self.stories.get_mut(&leg).expect("events name legs that were announced")
    }

    fn within(&mut self, ms: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(0..=ms))
    }

    fn plan(&mut self, at: Mono, command: Command) {
        self.planned += 1;
        self.plans.insert((at, self.planned), command);
    }
}

impl Story {
    /// Ended by somebody's will, not by a loss. The 481 of a peer that has hung up may overtake its BYE.
    pub fn ended_cleanly(&self) -> bool {
        self.ended.iter().all(|ended| {
            matches!(
                ended.why,
                Why::Bye | Why::Cancel | Why::DialogLost | Why::Rejected { status: 480 | 486 | 487 | 603 }
            )
        })
    }
}
