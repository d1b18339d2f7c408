//! One try to reach a requester for a return visit, and what came of it (domain.md §4).

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::fields::{UnknownName, names};
use super::{Answers, AttemptId, Contacted, Means, Number, RecordingId, Satisfaction, Solved};
use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;

names! {
    /// How an attempt ended.
    Outcome {
        /// All three questions are answered.
        Complete = "complete",
        /// Some are; the requester hung up, or no key came any more.
        Partial = "partial",
        /// 486, 600; Q.850 cause 17.
        Busy = "busy",
        /// It rang for nothing: 408, 480; Q.850 causes 18-20.
        NoAnswer = "no_answer",
        /// 603, 606; Q.850 cause 21.
        Declined = "declined",
        /// 404, 410, 484, 604; Q.850 causes 1, 22, 28.
        BadNumber = "bad_number",
        /// The line's trouble, not the requester's doing: 3xx, 401, 403, 407, 415, 488, 5xx.
        LineTrouble = "line_trouble",
        /// Nobody pressed a key, but something spoke for 4 s on end: an answering machine.
        Machine = "machine",
        /// Silence, or talk without a key, at the gate: a person calls next.
        NoKey = "no_key",
        /// Hung up before any answer.
        HungUp = "hung_up",
        /// Key 2 at the gate.
        Later = "later",
        /// Key 3 at the gate: a person corrects the number.
        WrongPerson = "wrong_person",
        /// Key 4 at the gate: no more automatic calls to this number.
        OptOut = "opt_out",
        /// No line leads there: the dial plan refuses the number. No INVITE left.
        Undialable = "undialable",
        /// The program died meanwhile: whether it rang is not known.
        Unknown = "unknown",
    }
}

names! {
    /// The way a requester is asked.
    Way {
        /// The hotline calls by itself.
        Call = "call",
        /// The requester calls back within 48 hours.
        CallBack = "call_back",
        Sms = "sms",
        /// A person of the hotline asks.
        Person = "person",
    }
}

/// What a requester has just said in a return visit. Each is kept when it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Key 1 at the gate: this is the right person, and willing.
    Willing,
    Contacted(Contacted),
    Solved(Solved),
    Satisfaction(Satisfaction),
    /// Whether it is to be handled again.
    Redo(bool),
    /// Why, in their own voice.
    Reason(RecordingId),
}

/// What a requester has said so far in the visits of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub willing: bool,
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    pub satisfaction: Option<Satisfaction>,
    pub redo: Option<bool>,
    pub reason: Option<RecordingId>,
}

impl Given {
    pub fn hear(&mut self, said: Said) {
        match said {
            Said::Willing => self.willing = true,
            Said::Contacted(contacted) => self.contacted = Some(contacted),
            Said::Solved(solved) => self.solved = Some(solved),
            Said::Satisfaction(given) => self.satisfaction = Some(given),
            Said::Redo(redo) => self.redo = Some(redo),
            Said::Reason(recording) => self.reason = Some(recording),
        }
    }

    /// Nothing of the three questions is left.
    pub fn is_complete(&self) -> bool {
        self.contacted.is_some() && self.solved.is_some() && self.satisfaction.is_some()
    }

    /// At least one of the three questions is answered.
    pub fn has_answers(&self) -> bool {
        self.contacted.is_some() || self.solved.is_some() || self.satisfaction.is_some()
    }

    /// As far as they go; a wish to redo counts with dissatisfaction alone.
    pub fn answers(&self, means: Means) -> Answers {
        Answers {
            means,
            contacted: self.contacted,
            solved: self.solved,
            satisfaction: self.satisfaction,
            redo: self.redo == Some(true) && self.is_dissatisfied(),
            recording: self.reason,
        }
    }

    pub fn is_dissatisfied(&self) -> bool {
        self.solved == Some(Solved::No) || self.satisfaction.is_some_and(|given| given.get() <= 2)
    }
}

/// A call of a return visit, as it is about to be made or is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitCall {
    pub attempt: AttemptId,
    pub way: Way,
    pub ticket: Number,
    pub round: u8,
    pub city: City,
    /// The number that the request came in on, if it came by phone.
    pub line: Option<String>,
    pub phone: Phone,
    pub language: Language,
    /// The day of the request, in Beijing; not told of a confidential one.
    pub filed_on: NaiveDate,
    /// Only the last four digits of the number are told, and only after the gate.
    pub confidential: bool,
    /// What earlier attempts of this round brought: the survey goes on behind it.
    pub given: Given,
    /// No message was left on a machine yet.
    pub may_leave_message: bool,
}
