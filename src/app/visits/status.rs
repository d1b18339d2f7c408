//! `hotline visits status`.

use serde_json::{Value, json};

use super::failed;
use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::city::City;
use crate::store::{Paused, VisitCount, VisitStep};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.stored.with(async |opened| self.status(opened).await)
    }

    async fn status(&self, opened: Opened) -> Result<(), Failure> {
        let counts = opened.store.visit_counts().await.map_err(failed)?;
        let paused = opened.store.paused_visits().await.map_err(failed)?;
        let shown = |city: &City| {
            counts.iter().any(|count| count.city == *city) || paused.iter().any(|paused| paused.city == *city)
        };
        let cities: Vec<City> = City::ALL.into_iter().filter(shown).collect();
        if self.json {
            let items: Vec<Value> = cities.iter().map(|city| document(*city, &counts, &paused)).collect();
            return print([format!("{:#}", json!({ "items": items }))]);
        }
        if cities.is_empty() {
            return print(["no return visit is due, and no city is paused".to_owned()]);
        }
        let rows: Vec<[String; 9]> = cities.iter().map(|city| row(*city, &counts, &paused)).collect();
        let head = ["city", "call", "live", "sms", "reply", "final", "person", "next call", "paused"];
        let mut lines = table(head, &rows);
        let unplanned: u64 = counts.iter().filter(|count| count.step.is_none()).map(|count| count.visits).sum();
        if unplanned > 0 {
            lines.push(format!("without a plan yet: {unplanned}"));
        }
        print(lines)
    }
}

fn of_step(city: City, step: VisitStep, counts: &[VisitCount]) -> Option<&VisitCount> {
    counts.iter().find(|count| count.city == city && count.step == Some(step))
}

fn row(city: City, counts: &[VisitCount], paused: &[Paused]) -> [String; 9] {
    let number = |step| of_step(city, step, counts).map_or(0, |count| count.visits).to_string();
    let next = of_step(city, VisitStep::Call, counts).and_then(|count| count.next_at);
    [
        city.to_string(),
        number(VisitStep::Call),
        number(VisitStep::Live),
        number(VisitStep::Sms),
        number(VisitStep::Reply),
        number(VisitStep::Final),
        number(VisitStep::Person),
        next.map(beijing).unwrap_or_default(),
        paused.iter().find(|paused| paused.city == city).map(|paused| paused.why.clone()).unwrap_or_default(),
    ]
}

fn document(city: City, counts: &[VisitCount], paused: &[Paused]) -> Value {
    let own = counts.iter().filter(|count| count.city == city);
    let steps: serde_json::Map<String, Value> =
        own.map(|count| (count.step.map_or("none", VisitStep::name).to_owned(), json!(count.visits))).collect();
    let next = of_step(city, VisitStep::Call, counts).and_then(|count| count.next_at);
    let paused = paused.iter().find(|paused| paused.city == city);
    json!({
        "city": city,
        "due": steps,
        "next_call_at": next,
        "paused": paused.map(|paused| json!({ "at": paused.at, "actor": paused.actor, "why": paused.why })),
    })
}
