//! What is wrong with prompts that can be played all the same: their sounds, measured against their texts.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{self, MANIFEST};
use super::manifest::Line;
use super::master::Kind;
use super::sound::Level;
use super::{Problem, Prompts, text};
use crate::language::Language;
use crate::media::clip::Clip;

/// Where the level of active speech may lie, in dBov; -21 is the target.
const ACTIVE_DBOV: RangeInclusive<f64> = -24.0..=-18.0;
/// Highest sample, with what A-law adds to -3 dBFS.
const PEAK_DBFS: f64 = -2.5;
/// A sample of the outermost step of A-law.
const FULL_SCALE: u16 = 31_744;
/// So many samples at full scale in a row are cut off.
const CLIPPED: usize = 4;
/// How long a syllable of a few may take, pauses included: one alone is drawn out.
const SYLLABLE_MS: RangeInclusive<u32> = 90..=900;
/// So many syllables have a speed.
const MANY: u32 = 8;
/// How long one of [`MANY`] syllables or more may take.
const SYLLABLE_OF_MANY_MS: RangeInclusive<u32> = 130..=500;

impl Prompts {
    /// What is wrong with the sounds: silent, clipped, too quiet or too loud for their neighbours, too short or too
    /// long for their texts.
    pub fn check(&self) -> Vec<Problem> {
        let fault = |(id, language, spoken): (&str, _, &super::Spoken)| {
            let what = fault(id, language, &spoken.line, &spoken.clip)?;
            Some(spoken.problem(format!("{id} in {language}: {what}")))
        };
        self.all().filter_map(fault).collect()
    }
}

/// The prompts of a folder that has a complete manifest of its own, and everything that is wrong with them, in the
/// order of the manifest: what [`Prompts::load`] refuses, what [`Prompts::check`] finds, and WAV files that no line
/// names.
pub fn folder(folder: &Path) -> (Prompts, Vec<Problem>) {
    let manifest = match folder::read_manifest(&folder.join(MANIFEST), |_, _| None) {
        Ok(manifest) => manifest,
        Err(problems) => return (Prompts::default(), problems),
    };
    let listed = manifest.lines().map(|(.., line)| folder.join(&line.file)).collect();
    let mut problems = unlisted(folder, &listed, "no line of the manifest names it");
    let mut prompts = Prompts::default();
    problems.extend(prompts.take_folder(manifest, folder));
    prompts.choose_groups();
    problems.extend(prompts.check());
    (prompts, sorted(problems))
}

/// The pack with a folder over it, if there is one, and everything that is wrong with them: what [`Prompts::load`]
/// refuses, what [`Prompts::check`] finds, and WAV files that name no prompt.
pub fn over(folder: Option<&Path>) -> (Arc<Prompts>, Vec<Problem>) {
    let Some(folder) = folder else { return (Prompts::embedded(), Prompts::embedded().check()) };
    let (prompts, mut problems) = Prompts::over(folder);
    problems.extend(prompts.check());
    let files = |(id, language, spoken): (&str, Language, &super::Spoken)| {
        [folder.join(&spoken.line.file), folder.join(format!("{language}/{id}.wav"))]
    };
    problems.extend(unlisted(folder, &prompts.all().flat_map(files).collect(), "names no prompt"));
    (Arc::new(prompts), sorted(problems))
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|one, other| (&one.file, one.line, &one.what).cmp(&(&other.file, other.line, &other.what)));
    problems
}

/// The WAV files in the folders of the languages that are not `listed`, which is `what` is wrong with them.
fn unlisted(folder: &Path, listed: &BTreeSet<PathBuf>, what: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for of_language in Language::ALL.map(|language| folder.join(language.code())) {
        match std::fs::read_dir(&of_language) {
            Ok(files) => {
                let paths = files.filter_map(|file| Some(file.ok()?.path()));
                let unlisted = paths.filter(|path| is_wav(path) && !listed.contains(path));
                problems.extend(unlisted.map(|path| folder::whole(&path, what)));
            }
            // that what is listed in it is missing is told of each line
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => problems.push(folder::whole(&of_language, error.to_string())),
        }
    }
    problems
}

fn is_wav(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
}

/// What is wrong with a prompt's sound, in words.
fn fault(id: &str, language: Language, line: &Line, clip: &Clip) -> Option<String> {
    let samples = clip.to_linear();
    let level = Level::of(&samples);
    if level.is_silent() {
        return Some("silent".to_owned());
    }
    let clipped = longest_run(&samples, |sample| sample.unsigned_abs() >= FULL_SCALE);
    if clipped >= CLIPPED {
        return Some(format!("clipped: {clipped} samples in a row at full scale"));
    }
    if !ACTIVE_DBOV.contains(&level.active_dbov) {
        return Some(format!("active speech at {:.1} dBov; -21 is wanted", level.active_dbov));
    }
    if level.peak_dbfs > PEAK_DBFS {
        return Some(format!("peaks at {:.1} dBFS; at most {PEAK_DBFS} is wanted", level.peak_dbfs));
    }
    speed(Kind::of(id), level.duration_ms, text::syllables(language, &line.text))
}

/// Whether so many syllables take another time than somebody needs for them: another text was said, or not all of it.
fn speed(kind: Kind, duration_ms: u32, syllables: u32) -> Option<String> {
    let (before, after) = kind.silence_ms();
    let silence_ms = u32::try_from(before + after).unwrap_or(u32::MAX);
    let a_syllable = duration_ms.saturating_sub(silence_ms) / syllables.max(1);
    let fits = if syllables < MANY { SYLLABLE_MS } else { SYLLABLE_OF_MANY_MS };
    (!fits.contains(&a_syllable)).then(|| format!("{a_syllable} ms a syllable for {syllables} syllables"))
}

fn longest_run(samples: &[i16], is_in: impl Fn(i16) -> bool) -> usize {
    samples.split(|sample| !is_in(*sample)).map(<[i16]>::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::media::codec;
    use crate::prompt::testing::{Folder, said, spoken, wav, wav_of};

    fn hash(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_quiet_a_loud_a_clipped_and_a_hurried_replacement_are_reported() {
        let folder = Folder::new("check");
        folder.write("bo/menu.head.wav", wav(8_000, 300));
        folder.write("bo/notice.ai.wav", wav(8_000, 5_000));
        folder.write("bo/notice.record.wav", wav(8_000, 2_900));
        folder.write(
            "zh/menu.head.wav",
            wav_of(8_000, (0..16_000).map(|at| if at % 800 < 4 { i16::MAX } else { 2_000 }), ""),
        );
        let problems = said(&folder.load().check());
        let expected = [
            "menu.head in bo: active speech at -40.",
            "menu.head in zh: clipped: 4 samples in a row at full scale",
            "notice.ai in bo: active speech at -16.",
            "notice.record in bo: 1",
        ];
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.starts_with(expected), "{problems:?}");
        }
        assert!(problems[3].contains("ms a syllable for "), "{problems:?}");
    }

    #[test]
    fn a_sentence_is_neither_half_nor_twice_as_long_as_it_takes() {
        let silence = 170;
        for (ms, expected) in [
            (255 * 12, None),
            (255 * 24, Some("510 ms a syllable for 12 syllables")),
            (255 * 6, Some("127 ms a syllable for 12 syllables")),
        ] {
            assert_eq!(speed(Kind::Phrase, ms + silence, 12).as_deref(), expected);
        }
        assert_eq!(speed(Kind::Part, 510 + 30, 1), None, "one alone may be drawn out");
        assert_eq!(speed(Kind::Part, 89 + 30, 1).as_deref(), Some("89 ms a syllable for 1 syllables"));
    }

    #[test]
    fn sounds_are_measured_and_strays_are_told_although_loading_found_something() {
        let folder = Folder::new("over");
        folder.write("bo/menu.head.wav", wav(8_000, 300));
        folder.write("bo/num.1.wav", "no sound");
        folder.write("bo/menu.haed.wav", spoken(500, ""));
        folder.write("zh/menu.head.WAV", spoken(500, ""));
        folder.write("zh/year.prefix.wav", spoken(500, ""));
        folder.write("zh/new.wav", spoken(500, ""));
        folder.write("manifest.toml", "[a.b.zh]\ntext = \"您好\"\nfile = \"zh/new.wav\"\n[a.b.bo]\ntext = \"-\"\n");
        let (prompts, problems) = over(Some(folder.path()));
        assert!(prompts.clip(Language::Zh, "a.b").is_some());
        let path = format!("{}/", folder.path().display());
        let told: Vec<String> = problems.iter().map(|problem| problem.to_string().replace(&path, "")).collect();
        assert_eq!(
            told,
            [
                "bo/menu.haed.wav: names no prompt",
                "bo/menu.head.wav: menu.head in bo: active speech at -40.9 dBov; -21 is wanted",
                "bo/num.1.wav: not a WAV file",
                "zh/menu.head.WAV: names no prompt",
                "zh/year.prefix.wav: names no prompt",
            ]
        );
    }

    #[test]
    fn three_samples_at_full_scale_are_a_peak_and_four_are_clipped() {
        let is_full = |sample: i16| sample.unsigned_abs() >= FULL_SCALE;
        let run = |samples: &[i16]| {
            longest_run(
                &samples.iter().map(|s| codec::alaw_decode(codec::alaw_encode(*s))).collect::<Vec<_>>(),
                is_full,
            )
        };
        assert_eq!(run(&[i16::MIN, i16::MAX, 32_000, 0, i16::MAX]), 3);
        assert_eq!(run(&[31_744, -31_745, 31_744, 31_744]), 4);
        assert_eq!(run(&[31_743; 9]), 0);
    }

    /// A folder that has nothing wrong, and its manifest: a prompt, a range of three in one language.
    fn whole(name: &str) -> (Folder, String) {
        let folder = Folder::new(name);
        folder.write("zh/a.b.wav", spoken(500, "您好。"));
        let mut range = Vec::new();
        for (digit, text) in ["零", "幺", "二"].into_iter().enumerate() {
            let file = spoken(300 + 10 * u32::try_from(digit).expect("a digit"), text);
            folder.write(&format!("zh/digit.{digit}.wav"), &file);
            folder.write(&format!("zh/one.{digit}.wav"), &file);
            range.extend(file);
        }
        let digits = ["零", "幺", "二"].into_iter().enumerate();
        let digits =
            digits.map(|(n, text)| format!("[digit.{n}.zh]\ntext = \"{text}\"\n[digit.{n}.bo]\ntext = \"-\"\n"));
        let manifest = format!(
            "[a.b.zh]\ntext = \"您好。\"\nsha256 = \"{}\"\n[a.b.bo]\ntext = \"-\"\n\
             [one.0-2.zh]\ntext = \"{{digits}}\"\nsha256 = \"{}\"\n{}",
            hash(&spoken(500, "您好。")),
            hash(&range),
            digits.collect::<String>()
        );
        folder.write("manifest.toml", &manifest);
        (folder, manifest)
    }

    fn problems(of: &Folder) -> Vec<String> {
        let path = format!("{}/", of.path().display());
        folder(of.path()).1.iter().map(|problem| problem.to_string().replace(&path, "")).collect()
    }

    #[test]
    fn a_folder_that_stands_alone_passes_when_nothing_is_wrong() {
        let (folder, _) = whole("stands");
        assert_eq!(problems(&folder), [""; 0]);
        let prompts = folder.standing();
        assert_eq!(prompts.text(Language::Zh, "one.2"), Some("二"));
        assert!(prompts.is_left_out(Language::Bo, "one.2") && prompts.clip(Language::Zh, "menu.head").is_none());
    }

    #[test]
    fn a_changed_file_and_a_changed_range_are_told_by_their_hashes() {
        let (folder, _) = whole("hashes");
        folder.write("zh/a.b.wav", spoken(510, "您好。"));
        folder.write("zh/one.1.wav", spoken(330, "幺"));
        let problems = problems(&folder);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("manifest.toml:1: zh/a.b.wav: its sha256 is "), "{problems:?}");
        assert!(problems[1].starts_with("manifest.toml:6: one.0-2 in zh: its sha256 is "), "{problems:?}");
    }

    #[test]
    fn a_missing_a_foreign_and_a_misnamed_file_are_told() {
        let (folder, manifest) = whole("files");
        std::fs::remove_file(folder.path().join("zh/one.1.wav")).expect("a file");
        folder.write("bo/one.1.WAV", wav(8_000, 3_000));
        folder.write("bo/README.md", "");
        folder.write("zh/digit.2.wav", wav(8_000, 300));
        folder.write("manifest.toml", manifest.replace("您好。", "您早。"));
        assert_eq!(
            problems(&folder),
            [
                "bo/one.1.WAV: no line of the manifest names it",
                "manifest.toml:1: zh/a.b.wav: says another text than the manifest: 您好。; record it again",
                "manifest.toml:6: zh/one.1.wav: No such file or directory (os error 2)",
                "manifest.toml:17: digit.2 in zh: active speech at -40.9 dBov; -21 is wanted",
            ]
        );
    }

    #[test]
    fn a_folder_without_a_manifest_does_not_stand() {
        let folder = Folder::new("bare");
        assert_eq!(problems(&folder), ["manifest.toml: No such file or directory (os error 2)"]);
    }
}
