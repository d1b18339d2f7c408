//! `hotline demo`: a short tour on a temporary folder. Two citizens call with real audio, two tickets exist.

mod citizen;
mod fetch;
mod folder;
mod teller;
mod tickets;

use std::io::{IsTerminal, stdout};

use rand::RngExt;
use serde_json::json;

use super::call::unanswered;
use super::service::{Service, seeded};
use super::{Failure, serve};
use crate::call::line::Line;
use crate::clock::Clock;
use crate::config::layers::Layers;
use crate::config::{self, Config, Log};
use crate::prompt::Prompts;
use citizen::{CITIZENS, Tour};
use folder::TourFolder;
use teller::Teller;

const ABOUT: &str = "\
Starts the service on a temporary folder and free ports, calls it once in Tibetan and once in Mandarin at the same
time, and reads the two tickets back through the API. Takes about a minute. On a terminal the service then stays up
until Ctrl-C, so that the API can be tried.

Exit code: 0 when both tickets exist with their recordings; otherwise the step that failed is named.";

#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub struct Arguments {
    /// Leave the folder with the database and the recordings behind
    #[arg(long)]
    keep: bool,
    /// Each step as one line of JSON
    #[arg(long)]
    json: bool,
}

/// A step that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {why}")]
pub struct Stuck {
    pub step: String,
    pub why: String,
}

impl Stuck {
    pub fn new(step: impl Into<String>, why: impl ToString) -> Stuck {
        Stuck { step: step.into(), why: why.to_string() }
    }
}

/// Goes through the tour.
///
/// # Errors
/// The step that failed.
pub fn demo(arguments: &Arguments) -> Result<(), Failure> {
    let teller = Teller::new(arguments.json, Clock::start());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no runtime: {error}")))?;
    serve::log(&Config { log: Log { filter: "warn".to_owned(), ..Log::default() }, ..Config::default() })?;
    let folder = TourFolder::new(seeded()?.random(), arguments.keep)
        .map_err(|error| Failure::Environment(format!("no temporary folder: {error}")))?;
    let stay = !arguments.json && stdout().is_terminal();
    let toured = runtime.block_on(tour(&teller, &folder, stay));
    // threads and tasks are gone before their folder
    drop(runtime);
    if arguments.keep {
        let again = format!("hotline serve --data {}", folder.path().display());
        teller.step("kept", "保留", &format!("the folder stays: {again}"), json!({"data": folder.path()}));
    }
    toured
}

async fn tour(teller: &Teller, folder: &TourFolder, stay: bool) -> Result<(), Failure> {
    let named = |stuck: Stuck| Failure::Environment(format!("the demo failed at {stuck}"));
    let service = Service::start(settings(folder)?, serve::metrics()?).await?;
    teller.step(
        "ready",
        "服务就绪",
        &format!(
            "the service is up: SIP {}, API http://{}, data {}",
            service.sip,
            service.http,
            service.data.display()
        ),
        json!({"sip": service.sip, "http": service.http, "data": service.data}),
    );
    let result = tokio::select! {
        result = calls(teller, &service) => result.map_err(named),
        _ = tokio::signal::ctrl_c() => Err(Failure::Environment("the demo was interrupted".to_owned())),
    };
    if result.is_ok() && stay {
        teller.line("The service stays up until Ctrl-C.");
        let _ = tokio::signal::ctrl_c().await;
    }
    let kept = service.stop().await;
    result?;
    if kept { Ok(()) } else { Err(named(Stuck::new("stop", "not everything was stored"))) }
}

async fn calls(teller: &Teller, service: &Service) -> Result<(), Stuck> {
    let prompts = Prompts::embedded();
    let tour = |citizen| Tour { citizen, teller, live: &service.live, prompts: &prompts, sip: service.sip };
    let [first, second] = CITIZENS.map(tour);
    let (first, second) = tokio::try_join!(first.walk(), second.walk())?;
    let api = fetch::Api::new(service.http, &service.token_path).map_err(|error| Stuck::new("token", error))?;
    for number in [first, second] {
        tickets::show(teller, &api, &number).await.map_err(|why| Stuck::new(format!("ticket {number}"), why))?;
    }
    let url = format!("http://{}/api/v1/tickets", service.http);
    let curl = format!("curl -H \"Authorization: Bearer $(cat {})\" {url}", service.token_path.display());
    teller.step("api", "接口", &format!("{url}\n{curl}"), json!({"url": url, "curl": curl}));
    Ok(())
}

/// Free ports on this machine alone, a line for each citizen's city.
fn settings(folder: &TourFolder) -> Result<Config, Failure> {
    let mut layers = Layers::default();
    let data = folder.path().display().to_string();
    for (key, value) in [("data", data.as_str()), ("sip.listen", "127.0.0.1:0"), ("http.listen", "127.0.0.1:0")] {
        layers.flag("demo", key, value)?;
    }
    let mut config = config::read(layers)?;
    config.line =
        CITIZENS.map(|citizen| Line { number: citizen.line.into(), city: citizen.city, ..Line::default() }).into();
    Ok(config)
}
