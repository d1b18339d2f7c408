//! Where to send a request: RFC 3263, as questions to the DNS and what follows from the answers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rsip::Host;

use super::message::{Transport, Uri};
use crate::clock::Mono;

const DEFAULT_PORT: u16 = 5060;
/// Records taken of one answer.
const MAX_RECORDS: usize = 16;
/// Destinations taken of one resolution.
const MAX_DESTINATIONS: usize = 32;
/// Dead destinations remembered.
const MAX_DEAD: usize = 256;
/// How long a destination that failed is left alone when it didn't say itself.
const DEAD_FOR: Duration = Duration::from_secs(60);
/// The longest that a Retry-After may keep one away.
const DEAD_AT_MOST: Duration = Duration::from_secs(600);

/// A transport and an address: one hop as the DNS knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// A question to the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// NAPTR records of a domain.
    Naptr(String),
    /// SRV records of a service name such as `_sip._udp.example.com`.
    Srv(String),
    /// A and AAAA records of a host.
    Addresses(String),
}

/// The answer to one [`Question`], of the same kind; empty when there is none, whatever the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Naptr(Vec<Naptr>),
    Srv(Vec<Srv>),
    Addresses(Vec<IpAddr>),
}

/// RFC 3403.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    pub order: u16,
    pub preference: u16,
    pub flags: String,
    pub services: String,
    pub replacement: String,
}

/// RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: String,
}

/// A URI that can't be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error("only sip: URIs have a place to send to")]
    Scheme,
    #[error("only UDP and TCP are spoken here")]
    Transport,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask all of these and hand the answers to [`Resolution::answer`] in the same order.
    Ask(Vec<Question>),
    /// Every place to try, best first; none when the names lead nowhere.
    Done(Vec<Destination>),
}

/// One URI on its way to addresses.
#[derive(Debug)]
pub struct Resolution {
    host: String,
    stage: Stage,
    random: StdRng,
}

#[derive(Debug)]
enum Stage {
    Naptr,
    /// Services to look up, best first.
    Srv(Vec<(Transport, String)>),
    /// Hosts to look up, best first.
    Addresses(Vec<(Transport, String, u16)>),
    Done(Vec<Destination>),
}

impl Resolution {
    /// Begins with a URI: its host (or `maddr`), its port and its `transport` (RFC 3263 §4.1, §4.2). The seed orders SRV
    /// records of one priority.
    ///
    /// # Errors
    /// No `sip:` URI, or another transport.
    pub fn new(uri: &Uri, seed: [u8; 32]) -> Result<Resolution, NoTarget> {
        let host = uri.host().filter(|_| !uri.is_sips()).ok_or(NoTarget::Scheme)?;
        let transport = match uri.param("transport") {
            None => None,
            Some(token) if token.eq_ignore_ascii_case("udp") => Some(Transport::Udp),
            Some(token) if token.eq_ignore_ascii_case("tcp") => Some(Transport::Tcp),
            Some(_) => return Err(NoTarget::Transport),
        };
        let host = match uri.param("maddr").filter(|maddr| !maddr.is_empty()) {
            Some(maddr) => parse_host(maddr),
            None => uri.ip().map_or_else(|| host.clone(), Host::IpAddr),
        };
        let (name, stage) = match (host, uri.port(), transport) {
            (Host::IpAddr(ip), port, transport) => {
                let address = SocketAddr::new(ip, port.unwrap_or(DEFAULT_PORT));
                let transport = transport.unwrap_or(Transport::Udp);
                (String::new(), Stage::Done(vec![Destination { transport, address }]))
            }
            (Host::Domain(name), Some(port), transport) => {
                let name = name.value().to_owned();
                (name.clone(), Stage::Addresses(vec![(transport.unwrap_or(Transport::Udp), name, port)]))
            }
            (Host::Domain(name), None, Some(transport)) => {
                let name = name.value().to_owned();
                (name.clone(), Stage::Srv(vec![(transport, service(transport, &name))]))
            }
            (Host::Domain(name), None, None) => (name.value().to_owned(), Stage::Naptr),
        };
        Ok(Resolution { host: name, stage, random: StdRng::from_seed(seed) })
    }

    pub fn step(&self) -> Step {
        match &self.stage {
            Stage::Naptr => Step::Ask(vec![Question::Naptr(self.host.clone())]),
            Stage::Srv(services) => Step::Ask(services.iter().map(|(_, name)| Question::Srv(name.clone())).collect()),
            Stage::Addresses(hosts) => {
                Step::Ask(hosts.iter().map(|(_, host, _)| Question::Addresses(host.clone())).collect())
            }
            Stage::Done(destinations) => Step::Done(destinations.clone()),
        }
    }

    /// Takes the answers to all questions of the last step, in their order. A missing or foreign one counts as empty.
    pub fn answer(&mut self, answers: Vec<Answer>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Done(Vec::new()));
        let mut answers = answers.into_iter();
        self.stage = match stage {
            Stage::Naptr => self.after_naptr(answers.next()),
            Stage::Srv(services) => self.after_srv(services, answers),
            Stage::Addresses(hosts) => after_addresses(hosts, answers),
            Stage::Done(destinations) => Stage::Done(destinations),
        };
    }

    fn after_naptr(&self, answer: Option<Answer>) -> Stage {
        let mut records = match answer {
            Some(Answer::Naptr(records)) => records,
            _ => Vec::new(),
        };
        records.truncate(MAX_RECORDS);
        records.sort_by_key(|record| (record.order, record.preference));
        let services: Vec<(Transport, String)> =
            records.into_iter().filter_map(|record| named_service(&record)).collect();
        if !services.is_empty() {
            return Stage::Srv(services);
        }
        Stage::Srv(
            [Transport::Udp, Transport::Tcp].map(|transport| (transport, service(transport, &self.host))).to_vec(),
        )
    }

    fn after_srv(&mut self, services: Vec<(Transport, String)>, mut answers: impl Iterator<Item = Answer>) -> Stage {
        let mut hosts = Vec::new();
        for (transport, _) in &services {
            if let Some(Answer::Srv(mut records)) = answers.next() {
                records.truncate(MAX_RECORDS);
                let records = by_weight(records, &mut self.random);
                hosts.extend(records.into_iter().map(|record| (*transport, record.target, record.port)));
            }
        }
        // a target of "." says that the service is not there (RFC 2782)
        let refused = !hosts.is_empty() && hosts.iter().all(|(_, target, _)| is_root(target));
        hosts.retain(|(_, target, _)| !is_root(target));
        hosts.truncate(MAX_RECORDS);
        match hosts.is_empty() {
            true if refused => Stage::Done(Vec::new()),
            true => {
                let transport = services.first().map_or(Transport::Udp, |(transport, _)| *transport);
                Stage::Addresses(vec![(transport, self.host.clone(), DEFAULT_PORT)])
            }
            false => Stage::Addresses(hosts),
        }
    }
}

fn after_addresses(hosts: Vec<(Transport, String, u16)>, mut answers: impl Iterator<Item = Answer>) -> Stage {
    let mut destinations = Vec::new();
    for (transport, _, port) in hosts {
        let Some(Answer::Addresses(addresses)) = answers.next() else { continue };
        for ip in addresses.into_iter().take(MAX_RECORDS) {
            let destination = Destination { transport, address: SocketAddr::new(ip, port) };
            if !destinations.contains(&destination) {
                destinations.push(destination);
            }
        }
    }
    destinations.truncate(MAX_DESTINATIONS);
    Stage::Done(destinations)
}

fn parse_host(text: &str) -> Host {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_or_else(|_| Host::Domain(rsip::Domain::new(text)), Host::IpAddr)
}

fn service(transport: Transport, host: &str) -> String {
    let protocol = match transport {
        Transport::Udp => "_udp",
        Transport::Tcp => "_tcp",
    };
    format!("_sip.{protocol}.{host}")
}

fn named_service(record: &Naptr) -> Option<(Transport, String)> {
    let transport = match record.services.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Transport::Udp,
        "SIP+D2T" => Transport::Tcp,
        _ => return None,
    };
    (record.flags.eq_ignore_ascii_case("s") && !is_root(&record.replacement))
        .then(|| (transport, record.replacement.clone()))
}

fn is_root(name: &str) -> bool {
    matches!(name, "" | ".")
}

/// Priorities ascending; within one, each place is drawn by weight (RFC 2782).
fn by_weight(mut records: Vec<Srv>, random: &mut StdRng) -> Vec<Srv> {
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records.iter().take_while(|record| record.priority == priority);
        let total: u32 = group.map(|record| u32::from(record.weight)).sum();
        let drawn = random.random_range(0..=total);
        let mut sum = 0;
        let at = records.iter().position(|record| {
            sum += u32::from(record.weight);
            sum >= drawn
        });
        ordered.push(records.remove(at.unwrap_or(0)));
    }
    ordered
}

/// Destinations that failed lately (RFC 3263 §4.3). Bounded: the one that revives first gives way.
#[derive(Debug, Default)]
pub struct Dead(HashMap<Destination, Mono>);

impl Dead {
    /// A time-out, a transport error, or a 503 with the seconds of its Retry-After.
    pub fn mark(&mut self, now: Mono, destination: Destination, retry_after_s: Option<u32>) {
        let time = retry_after_s.map_or(DEAD_FOR, |seconds| Duration::from_secs(seconds.into()).min(DEAD_AT_MOST));
        self.0.retain(|_, until| *until > now);
        if self.0.len() >= MAX_DEAD {
            let first = self.0.iter().min_by_key(|(_, until)| **until).map(|(destination, _)| *destination);
            first.map(|first| self.0.remove(&first));
        }
        self.0.insert(destination, now + time);
    }

    /// It answered.
    pub fn revive(&mut self, destination: Destination) {
        self.0.remove(&destination);
    }

    pub fn is_dead(&self, now: Mono, destination: Destination) -> bool {
        self.0.get(&destination).is_some_and(|until| *until > now)
    }
}

/// The places to try for one request, each once: the living in their order, then the dead, since an answer from one of
/// those is still better than none.
#[derive(Clone, Debug)]
pub struct Targets {
    left: std::collections::VecDeque<Destination>,
}

impl Targets {
    pub fn new(now: Mono, destinations: &[Destination], dead: &Dead) -> Targets {
        let (dead, living): (Vec<Destination>, Vec<Destination>) =
            destinations.iter().partition(|destination| dead.is_dead(now, **destination));
        Targets { left: living.into_iter().chain(dead).collect() }
    }
}

impl Iterator for Targets {
    type Item = Destination;

    /// The first, and after each failure the next.
    fn next(&mut self) -> Option<Destination> {
        self.left.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution(uri: &str) -> Resolution {
        Resolution::new(&uri.parse().expect("a URI"), [1; 32]).expect("a target")
    }

    fn destination(transport: Transport, address: &str) -> Destination {
        Destination { transport, address: address.parse().expect("an address") }
    }

    fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
        Srv { priority, weight, port, target: target.into() }
    }

    fn naptr(order: u16, preference: u16, services: &str, replacement: &str) -> Naptr {
        Naptr { order, preference, flags: "s".into(), services: services.into(), replacement: replacement.into() }
    }

    fn addresses(ip: &str) -> Answer {
        Answer::Addresses(vec![ip.parse().expect("an address")])
    }

    #[test]
    fn an_address_needs_no_question() {
        for (uri, transport, address) in [
            ("sip:a@192.0.2.1", Transport::Udp, "192.0.2.1:5060"),
            ("sip:192.0.2.1:5080;transport=TCP", Transport::Tcp, "192.0.2.1:5080"),
            ("sip:[2001:db8::1]", Transport::Udp, "[2001:db8::1]:5060"),
            ("sip:a@example.com:99;maddr=192.0.2.9", Transport::Udp, "192.0.2.9:99"),
            ("sip:a@example.com;maddr=[2001:db8::9]", Transport::Udp, "[2001:db8::9]:5060"),
        ] {
            assert_eq!(resolution(uri).step(), Step::Done(vec![destination(transport, address)]), "{uri}");
        }
        let refused = |uri: &str| Resolution::new(&uri.parse().expect("a URI"), [1; 32]).err();
        assert_eq!(refused("sips:a@example.com"), Some(NoTarget::Scheme));
        assert_eq!(refused("tel:12345"), Some(NoTarget::Scheme));
        assert_eq!(refused("sip:a@example.com;transport=tls"), Some(NoTarget::Transport));
    }

    #[test]
    fn a_port_skips_the_services() {
        let mut one = resolution("sip:example.com:5070;transport=tcp");
        assert_eq!(one.step(), Step::Ask(vec![Question::Addresses("example.com".into())]));
        one.answer(vec![addresses("192.0.2.1")]);
        assert_eq!(one.step(), Step::Done(vec![destination(Transport::Tcp, "192.0.2.1:5070")]));
    }

    #[test]
    fn naptr_leads_to_services_and_hosts() {
        let mut one = resolution("sip:example.com");
        assert_eq!(one.step(), Step::Ask(vec![Question::Naptr("example.com".into())]));
        one.answer(vec![Answer::Naptr(vec![
            naptr(90, 50, "SIPS+D2T", "_sips._tcp.example.com"),
            naptr(100, 60, "SIP+D2U", "_sip._udp.example.com"),
            naptr(100, 50, "sip+d2t", "_sip._tcp.example.com"),
        ])]);
        let services = ["_sip._tcp.example.com", "_sip._udp.example.com"].map(|name| Question::Srv(name.into()));
        assert_eq!(one.step(), Step::Ask(services.to_vec()));
        one.answer(vec![
            Answer::Srv(vec![srv(2, 0, 5070, "b"), srv(1, 0, 5060, "a")]),
            Answer::Srv(vec![srv(1, 0, 5060, "a")]),
        ]);
        let hosts = ["a", "b", "a"].map(|host| Question::Addresses(host.into()));
        assert_eq!(one.step(), Step::Ask(hosts.to_vec()));
        one.answer(vec![addresses("192.0.2.1"), addresses("192.0.2.2"), addresses("192.0.2.1")]);
        let expected = [
            destination(Transport::Tcp, "192.0.2.1:5060"),
            destination(Transport::Tcp, "192.0.2.2:5070"),
            destination(Transport::Udp, "192.0.2.1:5060"),
        ];
        assert_eq!(one.step(), Step::Done(expected.to_vec()));
    }

    #[test]
    fn without_records_the_name_itself_is_tried() {
        let mut one = resolution("sip:example.com");
        one.answer(vec![Answer::Naptr(Vec::new())]);
        let services = ["_sip._udp.example.com", "_sip._tcp.example.com"].map(|name| Question::Srv(name.into()));
        assert_eq!(one.step(), Step::Ask(services.to_vec()));
        one.answer(Vec::new());
        assert_eq!(one.step(), Step::Ask(vec![Question::Addresses("example.com".into())]));
        one.answer(vec![addresses("2001:db8::1")]);
        assert_eq!(one.step(), Step::Done(vec![destination(Transport::Udp, "[2001:db8::1]:5060")]));
    }

    #[test]
    fn a_service_that_is_refused_has_no_fallback() {
        let mut one = resolution("sip:example.com;transport=udp");
        one.answer(vec![Answer::Srv(vec![srv(0, 0, 0, ".")])]);
        assert_eq!(one.step(), Step::Done(Vec::new()));
    }

    #[test]
    fn weights_share_the_first_place() {
        let records = || vec![srv(1, 75, 1, "heavy"), srv(1, 25, 1, "light"), srv(2, 100, 1, "spare")];
        let mut random = StdRng::from_seed([3; 32]);
        let mut heavy = 0;
        for _ in 0..1000 {
            let ordered = by_weight(records(), &mut random);
            heavy += u32::from(ordered[0].target == "heavy");
            assert_eq!(ordered[2].target, "spare");
        }
        assert!((680..820).contains(&heavy), "{heavy}");
    }

    #[test]
    fn the_dead_come_last_until_they_revive() {
        let all = ["192.0.2.1:5060", "192.0.2.2:5060"].map(|address| destination(Transport::Udp, address));
        let now = Mono::from_micros(1);
        let mut dead = Dead::default();
        dead.mark(now, all[0], Some(120));
        assert_eq!(Targets::new(now, &all, &dead).collect::<Vec<_>>(), [all[1], all[0]]);
        let later = now + Duration::from_secs(121);
        assert_eq!(Targets::new(later, &all, &dead).collect::<Vec<_>>(), all);
        dead.mark(later, all[0], None);
        dead.revive(all[0]);
        assert!(!dead.is_dead(later, all[0]));
        for port in 0..=u16::try_from(MAX_DEAD).expect("a small number") {
            dead.mark(later, Destination { address: SocketAddr::new(all[0].address.ip(), port), ..all[0] }, None);
        }
        assert_eq!(dead.0.len(), MAX_DEAD);
    }
}
