//! The index of words: what two texts are compared and found by.
//!
//! Chinese has no spaces and many words of two characters, so that pairs of neighbours are indexed; Tibetan separates
//! syllables by a tsheg (U+0F0B); in other scripts a word is a word.

use std::collections::BTreeSet;

/// As many a ticket has at most.
pub const MAX_GRAMS: usize = 96;

/// The grams of a text, in order: pairs of CJK characters (one alone, if it has no neighbour), Tibetan syllables, and
/// words of other letters and digits in lower case.
pub fn grams(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Cjk(characters) if characters.len() == 1 => {
                found.insert(characters[0].to_string());
            }
            Run::Cjk(characters) => found.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>())),
            Run::Word(word) => {
                found.insert(word);
            }
        }
        if found.len() >= MAX_GRAMS {
            break;
        }
    }
    while found.len() > MAX_GRAMS {
        found.pop_last();
    }
    found
}

/// How alike two sets are: those in both, by those in either (Jaccard), in thousandths.
pub fn likeness(one: &BTreeSet<String>, other: &BTreeSet<String>) -> u32 {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    (shared * 1_000).checked_div(all).map_or(0, |part| part as u32)
}

enum Run {
    Cjk(Vec<char>),
    Word(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Cjk,
    Tibetan,
    Other,
    /// Spaces, punctuation, the tsheg.
    Between,
}

fn script(c: char) -> Script {
    match c {
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' => Script::Cjk,
        // letters, vowel signs and digits; not the tsheg and the other marks
        '\u{0f00}' | '\u{0f20}'..='\u{0f33}' | '\u{0f40}'..='\u{0f84}' | '\u{0f86}'..='\u{0fbc}' => Script::Tibetan,
        c if c.is_alphanumeric() => Script::Other,
        _ => Script::Between,
    }
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut last = Script::Between;
    for c in text.chars() {
        let script = script(c);
        match (script, runs.last_mut().filter(|_| script == last)) {
            (Script::Between, _) => {}
            (Script::Cjk, Some(Run::Cjk(characters))) => characters.push(c),
            (Script::Cjk, _) => runs.push(Run::Cjk(vec![c])),
            (_, Some(Run::Word(word))) => word.extend(c.to_lowercase()),
            _ => runs.push(Run::Word(c.to_lowercase().collect())),
        }
        last = script;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(text: &str) -> Vec<String> {
        grams(text).into_iter().collect()
    }

    #[test]
    fn chinese_is_indexed_by_pairs() {
        assert_eq!(list("路灯不亮"), ["不亮", "灯不", "路灯"]);
        assert_eq!(list("灯"), ["灯"]);
        assert_eq!(list("路灯，路灯！"), ["路灯"]);
    }

    #[test]
    fn tibetan_is_indexed_by_syllables() {
        assert_eq!(list("བོད་ལྗོངས་"), ["བོད", "ལྗོངས"]);
        assert_eq!(list("ཁ་པར། ༡༢༣༤༥"), ["༡༢༣༤༥", "ཁ", "པར"]);
    }

    #[test]
    fn other_words_are_whole_and_small() {
        assert_eq!(list("Wi-Fi 5G 拉萨A区"), ["5g", "a", "fi", "wi", "区", "拉萨"]);
    }

    #[test]
    fn likeness_is_the_shared_part() {
        let likeness = |one, other| likeness(&grams(one), &grams(other));
        assert_eq!(likeness("路灯不亮", "路灯不亮"), 1_000);
        assert_eq!(likeness("路灯不亮", "停水"), 0);
        assert_eq!(likeness("路灯不亮", "路灯坏了"), 200);
        assert_eq!(likeness("", ""), 0);
    }

    proptest! {
        #[test]
        fn any_text_has_a_bounded_index(text in "\\PC{0,400}") {
            let found = grams(&text);
            prop_assert!(found.len() <= MAX_GRAMS);
            prop_assert!(found.iter().all(|gram| !gram.is_empty()));
        }
    }
}
