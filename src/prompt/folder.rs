//! Prompts from a folder: sounds and a manifest, over the pack or on their own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::manifest::{Line, Manifest};
use super::sound::{self, Level, Sound};
use super::{Problem, Prompts, parts};
use crate::language::Language;
use crate::media::clip::Clip;

/// The name of the manifest in a folder.
pub(super) const MANIFEST: &str = "manifest.toml";

const LARGEST_MANIFEST: u64 = 4 << 20;

impl Prompts {
    /// The pack with the prompts of `folder` in place of its own.
    ///
    /// A file `bo/<id>.wav` or `zh/<id>.wav` (8 kHz, mono, 16-bit PCM) replaces that prompt's sound. A
    /// `manifest.toml` beside them may add prompts, change texts and name other files; what it lists must exist.
    ///
    /// # Errors
    /// Everything that is wrong with the folder, with file and line: unreadable, a missing, silent or differently
    /// coded file, one that is not what its `sha256` says or says another text, an unknown key.
    pub fn load(folder: &Path) -> Result<Prompts, Vec<Problem>> {
        let (prompts, problems) = Prompts::over(folder);
        if problems.is_empty() { Ok(prompts) } else { Err(problems) }
    }

    /// The pack with all of `folder` that can be used, and what [`Prompts::load`] refuses in the rest.
    pub fn over(folder: &Path) -> (Prompts, Vec<Problem>) {
        let mut prompts = Prompts::clone(&Prompts::embedded());
        if !folder.is_dir() {
            return (prompts, vec![whole(folder, "no such folder")]);
        }
        let listed = folder.join(MANIFEST);
        let mut problems = match listed.exists().then(|| read_manifest(&listed, Prompts::digit)) {
            Some(Ok(manifest)) => prompts.take_folder(manifest, folder),
            Some(Err(problems)) => problems,
            None => Vec::new(),
        };
        problems.extend(prompts.replace_sounds(folder));
        problems.extend(prompts.missing_parts(&listed));
        prompts.choose_groups();
        (prompts, problems)
    }

    /// Takes over a manifest with the files of its folder; returns what is wrong.
    pub(super) fn take_folder(&mut self, manifest: Manifest, folder: &Path) -> Vec<Problem> {
        let file = manifest.file.clone();
        let mut sums = Sums::default();
        let mut problems = self.take(manifest, true, |language, line| {
            let read = read(&folder.join(&line.file), &line.text);
            sums.add(language, line, read.as_ref().ok().map(|(bytes, _)| bytes.as_slice()));
            let (bytes, clip) = read?;
            if line.range.is_none() {
                agrees(line.sha256.as_deref(), Sha256::digest(&bytes).as_slice())?
            }
            Ok(clip)
        });
        problems.extend(sums.problems().map(|(line, what)| Problem { file: file.clone(), line, what }));
        problems
    }

    /// Parts of numbers and dates that the folder's manifest leaves out although the pack speaks them.
    fn missing_parts(&self, manifest: &Path) -> Vec<Problem> {
        let pack = Prompts::embedded();
        let missing = pack.all().filter(|(id, language, _)| parts::is_needed(id) && self.is_left_out(*language, id));
        let what =
            |(id, language, _)| format!("{id} in {language} can't be left out: numbers and dates are made of it");
        missing.map(|part| whole(manifest, what(part))).collect()
    }

    /// Replaces the sound of each prompt that has a file of its name in `folder`. Who speaks it is not known then,
    /// and counts as who spoke it before.
    fn replace_sounds(&mut self, folder: &Path) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, languages) in &mut self.by_id {
            for (language, spoken) in languages {
                let path = folder.join(language.code()).join(format!("{id}.wav"));
                let Some(spoken) = spoken.as_mut().filter(|spoken| !spoken.replaced && path.is_file()) else {
                    continue;
                };
                match read(&path, &spoken.line.text) {
                    Ok((_, clip)) => {
                        let spoken = Arc::make_mut(spoken);
                        (spoken.clip, spoken.replaced) = (clip, true);
                        (spoken.line.sha256, spoken.line.voice) = (None, None);
                        (spoken.manifest, spoken.line.at) = (path.display().to_string().into(), 0);
                    }
                    Err(what) => problems.push(whole(&path, what)),
                }
            }
        }
        problems
    }
}

/// The hashes of ranges: of the files of one language, one after the other.
#[derive(Default)]
struct Sums {
    by_range: BTreeMap<(Arc<str>, Language), Sum>,
}

/// The hash of one range; `None` once a file could not be read.
struct Sum {
    hash: Option<Sha256>,
    wanted: Option<String>,
    at: usize,
}

impl Sums {
    /// The next file of a range; files that belong to none are left alone.
    fn add(&mut self, language: Language, line: &Line, bytes: Option<&[u8]>) {
        let Some(range) = &line.range else { return };
        let new = || Sum { hash: Some(Sha256::new()), wanted: line.sha256.clone(), at: line.at };
        let sum = self.by_range.entry((Arc::clone(range), language)).or_insert_with(new);
        match (&mut sum.hash, bytes) {
            (Some(hash), Some(bytes)) => hash.update(bytes),
            _ => sum.hash = None,
        }
    }

    /// The ranges whose files are others, with the lines of the manifest.
    fn problems(self) -> impl Iterator<Item = (usize, String)> {
        self.by_range.into_iter().filter_map(|((range, language), sum)| {
            let wrong = agrees(sum.wanted.as_deref(), sum.hash?.finalize().as_slice()).err()?;
            Some((sum.at, format!("{range} in {language}: {wrong}")))
        })
    }
}

/// # Errors
/// The hash that was found instead of the wanted one.
fn agrees(wanted: Option<&str>, found: &[u8]) -> Result<(), String> {
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    match wanted {
        Some(wanted) if wanted != found => Err(format!("its sha256 is {found}, not {wanted}")),
        _ => Ok(()),
    }
}

/// # Errors
/// As [`Manifest::parse`], or that the file can't be read.
pub(super) fn read_manifest(
    path: &Path,
    digit: impl Fn(Language, char) -> Option<String>,
) -> Result<Manifest, Vec<Problem>> {
    let text = read_at_most(path, LARGEST_MANIFEST)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()))
        .map_err(|what| vec![whole(path, what)])?;
    Manifest::parse_over(&text, &path.display().to_string(), digit)
}

/// A file and its sound, in which `text` is said.
fn read(path: &Path, text: &str) -> Result<(Vec<u8>, Arc<Clip>), String> {
    let bytes = read_at_most(path, sound::LARGEST_FILE)?;
    let sound = Sound::read(&bytes)?;
    if Level::of(&sound.samples).is_silent() {
        return Err("silent".to_owned());
    }
    if let Some(disagreement) = sound.disagreement(text) {
        return Err(disagreement);
    }
    Ok((bytes, Arc::new(Clip::from_linear(&sound.samples))))
}

fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most { Err(format!("larger than {most} bytes")) } else { Ok(bytes) }
}

/// A problem of a file as a whole.
pub(super) fn whole(path: &Path, what: impl Into<String>) -> Problem {
    Problem { file: path.display().to_string(), line: 0, what: what.into() }
}
