//! The catalogue's files: TOML to checked entries, in the order they are written.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::entry::{Class, Group, Knowledge, Reason, Subject, Unit};
use super::value::{GroupCode, Title};

/// The first thing wrong with a catalogue's file. Reads `units.toml:12: unit[0].zh: …` where the text itself is wrong
/// and `units.toml: unit lhasa-housing: …` where an entry does not fit the others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CatalogueError {
    pub file: &'static str,
    /// From 1; `None` when an entry is at fault, which `what` names.
    pub line: Option<usize>,
    pub what: String,
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassesFile {
    group: Vec<WrittenGroup>,
}

/// A group with its classes below it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    code: GroupCode,
    zh: Title,
    bo: Title,
    active: Option<bool>,
    classes: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsFile {
    unit: Vec<Unit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonsFile {
    reason: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnowledgeFile {
    knowledge: Vec<Knowledge>,
}

/// Reads `classes.toml`: `[[group]]` tables, each with its `classes`.
///
/// # Errors
/// Not TOML, a key missing or unknown, a code or text of another shape, a code that stands twice, a class below a group
/// that is not its own.
pub fn classes(text: &str) -> Result<(Vec<Group>, Vec<Class>), CatalogueError> {
    const FILE: &str = "classes.toml";
    let written = parse::<ClassesFile>(FILE, text)?.group;
    unique(FILE, "group", written.iter().map(|group| group.code))?;
    unique(FILE, "class", written.iter().flat_map(|group| &group.classes).map(|class| class.code))?;
    let (mut groups, mut classes) = (Vec::new(), Vec::new());
    for WrittenGroup { code, zh, bo, active, classes: below } in written {
        if let Some(stray) = below.iter().find(|class| class.code.group() != code) {
            return Err(wrong(FILE, "class", stray.code, format_args!("code: it stands below group {code}")));
        }
        groups.push(Group { code, zh, bo, active: active.unwrap_or(true) });
        classes.extend(below);
    }
    Ok((groups, classes))
}

/// Reads `units.toml`: `[[unit]]` tables.
///
/// # Errors
/// As [`classes`], and an unknown city, a group or class that is not listed.
pub fn units(text: &str, groups: &[Group], classes: &[Class]) -> Result<Vec<Unit>, CatalogueError> {
    const FILE: &str = "units.toml";
    let units = parse::<UnitsFile>(FILE, text)?.unit;
    unique(FILE, "unit", units.iter().map(|unit| &unit.code))?;
    let is_listed = |subject: Subject| match subject {
        Subject::Group(code) => groups.iter().any(|group| group.code == code),
        Subject::Class(code) => classes.iter().any(|class| class.code == code),
    };
    for unit in &units {
        unit.fit(is_listed).map_err(|misfit| wrong(FILE, "unit", &unit.code, misfit))?;
    }
    Ok(units)
}

/// Reads `reasons.toml`: `[[reason]]` tables.
///
/// # Errors
/// As [`classes`], and a refusal without what the requester is told, or another reason with it.
pub fn reasons(text: &str) -> Result<Vec<Reason>, CatalogueError> {
    const FILE: &str = "reasons.toml";
    let reasons = parse::<ReasonsFile>(FILE, text)?.reason;
    unique(FILE, "reason", reasons.iter().map(|reason| &reason.code))?;
    for reason in &reasons {
        reason.fit().map_err(|misfit| wrong(FILE, "reason", &reason.code, misfit))?;
    }
    Ok(reasons)
}

/// Reads `knowledge.toml`: `[[knowledge]]` tables. A line's consult menu offers the first six that have prompts and are
/// of its city or of every city.
///
/// # Errors
/// As [`classes`], and a unit that is not listed or is of another city than the entry, one of the two prompts alone.
pub fn knowledge(text: &str, units: &[Unit]) -> Result<Vec<Knowledge>, CatalogueError> {
    const FILE: &str = "knowledge.toml";
    let entries = parse::<KnowledgeFile>(FILE, text)?.knowledge;
    unique(FILE, "knowledge", entries.iter().map(|entry| &entry.id))?;
    for entry in &entries {
        let city = units.iter().find(|unit| unit.code == entry.unit).map(|unit| unit.city);
        entry.fit(city).map_err(|misfit| wrong(FILE, "knowledge", &entry.id, misfit))?;
    }
    Ok(entries)
}

fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, CatalogueError> {
    let refused = |error: &toml::de::Error, key: Option<String>| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let key = key.map_or(String::new(), |key| format!("{key}: "));
        CatalogueError { file, line: Some(line), what: format!("{key}{}", error.message()) }
    };
    let source = toml::Deserializer::parse(text).map_err(|error| refused(&error, None))?;
    serde_path_to_error::deserialize(source)
        .map_err(|error| refused(error.inner(), Some(error.path().to_string()).filter(|key| key != ".")))
}

fn unique<C: Copy + Eq + Hash + fmt::Display>(
    file: &'static str,
    entry: &str,
    codes: impl Iterator<Item = C>,
) -> Result<(), CatalogueError> {
    let mut seen = HashSet::new();
    for code in codes {
        if !seen.insert(code) {
            return Err(wrong(file, entry, code, "it stands twice"));
        }
    }
    Ok(())
}

fn wrong(file: &'static str, entry: &str, code: impl fmt::Display, what: impl fmt::Display) -> CatalogueError {
    CatalogueError { file, line: None, what: format!("{entry} {code}: {what}") }
}
