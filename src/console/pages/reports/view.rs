//! A report's table as a page shows it: every number leads to the tickets it counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::failed;
use super::wanted::Wanted;
use crate::city::City;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::language::Language;
use crate::report::figure::{Counts, Figure, RateKind, Standing};
use crate::report::{Row, Table, named};
use crate::store::{Behind, Dimension, Name, Store};
use crate::ticket::{self, ClassCode, Ticket, UnitCode};

/// The figures of one table below the other: requests, limits, return visits.
pub const PARTS: [(&str, &[Figure]); 3] = [
    (
        "reports.requests",
        &[
            Figure::Received,
            Figure::Valid,
            Figure::Accepted,
            Figure::AcceptedClosed,
            Figure::AcceptedLeftOut,
            Figure::Closed,
            Figure::ClosedOnTime,
            Figure::Direct,
            Figure::Refused,
            Figure::Merged,
            Figure::Withdrawn,
            Figure::Redone,
        ],
    ),
    (
        "reports.limits",
        &[
            Figure::Due,
            Figure::DueMet,
            Figure::DueLeftOut,
            Figure::ContactDue,
            Figure::ContactMet,
            Figure::ContactLeftOut,
        ],
    ),
    (
        "reports.visits",
        &[
            Figure::Visits,
            Figure::VisitsAttempted,
            Figure::VisitsReached,
            Figure::VisitsLeftOut,
            Figure::ContactAnswered,
            Figure::ContactInTime,
            Figure::SolvedAnswered,
            Figure::SolvedYes,
            Figure::SolvedPartly,
            Figure::SatisfactionAnswered,
            Figure::Satisfied,
            Figure::AnswersLeftOut,
        ],
    ),
];

/// A number, and where its tickets are.
pub struct Number {
    pub shown: String,
    pub link: String,
}

/// A share with what it is made of.
pub struct Share {
    pub percent: String,
    pub numerator: Number,
    pub denominator: Number,
    pub left_out: Option<Number>,
    pub change: Option<Change>,
}

/// Against the period before, in hundredths.
pub struct Change {
    pub shown: String,
    pub better: bool,
}

pub struct Line {
    pub name: String,
    pub ranked: bool,
    pub shares: Vec<Share>,
    /// As many lists as [`PARTS`] has.
    pub parts: Vec<Vec<Number>>,
    pub standings: Vec<Number>,
    /// What came in, and in the period before.
    pub received: (u64, Option<u64>),
}

pub struct Part {
    pub title: String,
    pub columns: Vec<&'static str>,
}

pub struct Shown {
    pub rates: Vec<&'static str>,
    pub parts: Vec<Part>,
    pub standings: Vec<&'static str>,
    pub rows: Vec<Line>,
    pub total: Line,
}

impl Shown {
    pub fn new(frame: &Frame, wanted: &Wanted, table: &Table) -> Shown {
        let line = |row: &Row, key: Option<&str>| Line::new(frame, wanted, table.dimension, row, key);
        let is_day = table.dimension == Dimension::Day;
        let part = |(title, figures): &(&str, &[Figure])| Part {
            title: frame.t(title).to_owned(),
            columns: figures.iter().map(|figure| figure.zh()).collect(),
        };
        Shown {
            rates: RateKind::ALL.iter().map(|kind| kind.zh()).collect(),
            parts: PARTS.iter().map(part).collect(),
            standings: if is_day { Vec::new() } else { Standing::ALL.iter().map(|standing| standing.zh()).collect() },
            rows: table.rows.iter().map(|row| line(row, Some(&row.key))).collect(),
            total: line(&table.total, None),
        }
    }
}

impl Line {
    fn new(frame: &Frame, wanted: &Wanted, dimension: Dimension, row: &Row, key: Option<&str>) -> Line {
        let number = |counted: &str, number: u64| Number {
            shown: number.to_string(),
            link: link(wanted, dimension, key, counted),
        };
        let figure = |figure: Figure| number(figure.name(), row.counts.of(figure));
        let part = |(_, figures): &(&str, &[Figure])| figures.iter().map(|of| figure(*of)).collect();
        let standings: &[Standing] = if dimension == Dimension::Day { &[] } else { Standing::ALL };
        let standings = standings.iter().map(|of| number(of.name(), row.standings.of(*of)));
        let received = |counts: &Counts| counts.of(Figure::Received);
        Line {
            name: name_of(frame, row.name.as_ref(), &row.key),
            ranked: row.counts.is_ranked(),
            shares: RateKind::ALL.iter().map(|kind| share(row, *kind, &figure)).collect(),
            parts: PARTS.iter().map(part).collect(),
            standings: standings.collect(),
            received: (received(&row.counts), row.before.as_ref().map(received)),
        }
    }
}

fn share(row: &Row, kind: RateKind, figure: &impl Fn(Figure) -> Number) -> Share {
    let rate = row.counts.rate(kind);
    let before = row.before.as_ref().and_then(|before| before.rate(kind).rate);
    let change = rate.rate.zip(before).map(|(now, before)| {
        let points = (now - before) * 100.0;
        Change { shown: format!("{points:+.1}"), better: points >= 0.0 }
    });
    let (whole, _) = kind.numerator();
    let left_out = Some(figure(kind.left_out())).filter(|_| rate.left_out > 0);
    Share {
        percent: percent(rate.rate),
        // a half is one that was solved partly
        numerator: Number { shown: plain(rate.numerator), link: figure(whole).link },
        denominator: figure(kind.denominator()),
        left_out,
        change,
    }
}

pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// Without `.0`.
fn plain(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

/// Where the tickets are that a figure of a row counts; `None`: of all rows.
pub fn link(wanted: &Wanted, dimension: Dimension, key: Option<&str>, counted: &str) -> String {
    let mut more = vec![("figure", counted.to_owned())];
    more.extend(key.map(|key| ("key", key.to_owned())));
    format!("/reports/{dimension}/tickets?{}", wanted.with(&more))
}

pub fn encoded(pairs: &[(&str, String)]) -> String {
    serde_urlencoded::to_string(pairs).expect("texts have a form")
}

/// A row's name in the page's language; its key where it has none.
pub fn name_of(frame: &Frame, name: Option<&Name>, key: &str) -> String {
    match name {
        Some(name) if frame.language() == Language::Bo && !name.bo.is_empty() => name.bo.clone(),
        Some(name) => name.zh.clone(),
        None => key.to_owned(),
    }
}

/// The name of the row that a list stands behind; empty for all rows.
pub async fn row_name(store: &Store, frame: &Frame, behind: &Behind) -> Result<String, Problem> {
    let Some(key) = &behind.key else { return Ok(String::new()) };
    let dimension = behind.report.dimension;
    let names = store.names(dimension).await.map_err(failed)?;
    let name = names.get(key).cloned().or_else(|| named(dimension, key));
    Ok(name_of(frame, name.as_ref(), key))
}

/// A ticket in a list.
pub struct Listed {
    pub number: ticket::Number,
    pub city: City,
    pub created_at: DateTime<Utc>,
    pub state: ticket::State,
    pub class: String,
    pub lead: String,
    pub due: String,
}

impl Listed {
    pub fn new(ticket: &Ticket, names: &Names) -> Listed {
        Listed {
            number: ticket.number,
            city: ticket.city,
            created_at: ticket.created_at,
            state: ticket.state,
            class: ticket.matter.class.map(|class| names.class(class)).unwrap_or_default(),
            lead: ticket.handling.lead.as_ref().map(|unit| names.unit(unit)).unwrap_or_default(),
            due: ticket.handling.due_day.map(|day| day.to_string()).unwrap_or_default(),
        }
    }
}

/// What units and classes are called.
pub struct Names {
    units: BTreeMap<String, Name>,
    classes: BTreeMap<String, Name>,
    bo: bool,
}

impl Names {
    pub async fn read(store: &Store, frame: &Frame) -> Result<Names, Problem> {
        let units = store.names(Dimension::Unit).await.map_err(failed)?;
        let classes = store.names(Dimension::Class).await.map_err(failed)?;
        Ok(Names { units, classes, bo: frame.language() == Language::Bo })
    }

    pub fn unit(&self, code: &UnitCode) -> String {
        self.called(&self.units, code.as_str())
    }

    pub fn class(&self, code: ClassCode) -> String {
        self.called(&self.classes, &code.to_string())
    }

    fn called(&self, names: &BTreeMap<String, Name>, code: &str) -> String {
        let of = |name: &Name| if self.bo { name.bo.clone() } else { name.zh.clone() };
        names.get(code).map_or_else(|| code.to_owned(), of)
    }
}
