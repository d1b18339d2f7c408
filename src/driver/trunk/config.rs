//! `[trunk.NAME]`: one provider.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::callback::dial_plan::Format;
use crate::city::City;
use crate::secret::Secret;

/// One provider: one that we register with (`registrar`), or one that needs no registration (`peer`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sip:registrar.example` or `sip:192.0.2.1:5060;transport=tcp`.
    pub registrar: Option<String>,
    /// The same of a provider without registration.
    pub peer: Option<String>,
    /// The account.
    pub username: Option<String>,
    /// The domain of our addresses there, when it is not the host of `registrar` or `peer`.
    pub domain: Option<String>,
    /// The realm that the credentials are for: a challenge of any other realm gets none.
    pub realm: Option<String>,
    /// From the environment, or from `password_file`; never in the configuration file.
    pub password: Option<Secret>,
    pub password_file: Option<PathBuf>,
    /// The number in our Contact; the account's name without it.
    pub number: Option<String>,
    pub expires_s: u32,
    /// An OPTIONS request so often tells whether the trunk is there; 0: it is taken to be.
    pub keep_alive_s: u32,
    /// Whether we call out by it.
    pub calls_out: bool,
    /// Where calls out and OPTIONS go, when not to `registrar` or `peer`.
    pub proxy: Option<String>,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Share among trunks of one priority.
    pub weight: u16,
    /// Calls that the trunk carries at a time, both ways.
    pub channels: usize,
    /// What calls out leave of them.
    pub kept_for_inbound: Kept,
    /// The number that those who are called see.
    pub caller_id: BTreeMap<Shown, String>,
    /// Tells it in P-Asserted-Identity too: towards a provider that trusts us.
    pub assert: bool,
    pub number_format: Format,
    /// Before mobile numbers in national format.
    pub mobile_prefix: String,
    /// Landlines of the city itself without their area code.
    pub local_without_area_code: bool,
    /// So many line troubles in a row pause calls out by it; 0: never.
    pub pause_after_troubles: u32,
    /// The first pause; each one after doubles, until a call is carried.
    pub pause_s: u32,
    pub longest_pause_s: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            registrar: None,
            peer: None,
            username: None,
            domain: None,
            realm: None,
            password: None,
            password_file: None,
            number: None,
            expires_s: 3_600,
            keep_alive_s: 0,
            calls_out: false,
            proxy: None,
            priority: 10,
            weight: 1,
            channels: 0,
            kept_for_inbound: Kept::Percent(50),
            caller_id: BTreeMap::new(),
            assert: false,
            number_format: Format::National,
            mobile_prefix: String::new(),
            local_without_area_code: false,
            pause_after_troubles: 5,
            pause_s: 60,
            longest_pause_s: 3_600,
        }
    }
}

/// Channels that calls out leave: a number, or a share such as `"30%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Channels(usize),
    Percent(usize),
}

impl Kept {
    /// Of so many channels; a share is rounded up.
    pub fn of(self, channels: usize) -> usize {
        match self {
            Kept::Channels(kept) => kept,
            Kept::Percent(percent) => channels.saturating_mul(percent).div_ceil(100),
        }
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kept, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Kept;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of channels, or a share such as \"30%\"")
            }

            fn visit_i64<E: Error>(self, kept: i64) -> Result<Kept, E> {
                usize::try_from(kept).map(Kept::Channels).map_err(|_| E::invalid_value(Unexpected::Signed(kept), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Kept, E> {
                percent(text).map(Kept::Percent).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn percent(text: &str) -> Option<usize> {
    text.strip_suffix('%')?.parse().ok().filter(|percent| *percent <= 100)
}

/// To whom a caller's number is shown: those called for a city, or for any that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    Default,
    City(City),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Default => f.write_str("default"),
            Shown::City(city) => city.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shown, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == "default" {
            return Ok(Shown::Default);
        }
        name.parse().map(Shown::City).map_err(|unknown| D::Error::custom(format!("{unknown}; or default")))
    }
}
