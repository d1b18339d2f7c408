//! The six stages of the closed loop (受理—交办—督办—反馈—考核—回访, domain S22), and where a ticket is in them.

use crate::ticket::{State, Ticket};

pub const STAGES: [&str; 6] = ["accept", "assign", "supervise", "answer", "assess", "visit"];

/// Where a ticket stands in the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The stage that goes on, from 0; those before it are past.
    At(usize),
    /// All of them are past.
    Through,
    /// It left the loop there.
    Left(usize),
}

pub fn stage(ticket: &Ticket) -> Stage {
    let handling = &ticket.handling;
    match ticket.state {
        State::Received => Stage::At(0),
        State::Dispatched | State::ReturnUnderReview => Stage::At(1),
        // once the requester was contacted, the answer is what is waited for
        State::InProgress if handling.contact_at.is_some() => Stage::At(3),
        State::InProgress | State::Suspended => Stage::At(2),
        State::UnderReview | State::Recheck => Stage::At(4),
        State::AwaitingVisit | State::Closed => Stage::At(5),
        State::Archived => Stage::Through,
        State::Refused | State::Withdrawn | State::Merged => Stage::Left(usize::from(handling.dispatched_at.is_some())),
    }
}

/// `past`, `now`, `left` or nothing, for each stage.
pub fn marks(stage: Stage) -> [&'static str; 6] {
    std::array::from_fn(|at| match stage {
        Stage::Through => "past",
        Stage::At(now) | Stage::Left(now) if at < now => "past",
        Stage::At(now) if at == now => "now",
        Stage::Left(now) if at == now => "left",
        Stage::At(_) | Stage::Left(_) => "",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_before_is_past() {
        assert_eq!(marks(Stage::At(2)), ["past", "past", "now", "", "", ""]);
        assert_eq!(marks(Stage::Left(0)), ["left", "", "", "", "", ""]);
        assert_eq!(marks(Stage::Through), ["past"; 6]);
    }
}
