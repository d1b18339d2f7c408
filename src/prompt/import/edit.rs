//! Changing a manifest without disturbing what else is written in it.

use toml_edit::{DocumentMut, Item, Table, TableLike, Value, value};

use crate::language::Language;
use crate::prompt::manifest::{Confidence, Line, Review};

/// A manifest whose comments, order and spaces stay as they are.
#[derive(Debug)]
pub struct Edited(DocumentMut);

impl Edited {
    /// # Errors
    /// The text is not TOML; in words.
    pub fn parse(text: &str) -> Result<Edited, String> {
        text.parse().map(Edited).map_err(|error: toml_edit::TomlError| error.message().trim().replace('\n', " "))
    }

    /// Notes that `id` is recorded in this language: its text, the hash of its file, and who has signed it, which is
    /// nobody without a review of the line. What else its table says stays, but for the voice, its take and the name of
    /// the file, which were another sound's, and the words and the pronunciation of another text.
    ///
    /// # Errors
    /// Something on the way to the table is no table.
    pub fn record(&mut self, id: &str, language: Language, line: &Line, sha256: &str) -> Result<(), String> {
        let is_new = self.find(id, language).is_none();
        let table = self.table(id, language)?;
        if table.get("text").and_then(Item::as_str).is_some_and(|text| text != line.text) {
            ["words", "pinyin"].into_iter().for_each(|key| drop(table.remove(key)));
        }
        set(table, "text", Some(&line.text));
        if is_new {
            set(table, "words", line.words.as_deref());
            set(table, "pinyin", line.pinyin.as_deref());
            set(table, "confidence", line.confidence.map(Confidence::name));
        }
        for key in ["voice", "take", "file"] {
            table.remove(key);
        }
        set(table, "origin", Some("recorded"));
        match &line.review {
            Some(Review { reviewer, reviewed }) => {
                set(table, "reviewer", Some(reviewer));
                set(table, "reviewed", Some(reviewed));
            }
            None => ["reviewer", "reviewed"].into_iter().for_each(|key| drop(table.remove(key))),
        }
        set(table, "sha256", Some(sha256));
        Ok(())
    }

    /// Notes that this language does without the prompt, unless the manifest has a line for it.
    ///
    /// # Errors
    /// As [`Edited::record`].
    pub fn leave_out(&mut self, id: &str, language: Language) -> Result<(), String> {
        if self.find(id, language).is_none() {
            set(self.table(id, language)?, "text", Some("-"));
        }
        Ok(())
    }

    /// Takes out what is said of a prompt in this language, and the tables that are empty then.
    pub fn forget(&mut self, id: &str, language: Language) {
        let Some((group, name)) = id.split_once('.') else { return };
        let top = self.0.as_table_mut();
        let Some(names) = top.get_mut(group).and_then(Item::as_table_like_mut) else { return };
        if let Some(languages) = names.get_mut(name).and_then(Item::as_table_like_mut) {
            languages.remove(language.code());
            if languages.is_empty() {
                names.remove(name);
            }
        }
        if names.is_empty() {
            top.remove(group);
        }
    }

    fn find(&self, id: &str, language: Language) -> Option<&Item> {
        let (group, name) = id.split_once('.')?;
        self.0.get(group)?.get(name)?.get(language.code())
    }

    /// The table of a prompt in a language, made if it is missing.
    fn table(&mut self, id: &str, language: Language) -> Result<&mut dyn TableLike, String> {
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        let path = id.split_once('.').map_or_else(|| vec![id], |(group, name)| vec![group, name]);
        for (depth, part) in path.into_iter().chain([language.code()]).enumerate() {
            let item = table.entry(part).or_insert_with(|| {
                let mut made = Table::new();
                made.set_implicit(depth < 2);
                Item::Table(made)
            });
            table = item.as_table_like_mut().ok_or_else(|| format!("{id}: {part} is no table"))?;
        }
        Ok(table)
    }
}

impl std::fmt::Display for Edited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Sets a key; what is written behind its old value stays.
fn set(table: &mut dyn TableLike, key: &str, text: Option<&str>) {
    let Some(text) = text else { return };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = Value::from(text);
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(key, value(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::manifest::Manifest;

    const HASH: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

    /// The manifest after one prompt was recorded, whose line is written in `source`.
    fn edited(manifest: &str, source: &str, id: &str, language: Language) -> String {
        let source = Manifest::parse(source, "m.toml").expect("a manifest");
        let line = source.prompts[id][&language].as_ref().expect("a line");
        let mut edited = Edited::parse(manifest).expect("a manifest");
        edited.record(id, language, line, HASH).expect("a table");
        let text = edited.to_string();
        let read = Manifest::parse(&text, "m.toml").expect("it is still a manifest");
        let listed = read.prompts[id][&language].as_ref().expect("a line");
        assert_eq!((listed.sha256.as_deref(), &listed.text), (Some(HASH), &line.text));
        text
    }

    #[test]
    fn only_the_keys_of_one_table_change() {
        let manifest = "# ours\n\n[menu.head.bo]  # the main menu\ntext = \"འདེམས\"\nwords = \"འདེམས\" # one word\n\
                        confidence = \"B\"\nvoice = \"zf_1\"\ntake = 2\nreviewer = \"洛桑\"\nreviewed = \"2026-11-01\"\n\
                        sha256 = \"00\" # of the file\n\n# next\n[a.b.zh]\ntext =   \"好\"\n";
        let source = "[menu.head.bo]\ntext = \"འདེམས\"\nconfidence = \"B\"\n";
        let expected = format!(
            "# ours\n\n[menu.head.bo]  # the main menu\ntext = \"འདེམས\"\nwords = \"འདེམས\" # one word\n\
             confidence = \"B\"\nsha256 = \"{HASH}\" # of the file\norigin = \"recorded\"\n\n# next\n[a.b.zh]\ntext =   \"好\"\n"
        );
        assert_eq!(edited(manifest, source, "menu.head", Language::Bo), expected);
    }

    #[test]
    fn a_table_that_is_missing_is_made_with_what_is_known_of_the_line() {
        let source = "[menu.head.bo]\ntext = \"འདེམས\"\nwords = \"འདེམས\"\nconfidence = \"B\"\nvoice = \"zf_1\"\n\
                      reviewer = \"洛桑\"\nreviewed = \"2026-11-25\"\n";
        let made = format!(
            "[menu.head.bo]\ntext = \"འདེམས\"\nwords = \"འདེམས\"\nconfidence = \"B\"\norigin = \"recorded\"\n\
             reviewer = \"洛桑\"\nreviewed = \"2026-11-25\"\nsha256 = \"{HASH}\"\n"
        );
        assert_eq!(edited("", source, "menu.head", Language::Bo), made);
        let before = "[menu.head.zh]\ntext = \"好\"\n";
        assert_eq!(edited(before, source, "menu.head", Language::Bo), format!("{before}\n{made}"));
    }

    #[test]
    fn what_is_forgotten_leaves_everything_else_as_it_was() {
        let before = "# ours\n[a.b.zh]\ntext = \"好\" # kept\n\n";
        let mut edited =
            Edited::parse(&format!("{before}[c.d.zh]\ntext = \"二\"\n[a.b.bo]\ntext = \"-\"\n")).expect("TOML");
        edited.forget("a.b", Language::Bo);
        edited.forget("c.d", Language::Zh);
        edited.forget("c.d", Language::Bo);
        assert_eq!(edited.to_string(), before.trim_end().to_owned() + "\n");
    }

    #[test]
    fn a_language_is_left_out_only_where_nothing_is_said_in_it() {
        let mut edited = Edited::parse("[a.b.zh]\ntext = \"好\"\n").expect("TOML");
        for language in Language::ALL {
            edited.leave_out("a.b", language).expect("a table");
        }
        assert_eq!(edited.to_string(), "[a.b.zh]\ntext = \"好\"\n\n[a.b.bo]\ntext = \"-\"\n");
    }

    #[test]
    fn a_manifest_that_is_no_table_there_is_refused() {
        let source = Manifest::parse("[a.b.zh]\ntext = \"好\"\n", "m.toml").expect("a manifest");
        let line = source.prompts["a.b"][&Language::Zh].as_ref().expect("a line");
        let mut edited = Edited::parse("a = 1\n").expect("TOML");
        assert_eq!(edited.record("a.b", Language::Zh, line, HASH), Err("a.b: a is no table".to_owned()));
        assert!(Edited::parse("[a").is_err());
    }
}
