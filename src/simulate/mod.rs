//! A simulated year: tickets that come in as people call, and walk through their lives by the domain's own rules on
//! virtual time. Everything comes from one seed.
//!
//! The rates are about Chamdo's (domain.md, head): over 99 % closed, over 95.7 % satisfied. Nobody is in it: telephone
//! numbers begin with 019, an area code that no place in China has (of 01x only Beijing's 010 is in use), so that
//! none can be dialled.

mod arrivals;
mod dice;
mod matter;
mod people;
mod places;
mod requester;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::city::City;
use crate::ticket::calendar::Calendar;
use crate::ticket::catalogue::Catalogue;
use crate::ticket::deadline::Limits;
use crate::ticket::{ClassCode, Effect, Life, Number, ReasonCode, ReasonKind, UnitCode};
use arrivals::Arrivals;
use dice::Dice;
use matter::{Chosen, Matters};
use people::People;
use walk::Walk;

/// What is simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    tickets: u32,
    days: u32,
    seed: u64,
    from: NaiveDate,
}

/// A plan that can't be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    #[error("a simulation has 1 to 3660 days")]
    Days,
    #[error("a simulation lies within the years 2000 to 2098, as ticket numbers do")]
    Years,
    #[error(
        "a city has numbers for 9,999 tickets a day: the seven of them get 1 to {} tickets a day",
        Plan::MOST_A_DAY
    )]
    Tickets,
}

impl Plan {
    /// On average; on the busiest day the largest city still has numbers left.
    pub const MOST_A_DAY: u32 = 20_000;

    /// So many tickets on so many days, `from` being the first.
    pub fn new(tickets: u32, days: u32, seed: u64, from: NaiveDate) -> Result<Plan, BadPlan> {
        if !(1..=3_660).contains(&days) {
            return Err(BadPlan::Days);
        }
        let plan = Plan { tickets, days, seed, from };
        if from.year() < 2000 || plan.end().year() > 2098 {
            return Err(BadPlan::Years);
        }
        if tickets == 0 || tickets / days > Plan::MOST_A_DAY {
            return Err(BadPlan::Tickets);
        }
        Ok(plan)
    }

    pub fn tickets(&self) -> u32 {
        self.tickets
    }

    /// The first day.
    pub fn from(&self) -> NaiveDate {
        self.from
    }

    /// The day after the last one: nothing happens from its beginning in Beijing on.
    fn end(&self) -> NaiveDate {
        self.from.checked_add_days(Days::new(self.days.into())).unwrap_or(NaiveDate::MAX)
    }
}

/// What the tickets live by.
#[derive(Clone, Debug)]
pub struct World {
    pub calendar: Arc<Calendar>,
    /// Of each city, in the order of [`City::ALL`].
    pub limits: [Limits; City::ALL.len()],
}

impl World {
    fn limits(&self, city: City) -> &Limits {
        &self.limits[city as usize]
    }
}

/// The lives of the tickets, one after the other, as they come in. A life is whole when it is handed out: it has ended,
/// or stands where the simulated time ends.
#[derive(Debug)]
pub struct Simulation {
    setting: Setting,
    dice: Dice,
    arrivals: Arrivals,
    today: VecDeque<(DateTime<Utc>, City)>,
    numbers: HashMap<(City, NaiveDate), u16>,
    /// Tickets that a later one of the city may be merged into, newest last.
    leads: HashMap<City, VecDeque<Lead>>,
    /// How many phone numbers there are to call from.
    phones: u32,
}

/// What all walks share.
#[derive(Debug)]
pub(crate) struct Setting {
    world: World,
    /// Nothing happens from here on.
    end: DateTime<Utc>,
    people: People,
    matters: Matters,
    units: Units,
    reasons: BTreeMap<ReasonKind, Vec<ReasonCode>>,
}

/// A ticket that others follow.
#[derive(Debug)]
struct Lead {
    number: Number,
    matter: Chosen,
    /// Others are merged into it before this: it is open until then.
    closed_at: DateTime<Utc>,
    /// When visits were due, and in which round.
    visits: Vec<(DateTime<Utc>, u8)>,
}

/// Which unit of a city handles which class.
#[derive(Debug)]
pub(crate) struct Units {
    by_class: BTreeMap<(City, ClassCode), Vec<usize>>,
    by_city: BTreeMap<City, Vec<usize>>,
}

impl Simulation {
    /// The catalogue is the one this program carries.
    pub fn new(plan: &Plan, world: World) -> Simulation {
        let hired_at = arrivals::beijing_midnight(plan.from.pred_opt().unwrap_or(plan.from));
        Simulation {
            arrivals: Arrivals::new(plan, &world.calendar),
            setting: Setting {
                world,
                end: arrivals::beijing_midnight(plan.end()),
                people: People::new(hired_at),
                matters: Matters::new(),
                units: Units::new(),
                reasons: reasons(),
            },
            dice: Dice::new(plan.seed),
            today: VecDeque::new(),
            numbers: HashMap::new(),
            leads: HashMap::new(),
            phones: plan.tickets.saturating_mul(3) / 5 + 1,
        }
    }

    fn arrival(&mut self) -> Option<(DateTime<Utc>, City)> {
        while self.today.is_empty() {
            self.today = self.arrivals.day(&mut self.dice)?.into();
        }
        self.today.pop_front()
    }

    /// As the store gives them: past 9,999 the next day's.
    fn number(&mut self, city: City, day: NaiveDate) -> Number {
        for day in day.iter_days().take(31) {
            let last = self.numbers.entry((city, day)).or_default();
            if *last < Number::LAST_SEQUENCE {
                *last += 1;
                return Number::new(city, day, *last).expect("a plan lies within the years of numbers");
            }
        }
        unreachable!("a plan leaves numbers on every day")
    }

    fn life(&mut self, at: DateTime<Utc>, city: City) -> Life {
        let number = self.number(city, crate::clock::beijing_day(at));
        let created = requester::ticket(number, at, self.phones, &mut self.dice);
        let leads = self.leads.entry(city).or_default();
        while leads.front().is_some_and(|lead| lead.closed_at <= at) {
            leads.pop_front();
        }
        let lead = if self.dice.permille(15) { leads.iter().rev().find(|lead| lead.closed_at > at) } else { None };
        let walk = match lead {
            Some(lead) => Walk::after(&self.setting, &mut self.dice, created, lead),
            None => Walk::alone(&self.setting, &mut self.dice, created),
        };
        let (life, matter) = walk.run();
        leads.extend(Lead::of(&life, matter));
        if leads.len() > 32 {
            leads.pop_front();
        }
        life
    }
}

impl Iterator for Simulation {
    type Item = Life;

    fn next(&mut self) -> Option<Life> {
        let (at, city) = self.arrival()?;
        Some(self.life(at, city))
    }
}

impl Lead {
    /// A ticket that a unit closed, and that is no follower itself.
    fn of(life: &Life, matter: Chosen) -> Option<Lead> {
        let ticket = life.ticket();
        ticket.handling.lead.as_ref()?;
        if ticket.handling.merged_into.is_some() {
            return None;
        }
        let due = |effect: &Effect| match effect {
            Effect::VisitDue { round } => Some(*round),
            _ => None,
        };
        let visits: Vec<(DateTime<Utc>, u8)> = life
            .deeds
            .iter()
            .flat_map(|deed| deed.effects.iter().filter_map(due).map(|round| (deed.at, round)))
            .collect();
        let closed_at = visits.first()?.0;
        Some(Lead { number: ticket.number, matter, closed_at, visits })
    }
}

impl Units {
    fn new() -> Units {
        let catalogue = Catalogue::built_in();
        let (mut by_class, mut by_city) = (BTreeMap::<_, Vec<usize>>::new(), BTreeMap::<_, Vec<usize>>::new());
        for (at, unit) in catalogue.units.iter().enumerate().filter(|(_, unit)| unit.active) {
            by_city.entry(unit.city).or_default().push(at);
            for class in catalogue.classes.iter().filter(|class| unit.handles(class.code)) {
                by_class.entry((unit.city, class.code)).or_default().push(at);
            }
        }
        Units { by_class, by_city }
    }

    /// The unit that usually handles it, now and then another.
    fn choose(&self, city: City, class: ClassCode, dice: &mut Dice) -> usize {
        let all = &self.by_city[&city];
        match self.by_class.get(&(city, class)) {
            Some(units) if !dice.permille(40) => *dice.pick(units),
            _ => *dice.pick(all),
        }
    }

    fn other(&self, city: City, not: &UnitCode, dice: &mut Dice) -> usize {
        let others: Vec<usize> = self.by_city[&city].iter().copied().filter(|at| Units::code(*at) != not).collect();
        *dice.pick(&others)
    }

    fn code(at: usize) -> &'static UnitCode {
        &Catalogue::built_in().units[at].code
    }

    fn place(code: &UnitCode) -> usize {
        let mut units = Catalogue::built_in().units.iter();
        units.position(|unit| unit.code == *code).expect("a unit of the catalogue")
    }
}

fn reasons() -> BTreeMap<ReasonKind, Vec<ReasonCode>> {
    let mut reasons = BTreeMap::<_, Vec<_>>::new();
    for reason in Catalogue::built_in().reasons.iter().filter(|reason| reason.active) {
        reasons.entry(reason.kind).or_default().push(reason.code.clone());
    }
    reasons
}
