//! A key on a telephone: `0`-`9`, `*`, `#`, `A`-`D` (RFC 4733 §3.2, events 0-15).

use std::fmt;

/// One of the sixteen DTMF keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    pub const STAR: Digit = Digit(10);
    pub const POUND: Digit = Digit(11);

    /// The key of an RFC 4733 event code; `None` above 15 (16 is a hook flash).
    pub const fn from_event(event: u8) -> Option<Digit> {
        if event < 16 { Some(Digit(event)) } else { None }
    }

    /// Its RFC 4733 event code, 0-15.
    pub const fn event(self) -> u8 {
        self.0
    }

    pub fn from_char(c: char) -> Option<Digit> {
        Some(Digit(match c {
            '0'..='9' => c as u8 - b'0',
            '*' => 10,
            '#' => 11,
            'A'..='D' => c as u8 - b'A' + 12,
            'a'..='d' => c as u8 - b'a' + 12,
            _ => return None,
        }))
    }

    pub const fn as_char(self) -> char {
        b"0123456789*#ABCD"[self.0 as usize] as char
    }

    /// 0-9 for a number key.
    pub const fn number(self) -> Option<u8> {
        if self.0 < 10 { Some(self.0) } else { None }
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digit({})", self.as_char())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_survives_its_event_code_and_its_letter() {
        for event in 0..16 {
            let digit = Digit::from_event(event).expect("a key");
            assert_eq!(digit.event(), event);
            assert_eq!(Digit::from_char(digit.as_char()), Some(digit));
        }
        assert_eq!(Digit::from_event(16), None);
        assert_eq!(Digit::from_char('x'), None);
    }
}
