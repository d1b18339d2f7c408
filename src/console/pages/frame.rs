//! What every page has: who looks at it, in which language, and what stands around its own part.

use std::borrow::Borrow;
use std::fmt::Display;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::{assets, cookie, text};
use crate::access::Right;
use crate::clock::{beijing_day, beijing_time};
use crate::console::Shared;
use crate::console::asking::Asking;
use crate::console::problem::{Kind, Problem};
use crate::language::Language;
use crate::store::Account;

/// Light or dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub const fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn named(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// How a page is shown to whoever it is.
#[derive(Clone, Debug)]
pub struct Manner {
    pub language: Language,
    pub theme: Theme,
    /// Path and query of the page.
    path: String,
    /// What has just been done.
    done: Option<String>,
}

impl Manner {
    pub fn of(headers: &HeaderMap, uri: &Uri) -> Manner {
        let query = uri.query().unwrap_or_default();
        let done = query.split('&').find_map(|pair| pair.strip_prefix("done="));
        let done = done.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Manner {
            language: cookie::language(headers),
            theme: cookie::theme(headers),
            path,
            done: done.map(str::to_owned),
        }
    }

    pub fn t<'k>(&self, key: &'k str) -> &'k str {
        text::of(self.language, key).unwrap_or(key)
    }
}

/// Who has signed in; the guard has found out.
#[derive(Clone)]
pub struct Visitor {
    pub account: Arc<Account>,
    /// What forms send back: it follows from the session's token, which no other page can read.
    pub csrf: Arc<str>,
}

impl Visitor {
    pub fn new(account: Account, token: &str) -> Visitor {
        let proof = Sha256::new().chain_update("form").chain_update(token).finalize();
        Visitor { account: Arc::new(account), csrf: URL_SAFE_NO_PAD.encode(proof).into() }
    }
}

/// An entry of the bar on top.
pub struct Place {
    pub path: &'static str,
    pub key: &'static str,
    pub here: bool,
}

/// Where the bar on top leads, for whom.
const PLACES: &[(&str, &str, Right)] = &[
    ("/tickets", "place.tickets", Right::ReadTickets),
    ("/visits", "place.visits", Right::Receive),
    ("/recordings", "place.recordings", Right::Listen),
    ("/quality", "place.quality", Right::Supervise),
    ("/live", "place.live", Right::ReadLive),
    ("/reports", "place.reports", Right::ReadReports),
    ("/audit", "place.audit", Right::ReadAudit),
    ("/admin", "place.admin", Right::EditCatalogue),
];

/// A page's frame.
pub struct Frame {
    pub asking: Asking,
    pub visitor: Visitor,
    manner: Manner,
}

impl Frame {
    /// The text of this key; Tibetan for who reads Tibetan where it is written, else Chinese.
    pub fn t<'k>(&self, key: &'k str) -> &'k str {
        self.manner.t(key)
    }

    /// As [`Frame::t`], with these values in place of its `{}`, in their order.
    pub fn fill(&self, key: &str, with: &[&dyn Display]) -> String {
        text::fill(self.t(key), with)
    }

    /// As [`Frame::fill`], of a text with one gap.
    pub fn with(&self, key: &str, value: impl Display) -> String {
        self.fill(key, &[&value])
    }

    /// What a value of the API is called: `name("state", "received")`.
    pub fn name(&self, of: &str, value: impl Display) -> String {
        let value = value.to_string();
        self.known_name(of, &value).unwrap_or(value)
    }

    /// As [`Frame::name`]; `None` when no text names it.
    pub fn known_name(&self, of: &str, value: &str) -> Option<String> {
        text::of(self.manner.language, &format!("{of}.{value}")).map(str::to_owned)
    }

    /// To the minute, in Beijing.
    pub fn time(&self, at: impl Borrow<DateTime<Utc>>) -> String {
        let at = *at.borrow();
        format!("{} {}", beijing_day(at), beijing_time(at).format("%H:%M"))
    }

    pub fn day(&self, day: impl Borrow<NaiveDate>) -> String {
        day.borrow().to_string()
    }

    /// Minutes and seconds.
    pub fn duration(&self, ms: impl Borrow<u64>) -> String {
        let seconds = ms.borrow() / 1000;
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
            (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
        }
    }

    pub fn may(&self, right: Right) -> bool {
        self.asking.caller.has(right)
    }

    /// The URL of a style or a script.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }

    pub fn csrf(&self) -> &str {
        &self.visitor.csrf
    }

    pub fn language(&self) -> Language {
        self.manner.language
    }

    pub fn theme(&self) -> &'static str {
        self.manner.theme.name()
    }

    /// Path and query of this page, to come back to.
    pub fn path(&self) -> &str {
        &self.manner.path
    }

    /// The person's name.
    pub fn person(&self) -> &str {
        self.visitor.account.profile.display_name().as_str()
    }

    /// What has just been done, in words.
    pub fn done(&self) -> Option<&str> {
        let key = format!("done.{}", self.manner.done.as_deref()?);
        text::of(self.manner.language, &key)
    }

    pub fn places(&self) -> Vec<Place> {
        let path = self.manner.path.split('?').next().unwrap_or_default();
        let here = |place: &str| path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
        let seen = PLACES.iter().filter(|(.., right)| self.may(*right));
        seen.map(|(path, key, _)| Place { path, key, here: here(path) }).collect()
    }
}

impl FromRequestParts<Arc<Shared>> for Frame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Frame, Problem> {
        let asking = Asking::from_request_parts(parts, shared).await?;
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let visitor = visitor.ok_or_else(|| Problem::new(Kind::Unauthorized, "Sign in first."))?;
        Ok(Frame { asking, visitor, manner: Manner::of(&parts.headers, &parts.uri) })
    }
}

/// The frame of a page for everybody.
pub struct Doorway {
    pub manner: Manner,
}

impl Doorway {
    pub fn t<'k>(&self, key: &'k str) -> &'k str {
        self.manner.t(key)
    }

    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }

    pub fn language(&self) -> Language {
        self.manner.language
    }

    pub fn theme(&self) -> &'static str {
        self.manner.theme.name()
    }

    pub fn path(&self) -> &str {
        &self.manner.path
    }
}

impl FromRequestParts<Arc<Shared>> for Doorway {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Shared>) -> Result<Doorway, Problem> {
        Ok(Doorway { manner: Manner::of(&parts.headers, &parts.uri) })
    }
}
