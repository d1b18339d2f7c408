//! The charts of a report.

use super::view::{link, name_of, percent};
use super::wanted::Wanted;
use crate::console::pages::Frame;
use crate::report::chart::{Bar, Line, Words, bars, funnel, heat, lines};
use crate::report::figure::{Counts, Figure, RateKind};
use crate::report::{Row, Table};
use crate::store::{Dimension, Hours, ReportRow};

/// More rows than this make no chart that can be read.
const MOST_BARS: usize = 15;

pub struct Charts {
    /// Titles and SVG: what came in by row, how satisfied people are by row, each day, the funnel, the week.
    pub drawn: Vec<(&'static str, String)>,
    /// The heat map's numbers, a row a day of the week; empty when nothing came in.
    pub hours: Vec<(String, [u64; 24])>,
}

impl Charts {
    pub fn new(frame: &Frame, wanted: &Wanted, table: &Table, days: &[ReportRow], hours: &Hours) -> Charts {
        let period = format!("{} – {}", table.period.from(), table.period.to());
        let mut hours = week(frame, hours);
        let mut drawn = Vec::new();
        if table.dimension != Dimension::Day {
            drawn.push(("reports.received_title", received(frame, wanted, table, &period)));
            drawn.push(("reports.satisfaction_title", satisfaction(frame, wanted, table, &period)));
        }
        if days.len() > 1 {
            drawn.push(("reports.days_title", daily(frame, days, &period)));
        }
        drawn.push(("reports.funnel_title", narrowing(frame, wanted, table, &period)));
        let heat = heated(frame, &hours, &period);
        if heat.is_empty() {
            hours.clear();
        }
        drawn.push(("reports.heat_title", heat));
        drawn.retain(|(_, chart)| !chart.is_empty());
        Charts { drawn, hours }
    }
}

fn received(frame: &Frame, wanted: &Wanted, table: &Table, period: &str) -> String {
    let bar = |row: &&Row| {
        let number = row.counts.of(Figure::Received);
        Bar {
            label: name_of(frame, row.name.as_ref(), &row.key),
            value: number as f64,
            before: row.before.as_ref().map(|before| before.of(Figure::Received) as f64),
            shown: number.to_string(),
            link: Some(link(wanted, table.dimension, Some(&row.key), Figure::Received.name())),
        }
    };
    let mut rows: Vec<&Row> = table.rows.iter().filter(|row| row.counts.of(Figure::Received) > 0).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.counts.of(Figure::Received)));
    let drawn: Vec<Bar> = rows.iter().take(MOST_BARS).map(bar).collect();
    drawing(&drawn, |drawn| {
        let description = frame.fill("reports.received_desc", &[&period, &drawn.len()]);
        let title = frame.t("reports.received_title");
        bars(Words { id: "chart-received", title, description: &description }, drawn)
    })
}

fn satisfaction(frame: &Frame, wanted: &Wanted, table: &Table, period: &str) -> String {
    let share = |counts: &Counts| counts.rate(RateKind::Satisfaction).rate;
    let mut rows: Vec<(&Row, f64)> = table
        .rows
        .iter()
        .filter(|row| row.counts.is_ranked())
        .filter_map(|row| share(&row.counts).map(|share| (row, share)))
        .collect();
    rows.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let bar = |(row, value): &(&Row, f64)| Bar {
        label: name_of(frame, row.name.as_ref(), &row.key),
        value: *value,
        before: row.before.as_ref().and_then(share),
        shown: percent(Some(*value)),
        link: Some(link(wanted, table.dimension, Some(&row.key), Figure::SatisfactionAnswered.name())),
    };
    let drawn: Vec<Bar> = rows.iter().take(MOST_BARS).map(bar).collect();
    drawing(&drawn, |drawn| {
        let description = frame.fill("reports.satisfaction_desc", &[&period]);
        let title = frame.t("reports.satisfaction_title");
        bars(Words { id: "chart-satisfaction", title, description: &description }, drawn)
    })
}

fn daily(frame: &Frame, days: &[ReportRow], period: &str) -> String {
    let places: Vec<String> = days.iter().map(|row| row.key.get(5..).unwrap_or(&row.key).to_owned()).collect();
    let line = |figure: Figure| Line {
        label: figure.zh().to_owned(),
        values: days.iter().map(|row| Some(row.counts.of(figure) as f64)).collect(),
    };
    let description = frame.fill("reports.days_desc", &[&period]);
    let words = Words { id: "chart-days", title: frame.t("reports.days_title"), description: &description };
    lines(words, &places, &[line(Figure::Received), line(Figure::Closed)])
}

/// The days of the week by name.
fn week(frame: &Frame, hours: &Hours) -> Vec<(String, [u64; 24])> {
    (1..=7).zip(hours.0).map(|(day, hours)| (frame.name("weekday", day), hours)).collect()
}

fn heated(frame: &Frame, hours: &[(String, [u64; 24])], period: &str) -> String {
    let all = || hours.iter().flat_map(|(name, hours)| hours.iter().enumerate().map(move |at| (name, at)));
    let Some((day, (hour, most))) = all().max_by_key(|(_, (_, number))| **number).filter(|(_, (_, most))| **most > 0)
    else {
        return String::new();
    };
    let description = frame.fill("reports.heat_desc", &[&period, day, &hour, most]);
    let rows: Vec<(&str, [u64; 24])> = hours.iter().map(|(name, hours)| (name.as_str(), *hours)).collect();
    heat(Words { id: "chart-heat", title: frame.t("reports.heat_title"), description: &description }, &rows)
}

/// Received, closed, solved, satisfied.
fn narrowing(frame: &Frame, wanted: &Wanted, table: &Table, period: &str) -> String {
    const STEPS: [Figure; 4] = [Figure::Received, Figure::AcceptedClosed, Figure::SolvedYes, Figure::Satisfied];
    let counts = &table.total.counts;
    if counts.of(Figure::Received) == 0 {
        return String::new();
    }
    let step = |figure: Figure| Bar {
        label: figure.zh().to_owned(),
        value: counts.of(figure) as f64,
        before: None,
        shown: counts.of(figure).to_string(),
        link: Some(link(wanted, table.dimension, None, figure.name())),
    };
    let description = frame.fill("reports.funnel_desc", &[&period]);
    let words = Words { id: "chart-funnel", title: frame.t("reports.funnel_title"), description: &description };
    funnel(words, &STEPS.map(step))
}

fn drawing(bars: &[Bar], draw: impl Fn(&[Bar]) -> String) -> String {
    if bars.is_empty() { String::new() } else { draw(bars) }
}
