//! Trunks: providers that we register with, so that they send us the city's calls.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedReceiver;

use super::dns::Dns;
use super::sip::{LocalAddresses, Sip};
use crate::live::Live;
use crate::sip::{Account, Command, Event, Hop, Registration, Uri};

/// A trunk whose name leads nowhere is looked up again after this.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(30);

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `sip:registrar.example` or `sip:192.0.2.1:5060;transport=tcp`.
    pub registrar: String,
    /// The account.
    pub username: String,
    /// The domain of the address of record, when it is not the registrar's host.
    #[serde(default)]
    pub domain: Option<String>,
    /// The realm that the credentials are for: a challenge of any other realm gets none.
    pub realm: String,
    /// From the environment, or from `password_file`; never in the configuration file.
    #[serde(default)]
    pub password: Option<Secret>,
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The number in our Contact; the account's name without it.
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default = "an_hour")]
    pub expires_s: u32,
}

const fn an_hour() -> u32 {
    3_600
}

/// A password. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// For the one place that sends it or signs with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A trunk's key that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BadTrunk {
    /// Below `trunk.NAME`.
    pub key: &'static str,
    pub what: String,
}

/// A trunk that is ready to be registered.
#[derive(Debug)]
pub struct Trunk {
    name: String,
    registrar: Uri,
    address_of_record: Uri,
    contact_user: String,
    credentials: Account,
    expires_s: u32,
}

impl Trunk {
    pub fn new(name: &str, config: &Config) -> Result<Trunk, BadTrunk> {
        let bad = |key, what: String| BadTrunk { key, what };
        let registrar: Uri =
            config.registrar.parse().map_err(|_| bad("registrar", "this is no SIP URI such as sip:host".to_owned()))?;
        let password = config.password.clone().ok_or_else(|| {
            let variable = format!("HOTLINE__TRUNK__{}__PASSWORD", name.to_uppercase());
            bad("password_file", format!("the trunk has no password: set this or {variable}"))
        })?;
        let host = registrar.host().ok_or_else(|| bad("registrar", "there is no host in it".to_owned()))?;
        let domain = config.domain.clone().unwrap_or_else(|| host.to_string());
        let address_of_record = format!("sip:{}@{domain}", config.username);
        let address_of_record =
            address_of_record.parse().map_err(|_| bad("username", "it does not fit into a SIP URI".to_owned()))?;
        Ok(Trunk {
            name: name.to_owned(),
            registrar,
            address_of_record,
            contact_user: config.number.clone().unwrap_or_else(|| config.username.clone()),
            credentials: Account {
                realm: config.realm.clone(),
                username: config.username.clone(),
                password: password.0,
            },
            expires_s: config.expires_s,
        })
    }
}

/// Keeps all trunks registered and says how they are.
pub struct Trunks {
    pub trunks: Vec<Trunk>,
    /// Networks that are answered: a registrar outside them is not heard.
    pub allow: Vec<IpNet>,
    pub sip: Sip,
    pub live: Arc<Live>,
    pub random: Mutex<StdRng>,
}

impl Trunks {
    /// Until the endpoint is gone. `events` are those that belong to no call.
    pub async fn run(self, mut events: UnboundedReceiver<Event>) {
        let dns = Dns::of_the_system();
        let mut states: BTreeMap<usize, bool> = BTreeMap::new();
        let mut waiting: Vec<usize> = (0..self.trunks.len()).collect();
        let mut addresses = LocalAddresses::default();
        self.report(&states);
        let mut look_ups = tokio::time::interval(LOOK_UP_AGAIN);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Registered { trunk, .. }) => self.changed(trunk, true, &mut states),
                    Some(Event::RegistrationFailed { trunk, status, .. }) => {
                        tracing::warn!(trunk = self.name(trunk), status, "a trunk refuses our registration");
                        self.changed(trunk, false, &mut states);
                        if matches!(status, 408 | 503) && !waiting.contains(&(trunk as usize)) {
                            // nobody answers there: its name may lead elsewhere by now
                            waiting.push(trunk as usize);
                        }
                    }
                    Some(_) => {}
                    None => return,
                },
                _ = look_ups.tick() => {
                    for at in std::mem::take(&mut waiting) {
                        if !self.register(at, &dns, &mut addresses).await {
                            waiting.push(at);
                        }
                    }
                }
            }
        }
    }

    /// Takes every binding back.
    pub async fn unregister(sip: &Sip, trunks: usize) {
        for trunk in 0..trunks {
            sip.command(Command::Unregister { trunk: trunk as u32 }).await;
        }
    }

    async fn register(&self, at: usize, dns: &Dns, addresses: &mut LocalAddresses) -> bool {
        let trunk = &self.trunks[at];
        let seed = self.random.lock().unwrap_or_else(PoisonError::into_inner).random();
        let destinations = match dns.resolve(&trunk.registrar, seed).await {
            Ok(destinations) if !destinations.is_empty() => destinations,
            Ok(_) => {
                tracing::warn!(trunk = trunk.name, "the trunk's name leads nowhere; it is looked up again");
                return false;
            }
            Err(error) => {
                tracing::error!(trunk = trunk.name, %error, "the trunk can't be registered with");
                return true;
            }
        };
        for destination in &destinations {
            if !self.allow.iter().any(|net| net.contains(&destination.address.ip())) {
                let address = destination.address.ip();
                tracing::error!(trunk = trunk.name, %address, "the registrar is outside sip.allow: its answers are not heard");
            }
        }
        let bound = self.sip.bound();
        let mut hop = |address: SocketAddr, transport| Hop {
            transport,
            local: addresses.towards(bound, address.ip()),
            peer: address,
        };
        self.sip
            .command(Command::Register(Box::new(Registration {
                trunk: at as u32,
                hops: destinations.iter().map(|to| hop(to.address, to.transport)).collect(),
                registrar: trunk.registrar.clone(),
                address_of_record: trunk.address_of_record.clone(),
                contact_user: trunk.contact_user.clone(),
                credentials: Some(trunk.credentials.clone()),
                expires_s: trunk.expires_s,
            })))
            .await;
        true
    }

    fn changed(&self, trunk: u32, registered: bool, states: &mut BTreeMap<usize, bool>) {
        let at = trunk as usize;
        if states.insert(at, registered) != Some(registered) && registered {
            tracing::info!(trunk = self.name(trunk), "registered with a trunk");
        }
        self.report(states);
    }

    fn name(&self, trunk: u32) -> &str {
        self.trunks.get(trunk as usize).map_or("", |trunk| &trunk.name)
    }

    fn report(&self, states: &BTreeMap<usize, bool>) {
        let down: Vec<&str> = (self.trunks.iter().enumerate())
            .filter(|(at, _)| states.get(at) != Some(&true))
            .map(|(_, trunk)| trunk.name.as_str())
            .collect();
        for (at, trunk) in self.trunks.iter().enumerate() {
            let up = if states.get(&at) == Some(&true) { 1.0 } else { 0.0 };
            metrics::gauge!("hotline_trunk_registered", "trunk" => trunk.name.clone()).set(up);
        }
        match (self.trunks.is_empty(), down.is_empty()) {
            (true, _) => {}
            (false, true) => self.live.report("trunks", true, "all are registered"),
            (false, false) => self.live.report("trunks", false, format!("not registered: {}", down.join(", "))),
        }
    }
}
