//! `hotline calendar due`.

use std::path::PathBuf;

use chrono::{Datelike, NaiveDate, SecondsFormat};
use serde_json::{Value, json};

use super::read;
use crate::app::Failure;
use crate::app::print::print;
use crate::city::City;
use crate::ticket::calendar::{Calendar, DayLine, Due, Reason, Scope, WorkingDays};

const EXAMPLES: &str = "\
Examples:
  hotline calendar due --from 2026-02-13 --workdays 5 --city lhasa
  hotline calendar due --from 2026-12-21 --workdays 15 --json
  hotline calendar due --from 2026-12-21 --workdays 15 --file announced.toml

Counting begins on the first working day after --from; due is 23:59:59 Beijing time of the last.
Days off are announced, never computed: a count over a year that the nation has not announced is
provisional.

Exit code: 0 counted, 2 when an argument or the file can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Day after which counting begins
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    from: NaiveDate,
    /// How many working days are counted, 1-366
    #[arg(long, value_name = "N")]
    workdays: WorkingDays,
    /// City that is heard before the nation, such as lhasa [default: the nation alone]
    #[arg(long, value_name = "CITY")]
    city: Option<City>,
    /// File of announcements in the place of the built-in ones, as seed/calendar.toml in the source
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    let written = text.parse().ok().filter(|_| text.len() == "YYYY-MM-DD".len());
    written.ok_or("a day of the calendar is wanted, YYYY-MM-DD")
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let calendar = match &self.file {
            Some(file) => Calendar::new(read(file)?),
            None => Calendar::built_in(),
        };
        let due = calendar.due(self.city, self.from, self.workdays);
        let unannounced: Vec<i32> = calendar.unannounced_years(self.from, due.day).collect();
        if self.json {
            return print([format!("{:#}", self.document(&due, &unannounced))]);
        }
        let days = due.days.iter().map(row);
        let head = [self.headline(&due), certainty(&due, &unannounced), String::new(), HEAD.to_owned()];
        print(head.into_iter().chain(days))
    }

    fn headline(&self, due: &Due) -> String {
        let whose = self.city.map_or(Scope::Nation, Scope::City);
        let (days, from) = (self.workdays, self.from);
        let days = if days.count() == 1 { "1 working day".to_owned() } else { format!("{days} working days") };
        let day = due.day.format("%Y-%m-%d, a %A");
        format!("due {day}, at 23:59:59 Beijing time: {days} after {from} by the {whose} calendar")
    }

    fn document(&self, due: &Due, unannounced: &[i32]) -> Value {
        let day = |line: &DayLine| {
            json!({
                "day": line.day,
                "weekday": line.day.format("%A").to_string().to_lowercase(),
                "counted": line.counted,
                "reason": line.reason.name(),
                "by": line.reason.by(),
            })
        };
        json!({
            "from": self.from,
            "working_days": self.workdays,
            "city": self.city,
            "due": due.day,
            "due_at": due.at().to_rfc3339_opts(SecondsFormat::Secs, true),
            "provisional": due.provisional,
            "unannounced": unannounced,
            "days": Value::from_iter(due.days.iter().map(day)),
        })
    }
}

/// Whether the due date can still move, and why.
fn certainty(due: &Due, unannounced: &[i32]) -> String {
    let years = |years: &[i32]| match years {
        [year] => format!("{year} has"),
        [years @ .., last] => {
            let years = years.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
            format!("{years} and {last} have")
        }
        [] => String::new(),
    };
    if due.provisional {
        return format!("provisional: {} not been announced", years(unannounced));
    }
    let mut touched: Vec<i32> = due.days.iter().map(|line| line.day.year()).collect();
    touched.dedup();
    format!("not provisional: {} been announced", years(&touched))
}

const HEAD: &str = "day         weekday  nth  reason";

fn row(line: &DayLine) -> String {
    let nth = line.counted.map_or("-".to_owned(), |nth| nth.to_string());
    format!("{}  {:<7}  {nth:>3}  {}", line.day, line.weekday.to_string(), reason(line.reason))
}

fn reason(reason: Reason) -> String {
    match reason {
        Reason::Weekday | Reason::Weekend => reason.to_string(),
        Reason::Off(scope) => format!("day off, {scope}"),
        Reason::Work(scope) => format!("make-up working day, {scope}"),
    }
}
