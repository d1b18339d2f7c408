//! What pages say, from the files of `console/text`: Chinese whole, Tibetan as far as it is written.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use toml::{Table, Value};

use crate::language::Language;

macro_rules! files {
    ($($area:literal),* $(,)?) => {
        const ZH: &[(&str, &str)] = &[$(($area, include_str!(concat!("../text/zh/", $area, ".toml")))),*];
        const BO: &[(&str, &str)] = &[$(($area, include_str!(concat!("../text/bo/", $area, ".toml")))),*];
    };
}

files! {
    "admin",
    "board",
    "frame",
    "listening",
    "names",
    "prompts",
    "reports",
    "quality",
    "trouble",
    "tickets",
}

type Texts = HashMap<String, String>;

static CHINESE: LazyLock<Texts> = LazyLock::new(|| read(ZH));
static TIBETAN: LazyLock<Texts> = LazyLock::new(|| read(BO));

/// The text of a key such as `inbox.title`; in Chinese when there is none in Tibetan.
pub fn of(language: Language, key: &str) -> Option<&'static str> {
    let tibetan = || TIBETAN.get(key).filter(|_| language == Language::Bo);
    tibetan().or_else(|| CHINESE.get(key)).map(String::as_str)
}

/// The values in place of `{}`, in their order.
pub fn fill(text: &str, with: &[&dyn Display]) -> String {
    let mut parts = text.split("{}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for (part, value) in parts.zip(with) {
        filled.push_str(&value.to_string());
        filled.push_str(part);
    }
    filled
}

fn read(files: &[(&str, &str)]) -> Texts {
    let mut texts = Texts::new();
    for (area, file) in files {
        let table: Table = toml::from_str(file).unwrap_or_else(|error| panic!("text {area}: {error}"));
        for (section, entries) in table {
            let Value::Table(entries) = entries else { panic!("text {area}: {section} is no section") };
            for (key, text) in entries {
                let Value::String(text) = text else { panic!("text {area}: {section}.{key} is no text") };
                let earlier = texts.insert(format!("{section}.{key}"), text);
                assert!(earlier.is_none(), "text {area}: {section}.{key} is there twice");
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The keys that a file of templates or of Rust names in full.
    fn keys(file: &str) -> impl Iterator<Item = &str> {
        [".t(\"", ".fill(\"", ".with(\""].into_iter().flat_map(move |call| {
            file.match_indices(call)
                .filter_map(move |(at, _)| file[at + call.len()..].split_once('"').map(|(key, _)| key))
        })
    }

    fn files(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "html") {
                found.push(std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }

    #[test]
    fn every_key_that_a_page_names_is_written_in_chinese() {
        let mut found = Vec::new();
        for folder in ["src/console/pages", "src/console/templates"] {
            files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
        }
        let named: Vec<&str> = found.iter().flat_map(|file| keys(file)).filter(|key| key.contains('.')).collect();
        assert!(named.len() > 10);
        let missing: Vec<&&str> = named.iter().filter(|key| !CHINESE.contains_key(**key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn tibetan_has_no_key_that_chinese_lacks_and_the_same_gaps() {
        for (key, text) in TIBETAN.iter() {
            let chinese = CHINESE.get(key).unwrap_or_else(|| panic!("{key} is in Tibetan only"));
            assert_eq!(text.matches("{}").count(), chinese.matches("{}").count(), "{key}");
        }
    }

    #[test]
    fn values_fill_the_gaps_in_their_order() {
        assert_eq!(fill("{} of {}", &[&1, &"two"]), "1 of two");
        assert_eq!(fill("nothing", &[&1]), "nothing");
    }
}
