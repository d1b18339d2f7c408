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

/// The table beside the ticket that an event is a row of, if any; a row belongs to the ticket by its key.
const fn beside(event: Event) -> Option<&'static str> {
    match event {
        Event::Created | Event::Closed | Event::Ended | Event::Due | Event::ContactDue => None,
        Event::VisitDue | Event::VisitAnswered => Some("visit v"),
        Event::Upheld => Some("audit a"),
    }
}

/// When an event falls on the day `s`.
const fn falls(event: Event) -> &'static str {
    match event {
        Event::Created => "t.created_day = s.day",
        Event::Closed => "t.closed_at >= s.starts and t.closed_at < s.ends",
        Event::Ended => "t.ended_at >= s.starts and t.ended_at < s.ends",
        Event::Due => "t.due_day = s.day",
        Event::ContactDue => "t.contact_due_at >= s.starts and t.contact_due_at < s.ends",
        Event::VisitDue => {
            "v.closed_at >= s.starts and v.closed_at < s.ends and v.state <> 'dropped' and t.number = v.ticket"
        }
        Event::VisitAnswered => "v.answered_at >= s.starts and v.answered_at < s.ends and t.number = v.ticket",
        Event::Upheld => "a.action = 'upheld' and a.at >= s.starts and a.at < s.ends and t.number = a.subject",
    }
}

/// Where the rows of an event of the days `s` are, for `from`: found by their time.
pub(super) fn source(event: Event) -> String {
    let beside = beside(event).map(|table| format!("{table} cross join ")).unwrap_or_default();
    format!("s cross join {beside}ticket t where {}", falls(event))
}

/// The same of some tickets `few`, of which each is asked when it has the event.
pub(super) fn source_of_few(event: Event) -> String {
    let beside = beside(event).map(|table| format!(" cross join {table}")).unwrap_or_default();
    format!("few t{beside} cross join s where {}", falls(event))
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

/// A row for every event on the days of `s`, in their cities or of the tickets `few`: the day, where it counts, and 0 or 1
/// for each figure.
pub(super) fn facts(of_few: bool) -> String {
    let mut sql = String::new();
    for event in Event::ALL {
        if !sql.is_empty() {
            sql.push_str(" union all ");
        }
        sql.push_str("select s.day, t.city, t.lead_unit, t.class, t.channel, t.language, t.request_type, t.event");
        for figure in Figure::ALL {
            let value = match figure.event() == event {
                true => format!("case when {} then 1 else 0 end", condition(*figure)),
                false => "0".to_owned(),
            };
            write!(sql, ", {value} as {}", figure.name()).expect("a string");
        }
        let from = match of_few {
            true => source_of_few(event),
            false => format!("{} and {} = s.city", source(event), city(event)),
        };
        write!(sql, " from {from}").expect("a string");
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
