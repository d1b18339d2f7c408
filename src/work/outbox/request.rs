//! One request to the far side, and what came of it.

use std::time::Duration;

use ureq::http::{self, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

/// So much of an answer is read, to look for what it has to contain.
const MAX_ANSWER: u64 = 64 * 1024;

/// A key that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct BadWay {
    /// Below `webhook.NAME` or `sms`; empty: the whole.
    pub key: String,
    pub what: String,
}

impl BadWay {
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> BadWay {
        BadWay { key: key.into(), what: what.into() }
    }
}

/// What is sent.
#[derive(Clone)]
pub(super) struct Request {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Besides a status of 2xx.
    pub answer_contains: Option<String>,
}

/// Whether requests can be sent there.
pub(super) fn address(url: &str) -> Result<(), BadWay> {
    let uri: Option<Uri> = url.parse().ok();
    let fits = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match uri.filter(fits) {
        Some(_) => Ok(()),
        None => Err(BadWay::new("url", "this is no http:// or https:// address")),
    }
}

/// Follows no redirects, asks no proxy, and trusts whom the machine trusts.
pub(super) fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .max_idle_connections(0)
        .user_agent(concat!("hotline/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .into()
}

impl Request {
    /// Blocks until the far side has taken it.
    ///
    /// # Errors
    /// What happened instead, without address, secret or anything that was said.
    pub fn send(self, agent: &Agent) -> Result<(), String> {
        let mut request = http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = if self.method == "GET" {
            agent.run(request.body(()).map_err(|_| "the request can't be put together")?)
        } else {
            agent.run(request.body(self.body).map_err(|_| "the request can't be put together")?)
        };
        let mut answer = answer.map_err(|error| said(&error))?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status().as_u16()));
        }
        let Some(wanted) = &self.answer_contains else { return Ok(()) };
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).lossy_utf8(true).read_to_string();
        if text.map_err(|error| said(&error))?.contains(wanted) {
            return Ok(());
        }
        Err(format!("answered {} without the words that mean success", answer.status().as_u16()))
    }
}

fn said(error: &Error) -> String {
    match error {
        Error::Timeout(_) => "no answer in time".to_owned(),
        Error::HostNotFound => "its name leads nowhere".to_owned(),
        Error::Io(error) => format!("no connection: {}", error.kind()),
        Error::ConnectionFailed => "no connection".to_owned(),
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => "no trusted TLS connection".to_owned(),
        Error::BodyExceedsLimit(_) => "its answer is too long".to_owned(),
        _ => "no valid answer".to_owned(),
    }
}
