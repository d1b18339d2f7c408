//! A trunk's configuration, checked and put into the form it is used in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::choice::Rank;
use super::condition::{Condition, Pausing};
use super::config::{Config, Shown};
use ipnet::IpNet;

use crate::callback::dial_plan::{Dialable, Format, Writing};
use crate::city::City;
use crate::phone::Phone;
use crate::sip::target::Resolution;
use crate::sip::{Account, Party, Uri};

/// The user part of our address towards a trunk that knows us by no number.
const NAMELESS: &str = "hotline";

/// A trunk's key that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BadTrunk {
    /// Below `trunk.NAME`.
    pub key: String,
    pub what: String,
}

fn bad(key: impl Into<String>, what: impl Into<String>) -> BadTrunk {
    BadTrunk { key: key.into(), what: what.into() }
}

/// A trunk that is ready to be used.
#[derive(Debug)]
pub struct Trunk {
    pub(super) name: Arc<str>,
    pub(super) binding: Option<Binding>,
    /// Where OPTIONS and calls out go.
    pub(super) way: Uri,
    /// The key that names it.
    way_key: &'static str,
    /// Who we are in OPTIONS.
    pub(super) ours: Party,
    pub(super) keep_alive: Option<Duration>,
    pub(super) pausing: Pausing,
    pub(super) outward: Option<Arc<Outward>>,
    /// Our numbers there: a call to one comes back to us.
    numbers: Vec<Phone>,
}

/// What we register.
#[derive(Debug)]
pub(super) struct Binding {
    pub registrar: Uri,
    pub address_of_record: Uri,
    pub contact_user: String,
    pub credentials: Account,
    pub expires_s: u32,
}

/// How calls go out by a trunk.
#[derive(Debug)]
pub(super) struct Outward {
    pub rank: Rank,
    pub channels: usize,
    pub credentials: Option<Account>,
    /// The Request-URI, still without the number.
    target: Uri,
    shown: BTreeMap<City, Party>,
    asserts: bool,
    writing: Writing,
}

/// The addresses of a call out.
pub(super) struct Addresses {
    pub uri: Uri,
    pub from: Party,
    pub asserted: Option<Party>,
}

impl Trunk {
    /// # Errors
    /// The first key that can't be used.
    pub fn new(name: &str, config: &Config) -> Result<Trunk, BadTrunk> {
        let (registrar, peer) = (config.registrar.as_deref(), config.peer.as_deref());
        let (key, home) = match (registrar, peer) {
            (Some(registrar), None) => ("registrar", registrar),
            (None, Some(peer)) => ("peer", peer),
            (None, None) => return Err(bad("registrar", "a trunk needs a registrar, or a peer if it wants none")),
            (Some(_), Some(_)) => return Err(bad("peer", "a trunk with a registrar has none: proxy leads elsewhere")),
        };
        let home = target(key, home)?;
        let host = host(key, &home)?;
        let domain = config.domain.clone().unwrap_or(host);
        let credentials = credentials(name, config)?;
        let binding = match (&credentials, registrar) {
            (None, Some(_)) => return Err(bad("username", "a registration needs an account")),
            (Some(account), Some(_)) => Some(Binding {
                registrar: home.clone(),
                address_of_record: address("username", &account.username, &domain)?,
                contact_user: config.number.clone().unwrap_or_else(|| account.username.clone()),
                credentials: account.clone(),
                expires_s: config.expires_s,
            }),
            (_, None) => None,
        };
        let way = config.proxy.as_deref().map(|proxy| target("proxy", proxy)).transpose()?;
        let known_as = config.number.as_deref().or(config.username.as_deref());
        let outward = match config.calls_out {
            true => Some(Arc::new(Outward::new(config, &home, &domain, known_as, credentials)?)),
            false => None,
        };
        let numbers = config.caller_id.values().map(String::as_str).chain(known_as);
        Ok(Trunk {
            name: name.into(),
            binding,
            way_key: if way.is_some() { "proxy" } else { key },
            way: way.unwrap_or(home),
            ours: Party { display: None, uri: address("number", known_as.unwrap_or(NAMELESS), &domain)? },
            keep_alive: (config.keep_alive_s > 0).then(|| seconds(config.keep_alive_s)),
            pausing: Pausing {
                after_troubles: config.pause_after_troubles,
                first: seconds(config.pause_s),
                longest: seconds(config.longest_pause_s),
            },
            outward,
            numbers: numbers.filter_map(Phone::parse).collect(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Our numbers there.
    pub fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    /// Whether the networks that are answered hold the addresses that can be told without asking a name server.
    ///
    /// # Errors
    /// The key whose address is outside them.
    pub fn is_heard(&self, allow: &[IpNet]) -> Result<(), BadTrunk> {
        let registrar = self.binding.as_ref().map(|binding| ("registrar", &binding.registrar));
        for (key, uri) in registrar.into_iter().chain([(self.way_key, &self.way)]) {
            if let Some(ip) = uri.ip().filter(|ip| !allow.iter().any(|net| net.contains(ip))) {
                return Err(bad(key, format!("{ip} is outside sip.allow: what comes from there is not heard")));
            }
        }
        Ok(())
    }

    pub(super) fn condition(&self) -> Condition {
        Condition::new(self.binding.is_some(), self.keep_alive.is_some(), self.pausing)
    }
}

impl Outward {
    fn new(
        config: &Config,
        home: &Uri,
        domain: &str,
        known_as: Option<&str>,
        credentials: Option<Account>,
    ) -> Result<Outward, BadTrunk> {
        if config.channels == 0 {
            return Err(bad("channels", "calls out need to know how many channels the trunk has"));
        }
        let channels = config.channels.saturating_sub(config.kept_for_inbound.of(config.channels));
        if channels == 0 {
            return Err(bad("kept_for_inbound", format!("of {} channels none is left for calls out", config.channels)));
        }
        if config.weight == 0 {
            return Err(bad("weight", "a weight is 1 or more"));
        }
        let target = match &config.domain {
            Some(domain) => format!("sip:{domain}").parse().map_err(|_| bad("domain", "it fits into no SIP URI"))?,
            None => home.clone(),
        };
        Ok(Outward {
            rank: Rank { priority: config.priority, weight: config.weight },
            channels,
            credentials,
            target,
            shown: shown(config, known_as, domain)?,
            asserts: config.assert,
            writing: writing(config)?,
        })
    }

    pub fn addresses(&self, city: City, number: &Dialable) -> Addresses {
        // `shown` has every city
        let from = self.shown[&city].clone();
        Addresses {
            uri: self.target.clone().with_user(&number.written(&self.writing, city)).into_request_uri(),
            asserted: self.asserts.then(|| from.clone()),
            from,
        }
    }
}

/// The number that each city's calls show: its own, the default, or the one that the trunk knows us by.
fn shown(config: &Config, known_as: Option<&str>, domain: &str) -> Result<BTreeMap<City, Party>, BadTrunk> {
    for (whose, number) in &config.caller_id {
        if !is_number(number) {
            return Err(bad(
                format!("caller_id.{whose}"),
                "a number is 3 to 15 digits, with or without a + before them",
            ));
        }
    }
    let known_as = known_as.filter(|name| is_number(name));
    let party = |city: City| {
        let own = config.caller_id.get(&Shown::City(city)).or_else(|| config.caller_id.get(&Shown::Default));
        let Some(number) = own.map(String::as_str).or(known_as) else {
            let what =
                format!("calls for {city} have no number to show: set number, caller_id.default or caller_id.{city}");
            return Err(bad("caller_id", what));
        };
        Ok((city, Party { display: None, uri: address("domain", number, domain)? }))
    };
    City::ALL.into_iter().map(party).collect()
}

fn writing(config: &Config) -> Result<Writing, BadTrunk> {
    let prefix = &config.mobile_prefix;
    if !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("mobile_prefix", "a prefix is digits"));
    }
    if config.number_format == Format::E164 && !prefix.is_empty() {
        return Err(bad("mobile_prefix", "numbers in e164 format have no prefix"));
    }
    if config.number_format == Format::E164 && config.local_without_area_code {
        return Err(bad("local_without_area_code", "numbers in e164 format are whole"));
    }
    Ok(Writing {
        format: config.number_format,
        mobile_prefix: prefix.clone(),
        local_without_area_code: config.local_without_area_code,
    })
}

fn credentials(name: &str, config: &Config) -> Result<Option<Account>, BadTrunk> {
    let Some(username) = &config.username else { return Ok(None) };
    let realm = config.realm.clone().ok_or_else(|| bad("realm", "an account needs the realm that it is for"))?;
    let password = config.password.as_ref().ok_or_else(|| {
        let variable = format!("HOTLINE__TRUNK__{}__PASSWORD", name.to_uppercase());
        bad("password_file", format!("the trunk has no password: set this or {variable}"))
    })?;
    Ok(Some(Account { realm, username: username.clone(), password: password.reveal().to_owned() }))
}

/// A URI that requests can be sent to.
fn target(key: &str, text: &str) -> Result<Uri, BadTrunk> {
    let uri: Uri = text.parse().map_err(|_| bad(key, "this is no SIP URI such as sip:host"))?;
    Resolution::new(&uri, [0; 32]).map_err(|error| bad(key, error.to_string()))?;
    Ok(uri)
}

/// As it stands in a URI.
fn host(key: &str, uri: &Uri) -> Result<String, BadTrunk> {
    match (uri.ip(), uri.host()) {
        (Some(IpAddr::V6(ip)), _) => Ok(format!("[{ip}]")),
        (_, Some(host)) => Ok(host.to_string()),
        (_, None) => Err(bad(key, "there is no host in it")),
    }
}

fn address(key: &str, user: &str, domain: &str) -> Result<Uri, BadTrunk> {
    let domain: Uri = format!("sip:{domain}").parse().map_err(|_| bad("domain", "it fits into no SIP URI"))?;
    if user.is_empty() { Err(bad(key, "it is empty")) } else { Ok(domain.with_user(user)) }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

const fn seconds(count: u32) -> Duration {
    Duration::from_secs(count as u64)
}
