//! `hotline simulate`: a seeded year of tickets in a fresh database.

use std::io::{IsTerminal, Write, stderr};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use tokio::sync::mpsc;

use super::print::print;
use super::{Configured, Failure};
use crate::city::City;
use crate::clock::{Clock, beijing_day};
use crate::config;
use crate::simulate::{Plan, Simulation, World};
use crate::store::{BulkError, LIVES_A_TRANSACTION, Store};
use crate::ticket::Life;

const EXAMPLES: &str = "\
Examples:
  hotline simulate --data /tmp/year --tickets 10000 --days 365 --seed 1
  hotline simulate --config /etc/hotline-test.toml --from 2025-01-01 --quiet

Tickets come in as people call and walk through their lives by the hotline's own rules, on virtual
time; the same seed and first day give the same rows. It is for tests, demonstrations and measuring:
a database that has tickets is refused. Telephone numbers begin with 019, which no place in China
has: none can be dialled. Nobody is sent anything.

Exit code: 0 written, 1 when the database fails, 2 when an argument or a setting can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Folder of the database [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many tickets come in
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    tickets: u32,
    /// On how many days
    #[arg(long, value_name = "N", default_value_t = 365)]
    days: u32,
    /// What all chance comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// First day [default: so that yesterday is the last]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Fills the database and says with what.
///
/// # Errors
/// A plan or a setting that can't be used, a database that has tickets, or its failure.
pub fn simulate(arguments: &Arguments) -> Result<(), Failure> {
    let plan = arguments.plan()?;
    let mut layers = arguments.configured.layers()?;
    if let Some(data) = &arguments.data {
        layers.flag("--data", "data", &data.display().to_string())?;
    }
    let config = config::read(layers)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no runtime: {error}")))?;
    let shown = !arguments.quiet && stderr().is_terminal();
    let written = runtime.block_on(async {
        let store = Store::open(&config.store, &config.data)
            .await
            .map_err(|error| Failure::Setting(format!("store: {error}")))?;
        let filled = fill(&store, &plan, |progress| show(shown, progress)).await;
        store.close().await;
        filled.map_err(Failure::from)
    })?;
    let days = if arguments.days == 1 { "1 day".to_owned() } else { format!("{} days", arguments.days) };
    print([format!("tickets: {written}, on {days} from {}, seed {}", plan.from(), arguments.seed)])
}

impl Arguments {
    fn plan(&self) -> Result<Plan, Failure> {
        let today = beijing_day(Clock::start().wall());
        let from = self.from.or_else(|| today.checked_sub_days(Days::new(self.days.into()))).unwrap_or(today);
        Plan::new(self.tickets, self.days, self.seed, from).map_err(|bad| Failure::Setting(bad.to_string()))
    }
}

impl From<BulkError> for Failure {
    fn from(error: BulkError) -> Failure {
        match error {
            BulkError::NotFresh => Failure::Setting(format!("store: {error}; a simulation needs a fresh one")),
            BulkError::Store(error) => Failure::Environment(format!("store: {error}")),
        }
    }
}

/// How far a fill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Tickets that are in the database.
    Written { tickets: u32, all: u32 },
    /// Days of cities, whose figures are counted once all tickets are there.
    Counted { days: usize, all: usize },
}

/// One line for each part, written over.
fn show(shown: bool, progress: Progress) {
    if shown {
        let end = if progress.is_whole() { "\n" } else { "" };
        // nobody misses progress that can't be shown
        let _ = write!(stderr(), "\r{progress}{end}");
    }
}

impl Progress {
    fn is_whole(self) -> bool {
        match self {
            Progress::Written { tickets, all } => tickets == all,
            Progress::Counted { days, all } => days == all,
        }
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Progress::Written { tickets, all } => write!(f, "{tickets} of {all} tickets"),
            Progress::Counted { days, all } => write!(f, "figures of {days} of {all} days of cities"),
        }
    }
}

/// Walks the plan's tickets on one thread and writes them on another; `progress` hears how far it is. Gives the number
/// of tickets.
///
/// # Errors
/// The database has tickets, or fails; what was written before stays.
pub async fn fill(store: &Store, plan: &Plan, mut progress: impl FnMut(Progress)) -> Result<u32, BulkError> {
    let mut bulk = store.bulk().await?;
    let world =
        World { calendar: Arc::clone(bulk.calendar()), limits: City::ALL.map(|city| bulk.limits(city).clone()) };
    let simulation = Simulation::new(plan, world);
    let (walked, mut to_write) = mpsc::channel(2);
    let walking = tokio::task::spawn_blocking(move || walk(simulation, &walked));
    let mut written = 0;
    while let Some(lives) = to_write.recv().await {
        bulk.write(&lives).await?;
        written += u32::try_from(lives.len()).expect("a thousand");
        progress(Progress::Written { tickets: written, all: plan.tickets() });
    }
    walking.await.expect("a walk does not panic");
    bulk.finish(|days, all| progress(Progress::Counted { days, all })).await?;
    Ok(written)
}

fn walk(mut simulation: Simulation, walked: &mpsc::Sender<Vec<Life>>) {
    loop {
        let lives: Vec<Life> = simulation.by_ref().take(LIVES_A_TRANSACTION).collect();
        if lives.is_empty() || walked.blocking_send(lives).is_err() {
            return;
        }
    }
}
