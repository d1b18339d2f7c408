//! What the store is told about the service's settings, since one transaction carries out a command and all its
//! consequences.

use std::collections::BTreeMap;

use super::AccessConfig;
use crate::callback;
use crate::city::City;
use crate::ticket::deadline::Limits;
use crate::ticket::{likeness, quality, supervision};

/// The limits of every city, and who is told of changes.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub limits: Limits,
    /// For cities that have limits of their own.
    pub cities: BTreeMap<City, Limits>,
    /// Who hears of changes.
    pub webhooks: Vec<Subscriber>,
    /// There is an SMS gateway: requesters are told.
    pub sms: bool,
    /// How long people stay signed in, and how often they may mistype.
    pub access: AccessConfig,
    pub supervision: supervision::Config,
    pub matching: likeness::Config,
    pub visits: callback::Config,
    pub quality: quality::Config,
}

impl Rules {
    pub fn limits(&self, city: City) -> &Limits {
        self.cities.get(&city).unwrap_or(&self.limits)
    }
}

/// What a webhook may hear of.
pub const WEBHOOK_EVENTS: [&str; 9] = [
    "ticket.created",
    "ticket.state_changed",
    "ticket.supervision_changed",
    "ticket.due_changed",
    "ticket.alarm_raised",
    "supervision.opened",
    "supervision.stepped_up",
    "supervision.ended",
    "trend.raised",
];

/// A webhook, as far as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub name: String,
    /// Of [`WEBHOOK_EVENTS`]; empty: all.
    pub events: Vec<String>,
}

impl Subscriber {
    pub fn hears(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|heard| heard == event)
    }
}
