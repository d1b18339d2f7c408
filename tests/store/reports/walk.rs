//! Tickets that are led through their lives by chance, and a ledger of what happened to them.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, TimeDelta, Utc};
use hotline::city::City;
use hotline::clock::beijing_day;
use hotline::language::Language;
use hotline::store::{NotDone, Order, Store};
use hotline::ticket::{
    AccountId, Actor, Answers, Command, Contacted, Edit, Means, NoVisit, Number, Satisfaction, Side, Solved, State,
    Ticket,
};

use crate::fixture::{Fixture, morning, ticket};

const UNITS: [(City, [&str; 3]); 2] = [
    (City::Lhasa, ["lhasa-housing", "lhasa-transport", "lhasa-market"]),
    (City::Shigatse, ["shigatse-housing", "shigatse-transport", "shigatse-market"]),
];

/// A return visit, as it should be on record.
#[derive(Clone, Debug)]
pub struct Visit {
    pub state: Seen,
    pub closed_at: DateTime<Utc>,
    pub attempted: bool,
    pub answered_at: Option<DateTime<Utc>>,
    pub answers: Option<Answers>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Due,
    Dropped,
    Over,
}

pub struct Walk {
    pub store: Store,
    pub now: DateTime<Utc>,
    pub numbers: Vec<Number>,
    pub visits: BTreeMap<(Number, u8), Visit>,
    pub upheld: Vec<(Number, DateTime<Utc>)>,
    seed: u64,
}

impl Walk {
    pub fn new(fixture: &Fixture, seed: u64) -> Walk {
        let (store, now) = (fixture.store.clone(), morning());
        Walk { store, now, numbers: Vec::new(), visits: BTreeMap::new(), upheld: Vec::new(), seed }
    }

    /// A new ticket now and then, else something that a ticket allows; an hour or so passes.
    pub async fn step(&mut self, fixture: &Fixture) {
        let minutes = 20 + self.pick(120) as i64;
        self.now += TimeDelta::minutes(minutes);
        if self.numbers.len() < 36 && self.pick(5) == 0 {
            return self.submit(fixture).await;
        }
        if self.numbers.is_empty() {
            return;
        }
        let number = self.one();
        let before = self.ticket(number).await;
        let command = self.command(&before);
        self.carry_out(&before, command).await;
    }

    pub async fn tickets(&self) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        for number in &self.numbers {
            tickets.push(self.ticket(*number).await);
        }
        tickets
    }

    async fn submit(&mut self, fixture: &Fixture) {
        let call = fixture.call(self.numbers.len() as u32).await;
        let mut new = ticket(&call);
        new.city = UNITS[self.pick(2)].0;
        new.phone = new.phone.filter(|_| self.pick(6) > 0);
        self.numbers.push(self.store.submit_ticket(&new, self.now).await.expect("submitted").number);
    }

    async fn ticket(&self, number: Number) -> Ticket {
        self.store.ticket(number).await.expect("read").expect("there").ticket
    }

    /// Refused commands change nothing, so they are part of the walk.
    async fn carry_out(&mut self, before: &Ticket, command: Command) {
        // who asks can't grant
        let person = AccountId::new(morning(), [u8::from(command == Command::Grant); 10]);
        let order = Order {
            number: before.number,
            version: None,
            command,
            actor: Actor::Account(person),
            side: Side::Hotline,
            address: None,
        };
        let after = match self.store.execute(&order, self.now).await {
            Ok(after) => after,
            Err(NotDone::Refused { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        let key = (before.number, before.handling.round);
        match order.command {
            Command::Answer { .. } | Command::Pass => {
                for follower in self.tickets().await {
                    if follower.number == before.number || follower.handling.merged_into == Some(before.number) {
                        self.closing((follower.number, after.handling.round));
                    }
                }
            }
            Command::Transfer { .. } | Command::Merge { .. } | Command::Withdraw { .. }
                if matches!(before.state, State::AwaitingVisit | State::Closed) =>
            {
                let visit = self.visits.get_mut(&key).filter(|visit| visit.state == Seen::Due);
                visit.expect("due").state = Seen::Dropped;
            }
            Command::Visited(answers) => {
                let fresh =
                    Visit { state: Seen::Over, closed_at: self.now, attempted: true, answered_at: None, answers: None };
                let visit = self.visits.entry(key).or_insert(fresh);
                *visit = Visit {
                    state: Seen::Over,
                    attempted: true,
                    answered_at: Some(self.now),
                    answers: Some(answers),
                    ..visit.clone()
                };
            }
            Command::EndVisit { because } => {
                if let Some(visit) = self.visits.get_mut(&key).filter(|visit| visit.state == Seen::Due) {
                    visit.state = Seen::Over;
                    visit.attempted |= because != NoVisit::NoPhone;
                }
            }
            Command::Uphold => self.upheld.push((before.number, self.now)),
            _ => {}
        }
    }

    fn closing(&mut self, key: (Number, u8)) {
        let fresh = Visit { state: Seen::Due, closed_at: self.now, attempted: false, answered_at: None, answers: None };
        let visit = self.visits.entry(key).or_insert(fresh);
        *visit = Visit { state: Seen::Due, closed_at: self.now, attempted: false, ..visit.clone() };
    }

    fn command(&mut self, ticket: &Ticket) -> Command {
        if ticket.handling.asked.is_some() && self.pick(3) > 0 {
            return Command::Grant;
        }
        if self.pick(8) == 0 {
            return self.aside();
        }
        let choices = match ticket.state {
            State::Received if ticket.matter.class.is_none() => vec![self.edit()],
            State::Received => {
                let refuse = Command::Refuse { reason: "litigation".parse().expect("a reason"), note: words() };
                let dispatch = Command::Dispatch { unit: self.unit(ticket), assisting: Vec::new() };
                vec![
                    dispatch.clone(),
                    dispatch.clone(),
                    dispatch,
                    Command::Answer { reply: words() },
                    refuse,
                    self.edit(),
                ]
            }
            State::Dispatched => {
                let back = Command::Return { ground: "not_our_duty".parse().expect("a ground"), note: words() };
                vec![Command::Sign, Command::Sign, contact(ticket), back]
            }
            State::InProgress => {
                let until = beijing_day(self.now) + Days::new(9);
                let reason = "awaiting_funds".parse().expect("a reason");
                vec![contact(ticket), reply(), reply(), Command::Suspend { until, reason, note: words() }]
            }
            State::ReturnUnderReview => vec![Command::AcceptReturn, Command::RejectReturn { why: words() }],
            State::Suspended => vec![Command::Resume, note()],
            State::UnderReview => vec![Command::Pass, Command::Pass, Command::Fail { why: words() }],
            State::AwaitingVisit | State::Closed | State::Merged => {
                vec![self.visited(), self.visited(), Command::EndVisit { because: NoVisit::Unreached }, note()]
            }
            State::Recheck => vec![Command::Uphold, Command::Uphold, Command::Dismiss { why: words() }],
            State::Archived => vec![Command::Reopen { why: words() }, note(), note()],
            State::Refused | State::Withdrawn => vec![note()],
        };
        choices[self.pick(choices.len())].clone()
    }

    /// What is done in any state, or refused.
    fn aside(&mut self) -> Command {
        let reason = "force_majeure".parse().expect("a reason");
        match self.pick(8) {
            0 => Command::Withdraw { why: words() },
            1 => Command::Merge { into: self.one() },
            2 | 3 => Command::AskExclusion { reason, note: words() },
            4 => Command::Supervise { level: hotline::ticket::Level::FIRST, why: words() },
            _ => {
                let unit = UNITS[self.pick(2)].1[self.pick(3)].parse().expect("a unit");
                Command::Transfer { unit, assisting: Vec::new(), why: words() }
            }
        }
    }

    fn edit(&mut self) -> Command {
        let class = ["0101", "0102", "0201"][self.pick(3)].parse().expect("a class");
        Command::Edit(Box::new(Edit {
            title: Some("路灯".parse().expect("a title")),
            class: Some(class),
            language: Some(Language::ALL[self.pick(2)]),
            valid: Some(self.pick(5) > 0),
            ..Edit::default()
        }))
    }

    fn visited(&mut self) -> Command {
        let contacted = [Some(Contacted::InTime), Some(Contacted::Late), None][self.pick(3)];
        let solved = [Some(Solved::Yes), Some(Solved::Partly), Some(Solved::No), None][self.pick(4)];
        let satisfaction = Satisfaction::new(self.pick(6) as u8);
        let mut answers = Answers { means: Means::Call, contacted, solved, satisfaction, redo: false, recording: None };
        answers.redo = answers.is_dissatisfied() && self.pick(3) > 0;
        Command::Visited(answers)
    }

    fn unit(&mut self, ticket: &Ticket) -> hotline::ticket::UnitCode {
        let units = UNITS.iter().find(|(city, _)| *city == ticket.city).expect("a city of these").1;
        units[self.pick(3)].parse().expect("a unit")
    }

    /// Any of the tickets.
    fn one(&mut self) -> Number {
        let at = self.pick(self.numbers.len());
        self.numbers[at]
    }

    /// xorshift64
    fn pick(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed % below as u64) as usize
    }
}

fn words() -> hotline::ticket::Body {
    "因为".parse().expect("a text")
}

/// Within the hour, told of afterwards.
fn contact(ticket: &Ticket) -> Command {
    let at = ticket
        .handling
        .dispatched_at
        .map(|at| at + TimeDelta::minutes(70 - i64::from(ticket.number.sequence() % 2) * 50));
    Command::RecordContact { told: words(), at }
}

fn reply() -> Command {
    Command::Reply { text: words() }
}

fn note() -> Command {
    Command::Note { text: words() }
}
