//! `hotline prompts list`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::width::{cut, padded, width};
use super::{Source, print};
use crate::app::Failure;
use crate::language::Language;
use crate::prompt::manifest::Line;
use crate::prompt::parts::{group, order};
use crate::prompt::sound::Level;
use crate::prompt::{Confidence, Origin, Prompts};

/// No text is shown wider.
const WIDEST_TEXT: usize = 72;

const EXAMPLES: &str = "\
Examples:
  hotline prompts list --lang bo --state unsigned
  hotline prompts list --group menu --group opt
  hotline prompts list --folder /etc/hotline/prompts --state recorded --json

Lengths are in seconds, levels in dBov of active speech; -21 is wanted.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Only one language: bo or zh
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Only this group, such as menu or opt; more than once for several
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Only what is so
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Each prompt of a range in a row of its own
    #[arg(long)]
    groups: bool,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum State {
    /// A machine speaks
    Synthetic,
    /// A person speaks
    Recorded,
    /// No native speaker has accepted the text
    Unsigned,
}

/// A prompt in one language.
struct Listed<'a> {
    id: &'a str,
    language: Language,
    line: &'a Line,
    level: Level,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let prompts = self.source.prompts()?;
        let listed = self.listed(&prompts);
        if listed.is_empty() {
            return Err(Failure::Setting("no prompt is of this language, group and state".to_owned()));
        }
        if self.json {
            let document = Value::from_iter(listed.iter().map(document));
            return print([format!("{document:#}")]);
        }
        print(table(&rows(&listed, self.groups)))
    }

    /// What is asked for, by group and number.
    fn listed<'a>(&self, prompts: &'a Prompts) -> Vec<Listed<'a>> {
        let wanted = |id: &&str| self.group.is_empty() || self.group.iter().any(|wanted| wanted == group(id));
        let languages = Language::ALL.into_iter().filter(|language| self.lang.is_none_or(|only| only == *language));
        let languages: Vec<Language> = languages.collect();
        let mut ids: Vec<&str> = prompts.ids().filter(wanted).collect();
        ids.sort_by_key(|id| order(id));
        let each = ids.into_iter().flat_map(|id| languages.iter().map(move |language| (id, *language)));
        each.filter_map(|(id, language)| {
            let line = prompts.line(language, id).filter(|line| self.state.is_none_or(|state| state.is_so(line)))?;
            let clip = prompts.clip(language, id)?;
            Some(Listed { id, language, line, level: Level::of(&clip.to_linear()) })
        })
        .collect()
    }
}

impl State {
    fn is_so(self, line: &Line) -> bool {
        match self {
            State::Synthetic => line.origin == Origin::Synthetic,
            State::Recorded => line.origin == Origin::Recorded,
            State::Unsigned => line.review.is_none(),
        }
    }
}

/// The cells of the table, a row for each prompt, or one for all of a range.
fn rows(listed: &[Listed<'_>], ranges_too: bool) -> Vec<[String; 6]> {
    let mut ranges: BTreeMap<(&str, Language), Vec<&Listed<'_>>> = BTreeMap::new();
    for one in listed {
        if let Some(range) = one.line.range.as_deref().filter(|_| !ranges_too) {
            ranges.entry((range, one.language)).or_default().push(one);
        }
    }
    let row = |one: &Listed<'_>| match one.line.range.as_deref().filter(|_| !ranges_too) {
        None => Some(cells(one.id, &[one])),
        // in the place of its first prompt
        Some(range) => {
            let all = &ranges[&(range, one.language)];
            (all[0].id == one.id).then(|| cells(range, all))
        }
    };
    listed.iter().filter_map(row).collect()
}

/// One row: the means of what it stands for.
fn cells(id: &str, all: &[&Listed<'_>]) -> [String; 6] {
    let mean = |of: fn(&Level) -> f64| all.iter().map(|one| of(&one.level)).sum::<f64>() / all.len() as f64;
    let first = all[0];
    let same = all.iter().all(|one| state(one.line) == state(first.line));
    let text = match all {
        [one] => one.line.text.clone(),
        [first, .., last] => format!("{} … {} ({})", first.line.text, last.line.text, all.len()),
        [] => String::new(),
    };
    [
        id.to_owned(),
        first.language.to_string(),
        if same { state(first.line) } else { "mixed".to_owned() },
        format!("{:.2}", mean(|level| f64::from(level.duration_ms)) / 1_000.0),
        format!("{:.1}", mean(|level| level.active_dbov)),
        cut(&text, WIDEST_TEXT),
    ]
}

/// Who speaks, how sure the writers are, and whether it is signed.
fn state(line: &Line) -> String {
    let origin = line.origin.name();
    let confidence = line.confidence.map(|confidence| format!(" {}", confidence.name()));
    let signed = if line.review.is_some() { " signed" } else { "" };
    format!("{origin}{}{signed}", confidence.unwrap_or_default())
}

/// Lines of a table with its head; numbers stand to the right.
fn table(rows: &[[String; 6]]) -> Vec<String> {
    let head = ["id", "language", "state", "s", "dBov", "text"].map(str::to_owned);
    let all: Vec<&[String; 6]> = std::iter::once(&head).chain(rows).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(widest).collect();
    let cell = |(column, text): (usize, &String)| match column {
        3 | 4 => format!("{text:>width$}", width = widths[column]),
        5 => text.clone(),
        _ => padded(text, widths[column]),
    };
    all.iter().map(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")).collect()
}

fn document(listed: &Listed<'_>) -> Value {
    let Listed { id, language, line, level } = listed;
    let tenths = |of: f64| (of * 10.0).round() / 10.0;
    json!({
        "id": id,
        "language": language,
        "text": line.text,
        "words": line.words,
        "pinyin": line.pinyin,
        "origin": line.origin.name(),
        "voice": line.voice,
        "confidence": line.confidence.map(Confidence::name),
        "reviewer": line.review.as_ref().map(|review| &review.reviewer),
        "reviewed": line.review.as_ref().map(|review| &review.reviewed),
        "range": line.range.as_deref(),
        "duration_ms": level.duration_ms,
        "active_dbov": tenths(level.active_dbov),
        "peak_dbfs": tenths(level.peak_dbfs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::manifest::Manifest;

    const DIGITS: &str = "[digit.0.zh]\ntext = \"零\"\n[digit.1.zh]\ntext = \"幺\"\n[pair.00-01.zh]\ntext = \"{digits}\"\n\
                          [pair.10-11.zh]\ntext = \"{digits}\"\norigin = \"recorded\"\n";

    fn rows_of(manifest: &Manifest, ranges_too: bool) -> Vec<[String; 6]> {
        let lengths = (1_u32..).map(|n| Level { active_dbov: -21.0, peak_dbfs: -4.0, duration_ms: n * 100 });
        let listed =
            manifest.lines().zip(lengths).map(|((id, language, line), level)| Listed { id, language, line, level });
        rows(&listed.collect::<Vec<_>>(), ranges_too)
    }

    #[test]
    fn a_range_is_one_row_unless_each_prompt_is_wanted() {
        let manifest = Manifest::parse(DIGITS, "m.toml").expect("a manifest");
        let short = rows_of(&manifest, false);
        let ids: Vec<&str> = short.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(ids, ["digit.0", "digit.1", "pair.00-01", "pair.10-11"]);
        assert_eq!(short[2], ["pair.00-01", "zh", "synthetic", "0.35", "-21.0", "零零 … 零幺 (2)"]);
        assert_eq!(short[3][2], "recorded");
        assert_eq!(rows_of(&manifest, true).len(), 6);
    }

    #[test]
    fn a_table_stands_in_columns_whatever_its_letters_are() {
        let row = |cells: [&str; 6]| cells.map(str::to_owned);
        let lines = table(&[
            row(["a.b", "zh", "recorded", "0.35", "-21.0", "好"]),
            row(["a.long", "bo", "x", "12.00", "-9.5", "ནི"]),
        ]);
        assert_eq!(lines[0], "id      language  state         s   dBov  text");
        assert_eq!(lines[1], "a.b     zh        recorded   0.35  -21.0  好");
        assert_eq!(lines[2], "a.long  bo        x         12.00   -9.5  ནི");
    }
}
