//! How wide a text is on a terminal.

/// Columns: a Han character takes two, a Tibetan vowel or subjoined letter none.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The text, or as much of it as fits `columns` with an ellipsis.
pub fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = |letter: &char| {
        let taken = columns(*letter);
        let fits = taken <= room;
        room = room.saturating_sub(taken);
        fits
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// The text with spaces behind it.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

fn columns(letter: char) -> usize {
    match letter {
        // marks that stand above or below another letter
        '\u{300}'..='\u{36f}' | '\u{f18}' | '\u{f19}' | '\u{f35}' | '\u{f37}' | '\u{f39}' => 0,
        '\u{f71}'..='\u{f84}' | '\u{f86}' | '\u{f87}' | '\u{f8d}'..='\u{fbc}' | '\u{fc6}' | '\u{200b}'..='\u{200f}' => {
            0
        }
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' => 2,
        '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_is_two_wide_and_a_tibetan_vowel_takes_no_room() {
        for (text, columns) in [("menu", 4), ("请按1，", 7), ("བོད", 2), ("རྒྱ", 1), ("ཨོཾ", 1), ("", 0)]
        {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_letters_and_a_short_one_is_filled_up() {
        assert_eq!(cut("请选择服务", 10), "请选择服务");
        assert_eq!(cut("请选择服务", 9), "请选择服…");
        assert_eq!(cut("请选择服务", 8), "请选择…");
        assert_eq!(cut("བོད་སྐད་", 3), "བོད…");
        assert_eq!(padded("请按", 6), "请按  ");
        assert_eq!(padded("请按", 1), "请按");
    }
}
