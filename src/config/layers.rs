//! One table out of a file, the environment and the command line, which remembers where each key came from so that
//! an error names the place to mend.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// `HOTLINE__SIP__LISTEN` sets `sip.listen`.
pub const ENVIRONMENT_PREFIX: &str = "HOTLINE__";

/// Where a key was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File { file: PathBuf, line: usize },
    Environment(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { file, line } => write!(f, "{}:{line}", file.display()),
            Origin::Environment(name) => f.write_str(name),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A setting that can't be used: where it stands, which key, and what is wrong with it. Never holds the value of a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{what}", .origin.as_ref().map(|o| format!("{o}: ")).unwrap_or_default(), if .key.is_empty() { String::new() } else { format!("{}: ", .key) })]
pub struct ConfigError {
    pub origin: Option<Origin>,
    /// Dotted, `sip.listen`; empty when the file as a whole is meant.
    pub key: String,
    pub what: String,
}

/// The settings as they lie over one another: a file, then the environment, then flags.
#[derive(Debug, Default)]
pub struct Layers {
    table: Table,
    origins: BTreeMap<String, Origin>,
    /// What the environment said, word for word: `12345` may be meant as text.
    words: BTreeMap<String, String>,
}

impl Layers {
    /// Lays a TOML file over what is there.
    pub fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let broken = |line: Option<usize>, what: String| ConfigError {
            origin: Some(Origin::File { file: path.to_owned(), line: line.unwrap_or(1) }),
            key: String::new(),
            what,
        };
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
            origin: None,
            key: String::new(),
            what: format!("{}: {e}", path.display()),
        })?;
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let spanned =
            DeTable::parse(&text).map_err(|e| broken(e.span().map(|s| line_of(s.start)), e.message().to_owned()))?;
        let mut lines = Vec::new();
        key_lines("", spanned.get_ref(), &mut |key, at| lines.push((key, line_of(at))));
        for (key, line) in lines {
            self.origins.insert(key, Origin::File { file: path.to_owned(), line });
        }
        let table: Table = toml::from_str(&text).map_err(|e| broken(None, e.message().to_owned()))?;
        merge(&mut self.table, table);
        Ok(())
    }

    /// Lays every `HOTLINE__…` variable over what is there.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) -> Result<(), ConfigError> {
        for (name, words) in variables {
            let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let key = path.to_lowercase().replace("__", ".");
            let value = one_value(&words).unwrap_or_else(|| Value::String(words.clone()));
            self.set(&key, value, Origin::Environment(name.clone()))?;
            self.words.insert(key, words);
        }
        Ok(())
    }

    /// Lays one flag over what is there.
    pub fn flag(&mut self, flag: &'static str, key: &str, value: &str) -> Result<(), ConfigError> {
        self.set(key, Value::String(value.to_owned()), Origin::Flag(flag))
    }

    /// Where `key`, or the nearest table above it, was set.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        let mut key = key;
        loop {
            if let Some(origin) = self.origins.get(key) {
                return Some(origin);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    /// Whether `key` itself was set anywhere.
    pub fn is_set(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }

    /// The keys that a file set last.
    pub fn keys_of_files(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter(|(_, origin)| matches!(origin, Origin::File { .. })).map(|(key, _)| key.as_str())
    }

    /// An error about `key`, with the place where it was set.
    pub fn error(&self, key: &str, what: impl Into<String>) -> ConfigError {
        ConfigError { origin: self.origin(key).cloned(), key: key.to_owned(), what: what.into() }
    }

    /// Reads the whole into `T`. Unknown keys are errors if `T` says so.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, ConfigError> {
        loop {
            let error = match serde_path_to_error::deserialize(Value::Table(self.table.clone())) {
                Ok(config) => return Ok(config),
                Err(error) => error,
            };
            let key = key_of(&error);
            // a number or a truth value by its looks, but this key wants text
            if let Some(words) = self.words.remove(&key) {
                self.set(&key, Value::String(words), self.origins[&key].clone())?;
                continue;
            }
            return Err(self.error(&key, error.inner().message().trim_end().replace('\n', " ")));
        }
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let mut table = &mut self.table;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), value);
                break;
            }
            let below = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(below) = below else {
                let what = format!("{part} is not a table");
                return Err(ConfigError { origin: Some(origin), key: key.to_owned(), what });
            };
            table = below;
        }
        self.origins.insert(key.to_owned(), origin);
        Ok(())
    }
}

fn one_value(words: &str) -> Option<Value> {
    let table: Table = toml::from_str(&format!("v = {words}")).ok()?;
    table.into_iter().next().map(|(_, value)| value).filter(|v| !v.is_table())
}

fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn key_lines(prefix: &str, table: &DeTable<'_>, seen: &mut impl FnMut(String, usize)) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        seen(key.clone(), name.span().start);
        value_lines(&key, value.get_ref(), seen);
    }
}

fn value_lines(key: &str, value: &DeValue<'_>, seen: &mut impl FnMut(String, usize)) {
    match value {
        DeValue::Table(table) => key_lines(key, table, seen),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = format!("{key}[{index}]");
                seen(key.clone(), item.span().start);
                value_lines(&key, item.get_ref(), seen);
            }
        }
        _ => {}
    }
}

/// The dotted key an error is about; for an unknown key, that key.
fn key_of(error: &serde_path_to_error::Error<toml::de::Error>) -> String {
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let Some(unknown) = error.inner().message().strip_prefix("unknown field `").and_then(|rest| rest.split('`').next())
    else {
        return path;
    };
    if path == unknown || path.ends_with(&format!(".{unknown}")) {
        return path;
    }
    if path.is_empty() { unknown.to_owned() } else { format!("{path}.{unknown}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        sip: Sip,
        line: Vec<Line>,
        trunk: BTreeMap<String, Line>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Sip {
        listen: Option<SocketAddr>,
        limit: u32,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Line {
        number: String,
    }

    fn written(text: &str) -> (PathBuf, Layers) {
        let name = format!("hotline-layers-{}-{:x}.toml", std::process::id(), fnv(text));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("a writable temporary folder");
        let mut layers = Layers::default();
        layers.file(&path).expect("a file that parses");
        (path, layers)
    }

    fn fnv(text: &str) -> u64 {
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn a_wrong_value_names_file_line_and_key() {
        let (path, mut layers) = written("[sip]\nlimit = 3\nlisten = \"nowhere\"\n");
        let error = layers.read::<Sample>().expect_err("no address").to_string();
        assert_eq!(error, format!("{}:3: sip.listen: invalid socket address syntax", path.display()));
    }

    #[test]
    fn an_unknown_key_is_named_where_it_stands() {
        let (path, mut layers) = written("[[line]]\nnumber = \"1\"\n[[line]]\nnumer = \"2\"\n");
        let error = layers.read::<Sample>().expect_err("numer").to_string();
        let expected = format!("{}:4: line[1].numer: unknown field `numer`, expected `number`", path.display());
        assert_eq!(error, expected);
    }

    #[test]
    fn a_broken_file_names_the_line_that_breaks_it() {
        let path = std::env::temp_dir().join(format!("hotline-layers-broken-{}.toml", std::process::id()));
        std::fs::write(&path, "[sip]\nlimit = \n").expect("a writable temporary folder");
        let error = Layers::default().file(&path).expect_err("no value").to_string();
        assert!(error.starts_with(&format!("{}:2: ", path.display())), "{error}");
    }

    #[test]
    fn flags_lie_over_the_environment_and_that_over_the_file() {
        let (_, mut layers) = written("[sip]\nlimit = 3\nlisten = \"127.0.0.1:1\"\n");
        let variables = [("HOTLINE__SIP__LIMIT".to_owned(), "4".to_owned()), ("PATH".to_owned(), "/bin".to_owned())];
        layers.environment(variables).expect("a number");
        layers.flag("--sip", "sip.listen", "127.0.0.1:2").expect("an address");
        let sample: Sample = layers.read().expect("a configuration");
        assert_eq!(sample.sip, Sip { listen: Some("127.0.0.1:2".parse().expect("an address")), limit: 4 });
    }

    #[test]
    fn digits_in_the_environment_may_be_text() {
        let mut layers = Layers::default();
        layers.environment([("HOTLINE__TRUNK__CITY__NUMBER".to_owned(), "12345".to_owned())]).expect("a value");
        let sample: Sample = layers.read().expect("a configuration");
        assert_eq!(sample.trunk["city"].number, "12345");
    }

    #[test]
    fn an_error_of_the_environment_names_the_variable() {
        let mut layers = Layers::default();
        layers.environment([("HOTLINE__SIP__LIMIT".to_owned(), "many".to_owned())]).expect("text");
        let error = layers.read::<Sample>().expect_err("not a number").to_string();
        assert!(error.starts_with("HOTLINE__SIP__LIMIT: sip.limit: invalid type"), "{error}");
    }
}
