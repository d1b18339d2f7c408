//! `hotline demo`: a tour on a temporary folder. Two citizens call with real audio, two tickets exist; units close them, the
//! hotline calls back, one citizen is content and the other one's ticket is opened again.

mod citizen;
mod console;
mod fetch;
mod folder;
mod teller;
mod tickets;

use std::io::{IsTerminal, stdout};
use std::net::{IpAddr, SocketAddr};

use rand::RngExt;
use serde_json::json;

use super::call::unanswered;
use super::service::{Service, seeded};
use super::{Failure, serve};
use crate::call::line::Line;
use crate::callback;
use crate::clock::Clock;
use crate::config::layers::Layers;
use crate::config::{self, Config, Log};
use crate::driver::caller::Telephone;
use crate::driver::media::ports::PortRange;
use crate::driver::trunk;
use crate::prompt::Prompts;
use citizen::{CITIZENS, Tour};
use folder::TourFolder;
use teller::Teller;
use tickets::TicketError;

const ABOUT: &str = "\
Starts the service on a temporary folder and free ports, calls it once in Tibetan and once in Mandarin at the same
time, and reads the two tickets back through the API. Then units close them and the hotline calls back: the first
citizen is content, the second says that it is not solved, and that ticket is opened again. Takes about two minutes. On
a terminal the service then stays up until Ctrl-C, so that the API can be tried.

With --console it shows the console instead: a year of simulated tickets, calls of the last hours to listen to, and an
account for each role; their address and password are printed.

Exit code: 0 when both tickets exist with their recordings and both visits are answered; otherwise the step that
failed is named.";

#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub struct Arguments {
    /// Leave the folder with the database and the recordings behind
    #[arg(long)]
    keep: bool,
    /// Each step as one line of JSON
    #[arg(long)]
    json: bool,
    /// Show the console in place of the tour: a simulated year, recordings in both languages, and people who may sign in
    #[arg(long)]
    console: bool,
    /// With --console: how many tickets the year has
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "console")]
    tickets: u32,
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
    let toured = match arguments.console {
        true => runtime.block_on(console::show(&teller, &folder, arguments.tickets)),
        false => runtime.block_on(tour(&teller, &folder, stay)),
    };
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
    let telephone = telephone().await?;
    let service = Service::start(settings(folder, telephone.address())?, serve::metrics()?).await?;
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
        result = round(teller, &service, telephone) => result.map_err(named),
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

/// The citizens' telephones: all calls out lead there.
async fn telephone() -> Result<Telephone, Failure> {
    let failed = |error: String| Failure::Environment(format!("no telephone to be called: {error}"));
    let (low, high) = citizen::RTP_PORTS;
    let ports = PortRange::new(low, high).map_err(|error| failed(error.to_string()))?;
    let local = IpAddr::from([127, 0, 0, 1]);
    let telephone = Telephone::start(local, ports, Clock::start(), seeded()?.random()).await;
    telephone.map_err(|error| failed(error.to_string()))
}

/// Both requests, from the call to the score.
async fn round(teller: &Teller, service: &Service, mut telephone: Telephone) -> Result<(), Stuck> {
    let prompts = Prompts::embedded();
    let tours = CITIZENS.map(|citizen| Tour { citizen, teller, live: &service.live, prompts: &prompts });
    let (first, second) = tokio::try_join!(tours[0].calls(service.sip), tours[1].calls(service.sip))?;
    let api = fetch::Api::new(service.http, &service.token_path).map_err(|error| Stuck::new("token", error))?;
    let stuck = |number: &str, why: TicketError| Stuck::new(format!("ticket {number}"), why);
    for number in [&first, &second] {
        tickets::show(teller, &api, number).await.map_err(|why| stuck(number, why))?;
    }
    for (tour, number, state) in [(&tours[0], &first, "archived"), (&tours[1], &second, "recheck")] {
        tickets::close(teller, &api, number, &tour.citizen.matter).await.map_err(|why| stuck(number, why))?;
        tour.is_called(&mut telephone).await?;
        tickets::visited(teller, &api, number, state).await.map_err(|why| stuck(number, why))?;
    }
    telephone.stop().await;
    let url = format!("http://{}/api/v1/tickets", service.http);
    let curl = format!("curl -H \"Authorization: Bearer $(cat {})\" {url}", service.token_path.display());
    teller.step("api", "接口", &format!("{url}\n{curl}"), json!({"url": url, "curl": curl}));
    Ok(())
}

/// Free ports on this machine alone, a line for each citizen's city, calls back at any hour to the citizens' telephone.
fn settings(folder: &TourFolder, telephone: SocketAddr) -> Result<Config, Failure> {
    let mut layers = Layers::default();
    let data = folder.path().display().to_string();
    for (key, value) in [("data", data.as_str()), ("sip.listen", "127.0.0.1:0"), ("http.listen", "127.0.0.1:0")] {
        layers.flag("demo", key, value)?;
    }
    let mut config = config::read(layers)?;
    config.line =
        CITIZENS.map(|citizen| Line { number: citizen.line.into(), city: citizen.city, ..Line::default() }).into();
    let all_day = "00:00-23:59".parse().map_err(|bad| Failure::Environment(format!("{bad}")))?;
    config.visits = callback::Config { windows: vec![all_day], call_on_days_off: true, ..callback::Config::default() };
    let trunk = trunk::Config {
        peer: Some(format!("sip:{telephone}")),
        calls_out: true,
        channels: 4,
        caller_id: CITIZENS
            .map(|citizen| (trunk::Shown::City(citizen.city), citizen.line.to_owned()))
            .into_iter()
            .chain([(trunk::Shown::Default, "12345".to_owned())])
            .collect(),
        ..trunk::Config::default()
    };
    config.trunk.insert("telephones".to_owned(), trunk);
    Ok(config)
}
