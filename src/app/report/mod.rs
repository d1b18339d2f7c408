//! `hotline report`.

mod print;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use super::Failure;
use super::print::print;
use super::stored::Stored;
use crate::city::City;
use crate::clock::beijing_day;
use crate::report::{Period, Sheet, Table, csv, table};
use crate::store::{Dimension, ReportQuery, Seen, Store};
use crate::ticket::{Action, Actor, Line, UnitCode};

const EXAMPLES: &str = "\
Examples:
  hotline report
      this month by unit
  hotline report --by class --period 2026-11 --city chamdo --compare
  hotline report --by day --from 2026-11-01 --to 2026-11-15 --json
  hotline report --by unit --period 2026 --xlsx year.xlsx

A period is a day, a week, a month or a year: 2026-11-22, 2026-W48, 2026-11 or 2026, in Beijing. Every
rate stands beside what it is made of. Suspended and excluded tickets are in no rate; they are counted
beside it. A limit counts once its day is over. A unit with fewer than 10 answers is not to be ranked.
Files are written down in the audit.

Exit code: 0 reported, 1 when the database fails, 2 when an argument can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// What the rows are: total, city, day, unit, class, group, channel, language or type
    #[arg(long, value_name = "ROWS", default_value = "unit")]
    by: Dimension,
    /// Day, week, month or year [default: this month]
    #[arg(long, visible_alias = "month", value_name = "PERIOD", conflicts_with_all = ["from", "to"])]
    period: Option<Period>,
    /// First day
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    from: Option<NaiveDate>,
    /// Last day; it counts
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    to: Option<NaiveDate>,
    /// This city only; may be given again [default: all]
    #[arg(long, value_name = "CITY")]
    city: Vec<City>,
    /// What this unit leads only
    #[arg(long, value_name = "UNIT")]
    unit: Option<UnitCode>,
    /// What came in at this leaders' event only
    #[arg(long, value_name = "EVENT")]
    event: Option<Line>,
    /// Compare with the period before
    #[arg(long)]
    compare: bool,
    /// One JSON document in place of the table
    #[arg(long, conflicts_with_all = ["csv", "xlsx"])]
    json: bool,
    /// Write all figures to a file of comma-separated values
    #[arg(long, value_name = "FILE", conflicts_with = "xlsx")]
    csv: Option<PathBuf>,
    /// Write all figures to a spreadsheet
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

/// Prints a report or writes it to a file.
///
/// # Errors
/// What can't be used, or the environment's refusal.
pub fn report(arguments: &Arguments) -> Result<(), Failure> {
    arguments.stored.with(async |opened| arguments.run(&opened.store, opened.now).await)
}

impl Arguments {
    async fn run(&self, store: &Store, now: DateTime<Utc>) -> Result<(), Failure> {
        let today = beijing_day(now);
        let period = self.period(today)?;
        let compared = self.compare.then(|| period.previous()).transpose().map_err(setting)?;
        let query = ReportQuery {
            dimension: self.by,
            from: period.from(),
            to: period.to(),
            cities: self.city.clone(),
            unit: self.unit.clone(),
            event: self.event.clone(),
            today,
        };
        let table = table(store, &query, period, compared).await.map_err(environment)?;
        let Some((file, form)) = self.file() else {
            return if self.json { print([format!("{:#}", table.document())]) } else { print(print::lines(&table)) };
        };
        let export = Seen {
            subject: format!("report {}", self.by),
            action: Action::Exported,
            actor: Actor::Operator,
            reason: Some(format!("{period}, {form}, {} rows", table.rows.len())),
            address: None,
        };
        store.record_seen(&export, now).await.map_err(environment)?;
        let written = if form == "csv" { write_csv(&table, file) } else { write_sheet(&table, file) };
        written.map_err(|error| Failure::Setting(format!("{}: {error}", file.display())))?;
        print([format!("{}: {} rows and the total", file.display(), table.rows.len())])
    }

    fn period(&self, today: NaiveDate) -> Result<Period, Failure> {
        match (self.period, self.from, self.to) {
            (Some(period), ..) => Ok(period),
            (None, Some(from), Some(to)) => Period::new(from, to).map_err(setting),
            _ => Period::month(today).map_err(setting),
        }
    }

    fn file(&self) -> Option<(&Path, &'static str)> {
        let csv = self.csv.as_deref().map(|file| (file, "csv"));
        csv.or_else(|| self.xlsx.as_deref().map(|file| (file, "xlsx")))
    }
}

fn write_csv(table: &Table, file: &Path) -> io::Result<()> {
    let mut text = String::from(csv::BYTE_ORDER_MARK);
    text.push_str(&csv::head(Table::columns()));
    text.extend(table.grid().map(|cells| csv::line(&cells)));
    fs::write(file, text)
}

fn write_sheet(table: &Table, file: &Path) -> io::Result<()> {
    let mut out = File::create(file)?;
    let made = Sheet::new(&std::env::temp_dir(), Table::columns()).and_then(|mut sheet| {
        table.grid().try_for_each(|cells| sheet.append(&cells))?;
        sheet.finish()
    });
    io::copy(&mut made.map_err(io::Error::other)?, &mut out)?;
    out.flush()
}

fn setting(error: impl std::fmt::Display) -> Failure {
    Failure::Setting(error.to_string())
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::Environment(error.to_string())
}
