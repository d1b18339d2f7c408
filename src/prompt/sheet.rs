//! What a voice actor reads in one language: the prompts in the order of the manifest, numbered from 1.
//!
//! Prompts that the language leaves out have no number, nor have those of a range: their sounds are made together. Where
//! a folder leaves out what the pack speaks, or makes it one of a range, its number is nobody's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::folder::{self, MANIFEST};
use super::manifest::{Line, Manifest};
use super::parts::group;
use super::{Problem, Prompts, pack};
use crate::language::Language;

/// The prompts to read.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub language: Language,
    /// By number, with gaps.
    entries: Vec<Entry>,
    /// The prompt of each number from 1 on, those of the gaps too.
    numbers: Vec<String>,
    /// The range of each prompt that is one of a range.
    ranges: BTreeMap<String, String>,
}

/// One prompt to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 1, in the order of the manifest.
    pub number: usize,
    pub id: String,
    pub line: Line,
    /// The text in the other language; `None` where that leaves the prompt out.
    pub meaning: Option<String>,
}

impl Entry {
    /// The name that the actor gives the file: `017_menu.head.wav`.
    pub fn file_name(&self) -> String {
        format!("{:03}_{}.wav", self.number, self.id)
    }

    /// `menu` for `menu.head`.
    pub fn group(&self) -> &str {
        group(&self.id)
    }
}

impl Sheet {
    /// The prompts of the pack, with those of a folder's manifest in their place.
    ///
    /// # Errors
    /// What is wrong with the folder's manifest; that it has none is not.
    pub fn load(folder: Option<&Path>, language: Language) -> Result<Sheet, Vec<Problem>> {
        let pack = pack::manifest();
        let listed = folder.map(|folder| folder.join(MANIFEST)).filter(|listed| listed.exists());
        let over = listed.map(|listed| folder::read_manifest(&listed, Prompts::digit)).transpose()?;
        Ok(Sheet::new(&[Some(&pack), over.as_ref()].into_iter().flatten().collect::<Vec<_>>(), language))
    }

    /// The prompts of `manifests`, where a later one changes what the earlier ones say and adds its own at the end.
    /// The numbers follow the first manifest that has a prompt to read, so that they stay when a folder changes a text
    /// or does without a prompt.
    pub fn new(manifests: &[&Manifest], language: Language) -> Sheet {
        let all = |language: Language| {
            let listed = manifests.iter().flat_map(|manifest| &manifest.prompts);
            let listed = listed.filter_map(move |(id, listed)| Some((id.as_str(), listed.get(&language)?.as_ref())));
            listed.collect::<BTreeMap<&str, Option<&Line>>>()
        };
        let (lines, meanings, numbers) = (all(language), all(language.other()), numbers(manifests, language));
        let entry = |(at, id): (usize, &String)| {
            let line = lines.get(id.as_str()).copied().flatten().filter(|line| line.range.is_none())?;
            let meaning = meanings.get(id.as_str()).copied().flatten().map(|line| line.text.clone());
            Some(Entry { number: at + 1, id: id.clone(), line: line.clone(), meaning })
        };
        let entries = numbers.iter().enumerate().filter_map(entry).collect();
        let range =
            |(id, line): (&&str, &Option<&Line>)| Some(((*id).to_owned(), line.as_ref()?.range.as_deref()?.to_owned()));
        let ranges = lines.iter().filter_map(range).collect();
        Sheet { language, entries, numbers, ranges }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The prompt that a file's name means, without its `.wav`: `017`, `menu.head` or `017_menu.head`.
    ///
    /// # Errors
    /// In words: no such number or prompt, a number and a name of two prompts, a prompt of a range.
    pub fn named(&self, stem: &str) -> Result<&Entry, String> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (number, id) = match stem.split_once('_') {
            _ if is_number(stem) => (Some(stem), None),
            Some((number, id)) if is_number(number) => (Some(number), Some(id)),
            _ => (None, Some(stem)),
        };
        let numbered = number.map(|number| self.numbered(number)).transpose()?;
        let named = id.map(|id| self.called(id)).transpose()?;
        match (numbered, named) {
            (Some(numbered), Some(named)) if numbered.number != named.number => {
                let (number, id) = (numbered.number, &named.id);
                Err(format!("number {number:03} is {}, and {id} is number {:03}", numbered.id, named.number))
            }
            (Some(entry), _) | (None, Some(entry)) => Ok(entry),
            (None, None) => Err("a file is named 017.wav, menu.head.wav or 017_menu.head.wav".to_owned()),
        }
    }

    fn numbered(&self, number: &str) -> Result<&Entry, String> {
        let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let id = at.and_then(|at| self.numbers.get(at)).ok_or_else(|| {
            let (language, last) = (self.language, self.numbers.len());
            format!("no prompt in {language} has the number {number}: they go from 001 to {last:03}")
        })?;
        self.called(id).map_err(|what| format!("number {number} is {id}: {what}"))
    }

    fn called(&self, id: &str) -> Result<&Entry, String> {
        self.get(id).ok_or_else(|| match self.ranges.get(id) {
            Some(range) => format!("{id} is one of {range}, whose sounds are made together"),
            None => format!("no prompt in {} is called {id}", self.language),
        })
    }
}

/// The prompts to read in the order of their numbers: those of each manifest in its order, behind those of the ones
/// before it.
fn numbers(manifests: &[&Manifest], language: Language) -> Vec<String> {
    let (mut numbers, mut known) = (Vec::new(), BTreeSet::new());
    for manifest in manifests {
        let is_read = |(_, of, line): &(&str, Language, &Line)| *of == language && line.range.is_none();
        let mut read: Vec<_> = manifest.lines().filter(is_read).map(|(id, _, line)| (line.at, id)).collect();
        read.sort_unstable();
        numbers.extend(read.into_iter().filter(|(_, id)| known.insert(*id)).map(|(_, id)| id.to_owned()));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = "[menu.head.zh]\ntext = \"请选择\"\n[menu.head.bo]\ntext = \"འདེམས\"\n\
                        [year.prefix.zh]\ntext = \"-\"\n[year.prefix.bo]\ntext = \"སྤྱི་ལོ\"\n\
                        [digit.1.zh]\ntext = \"幺\"\n[digit.1.bo]\ntext = \"གཅིག\"\n\
                        [pair.11-11.zh]\ntext = \"{digits}\"\n[num.two_of.zh]\ntext = \"两\"\n";

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(text, "m.toml").expect("a manifest")
    }

    fn names(sheet: &Sheet) -> Vec<String> {
        sheet.entries().iter().map(Entry::file_name).collect()
    }

    #[test]
    fn a_language_is_numbered_in_the_order_of_the_file_without_gaps() {
        let pack = manifest(PACK);
        let (zh, bo) = (Sheet::new(&[&pack], Language::Zh), Sheet::new(&[&pack], Language::Bo));
        assert_eq!(names(&zh), ["001_menu.head.wav", "002_digit.1.wav", "003_num.two_of.wav"]);
        assert_eq!(names(&bo), ["001_menu.head.wav", "002_year.prefix.wav", "003_digit.1.wav"]);
        assert_eq!(bo.entries()[0].meaning.as_deref(), Some("请选择"));
        assert_eq!(bo.entries()[1].meaning, None);
    }

    #[test]
    fn a_folder_changes_a_text_without_changing_the_numbers() {
        let (pack, folder) = (manifest(PACK), manifest("[a.new.zh]\ntext = \"新\"\n[menu.head.zh]\ntext = \"请选\"\n"));
        let sheet = Sheet::new(&[&pack, &folder], Language::Zh);
        let first = ["001_menu.head.wav", "002_digit.1.wav", "003_num.two_of.wav", "004_a.new.wav"];
        assert_eq!(names(&sheet), first);
        assert_eq!(sheet.entries()[0].line.text, "请选");
    }

    #[test]
    fn a_folder_does_without_a_prompt_and_the_others_keep_their_numbers() {
        let pack = manifest(PACK);
        let out = manifest("[digit.1.zh]\ntext = \"-\"\n[pair.11.zh]\ntext = \"幺幺\"\n");
        let sheet = Sheet::new(&[&pack, &out], Language::Zh);
        assert_eq!(names(&sheet), ["001_menu.head.wav", "003_num.two_of.wav", "004_pair.11.wav"]);
        assert_eq!(sheet.named("003").map(|entry| entry.id.as_str()), Ok("num.two_of"));
        assert_eq!(sheet.named("002"), Err("number 002 is digit.1: no prompt in zh is called digit.1".to_owned()));
        let pack = manifest(&format!("[num.2.zh]\ntext = \"二\"\n{PACK}"));
        let digits = "[digit.1.zh]\ntext = \"幺\"\n[digit.2.zh]\ntext = \"二\"\n";
        let range = manifest(&format!("{digits}[num.1-2.zh]\ntext = \"{{digits}}\"\n"));
        let sheet = Sheet::new(&[&pack, &range], Language::Zh);
        let left = ["002_menu.head.wav", "003_digit.1.wav", "004_num.two_of.wav", "005_digit.2.wav"];
        assert_eq!(names(&sheet), left);
        let whole = "num.2 is one of num.1-2, whose sounds are made together";
        assert_eq!(sheet.named("001"), Err(format!("number 001 is num.2: {whole}")));
    }

    #[test]
    fn a_prompt_is_found_by_its_number_its_id_or_both() {
        let pack = manifest(PACK);
        let sheet = Sheet::new(&[&pack], Language::Zh);
        for stem in ["003", "3", "num.two_of", "003_num.two_of"] {
            assert_eq!(sheet.named(stem).map(|entry| entry.id.as_str()), Ok("num.two_of"), "{stem}");
        }
    }

    #[test]
    fn a_name_that_means_no_prompt_is_refused_with_the_reason() {
        let pack = manifest(PACK);
        let sheet = Sheet::new(&[&pack], Language::Zh);
        for (stem, wanted) in [
            ("000", "no prompt in zh has the number 000: they go from 001 to 003"),
            ("004", "no prompt in zh has the number 004: they go from 001 to 003"),
            ("99999999999999999999", "no prompt in zh has the number 99999999999999999999: they go from 001 to 003"),
            ("menu.haed", "no prompt in zh is called menu.haed"),
            ("year.prefix", "no prompt in zh is called year.prefix"),
            ("", "no prompt in zh is called "),
            ("001_digit.1", "number 001 is menu.head, and digit.1 is number 002"),
            ("001_", "no prompt in zh is called "),
            ("pair.11", "pair.11 is one of pair.11-11, whose sounds are made together"),
        ] {
            assert_eq!(sheet.named(stem), Err(wanted.to_owned()), "{stem}");
        }
    }
}
