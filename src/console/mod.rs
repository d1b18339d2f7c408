//! HTTP: the API (JSON, problem documents for errors, OpenAPI at `/api/openapi.json`) and the pages of the console.
//!
//! The app makes a [`Console`], hands it to [`router`] and the router to [`serve`].

mod accounts;
mod asking;
mod audit;
mod body;
mod calendar;
mod calls;
mod catalogue;
mod clients;
mod exports;
mod guard;
mod health;
mod holds;
mod listener;
mod live;
mod observe;
pub mod oidc;
mod open311;
mod openapi;
mod outbox;
mod overview;
mod page;
mod pages;
mod problem;
mod query;
mod range;
mod recordings;
mod reports;
mod reviews;
mod routes;
mod schema;
mod secrets;
mod segment;
mod sessions;
mod settings;
mod studio;
mod supervision;
mod tickets;
mod tls;
mod token;
mod visits;

use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::clock::Clock;
use crate::ivr::Flow;
use crate::live::Live;
use crate::report;
use crate::store::{AttachmentFolder, Store};

pub use observe::{DURATION as DURATION_METRIC, DURATION_BUCKETS_S, REQUESTS as REQUESTS_METRIC, describe_metrics};
pub use openapi::document as openapi_document;
pub use routes::{Access, Entry, entries, page_entries};
pub use settings::{Settings, TrunkSettings};
pub use studio::Studio;
pub use tls::{Tls, TlsError};
pub use token::{ApiToken, FILE_NAME as TOKEN_FILE_NAME, TokenError};

use asking::Peer;
use listener::Bounded;
use observe::RequestIds;
use problem::{Kind, Problem};
use secrets::Secrets;

/// How long answers under way may go on once the service closes.
const CLOSING_GRACE: Duration = Duration::from_secs(5);

/// The section `[http]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Without TLS leave it on loopback or put a proxy before it: browsers keep no session otherwise.
    pub listen: SocketAddr,
    /// PEM files of a certificate, with what it is signed by, and of its key: both or neither. They are read anew every
    /// minute.
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// The address that people open, where a proxy changes it: `https://12345.example`.
    pub public_url: Option<String>,
    /// After this long without an answer a client gets 504.
    pub request_timeout_ms: u64,
    /// Requests worked on at once; the next gets 503.
    pub max_requests: usize,
    /// Clients connected at once; the next waits to be accepted.
    pub max_connections: usize,
    /// Event streams and recordings being sent at once, each; the next gets 503.
    pub max_streams: usize,
    /// Networks of proxies, whose `X-Forwarded-For` is believed: without them everybody who comes through one has its
    /// address, in the audit and where wrong passwords are counted.
    pub proxies: Vec<IpNet>,
}

impl Config {
    fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls_certificate: None,
            tls_key: None,
            public_url: None,
            request_timeout_ms: 15_000,
            max_requests: 256,
            max_connections: 512,
            max_streams: 64,
            proxies: Vec::new(),
        }
    }
}

/// What the API is made of.
pub struct Console {
    pub config: Config,
    pub store: Store,
    /// The folder that the paths in recording rows start from.
    pub recordings: PathBuf,
    /// Where attachments lie.
    pub attachments: AttachmentFolder,
    pub token: ApiToken,
    pub live: Arc<Live>,
    /// The flows that calls walk, by name: drawn for people.
    pub flows: Vec<(String, Flow)>,
    /// What administrators are shown of the configuration.
    pub settings: Settings,
    /// The prompts, heard and replaced.
    pub studio: Arc<Studio>,
    /// From when on a class rises.
    pub reports: report::Config,
    /// Renders the metrics as Prometheus text.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// Where people may sign in beside here.
    pub oidc: Option<oidc::Config>,
    pub clock: Clock,
    /// Request ids, tokens and salts are made of it: from the system's random source, and never shown.
    pub seed: [u8; 32],
    /// Ends the event streams, which have no end of their own. Give [`serve`] the same one.
    pub closing: CancellationToken,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("config", &self.config)
            .field("recordings", &self.recordings)
            .finish_non_exhaustive()
    }
}

/// What every handler sees.
struct Shared {
    console: Console,
    request_ids: RequestIds,
    secrets: Secrets,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
}

impl Deref for Shared {
    type Target = Console;

    fn deref(&self) -> &Console {
        &self.console
    }
}

/// Every route with what stands before it.
pub fn router(console: Console) -> Router {
    let permits = |number: usize| Arc::new(Semaphore::new(number));
    let shared = Arc::new(Shared {
        request_ids: RequestIds::new(console.seed),
        secrets: Secrets::new(console.seed),
        requests: permits(console.config.max_requests),
        streams: permits(console.config.max_streams),
        transfers: permits(console.config.max_streams),
        console,
    });
    let mut router = Router::new();
    for route in routes::all().into_iter().chain(pages::routes()) {
        let rule = (Arc::clone(&shared), route.rule);
        let handler = route.handler.route_layer(middleware::from_fn_with_state(rule, guard::guard));
        router = router.route(route.path, handler.layer(DefaultBodyLimit::max(route.rule.body.unwrap_or(0))));
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), observe::observe))
        .with_state(shared)
}

/// Answers at most `max_connections` clients at once, by TLS if there is a certificate, until `closing` is cancelled, then lets answers under way end
/// for 5 s.
///
/// # Errors
/// The listener fails for good.
pub async fn serve(
    listener: TcpListener,
    max_connections: usize,
    tls: Option<Arc<Tls>>,
    router: Router,
    closing: CancellationToken,
) -> io::Result<()> {
    if let Some(tls) = &tls {
        tokio::spawn(Arc::clone(tls).watch(closing.clone()));
    }
    let listener = Bounded::new(listener, max_connections, tls);
    let router = router.into_make_service_with_connect_info::<Peer>();
    let graceful = axum::serve(listener, router).with_graceful_shutdown(closing.clone().cancelled_owned());
    tokio::select! {
        ended = graceful.into_future() => ended,
        () = async { closing.cancelled().await; tokio::time::sleep(CLOSING_GRACE).await } => Ok(()),
    }
}

async fn no_such_path(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let problem = Problem::new(Kind::NoSuchPath, "The paths are listed in /api/openapi.json.").into_response();
    let for_programs = ["/api/", "/open311/"].iter().any(|prefix| uri.path().starts_with(prefix));
    if for_programs || method != Method::GET { problem } else { pages::shown(problem, &headers) }
}

async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "The header Allow names the methods that are.")
}

/// The panic's own words may hold anything: the panic hook has written them, the client does not see them.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    let mut response =
        Problem::new(Kind::Internal, "The service could not answer. The log has the reason.").into_response();
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}
