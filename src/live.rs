//! What is happening now: calls in progress and whether each part of the service is fit to work.
//!
//! Written by the driver, read by the API. Nothing here is kept: the store has the past.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::city::City;
use crate::language::Language;
use crate::ticket::{Direction, Outcome};

/// Readers that fall this many events behind skip to the newest.
const EVENTS_KEPT: usize = 256;

/// A call in progress. Carries no phone number: a list of live calls is seen by more people than a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveCall {
    pub id: String,
    pub direction: Direction,
    pub city: City,
    pub language: Option<Language>,
    /// The node of the flow the caller is in.
    pub node: String,
    pub started_at: DateTime<Utc>,
    pub recording: bool,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LiveEvent {
    CallStarted { call: LiveCall },
    CallMoved { call: LiveCall },
    TicketCreated { call: String, number: String },
    CallEnded { call: String },
    VisitSettled { call: String, city: City, outcome: Outcome },
    DiskChanged { level: DiskLevel, free_percent: f64 },
}

/// How much room the disk of the data folder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskLevel {
    Enough,
    Warn,
    /// The service is not ready.
    Stop,
}

/// Whether one part of the service can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    pub ok: bool,
    /// One line for the operator, without phone numbers or secrets.
    pub detail: String,
    /// The same by name, for pages, which have words of their own.
    #[serde(skip)]
    pub said: Vec<Said>,
}

/// One thing that is said of a part: a name, and the values that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub name: &'static str,
    pub values: Vec<String>,
}

/// What a part reports of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    detail: String,
    said: Vec<Said>,
}

impl Words {
    pub fn new(detail: impl Into<String>) -> Words {
        Words { detail: detail.into(), said: Vec::new() }
    }

    /// And by name.
    pub fn said(mut self, name: &'static str, values: &[&dyn fmt::Display]) -> Words {
        self.said.push(Said { name, values: values.iter().map(ToString::to_string).collect() });
        self
    }
}

impl From<&str> for Words {
    fn from(detail: &str) -> Words {
        Words::new(detail)
    }
}

/// A trunk, as it can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkNow {
    /// As the configuration names it.
    pub name: String,
    /// `not_registered`, `nowhere`, `silent` or `paused`; `None`: all is well.
    pub ailment: Option<&'static str>,
    /// Calls that go out by it.
    pub calls: usize,
}

/// Shared between the driver and the API.
#[derive(Debug)]
pub struct Live {
    calls: Mutex<HashMap<String, LiveCall>>,
    parts: Mutex<BTreeMap<&'static str, Health>>,
    trunks: Mutex<Vec<TrunkNow>>,
    events: broadcast::Sender<LiveEvent>,
}

impl Default for Live {
    fn default() -> Live {
        Live {
            calls: Mutex::default(),
            parts: Mutex::default(),
            trunks: Mutex::default(),
            events: broadcast::channel(EVENTS_KEPT).0,
        }
    }
}

impl Live {
    /// Puts a call on the board or moves it there.
    pub fn put(&self, call: LiveCall) {
        let before = locked(&self.calls).insert(call.id.clone(), call.clone());
        self.tell(if before.is_some() { LiveEvent::CallMoved { call } } else { LiveEvent::CallStarted { call } });
    }

    pub fn ticket_created(&self, call: &str, number: &str) {
        self.tell(LiveEvent::TicketCreated { call: call.to_owned(), number: number.to_owned() });
    }

    /// A call of a return visit came to this.
    pub fn visit_settled(&self, call: &str, city: City, outcome: Outcome) {
        self.tell(LiveEvent::VisitSettled { call: call.to_owned(), city, outcome });
    }

    pub fn remove(&self, call: &str) {
        if locked(&self.calls).remove(call).is_some() {
            self.tell(LiveEvent::CallEnded { call: call.to_owned() });
        }
    }

    pub fn disk_changed(&self, level: DiskLevel, free_percent: f64) {
        self.tell(LiveEvent::DiskChanged { level, free_percent });
    }

    /// Calls in progress, oldest first.
    pub fn calls(&self) -> Vec<LiveCall> {
        let mut calls: Vec<LiveCall> = locked(&self.calls).values().cloned().collect();
        calls.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
        calls
    }

    /// What happens from now on. A reader that lags is told how many events it missed and goes on.
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.events.subscribe()
    }

    /// Reports the state of a part: `store`, `media`, `sip`, `drain`, `trunk …`.
    pub fn report(&self, part: &'static str, ok: bool, words: impl Into<Words>) {
        let Words { detail, said } = words.into();
        locked(&self.parts).insert(part, Health { ok, detail, said });
    }

    /// Every part that has reported, by name.
    pub fn health(&self) -> BTreeMap<&'static str, Health> {
        locked(&self.parts).clone()
    }

    /// How the trunks are, all of them.
    pub fn set_trunks(&self, trunks: Vec<TrunkNow>) {
        *locked(&self.trunks) = trunks;
    }

    pub fn trunks(&self) -> Vec<TrunkNow> {
        locked(&self.trunks).clone()
    }

    fn tell(&self, event: LiveEvent) {
        // nobody listening is no failure
        let _ = self.events.send(event);
    }
}

/// A panic elsewhere leaves what is inside whole: every change is one insert, remove or assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, node: &str) -> LiveCall {
        let started_at = "2026-11-22T01:00:00Z".parse().expect("a time");
        LiveCall {
            id: id.into(),
            direction: Direction::Inbound,
            city: City::Lhasa,
            language: None,
            node: node.into(),
            started_at,
            recording: false,
        }
    }

    #[test]
    fn a_call_starts_moves_and_ends_once() {
        let live = Live::default();
        let mut seen = live.subscribe();
        live.put(call("a", "answer"));
        live.put(call("a", "menu"));
        live.remove("a");
        live.remove("a");
        assert!(matches!(seen.try_recv(), Ok(LiveEvent::CallStarted { .. })));
        assert!(matches!(seen.try_recv(), Ok(LiveEvent::CallMoved { .. })));
        assert!(matches!(seen.try_recv(), Ok(LiveEvent::CallEnded { .. })));
        assert!(seen.try_recv().is_err());
        assert!(live.calls().is_empty());
    }
}
