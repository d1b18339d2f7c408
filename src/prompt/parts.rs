//! The groups of prompts that are put together with others: the one place that names them.

/// What numbers, dates and times can't do without.
const NEEDED: [&str; 10] = ["clock", "day", "daypart", "digit", "month", "num", "rel", "unit", "weekday", "year"];

/// Digits said in one breath, in the place of single ones: how many they are, the group where the number goes on, the
/// group where it ends.
pub const BREATHS: [(usize, &str, &str); 2] = [(2, "pair", "pair_end"), (3, "trio", "trio_end")];

/// Names that stand within a sentence.
const NAMES: [&str; 2] = ["city", "office"];

/// `menu` for `menu.head`.
pub fn group(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// By group and number: `num.2` stands before `num.10`.
pub fn order(id: &str) -> (&str, u32, &str) {
    let name = id.split_once('.').map_or("", |(_, name)| name);
    (group(id), name.parse().unwrap_or(u32::MAX), name)
}

/// Whether this is said in one go with what comes before and after it.
pub fn is_part(id: &str) -> bool {
    NEEDED.contains(&group(id)) || NAMES.contains(&group(id)) || is_breath(id)
}

/// Whether numbers and dates can't do without this prompt. They can without whole years and digits in one breath.
pub fn is_needed(id: &str) -> bool {
    let is_whole_year = |name: &str| name.parse::<u32>().is_ok();
    match id.split_once('.') {
        Some(("year", name)) => !is_whole_year(name),
        Some((group, _)) => NEEDED.contains(&group),
        None => false,
    }
}

/// Whether these are digits said in one breath.
pub fn is_breath(id: &str) -> bool {
    BREATHS.iter().any(|(_, medial, end)| [*medial, *end].contains(&group(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_or_said_in_one_breath_is_a_part() {
        for (id, needed, breath, part) in [
            ("digit.7", true, false, true),
            ("year.suffix", true, false, true),
            ("year.2026", false, false, true),
            ("trio_end.012", false, true, true),
            ("pair.42", false, true, true),
            ("city.ngari", false, false, true),
            ("menu.head", false, false, false),
            ("digit", false, false, true),
        ] {
            assert_eq!((is_needed(id), is_breath(id), is_part(id)), (needed, breath, part), "{id}");
        }
    }
}
