//! A citizen: an endpoint, a telephone, and somebody who does this and that at every place of the flow, by seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hotline::clock::Mono;
use hotline::digit::Digit;
use hotline::sip::{Command, Config, Ended, Endpoint, Event, Hop, Input, Invite, Leg, Output, Party, Transport};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::telephone::Telephone;
use crate::network::{Datagram, Network};

/// What this citizen is like. Shares of a hundred places.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub hangs_up: u32,
    pub holds: u32,
    pub vanishes: u32,
    pub silent: u32,
    pub wrong: u32,
    pub reoffers: u32,
    pub cancels: u32,
    pub withheld: bool,
    /// Telephone events were not offered: keys go by INFO.
    pub keys_by_info: bool,
    /// The first offer is one that nobody can take.
    pub bad_offer: bool,
    pub mu_law: bool,
    pub thinks_ms: u64,
}

#[derive(Debug)]
enum Plan {
    Call(SocketAddr),
    Press(Digit),
    Talk(Duration),
    Offer(Offer),
    HangUp,
    Vanish,
    Accept,
}

/// What a re-INVITE is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    Hold(&'static str),
    Resume,
    OtherLaw,
    OtherPort,
    Bad,
}

#[derive(Debug)]
pub struct Citizen {
    pub endpoint: Endpoint,
    pub address: SocketAddr,
    pub ended: Vec<Ended>,
    pub accepted: u32,
    pub keys_by_info: Vec<Digit>,
    pub telephone: Option<Telephone>,
    /// What offers in the call came to: answered, refused.
    pub offers: (u32, u32),
    leg: Leg,
    habits: Habits,
    gone: bool,
    rtp_port: u16,
    mu_law: bool,
    version: u32,
    offering: Option<Offer>,
    plans: BTreeMap<(Mono, u64), Plan>,
    planned: u64,
    wake: Option<Mono>,
    info_after: Mono,
    period_at: Option<Mono>,
    rng: StdRng,
}

const KEYS: &str = "1234567890*#";

impl Citizen {
    pub fn new(number: u8, config: Config, habits: Habits, seed: [u8; 32]) -> Citizen {
        let mut rng = StdRng::from_seed(seed);
        Citizen {
            endpoint: Endpoint::new(config, rng.random()),
            address: SocketAddr::from(([192, 0, 2, 10 + number], 5060)),
            ended: Vec::new(),
            accepted: 0,
            keys_by_info: Vec::new(),
            telephone: None,
            offers: (0, 0),
            leg: Leg::outgoing(u64::from(number)),
            habits,
            gone: false,
            rtp_port: 4_000,
            mu_law: habits.mu_law,
            version: 0,
            offering: None,
            plans: BTreeMap::new(),
            planned: 0,
            wake: None,
            info_after: Mono::ZERO,
            period_at: None,
            rng,
        }
    }

    pub fn call(&mut self, at: Mono, service: SocketAddr) {
        self.plan(at, Plan::Call(service));
        if self.chance(self.habits.cancels) {
            let after = self.within(3_000);
            self.plan(at + after, Plan::HangUp);
        }
    }

    pub fn next(&self) -> Option<Mono> {
        let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
        [plan, self.wake, self.period_at].into_iter().flatten().min()
    }

    pub fn act(&mut self, now: Mono, network: &mut Network) {
        while let Some(entry) = self.plans.first_entry().filter(|entry| entry.key().0 <= now) {
            let plan = entry.remove();
            self.carry_out(now, plan, network);
        }
        if self.wake.is_some_and(|wake| wake <= now) {
            self.signal(now, Input::Timeout, network);
        }
        if self.period_at.is_some_and(|at| at <= now) {
            self.period(now, network);
        }
    }

    pub fn receive(&mut self, now: Mono, datagram: &Datagram, network: &mut Network) {
        if self.gone {
            return;
        }
        let hop = Hop { transport: Transport::Udp, local: self.address, peer: datagram.from };
        self.signal(now, Input::Received { hop, bytes: &datagram.bytes }, network);
    }

    /// The service has come to a node of the flow: what is done about it.
    pub fn hears(&mut self, now: Mono, node: &str) {
        if self.gone || !self.ended.is_empty() {
            return;
        }
        let after = now + self.within(self.habits.thinks_ms);
        let Habits { hangs_up, holds, vanishes, silent, wrong, reoffers, .. } = self.habits;
        if self.chance(hangs_up) {
            self.plan(after, Plan::HangUp);
        }
        if self.chance(holds) {
            let direction = ["sendonly", "inactive", "recvonly"][self.rng.random_range(0..3_usize)];
            self.plan(after, Plan::Offer(Offer::Hold(direction)));
            if !self.chance(10) {
                let resumes = self.within(20_000);
                self.plan(after + resumes, Plan::Offer(Offer::Resume));
            }
        }
        if self.chance(vanishes) {
            self.plan(after, Plan::Vanish);
        }
        if self.chance(reoffers) {
            let offer = [Offer::OtherLaw, Offer::OtherPort, Offer::Bad][self.rng.random_range(0..3_usize)];
            self.plan(after, Plan::Offer(offer));
        }
        if self.chance(silent) {
            return;
        }
        if self.chance(wrong) {
            return self.types(after, 1, KEYS);
        }
        self.reacts(after, node);
    }

    fn reacts(&mut self, after: Mono, node: &str) {
        match node {
            "language" => self.types(after, 1, "112220"),
            "language_known" => self.types(after, 1, "70"),
            "main" => self.types(after, 1, "111112344670"),
            "who" => self.types(after, 1, "1112890"),
            "type" => self.types(after, 1, "1234568"),
            "record" | "record_again" | "record_add" => self.talks(after),
            "review" => self.types(after, 1, "111123489"),
            "confidential" | "phone_is" => self.types(after, 1, "1129"),
            "phone_enter" => self.number(after, "13900001234"),
            "ticket_enter" => self.number(after, "426112201378"),
            "verify_enter" => self.types(after, 4, "0123456789"),
            "status_menu" => self.types(after, 1, "11890"),
            "topics" => self.types(after, 1, "123456890"),
            "solved" => self.types(after, 1, "122280"),
            "emergency" => self.types(after, 1, "1238"),
            _ if self.chance(10) => self.types(after, 1, KEYS),
            _ => {}
        }
    }

    fn talks(&mut self, after: Mono) {
        let begins = after + Duration::from_millis(300);
        let ms = match self.rng.random_range(0..8) {
            0 => self.rng.random_range(0..600),
            1 => self.rng.random_range(600..3_400),
            2 => 3_000,
            _ => self.rng.random_range(3_400..14_000),
        };
        let ends = begins + Duration::from_millis(ms);
        self.plan(begins, Plan::Talk(Duration::from_millis(ms)));
        match self.rng.random_range(0..6) {
            0 | 1 => {}
            2 => self.plan(ends, Plan::HangUp),
            _ => self.types(ends, 1, "##*5"),
        }
    }

    /// So many of these keys, with pauses between.
    fn types(&mut self, after: Mono, count: usize, of: &str) {
        let mut at = after;
        for _ in 0..count {
            let key = of.as_bytes()[self.rng.random_range(0..of.len())];
            self.key(at, char::from(key));
            at += self.within(900);
        }
    }

    /// A number, now and then one with a wrong digit or too few of them.
    fn number(&mut self, after: Mono, number: &str) {
        let mut at = after;
        let length = if self.chance(20) { self.rng.random_range(1..=number.len()) } else { number.len() };
        for key in number.chars().take(length) {
            let key = if self.chance(2) { '7' } else { key };
            self.key(at, key);
            at += self.within(900);
        }
        if self.chance(30) {
            self.key(at, '#');
        }
    }

    fn key(&mut self, at: Mono, key: char) {
        self.plan(at, Plan::Press(Digit::from_char(key).expect("a key")));
    }

    fn carry_out(&mut self, now: Mono, plan: Plan, network: &mut Network) {
        let leg = self.leg;
        let command = match plan {
            Plan::Call(service) => Command::Invite(Box::new(self.invite(service))),
            Plan::HangUp => Command::HangUp { leg, reason: None },
            Plan::Accept => Command::Accept { leg, sdp: self.description("sendrecv", false) },
            Plan::Offer(offer) => match self.offer(offer) {
                Some(sdp) => Command::Reinvite { leg, sdp },
                None => return,
            },
            Plan::Press(digit) => match self.press(now, digit) {
                Some(command) => command,
                None => return,
            },
            Plan::Talk(time) => {
                if let Some(telephone) = &mut self.telephone {
                    telephone.talks_until = now + time;
                }
                return;
            }
            Plan::Vanish => {
                self.gone = true;
                self.period_at = None;
                // nobody hears it: for the citizen's own endpoint only
                self.plan(now + Duration::from_secs(60), Plan::HangUp);
                return;
            }
        };
        self.signal(now, Input::Command(command), network);
    }

    /// By signalling, fingers are not faster than the network is on a good day: what overtakes is refused.
    fn press(&mut self, now: Mono, digit: Digit) -> Option<Command> {
        let telephone = self.telephone.as_mut()?;
        if telephone.keys.is_some() {
            let periods = self.rng.random_range(3..15);
            telephone.press(digit, periods);
            return None;
        }
        if now < self.info_after {
            return None;
        }
        self.info_after = now + Duration::from_millis(100);
        self.keys_by_info.push(digit);
        Some(Command::Digit { leg: self.leg, digit, duration_ms: 160 })
    }

    fn offer(&mut self, offer: Offer) -> Option<Vec<u8>> {
        let telephone = self.telephone.as_mut().filter(|_| self.offering.is_none())?;
        self.offering = Some(offer);
        Some(match offer {
            Offer::Hold(direction) => {
                telephone.held = true;
                self.description(direction, false)
            }
            Offer::Resume => self.description("sendrecv", false),
            Offer::OtherLaw => {
                self.mu_law = !self.mu_law;
                self.description("sendrecv", false)
            }
            Offer::OtherPort => {
                self.rtp_port += 2;
                self.description("sendrecv", false)
            }
            Offer::Bad => self.description("sendrecv", true),
        })
    }

    fn invite(&mut self, service: SocketAddr) -> Invite {
        let uri = |user: &str, address: SocketAddr| format!("sip:{user}@{address}").parse().expect("a URI");
        let caller = || Party { display: None, uri: uri("13812345678", self.address) };
        Invite {
            leg: self.leg,
            hops: vec![Hop { transport: Transport::Udp, local: self.address, peer: service }],
            uri: uri("12345", service),
            from: caller(),
            to: uri("12345", service),
            asserted: self.habits.withheld.then(caller),
            private: self.habits.withheld,
            offer: self.description("sendrecv", self.habits.bad_offer),
            credentials: None,
            ring_timeout_ms: Some(60_000),
        }
    }

    fn description(&mut self, direction: &str, bad: bool) -> Vec<u8> {
        self.version += 1;
        let (ip, port, version) = (self.address.ip(), self.rtp_port, self.version);
        let law = if self.mu_law { 0 } else { 8 };
        let formats = match (bad, self.habits.keys_by_info) {
            (true, _) => "18".to_owned(),
            (false, true) => law.to_string(),
            (false, false) => format!("{law} 101\r\na=rtpmap:101 telephone-event/8000"),
        };
        format!(
            "v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {formats}\r\na={direction}\r\n"
        )
        .into_bytes()
    }

    fn signal(&mut self, now: Mono, input: Input<'_>, network: &mut Network) {
        self.endpoint.handle(now, input);
        loop {
            match self.endpoint.poll_output() {
                Output::Transmit { .. } if self.gone => {}
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
            Event::Accepted { sdp, .. } => {
                self.accepted += 1;
                let answer = sdp.expect("the answer to the offer");
                self.pick_up(now, &answer);
            }
            Event::Offer { .. } => {
                let after = self.within(500);
                self.plan(now + after, Plan::Accept);
            }
            Event::OfferAnswered { sdp, .. } => {
                self.offers.0 += 1;
                let law = spoken(&sdp).1;
                let resumed = !matches!(self.offering.take(), Some(Offer::Hold(_)));
                if let Some(telephone) = &mut self.telephone {
                    telephone.speech = law;
                    telephone.held &= !resumed;
                }
            }
            Event::OfferRefused { .. } => {
                self.offers.1 += 1;
                match self.offering.take() {
                    Some(Offer::OtherLaw) => self.mu_law = !self.mu_law,
                    Some(Offer::OtherPort) => self.rtp_port -= 2,
                    Some(Offer::Hold(_)) => {
                        if let Some(telephone) = &mut self.telephone {
                            telephone.held = false;
                        }
                    }
                    _ => {}
                }
            }
            Event::Ended { ended, .. } => {
                self.ended.push(ended);
                self.period_at = None;
            }
            _ => {}
        }
    }

    fn pick_up(&mut self, now: Mono, answer: &[u8]) {
        let (port, law) = spoken(answer);
        let service = SocketAddr::new("192.0.2.1".parse().expect("an address"), port);
        let keys = (!self.habits.keys_by_info).then_some(101);
        self.telephone = Some(Telephone::new(service, law, keys, &mut self.rng));
        self.period_at = Some(now);
    }

    fn period(&mut self, now: Mono, network: &mut Network) {
        let from = SocketAddr::new(self.address.ip(), self.rtp_port);
        let Some(telephone) = &mut self.telephone else { return };
        for bytes in telephone.period(now) {
            network.send(now, Datagram { from, to: telephone.peer, bytes });
        }
        self.period_at = Some(now + Duration::from_millis(20));
    }

    fn chance(&mut self, share: u32) -> bool {
        self.rng.random_range(0..100) < share
    }

    fn within(&mut self, ms: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(0..=ms))
    }

    fn plan(&mut self, at: Mono, plan: Plan) {
        self.planned += 1;
        self.plans.insert((at, self.planned), plan);
    }
}

/// Port and payload type of the speech in an answer.
fn spoken(answer: &[u8]) -> (u16, u8) {
    let text = std::str::from_utf8(answer).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio ")).expect("a stream");
    let mut words = line.split(' ');
    let port = words.next().and_then(|port| port.parse().ok()).expect("a port");
    let format = words.nth(1).and_then(|format| format.parse().ok()).expect("a format");
    (port, format)
}
