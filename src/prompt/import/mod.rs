//! From a folder of studio recordings to the sounds and the manifest of a prompts folder.
//!
//! [`Import::prepare`] reads and masters and writes nothing; [`Import::write`] writes every sound, and the manifest
//! last: whoever is interrupted in between has sounds whose hashes the check misses, and imports again.

mod edit;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{Line, Manifest, Origin, Review};
use super::master::studio::{self, Studio};
use super::master::{Kind, Report, master};
use super::sheet::{Entry, Sheet};
use super::{Problem, Prompts, wav};
use crate::language::Language;
use edit::Edited;

/// In `ISFT` of every file that is written.
pub const MAKER: &str = "hotline prompts import";

/// What is ready to be written.
#[derive(Debug)]
pub struct Import {
    language: Language,
    ready: Vec<Ready>,
    /// Files that can't become prompts.
    pub refused: usize,
    /// Files that are no `.wav`.
    pub left_alone: Vec<String>,
}

#[derive(Debug)]
struct Ready {
    id: String,
    line: Line,
    wav: Vec<u8>,
}

/// One file that became a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub id: String,
    pub report: Report,
}

impl Import {
    /// Masters every `.wav` of `from` that names a prompt of the sheet; `tell` hears of each file, by its name, what
    /// was changed or why it is refused. `review` is who signs the texts by this import.
    ///
    /// # Errors
    /// The folder can't be read, or has no `.wav` in it.
    pub fn prepare(
        sheet: &Sheet,
        from: &Path,
        review: Option<&Review>,
        mut tell: impl FnMut(&str, &Result<Taken, String>),
    ) -> Result<Import, Problem> {
        let (names, left_alone) = wavs(from).map_err(|error| problem(from, error))?;
        if names.is_empty() {
            return Err(problem(from, "no .wav file in it"));
        }
        let mut import = Import { language: sheet.language, ready: Vec::new(), refused: 0, left_alone };
        for (name, entry) in entries(sheet, &names) {
            let made = entry.and_then(|entry| Ok((entry, recorded(entry, &from.join(name), review)?)));
            let told = match made {
                Ok((entry, (ready, report))) => {
                    import.ready.push(ready);
                    Ok(Taken { id: entry.id.clone(), report })
                }
                Err(what) => {
                    import.refused += 1;
                    Err(what)
                }
            };
            tell(name, &told);
        }
        Ok(import)
    }

    /// How many files became prompts.
    pub fn taken(&self) -> usize {
        self.ready.len()
    }

    /// How many prompts of the sheet nobody has recorded, when this import is in.
    pub fn missing(&self, sheet: &Sheet) -> usize {
        let is_taken = |id: &str| self.ready.iter().any(|ready| ready.id == id);
        let is_missing = |entry: &&Entry| entry.line.origin != Origin::Recorded && !is_taken(&entry.id);
        sheet.entries().iter().filter(is_missing).count()
    }

    /// Writes the sounds below `into` and notes them in its manifest; both are made if they are missing.
    ///
    /// # Errors
    /// The file that can't be written, or a manifest that can't take it.
    pub fn write(&self, into: &Path) -> Result<(), Problem> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let manifest = into.join("manifest.toml");
        let text = self.noted(&manifest)?;
        let folder = into.join(self.language.code());
        fs::create_dir_all(&folder).map_err(|error| problem(&folder, error))?;
        for ready in &self.ready {
            let path = folder.join(format!("{}.wav", ready.id));
            replace(&path, &ready.wav).map_err(|error| problem(&path, error))?;
        }
        replace(&manifest, text.as_bytes()).map_err(|error| problem(&manifest, error))
    }

    /// The manifest with every sound noted in it.
    fn noted(&self, manifest: &Path) -> Result<String, Problem> {
        let text = match fs::read_to_string(manifest) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| problem(manifest, error))?,
        };
        let mut edited = Edited::parse(&text).map_err(|what| problem(manifest, what))?;
        for Ready { id, line, wav } in &self.ready {
            edited.record(id, self.language, line, &hash(wav)).map_err(|what| problem(manifest, what))?;
        }
        let text = edited.to_string();
        let digit = |language, digit| Prompts::embedded().text(language, &format!("digit.{digit}")).map(str::to_owned);
        match Manifest::parse_over(&text, &manifest.display().to_string(), digit) {
            Ok(_) => Ok(text),
            Err(problems) => Err(problems.into_iter().next().expect("no error without a problem")),
        }
    }
}

/// The names of the `.wav` files in a folder, sorted, and those of the other files.
fn wavs(folder: &Path) -> std::io::Result<(Vec<String>, Vec<String>)> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.into_iter().partition(|name| stem(name).is_some()))
}

fn stem(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    extension.eq_ignore_ascii_case("wav").then_some(stem)
}

/// The prompt of each file; two files for one prompt are both refused, since nobody knows which is meant.
fn entries<'a>(sheet: &'a Sheet, names: &'a [String]) -> Vec<(&'a str, Result<&'a Entry, String>)> {
    let named = |name: &'a String| (name.as_str(), sheet.named(stem(name).unwrap_or(name)));
    let named: Vec<_> = names.iter().map(named).collect();
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, entry) in &named {
        if let Ok(entry) = entry {
            files.entry(&entry.id).or_default().push(name);
        }
    }
    let twice = |name: &str, entry: &'a Entry| {
        let other = files[entry.id.as_str()].iter().find(|other| **other != name);
        other.map_or(Ok(entry), |other| Err(format!("{other} is {} too: leave one of them", entry.id)))
    };
    named.into_iter().map(|(name, entry)| (name, entry.and_then(|entry| twice(name, entry)))).collect()
}

/// The prompt that a recording becomes.
fn recorded(entry: &Entry, path: &Path, review: Option<&Review>) -> Result<(Ready, Report), String> {
    let studio = Studio::read(&read(path)?)?;
    let mastered = master(&studio, Kind::of(&entry.id)).map_err(|unfit| unfit.to_string())?;
    let mut line = entry.line.clone();
    line.origin = Origin::Recorded;
    line.review = review.cloned().or(line.review);
    let wav = wav::write(&mastered.samples, Some(&line.text), MAKER);
    Ok((Ready { id: entry.id.clone(), line, wav }, mastered.report))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(studio::LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let is_larger = bytes.len() as u64 > studio::LARGEST_FILE;
    if is_larger { Err(format!("larger than {} MB", studio::LARGEST_FILE >> 20)) } else { Ok(bytes) }
}

/// Puts a file in the place of another in one step.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let written: PathBuf = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let done = File::create(&written)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&written, path));
    if done.is_err() {
        // what is left of it is no prompt
        let _ = fs::remove_file(&written);
    }
    done
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn problem(path: &Path, what: impl ToString) -> Problem {
    Problem { file: path.display().to_string(), line: 0, what: what.to_string() }
}

#[cfg(test)]
mod tests;
