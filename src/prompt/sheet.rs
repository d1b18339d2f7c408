//! What a voice actor reads in one language: the prompts in the order of the manifest, numbered from 1.
//!
//! Prompts that the language leaves out have no number, nor have those of a range: their sounds are made together.

use std::collections::BTreeMap;
use std::path::Path;

use super::folder::{self, MANIFEST};
use super::manifest::{Line, Manifest};
use super::{Problem, Prompts, pack};
use crate::language::Language;

/// The prompts to read.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub language: Language,
    entries: Vec<Entry>,
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

/// `menu` for `menu.head`.
pub fn group(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

impl Sheet {
    /// The prompts of the pack, with those of a folder's manifest in their place.
    ///
    /// # Errors
    /// What is wrong with the folder's manifest; that it has none is not.
    pub fn load(folder: Option<&Path>, language: Language) -> Result<Sheet, Vec<Problem>> {
        let pack = pack::manifest();
        let digit = |language, digit| Prompts::embedded().text(language, &format!("digit.{digit}")).map(str::to_owned);
        let listed = folder.map(|folder| folder.join(MANIFEST)).filter(|listed| listed.exists());
        let over = listed.map(|listed| folder::read_manifest(&listed, digit)).transpose()?;
        Ok(Sheet::new(&[Some(&pack), over.as_ref()].into_iter().flatten().collect::<Vec<_>>(), language))
    }

    /// The prompts of `manifests`, where a later one changes what the earlier ones say and adds its own at the end.
    /// The numbers follow the first manifest that has a prompt, so that they stay when a folder changes a text.
    pub fn new(manifests: &[&Manifest], language: Language) -> Sheet {
        let (mut order, mut lines, mut meanings) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for manifest in manifests {
            let mut listed: Vec<(usize, &str)> = Vec::new();
            for (id, languages) in &manifest.prompts {
                if let Some(line) = languages.get(&language) {
                    listed.extend(line.as_ref().map(|line| (line.at, id.as_str())));
                    lines.insert(id.as_str(), line.as_ref());
                }
                if let Some(line) = languages.get(&language.other()) {
                    meanings.insert(id.as_str(), line.as_ref().map(|line| line.text.clone()));
                }
            }
            listed.retain(|(_, id)| !order.contains(id));
            listed.sort_unstable();
            order.extend(listed.into_iter().map(|(_, id)| id));
        }
        let mut sheet = Sheet { language, entries: Vec::new(), ranges: BTreeMap::new() };
        for id in order {
            let Some(line) = lines.get(id).copied().flatten() else { continue };
            if let Some(range) = &line.range {
                sheet.ranges.insert(id.to_owned(), range.to_string());
                continue;
            }
            let meaning = meanings.get(id).cloned().flatten();
            sheet.entries.push(Entry {
                number: sheet.entries.len() + 1,
                id: id.to_owned(),
                line: line.clone(),
                meaning,
            });
        }
        sheet
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
        at.and_then(|at| self.entries.get(at)).ok_or_else(|| {
            format!(
                "no prompt in {} has the number {number}: they go from 001 to {:03}",
                self.language,
                self.entries.len()
            )
        })
    }

    fn called(&self, id: &str) -> Result<&Entry, String> {
        self.get(id).ok_or_else(|| match self.ranges.get(id) {
            Some(range) => format!("{id} is one of {range}, whose sounds are made together"),
            None => format!("no prompt in {} is called {id}", self.language),
        })
    }
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
