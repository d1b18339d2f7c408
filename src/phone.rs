//! A citizen's phone number: national digits, never shown whole by accident.

use std::fmt;

/// What has fewer digits behind a `+` is no number of another country, but one of ours that a trunk wrote so.
const SHORTEST_ABROAD: usize = 8;

/// National digits of a Chinese number: a mobile phone (11 digits from 1), a landline with its area code
/// (`0891…`, 10-12 digits) or a short service number. `Debug` and `Display` mask it, so that no log, label or
/// error carries one; [`Phone::digits`] is the way to the whole.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// Reads what a trunk or a person gives: `+86`, `0086` and `86` before a mobile number or an area code go, and the
    /// `0` before a mobile number of another city; separators go. A number of another country keeps its country code,
    /// behind `00`, so that none looks like one of ours. `None` for what has no 3-15 digits or holds anything else (`anonymous`, a SIP name).
    pub fn parse(text: &str) -> Option<Phone> {
        let mut digits = String::with_capacity(text.len());
        let rest = text.trim();
        let international = rest.starts_with('+');
        for c in rest.chars().skip(usize::from(international)) {
            match c {
                '0'..='9' => digits.push(c),
                '-' | '.' | ' ' | '(' | ')' => {}
                _ => return None,
            }
        }
        let national = national(&digits, international);
        (3..=15).contains(&national.len()).then_some(Phone(national))
    }

    /// Takes back what [`Phone::digits`] gave; `None` for anything but 3-15 digits. Unlike [`Phone::parse`] it strips
    /// nothing: a stored number is national already, whatever it begins with.
    pub fn from_national(digits: &str) -> Option<Phone> {
        let valid = (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| Phone(digits.to_owned()))
    }

    /// The whole number, for dialling, storing and reading back to its owner.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last four digits, which a caller types to show that a ticket is theirs.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len().saturating_sub(4)..]
    }

    /// `138****5678`: what a page shows.
    pub fn masked(&self) -> String {
        let n = self.0.len();
        if n < 8 {
            return "*".repeat(n);
        }
        format!("{}{}{}", &self.0[..n - 8], "****", &self.0[n - 4..])
    }
}

fn national(digits: &str, international: bool) -> String {
    let stripped = match digits.strip_prefix("0086") {
        Some(rest) => Some(rest),
        None => digits.strip_prefix("86").filter(|_| international || digits.len() == 13),
    };
    let national = match stripped {
        // +86 891 … is 0891 … at home; +86 138 … is a mobile phone and has no trunk zero, nor has +86 400 …
        Some(rest) if has_no_zero(rest) => rest.to_owned(),
        Some(rest) => format!("0{rest}"),
        // +1 315 555 1234 has the eleven digits of a mobile phone
        None if international && digits.len() >= SHORTEST_ABROAD && !digits.starts_with('0') => format!("00{digits}"),
        None => digits.to_owned(),
    };
    match national.strip_prefix('0') {
        // no area code begins with 01 but Peking's 010
        Some(mobile) if is_mobile(mobile) => mobile.to_owned(),
        _ => national,
    }
}

/// What stands behind +86 and is dialled without a zero at home: anything but a landline's area code and number.
fn has_no_zero(digits: &str) -> bool {
    let toll_free = digits.starts_with("400") || digits.starts_with("800");
    let peking = digits.starts_with("10") && digits.len() == 10;
    digits.starts_with('0')
        || digits.len() < 7
        || (digits.starts_with('1') && !peking)
        || (toll_free && digits.len() == 10)
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// Shows nothing but the length: for the `Debug` of what holds numbers or names as plain text.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|_| f.write_str("*"))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_a_trunk_writes_a_number_end_in_national_digits() {
        for (given, national) in [
            ("13812345678", Some("13812345678")),
            ("+8613812345678", Some("13812345678")),
            ("008613812345678", Some("13812345678")),
            ("8613812345678", Some("13812345678")),
            ("138-1234-5678", Some("13812345678")),
            ("+86 891 6323 111", Some("08916323111")),
            ("08916323111", Some("08916323111")),
            ("+8689512345", Some("089512345")),
            ("013812345678", Some("13812345678")),
            ("+86 013812345678", Some("13812345678")),
            ("010 6552 9988", Some("01065529988")),
            ("+86 10 6552 9988", Some("01065529988")),
            ("010 6552 99887", Some("010655299887")),
            ("+1 315 555 1234", Some("0013155551234")),
            ("001 315 555 1234", Some("0013155551234")),
            ("+852 2345 6789", Some("0085223456789")),
            ("+86 400 812 3456", Some("4008123456")),
            ("12345", Some("12345")),
            ("+12345", Some("12345")),
            ("anonymous", None),
            ("", None),
            ("12", None),
            ("1234567890123456", None),
        ] {
            assert_eq!(Phone::parse(given).as_ref().map(Phone::digits), national, "{given}");
        }
    }

    #[test]
    fn a_stored_number_comes_back_as_it_was() {
        for given in ["13812345678", "00860086123", "+86008612345"] {
            let phone = Phone::parse(given).expect("a number");
            assert_eq!(Phone::from_national(phone.digits()), Some(phone), "{given}");
        }
        assert_eq!(Phone::from_national("+8612345"), None);
        assert_eq!(Phone::from_national("12"), None);
    }

    #[test]
    fn a_number_never_prints_whole() {
        let phone = Phone::parse("13812345678").expect("a number");
        assert_eq!(format!("{phone} {phone:?}"), "138****5678 Phone(138****5678)");
        assert_eq!(phone.last_four(), "5678");
        assert_eq!(Phone::parse("12345").expect("a number").masked(), "*****");
    }
}
