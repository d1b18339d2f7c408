//! The figures of reports and the rates made of them (domain §2).
//!
//! A figure counts on the day, in Beijing, of its [`Event`]. Whoever changes a ticket changes the figures of days past:
//! a redo takes its closing back, a transfer takes its answers along to the other unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fields::{UnknownName, names};

/// The moment of a ticket's life whose day a figure counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Created,
    /// The reply passed review, or the hotline answered directly. A redo or a transfer takes it back.
    Closed,
    /// Archived, refused, merged or withdrawn.
    Ended,
    /// Its due day. It counts once the day is over.
    Due,
    /// The end of the hour for the first contact. It counts once that day is over.
    ContactDue,
    /// The closing that a return visit is made for: one a round, and one for each ticket merged into the closed one.
    VisitDue,
    /// The latest answers of a return visit, in any round.
    VisitAnswered,
    /// A recheck found the requester right.
    Upheld,
}

impl Event {
    pub const ALL: [Event; 8] = [
        Event::Created,
        Event::Closed,
        Event::Ended,
        Event::Due,
        Event::ContactDue,
        Event::VisitDue,
        Event::VisitAnswered,
        Event::Upheld,
    ];

    /// A limit that could still be kept counts neither way: its day has to be over.
    pub const fn is_limit(self) -> bool {
        matches!(self, Event::Due | Event::ContactDue)
    }
}

names! {
    /// What is counted, in tickets (of a round's visit or redo: in visits and redos).
    ///
    /// *Accepted* is what is neither invalid nor refused, merged or withdrawn. *Left out* is what is suspended (挂账) now
    /// or excluded by a second person: it is in none of the rates and counted beside them.
    Figure {
        /// Created.
        Received = "received",
        /// Created, and not a prank or a wrong number.
        Valid = "valid",
        /// Created, accepted and not left out.
        Accepted = "accepted",
        /// Of those, closed by now.
        AcceptedClosed = "accepted_closed",
        /// Created, accepted and left out.
        AcceptedLeftOut = "accepted_left_out",
        /// Closed.
        Closed = "closed",
        /// Closed on the due day or before.
        ClosedOnTime = "closed_on_time",
        /// Closed by the hotline itself, without a unit (直接办结).
        Direct = "direct",
        /// 不予受理
        Refused = "refused",
        /// 并案
        Merged = "merged",
        /// 撤销
        Withdrawn = "withdrawn",
        /// Due, accepted and not left out.
        Due = "due",
        /// Of those, closed on the due day or before.
        DueMet = "due_met",
        /// Due, accepted and left out.
        DueLeftOut = "due_left_out",
        /// A contact was due, accepted and not left out.
        ContactDue = "contact_due",
        /// Of those, the requester was contacted within the hour.
        ContactMet = "contact_met",
        /// A contact was due, accepted and left out.
        ContactLeftOut = "contact_left_out",
        /// Return visits to be made, of tickets not left out. One that a transfer, a merger or a withdrawal made idle is none.
        Visits = "visits",
        /// Of those, with an attempt.
        VisitsAttempted = "visits_attempted",
        /// Of those, with an answer.
        VisitsReached = "visits_reached",
        /// Return visits to be made, of tickets left out.
        VisitsLeftOut = "visits_left_out",
        /// Visits that answered whether the unit contacted the requester, of tickets not left out.
        ContactAnswered = "contact_answered",
        /// Of those: in time.
        ContactInTime = "contact_in_time",
        /// Visits that answered whether it was solved, of tickets not left out.
        SolvedAnswered = "solved_answered",
        /// Of those: yes.
        SolvedYes = "solved_yes",
        /// Of those: partly.
        SolvedPartly = "solved_partly",
        /// Visits that answered how satisfied the requester is, of tickets not left out.
        SatisfactionAnswered = "satisfaction_answered",
        /// Of those: 3 or more.
        Satisfied = "satisfied",
        /// Visits with any answer, of tickets left out.
        AnswersLeftOut = "answers_left_out",
        /// Matters that a recheck gave back to the unit (重办).
        Redone = "redone",
    }
}

names! {
    /// What is so now, whatever the period; of open tickets.
    Standing {
        /// Open.
        Open = "open",
        /// 挂账
        Suspended = "suspended",
        /// The due day has passed, and it is neither closed nor suspended.
        Overdue = "overdue",
        /// 督办, at any level.
        Supervised = "supervised",
    }
}

impl Figure {
    pub const COUNT: usize = Figure::ALL.len();

    pub const fn event(self) -> Event {
        match self {
            Figure::Received | Figure::Valid | Figure::Accepted | Figure::AcceptedClosed | Figure::AcceptedLeftOut => {
                Event::Created
            }
            Figure::Closed | Figure::ClosedOnTime | Figure::Direct => Event::Closed,
            Figure::Refused | Figure::Merged | Figure::Withdrawn => Event::Ended,
            Figure::Due | Figure::DueMet | Figure::DueLeftOut => Event::Due,
            Figure::ContactDue | Figure::ContactMet | Figure::ContactLeftOut => Event::ContactDue,
            Figure::Visits | Figure::VisitsAttempted | Figure::VisitsReached | Figure::VisitsLeftOut => Event::VisitDue,
            Figure::ContactAnswered
            | Figure::ContactInTime
            | Figure::SolvedAnswered
            | Figure::SolvedYes
            | Figure::SolvedPartly
            | Figure::SatisfactionAnswered
            | Figure::Satisfied
            | Figure::AnswersLeftOut => Event::VisitAnswered,
            Figure::Redone => Event::Upheld,
        }
    }

    /// For people, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Figure::Received => "受理总量",
            Figure::Valid => "有效受理",
            Figure::Accepted => "应办件",
            Figure::AcceptedClosed => "应办件中已办结",
            Figure::AcceptedLeftOut => "应办件中不计入",
            Figure::Closed => "办结",
            Figure::ClosedOnTime => "按期办结",
            Figure::Direct => "直接办结",
            Figure::Refused => "不予受理",
            Figure::Merged => "并案",
            Figure::Withdrawn => "撤销",
            Figure::Due => "到期",
            Figure::DueMet => "到期前办结",
            Figure::DueLeftOut => "到期不计入",
            Figure::ContactDue => "应联系",
            Figure::ContactMet => "一小时内联系",
            Figure::ContactLeftOut => "联系不计入",
            Figure::Visits => "应回访",
            Figure::VisitsAttempted => "已回访",
            Figure::VisitsReached => "回访有应答",
            Figure::VisitsLeftOut => "回访不计入",
            Figure::ContactAnswered => "联系评价",
            Figure::ContactInTime => "及时联系",
            Figure::SolvedAnswered => "解决评价",
            Figure::SolvedYes => "已解决",
            Figure::SolvedPartly => "部分解决",
            Figure::SatisfactionAnswered => "满意评价",
            Figure::Satisfied => "满意",
            Figure::AnswersLeftOut => "评价不计入",
            Figure::Redone => "重办",
        }
    }
}

impl Standing {
    pub const COUNT: usize = Standing::ALL.len();

    /// The heading in a file.
    pub const fn column(self) -> &'static str {
        match self {
            Standing::Open => "open_now",
            Standing::Suspended => "suspended_now",
            Standing::Overdue => "overdue_now",
            Standing::Supervised => "supervised_now",
        }
    }

    /// For people, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Standing::Open => "在办",
            Standing::Suspended => "挂账中",
            Standing::Overdue => "超期",
            Standing::Supervised => "督办中",
        }
    }
}

names! {
    /// A share, always shown with its numerator and denominator.
    RateKind {
        /// 办结率 (S28): of the accepted tickets received in the period, those closed by now (our choice).
        Closed = "closed",
        /// 按期办结率: closed by due / due in the period.
        OnTime = "on_time",
        /// Contacted within the hour / contact due, by the clock.
        ContactedByClock = "contacted_by_clock",
        /// 响应率: contacted in time / answered, by the requesters.
        Response = "response",
        /// 解决率: solved, partly as a half (our choice) / answered.
        Resolution = "resolution",
        /// 满意率: satisfaction of 3 or more / answered.
        Satisfaction = "satisfaction",
        /// Visits with an attempt / closings.
        VisitAttempted = "visit_attempted",
        /// Visits with an answer / closings.
        VisitReached = "visit_reached",
    }
}

impl RateKind {
    pub const fn denominator(self) -> Figure {
        match self {
            RateKind::Closed => Figure::Accepted,
            RateKind::OnTime => Figure::Due,
            RateKind::ContactedByClock => Figure::ContactDue,
            RateKind::Response => Figure::ContactAnswered,
            RateKind::Resolution => Figure::SolvedAnswered,
            RateKind::Satisfaction => Figure::SatisfactionAnswered,
            RateKind::VisitAttempted | RateKind::VisitReached => Figure::Visits,
        }
    }

    /// What counts whole, and what counts half.
    pub const fn numerator(self) -> (Figure, Option<Figure>) {
        match self {
            RateKind::Closed => (Figure::AcceptedClosed, None),
            RateKind::OnTime => (Figure::DueMet, None),
            RateKind::ContactedByClock => (Figure::ContactMet, None),
            RateKind::Response => (Figure::ContactInTime, None),
            RateKind::Resolution => (Figure::SolvedYes, Some(Figure::SolvedPartly)),
            RateKind::Satisfaction => (Figure::Satisfied, None),
            RateKind::VisitAttempted => (Figure::VisitsAttempted, None),
            RateKind::VisitReached => (Figure::VisitsReached, None),
        }
    }

    pub const fn left_out(self) -> Figure {
        match self.denominator() {
            Figure::Accepted => Figure::AcceptedLeftOut,
            Figure::Due => Figure::DueLeftOut,
            Figure::ContactDue => Figure::ContactLeftOut,
            Figure::Visits => Figure::VisitsLeftOut,
            _ => Figure::AnswersLeftOut,
        }
    }

    /// The heading in a file.
    pub const fn column(self) -> &'static str {
        match self {
            RateKind::Closed => "closed_rate",
            RateKind::OnTime => "on_time_rate",
            RateKind::ContactedByClock => "contacted_by_clock_rate",
            RateKind::Response => "response_rate",
            RateKind::Resolution => "resolution_rate",
            RateKind::Satisfaction => "satisfaction_rate",
            RateKind::VisitAttempted => "visit_attempted_rate",
            RateKind::VisitReached => "visit_reached_rate",
        }
    }

    /// For people, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            RateKind::Closed => "办结率",
            RateKind::OnTime => "按期办结率",
            RateKind::ContactedByClock => "一小时联系率",
            RateKind::Response => "响应率",
            RateKind::Resolution => "解决率",
            RateKind::Satisfaction => "满意率",
            RateKind::VisitAttempted => "回访率",
            RateKind::VisitReached => "回访应答率",
        }
    }
}

/// A share of what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// A half is one that was solved partly.
    pub numerator: f64,
    pub denominator: u64,
    /// Suspended and excluded, in neither.
    pub left_out: u64,
    /// 0 to 1; `None` where nothing is to be shared.
    pub rate: Option<f64>,
}

/// How many answers a unit needs to be ranked (our choice).
pub const RANKED_FROM_ANSWERS: u64 = 10;

/// A number for every figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts([u64; Figure::COUNT]);

impl Default for Counts {
    fn default() -> Counts {
        Counts([0; Figure::COUNT])
    }
}

impl Counts {
    pub fn of(&self, figure: Figure) -> u64 {
        self.0[figure as usize]
    }

    pub fn add(&mut self, figure: Figure, number: u64) {
        self.0[figure as usize] += number;
    }

    pub fn add_all(&mut self, other: &Counts) {
        for (own, others) in self.0.iter_mut().zip(other.0) {
            *own += others;
        }
    }

    pub fn rate(&self, kind: RateKind) -> Rate {
        let (whole, half) = kind.numerator();
        let numerator = self.of(whole) as f64 + half.map_or(0.0, |half| self.of(half) as f64 / 2.0);
        let denominator = self.of(kind.denominator());
        let rate = (denominator > 0).then(|| numerator / denominator as f64);
        Rate { numerator, denominator, left_out: self.of(kind.left_out()), rate }
    }

    /// Whether there are answers enough to compare with others.
    pub fn is_ranked(&self) -> bool {
        self.of(Figure::SatisfactionAnswered) >= RANKED_FROM_ANSWERS
    }
}

/// A number for everything that is so now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings([u64; Standing::COUNT]);

impl Standings {
    pub fn of(&self, standing: Standing) -> u64 {
        self.0[standing as usize]
    }

    pub fn add(&mut self, standing: Standing, number: u64) {
        self.0[standing as usize] += number;
    }

    pub fn add_all(&mut self, other: &Standings) {
        for (own, others) in self.0.iter_mut().zip(other.0) {
            *own += others;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(figures: &[(Figure, u64)]) -> Counts {
        let mut counts = Counts::default();
        for (figure, number) in figures {
            counts.add(*figure, *number);
        }
        counts
    }

    #[test]
    fn a_rate_shows_what_it_is_made_of() {
        let counts = counts(&[(Figure::Due, 8), (Figure::DueMet, 6), (Figure::DueLeftOut, 3)]);
        let rate = counts.rate(RateKind::OnTime);
        assert_eq!(rate, Rate { numerator: 6.0, denominator: 8, left_out: 3, rate: Some(0.75) });
    }

    #[test]
    fn partly_solved_counts_half() {
        let answered = counts(&[(Figure::SolvedAnswered, 4), (Figure::SolvedYes, 2), (Figure::SolvedPartly, 1)]);
        let rate = answered.rate(RateKind::Resolution);
        assert_eq!((rate.numerator, rate.rate), (2.5, Some(0.625)));
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        for kind in RateKind::ALL {
            assert_eq!(Counts::default().rate(*kind).rate, None, "{kind}");
        }
    }

    #[test]
    fn ten_answers_make_a_rank() {
        assert!(!counts(&[(Figure::SatisfactionAnswered, 9)]).is_ranked());
        assert!(counts(&[(Figure::SatisfactionAnswered, 10)]).is_ranked());
    }

    #[test]
    fn what_a_rate_is_made_of_counts_on_one_day() {
        for kind in RateKind::ALL {
            let event = kind.denominator().event();
            let (whole, half) = kind.numerator();
            assert!(whole.event() == event && kind.left_out().event() == event, "{kind}");
            assert!(half.is_none_or(|half| half.event() == event), "{kind}");
        }
    }

    #[test]
    fn sums_add_figure_by_figure() {
        let mut sum = counts(&[(Figure::Received, 2)]);
        sum.add_all(&counts(&[(Figure::Received, 3), (Figure::Redone, 1)]));
        assert_eq!(sum, counts(&[(Figure::Received, 5), (Figure::Redone, 1)]));
    }
}
