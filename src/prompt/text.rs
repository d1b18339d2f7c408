//! The texts of the prompts: what they may be written in, and how many syllables they have.
//!
//! The build script reads the manifest with this same code.

use crate::language::Language;

/// Between two Tibetan syllables.
pub const TSHEG: char = '\u{f0b}';
/// Ends a Tibetan clause; after ག it is not written.
const SHAD: char = '\u{f0d}';

/// The first character that a text of this language can't have: Mandarin is written in Han characters, ASCII digits
/// and Chinese punctuation, Tibetan in its own block and spaces.
pub fn stranger(language: Language, text: &str) -> Option<char> {
    let belongs = |c: char| match language {
        Language::Zh => is_han(c) || c.is_ascii_digit() || is_chinese_punctuation(c),
        Language::Bo => is_tibetan(c) || c == ' ',
    };
    text.chars().find(|c| !belongs(*c))
}

/// How many syllables a text has: Han characters and digits, or runs of Tibetan letters between tsheg or other marks
/// and Tibetan digits.
pub fn syllables(language: Language, text: &str) -> u32 {
    let count = match language {
        Language::Zh => text.chars().filter(|c| c.is_ascii_digit() || is_han(*c)).count(),
        Language::Bo => {
            let runs = text.split(|c| !is_tibetan_letter(c)).filter(|run| !run.is_empty()).count();
            runs + text.chars().filter(|c| is_tibetan_digit(*c)).count()
        }
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whether a Tibetan text and its words have the same letters. Neither tsheg nor spaces count, nor does shad: a
/// clause that ends in ག is written without it, its words may have it.
pub fn has_same_letters(text: &str, words: &str) -> bool {
    let letters = |text| str::chars(text).filter(|c| ![TSHEG, SHAD, ' '].contains(c)).collect::<Vec<_>>();
    letters(text) == letters(words)
}

/// Whether a comment can be what somebody says here, and is not a remark of the program that wrote the file.
pub fn is_speech(comment: &str) -> bool {
    comment.chars().any(|c| is_han(c) || is_tibetan(c))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
        || matches!(c, '\u{20000}'..='\u{323af}')
}

/// The punctuation block, the full-width forms without letters and digits, and what Chinese takes from general
/// punctuation: · — ‘ ’ “ ” ….
fn is_chinese_punctuation(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
        || matches!(c, '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
        || matches!(c, '·' | '—' | '‘' | '’' | '“' | '”' | '…')
}

fn is_tibetan(c: char) -> bool {
    ('\u{f00}'..='\u{fff}').contains(&c)
}

fn is_tibetan_letter(c: char) -> bool {
    ('\u{f40}'..='\u{fbc}').contains(&c)
}

fn is_tibetan_digit(c: char) -> bool {
    ('\u{f20}'..='\u{f33}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_in_its_own_script() {
        for (language, text, expected) in [
            (Language::Zh, "12345政务服务便民热线，“您好”——请讲……", None),
            (Language::Zh, "请按1 键", Some(' ')),
            (Language::Zh, "请按１键", Some('１')),
            (Language::Zh, "请按OK", Some('O')),
            (Language::Zh, "请,", Some(',')),
            (Language::Bo, "བཀྲ་ཤིས་བདེ་ལེགས། འདི་ནི", None),
            (Language::Bo, "༡༢༣", None),
            (Language::Bo, "འདི་ནི.", Some('.')),
            (Language::Bo, "འདི་ནི1", Some('1')),
            (Language::Bo, "您", Some('您')),
        ] {
            assert_eq!(stranger(language, text), expected, "{text}");
        }
    }

    #[test]
    fn syllables_are_characters_and_digits_or_runs_between_tsheg() {
        for (language, text, expected) in [
            (Language::Zh, "12345政务服务便民热线。", 13),
            (Language::Zh, "，。", 0),
            (Language::Bo, "བཀྲ་ཤིས་བདེ་ལེགས། འདི་ནི", 6),
            (Language::Bo, "རོགས་གནང་།", 2),
            (Language::Bo, "འདུག ཡང", 2),
            (Language::Bo, "ཚེས་༡༢", 3),
        ] {
            assert_eq!(syllables(language, text), expected, "{text}");
        }
    }

    #[test]
    fn words_differ_from_a_text_by_a_letter_and_not_by_their_marks() {
        assert!(has_same_letters("གནོན་པ་ནོར་འདུག ཡང་བསྐྱར་གནང་།", "གནོན་པ ནོར འདུག། ཡང་བསྐྱར གནང།"));
        assert!(!has_same_letters("འདུག", "འདུགས"));
        assert!(!has_same_letters("འདི་ནི", "འདི"));
    }

    #[test]
    fn a_remark_of_a_program_is_not_speech() {
        assert!(!is_speech("espeak-ng 056fd6dbb42f43b3") && !is_speech(""));
        assert!(is_speech("12345政务") && is_speech("འདི"));
    }
}
