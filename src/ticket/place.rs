//! Places as they are compared: people write one place in several ways.

/// Without white space and without marks at either end, full-width characters as half-width ones, small letters, and the
/// digits of Tibetan and Chinese as 0-9. Empty when nothing is left.
pub fn place_key(place: &str) -> String {
    let plain: String = place.chars().filter(|c| !c.is_whitespace()).flat_map(plain).collect();
    plain.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

fn plain(c: char) -> impl Iterator<Item = char> {
    const CHINESE: &str = "〇一二三四五六七八九";
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{0f20}'..='\u{0f29}' => char::from_u32(u32::from(c) - 0x0f20 + 0x30).unwrap_or(c),
        '零' => '0',
        _ => CHINESE.chars().zip('0'..='9').find(|(chinese, _)| *chinese == c).map_or(c, |(_, digit)| digit),
    };
    c.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_place_are_one() {
        for (one, other) in [
            ("江苏路 3 号", "江苏路３号"),
            ("江苏路3号", " 江苏路三号。"),
            ("Ａ区２-１", "a区2-1"),
            ("ལྷ་ས་ལམ་༣་", "ལྷ་ས་ལམ་3"),
            ("北京中路\u{3000}二〇一", "北京中路201"),
        ] {
            assert_eq!(place_key(one), place_key(other), "{one}");
        }
    }

    #[test]
    fn different_places_stay_different() {
        assert_ne!(place_key("江苏路3-2号"), place_key("江苏路32号"));
        assert_ne!(place_key("江苏路3号"), place_key("江苏路13号"));
        assert_eq!(place_key(" 。— "), "");
    }
}
