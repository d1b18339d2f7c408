//! A running API and a client for it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;

use hotline::access::Role;
use hotline::clock::Clock;
use hotline::console::{self, ApiToken, Config, Console, Settings, Studio, Tls, oidc};
use hotline::ivr::Flow;
use hotline::live::Live;
use hotline::prompt::Prompts;
use hotline::report;
use hotline::store::{self, AttachmentFolder, Store};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use ureq::http::{HeaderMap, Request, StatusCode};
use ureq::{Agent, Body};

pub const TOKEN: &str = "a-token-of-the-tests-0123456789abcdef";

pub struct Service {
    pub live: Arc<Live>,
    pub store: Store,
    /// The folder of the recordings; goes with the service.
    pub folder: PathBuf,
    agent: Agent,
    base: String,
    closing: CancellationToken,
    runtime: Runtime,
}

impl Service {
    pub fn start() -> Service {
        Service::start_with(Config::default())
    }

    pub fn start_with(config: Config) -> Service {
        Setting { config, ..Setting::default() }.start()
    }

    /// `metrics` is what `/metrics` calls.
    pub fn start_as(config: Config, metrics: impl Fn() -> String + Send + Sync + 'static) -> Service {
        Setting { config, ..Setting::default() }.start_with(metrics)
    }

    pub fn start_reporting(reports: report::Config) -> Service {
        Setting { reports, ..Setting::default() }.start()
    }

    /// These roles need a second factor.
    pub fn start_with_second_factor(second_factor: Vec<Role>) -> Service {
        Setting { second_factor, ..Setting::default() }.start()
    }

    /// People may sign in at this provider too.
    pub fn start_with_provider(oidc: oidc::Config, second_factor: Vec<Role>) -> Service {
        Setting { oidc: Some(oidc), second_factor, ..Setting::default() }.start()
    }

    /// Administrators are shown these.
    pub fn start_set_to(settings: Settings) -> Service {
        Setting { settings, ..Setting::default() }.start()
    }

    /// By TLS, with the certificate of this file.
    pub fn start_secure(tls: Arc<Tls>, certificate: &Path) -> Service {
        let config = Config { tls_certificate: Some(certificate.to_owned()), ..Config::default() };
        Setting { config, tls: Some(tls), ..Setting::default() }.start()
    }
}

/// What a service starts with.
#[derive(Default)]
struct Setting {
    config: Config,
    reports: report::Config,
    second_factor: Vec<Role>,
    tls: Option<Arc<Tls>>,
    oidc: Option<oidc::Config>,
    settings: Settings,
}

impl Setting {
    fn start(self) -> Service {
        let metrics = metrics();
        self.start_with(move || metrics.render())
    }

    fn start_with(self, metrics: impl Fn() -> String + Send + Sync + 'static) -> Service {
        let Setting { config, reports, second_factor, tls, oidc, settings } = self;
        keep_log();
        let max_connections = config.max_connections;
        let runtime = Runtime::new().expect("a runtime");
        let folder = temporary_folder();
        let live = Arc::new(Live::default());
        let closing = CancellationToken::new();
        let in_memory = store::Config { url: Some("sqlite::memory:".to_owned().into()), ..store::Config::default() };
        let store = runtime.block_on(Store::open(&in_memory, &folder)).expect("a database in memory");
        let access = store::AccessConfig { second_factor, ..store::AccessConfig::default() };
        let store = store.with_rules(store::Rules { access, ..store::Rules::default() });
        let router = console::router(Console {
            config,
            store: store.clone(),
            recordings: folder.clone(),
            attachments: AttachmentFolder::open(folder.join("attachments")).expect("a folder"),
            token: ApiToken::new(TOKEN),
            live: Arc::clone(&live),
            reports,
            settings,
            flows: vec![("12345".to_owned(), flow())],
            studio: Arc::new(studio(folder.join("prompts"))),
            metrics: Box::new(metrics),
            oidc,
            clock: Clock::start(),
            seed: seed(),
            closing: closing.clone(),
        });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        runtime.spawn(console::serve(listener, max_connections, tls, router, closing.clone()));
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            // an answer that does not wait for the body closes the connection, which the next request may not notice
            .max_idle_connections(0)
            .build()
            .new_agent();
        Service { live, store, folder, agent, base, closing, runtime }
    }
}

impl Service {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// With the token.
    pub fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[])
    }

    /// With the token and these headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask("GET", path, &[&[("authorization", bearer().as_str())], headers].concat())
    }

    /// Exactly these headers.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let (head, mut body) = self.send(method, path, headers).into_parts();
        Reply { status: head.status, headers: head.headers, body: body.read_to_vec().expect("the whole body") }
    }

    /// The answer with its body still to come.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<Body> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.agent.run(request.body(()).expect("a request"));
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// With the token and a body, which nothing here takes.
    pub fn get_with_body(&self, path: &str, body: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", bearer());
        let (head, mut body) = request.force_send_body().send(body).expect("an answer").into_parts();
        Reply { status: head.status, headers: head.headers, body: body.read_to_vec().expect("the whole body") }
    }

    /// A JSON document, with the token and these headers.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], document: &serde_json::Value) -> Reply {
        let json = [("authorization", bearer()), ("content-type", "application/json".to_owned())];
        let own = json.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<(&str, &str)> = own.chain(headers.iter().copied()).collect();
        self.send_bytes("POST", path, &headers, document.to_string().as_bytes())
    }

    /// Exactly these headers and bytes.
    pub fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, mut body) = self.agent.run(request.body(bytes).expect("a request")).expect("an answer").into_parts();
        Reply { status: head.status, headers: head.headers, body: body.read_to_vec().expect("the whole body") }
    }

    /// Closes the API as a stop of the service does.
    pub fn close(&self) {
        self.closing.cancel();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.closing.cancel();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Prompts that are replaced in this folder.
fn studio(prompts: PathBuf) -> Studio {
    std::fs::create_dir_all(&prompts).expect("a folder");
    let in_use = Arc::new(Mutex::new(Prompts::embedded()));
    let taken = Arc::clone(&in_use);
    let in_use = move || Arc::clone(&in_use.lock().expect("nobody panicked"));
    let take_up = move |prompts| {
        *taken.lock().expect("nobody panicked") = prompts;
        Ok(())
    };
    Studio::new(Some(prompts), in_use, take_up)
}

/// The one that the program has inside.
fn flow() -> Flow {
    let text = include_str!("../../prompts/flows/inbound.toml");
    Flow::parse(text, "inbound.toml").expect("a flow")
}

/// The exporter that every service of this binary counts into.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let buckets = Matcher::Full(console::DURATION_METRIC.to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, &console::DURATION_BUCKETS_S);
        let handle = builder.expect("buckets").install_recorder().expect("the first recorder");
        console::describe_metrics();
        handle
    };
    METRICS.get_or_init(install).clone()
}

/// What every test of this binary has logged so far.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All levels, all crates: what is kept out has to be kept out of everything.
fn keep_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(|| Log);
        tracing::subscriber::set_global_default(subscriber.finish()).expect("the first subscriber");
    });
}

pub fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

pub fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// A new folder. Its name is of the process and a count: tests run side by side.
/// Of each service another: ids of requests stand in one log.
fn seed() -> [u8; 32] {
    use std::sync::atomic::{AtomicU8, Ordering};
    static COUNT: AtomicU8 = AtomicU8::new(0);
    [COUNT.fetch_add(1, Ordering::Relaxed); 32]
}

pub fn temporary_folder() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("hotline-api-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// All of it but what differs from run to run: the date and the request's id.
    pub fn show(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            if name != "date" && name != "x-request-id" && name != "content-length" {
                let _ = writeln!(text, "{name}: {}", value.to_str().expect("a printable header"));
            }
        }
        let pretty = serde_json::from_slice::<serde_json::Value>(&self.body)
            .map(|value| serde_json::to_string_pretty(&value).expect("JSON"))
            .unwrap_or_else(|_| self.text().to_owned());
        text + "\n" + &pretty
    }
}
