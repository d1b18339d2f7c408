//! A network in virtual time that loses, repeats, delays and so reorders datagrams.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hotline::clock::Mono;
use rand::RngExt;
use rand::rngs::StdRng;

/// How bad it is. Shares are of a hundred datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub lost: u32,
    pub repeated: u32,
    pub delay_ms: (u64, u64),
    /// From then on nothing arrives.
    pub cut: Option<Mono>,
}

impl Weather {
    pub fn fair() -> Weather {
        Weather { lost: 0, repeated: 0, delay_ms: (1, 20), cut: None }
    }
}

#[derive(Clone, Debug)]
pub struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
pub struct Network {
    weather: Weather,
    rng: StdRng,
    sent: u64,
    under_way: BTreeMap<(Mono, u64), Datagram>,
}

impl Network {
    pub fn new(weather: Weather, rng: StdRng) -> Network {
        Network { weather, rng, sent: 0, under_way: BTreeMap::new() }
    }

    pub fn send(&mut self, now: Mono, datagram: Datagram) {
        if self.weather.cut.is_some_and(|cut| now >= cut) || self.rng.random_range(0..100) < self.weather.lost {
            return;
        }
        if self.rng.random_range(0..100) < self.weather.repeated {
            self.deliver(now, datagram.clone());
        }
        self.deliver(now, datagram);
    }

    /// When the next datagram arrives.
    pub fn next(&self) -> Option<Mono> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    pub fn pop(&mut self, now: Mono) -> Option<Datagram> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    fn deliver(&mut self, now: Mono, datagram: Datagram) {
        let (low, high) = self.weather.delay_ms;
        let delay = Duration::from_micros(self.rng.random_range(low * 1_000..=high * 1_000));
        self.sent += 1;
        self.under_way.insert((now + delay, self.sent), datagram);
    }
}
