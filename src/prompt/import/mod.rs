//! From a folder of studio recordings to the sounds and the manifest of a prompts folder.
//!
//! [`Import::prepare`] reads and masters and writes nothing; [`Import::write`] writes everything before it replaces
//! anything, the manifest last: whoever is interrupted in between has sounds whose hashes the check misses, and imports
//! again.

mod edit;
mod files;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::folder::MANIFEST;
use super::manifest::{Line, Manifest, Origin, Review};
use super::master::studio::{self, Studio};
use super::master::{Kind, Report, Unfit, master};
use super::sheet::{Entry, Sheet};
use super::sound::Sound;
use super::{Problem, Prompts, text, wav};
use crate::language::Language;
use edit::Edited;
use files::Pending;

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
    /// What it should say.
    pub text: String,
    pub report: Report,
    /// A person has spoken the prompt before.
    pub replaces: bool,
    /// Who had signed another text than this one.
    pub unsigned: Option<Review>,
}

/// Why a recording became no prompt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It is no file that can be read, in words.
    #[error("{0}")]
    Unreadable(String),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The text that it says has a character that no prompt of this language is written with.
    #[error("{0} is not written in {1}")]
    Text(char, Language),
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.report)?;
        if self.replaces {
            write!(f, "; replaces a recording")?;
        }
        if let Some(Review { reviewer, reviewed }) = &self.unsigned {
            write!(f, "; the text is another one than {reviewer} signed on {reviewed}: it is unsigned now")?;
        }
        write!(f, ": {}", self.text)
    }
}

impl Import {
    /// Masters every `.wav` of `from` that names a prompt of the sheet; `tell` hears of each file, by its name, what
    /// was changed or why it is refused. `review` is who signs the texts by this import. Without it a text keeps its
    /// signature, unless its sound in `into` says another one.
    ///
    /// # Errors
    /// The folder can't be read, or has no `.wav` in it.
    pub fn prepare(
        sheet: &Sheet,
        from: &Path,
        into: &Path,
        review: Option<&Review>,
        mut tell: impl FnMut(&str, &Result<Taken, String>),
    ) -> Result<Import, Problem> {
        let (names, left_alone) = wavs(from).map_err(|error| problem(from, error))?;
        if names.is_empty() {
            return Err(problem(from, "no .wav file in it"));
        }
        let mut import = Import { language: sheet.language, ready: Vec::new(), refused: 0, left_alone };
        for (name, entry) in entries(sheet, &names) {
            let made = entry.and_then(|entry| recorded(entry, &from.join(name), into, review));
            import.refused += usize::from(made.is_err());
            let told = made.map(|(ready, taken)| {
                import.ready.push(ready);
                taken
            });
            tell(name, &told);
        }
        Ok(import)
    }

    /// Masters one recording, the bytes of a `.wav`, for one prompt; `review` is as of [`Import::prepare`].
    ///
    /// # Errors
    /// Nothing can be made of it that a caller should hear.
    pub fn of_one(
        language: Language,
        entry: &Entry,
        studio: &[u8],
        into: &Path,
        review: Option<&Review>,
    ) -> Result<(Import, Taken), Refused> {
        if let Some(stranger) = text::stranger(language, &entry.line.text) {
            return Err(Refused::Text(stranger, language));
        }
        let (ready, taken) = mastered(entry, studio, into, review)?;
        Ok((Import { language, ready: vec![ready], refused: 0, left_alone: Vec::new() }, taken))
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

    /// Whether the manifest of this folder can take it.
    ///
    /// # Errors
    /// Why it can't.
    pub fn check(&self, into: &Path) -> Result<(), Problem> {
        self.noted(&into.join(MANIFEST)).map(drop)
    }

    /// Writes the sounds below `into` and notes them in its manifest; both are made if they are missing. Nothing takes
    /// the place of a file before everything is on the disk.
    ///
    /// # Errors
    /// The file that can't be written, or a manifest that can't take it.
    pub fn write(&self, into: &Path) -> Result<(), Problem> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let manifest = into.join(MANIFEST);
        let text = self.noted(&manifest)?;
        let folder = into.join(self.language.code());
        fs::create_dir_all(&folder).map_err(|error| problem(&folder, error))?;
        let mut pending = Pending::default();
        for ready in &self.ready {
            let path = folder.join(format!("{}.wav", ready.id));
            pending.write(&path, &ready.wav).map_err(|error| problem(&path, error))?;
        }
        pending.write(&manifest, text.as_bytes()).map_err(|error| problem(&manifest, error))?;
        pending.rename().map_err(|(path, error)| problem(&path, error))
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
            if !Prompts::embedded().is_known(self.language.other(), id) {
                edited.leave_out(id, self.language.other()).map_err(|what| problem(manifest, what))?;
            }
        }
        checked(edited, manifest)
    }
}

/// Takes a prompt's recording out of a folder, with what its manifest says of it: the pack's own is heard again.
///
/// # Errors
/// A file that can't be written, or a manifest that can't do without it.
pub fn take_out(folder: &Path, language: Language, id: &str) -> Result<(), Problem> {
    let manifest = folder.join(MANIFEST);
    if manifest.exists() {
        let text = fs::read_to_string(&manifest).map_err(|error| problem(&manifest, error))?;
        let mut edited = Edited::parse(&text).map_err(|what| problem(&manifest, what))?;
        edited.forget(id, language);
        let text = checked(edited, &manifest)?;
        let mut pending = Pending::default();
        pending.write(&manifest, text.as_bytes()).map_err(|error| problem(&manifest, error))?;
        // before the sound: a manifest without a file of its own would keep the service from starting
        pending.rename().map_err(|(path, error)| problem(&path, error))?;
    }
    let sound = folder.join(language.code()).join(format!("{id}.wav"));
    match fs::remove_file(&sound) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(problem(&sound, error)),
        _ => Ok(()),
    }
}

/// The text of a manifest that is still one.
fn checked(edited: Edited, manifest: &Path) -> Result<String, Problem> {
    let text = edited.to_string();
    match Manifest::parse_over(&text, &manifest.display().to_string(), Prompts::digit) {
        Ok(_) => Ok(text),
        Err(problems) => Err(problems.into_iter().next().expect("no error without a problem")),
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

/// The prompt that a file becomes.
fn recorded(entry: &Entry, path: &Path, into: &Path, review: Option<&Review>) -> Result<(Ready, Taken), String> {
    mastered(entry, &read(path)?, into, review).map_err(|refused| refused.to_string())
}

/// The prompt that a recording becomes.
fn mastered(entry: &Entry, studio: &[u8], into: &Path, review: Option<&Review>) -> Result<(Ready, Taken), Refused> {
    let studio = Studio::read(studio).map_err(Refused::Unreadable)?;
    let mastered = master(&studio, Kind::of(&entry.id))?;
    let mut line = entry.line.clone();
    let replaces = line.origin == Origin::Recorded;
    line.origin = Origin::Recorded;
    let unsigned = line.review.take_if(|_| says_another_text(&into.join(&entry.line.file), &entry.line.text));
    line.review = review.cloned().or(line.review);
    let unsigned = unsigned.filter(|_| line.review.is_none());
    let wav = wav::write(&mastered.samples, Some(&line.text), MAKER);
    let taken = Taken { id: entry.id.clone(), text: line.text.clone(), report: mastered.report, replaces, unsigned };
    Ok((Ready { id: entry.id.clone(), line, wav }, taken))
}

/// Whether there is a sound that names another text than this: who signed the line has signed that one.
fn says_another_text(path: &Path, text: &str) -> bool {
    let sound = read(path).and_then(|wav| Sound::read(&wav));
    sound.is_ok_and(|sound| sound.disagreement(text).is_some())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(studio::LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let is_larger = bytes.len() as u64 > studio::LARGEST_FILE;
    if is_larger { Err(format!("larger than {} MB", studio::LARGEST_FILE >> 20)) } else { Ok(bytes) }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn problem(path: &Path, what: impl ToString) -> Problem {
    Problem { file: path.display().to_string(), line: 0, what: what.to_string() }
}

#[cfg(test)]
mod tests;
