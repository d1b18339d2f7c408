//! A report as a table on a terminal.

use crate::app::prompts::width::{cut, padded, width};
use crate::report::figure::{Counts, Figure, RateKind, Standing};
use crate::report::{Row, Table};
use crate::store::Dimension;

/// The rates that a line has room for.
const RATES: [RateKind; 5] =
    [RateKind::Closed, RateKind::OnTime, RateKind::Response, RateKind::Resolution, RateKind::Satisfaction];
/// The longest name that is shown whole.
const NAME_WIDTH: usize = 28;

/// The tiles of the year's figures (S28), then a line a row, then the total.
pub fn lines(table: &Table) -> Vec<String> {
    let mut lines = headline(table);
    let mut cells = vec![head(table)];
    cells.extend(table.rows.iter().map(|row| line(table, row)));
    cells.push(line(table, &table.total));
    lines.extend(aligned(&cells));
    if table.dimension == Dimension::Unit && table.rows.iter().any(|row| !row.counts.is_ranked()) {
        lines.push(String::new());
        lines.push("* fewer than 10 answers: not to be ranked".to_owned());
    }
    lines
}

fn headline(table: &Table) -> Vec<String> {
    let tiles = |counts: &Counts| {
        let rate = |kind| share(counts, kind);
        let received = counts.of(Figure::Received);
        format!("received {received}, closed {}, satisfied {}", rate(RateKind::Closed), rate(RateKind::Satisfaction))
    };
    let mut lines = vec![format!("{}: {}", table.period, tiles(&table.total.counts))];
    if let (Some(before), Some(counts)) = (table.compared, &table.total.before) {
        lines.push(format!("{before}: {}", tiles(counts)));
    }
    lines.push(String::new());
    lines
}

fn head(table: &Table) -> Vec<String> {
    let mut head = vec![table.dimension.name().to_owned(), String::new(), "received".to_owned()];
    if table.compared.is_some() {
        head.push("before".to_owned());
    }
    head.extend(RATES.map(|rate| rate.name().replace('_', " ")));
    head.extend(["left out", "open", "overdue", "suspended"].map(str::to_owned));
    head
}

fn line(table: &Table, row: &Row) -> Vec<String> {
    let is_total = std::ptr::eq(row, &table.total);
    let name = row.name.as_ref().map(|name| cut(&name.zh, NAME_WIDTH)).unwrap_or_default();
    let mark = if table.dimension == Dimension::Unit && !is_total && !row.counts.is_ranked() { " *" } else { "" };
    let key = match row.key.as_str() {
        _ if is_total => "total",
        "" => "-",
        key => key,
    };
    let mut cells = vec![format!("{key}{mark}"), name, row.counts.of(Figure::Received).to_string()];
    if table.compared.is_some() {
        let before = row.before.as_ref().map(|counts| counts.of(Figure::Received).to_string());
        cells.push(before.unwrap_or_else(|| "-".to_owned()));
    }
    cells.extend(RATES.map(|rate| share(&row.counts, rate)));
    cells.push(row.counts.of(Figure::AcceptedLeftOut).to_string());
    for standing in [Standing::Open, Standing::Overdue, Standing::Suspended] {
        cells.push(match table.dimension {
            Dimension::Day => "-".to_owned(),
            _ => row.standings.of(standing).to_string(),
        });
    }
    cells
}

/// `95.7 % 2.5/3`, or a dash where there is nothing to share.
fn share(counts: &Counts, kind: RateKind) -> String {
    let rate = counts.rate(kind);
    match rate.rate {
        Some(share) => format!("{:.1} % {}/{}", share * 100.0, rate.numerator, rate.denominator),
        None => "-".to_owned(),
    }
}

/// Texts to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let cell = |(at, text): (usize, &String)| match at {
        0 | 1 => padded(text, widths[at]),
        _ => format!("{}{text}", " ".repeat(widths[at].saturating_sub(width(text)))),
    };
    let joined = |row: &Vec<String>| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| joined(row).trim_end().to_owned()).collect()
}
