//! `hotline visits plan`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::failed;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::callback::Next;
use crate::store::{PreviewedVisit, VISITS_A_PLAN};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// Show what is next for each visit and change nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: how many at most, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.stored.with(async |opened| match self.dry_run {
            true => self.preview(opened).await,
            false => self.plan(opened).await,
        })
    }

    async fn plan(&self, opened: Opened) -> Result<(), Failure> {
        let mut planned = 0;
        loop {
            let looked_at = opened.store.plan_visits(opened.now).await.map_err(failed)?;
            planned += looked_at;
            if looked_at < VISITS_A_PLAN {
                break;
            }
        }
        match self.json {
            true => print([format!("{:#}", json!({ "planned": planned }))]),
            false => print([format!("planned: {planned}")]),
        }
    }

    async fn preview(&self, opened: Opened) -> Result<(), Failure> {
        let visits = opened.store.preview_visits(opened.now, self.limit).await.map_err(failed)?;
        if self.json {
            let items: Vec<Value> = visits.iter().map(document).collect();
            return print([format!("{:#}", json!({ "items": items }))]);
        }
        let rows: Vec<[String; 5]> = visits.iter().map(row).collect();
        match rows.is_empty() {
            true => print(["no return visit waits for a plan".to_owned()]),
            false => print(table(["ticket", "city", "next", "at", "why then"], &rows)),
        }
    }
}

/// What, when, and why not earlier.
fn told(next: &Next) -> (&'static str, Option<DateTime<Utc>>, String) {
    match next {
        Next::Call { at, held } => ("call", Some(*at), held.say(None)),
        Next::Sms { at, held } => ("sms", Some(*at), held.say(None)),
        Next::Reply { until } => ("reply", Some(*until), "an answer by SMS is waited for".to_owned()),
        Next::Final { at } => ("final", Some(*at), "the requester may still call back".to_owned()),
        Next::Person { because } => ("person", None, because.say().to_owned()),
        Next::Answered => ("answered", None, "all questions are answered".to_owned()),
        Next::NoPhone => ("no_phone", None, "there is no number to call".to_owned()),
    }
}

fn row(visit: &PreviewedVisit) -> [String; 5] {
    let (step, at, why) = told(&visit.next);
    [visit.ticket.to_string(), visit.city.to_string(), step.to_owned(), at.map(beijing).unwrap_or_default(), why]
}

fn document(visit: &PreviewedVisit) -> Value {
    let (step, at, why) = told(&visit.next);
    json!({ "ticket": visit.ticket, "round": visit.round, "city": visit.city, "next": step, "at": at, "why": why })
}
