//! `manifest.toml`: every prompt's id, texts and files.
//!
//! ```toml
//! [menu.head]
//! zh = { text = "请选择您需要的服务。", pinyin = "qing3 xuan3 …", file = "zh/menu.head.wav" }
//! bo = { text = "ཁྱེད་རང་ལ་…", confidence = "A", file = "bo/menu.head.wav" }
//! ```
//!
//! An id is a group and a name. The text `-` means that the language deliberately leaves the prompt out.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::Problem;
use crate::language::Language;

/// The most prompts a manifest may list.
const MOST_PROMPTS: usize = 5_000;

/// A parsed manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The name of the file it came from, for problems.
    pub file: String,
    /// By id.
    pub prompts: BTreeMap<String, Listed>,
}

/// The languages that a prompt is listed in; `None` where it is deliberately left out.
pub type Listed = BTreeMap<Language, Option<Line>>;

/// What one language says, and the file that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// How to pronounce a Mandarin text: syllables with tone digits. For the synthesiser.
    pub pinyin: Option<String>,
    /// How sure the writers of a Tibetan text are.
    pub confidence: Option<Confidence>,
    pub origin: Origin,
    /// Path below the manifest's folder.
    pub file: String,
    /// The line of the manifest, from 1.
    pub at: usize,
}

/// How sure the writers of a text are; no native speaker has signed a line that is not `Signed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Confidence {
    /// Confident.
    A,
    /// Wants review.
    B,
    /// Unsure.
    C,
    /// A native speaker has read and accepted it.
    Signed,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A synthesiser; callers are told (`notice.ai`).
    #[default]
    Synthetic,
    /// A recorded person.
    Person,
}

impl Manifest {
    /// Reads a manifest; `file` is its name in problems.
    ///
    /// # Errors
    /// Every problem found, with its line: not TOML, an unknown key, a text without a file, an empty text, a file
    /// outside the folder.
    pub fn parse(text: &str, file: &str) -> Result<Manifest, Vec<Problem>> {
        let problem = |line, what| Problem { file: file.to_owned(), line, what };
        let groups: BTreeMap<String, BTreeMap<String, Written>> = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            vec![problem(line, error.message().trim().replace('\n', " "))]
        })?;
        let mut problems = Vec::new();
        let mut prompts = BTreeMap::new();
        for (group, names) in groups {
            for (name, written) in names {
                let id = format!("{group}.{name}");
                let mut listed = Listed::new();
                for (language, written) in written {
                    match line(written, text) {
                        Ok(line) => drop(listed.insert(language, line)),
                        Err((at, what)) => problems.push(problem(at, format!("{id} in {language}: {what}"))),
                    }
                }
                prompts.insert(id, listed);
            }
        }
        if prompts.len() > MOST_PROMPTS {
            problems.push(problem(0, format!("more than {MOST_PROMPTS} prompts")));
        }
        if problems.is_empty() { Ok(Manifest { file: file.to_owned(), prompts }) } else { Err(problems) }
    }
}

/// A prompt as it is written.
type Written = BTreeMap<Language, Spanned<WrittenLine>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine {
    text: String,
    pinyin: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    origin: Origin,
    file: Option<String>,
}

fn line(written: Spanned<WrittenLine>, source: &str) -> Result<Option<Line>, (usize, String)> {
    let at = line_of(source, written.span().start);
    let WrittenLine { text, pinyin, confidence, origin, file } = written.into_inner();
    match (text.trim(), file) {
        ("-", None) => Ok(None),
        ("-", Some(_)) => Err((at, "a prompt that is left out has no file".to_owned())),
        ("", _) => Err((at, "an empty text; write - for a prompt that is left out".to_owned())),
        (_, None) => Err((at, "a text without a file".to_owned())),
        (_, Some(file)) if !is_below(&file) => Err((at, format!("{file} is outside the folder"))),
        (_, Some(file)) => Ok(Some(Line { text, pinyin, confidence, origin, file, at })),
    }
}

fn is_below(file: &str) -> bool {
    use std::path::{Component, Path};
    !file.is_empty() && Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = Manifest::parse(text, "m.toml").expect_err("a mistake");
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_line_keeps_its_text_its_file_and_its_place() {
        let text = "[a.b]\nbo = { text = \"-\" }\n\
                    zh = { text = \"好\", pinyin = \"hao3\", file = \"zh/a.b.wav\", origin = \"person\" }\n";
        let manifest = Manifest::parse(text, "m.toml").expect("a manifest");
        let listed = &manifest.prompts["a.b"];
        assert_eq!(listed[&Language::Bo], None);
        let line = listed[&Language::Zh].as_ref().expect("spoken");
        assert_eq!((line.text.as_str(), line.file.as_str(), line.at), ("好", "zh/a.b.wav", 3));
        assert_eq!((line.origin, line.confidence), (Origin::Person, None));
    }

    #[test]
    fn each_mistake_is_named_with_its_line() {
        for (text, expected) in [
            ("[a.b]\nzh = { text = \"好\" }", "m.toml:2: a.b in zh: a text without a file"),
            (
                "[a.b]\n\nbo = { text = \" \", file = \"x.wav\" }",
                "m.toml:3: a.b in bo: an empty text; write - for a prompt that is left out",
            ),
            (
                "[a.b]\nbo = { text = \"-\", file = \"x.wav\" }",
                "m.toml:2: a.b in bo: a prompt that is left out has no file",
            ),
            (
                "[a.b]\nbo = { text = \"x\", file = \"../x.wav\" }",
                "m.toml:2: a.b in bo: ../x.wav is outside the folder",
            ),
            ("[a.b]\nbo = { text = \"x\", file = \"/x.wav\" }", "m.toml:2: a.b in bo: /x.wav is outside the folder"),
        ] {
            assert_eq!(problems(text), [expected]);
        }
    }

    #[test]
    fn unknown_keys_and_languages_and_what_is_not_toml_are_named_with_their_line() {
        for (text, line, word) in [
            ("[a.b]\nbo = { text = \"x\", fille = \"x.wav\" }", "m.toml:2:", "fille"),
            ("[a.b]\nen = { text = \"x\", file = \"x.wav\" }", "m.toml:2:", "en"),
            ("[a.b]\nbo = {", "m.toml:2:", ""),
            ("a = 1", "m.toml:1:", ""),
        ] {
            let problems = problems(text);
            assert!(problems.len() == 1 && problems[0].starts_with(line) && problems[0].contains(word), "{problems:?}");
        }
    }
}
