//! Digits: in groups of two and three, since single ones cut from clips of their own are misheard most.

use super::Piece;

/// Between two groups of digits.
pub const GROUP_PAUSE_MS: u32 = 180;

/// Between the two pairs of a group of four.
pub const PAIR_PAUSE_MS: u32 = 60;

/// Digits one by one, without a pause; what is not a digit is left out.
pub fn digits(text: &str) -> Vec<Piece> {
    only_digits(text).chars().map(|digit| Piece::numbered("digit", digit)).collect()
}

/// Digits in threes. Of a last single one and the three before it two pairs are made; two that are left are a pair.
pub fn groups(text: &str) -> Vec<Piece> {
    let digits = only_digits(text);
    grouped(&digits, &threes(digits.len()))
}

/// A ticket number: groups of three digits, [`GROUP_PAUSE_MS`] between them.
pub fn ticket_number(number: &str) -> Vec<Piece> {
    groups(number)
}

/// A phone number: 3-4-4 for a mobile phone, each four as two pairs with [`PAIR_PAUSE_MS`] between them; else as
/// [`groups`].
pub fn phone(number: &str) -> Vec<Piece> {
    let digits = only_digits(number);
    if digits.len() == 11 && digits.starts_with('1') { grouped(&digits, &[3, 4, 4]) } else { groups(&digits) }
}

/// The last four digits of a number, as two pairs.
pub fn last_four(number: &str) -> Vec<Piece> {
    let digits = only_digits(number);
    groups(&digits[digits.len().saturating_sub(4)..])
}

/// Every piece that [`digits`] and [`groups`] are made of.
pub fn all_digits() -> impl Iterator<Item = Piece> {
    let group = |digits: String| [false, true].map(|last| Piece::Group { digits: digits.clone(), last });
    let pairs = (0..100).flat_map(move |number| group(format!("{number:02}")));
    let trios = (0..1_000).flat_map(move |number| group(format!("{number:03}")));
    digits("0123456789").into_iter().chain(pairs).chain(trios)
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The sizes of groups: threes, where a single last digit joins the three before it.
fn threes(digits: usize) -> Vec<usize> {
    let mut sizes = vec![3; digits / 3];
    match (digits % 3, sizes.last_mut()) {
        (0, _) => {}
        (1, Some(last)) => *last += 1,
        (rest, _) => sizes.push(rest),
    }
    sizes
}

/// Groups of these sizes, with a pause between them; fours are two pairs.
fn grouped(digits: &str, sizes: &[usize]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(sizes.len() * 3);
    let mut rest = digits;
    for &size in sizes {
        let (group, after) = rest.split_at(size);
        rest = after;
        let parts: &[&str] = if size == 4 { &[&group[..2], &group[2..]] } else { &[group] };
        for (place, part) in parts.iter().enumerate() {
            match (place, pieces.is_empty()) {
                (_, true) => {}
                (0, _) => pieces.push(Piece::Pause(GROUP_PAUSE_MS)),
                _ => pieces.push(Piece::Pause(PAIR_PAUSE_MS)),
            }
            let last = after.is_empty() && place + 1 == parts.len();
            pieces.push(match part.len() {
                1 => Piece::numbered("digit", part),
                _ => Piece::Group { digits: (*part).to_owned(), last },
            });
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `126 _180 112.`: a point after the last group.
    fn shown(pieces: &[Piece]) -> String {
        let shown = pieces.iter().map(|piece| match piece {
            Piece::Prompt(id) => id.to_string(),
            Piece::Group { digits, last } => format!("{digits}{}", if *last { "." } else { "" }),
            Piece::Pause(ms) => format!("_{ms}"),
            Piece::Year(year) => year.to_string(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_are_read_in_the_groups_of_their_kind() {
        for (pieces, expected) in [
            (ticket_number("126112200012"), "126 _180 112 _180 200 _180 012."),
            (phone("13812345678"), "138 _180 12 _60 34 _180 56 _60 78."),
            (phone("08916323111"), "089 _180 163 _180 231 _180 11."),
            (phone("0891632311"), "089 _180 163 _180 23 _60 11."),
            (phone("12345"), "123 _180 45."),
            (phone("110"), "110."),
            (groups("13812345678"), "138 _180 123 _180 456 _180 78."),
            (groups("7"), "digit.7"),
            (groups("42"), "42."),
            (groups("4-2 71"), "42 _60 71."),
            (groups(""), ""),
            (last_four("126112200012"), "00 _60 12."),
            (last_four("12"), "12."),
            (last_four("不"), ""),
            (digits("1-2"), "digit.1 digit.2"),
        ] {
            assert_eq!(shown(&pieces), expected);
        }
    }

    #[test]
    fn what_numbers_are_made_of_is_among_all_digits() {
        let all: Vec<Piece> = all_digits().collect();
        assert_eq!(all.len(), 10 + 200 + 2_000);
        for pieces in [ticket_number("126112200012"), phone("13812345678"), groups("7"), digits("0")] {
            let sounding = |piece: &&Piece| !matches!(piece, Piece::Pause(_));
            assert_eq!(pieces.iter().filter(sounding).find(|piece| !all.contains(piece)), None);
        }
    }
}
