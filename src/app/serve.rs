//! `hotline serve`: the service until it is told to end.

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::service::Service;
use crate::config::{self, Config, LogFormat, layers::Layers};
use crate::console;

/// The goodbye is said within this, then calls are cut.
const GOODBYE: Duration = Duration::from_secs(15);

/// Serves until SIGTERM or SIGINT; a second one ends at once. Prints one line when ready.
pub fn serve(layers: Layers) -> Result<(), Failure> {
    let config = config::read(layers)?;
    log(&config)?;
    raise_file_limit(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no runtime: {error}")))?;
    runtime.block_on(run(config))
}

async fn run(config: Config) -> Result<(), Failure> {
    let metrics = metrics()?;
    let drain_timeout = Duration::from_secs(config.drain_timeout_s.into());
    let mut ends = Ends::new()?;
    let service = Service::start(config, metrics).await?;
    // a line on a closed pipe is nobody's loss
    let _ =
        writeln!(std::io::stdout(), "ready sip={} http={} data={}", service.sip, service.http, service.data.display());
    eprintln!("hotline: the console is at {}://{}/", service.http_scheme, service.http);
    eprintln!("hotline: the API token is in {}", service.token_path.display());
    ends.next().await;
    tracing::info!(calls = service.calls(), "draining: no new calls are taken");
    service.drain().await;
    let finished = tokio::select! {
        () = over(&service, drain_timeout) => true,
        () = ends.next() => false,
    };
    if finished && service.calls() > 0 {
        tracing::info!(calls = service.calls(), "the drain time is over: running calls hear goodbye");
        service.leave();
        tokio::select! {
            () = over(&service, GOODBYE) => {}
            () = ends.next() => {}
        }
    }
    if !service.stop().await {
        tracing::warn!("not everything was stored in time; the next start repairs it from the files");
    }
    tracing::info!("ended");
    Ok(())
}

/// The recorder of the process, which may be installed once.
pub(super) fn metrics() -> Result<PrometheusHandle, Failure> {
    let no_metrics = |error| Failure::Environment(format!("no metrics: {error}"));
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(console::DURATION_METRIC.into()), &console::DURATION_BUCKETS_S)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(no_metrics)?;
    tokio::spawn(upkeep(metrics.clone()));
    console::describe_metrics();
    super::metrics::describe();
    Ok(metrics)
}

/// Folds the samples of histograms, which grow without it.
async fn upkeep(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// Until no call is left, or the time is over.
async fn over(service: &Service, limit: Duration) {
    let idle = async {
        while service.calls() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(limit, idle).await;
}

/// SIGTERM and SIGINT.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn new() -> Result<Ends, Failure> {
        let watch = |kind| signal(kind).map_err(|error| Failure::Environment(format!("no signals: {error}")));
        Ok(Ends { terminate: watch(SignalKind::terminate())?, interrupt: watch(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            Some(()) = self.terminate.recv() => {}
            Some(()) = self.interrupt.recv() => {}
            else => pending().await,
        }
    }
}

/// A call has two sockets and two recordings, each open twice.
const FILES_PER_CALL: u64 = 6;
/// The database, the API and what the system opens for us.
const FILES_BESIDES: u64 = 400;

/// Takes as many open files as the system gives, and refuses a number of calls that does not fit.
fn raise_file_limit(config: &Config) -> Result<(), Failure> {
    let limits = getrlimit(Resource::Nofile);
    let hard = limits.maximum.unwrap_or(u64::MAX);
    let needed = config.calls.max_calls as u64 * FILES_PER_CALL + FILES_BESIDES;
    if needed > hard {
        let what = format!("so many calls need {needed} open files, and the system allows {hard} (ulimit -n)");
        return Err(config.sources.error("calls.max_calls", what).into());
    }
    let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
    setrlimit(Resource::Nofile, raised)
        .map_err(|error| Failure::Environment(format!("the number of open files can't be raised: {error}")))
}

/// What is to be logged.
pub(super) fn filter(config: &Config) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(&config.log.filter).map_err(|error| config.sources.error("log.filter", error.to_string()).into())
}

pub(super) fn log(config: &Config) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(config)?).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
