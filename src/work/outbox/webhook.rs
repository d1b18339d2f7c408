//! Webhooks: what is posted, and the signature by which the far side knows that it comes from here.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::request::{BadWay, Request, address};
use crate::secret::Secret;
use crate::store::{Message, Subscriber, WEBHOOK_EVENTS};

/// A system that hears of changes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://portal.example/hotline`; `http://` where the network is trusted.
    pub url: String,
    /// What signs: from the environment, or from `secret_file`; never in the configuration file.
    #[serde(default)]
    pub secret: Option<Secret>,
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// `ticket.created` …; none: all.
    #[serde(default)]
    pub events: Vec<String>,
}

/// One that can be posted to.
#[derive(Debug)]
pub struct Webhook {
    url: String,
    secret: Secret,
}

impl Webhook {
    /// # Errors
    /// The key below `webhook.NAME` that can't be used.
    pub fn new(name: &str, config: &Config) -> Result<Webhook, BadWay> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return Err(BadWay::new("", "a webhook's name is up to 32 of a-z, 0-9 and -"));
        }
        address(&config.url)?;
        if let Some(unknown) = config.events.iter().find(|event| !WEBHOOK_EVENTS.contains(&event.as_str())) {
            let what = format!("no event is called {unknown:?}; there are {}", WEBHOOK_EVENTS.join(", "));
            return Err(BadWay::new("events", what));
        }
        let Some(secret) = config.secret.clone().filter(|secret| secret.reveal().len() >= 16) else {
            let variable = format!("HOTLINE__WEBHOOK__{}__SECRET", name.to_uppercase());
            let what = format!("a secret of 16 characters or more is needed: set {variable}, or secret_file");
            return Err(BadWay::new("secret", what));
        };
        Ok(Webhook { url: config.url.clone(), secret })
    }

    pub fn subscriber(name: &str, config: &Config) -> Subscriber {
        Subscriber { name: name.to_owned(), events: config.events.clone() }
    }

    pub(super) fn request(&self, message: &Message, now: DateTime<Utc>) -> Request {
        let timestamp = now.timestamp().to_string();
        let signature = signature(self.secret.reveal(), &timestamp, &message.body);
        let headers = [
            ("content-type", "application/json"),
            ("x-hotline-event", &message.event),
            ("x-hotline-delivery", &message.id),
            ("x-hotline-timestamp", &timestamp),
            ("x-hotline-signature", &signature),
        ];
        Request {
            method: "POST",
            url: self.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: message.body.clone(),
            answer_contains: None,
        }
    }
}

/// `v1=` and the HMAC-SHA-256 of the timestamp, a dot and the body. The timestamp, seconds since 1970, is of this
/// attempt: the far side refuses what is old, so that nobody repeats what they overheard.
fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            url: "https://portal.example/hotline".to_owned(),
            secret: Some(Secret::from("0123456789abcdef".to_owned())),
            secret_file: None,
            events: Vec::new(),
        }
    }

    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        // printf '1769000000.{"a":"噪音"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signed = signature("0123456789abcdef", "1769000000", "{\"a\":\"噪音\"}");
        assert_eq!(signed, "v1=374d9be4c7caa85c7508ba9196ff000356368b587218d3071e73cece4e9be134");
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_key() {
        let key = |name: &str, config: &Config| Webhook::new(name, config).err().map(|bad| bad.key);
        assert_eq!(key("portal-2", &config()), None);
        assert_eq!(key("Portal", &config()).as_deref(), Some(""));
        assert_eq!(key("p", &Config { url: "ftp://x".to_owned(), ..config() }).as_deref(), Some("url"));
        assert_eq!(key("p", &Config { url: "/hotline".to_owned(), ..config() }).as_deref(), Some("url"));
        assert_eq!(key("p", &Config { events: vec!["ticket.made".to_owned()], ..config() }).as_deref(), Some("events"));
        for secret in [None, Some(Secret::from("short".to_owned()))] {
            assert_eq!(key("p", &Config { secret, ..config() }).as_deref(), Some("secret"));
        }
    }
}
