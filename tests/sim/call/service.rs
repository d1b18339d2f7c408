//! The service: one endpoint and its calls.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use hotline::call::{Call, Input, Opening, Output, Setup, line};
use hotline::city::City;
use hotline::clock::Mono;
use hotline::ivr::{Caller, Features, Profile};
use hotline::language::Language;
use hotline::sdp;
use hotline::sip::{self, Admission, Command, Endpoint, Event, Hop, IncomingInvite, Leg, Transport};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::line::{Health, Line};
use super::now;
use crate::network::{Datagram, Network};

/// How far the service is in ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Draining,
    Leaving,
    Aborting,
}

#[derive(Debug)]
pub struct Service {
    pub endpoint: Endpoint,
    pub address: SocketAddr,
    pub lines: BTreeMap<Leg, Line>,
    pub over: Vec<Line>,
    /// Events `Ended` of each leg that came in.
    pub ended: BTreeMap<Leg, u32>,
    free_ports: BTreeSet<u16>,
    setup: Arc<Setup>,
    health: Health,
    stages: BTreeMap<Mono, Stage>,
    wake: Option<Mono>,
    rng: StdRng,
}

const PORTS: [u16; 4] = [10_000, 10_002, 10_004, 10_006];

impl Service {
    pub fn new(
        config: sip::Config,
        setup: Arc<Setup>,
        health: Health,
        stages: BTreeMap<Mono, Stage>,
        seed: [u8; 32],
    ) -> Service {
        let mut rng = StdRng::from_seed(seed);
        Service {
            endpoint: Endpoint::new(config, rng.random()),
            address: "192.0.2.1:5060".parse().expect("an address"),
            lines: BTreeMap::new(),
            over: Vec::new(),
            ended: BTreeMap::new(),
            free_ports: PORTS.into(),
            setup,
            health,
            stages,
            wake: None,
            rng,
        }
    }

    pub fn next(&self) -> Option<Mono> {
        let stage = self.stages.first_key_value().map(|(at, _)| *at);
        self.lines.values().filter_map(Line::next).chain(self.wake).chain(stage).min()
    }

    pub fn act(&mut self, at: Mono, network: &mut Network) {
        while let Some(entry) = self.stages.first_entry().filter(|entry| *entry.key() <= at) {
            let stage = entry.remove();
            self.reach(at, stage, network);
        }
        if self.wake.is_some_and(|wake| wake <= at) {
            self.signal(at, sip::Input::Timeout, network);
        }
        self.work(at, network);
    }

    pub fn receive(&mut self, at: Mono, datagram: Datagram, network: &mut Network) {
        if datagram.to == self.address {
            let hop = Hop { transport: Transport::Udp, local: self.address, peer: datagram.from };
            self.signal(at, sip::Input::Received { hop, bytes: &datagram.bytes }, network);
            self.work(at, network);
        } else if let Some(line) = self.lines.values_mut().find(|line| line.port == datagram.to.port()) {
            line.packet(datagram.from, datagram.bytes);
        }
    }

    /// Where callers have come to since this was last asked.
    pub fn heard(&mut self) -> Vec<(SocketAddr, Arc<str>)> {
        self.lines.values_mut().filter_map(|line| Some((line.caller, line.node.take()?))).collect()
    }

    pub fn judge(&self) {
        assert!(self.endpoint.is_idle(), "the service's endpoint: {:#?}", self.endpoint.counts());
        assert!(self.lines.is_empty(), "calls are left: {:#?}", self.lines);
        assert_eq!(self.free_ports.len(), PORTS.len(), "ports are left");
        for line in &self.over {
            line.ledger.judge();
        }
        assert!(self.ended.values().all(|times| *times == 1), "{:?}", self.ended);
    }

    fn reach(&mut self, at: Mono, stage: Stage, network: &mut Network) {
        if stage == Stage::Draining {
            let admission = Admission::Draining { retry_after_s: 5 };
            return self.signal(at, sip::Input::Command(Command::Admission(admission)), network);
        }
        for line in self.lines.values_mut() {
            line.input(at, if stage == Stage::Leaving { Input::Leave } else { Input::Abort });
        }
    }

    /// Until no call has anything to do.
    fn work(&mut self, at: Mono, network: &mut Network) {
        loop {
            let due = self.lines.values_mut().find(|line| line.next().is_some_and(|next| next <= at));
            let Some(line) = due else { return };
            let leg = line.leg;
            let commands = line.act(at);
            for command in commands {
                self.signal(at, sip::Input::Command(command), network);
            }
            if self.lines[&leg].is_over() {
                let line = self.lines.remove(&leg).expect("it was there");
                self.free_ports.insert(line.port);
                self.over.push(line);
            }
        }
    }

    fn signal(&mut self, at: Mono, input: sip::Input<'_>, network: &mut Network) {
        self.endpoint.handle(at, input);
        let mut commands = Vec::new();
        loop {
            match self.endpoint.poll_output() {
                sip::Output::Transmit { hop, bytes } => {
                    network.send(at, Datagram { from: self.address, to: hop.peer, bytes });
                }
                sip::Output::Event(event) => commands.extend(self.notice(at, event)),
                sip::Output::Wait(wake) => {
                    self.wake = wake;
                    break;
                }
            }
        }
        for command in commands {
            self.signal(at, sip::Input::Command(command), network);
        }
    }

    fn notice(&mut self, at: Mono, event: Event) -> Vec<Command> {
        match event {
            Event::Incoming { leg, invite } => return self.take_in(at, leg, &invite),
            Event::Answered { leg, .. } => {
                let throw = self.rng.random_range(0..4);
                let language = [Some(Language::Bo), Some(Language::Zh), None, None][throw];
                if let Some(line) = self.lines.get_mut(&leg) {
                    line.answered(at, event, language);
                }
            }
            Event::Ended { leg, .. } => {
                *self.ended.entry(leg).or_default() += 1;
                self.pass_on(at, leg, event);
            }
            Event::Offer { leg, .. }
            | Event::OfferAnswered { leg, .. }
            | Event::Digit { leg, .. }
            | Event::Trace { leg, .. } => self.pass_on(at, leg, event),
            Event::OfferRefused { .. } | Event::Ringing { .. } | Event::Accepted { .. } => {
                panic!("the service never calls or offers: {event:?}")
            }
            _ => {}
        }
        Vec::new()
    }

    fn pass_on(&mut self, at: Mono, leg: Leg, event: Event) {
        if let Some(line) = self.lines.get_mut(&leg) {
            line.input(at, Input::Sip(event));
        }
    }

    fn take_in(&mut self, at: Mono, leg: Leg, invite: &IncomingInvite) -> Vec<Command> {
        let reject = |status| vec![Command::Reject { leg, status, retry_after_s: None }];
        let Some(port) = self.free_ports.pop_first() else { return reject(486) };
        let caller = Caller {
            phone: line::calling(invite),
            city: City::Lhasa,
            language: None,
            profile: if self.rng.random_bool(0.2) { Profile::HumanFirst } else { Profile::SelfService },
            features: Features { sms: self.rng.random(), synthetic: self.rng.random(), ..Features::default() },
            visit: None,
        };
        let address = self.address.ip();
        let ours = sdp::Ours {
            address,
            rtp_port: port,
            session_id: self.rng.random_range(0..1 << 62),
            version: 1,
            direction: sdp::Direction::SendRecv,
            own_addresses: vec![address],
            own_rtp_range: 10_000..=10_999,
        };
        let opening = Opening { leg, caller, offer: invite.offer.clone(), ours };
        let mut outputs: Vec<Output> = Vec::new();
        match Call::incoming(Arc::clone(&self.setup), opening, now(at), &mut outputs) {
            Ok(call) => {
                let mut line = Line::new(call, leg, port, invite.hop.peer, self.health, at, self.rng.random());
                let mut commands = Vec::new();
                line.carry_out(at, outputs, &mut commands);
                self.lines.insert(leg, line);
                commands
            }
            Err(refused) => {
                self.free_ports.insert(port);
                reject(refused.status())
            }
        }
    }
}
