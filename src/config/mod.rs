//! The service's settings: composed of the modules' own, read by the app alone.

pub mod layers;
mod secret;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use crate::call::line::Line;
use crate::callback::{self, dial_plan};
use crate::city::City;
use crate::console;
use crate::dialer;
use crate::driver::{calls, media, recorder, sip, trunk};
use crate::report;
use crate::store;
use crate::ticket::deadline::Limits;
use crate::ticket::{likeness, quality, supervision};
use crate::work::{clocks, disk, outbox, retention};
use layers::{ConfigError, Layers};

/// Everything that can be set. Unknown keys are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the database, the recordings and the API token.
    pub data: PathBuf,
    /// This machine's name in rows and sidecars; nodes that share a database need different ones.
    pub node: String,
    /// On SIGTERM running calls may go on for so long, then they hear goodbye.
    pub drain_timeout_s: u32,
    pub log: Log,
    pub sip: sip::Config,
    pub media: media::Config,
    pub calls: calls::Config,
    pub recordings: recorder::Config,
    pub http: console::Config,
    pub store: store::Config,
    pub reports: report::Config,
    pub access: store::AccessConfig,
    /// A provider where people may sign in.
    pub oidc: Option<console::oidc::Config>,
    /// How long everything about a ticket may take.
    pub limits: Limits,
    /// The same in cities that have limits of their own; what is left out there is as built in.
    pub city_limits: BTreeMap<City, Limits>,
    pub clocks: clocks::Config,
    pub supervision: supervision::Config,
    pub matching: likeness::Config,
    /// How requests are looked at (质检).
    pub quality: quality::Config,
    /// Return visits.
    pub visits: callback::Config,
    /// How many return visits are called at a time.
    pub dialer: dialer::Config,
    pub prompts: Prompts,
    /// The numbers served. The first takes what no line names; none at all: 12345 of Lhasa.
    pub line: Vec<Line>,
    /// Providers, by name.
    pub trunk: BTreeMap<String, trunk::Config>,
    /// Which numbers may be called.
    pub dial_plan: dial_plan::Config,
    pub outbox: outbox::Config,
    pub retention: retention::Config,
    /// Systems that hear of changes, by name.
    pub webhook: BTreeMap<String, outbox::webhook::Config>,
    /// The gateway that sends SMS; none: requesters are told nothing by SMS.
    pub sms: Option<outbox::sms::Config>,
    pub disk: disk::Config,
    /// Where each key was set, for errors that show only when a part starts.
    #[serde(skip)]
    pub sources: Layers,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data: PathBuf::from("data"),
            node: "hotline".to_owned(),
            drain_timeout_s: 180,
            log: Log::default(),
            sip: sip::Config::default(),
            media: media::Config::default(),
            calls: calls::Config::default(),
            recordings: recorder::Config::default(),
            http: console::Config::default(),
            store: store::Config::default(),
            reports: report::Config::default(),
            access: store::AccessConfig::default(),
            oidc: None,
            limits: Limits::default(),
            city_limits: BTreeMap::new(),
            clocks: clocks::Config::default(),
            supervision: supervision::Config::default(),
            matching: likeness::Config::default(),
            quality: quality::Config::default(),
            visits: callback::Config::default(),
            dialer: dialer::Config::default(),
            prompts: Prompts::default(),
            line: Vec::new(),
            trunk: BTreeMap::new(),
            dial_plan: dial_plan::Config::default(),
            outbox: outbox::Config::default(),
            retention: retention::Config::default(),
            webhook: BTreeMap::new(),
            sms: None,
            disk: disk::Config::default(),
            sources: Layers::default(),
        }
    }
}

impl Config {
    /// The address in session descriptions, when it is not the one that a call came to.
    ///
    /// # Errors
    /// `sip.advertise` holds no IP address.
    pub fn advertised(&self) -> Result<Option<IpAddr>, ConfigError> {
        let Some(advertise) = self.sip.advertise.as_deref() else { return Ok(None) };
        let host = match advertise.parse::<SocketAddr>() {
            Ok(address) => return Ok(Some(address.ip())),
            Err(_) => advertise.trim_start_matches('[').trim_end_matches(']'),
        };
        let what = "session descriptions need an IP address here, with or without a port";
        host.parse().map(Some).map_err(|_| self.sources.error("sip.advertise", what))
    }
}

/// Where the prompts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prompts {
    /// A folder whose files replace the built-in prompts one by one.
    pub folder: Option<PathBuf>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Levels by module, such as `info,hotline::driver=debug`.
    pub filter: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Log {
        Log { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Reads the layers, puts secrets and what follows from other keys in place.
///
/// # Errors
/// The first thing that can't be used, with its place.
pub fn read(mut layers: Layers) -> Result<Config, ConfigError> {
    secret::refuse(&layers)?;
    let mut config: Config = layers.read()?;
    if !layers.is_set("media.address") {
        // sound is served where calls are
        config.media.address = config.sip.listen.ip();
    }
    if config.line.is_empty() {
        config.line.push(Line::default());
    }
    secret::place(&layers, &mut config)?;
    if config.calls.max_calls > config.media.ports.pairs() {
        let pairs = config.media.ports.pairs();
        let what = format!("{} calls need as many port pairs, and the range has {pairs}", config.calls.max_calls);
        return Err(layers.error(if layers.is_set("media.ports") { "media.ports" } else { "calls.max_calls" }, what));
    }
    if config.calls.max_calls > config.media.recordings {
        let what = format!(
            "{} calls need as many recording rings, and there are {}",
            config.calls.max_calls, config.media.recordings
        );
        return Err(layers.error("media.recordings", what));
    }
    if config.retention.recordings_days < retention::LEAST_RECORDINGS_DAYS {
        let what = format!("recordings are kept for {} days at least", retention::LEAST_RECORDINGS_DAYS);
        return Err(layers.error("retention.recordings_days", what));
    }
    if let Some((at, line)) = twice(&config.line) {
        return Err(layers.error(&format!("line[{at}].number"), format!("{} is served by a line above", line.number)));
    }
    config.sources = layers;
    config.advertised()?;
    Ok(config)
}

/// The first line whose number another one has already.
fn twice(lines: &[Line]) -> Option<(usize, &Line)> {
    lines.iter().enumerate().find(|(at, line)| lines[..*at].iter().any(|above| above.number == line.number))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn recordings_are_not_deleted_by_a_slip_of_the_hand() {
        let mut layers = Layers::default();
        let days = ("HOTLINE__RETENTION__RECORDINGS_DAYS".to_owned(), "0".to_owned());
        layers.environment([days]).expect("a number");
        let error = read(layers).expect_err("it is refused").to_string();
        assert!(error.contains("retention.recordings_days") && error.contains("90 days at least"), "{error}");
    }

    #[test]
    fn the_example_says_what_is_so_without_it() {
        let mut layers = Layers::default();
        layers.file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).expect("it parses");
        let settings = |layers| Config { sources: Layers::default(), ..read(layers).expect("a configuration") };
        let (example, built_in) = (settings(layers), settings(Layers::default()));
        assert_eq!(format!("{example:#?}"), format!("{built_in:#?}"));
    }

    #[test]
    fn the_examples_trunks_can_be_used() {
        let example = include_str!("../../config.example.toml");
        let (_, after) = example.split_once("# [trunk.telecom]\n").expect("an example of a trunk");
        let (trunks, _) = after.split_once("# Which numbers may be called.").expect("what follows it");
        let written = trunks.lines().filter_map(|line| line.strip_prefix("# "));
        let lines: Vec<&str> = written.filter(|line| line.contains(" = ") || line.starts_with('[')).collect();
        let trunks: BTreeMap<String, BTreeMap<String, trunk::Config>> =
            toml::from_str(&format!("[trunk.telecom]\n{}", lines.join("\n"))).expect("keys that there are");
        for (name, config) in &trunks["trunk"] {
            let config = trunk::Config { password: Some(Secret::from("p".to_owned())), ..config.clone() };
            trunk::Trunk::new(name, &config).unwrap_or_else(|bad| panic!("{name}.{}: {bad}", bad.key));
        }
        assert_eq!(trunks["trunk"].len(), 2);
        let (telecom, built_in) = (&trunks["trunk"]["telecom"], trunk::Config::default());
        assert_eq!(
            (telecom.priority, telecom.weight, telecom.kept_for_inbound),
            (built_in.priority, built_in.weight, built_in.kept_for_inbound)
        );
    }

    #[test]
    fn sound_is_served_where_calls_are() {
        let mut layers = Layers::default();
        layers.flag("--sip", "sip.listen", "127.0.0.9:5060").expect("an address");
        assert_eq!(read(layers).expect("a configuration").media.address.to_string(), "127.0.0.9");
    }

    #[test]
    fn more_calls_than_ports_name_the_range() {
        let mut layers = Layers::default();
        layers.flag("--rtp-ports", "media.ports", "20000-20009").expect("a range");
        let error = read(layers).expect_err("too few").to_string();
        assert_eq!(error, "--rtp-ports: media.ports: 200 calls need as many port pairs, and the range has 5");
    }

    #[test]
    fn a_secret_has_a_file_of_its_own_or_is_refused() {
        let folder = std::env::temp_dir().join(format!("hotline-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let read_text = |text: &str| {
            let file = folder.join("hotline.toml");
            std::fs::write(&file, text).expect("a writable temporary folder");
            let mut layers = Layers::default();
            layers.file(&file).expect("it parses");
            read(layers)
        };
        let sms = "[sms]\nurl = \"http://a\"\n";
        let webhook = "[webhook.desk]\nurl = \"http://a\"\n";
        for (text, variable) in [(sms, "HOTLINE__SMS__SECRET"), (webhook, "HOTLINE__WEBHOOK__DESK__SECRET")] {
            let error = read_text(&format!("{text}secret = \"swordfish\"\n")).expect_err("a secret").to_string();
            assert!(error.contains(variable) && !error.contains("swordfish"), "{error}");
            let secret = folder.join("secret");
            std::fs::write(&secret, "swordfish\n").expect("a writable temporary folder");
            let config = read_text(&format!("{text}secret_file = {:?}\n", secret.display().to_string()));
            let config = config.expect("a configuration");
            let webhook = config.webhook.get("desk").and_then(|webhook| webhook.secret.as_ref());
            let found = webhook.or(config.sms.as_ref().and_then(|sms| sms.secret.as_ref()));
            assert_eq!(found.map(|secret| secret.reveal()), Some("swordfish"));
            assert!(!format!("{config:?}").contains("swordfish"));
        }
    }

    #[test]
    fn the_providers_secret_is_refused_in_the_file() {
        let file = std::env::temp_dir().join(format!("hotline-oidc-{}.toml", std::process::id()));
        let text = "[oidc]\nissuer = \"https://a\"\nclient_id = \"b\"\nclient_secret = \"swordfish\"\n";
        std::fs::write(&file, text).expect("a writable temporary folder");
        let mut layers = Layers::default();
        layers.file(&file).expect("it parses");
        let error = read(layers).expect_err("a secret").to_string();
        assert!(error.contains("HOTLINE__OIDC__CLIENT_SECRET") && !error.contains("swordfish"), "{error}");
        std::fs::remove_file(file).expect("removed");
    }

    #[test]
    fn a_password_in_the_file_is_refused_with_the_way_to_give_it() {
        let file = std::env::temp_dir().join(format!("hotline-secret-{}.toml", std::process::id()));
        let trunk = "[trunk.a]\nregistrar = \"sip:a\"\nusername = \"u\"\nrealm = \"r\"\npassword = \"secret\"\n";
        std::fs::write(&file, trunk).expect("a writable temporary folder");
        let mut layers = Layers::default();
        layers.file(&file).expect("it parses");
        let error = read(layers).expect_err("a password").to_string();
        assert!(error.contains(":5: trunk.a.password: ") && !error.contains("secret\""), "{error}");
        assert!(error.contains("HOTLINE__TRUNK__A__PASSWORD"), "{error}");
    }
}
