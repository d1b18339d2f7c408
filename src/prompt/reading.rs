//! From the pieces of [`say`] to what is played of them: the one place that chooses the clips.

use crate::language::Language;
use crate::media::command::Cue;

use super::parts::{BREATHS, is_breath};
use super::say::{self, Piece};
use super::{Prompts, Spoken};

/// What a piece is played as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A prompt by its id.
    Prompt(String),
    /// Silence, in milliseconds.
    Pause(u32),
}

impl Prompts {
    /// What to play for a list of [`say`]. Prompts that the language leaves out are skipped; [`Prompts::load`]
    /// makes sure that no part of a number or a date is among them.
    pub fn cues(&self, language: Language, pieces: &[Piece]) -> Vec<Cue> {
        let cue = |part| match part {
            Part::Prompt(id) => self.clip(language, &id).map(Cue::Clip),
            Part::Pause(ms) => Some(Cue::Silence(ms)),
        };
        self.parts(language, pieces).into_iter().filter_map(cue).collect()
    }

    /// The prompts and pauses of a list of [`say`]: a group of digits whole where this language has groups in the
    /// voice of its digits, else one by one; a year whole on the same condition, else put together.
    pub fn parts(&self, language: Language, pieces: &[Piece]) -> Vec<Part> {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Prompt(id) => parts.push(Part::Prompt(id.to_string())),
                Piece::Pause(ms) => parts.push(Part::Pause(*ms)),
                Piece::Group { digits, last } => match self.group(language, digits, *last) {
                    Some(id) => parts.push(Part::Prompt(id)),
                    None => parts.extend(self.parts(language, &say::digits(digits))),
                },
                Piece::Year(year) => match self.whole_year(language, *year) {
                    Some(id) => parts.push(Part::Prompt(id)),
                    None => parts.extend(self.parts(language, &say::year_of_parts(language, *year))),
                },
            }
        }
        parts
    }

    /// Whether a machine speaks anything of these.
    pub fn reads_synthetically(&self, language: Language, pieces: &[Piece]) -> bool {
        let is_synthetic = |part: &Part| matches!(part, Part::Prompt(id) if self.is_synthetic(language, id));
        self.parts(language, pieces).iter().any(is_synthetic)
    }

    /// Finds out which languages say their digits in groups: those whose groups go with the single digits.
    pub(super) fn choose_groups(&mut self) {
        let goes = |language: &Language| {
            let digits: Vec<&Spoken> =
                (0..10).filter_map(|digit| self.spoken(*language, &format!("digit.{digit}"))).collect();
            let mut groups = self.all().filter(|(id, of, _)| of == language && is_breath(id)).peekable();
            groups.peek().is_some() && groups.all(|(_, _, group)| digits.iter().all(|digit| goes_with(group, digit)))
        };
        let grouped = Language::ALL.into_iter().filter(goes).collect();
        self.grouped = grouped;
    }

    fn group(&self, language: Language, digits: &str, last: bool) -> Option<String> {
        let (_, medial, end) = BREATHS.iter().find(|(size, ..)| *size == digits.len())?;
        let names: &[&str] = if last { &[end, medial] } else { &[medial] };
        let mut ids = names.iter().map(|name| format!("{name}.{digits}"));
        ids.find(|id| self.grouped.contains(&language) && self.spoken(language, id).is_some())
    }

    fn whole_year(&self, language: Language, year: u32) -> Option<String> {
        let id = format!("year.{year}");
        let (whole, part) = (self.spoken(language, &id)?, self.spoken(language, "year.suffix")?);
        goes_with(whole, part).then_some(id)
    }
}

/// Whether one is heard in place of the others: the same kind of speaker says both, and it is not the pack's beside
/// parts that a folder has replaced.
fn goes_with(whole: &Spoken, part: &Spoken) -> bool {
    whole.line.origin == part.line.origin && (whole.replaced || !part.replaced)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::prompt::manifest::Manifest;
    use crate::prompt::testing::{Folder, spoken};

    const NUMBER: &str = "126112200012";

    /// The clips of a list, `_` for a pause.
    fn shown(prompts: &Prompts, pieces: &[Piece]) -> String {
        let parts = prompts.parts(Language::Zh, pieces).into_iter();
        let shown = parts.map(|part| match part {
            Part::Prompt(id) => id,
            Part::Pause(ms) => format!("_{ms}"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// Prompts that speak only Mandarin: these, of that origin.
    fn speaking(name: &str, lines: &[(&str, &str)]) -> Prompts {
        let folder = Folder::new(name);
        folder.write("sound.wav", spoken(400, ""));
        let line = |(id, origin): &(&str, &str)| {
            format!("[{id}.zh]\ntext = \"零\"\norigin = \"{origin}\"\nfile = \"sound.wav\"\n[{id}.bo]\ntext = \"-\"\n")
        };
        folder.write("manifest.toml", lines.iter().map(line).collect::<String>());
        folder.standing()
    }

    /// Prompts with these groups and ten digits of that origin.
    fn grouped(name: &str, groups: &[(&str, &str)], digits: &str) -> Prompts {
        let ids: Vec<String> = (0..10).map(|digit| format!("digit.{digit}")).collect();
        let digits = ids.iter().map(|id| (id.as_str(), digits));
        speaking(name, &digits.chain(groups.iter().copied()).collect::<Vec<_>>())
    }

    const GROUPS: [(&str, &str); 5] = [
        ("trio.126", "synthetic"),
        ("trio.112", "synthetic"),
        ("trio_end.012", "synthetic"),
        ("trio.012", "synthetic"),
        ("pair.12", "synthetic"),
    ];

    #[test]
    fn groups_are_played_whole_where_they_are_spoken_and_else_digit_by_digit() {
        let prompts = grouped("groups", &GROUPS, "synthetic");
        let expected = "trio.126 _180 trio.112 _180 digit.2 digit.0 digit.0 _180 trio_end.012";
        assert_eq!(shown(&prompts, &say::ticket_number(NUMBER)), expected);
    }

    #[test]
    fn a_group_that_has_no_form_for_the_end_is_played_as_if_more_followed() {
        let prompts = grouped("medial", &GROUPS, "synthetic");
        for (digits, last, expected) in [
            ("12", false, "pair.12"),
            ("12", true, "pair.12"),
            ("012", false, "trio.012"),
            ("012", true, "trio_end.012"),
        ] {
            let pieces = [Piece::Group { digits: digits.to_owned(), last }];
            assert_eq!(shown(&prompts, &pieces), expected);
        }
    }

    #[test]
    fn digits_of_a_person_are_not_mixed_with_groups_of_a_machine() {
        let prompts = grouped("mixed", &GROUPS, "recorded");
        let digits = "digit.1 digit.2 digit.6 _180 digit.1 digit.1 digit.2 _180 digit.2 digit.0 digit.0 _180 \
                      digit.0 digit.1 digit.2";
        assert_eq!(shown(&prompts, &say::ticket_number(NUMBER)), digits);
    }

    #[test]
    fn one_group_of_another_speaker_takes_all_of_them_away() {
        let mut groups = GROUPS;
        groups[4].1 = "recorded";
        let pieces = [Piece::Group { digits: "126".to_owned(), last: false }];
        assert_eq!(shown(&grouped("one", &groups, "synthetic"), &pieces), "digit.1 digit.2 digit.6");
    }

    #[test]
    fn digits_that_a_folder_has_replaced_are_not_mixed_with_the_groups_of_the_pack() {
        let mut prompts = Prompts::default();
        let clip = Prompts::embedded().clip(Language::Zh, "digit.0").expect("a clip");
        let mut take = |id: &str, replaced| {
            let manifest = Manifest::parse(&format!("[{id}.zh]\ntext = \"零\"\n[{id}.bo]\ntext = \"-\"\n"), "m.toml");
            prompts.take(manifest.expect("a manifest"), replaced, |_, _| Ok(Arc::clone(&clip)));
            prompts.choose_groups();
            shown(&prompts, &[Piece::Group { digits: "12".to_owned(), last: false }])
        };
        (0..10).for_each(|digit| drop(take(&format!("digit.{digit}"), false)));
        assert_eq!(take("pair.12", false), "pair.12");
        assert_eq!(take("digit.7", true), "digit.1 digit.2");
        assert_eq!(take("pair.12", true), "pair.12");
    }

    #[test]
    fn a_single_digit_and_a_prompt_are_played_as_they_are() {
        let pieces =
            [Piece::Prompt("menu.head".into()), Piece::Pause(7), Piece::Group { digits: "1".to_owned(), last: true }];
        assert_eq!(shown(&Prompts::embedded(), &pieces), "menu.head _7 digit.1");
    }

    #[test]
    fn a_year_is_whole_where_it_is_spoken_by_who_speaks_its_parts() {
        let parts = "num.2 num.0 num.4 num.1 year.suffix";
        for (name, lines, expected) in [
            ("parts", &[("year.suffix", "synthetic")][..], parts),
            ("whole", &[("year.suffix", "synthetic"), ("year.2041", "synthetic")], "year.2041"),
            ("other", &[("year.suffix", "synthetic"), ("year.2041", "recorded")], parts),
            ("person", &[("year.suffix", "recorded"), ("year.2041", "recorded")], "year.2041"),
        ] {
            assert_eq!(shown(&speaking(name, lines), &[Piece::Year(2041)]), expected);
        }
    }

    #[test]
    fn what_is_played_are_the_clips_of_the_parts() {
        let prompts = Prompts::embedded();
        let pieces = say::phone("13812345678");
        let cues = prompts.cues(Language::Bo, &pieces);
        let parts = prompts.parts(Language::Bo, &pieces);
        assert_eq!(cues.len(), parts.len());
        for (cue, part) in cues.iter().zip(&parts) {
            match part {
                Part::Prompt(id) => assert_eq!(*cue, Cue::Clip(prompts.clip(Language::Bo, id).expect("a clip"))),
                Part::Pause(ms) => assert_eq!(*cue, Cue::Silence(*ms)),
            }
        }
    }
}
