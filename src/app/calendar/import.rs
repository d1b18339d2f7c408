//! `hotline calendar import`.

use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::read;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::Stored;
use crate::store::{By, Moved};
use crate::ticket::calendar::Announcement;

const EXAMPLES: &str = "\
Examples:
  hotline calendar import 2027.toml --dry-run
      shows which open tickets would be due on another day
  hotline calendar import 2027.toml --data /var/lib/hotline

Each announcement takes the place of that of its scope and year; others stay. A running service
goes on and counts by the new days at once. Each due day that moves is written to the audit.

Exit code: 0 imported or shown, 1 when the database can't be used, 2 when a setting or the file
can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// File of announcements, as seed/calendar.toml in the source
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show what would move and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stored: Stored,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let announcements = read(&self.file)?;
        let moved = self.stored.with(async |opened| {
            let import = opened.store.import_announcements(&announcements, &By::OPERATOR, opened.now, self.dry_run);
            import.await.map_err(|error| Failure::Environment(error.to_string()))
        })?;
        if self.json {
            return print([format!("{:#}", self.document(&announcements, &moved))]);
        }
        let head = [self.headline(&announcements, &moved)];
        let table = moved.iter().map(row);
        let heading = (!moved.is_empty()).then(|| [String::new(), HEAD.to_owned()]);
        print(head.into_iter().chain(heading.into_iter().flatten()).chain(table))
    }

    fn headline(&self, announcements: &[Announcement], moved: &[Moved]) -> String {
        let done = if self.dry_run { "would be imported" } else { "imported" };
        let move_ = if self.dry_run { "would move" } else { "moved" };
        let names: Vec<String> = announcements.iter().map(name).collect();
        format!("{done}: {}; open tickets that {move_}: {}", names.join(", "), moved.len())
    }

    fn document(&self, announcements: &[Announcement], moved: &[Moved]) -> Value {
        let line = |moved: &Moved| {
            json!({
                "number": moved.number,
                "city": moved.city,
                "was": moved.was,
                "was_provisional": moved.was_provisional,
                "is": moved.is,
                "provisional": moved.provisional,
            })
        };
        json!({
            "dry_run": self.dry_run,
            "announcements": Value::from_iter(announcements.iter().map(name)),
            "moved": Value::from_iter(moved.iter().map(line)),
        })
    }
}

/// `national.2027`
fn name(announcement: &Announcement) -> String {
    format!("{}.{}", announcement.scope(), announcement.year())
}

const HEAD: &str = "number        city      due before               due now";

fn row(moved: &Moved) -> String {
    let day = |day: Option<NaiveDate>, provisional: bool| {
        let day = day.map_or("-".to_owned(), |day| day.to_string());
        if provisional { format!("{day} provisional") } else { day }
    };
    let (was, is) = (day(moved.was, moved.was_provisional), day(Some(moved.is), moved.provisional));
    format!("{}  {:<8}  {was:<23}  {is}", moved.number, moved.city.slug())
}
