//! The board at one moment, in words.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::access::{Cities, Right};
use crate::city::City;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::pages::{Frame, text};
use crate::console::problem::Problem;
use crate::live::{Health, LiveCall, Said};
use crate::report::chart::{Line, Words, lines};
use crate::store::{Dimension, StoreError};
use crate::ticket::Direction;

/// A call in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallNow {
    pub id: String,
    pub state: String,
    pub city: String,
    pub language: String,
    /// Where in the menu the caller is.
    pub place: String,
    pub began: DateTime<Utc>,
}

/// The calls of whoever looks, oldest first, and how many lines they use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// The server's time, which seconds are counted from.
    pub at: DateTime<Utc>,
    pub calls: Vec<CallNow>,
    pub incoming: usize,
    pub outgoing: usize,
}

impl Calls {
    pub fn now(shared: &Shared, frame: &Frame) -> Calls {
        let mut calls = shared.live.calls();
        calls.retain(|call| frame.asking.caller.cities.contains(call.city));
        let incoming = calls.iter().filter(|call| call.direction == Direction::Inbound).count();
        let outgoing = calls.len() - incoming;
        let calls = calls.into_iter().map(|call| CallNow::new(frame, call)).collect();
        Calls { at: shared.clock.wall(), calls, incoming, outgoing }
    }
}

impl CallNow {
    fn new(frame: &Frame, call: LiveCall) -> CallNow {
        let state = match call.recording {
            true => frame.t("board.recording").to_owned(),
            false => frame.name("direction", call.direction),
        };
        CallNow {
            state,
            city: frame.name("city", call.city),
            language: call.language.map(|language| frame.name("language", language)).unwrap_or_default(),
            place: frame.name("node", &call.node),
            began: call.started_at,
            id: call.id,
        }
    }

    /// Until then.
    pub fn lasts(&self, at: &DateTime<Utc>) -> u64 {
        u64::try_from((*at - self.began).num_milliseconds()).unwrap_or_default()
    }
}

/// A part of the service, such as the trunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}

/// A matter that will soon be supervised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    pub city: String,
    pub class: String,
    pub place: String,
    pub tickets: u32,
    pub threshold: u32,
}

/// What is counted: of the cities of whoever looks, and of tickets only for who may read them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// By name: `received`, `overdue`, …
    pub numbers: Vec<(&'static str, u64)>,
    pub parts: Vec<Part>,
    pub near: Vec<Near>,
    /// Calls of today by hour, as SVG.
    pub hours: String,
    pub calls_today: u64,
}

impl Figures {
    /// `near`: what is near supervision, where it is known well enough; finding it walks a month of tickets.
    pub async fn read(shared: &Shared, frame: &Frame, near: Option<Vec<Near>>) -> Result<Figures, Problem> {
        let failed = |error: StoreError| Problem::internal("board", &error);
        let now = shared.clock.wall();
        let cities = cities(&frame.asking.caller.cities);
        let hours = shared.store.calls_by_hour(beijing_day(now), &cities).await.map_err(failed)?;
        let parts = shared.live.health().into_iter().map(|(name, health)| Part {
            name: frame.name("part", name),
            ok: health.ok,
            detail: in_words(frame, health),
        });
        let mut figures = Figures {
            parts: parts.collect(),
            hours: by_hour(frame, hours),
            calls_today: hours.iter().sum(),
            ..Figures::default()
        };
        if frame.may(Right::ReadTickets) {
            figures.of_tickets(shared, frame, now).await.map_err(failed)?;
            figures.near = match near {
                Some(near) => near,
                None => near_now(shared, frame, now, &cities).await.map_err(failed)?,
            };
        }
        Ok(figures)
    }

    async fn of_tickets(&mut self, shared: &Shared, frame: &Frame, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sees = |city: &City| frame.asking.caller.cities.contains(*city);
        let overview = shared.store.overview(now, None).await?;
        let sum = |of: fn(&crate::store::CityFigures) -> u64| {
            overview.cities.iter().filter(|(city, _)| sees(city)).map(|(_, figures)| of(figures)).sum()
        };
        let visits = shared.store.visit_counts().await?;
        let visits = visits.iter().filter(|count| sees(&count.city)).map(|count| count.visits).sum();
        self.numbers = vec![
            ("open", sum(|figures| figures.states.values().sum())),
            ("contact_soon", sum(|figures| figures.contact_soon)),
            ("contact_breached", sum(|figures| figures.contact_breached)),
            ("overdue", sum(|figures| figures.overdue)),
            ("supervised", sum(|figures| figures.supervised.iter().sum())),
            ("visits", visits),
        ];
        Ok(())
    }
}

/// What a part says of itself; as it was reported where pages have no words for it.
fn in_words(frame: &Frame, health: Health) -> String {
    let words = |said: &Said| {
        let text = frame.known_name("health", said.name)?;
        let values: Vec<&dyn std::fmt::Display> = said.values.iter().map(|value| value as _).collect();
        Some(text::fill(&text, &values))
    };
    let said: Option<Vec<String>> = health.said.iter().map(words).collect();
    said.filter(|said| !said.is_empty()).map_or(health.detail, |said| said.join("；"))
}

async fn near_now(
    shared: &Shared,
    frame: &Frame,
    now: DateTime<Utc>,
    cities: &[City],
) -> Result<Vec<Near>, StoreError> {
    let names = shared.store.names(Dimension::Class).await?;
    let near = shared.store.near_matters(now, cities).await?.into_iter().map(|matter| {
        let class = matter.class.to_string();
        Near {
            city: frame.name("city", matter.city),
            class: names.get(&class).map_or(class, |name| name.zh.clone()),
            place: matter.place,
            tickets: matter.tickets,
            threshold: matter.threshold,
        }
    });
    Ok(near.collect())
}

/// Empty: all.
fn cities(cities: &Cities) -> Vec<City> {
    match cities {
        Cities::All => Vec::new(),
        Cities::Only(cities) => cities.iter().copied().collect(),
    }
}

fn by_hour(frame: &Frame, hours: [u64; 24]) -> String {
    let places: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let line = Line {
        label: frame.t("board.calls").to_owned(),
        values: hours.iter().map(|calls| Some(*calls as f64)).collect(),
    };
    let sum: u64 = hours.iter().sum();
    let description = frame.fill("board.hours_desc", &[&sum]);
    let words = Words { id: "chart-hours", title: frame.t("board.hours"), description: &description };
    lines(words, &places, &[line])
}
