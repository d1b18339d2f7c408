//! What every answer has and what every request leaves behind: an id, headers for browsers, a log line, two metrics.
//!
//! A query string is never logged, nor a path that was not matched: either may hold a phone number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use sha2::{Digest, Sha256};
use tracing::Instrument;
use uuid::Uuid;

use super::Shared;

pub const REQUESTS: &str = "hotline_http_requests_total";
pub const DURATION: &str = "hotline_http_request_duration_seconds";
/// The buckets of [`DURATION`] to give to the exporter, in seconds.
pub const DURATION_BUCKETS_S: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 15.0];
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the answers hold is nobody else's: no cache keeps it and no page of another origin shows it. Pages have a policy of
/// their own, and what they look like may be kept.
const FIXED_HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Names the two metrics for the exporter's `# HELP` lines.
pub fn describe_metrics() {
    metrics::describe_counter!(REQUESTS, metrics::Unit::Count, "HTTP requests by path, method and status");
    metrics::describe_histogram!(DURATION, metrics::Unit::Seconds, "Time from a request to the head of its answer");
}

/// Ids that sort by time and can't be guessed from one another (UUID version 7).
pub struct RequestIds {
    seed: [u8; 32],
    issued: AtomicU64,
}

impl RequestIds {
    pub fn new(seed: [u8; 32]) -> RequestIds {
        RequestIds { seed, issued: AtomicU64::new(0) }
    }

    fn next(&self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random()).into_uuid()
    }

    /// The random part of an id, as many bytes as a version 7 has.
    pub fn random(&self) -> [u8; 10] {
        let count = self.issued.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new().chain_update(self.seed).chain_update(count.to_be_bytes()).finalize();
        let mut tail = [0; 10];
        tail.copy_from_slice(&hash[..10]);
        tail
    }
}

/// The outermost layer.
pub async fn observe(
    State(shared): State<Arc<Shared>>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let started = shared.clock.now();
    let id = shared.request_ids.next(started.wall);
    let method = known(request.method());
    let span = tracing::info_span!("http", request.id = %id);
    let mut response = next.run(request).instrument(span.clone()).await;

    let took = shared.clock.mono().since(started.mono);
    let path = matched.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let status = response.status().as_u16();
    let duration_ms = took.as_micros() as f64 / 1000.0;
    span.in_scope(|| tracing::info!(method, path, status, duration_ms, "request"));
    counter!(REQUESTS, "path" => path.clone(), "method" => method, "status" => status.to_string()).increment(1);
    histogram!(DURATION, "path" => path, "method" => method).record(took.as_secs_f64());

    let headers = response.headers_mut();
    for (name, value) in FIXED_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if shared.config.tls_certificate.is_some() {
        // a year: who has come by TLS once comes so again
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// A label has few values: a method nobody has heard of does not make a new one.
fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).map_or("other", |at| NAMES[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_and_sort_by_time() {
        let ids = RequestIds::new([7; 32]);
        let at: DateTime<Utc> = "2026-11-22T01:00:00Z".parse().expect("a time");
        let (a, b) = (ids.next(at), ids.next(at));
        assert_ne!(a, b);
        assert_eq!(a.get_version_num(), 7);
        assert!(ids.next(at + chrono::TimeDelta::milliseconds(1)) > a.max(b));
    }

    #[test]
    fn an_unknown_method_is_no_new_label() {
        let strange = Method::from_bytes(b"BREW").expect("a method");
        assert_eq!((known(&Method::HEAD), known(&strange)), ("HEAD", "other"));
    }
}
