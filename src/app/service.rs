//! The running service: parts started in their order, drained and stopped in the opposite one.

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng, TryRng};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Failure, lines, settings};
use crate::call::Setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::layers::ConfigError;
use crate::console::{self, ApiToken, Console, Studio, Tls};
use crate::dialer::Dialer;
use crate::driver::calls::{Calls, Lines, Running, Served, Stage};
use crate::driver::keeper::Keeping;
use crate::driver::media::Media;
use crate::driver::recorder::Recorder;
use crate::driver::sip::{self, Sip};
use crate::driver::trunk::{self, Trunk, Trunks, WaysOut};
use crate::ivr::Flow;
use crate::live::{Live, Words};
use crate::prompt;
use crate::sip::{Admission, Command};
use crate::store::{self, AttachmentFolder, Holder, RecordingFolder, Rules, Store};
use crate::work::clocks::Clocks;
use crate::work::disk::DiskWatch;
use crate::work::outbox::webhook::Webhook;
use crate::work::outbox::{Outbox, Ways};
use crate::work::quality::Drawing;
use crate::work::recordings::Expiry;
use crate::work::retention::Retention;
use crate::work::seals::Sealing;
use crate::work::trends::Trends;
use crate::work::watchman::Watchman;

/// What a draining service tells callers to wait.
const RETRY_AFTER_S: u32 = 5;
/// After the goodbye, rows and files have so long.
const KEEP_LIMIT: Duration = Duration::from_secs(20);

/// All parts, running.
pub struct Service {
    pub sip: SocketAddr,
    pub http: SocketAddr,
    /// `https` with a certificate, else `http`.
    pub http_scheme: &'static str,
    pub data: PathBuf,
    pub token_path: PathBuf,
    /// Held as long as the service lives.
    _lock: File,
    store: Store,
    agent: Sip,
    stage: watch::Sender<Stage>,
    calls: JoinHandle<()>,
    closing: CancellationToken,
    watching: CancellationToken,
    trunks: usize,
    pub live: Arc<Live>,
}

impl Service {
    /// Starts everything; when it returns, calls are answered.
    ///
    /// # Errors
    /// The first part that can't start, with the key to mend.
    pub async fn start(config: Config, metrics: PrometheusHandle) -> Result<Service, Failure> {
        let clock = Clock::start();
        let mut random = seeded()?;
        let served = lines::served(&config).map_err(|found| Failure::Setting(problems(&found)))?;
        prompt::warm();
        let trunks = trunks(&config)?;
        let ways =
            Ways::new(&config.webhook, config.sms.as_ref()).map_err(|bad| config.sources.error(&bad.key, bad.what))?;
        make_data_folder(&config)?;
        let lock = lock(&config)?;
        let store = Store::open(&config.store, &config.data)
            .await
            .map_err(|error| config.sources.error(store_key(&config), error.to_string()))?
            .with_rules(rules(&config));
        let recordings = config.data.join("recordings");
        let folder = RecordingFolder::open(&recordings).map_err(|error| unusable(&config, &recordings, &error))?;
        let attachments = config.data.join("attachments");
        let attachments =
            AttachmentFolder::open(&attachments).map_err(|error| unusable(&config, &attachments, &error))?;
        repair(&store, &folder, &config.node, clock).await?;
        fill_due_days(&store, clock).await?;
        let token = ApiToken::load_or_create(&config.data, random.random())
            .map_err(|error| config.sources.error("data", error.to_string()))?;
        let http = TcpListener::bind(config.http.listen)
            .await
            .map_err(|error| config.sources.error("http.listen", format!("{}: {error}", config.http.listen)))?;
        let tls = tls(&config)?.map(Arc::new);
        let http_scheme = if tls.is_some() { "https" } else { "http" };
        let http_address = http.local_addr().map_err(|error| Failure::Environment(error.to_string()))?;

        let flows = drawn(&served);
        let lines = Arc::new(Lines::new(served));
        let live = Arc::new(Live::default());
        let recording_folder = folder.clone();
        let recorder = Recorder::start(&config.recordings, folder, clock).map_err(environment)?;
        let media = Arc::new(Media::start(config.media.clone(), clock).map_err(environment)?);
        let probe = media.allocate();
        probe.map_err(|error| config.sources.error("media.address", format!("{}: {error}", config.media.address)))?;
        let (agent, incoming, others) = sip::start(&config.sip, random.random(), clock)
            .await
            .map_err(|error| config.sources.error("sip.listen", format!("{}: {error}", config.sip.listen)))?;

        let (stage, stages) = watch::channel(Stage::Serving);
        let (low, high) = config.media.ports.bounds();
        let holder = Holder { node: config.node.clone(), start: format!("{:016x}", random.random::<u64>()) };
        let calls = Arc::new(Calls {
            sip: agent.clone(),
            media: Arc::clone(&media),
            keeping: Arc::new(Keeping { store: store.clone(), recorder, live: Arc::clone(&live), clock }),
            live: Arc::clone(&live),
            clock,
            lines: Arc::clone(&lines),
            advertise: config.advertised()?,
            node: config.node.clone(),
            random: Mutex::new(StdRng::from_seed(random.random())),
            permits: Arc::new(Semaphore::new(config.calls.max_calls)),
            unspoken: Arc::default(),
            own_ports: low..=high,
            holder: holder.clone(),
            stage: stages.clone(),
            running: Running::default(),
        });
        let answering = tokio::spawn(Arc::clone(&calls).run(incoming));
        let trunk_count = trunks.len();
        let plan = trunk::plan(config.dial_plan.clone(), &config.line, &trunks);
        let (ways_out, told) =
            WaysOut::new(&trunks, plan, config.visits.ring_timeout_s.saturating_mul(1_000), random.random(), clock);
        let ways_out = Arc::new(ways_out);
        let trunks = Trunks {
            trunks,
            ways: Arc::clone(&ways_out),
            told,
            allow: config.sip.allow.clone(),
            sip: agent.clone(),
            live: Arc::clone(&live),
            clock,
            random: Mutex::new(StdRng::from_seed(random.random())),
        };
        tokio::spawn(trunks.run(others));
        let dialer = Dialer {
            store: store.clone(),
            calls,
            ways: ways_out,
            live: Arc::clone(&live),
            clock,
            config: config.dialer.clone(),
            holder,
        };
        tokio::spawn(dialer.run(stages.clone()));

        let (closing, watching) = (CancellationToken::new(), CancellationToken::new());
        let watchman = Watchman {
            sip: agent.clone(),
            media,
            live: Arc::clone(&live),
            clock,
            late_limit_us: config.calls.late_limit_ms.saturating_mul(1_000),
        };
        tokio::spawn(watchman.run(stages, watching.clone()));
        let trends = Trends { store: store.clone(), config: config.reports.clone(), clock };
        tokio::spawn(trends.run(watching.clone()));
        let outbox = Outbox::new(store.clone(), config.outbox.clone(), ways, random.random());
        tokio::spawn(outbox.run(Arc::clone(&live), clock, watching.clone()));
        let retention = Retention { store: store.clone(), config: config.retention.clone(), clock };
        tokio::spawn(retention.run(watching.clone()));
        let expiry = Expiry {
            store: store.clone(),
            folder: recording_folder,
            node: config.node.clone(),
            days: config.retention.recordings_days,
            clock,
        };
        tokio::spawn(expiry.run(watching.clone()));
        tokio::spawn(Drawing { store: store.clone(), clock }.run(watching.clone()));
        tokio::spawn(Sealing { store: store.clone(), clock }.run(watching.clone()));
        let disk = DiskWatch { config: config.disk, data: config.data.clone(), live: Arc::clone(&live) };
        tokio::spawn(disk.run(watching.clone()));
        let clocks = Clocks { store: store.clone(), clock, config: config.clocks.clone() };
        tokio::spawn(clocks.run(watching.clone()));
        let router = console::router(Console {
            config: config.http.clone(),
            store: store.clone(),
            recordings,
            reports: config.reports.clone(),
            flows,
            settings: settings::shown(&config),
            studio: Arc::new(studio(config.prompts.folder.clone(), lines)),
            attachments,
            token,
            live: Arc::clone(&live),
            metrics: Box::new(move || metrics.render()),
            oidc: config.oidc.clone(),
            clock,
            seed: random.random(),
            closing: closing.clone(),
        });
        tokio::spawn(console::serve(http, config.http.max_connections, tls, router, closing.clone()));
        Ok(Service {
            _lock: lock,
            sip: agent.bound(),
            http: http_address,
            http_scheme,
            token_path: config.data.join(console::TOKEN_FILE_NAME),
            data: config.data,
            store,
            agent,
            stage,
            calls: answering,
            closing,
            watching,
            trunks: trunk_count,
            live,
        })
    }

    /// Lets no new calls in; running ones go on.
    pub async fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
        self.agent.command(Command::Admission(Admission::Draining { retry_after_s: RETRY_AFTER_S })).await;
        let words = Words::new("no new calls are taken: the service is ending").said("draining", &[]);
        self.live.report("drain", false, words);
    }

    /// Calls in progress.
    pub fn calls(&self) -> usize {
        self.live.calls().len()
    }

    /// Running calls hear goodbye.
    pub fn leave(&self) {
        self.stage.send_replace(Stage::Leaving);
    }

    /// Running calls are cut. What was said is kept.
    pub fn abort(&self) {
        self.stage.send_replace(Stage::Aborting);
    }

    /// Ends all parts. True when every call is over and kept; what is not, the next start repairs.
    pub async fn stop(self) -> bool {
        self.watching.cancel();
        self.closing.cancel();
        self.abort();
        let Service { agent, calls, live, store, trunks, .. } = self;
        let kept = timeout(KEEP_LIMIT, async {
            while !live.calls().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // only now: a registrar may end the calls of a binding that is taken back
            Trunks::unregister(&agent, trunks).await;
            // and a BYE on its way gets its answer before the socket closes
            agent.stop().await;
            calls.await
        });
        let kept = matches!(kept.await, Ok(Ok(())));
        store.close().await;
        kept
    }
}

pub(super) fn seeded() -> Result<StdRng, Failure> {
    let mut seed = [0; 32];
    SysRng
        .try_fill_bytes(&mut seed)
        .map_err(|error| Failure::Environment(format!("the system gives no randomness: {error}")))?;
    Ok(StdRng::from_seed(seed))
}

/// What the store is told of the settings, whoever opens it.
pub(super) fn rules(config: &Config) -> Rules {
    Rules {
        webhooks: config.webhook.iter().map(|(name, webhook)| Webhook::subscriber(name, webhook)).collect(),
        sms: config.sms.is_some(),
        limits: config.limits.clone(),
        cities: config.city_limits.clone(),
        access: config.access.clone(),
        supervision: config.supervision.clone(),
        matching: config.matching.clone(),
        visits: config.visits.clone(),
        quality: config.quality.clone(),
    }
}

/// The flows of the lines, each once, by the number and the purpose of the first line that has it.
fn drawn(served: &[Served]) -> Vec<(String, Flow)> {
    let mut setups: Vec<&Arc<Setup>> = Vec::new();
    let mut flows = Vec::new();
    for Served { line, setup } in served {
        if !setups.iter().any(|there| Arc::ptr_eq(there, setup)) {
            setups.push(setup);
            flows.push((line.number.clone(), setup.flow.clone()));
            flows.push((format!("{} visit", line.number), setup.visit.clone()));
        }
    }
    flows
}

/// How the console hears and replaces the prompts that these lines say.
fn studio(folder: Option<PathBuf>, lines: Arc<Lines>) -> Studio {
    let (heard, taken) = (Arc::clone(&lines), lines);
    let in_use = move || Arc::clone(&heard.now()[0].setup.prompts);
    let take_up = move |prompts| {
        taken.replace(lines::with_prompts(&taken.now(), &prompts)?);
        Ok(())
    };
    Studio::new(folder, in_use, take_up)
}

fn problems(found: &[prompt::Problem]) -> String {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn trunks(config: &Config) -> Result<Vec<Trunk>, ConfigError> {
    let trunk = |(name, trunk): (&String, _)| {
        Trunk::new(name, trunk).map_err(|bad| config.sources.error(&format!("trunk.{name}.{}", bad.key), bad.what))
    };
    config.trunk.iter().map(trunk).collect()
}

pub(super) fn make_data_folder(config: &Config) -> Result<(), ConfigError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data);
    made.map_err(|error| unusable(config, &config.data, &error))
}

/// One service a data folder: another one's repair would take our running calls for dead ones.
pub(super) fn lock(config: &Config) -> Result<File, ConfigError> {
    let path = config.data.join("lock");
    let file = File::create(&path).map_err(|error| unusable(config, &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(config.sources.error("data", format!("{} is in use by another hotline", config.data.display())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(config, &path, &error)),
    }
}

/// The certificate of the console, if it has one.
pub(super) fn tls(config: &Config) -> Result<Option<Tls>, ConfigError> {
    let bad = |key: &str, what: String| config.sources.error(key, what);
    match (&config.http.tls_certificate, &config.http.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Tls::load(certificate, key).map(Some).map_err(|error| bad("http.tls_certificate", error.to_string()))
        }
        (Some(_), None) => Err(bad("http.tls_certificate", "it needs http.tls_key too".to_owned())),
        (None, Some(_)) => Err(bad("http.tls_key", "it needs http.tls_certificate too".to_owned())),
    }
}

fn unusable(config: &Config, path: &std::path::Path, error: &io::Error) -> ConfigError {
    config.sources.error("data", format!("{} can't be used: {error}", path.display()))
}

pub(super) fn store_key(config: &Config) -> &'static str {
    if config.store.url.is_some() { "store.url" } else { "data" }
}

async fn repair(store: &Store, folder: &RecordingFolder, node: &str, clock: Clock) -> Result<(), Failure> {
    let repaired = store::repair(store, folder, node, clock.wall()).await.map_err(environment)?;
    if repaired.calls + repaired.recordings > 0 {
        tracing::warn!(
            calls = repaired.calls,
            recordings = repaired.recordings,
            tickets = repaired.tickets.len(),
            "what the last run left open is repaired"
        );
    }
    for path in &repaired.orphans {
        tracing::warn!(path = %path.display(), "a recording belongs to no known call");
    }
    for (call, why) in &repaired.failed {
        tracing::error!(call.id = %call, why, "a call could not be repaired; the next start tries again");
    }
    Ok(())
}

/// Tickets that were made before there were due days get theirs.
async fn fill_due_days(store: &Store, clock: Clock) -> Result<(), Failure> {
    let filled = store.fill_due_days(clock.wall()).await.map_err(environment)?;
    if filled > 0 {
        tracing::info!(tickets = filled, "tickets of an older version have due days now");
    }
    Ok(())
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::Environment(error.to_string())
}
