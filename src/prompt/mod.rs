//! Prompts: the manifest, the clips, and reading numbers and dates aloud.
//!
//! A prompt is an id (`menu.head`), a text and a sound in each language. The pack inside the binary is complete;
//! a configured folder replaces prompts one by one ([`Prompts::load`]). [`say`] turns numbers, dates and times
//! into lists of prompt ids by the grammar of each language.

pub mod manifest;
pub mod say;

mod pack;
mod sound;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use crate::language::Language;
use crate::media::clip::Clip;
use crate::media::codec;
use crate::media::command::Cue;
pub use manifest::{Confidence, Origin};
use manifest::{Line, Manifest};
use say::Piece;
use sound::Level;

/// Where the level of active speech may lie; -21 dBov is the target, and a high crest factor keeps a few below it.
const ACTIVE_DBOV: RangeInclusive<f64> = -27.0..=-18.0;
/// Highest sample, with what A-law adds to -3 dBFS.
const PEAK_DBFS: f64 = -2.5;
/// How long a syllable may take, pauses included.
const SYLLABLE_MS: RangeInclusive<u32> = 90..=900;

const LARGEST_MANIFEST: u64 = 4 << 20;

/// Every prompt of both languages, ready to play.
#[derive(Debug)]
pub struct Prompts {
    by_id: BTreeMap<Box<str>, BTreeMap<Language, Option<Spoken>>>,
}

/// One prompt in one language.
#[derive(Debug)]
struct Spoken {
    line: Line,
    /// Where the line is written, for problems.
    manifest: Arc<str>,
    clip: Arc<Clip>,
}

impl Prompts {
    /// The pack inside the binary. The build has checked that each of its files exists and is not silent.
    pub fn embedded() -> Prompts {
        let mut prompts = Prompts { by_id: BTreeMap::new() };
        let packed = prompts.take(pack::manifest(), |file| {
            let alaw = pack::alaw(file).expect("the build packs every file of the manifest");
            Ok(Arc::new(Clip::from_alaw(alaw)))
        });
        packed.expect("packed clips are there");
        prompts
    }

    /// The pack with the prompts of `folder` in place of its own.
    ///
    /// A file `bo/<id>.wav` or `zh/<id>.wav` (8 kHz, mono, 16-bit PCM) replaces that prompt's sound. A
    /// `manifest.toml` beside them may add prompts, change texts and name other files; what it lists must exist.
    ///
    /// # Errors
    /// Everything that is wrong with the folder: unreadable, a missing, silent or differently coded file, an
    /// unknown key; with file and line.
    pub fn load(folder: &Path) -> Result<Prompts, Vec<Problem>> {
        let mut prompts = Prompts::embedded();
        let mut problems = Vec::new();
        let listed = folder.join("manifest.toml");
        if !folder.is_dir() {
            return Err(vec![Problem {
                file: folder.display().to_string(),
                line: 0,
                what: "no such folder".to_owned(),
            }]);
        }
        if listed.exists() {
            let taken = prompts.take(read_manifest(&listed)?, |file| read_clip(&folder.join(file)));
            problems.extend(taken.err().unwrap_or_default());
        }
        problems.extend(prompts.replace_sounds(folder));
        problems.extend(prompts.missing_parts(&listed));
        if problems.is_empty() { Ok(prompts) } else { Err(problems) }
    }

    /// The sound of a prompt; `None` for an unknown id and for a prompt that this language leaves out.
    pub fn clip(&self, language: Language, id: &str) -> Option<Arc<Clip>> {
        self.spoken(language, id).map(|spoken| Arc::clone(&spoken.clip))
    }

    /// What to play for a list of [`say`]. Prompts that the language leaves out are skipped; [`Prompts::load`]
    /// makes sure that no part of a number or a date is among them.
    pub fn cues(&self, language: Language, pieces: &[Piece]) -> Vec<Cue> {
        let cue = |piece: &Piece| match piece {
            Piece::Prompt(id) => self.clip(language, id).map(Cue::Clip),
            Piece::Pause(ms) => Some(Cue::Silence(*ms)),
        };
        pieces.iter().filter_map(cue).collect()
    }

    /// What the prompt says.
    pub fn text(&self, language: Language, id: &str) -> Option<&str> {
        self.spoken(language, id).map(|spoken| spoken.line.text.as_str())
    }

    /// Whether a machine speaks this prompt; a call that plays one says so (`notice.ai`).
    pub fn is_synthetic(&self, language: Language, id: &str) -> bool {
        self.spoken(language, id).is_some_and(|spoken| spoken.line.origin == Origin::Synthetic)
    }

    /// True for an id that is known but deliberately not spoken in this language (`-` in the manifest).
    pub fn is_left_out(&self, language: Language, id: &str) -> bool {
        self.by_id.get(id).and_then(|languages| languages.get(&language)).is_some_and(Option::is_none)
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(AsRef::as_ref)
    }

    /// What is wrong with the sounds: silent, too quiet or too loud for their neighbours, too short or too long for
    /// their texts.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, languages) in &self.by_id {
            for (language, spoken) in
                languages.iter().filter_map(|(language, spoken)| Some((*language, spoken.as_ref()?)))
            {
                problems
                    .extend(fault(language, spoken).map(|what| spoken.problem(format!("{id} in {language}: {what}"))));
            }
        }
        problems
    }

    fn spoken(&self, language: Language, id: &str) -> Option<&Spoken> {
        self.by_id.get(id)?.get(&language)?.as_ref()
    }

    /// Takes over everything that a manifest lists, with the clips that `clip` finds for it.
    fn take(
        &mut self,
        manifest: Manifest,
        clip: impl Fn(&str) -> Result<Arc<Clip>, String>,
    ) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let file: Arc<str> = manifest.file.into();
        for (id, listed) in manifest.prompts {
            let languages = self.by_id.entry(id.as_str().into()).or_default();
            let unlisted = |language: &Language| !languages.contains_key(language) && !listed.contains_key(language);
            for language in Language::ALL.into_iter().filter(unlisted) {
                let what = format!("{id} has no line in {language}; text = \"-\" leaves it out");
                problems.push(Problem { file: file.to_string(), line: 0, what });
            }
            for (language, line) in listed {
                let Some(line) = line else {
                    languages.insert(language, None);
                    continue;
                };
                match clip(&line.file) {
                    Ok(clip) => {
                        drop(languages.insert(language, Some(Spoken { line, manifest: Arc::clone(&file), clip })))
                    }
                    Err(what) => {
                        let what = format!("{}: {what}", line.file);
                        problems.push(Problem { file: file.to_string(), line: line.at, what });
                    }
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Parts of numbers and dates that the folder's manifest leaves out although the pack speaks them.
    fn missing_parts(&self, manifest: &Path) -> Vec<Problem> {
        let spoken = pack::manifest().prompts;
        let mut problems = Vec::new();
        for (id, languages) in spoken.iter().filter(|(id, _)| say::is_part(id)) {
            for (language, _) in
                languages.iter().filter(|(language, line)| line.is_some() && self.is_left_out(**language, id))
            {
                let what = format!("{id} in {language} can't be left out: numbers and dates are made of it");
                problems.push(Problem { file: manifest.display().to_string(), line: 0, what });
            }
        }
        problems
    }

    /// Replaces the sound of each prompt that has a file of its name in `folder`.
    fn replace_sounds(&mut self, folder: &Path) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, languages) in &mut self.by_id {
            for (language, spoken) in languages {
                let path = folder.join(language.code()).join(format!("{id}.wav"));
                let Some(spoken) = spoken.as_mut().filter(|_| path.is_file()) else { continue };
                match read_clip(&path) {
                    Ok(clip) => spoken.clip = clip,
                    Err(what) => problems.push(Problem { file: path.display().to_string(), line: 0, what }),
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

/// What is wrong with a manifest or a sound, and where. `line` counts from 1; 0 is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

fn read_manifest(path: &Path) -> Result<Manifest, Vec<Problem>> {
    let file = path.display().to_string();
    match read_at_most(path, LARGEST_MANIFEST)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()))
    {
        Ok(text) => Manifest::parse(&text, &file),
        Err(what) => Err(vec![Problem { file, line: 0, what }]),
    }
}

fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most { Err(format!("larger than {most} bytes")) } else { Ok(bytes) }
}

fn read_clip(path: &Path) -> Result<Arc<Clip>, String> {
    let samples = sound::samples(&read_at_most(path, sound::LARGEST_FILE)?)?;
    if Level::of(&samples).is_silent() {
        return Err("silent".to_owned());
    }
    let alaw: Vec<u8> = samples.iter().map(|&sample| codec::alaw_encode(sample)).collect();
    Ok(Arc::new(Clip::from_alaw(alaw)))
}

/// What is wrong with a prompt's sound, in words.
fn fault(language: Language, spoken: &Spoken) -> Option<String> {
    let samples: Vec<i16> = spoken.clip.alaw().iter().map(|&byte| codec::alaw_decode(byte)).collect();
    let level = Level::of(&samples);
    if level.is_silent() {
        return Some("silent".to_owned());
    }
    if !ACTIVE_DBOV.contains(&level.active_dbov) {
        return Some(format!("active speech at {:.1} dBov; -21 is wanted", level.active_dbov));
    }
    if level.peak_dbfs > PEAK_DBFS {
        return Some(format!("peaks at {:.1} dBFS; at most {PEAK_DBFS} is wanted", level.peak_dbfs));
    }
    let syllables = syllables(language, &spoken.line.text);
    let a_syllable = level.duration_ms / syllables.max(1);
    (!SYLLABLE_MS.contains(&a_syllable)).then(|| format!("{a_syllable} ms a syllable for {syllables} syllables"))
}

/// How many syllables a text has: Chinese characters and digits, or runs of Tibetan letters.
fn syllables(language: Language, text: &str) -> u32 {
    let count = match language {
        Language::Zh => text.chars().filter(|c| c.is_ascii_digit() || ('\u{4e00}'..='\u{9fff}').contains(c)).count(),
        Language::Bo => text.split(|c| !('\u{f40}'..='\u{fbc}').contains(&c)).filter(|run| !run.is_empty()).count(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A folder of its own for a test, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("hotline-prompts-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("bo")).expect("a folder");
            Folder(path)
        }

        fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
            fs::write(self.0.join(file), bytes).expect("a file");
        }

        fn problems(&self) -> Vec<String> {
            Prompts::load(&self.0).expect_err("a mistake").iter().map(|problem| problem.what.clone()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn wav(rate: u32, amplitude: i16) -> Vec<u8> {
        let tone = (0..rate / 2).flat_map(|at| (if at / 8 % 2 == 0 { amplitude } else { -amplitude }).to_le_bytes());
        let data: Vec<u8> = tone.collect();
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(rate.to_le_bytes());
        wav.extend((rate * 2).to_le_bytes());
        wav.extend([2, 0, 16, 0]);
        wav.extend(b"data");
        wav.extend((data.len() as u32).to_le_bytes());
        wav.extend(data);
        wav
    }

    #[test]
    fn every_prompt_of_the_pack_is_heard_at_its_level_through_alaw() {
        let prompts = Prompts::embedded();
        assert_eq!(prompts.check(), []);
        let spoken = |language| prompts.ids().filter(|id| prompts.clip(language, id).is_some()).count();
        assert!(spoken(Language::Bo) > 380 && spoken(Language::Zh) > 380);
    }

    #[test]
    fn each_language_speaks_or_leaves_out_every_prompt() {
        let prompts = Prompts::embedded();
        for id in prompts.ids() {
            for language in Language::ALL {
                let spoken = prompts.clip(language, id).is_some();
                assert_ne!(spoken, prompts.is_left_out(language, id), "{id} in {language}");
                assert_eq!(spoken, prompts.text(language, id).is_some(), "{id} in {language}");
                assert_eq!(spoken, prompts.is_synthetic(language, id), "{id} in {language}");
            }
        }
        let left_out: Vec<_> =
            prompts.ids().filter(|id| Language::ALL.iter().any(|l| prompts.is_left_out(*l, id))).collect();
        assert_eq!(left_out, ["rv.matter1", "year.prefix"]);
    }

    #[test]
    fn an_unknown_prompt_is_neither_spoken_nor_left_out() {
        let prompts = Prompts::embedded();
        assert!(prompts.clip(Language::Bo, "no.such").is_none());
        assert!(!prompts.is_left_out(Language::Bo, "no.such"));
    }

    #[test]
    fn a_folder_replaces_one_prompt_and_leaves_the_others() {
        let folder = Folder::new("replace");
        folder.write("bo/menu.head.wav", wav(8_000, 3_000));
        let (embedded, loaded) = (Prompts::embedded(), Prompts::load(&folder.0).expect("prompts"));
        assert_eq!(loaded.clip(Language::Bo, "menu.head").expect("a clip").duration_ms(), 500);
        assert_eq!(loaded.clip(Language::Zh, "menu.head"), embedded.clip(Language::Zh, "menu.head"));
        assert!(loaded.is_synthetic(Language::Bo, "menu.head"));
    }

    #[test]
    fn a_manifest_in_the_folder_adds_prompts_and_names_who_speaks() {
        let folder = Folder::new("add");
        folder.write("bo/head.wav", wav(8_000, 3_000));
        folder.write(
            "manifest.toml",
            "[menu.head]\nbo = { text = \"x\", file = \"bo/head.wav\", origin = \"person\" }\n\
             [office.new]\nbo = { text = \"x\", file = \"bo/head.wav\" }\nzh = { text = \"-\" }\n",
        );
        let loaded = Prompts::load(&folder.0).expect("prompts");
        assert!(!loaded.is_synthetic(Language::Bo, "menu.head"));
        assert!(loaded.is_synthetic(Language::Zh, "menu.head"));
        assert_eq!(loaded.text(Language::Bo, "office.new"), Some("x"));
        assert!(loaded.is_left_out(Language::Zh, "office.new"));
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_said_of_each_file() {
        let folder = Folder::new("wrong");
        folder.write("bo/menu.head.wav", wav(8_000, 0));
        folder.write("bo/num.1.wav", wav(16_000, 3_000));
        folder.write("bo/num.2.wav", "no sound");
        folder.write("bo/num.3.wav", &wav(8_000, 3_000)[..400]);
        folder.write(
            "manifest.toml",
            "[num.4]\nbo = { text = \"x\", file = \"bo/gone.wav\" }\n[num.new]\nbo = { text = \"-\" }\n",
        );
        let problems = folder.problems().join("; ");
        for what in [
            "silent",
            "8 kHz mono 16-bit PCM is wanted, not coding 1, 1 channels, 16000 Hz, 16 bits",
            "not a WAV file",
            "the WAV file is cut short",
            "bo/gone.wav: No such file",
            "num.new has no line in zh",
        ] {
            assert!(problems.contains(what), "{what}: {problems}");
        }
        assert_eq!(problems.split("; ").count(), 7, "{problems}");
    }

    #[test]
    fn a_folder_may_leave_out_a_notice_but_no_part_of_a_number() {
        let folder = Folder::new("parts");
        folder.write("manifest.toml", "[notice.emergency]\nbo = { text = \"-\" }\n");
        assert!(Prompts::load(&folder.0).expect("prompts").is_left_out(Language::Bo, "notice.emergency"));
        folder.write("manifest.toml", "[num.7]\nbo = { text = \"-\" }\n");
        assert_eq!(folder.problems(), ["num.7 in bo can't be left out: numbers and dates are made of it"]);
    }

    #[test]
    fn a_ticket_number_is_twelve_clips_and_three_pauses() {
        let cues = Prompts::embedded().cues(Language::Bo, &say::ticket_number("126112200012"));
        let pauses: Vec<_> = (0..cues.len()).filter(|at| cues[*at] == Cue::Silence(say::GROUP_PAUSE_MS)).collect();
        assert_eq!((cues.len(), pauses), (15, vec![3, 7, 11]));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let problems = Prompts::load(Path::new("/no/such/folder")).expect_err("a mistake");
        assert_eq!(problems[0].to_string(), "/no/such/folder: no such folder");
    }

    #[test]
    fn a_quiet_or_hurried_replacement_is_reported_by_the_check() {
        let folder = Folder::new("check");
        folder.write("bo/menu.head.wav", wav(8_000, 300));
        folder.write("bo/notice.record.wav", wav(8_000, 2_900));
        let problems: Vec<_> = Prompts::load(&folder.0).expect("prompts").check().into_iter().map(|p| p.what).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].starts_with("menu.head in bo: active speech at -40.") && problems[1].contains("ms a syllable"),
            "{problems:?}"
        );
    }
}
