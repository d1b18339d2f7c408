//! A life's return visits as they stand at its end: what the statements of `store::visits` come to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ticket::{Answers, Effect, Heard, Life, Means, NoVisit, RecordingId, State, Ticket};

pub(super) const INSERT_INTO: &str = "insert into visit (ticket, round, state, closed_at, due_at, attempts, attempted_at, \
     answered_at, means, contacted, solved, satisfaction, redo, recording) ";

#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub state: &'static str,
    pub closed_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub attempts: i64,
    pub attempted_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub means: Option<Means>,
    pub heard: Heard,
    pub redo: Option<bool>,
    pub recording: Option<RecordingId>,
}

/// By round.
pub(super) fn visits_of(life: &Life) -> BTreeMap<u8, Visit> {
    let mut visits = BTreeMap::new();
    let mut followed = life.followed.iter().peekable();
    for deed in &life.deeds {
        while let Some((at, round)) = followed.next_if(|(at, _)| *at <= deed.at) {
            fall_due(&mut visits, *round, *at);
        }
        for effect in &deed.effects {
            match effect {
                Effect::VisitDue { round } => fall_due(&mut visits, *round, deed.at),
                Effect::VisitAnswered { round, answers } => {
                    let round = visited_round(&visits, &deed.ticket, *round);
                    visits.entry(round).or_insert_with(|| Visit::due(deed.at)).answer(answers, deed.at);
                }
                Effect::VisitOver { round, because } => {
                    let round = visited_round(&visits, &deed.ticket, *round);
                    if let Some(visit) = visits.get_mut(&round).filter(|visit| visit.state == "due") {
                        visit.end(*because, deed.at);
                    }
                }
                _ => {}
            }
        }
    }
    for (at, round) in followed {
        fall_due(&mut visits, *round, *at);
    }
    visits
}

fn fall_due(visits: &mut BTreeMap<u8, Visit>, round: u8, at: DateTime<Utc>) {
    let visit = visits.entry(round).or_insert_with(|| Visit::due(at));
    visit.state = "due";
    (visit.closed_at, visit.due_at) = (at, at);
    (visit.attempts, visit.attempted_at) = (0, None);
}

/// As `Store::visited_round`: a merged ticket is visited in the rounds of its lead.
fn visited_round(visits: &BTreeMap<u8, Visit>, ticket: &Ticket, own: u8) -> u8 {
    if ticket.state != State::Merged {
        return own;
    }
    visits.iter().rev().find(|(_, visit)| visit.state == "due").map_or(own, |(round, _)| *round)
}

impl Visit {
    fn due(at: DateTime<Utc>) -> Visit {
        Visit {
            state: "due",
            closed_at: at,
            due_at: at,
            attempts: 0,
            attempted_at: None,
            answered_at: None,
            means: None,
            heard: Heard::default(),
            redo: None,
            recording: None,
        }
    }

    fn attempt(&mut self, at: DateTime<Utc>) {
        self.attempts = self.attempts.max(1);
        self.attempted_at = self.attempted_at.or(Some(at));
    }

    fn answer(&mut self, answers: &Answers, at: DateTime<Utc>) {
        let Answers { means, contacted, solved, satisfaction, redo, recording } = *answers;
        self.attempt(at);
        self.state = "answered";
        self.answered_at = Some(at);
        self.means = Some(means);
        self.heard = Heard { contacted, solved, satisfaction };
        self.redo = Some(redo);
        self.recording = recording;
    }

    fn end(&mut self, because: Option<NoVisit>, at: DateTime<Utc>) {
        self.state = match because {
            None => "dropped",
            Some(NoVisit::Unreached) => "unreached",
            Some(NoVisit::NoPhone) => "no_phone",
            Some(NoVisit::Declined) => "declined",
        };
        if matches!(because, Some(NoVisit::Unreached | NoVisit::Declined)) {
            self.attempt(at);
        }
    }
}
