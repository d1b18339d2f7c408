//! The figures once more, by the words of the domain: over tickets in memory, one by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use hotline::clock::beijing_day;
use hotline::store::{Dimension, Hours, ReportQuery, TicketFilter, TicketOrder};
use hotline::ticket::figure::{Counts, Figure, Standing};
use hotline::ticket::{Answers, Contacted, Means, Number, Satisfaction, Solved, State, Ticket};

use super::walk::{Seen, Visit, Walk};
use crate::fixture::Fixture;

/// A ticket that a figure counts, and when.
struct Entry<'a> {
    ticket: &'a Ticket,
    figure: Figure,
    day: NaiveDate,
}

pub struct Ledger {
    tickets: BTreeMap<Number, Ticket>,
    visits: Vec<(Number, Visit)>,
    upheld: Vec<(Number, DateTime<Utc>)>,
}

impl Ledger {
    pub async fn of(walk: &Walk) -> Ledger {
        let tickets = walk.tickets().await.into_iter().map(|ticket| (ticket.number, ticket)).collect();
        let visits = walk.visits.iter().map(|((number, _), visit)| (*number, visit.clone())).collect();
        Ledger { tickets, visits, upheld: walk.upheld.clone() }
    }

    /// Of all that a database holds, its visits and rechecks as they are on record.
    pub async fn of_database(fixture: &Fixture) -> Ledger {
        let mut tickets = BTreeMap::new();
        let mut cursor = None;
        loop {
            let all = TicketFilter::default();
            let page = fixture.store.tickets(&all, TicketOrder::Created, 500, cursor.as_ref()).await.expect("a page");
            tickets.extend(page.items.into_iter().map(|listed| (listed.ticket.number, listed.ticket)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let visits = fixture.rows(VISITS).await.iter().map(|row| visit(row)).collect();
        let upheld = fixture.rows(UPHELD).await;
        let upheld = upheld.iter().map(|row| row.split_once('|').expect("two columns"));
        let upheld = upheld.map(|(number, at)| (number.parse().expect("a number"), time(at))).collect();
        Ledger { tickets, visits, upheld }
    }

    pub fn rows(&self, query: &ReportQuery) -> BTreeMap<String, Counts> {
        let mut rows: BTreeMap<String, Counts> = BTreeMap::new();
        for entry in self.counted(query) {
            rows.entry(key(query.dimension, entry.ticket, entry.day)).or_default().add(entry.figure, 1);
        }
        rows
    }

    /// What was received, by the day of the week and the hour in Beijing.
    pub fn hours(&self, query: &ReportQuery) -> Hours {
        let mut hours = Hours::default();
        for entry in self.counted(query).into_iter().filter(|entry| entry.figure == Figure::Received) {
            let at = entry.ticket.created_at + TimeDelta::hours(8);
            hours.0[at.weekday() as usize][at.hour() as usize] += 1;
        }
        hours
    }

    pub fn behind(&self, query: &ReportQuery, row: &str, figure: Figure) -> BTreeSet<Number> {
        let of_figure = self.counted(query).into_iter().filter(|entry| entry.figure == figure);
        let of_row = of_figure.filter(|entry| key(query.dimension, entry.ticket, entry.day) == row);
        of_row.map(|entry| entry.ticket.number).collect()
    }

    pub fn standing(&self, query: &ReportQuery, row: &str, standing: Standing) -> BTreeSet<Number> {
        let such = |ticket: &&Ticket| match standing {
            _ if query.dimension == Dimension::Day || !ticket.state.is_open() => false,
            Standing::Open => true,
            Standing::Suspended => ticket.state == State::Suspended,
            Standing::Supervised => ticket.supervision.level.is_some(),
            Standing::Overdue => {
                let done =
                    matches!(ticket.state, State::Suspended | State::Closed | State::AwaitingVisit | State::Recheck);
                !done && ticket.handling.due_day.is_some_and(|day| day < query.today)
            }
        };
        let of_row = self.tickets.values().filter(|ticket| key(query.dimension, ticket, query.today) == row);
        of_row.filter(|ticket| asked(query, ticket)).filter(such).map(|ticket| ticket.number).collect()
    }

    fn counted(&self, query: &ReportQuery) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        for ticket in self.tickets.values() {
            of_ticket(ticket, query.today, &mut entries);
        }
        for (number, visit) in &self.visits {
            of_visit(&self.tickets[number], visit, &mut entries);
        }
        for (number, at) in &self.upheld {
            entries.push(Entry { ticket: &self.tickets[number], figure: Figure::Redone, day: beijing_day(*at) });
        }
        entries.retain(|entry| query.from <= entry.day && entry.day <= query.to && asked(query, entry.ticket));
        entries
    }
}

const VISITS: &str = "select ticket || '|' || state || '|' || attempts || '|' || closed_at || '|' \
        || coalesce(cast(answered_at as text), '') || '|' || coalesce(contacted, '') || '|' || coalesce(solved, '') || '|' \
        || coalesce(cast(satisfaction as text), '') from visit";
const UPHELD: &str = "select subject || '|' || at from audit where action = 'upheld'";

fn visit(row: &str) -> (Number, Visit) {
    let columns: Vec<&str> = row.split('|').collect();
    let [number, state, attempts, closed_at, answered_at, contacted, solved, satisfaction] = columns[..] else {
        panic!("eight columns: {row}")
    };
    let answered_at = Some(answered_at).filter(|at| !at.is_empty()).map(time);
    let answers = Answers {
        means: Means::Call,
        contacted: contacted.parse().ok(),
        solved: solved.parse().ok(),
        satisfaction: satisfaction.parse().ok().and_then(Satisfaction::new),
        redo: false,
        recording: None,
    };
    let state = match state {
        "due" => Seen::Due,
        "dropped" => Seen::Dropped,
        _ => Seen::Over,
    };
    let visit = Visit {
        state,
        closed_at: time(closed_at),
        attempted: attempts != "0",
        answered_at,
        answers: answered_at.map(|_| answers),
    };
    (number.parse().expect("a number"), visit)
}

/// Either database's.
fn time(text: &str) -> DateTime<Utc> {
    let time = DateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f%#z");
    time.expect("a time").to_utc()
}

fn of_ticket<'a>(ticket: &'a Ticket, today: NaiveDate, entries: &mut Vec<Entry<'a>>) {
    let handling = &ticket.handling;
    let mut add = |day, figure, counts: bool| {
        if counts {
            entries.push(Entry { ticket, figure, day });
        }
    };
    let accepted = !ticket.matter.invalid && !matches!(ticket.state, State::Refused | State::Merged | State::Withdrawn);
    let out = left_out(ticket);
    let closed_day = handling.closed_at.map(beijing_day);
    let created = ticket.created_day;
    add(created, Figure::Received, true);
    add(created, Figure::Valid, !ticket.matter.invalid);
    add(created, Figure::Accepted, accepted && !out);
    add(created, Figure::AcceptedClosed, accepted && !out && closed_day.is_some());
    add(created, Figure::AcceptedLeftOut, accepted && out);
    let due = handling.due_day.expect("every ticket has one");
    if let Some(day) = closed_day {
        add(day, Figure::Closed, true);
        add(day, Figure::ClosedOnTime, day <= due);
        add(day, Figure::Direct, handling.lead.is_none());
    }
    if let Some(day) = handling.ended_at.map(beijing_day) {
        add(day, Figure::Refused, ticket.state == State::Refused);
        add(day, Figure::Merged, ticket.state == State::Merged);
        add(day, Figure::Withdrawn, ticket.state == State::Withdrawn);
    }
    if due < today {
        add(due, Figure::Due, accepted && !out);
        add(due, Figure::DueMet, accepted && !out && closed_day.is_some_and(|day| day <= due));
        add(due, Figure::DueLeftOut, accepted && out);
    }
    if let Some(end) = handling.contact_due_at.filter(|end| beijing_day(*end) < today) {
        let day = beijing_day(end);
        add(day, Figure::ContactDue, accepted && !out);
        add(day, Figure::ContactMet, accepted && !out && handling.contact_at.is_some_and(|at| at <= end));
        add(day, Figure::ContactLeftOut, accepted && out);
    }
}

fn of_visit<'a>(ticket: &'a Ticket, visit: &Visit, entries: &mut Vec<Entry<'a>>) {
    let out = left_out(ticket);
    let mut add = |day, figure, counts: bool| {
        if counts {
            entries.push(Entry { ticket, figure, day });
        }
    };
    if visit.state != Seen::Dropped {
        let day = beijing_day(visit.closed_at);
        let reached = visit.answered_at.is_some_and(|at| at >= visit.closed_at);
        add(day, Figure::Visits, !out);
        add(day, Figure::VisitsAttempted, !out && visit.attempted);
        add(day, Figure::VisitsReached, !out && reached);
        add(day, Figure::VisitsLeftOut, out);
    }
    let (Some(day), Some(answers)) = (visit.answered_at.map(beijing_day), &visit.answers) else { return };
    add(day, Figure::AnswersLeftOut, out);
    if out {
        return;
    }
    add(day, Figure::ContactAnswered, answers.contacted.is_some());
    add(day, Figure::ContactInTime, answers.contacted == Some(Contacted::InTime));
    add(day, Figure::SolvedAnswered, answers.solved.is_some());
    add(day, Figure::SolvedYes, answers.solved == Some(Solved::Yes));
    add(day, Figure::SolvedPartly, answers.solved == Some(Solved::Partly));
    add(day, Figure::SatisfactionAnswered, answers.satisfaction.is_some());
    add(day, Figure::Satisfied, answers.satisfaction.is_some_and(|given| given.get() >= 3));
}

fn left_out(ticket: &Ticket) -> bool {
    ticket.state == State::Suspended || ticket.handling.excluded.is_some()
}

fn asked(query: &ReportQuery, ticket: &Ticket) -> bool {
    let city = query.cities.is_empty() || query.cities.contains(&ticket.city);
    let event = query.event.is_none() || query.event == ticket.matter.event;
    city && event && (query.unit.is_none() || query.unit == ticket.handling.lead)
}

fn key(dimension: Dimension, ticket: &Ticket, day: NaiveDate) -> String {
    let class = ticket.matter.class.map(|class| class.to_string()).unwrap_or_default();
    match dimension {
        Dimension::Total => String::new(),
        Dimension::City => ticket.city.slug().to_owned(),
        Dimension::Day => day.to_string(),
        Dimension::Unit => ticket.handling.lead.as_ref().map(ToString::to_string).unwrap_or_default(),
        Dimension::Class => class,
        Dimension::Group => class.chars().take(2).collect(),
        Dimension::Channel => ticket.channel.name().to_owned(),
        Dimension::Language => ticket.language.code().to_owned(),
        Dimension::RequestType => ticket.request_type.map(|kind| kind.name().to_owned()).unwrap_or_default(),
    }
}
