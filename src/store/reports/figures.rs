//! What each figure counts, in SQL: the one definition that the roll-ups and the lists behind them are made of.
//!
//! `s` is a day with its bounds, `t` the ticket, `v` its visit, `a` a row of the audit.

use std::fmt::Write;

use crate::ticket::figure::{Event, Figure};

macro_rules! accepted {
    ($and:literal) => {
        concat!("not t.invalid and t.state not in ('refused', 'merged', 'withdrawn') and ", $and)
    };
}

macro_rules! kept {
    ($and:literal) => {
        concat!("t.state <> 'suspended' and t.excluded is null and ", $and)
    };
}

macro_rules! rated {
    ($and:literal) => {
        concat!(accepted!(""), kept!($and))
    };
}

/// Where the rows of an event of the day `s` are, for `from s cross join`.
pub(super) const fn source(event: Event) -> &'static str {
    match event {
        Event::Created => "ticket t where t.created_day = s.day",
        Event::Closed => "ticket t where t.closed_at >= s.starts and t.closed_at < s.ends",
        Event::Ended => "ticket t where t.ended_at >= s.starts and t.ended_at < s.ends",
        Event::Due => "ticket t where t.due_day = s.day",
        Event::ContactDue => "ticket t where t.contact_due_at >= s.starts and t.contact_due_at < s.ends",
        Event::VisitDue => {
            "visit v cross join ticket t where v.closed_at >= s.starts and v.closed_at < s.ends \
             and v.state <> 'dropped' and t.number = v.ticket"
        }
        Event::VisitAnswered => {
            "visit v cross join ticket t where v.answered_at >= s.starts and v.answered_at < s.ends \
             and t.number = v.ticket"
        }
        Event::Upheld => {
            "audit a cross join ticket t where a.action = 'upheld' and a.at >= s.starts and a.at < s.ends \
             and t.number = a.subject"
        }
    }
}

/// The city of an event's ticket, for a condition. Where the event is found by a range of time, it is written so that no index
/// begins with it: without statistics SQLite takes a value for rarer than a range, and would read all of a city's tickets.
pub(super) const fn city(event: Event) -> &'static str {
    match event {
        Event::Created | Event::Due => "t.city",
        Event::Closed | Event::Ended | Event::ContactDue | Event::VisitDue | Event::VisitAnswered | Event::Upheld => {
            "t.city || ''"
        }
    }
}

/// Which of its event's rows a figure counts.
pub(super) const fn condition(figure: Figure) -> &'static str {
    match figure {
        Figure::Received | Figure::Closed | Figure::Redone => "true",
        Figure::Valid => "not t.invalid",
        Figure::Accepted => rated!("true"),
        Figure::AcceptedClosed => rated!("t.closed_at is not null"),
        Figure::AcceptedLeftOut | Figure::DueLeftOut | Figure::ContactLeftOut => {
            accepted!("(t.state = 'suspended' or t.excluded is not null)")
        }
        Figure::ClosedOnTime => "s.day <= t.due_day",
        Figure::Direct => "t.lead_unit is null",
        Figure::Refused => "t.state = 'refused'",
        Figure::Merged => "t.state = 'merged'",
        Figure::Withdrawn => "t.state = 'withdrawn'",
        Figure::Due | Figure::ContactDue => rated!("true"),
        Figure::DueMet => rated!("t.closed_at < s.ends"),
        Figure::ContactMet => rated!("t.contact_at <= t.contact_due_at"),
        Figure::Visits => kept!("true"),
        Figure::VisitsAttempted => kept!("v.attempts > 0"),
        Figure::VisitsReached => kept!("v.answered_at >= v.closed_at"),
        Figure::VisitsLeftOut | Figure::AnswersLeftOut => "(t.state = 'suspended' or t.excluded is not null)",
        Figure::ContactAnswered => kept!("v.contacted is not null"),
        Figure::ContactInTime => kept!("v.contacted = 'in_time'"),
        Figure::SolvedAnswered => kept!("v.solved is not null"),
        Figure::SolvedYes => kept!("v.solved = 'yes'"),
        Figure::SolvedPartly => kept!("v.solved = 'partly'"),
        Figure::SatisfactionAnswered => kept!("v.satisfaction is not null"),
        Figure::Satisfied => kept!("v.satisfaction >= 3"),
    }
}

/// A row for every event on the days of `s` in their cities: the day, where it counts, and 0 or 1 for each figure.
pub(super) fn facts() -> String {
    let mut sql = String::new();
    for event in Event::ALL {
        if !sql.is_empty() {
            sql.push_str(" union all ");
        }
        sql.push_str("select s.day, s.city, t.lead_unit, t.class, t.channel, t.language, t.request_type, t.event");
        for figure in Figure::ALL {
            let value = match figure.event() == event {
                true => format!("case when {} then 1 else 0 end", condition(*figure)),
                false => "0".to_owned(),
            };
            write!(sql, ", {value} as {}", figure.name()).expect("a string");
        }
        write!(sql, " from s cross join {} and {} = s.city", source(event), city(event)).expect("a string");
    }
    sql
}

/// Which of an event's figures count one of its rows, as a number with a bit for each of [`figures_of`], the lowest first.
pub(super) fn bits(event: Event) -> String {
    let bits = figures_of(event).enumerate();
    let bits: Vec<_> =
        bits.map(|(at, figure)| format!("case when {} then {} else 0 end", condition(figure), 1 << at)).collect();
    format!("cast({} as bigint)", bits.join(" + "))
}

pub(super) fn figures_of(event: Event) -> impl Iterator<Item = Figure> {
    Figure::ALL.iter().copied().filter(move |figure| figure.event() == event)
}
