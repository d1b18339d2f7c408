//! The people of a simulated year, and the dialer's side of it: the policy is the product's own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::callback::{Config, History, Next, Policy, Tried, Use};
use hotline::city::City;
use hotline::phone::Phone;
use hotline::ticket::calendar::Calendar;
use hotline::ticket::{Contacted, Given, Outcome, Said, Satisfaction, Solved, Way};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::book::{Book, Call, End};

/// Of a thousand closings so many have no telephone.
const WITHOUT_PHONE: u32 = 30;
/// Looks at a visit that has nothing to wait for any more: a plan that does not end is found, not waited for.
const MOST_LOOKS: u32 = 200;

/// What comes next in the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The dialer, or the work beside it, looks at a visit.
    Look,
    CallEnds,
    SmsAnswered,
    CallsBack,
    PersonCalls,
}

/// When, the how manyth that was put in, what, of which visit.
type Coming = (DateTime<Utc>, u64, Due, usize);

struct Visit {
    city: City,
    closed_at: DateTime<Utc>,
    /// Its number in the town's list.
    number: Option<usize>,
    shielded: bool,
    tried: Vec<Tried>,
    given: Given,
    sms_at: Option<DateTime<Utc>>,
    /// The call under way, and what it will have brought.
    call: Option<(DateTime<Utc>, Outcome, Given)>,
    handed_on: bool,
    over: bool,
    looks: u32,
}

struct Number {
    phone: Phone,
    used: Use,
    opted_out: bool,
    live: bool,
}

pub struct Town {
    dice: StdRng,
    config: Config,
    calendar: Calendar,
    visits: Vec<Visit>,
    numbers: Vec<Number>,
    /// By time, then by when they were put in.
    to_come: BinaryHeap<Reverse<Coming>>,
    put: u64,
    book: Book,
}

impl Town {
    pub fn new(closings: u32, seed: u64) -> Town {
        let mut dice = StdRng::seed_from_u64(seed);
        let first: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().expect("a time");
        let people = (closings / 2).max(1);
        let mut numbers = Vec::new();
        for person in 0..people {
            let digits = if person % 50 == 0 { format!("0895{:07}", person) } else { format!("138{person:08}") };
            let phone = Phone::parse(&digits).expect("a number");
            numbers.push(Number { phone, used: Use::default(), opted_out: false, live: false });
        }
        let mut town = Town {
            config: Config::default(),
            calendar: Calendar::built_in(),
            visits: Vec::new(),
            numbers,
            to_come: BinaryHeap::new(),
            put: 0,
            book: Book::default(),
            dice: StdRng::seed_from_u64(seed ^ 0x12345),
        };
        for at in 0..closings as usize {
            let closed_at = first + TimeDelta::seconds(dice.random_range(0..365 * 86_400));
            // some people ask for much: their tickets compete for their number
            let person = if dice.random_ratio(1, 10) {
                dice.random_range(0..people / 50 + 1)
            } else {
                dice.random_range(0..people)
            };
            let number = (!dice.random_ratio(WITHOUT_PHONE, 1_000)).then_some(person as usize);
            town.visits.push(Visit {
                city: City::ALL[dice.random_range(0..City::ALL.len())],
                closed_at,
                number,
                shielded: dice.random_ratio(1, 20),
                tried: Vec::new(),
                given: Given::default(),
                sms_at: None,
                call: None,
                handed_on: false,
                over: false,
                looks: 0,
            });
            town.book.closed(at, closed_at, number.is_some());
            town.put(closed_at, Due::Look, at);
        }
        town
    }

    pub fn live_through(&mut self) {
        while let Some(Reverse((now, _, due, at))) = self.to_come.pop() {
            if self.visits[at].over {
                continue;
            }
            match due {
                Due::Look => self.look(now, at),
                Due::CallEnds => self.call_ends(now, at),
                Due::SmsAnswered => self.answered(now, at, End::Sms),
                Due::CallsBack => self.calls_back(now, at),
                Due::PersonCalls => self.person_calls(now, at),
            }
        }
    }

    pub fn into_book(self) -> Book {
        self.book
    }

    fn put(&mut self, at: DateTime<Utc>, due: Due, visit: usize) {
        self.put += 1;
        self.to_come.push(Reverse((at, self.put, due, visit)));
    }

    fn next(&self, at: usize, now: DateTime<Utc>) -> Next {
        let visit = &self.visits[at];
        let (none, number) = (Use::default(), visit.number.map(|number| &self.numbers[number]));
        let history = History {
            city: visit.city,
            closed_at: visit.closed_at,
            phone: number.map(|number| &number.phone),
            shielded: visit.shielded,
            tried: &visit.tried,
            given: visit.given,
            sms_at: visit.sms_at,
            opted_out: number.is_some_and(|number| number.opted_out),
            number: number.map_or(&none, |number| &number.used),
        };
        Policy { config: &self.config, calendar: &self.calendar, gateway: true }.after(&history, now)
    }

    fn look(&mut self, now: DateTime<Utc>, at: usize) {
        if self.visits[at].call.is_some() || self.visits[at].handed_on {
            return;
        }
        self.visits[at].looks += 1;
        assert!(self.visits[at].looks < MOST_LOOKS, "the plan of a visit does not end: {:?}", self.next(at, now));
        match self.next(at, now) {
            Next::Call { at: due, .. } if due <= now => self.dial(now, at),
            Next::Sms { at: due, .. } if due <= now => {
                self.visits[at].sms_at = Some(now);
                self.book.sms(at, now);
                if self.dice.random_ratio(1, 4) {
                    let hours = self.dice.random_range(1..20);
                    self.put(now + TimeDelta::hours(hours), Due::SmsAnswered, at);
                }
                self.put(now, Due::Look, at);
            }
            Next::Call { at: due, .. } | Next::Sms { at: due, .. } => self.put(due, Due::Look, at),
            Next::Reply { until } => self.put(until, Due::Look, at),
            Next::Final { at: due } if due <= now => self.over(now, at, End::Partial),
            Next::Final { at: due } => self.put(due, Due::Look, at),
            Next::Person { .. } => {
                self.visits[at].handed_on = true;
                let hours = self.dice.random_range(1..48);
                self.put(now + TimeDelta::hours(hours), Due::PersonCalls, at);
            }
            Next::Answered => self.over(now, at, End::Call),
            Next::NoPhone => self.over(now, at, End::NoPhone),
        }
    }

    /// One live call a number, as the store's unique index has it.
    fn dial(&mut self, now: DateTime<Utc>, at: usize) {
        let number = self.visits[at].number.expect("who is dialled has a number");
        if self.numbers[number].live {
            self.put(now + TimeDelta::seconds(15), Due::Look, at);
            self.visits[at].looks -= 1;
            return;
        }
        self.numbers[number].live = true;
        let (outcome, seconds) = self.behaviour();
        let given = self.says(at, outcome);
        let ends = now + TimeDelta::seconds(seconds);
        self.visits[at].call = Some((now, outcome, given));
        self.book.call(Call { visit: at, number, city: self.visits[at].city, began: now, ended: ends, outcome });
        self.put(ends, Due::CallEnds, at);
    }

    /// What comes of a call, and how long it takes.
    fn behaviour(&mut self) -> (Outcome, i64) {
        match self.dice.random_range(0..1_000) {
            0..100 => (Outcome::Busy, 2),
            100..450 => (Outcome::NoAnswer, 31),
            450..550 => (Outcome::Machine, 25),
            550..570 => (Outcome::WrongPerson, 20),
            570..620 => (Outcome::Later, 20),
            620..640 => (Outcome::HungUp, 5),
            640..700 => (Outcome::Partial, 45),
            700..720 => (Outcome::Declined, 8),
            720..745 => (Outcome::LineTrouble, 1),
            745..755 => (Outcome::BadNumber, 1),
            755..770 => (Outcome::NoKey, 30),
            770..775 => (Outcome::OptOut, 15),
            775..780 => (Outcome::Unknown, 40),
            780..785 => (Outcome::Undialable, 0),
            _ => (Outcome::Complete, 80),
        }
    }

    /// The keys of a call, behind those of earlier ones.
    fn says(&mut self, at: usize, outcome: Outcome) -> Given {
        let mut given = self.visits[at].given;
        let questions = match outcome {
            Outcome::Complete => 3,
            Outcome::Partial => self.dice.random_range(1..3),
            _ => return given,
        };
        given.hear(Said::Willing);
        for _ in 0..questions {
            let said = if given.contacted.is_none() {
                Said::Contacted(Contacted::InTime)
            } else if given.solved.is_none() {
                Said::Solved(if self.dice.random_ratio(1, 20) { Solved::No } else { Solved::Yes })
            } else if given.satisfaction.is_none() {
                Said::Satisfaction(Satisfaction::new(self.dice.random_range(1..=5)).expect("1 to 5"))
            } else {
                break;
            };
            given.hear(said);
            self.book.typed(at);
        }
        given
    }

    fn call_ends(&mut self, now: DateTime<Utc>, at: usize) {
        let (began, outcome, given) = self.visits[at].call.take().expect("a call under way");
        let visit = &mut self.visits[at];
        visit.given = given;
        let tried = Tried { way: Way::Call, at: began, outcome };
        visit.tried.push(tried);
        let number = &mut self.numbers[visit.number.expect("who was dialled has a number")];
        number.live = false;
        number.opted_out |= outcome == Outcome::OptOut;
        let lately = now - TimeDelta::days(3);
        number.used.called.retain(|at| *at > lately);
        number.used.answered.retain(|at| *at > lately);
        if tried.counts() {
            number.used.called.push(began);
        }
        if matches!(outcome, Outcome::Complete | Outcome::Partial) {
            number.used.answered.push(began);
        }
        if outcome == Outcome::Unknown {
            number.used.unknown = Some(now);
        }
        if outcome == Outcome::OptOut {
            self.book.opted_out(visit.number.expect("a number"), now);
        }
        if outcome == Outcome::Partial && self.dice.random_ratio(1, 5) {
            let hours = self.dice.random_range(1..47);
            self.put(now + TimeDelta::hours(hours), Due::CallsBack, at);
        }
        self.put(now, Due::Look, at);
    }

    fn calls_back(&mut self, now: DateTime<Utc>, at: usize) {
        let visit = &self.visits[at];
        if visit.call.is_some() || self.numbers[visit.number.expect("a number")].live {
            return;
        }
        let given = self.says(at, Outcome::Complete);
        let visit = &mut self.visits[at];
        visit.given = given;
        visit.tried.push(Tried { way: Way::CallBack, at: now, outcome: Outcome::Complete });
        self.over(now, at, End::CallBack);
    }

    fn answered(&mut self, now: DateTime<Utc>, at: usize, end: End) {
        for said in [Said::Contacted(Contacted::Late), Said::Solved(Solved::Yes)] {
            self.visits[at].given.hear(said);
        }
        self.visits[at].given.hear(Said::Satisfaction(Satisfaction::new(4).expect("1 to 5")));
        (0..3).for_each(|_| self.book.typed(at));
        self.over(now, at, end);
    }

    fn person_calls(&mut self, now: DateTime<Utc>, at: usize) {
        if self.dice.random_ratio(17, 20) {
            self.answered(now, at, End::Person);
        } else if self.visits[at].given.has_answers() {
            self.over(now, at, End::Partial);
        } else {
            self.over(now, at, End::Unreached);
        }
    }

    fn over(&mut self, now: DateTime<Utc>, at: usize, end: End) {
        self.visits[at].over = true;
        self.book.over(at, now, end, self.visits[at].given);
    }
}
