//! What is done next for a return visit, and when (domain §4, policy).

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::config::Config;
use super::reason::{Because, Held};
use crate::city::City;
use crate::clock::{beijing_day, beijing_time, from_beijing};
use crate::phone::Phone;
use crate::ticket::calendar::{Calendar, Reason};
use crate::ticket::{Given, Outcome, Way};

/// So far ahead a moment for a call is looked for.
const HORIZON: TimeDelta = TimeDelta::days(60);

/// The rules, with the days they are counted by.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub config: &'a Config,
    pub calendar: &'a Calendar,
    /// There is a gateway that sends SMS.
    pub gateway: bool,
}

/// What has happened to a visit so far.
#[derive(Clone, Debug)]
pub struct History<'a> {
    pub city: City,
    /// When the matter passed review.
    pub closed_at: DateTime<Utc>,
    pub phone: Option<&'a Phone>,
    /// Confidential, or a report of wrongdoing (举报): no SMS, which others may read.
    pub shielded: bool,
    /// This round's attempts that have ended, oldest first.
    pub tried: &'a [Tried],
    /// What they brought.
    pub given: Given,
    /// When the round's SMS left.
    pub sms_at: Option<DateTime<Utc>>,
    /// The number's holder wants no automatic calls.
    pub opted_out: bool,
    pub number: &'a Use,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub way: Way,
    /// When it began.
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
}

/// What a number went through lately, all its tickets together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Attempts that may have rung.
    pub called: Vec<DateTime<Utc>>,
    /// Surveys that it answered, wholly or in part.
    pub answered: Vec<DateTime<Utc>>,
    /// The last attempt of which nobody knows whether it rang.
    pub unknown: Option<DateTime<Utc>>,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An automatic call, not earlier.
    Call { at: DateTime<Utc>, held: Held },
    /// The questions by SMS, not earlier.
    Sms { at: DateTime<Utc>, held: Held },
    /// The SMS has left; its answer is waited for.
    Reply { until: DateTime<Utc> },
    /// Some answers are there and no attempt is left: they become final then, unless the requester calls back.
    Final { at: DateTime<Utc> },
    /// A person makes the visit.
    Person { because: Because },
    /// All questions are answered.
    Answered,
    /// Nobody can be called.
    NoPhone,
}

impl Tried {
    /// It counts as one of the requester's attempts: the phone rang or may have rung.
    pub fn counts(&self) -> bool {
        self.way == Way::Call && !matches!(self.outcome, Outcome::LineTrouble | Outcome::Undialable)
    }

    /// What ends all automatic calling.
    fn needs_a_person(&self) -> Option<Because> {
        match self.outcome {
            Outcome::NoKey => Some(Because::NoKey),
            Outcome::WrongPerson => Some(Because::WrongPerson),
            Outcome::BadNumber => Some(Because::BadNumber),
            Outcome::Undialable => Some(Because::Undialable),
            _ => None,
        }
    }
}

impl Policy<'_> {
    /// What is done next, the first time and after every attempt.
    pub fn after(&self, history: &History<'_>, now: DateTime<Utc>) -> Next {
        let Some(phone) = history.phone else { return Next::NoPhone };
        let complete = history.tried.iter().any(|tried| tried.outcome == Outcome::Complete);
        if history.given.is_complete() || complete && history.given.has_answers() {
            return Next::Answered;
        }
        if let Some(because) = history.tried.iter().find_map(Tried::needs_a_person) {
            return Next::Person { because };
        }
        let sms = self.config.sms && self.gateway && is_mobile(phone) && !history.shielded;
        if history.opted_out {
            return self.without_calls(history, sms, Because::OptedOut, now);
        }
        if !self.config.calls_in(history.city) {
            return self.without_calls(history, sms, Because::CallsOff, now);
        }
        if history.attempts() >= self.config.attempts as usize {
            return self.without_calls(history, sms, Because::Unreached, now);
        }
        let troubles = history.tried.iter().filter(|tried| tried.outcome == Outcome::LineTrouble).count();
        if troubles > self.config.line_trouble_retries as usize {
            return Next::Person { because: Because::LinesFailed };
        }
        match self.free(history.closed_at.max(now), |at| self.obstacle(history, at)) {
            Some((at, held)) => Next::Call { at, held },
            None => self.without_calls(history, sms, Because::NoWindow, now),
        }
    }

    /// What remains when nobody is called any more: answers that are there count, else an SMS, else a person.
    fn without_calls(&self, history: &History<'_>, sms: bool, because: Because, now: DateTime<Utc>) -> Next {
        if history.given.has_answers() {
            let last = history.tried.iter().map(|tried| tried.at).max().unwrap_or(history.closed_at);
            let at = if history.opted_out { last } else { last + self.config.continue_within() };
            return Next::Final { at };
        }
        if let Some(sent) = history.sms_at {
            let days = self.config.sms_wait_working_days;
            let until = self.calendar.due_day(Some(history.city), beijing_day(sent), days).at();
            return if now < until { Next::Reply { until } } else { Next::Person { because } };
        }
        if !sms {
            return Next::Person { because };
        }
        match self.free(now, |at| self.closed(history.city, at)) {
            Some((at, held)) => Next::Sms { at, held },
            None => Next::Person { because },
        }
    }

    /// The end of the working day after passing review: the first attempt is made by then, unless a cap holds it back.
    pub fn first_by(&self, city: City, closed_at: DateTime<Utc>) -> DateTime<Utc> {
        self.calendar.day_after(Some(city), beijing_day(closed_at), 1).at()
    }

    /// The first moment without an obstacle, and the obstacle before it that tells most; of equal ones the last.
    fn free(
        &self,
        from: DateTime<Utc>,
        obstacle: impl Fn(DateTime<Utc>) -> Option<(DateTime<Utc>, Held)>,
    ) -> Option<(DateTime<Utc>, Held)> {
        let (mut at, mut held) = (from, Held::Due);
        while at <= from.checked_add_signed(HORIZON)? {
            match obstacle(at) {
                None => return Some((at, held)),
                Some((until, why)) => (at, held) = (until, if why.tells() >= held.tells() { why } else { held }),
            }
        }
        None
    }

    /// What forbids a call then, and until when it does; always later than `at`.
    fn obstacle(&self, history: &History<'_>, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Held)> {
        let (config, day) = (self.config, beijing_day(at));
        let later = |until: DateTime<Utc>, held| (until > at).then_some((until, held));
        let trouble = history.tried.last().filter(|tried| tried.outcome == Outcome::LineTrouble);
        let wait = TimeDelta::minutes(config.line_trouble_wait_minutes.into());
        let on_day = |times: &[DateTime<Utc>]| times.iter().filter(|time| beijing_day(**time) == day).count();
        let tomorrow = |held| day.succ_opt().and_then(|next| later(from_beijing(next, NaiveTime::MIN), held));
        history
            .number
            .unknown
            .and_then(|unknown| later(unknown + config.cool_down(), Held::CoolDown))
            .or_else(|| trouble.and_then(|trouble| later(trouble.at + wait, Held::LineTrouble)))
            .or_else(|| history.last_call().and_then(|last| later(last + config.apart(), Held::Apart)))
            .or_else(|| {
                let half = self.half_day(at);
                let tried = history.tried.iter().any(|tried| tried.counts() && self.half_day(tried.at) == half);
                if tried { later(self.next_half_day(at)?, Held::HalfDay) } else { None }
            })
            .or_else(|| {
                let called = on_day(&history.number.called) >= config.calls_a_number_a_day as usize;
                if called { tomorrow(Held::NumberCap) } else { None }
            })
            .or_else(|| {
                let answered = on_day(&history.number.answered) >= config.surveys_a_number_a_day as usize;
                if answered { tomorrow(Held::Surveyed) } else { None }
            })
            .or_else(|| self.closed(history.city, at))
    }

    /// A quiet day, or an hour outside the windows.
    fn closed(&self, city: City, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Held)> {
        let (day, time) = (beijing_day(at), beijing_time(at));
        let next = from_beijing(day.succ_opt()?, NaiveTime::MIN);
        if self.is_quiet(city, day) {
            return Some((next, Held::QuietDay));
        }
        let windows = self.config.windows_of(city, day);
        if windows.iter().any(|window| window.takes(time, self.config.ring())) {
            return None;
        }
        let opens = windows.iter().map(|window| window.opens()).filter(|opens| *opens > time).min();
        Some((opens.map_or(next, |opens| from_beijing(day, opens)), Held::Window))
    }

    /// Nobody is called on the day, nor told by SMS.
    pub fn is_quiet(&self, city: City, day: NaiveDate) -> bool {
        let off = matches!(self.calendar.reason(Some(city), day), Reason::Off(_));
        off && !self.config.call_on_days_off || self.config.is_quiet(city, day)
    }

    /// A day and whether it is its second half.
    fn half_day(&self, at: DateTime<Utc>) -> (NaiveDate, bool) {
        (beijing_day(at), beijing_time(at) >= self.config.midday)
    }

    fn next_half_day(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.half_day(at) {
            (day, false) => Some(from_beijing(day, self.config.midday)),
            (day, true) => Some(from_beijing(day.succ_opt()?, NaiveTime::MIN)),
        }
    }
}

impl History<'_> {
    /// Automatic attempts that count.
    pub fn attempts(&self) -> usize {
        self.tried.iter().filter(|tried| tried.counts()).count()
    }

    /// The last attempt that counts, and the last of the number's other tickets.
    fn last_call(&self) -> Option<DateTime<Utc>> {
        let own = self.tried.iter().filter(|tried| tried.counts()).map(|tried| tried.at);
        own.chain(self.number.called.iter().copied()).max()
    }
}

/// Whether an SMS reaches it.
fn is_mobile(phone: &Phone) -> bool {
    phone.digits().len() == 11 && phone.digits().starts_with('1')
}
