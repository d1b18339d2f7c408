//! Trunks: providers that send us the city's calls and take ours.

mod choice;
mod condition;
mod config;
mod look_up;
mod setup;
#[cfg(test)]
mod tests;
mod ways;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipnet::IpNet;
use rand::rngs::StdRng;
use tokio::sync::mpsc::UnboundedReceiver;

use super::route::Verdict;
use super::sip::{LocalAddresses, Sip};
use crate::clock::{Clock, Mono};
use crate::live::{Live, TrunkNow, Words};
use crate::sip::target::Destination;
use crate::sip::{Command, Event, Hop, Options, Registration};

use condition::Ailment;
pub use config::{Config, Kept, Shown};
use look_up::{Found, LookUps, Place};
pub use setup::{BadTrunk, Trunk};
pub use ways::{NoRoute, WaysOut, plan};

/// How often names that lead nowhere are looked up again.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(30);
/// And those that lead somewhere: it may be elsewhere by now.
const LOOK_UP_ANYWAY: Duration = Duration::from_secs(300);
/// An answer that contradicts what is believed is asked for again this soon.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// An OPTIONS whose end is never heard of does not end the asking. Timer F is 32 s.
const ASK_ANYWAY: Duration = Duration::from_secs(60);
/// How often it is looked at what is due.
const TICK: Duration = Duration::from_millis(500);

/// Keeps all trunks registered, asks whether they are there, and says how they are.
pub struct Trunks {
    pub trunks: Vec<Trunk>,
    pub ways: Arc<WaysOut>,
    /// How calls out went.
    pub told: UnboundedReceiver<(Arc<str>, Verdict)>,
    /// Networks that are answered: a trunk outside them is not heard.
    pub allow: Vec<IpNet>,
    pub sip: Sip,
    pub live: Arc<Live>,
    pub clock: Clock,
    pub random: Mutex<StdRng>,
}

/// What the task remembers of a trunk.
#[derive(Debug)]
struct Due {
    /// The next OPTIONS.
    ask: Mono,
    /// The next look-up of the registrar's name, if one is due at all, and of the way out.
    registrar: Option<Mono>,
    way: Option<Mono>,
}

impl Trunks {
    /// Until the endpoint is gone. `events` are those that belong to no call.
    pub async fn run(mut self, mut events: UnboundedReceiver<Event>) {
        let mut addresses = LocalAddresses::default();
        let mut look_ups = LookUps::default();
        let now = self.clock.mono();
        let first = |trunk: &Trunk| Due { ask: now, registrar: trunk.binding.is_some().then_some(now), way: Some(now) };
        let mut due: Vec<Due> = self.trunks.iter().map(first).collect();
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.heard(event, &mut due),
                    None => return,
                },
                Some((trunk, verdict)) = self.told.recv() => self.judge(&trunk, verdict),
                Some(found) = look_ups.next() => self.found(found, &mut due, &mut addresses).await,
                _ = ticks.tick() => {
                    self.look_up(&mut due, &mut look_ups);
                    self.ask(&mut due).await;
                }
            }
            self.report();
        }
    }

    /// Takes every binding back.
    pub async fn unregister(sip: &Sip, trunks: usize) {
        for trunk in 0..trunks {
            sip.command(Command::Unregister { trunk: trunk as u32 }).await;
        }
    }

    fn heard(&self, event: Event, due: &mut [Due]) {
        let now = self.clock.mono();
        match event {
            Event::Registered { trunk, .. } => self.registered(trunk as usize, true),
            Event::RegistrationFailed { trunk, status, .. } => {
                let at = trunk as usize;
                tracing::warn!(trunk = self.name(at), status, "a trunk refuses our registration");
                self.registered(at, false);
                if let Some(due) = due.get_mut(at).filter(|_| is_silence(Some(status))) {
                    // nobody answers there: its name may lead elsewhere by now
                    due.registrar = due.registrar.or(Some(now + LOOK_UP_AGAIN));
                }
            }
            Event::OptionsAnswered { trunk, status } => {
                let at = trunk as usize;
                self.answered(at, !is_silence(status));
                if let Some((due, every)) = due.get_mut(at).zip(self.trunks[at].keep_alive) {
                    let settled = self.ways.change(at, |condition| condition.is_settled()).unwrap_or(true);
                    due.ask = now + if settled { every } else { every.min(ASK_AGAIN) };
                }
            }
            _ => {}
        }
    }

    fn registered(&self, at: usize, registered: bool) {
        let before = self.ways.change(at, |condition| {
            let before = condition.is_registered();
            condition.set_registered(registered);
            before
        });
        if registered && before == Some(Some(false)) {
            tracing::info!(trunk = self.name(at), "registered with a trunk");
        }
    }

    fn answered(&self, at: usize, alive: bool) {
        let before = self.ways.ailment(at);
        if !alive {
            self.ways.turn_hops(at);
        }
        self.ways.change(at, |condition| condition.heard(alive));
        match (before, self.ways.ailment(at)) {
            (Some(Ailment::Silent), after) if after != before => {
                tracing::info!(trunk = self.name(at), "a trunk answers");
            }
            (before, Some(Ailment::Silent)) if before != Some(Ailment::Silent) => {
                tracing::warn!(trunk = self.name(at), "a trunk no longer answers");
            }
            _ => {}
        }
    }

    fn judge(&self, trunk: &Arc<str>, verdict: Verdict) {
        let name = match verdict {
            Verdict::Carried => "carried",
            Verdict::Trouble { .. } => "trouble",
        };
        metrics::counter!("hotline_trunk_verdicts_total", "trunk" => trunk.to_string(), "verdict" => name).increment(1);
        let pause = self.ways.judge(trunk, verdict);
        if let (Verdict::Trouble { status }, Some(pause)) = (verdict, pause) {
            tracing::warn!(
                trunk = &**trunk,
                status,
                pause_s = pause.as_secs(),
                "a trunk's troubles pause calls out by it"
            );
        }
    }

    fn look_up(&self, due: &mut [Due], look_ups: &mut LookUps) {
        let now = self.clock.mono();
        for (at, (trunk, due)) in self.trunks.iter().zip(due).enumerate() {
            if due.registrar.take_if(|registrar| *registrar <= now).is_some()
                && let Some(binding) = &trunk.binding
            {
                look_ups.begin(at, Place::Registrar, &binding.registrar, &self.random);
            }
            if due.way.take_if(|way| *way <= now).is_some() {
                look_ups.begin(at, Place::Way, &trunk.way, &self.random);
            }
        }
    }

    async fn found(&self, found: Found, due: &mut [Due], addresses: &mut LocalAddresses) {
        let Found { at, place, destinations } = found;
        let (trunk, due) = (&self.trunks[at], &mut due[at]);
        let now = self.clock.mono();
        let hops = self.hops(&destinations, addresses);
        let nowhere = hops.is_empty();
        if nowhere {
            tracing::warn!(trunk = &*trunk.name, "the trunk's name leads nowhere; it is looked up again");
        } else {
            self.warn_of_deafness(trunk, &destinations);
        }
        match place {
            Place::Registrar if nowhere => due.registrar = Some(now + LOOK_UP_AGAIN),
            Place::Registrar => self.register(at, hops).await,
            Place::Way => {
                due.way = Some(now + if nowhere { LOOK_UP_AGAIN } else { LOOK_UP_ANYWAY });
                if !nowhere || self.ways.hops(at).is_empty() {
                    // what led somewhere a while ago is better than nothing
                    self.ways.set_hops(at, hops);
                }
            }
        }
    }

    fn hops(&self, destinations: &[Destination], addresses: &mut LocalAddresses) -> Vec<Hop> {
        let bound = self.sip.bound();
        let hop = |to: &Destination| Hop {
            transport: to.transport,
            local: addresses.towards(bound, to.address.ip()),
            peer: to.address,
        };
        destinations.iter().map(hop).collect()
    }

    fn warn_of_deafness(&self, trunk: &Trunk, destinations: &[Destination]) {
        for address in destinations.iter().map(|destination| destination.address.ip()) {
            if !self.allow.iter().any(|net| net.contains(&address)) {
                tracing::error!(trunk = &*trunk.name, %address, "a trunk is outside sip.allow: its answers are not heard");
            }
        }
    }

    async fn register(&self, at: usize, hops: Vec<Hop>) {
        let Some(binding) = &self.trunks[at].binding else { return };
        self.sip
            .command(Command::Register(Box::new(Registration {
                trunk: at as u32,
                hops,
                registrar: binding.registrar.clone(),
                address_of_record: binding.address_of_record.clone(),
                contact_user: binding.contact_user.clone(),
                credentials: Some(binding.credentials.clone()),
                expires_s: binding.expires_s,
            })))
            .await;
    }

    /// Asks each trunk that is to be asked now whether it is there.
    async fn ask(&self, due: &mut [Due]) {
        let now = self.clock.mono();
        for (at, (trunk, due)) in self.trunks.iter().zip(due).enumerate() {
            let hops = if trunk.keep_alive.is_some() && due.ask <= now { self.ways.hops(at) } else { Vec::new() };
            if !hops.is_empty() {
                due.ask = now + ASK_ANYWAY;
                let (uri, from) = (trunk.way.clone(), trunk.ours.clone());
                self.sip.command(Command::Options(Box::new(Options { trunk: at as u32, hops, uri, from }))).await;
            }
        }
    }

    fn name(&self, at: usize) -> &str {
        self.trunks.get(at).map_or("", |trunk| &trunk.name)
    }

    fn report(&self) {
        if self.trunks.is_empty() {
            return;
        }
        let mut ailing: Vec<(Ailment, &str)> = Vec::new();
        let mut now: Vec<TrunkNow> = Vec::new();
        for (at, trunk) in self.trunks.iter().enumerate() {
            let ailment = self.ways.ailment(at);
            let gauge = |is: bool| if is { 1.0 } else { 0.0 };
            let name = || trunk.name.to_string();
            if trunk.binding.is_some() {
                let registered = gauge(ailment != Some(Ailment::NotRegistered));
                metrics::gauge!("hotline_trunk_registered", "trunk" => name()).set(registered);
            }
            let up = matches!(ailment, None | Some(Ailment::Paused));
            metrics::gauge!("hotline_trunk_up", "trunk" => name()).set(gauge(up));
            metrics::gauge!("hotline_trunk_paused", "trunk" => name()).set(gauge(ailment == Some(Ailment::Paused)));
            now.push(TrunkNow { name: name(), ailment: ailment.map(Ailment::name), calls: 0 });
            ailing.extend(ailment.map(|ailment| (ailment, self.name(at))));
        }
        for (name, calls) in self.ways.calls() {
            if let Some(trunk) = now.iter_mut().find(|trunk| trunk.name == name) {
                trunk.calls = calls;
            }
            metrics::gauge!("hotline_trunk_calls", "trunk" => name.to_owned()).set(calls as f64);
        }
        self.live.set_trunks(now);
        // a pause is of calls out alone: what comes in is answered
        let fit = ailing.iter().all(|(ailment, _)| *ailment == Ailment::Paused);
        self.live.report("trunks", fit, told(&ailing));
    }
}

/// Nobody is there, or nobody who works.
fn is_silence(status: Option<u16>) -> bool {
    matches!(status, None | Some(408 | 503))
}

/// One line for the operator.
fn told(ailing: &[(Ailment, &str)]) -> Words {
    let kinds = [
        (Ailment::NotRegistered, "not registered"),
        (Ailment::Nowhere, "leading nowhere"),
        (Ailment::Silent, "not answering"),
        (Ailment::Paused, "paused for troubles with calls out"),
    ];
    let of_kind = |(kind, what): (Ailment, &'static str)| {
        let names: Vec<&str> = ailing.iter().filter(|(one, _)| *one == kind).map(|(_, name)| *name).collect();
        (!names.is_empty()).then(|| (kind, what, names.join(", ")))
    };
    let parts: Vec<(Ailment, &str, String)> = kinds.into_iter().filter_map(of_kind).collect();
    if parts.is_empty() {
        return Words::new("all can be used").said("trunks_well", &[]);
    }
    let lines: Vec<String> = parts.iter().map(|(_, what, names)| format!("{what}: {names}")).collect();
    let words = Words::new(lines.join("; "));
    parts.iter().fold(words, |words, (kind, _, names)| words.said(kind.name(), &[names]))
}
