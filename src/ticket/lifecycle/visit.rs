//! The end of a round: the return visit, the recheck, and handling the matter again.

use super::super::{State, deadline};
use super::{Answers, Changing, Effect, LAST_ROUND, Level, NoVisit, Refused, Told};

impl Changing<'_> {
    pub(super) fn visited(&mut self, answers: &Answers) -> Result<(), Refused> {
        if answers.contacted.is_none() && answers.solved.is_none() && answers.satisfaction.is_none() {
            return Err(Refused::NoAnswers);
        }
        if answers.redo && !answers.is_dissatisfied() {
            return Err(Refused::NothingToRedo);
        }
        self.ticket.visit.contacted = answers.contacted;
        self.ticket.visit.solved = answers.solved;
        self.ticket.visit.satisfaction = answers.satisfaction;
        let round = self.ticket.handling.round;
        self.effects.push(Effect::VisitAnswered { round, answers: answers.clone() });
        match self.ticket.state {
            State::Merged => {
                if let (true, Some(lead)) = (answers.redo, self.ticket.handling.merged_into) {
                    self.effects.push(Effect::FollowerUnsolved { lead });
                }
            }
            State::AwaitingVisit if answers.redo => self.recheck(),
            _ => {
                if answers.is_dissatisfied() {
                    self.supervise_at_least(Level::FIRST);
                }
                self.end(State::Archived);
            }
        }
        Ok(())
    }

    pub(super) fn end_visit(&mut self, because: NoVisit) -> Result<(), Refused> {
        if because == NoVisit::NoPhone && self.ticket.phone.is_some() {
            return Err(Refused::HasPhone);
        }
        self.effects.push(Effect::VisitOver { round: self.ticket.handling.round, because: Some(because) });
        if self.ticket.state != State::Merged {
            self.end(State::Archived);
        }
        Ok(())
    }

    /// A visit that is still due is not made.
    pub(super) fn cancel_visit(&mut self) {
        if matches!(self.ticket.state, State::AwaitingVisit | State::Closed) {
            self.effects.push(Effect::VisitOver { round: self.ticket.handling.round, because: None });
        }
    }

    pub(super) fn reopen(&mut self) -> Result<(), Refused> {
        let ended = self.ticket.handling.ended_at.unwrap_or(self.ticket.state_since);
        if self.moment.now > deadline::reopen_until(ended, self.moment.limits) {
            return Err(Refused::ReopenTooLate { days: self.moment.limits.reopen_within_days });
        }
        self.recheck();
        Ok(())
    }

    /// After the last round a third wish is for supervision and a person: nothing upholds it by itself.
    fn recheck(&mut self) {
        self.ticket.handling.ended_at = None;
        self.enter(State::Recheck);
        if self.ticket.handling.round >= LAST_ROUND {
            self.supervise_at_least(Level::FIRST);
        }
    }

    pub(super) fn redo(&mut self) -> Result<(), Refused> {
        if self.ticket.handling.round >= LAST_ROUND {
            return Err(Refused::NoThirdRedo);
        }
        if self.ticket.handling.lead.is_none() {
            return Err(Refused::NoLead);
        }
        let handling = &mut self.ticket.handling;
        handling.round += 1;
        handling.closed_at = None;
        handling.raised.clear();
        handling.round_started_at = Some(self.moment.now);
        handling.extra_days = 0;
        self.settle_due();
        self.enter(State::InProgress);
        if self.ticket.handling.round == LAST_ROUND {
            self.supervise_at_least(Level::FIRST);
        }
        self.tell(Told::Redone);
        Ok(())
    }
}
