//! `hotline call`: one call from the command line, for an operator who wants to try a line without a phone.

mod arguments;
mod print;
mod wav;

use std::time::Duration;

use rand::RngExt;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::Failure;
use super::service::seeded;
use crate::clock::Clock;
use crate::driver::caller::{self, Order, Plan, Report};
use crate::sip::Why;

pub use arguments::Arguments;

/// Calls, tells what happens, and says how it was.
///
/// # Errors
/// An argument that can't be used, or a call that nobody answered.
pub fn call(arguments: &Arguments) -> Result<(), Failure> {
    let plan = arguments.plan()?;
    let recording = arguments.record.as_deref().map(wav::create).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no runtime: {error}")))?;
    let uri = plan.uri.clone();
    let report = runtime.block_on(place(plan, arguments.json))?;
    if let Some(recording) = recording {
        recording.finish(&report.heard)?;
    }
    if arguments.json {
        print::document(&uri, &report);
    } else {
        print::summary(&report, arguments.record.as_deref());
    }
    if report.answered.is_some() { Ok(()) } else { Err(unanswered(&report)) }
}

async fn place(plan: Plan, silent: bool) -> Result<Report, Failure> {
    let seed = seeded()?.random();
    let (orders, ordered) = mpsc::unbounded_channel();
    tokio::spawn(interrupts(orders));
    let tell = |progress| {
        if !silent {
            print::progress(&progress);
        }
    };
    let called = caller::call(plan, Clock::start(), seed, ordered, tell).await;
    called.map_err(|error| Failure::Environment(error.to_string()))
}

/// The first Ctrl-C hangs up, the second one ends at once.
async fn interrupts(orders: UnboundedSender<Order>) {
    if tokio::signal::ctrl_c().await.is_ok()
        && orders.send(Order::HangUp).is_ok()
        && tokio::signal::ctrl_c().await.is_ok()
    {
        std::process::exit(130);
    }
}

pub(super) fn unanswered(report: &Report) -> Failure {
    let why = match (report.refusal(), &report.ended.why) {
        (Some(refusal), _) => refusal,
        (_, Why::Cancel) => "we gave up",
        (_, Why::NoAnswer) => "nobody is there: no response at all",
        (_, Why::TransportFailed) => "the host can't be reached",
        _ => "the answer can't be used",
    };
    Failure::Environment(format!("not answered: {why}"))
}

/// Seconds with three digits after the point.
fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}
