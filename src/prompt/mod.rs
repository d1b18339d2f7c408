//! Prompts: the manifest, the clips, and reading numbers and dates aloud.
//!
//! A prompt is an id (`menu.head`), a text and a sound in each language. The pack inside the binary is complete;
//! a configured folder replaces prompts one by one ([`Prompts::load`]). [`say`] turns numbers, dates and times
//! into lists of prompt ids by the grammar of each language.

pub mod check;
pub mod import;
pub mod manifest;
pub mod master;
pub mod parts;
pub mod reading;
pub mod say;
pub mod script;
pub mod sheet;
pub mod sound;
pub mod wav;

mod folder;
mod pack;
mod problem;
mod text;

#[cfg(test)]
pub(crate) mod testing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use crate::language::Language;
use crate::media::clip::Clip;
pub use manifest::{Confidence, Origin};
use manifest::{Line, Manifest};
pub use pack::warm;
pub use problem::Problem;

/// Every prompt of both languages, ready to play.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    by_id: BTreeMap<Box<str>, BTreeMap<Language, Option<Arc<Spoken>>>>,
    /// The languages whose digits are said in groups.
    grouped: BTreeSet<Language>,
}

/// One prompt in one language.
#[derive(Clone, Debug)]
struct Spoken {
    line: Line,
    /// Where the line is written, or the sound that a folder has in the pack's place: for problems.
    manifest: Arc<str>,
    clip: Arc<Clip>,
    /// Whether a folder has put the sound in the place of the pack's.
    replaced: bool,
}

/// The pack inside the binary, read once.
static PACK: LazyLock<Arc<Prompts>> = LazyLock::new(|| {
    let mut prompts = Prompts::default();
    let packed = prompts.take(pack::manifest(), false, |_, line| {
        let alaw = pack::alaw(&line.file).expect("the build packs every file of the manifest");
        Ok(Arc::new(Clip::from_alaw(alaw)))
    });
    assert_eq!(packed, [], "each prompt of the pack has a line in both languages");
    prompts.choose_groups();
    Arc::new(prompts)
});

impl Prompts {
    /// The pack inside the binary, shared by all who ask. The build has checked that each of its files exists, is not
    /// silent and names no other text than its line's.
    pub fn embedded() -> Arc<Prompts> {
        Arc::clone(&PACK)
    }

    /// The sound of a prompt; `None` for an unknown id and for a prompt that this language leaves out.
    pub fn clip(&self, language: Language, id: &str) -> Option<Arc<Clip>> {
        self.spoken(language, id).map(|spoken| Arc::clone(&spoken.clip))
    }

    /// What the manifest says of a prompt.
    pub fn line(&self, language: Language, id: &str) -> Option<&Line> {
        self.spoken(language, id).map(|spoken| &spoken.line)
    }

    /// What the prompt says.
    pub fn text(&self, language: Language, id: &str) -> Option<&str> {
        self.line(language, id).map(|line| line.text.as_str())
    }

    /// Whether a machine speaks this prompt; a call that plays one says so (`notice.ai`).
    pub fn is_synthetic(&self, language: Language, id: &str) -> bool {
        self.line(language, id).is_some_and(|line| line.origin == Origin::Synthetic)
    }

    /// True for an id that is known but deliberately not spoken in this language (`-` in the manifest).
    pub fn is_left_out(&self, language: Language, id: &str) -> bool {
        self.by_id.get(id).and_then(|languages| languages.get(&language)).is_some_and(Option::is_none)
    }

    /// Whether the id has a line in this language, if only to be left out.
    pub fn is_known(&self, language: Language, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|languages| languages.contains_key(&language))
    }

    /// Whether a folder has put its sound in the place of the pack's, or brought the prompt along.
    pub fn is_replaced(&self, language: Language, id: &str) -> bool {
        self.spoken(language, id).is_some_and(|spoken| spoken.replaced)
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(AsRef::as_ref)
    }

    /// What the pack calls a digit, for manifests that change it.
    fn digit(language: Language, digit: char) -> Option<String> {
        PACK.text(language, &format!("digit.{digit}")).map(str::to_owned)
    }

    fn spoken(&self, language: Language, id: &str) -> Option<&Spoken> {
        self.by_id.get(id)?.get(&language)?.as_deref()
    }

    /// Everything that is spoken, by id.
    fn all(&self) -> impl Iterator<Item = (&str, Language, &Spoken)> {
        self.by_id.iter().flat_map(|(id, languages)| {
            languages.iter().filter_map(move |(language, spoken)| Some((id.as_ref(), *language, spoken.as_deref()?)))
        })
    }

    /// Takes over everything that a manifest lists, with the clips that `clip` finds for it; returns what is wrong.
    fn take(
        &mut self,
        manifest: Manifest,
        replaced: bool,
        mut clip: impl FnMut(Language, &Line) -> Result<Arc<Clip>, String>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let file: Arc<str> = manifest.file.into();
        let problem = |line, what| Problem { file: file.to_string(), line, what };
        for (id, listed) in manifest.prompts {
            let languages = self.by_id.entry(id.as_str().into()).or_default();
            let unlisted = |language: &Language| !languages.contains_key(language) && !listed.contains_key(language);
            let is_of_a_range = listed.values().flatten().any(|line| line.range.is_some());
            for language in Language::ALL.into_iter().filter(unlisted).collect::<Vec<_>>() {
                if is_of_a_range {
                    languages.insert(language, None);
                } else {
                    problems.push(problem(0, format!("{id} has no line in {language}; text = \"-\" leaves it out")));
                }
            }
            for (language, line) in listed {
                let Some(line) = line else {
                    languages.insert(language, None);
                    continue;
                };
                match clip(language, &line) {
                    Ok(clip) => {
                        let spoken = Spoken { line, manifest: Arc::clone(&file), clip, replaced };
                        languages.insert(language, Some(Arc::new(spoken)));
                    }
                    Err(what) => problems.push(problem(line.at, format!("{}: {what}", line.file))),
                }
            }
        }
        problems
    }
}

impl Spoken {
    fn problem(&self, what: String) -> Problem {
        Problem { file: self.manifest.to_string(), line: self.line.at, what }
    }
}

#[cfg(test)]
mod tests;
