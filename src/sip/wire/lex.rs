//! Bytes to a start line, header lines and what follows them (RFC 3261 §7, §25.1).

use std::borrow::Cow;

use super::malformed::Defect;
use super::value::BLANK;
use super::{MAX_HEAD, MAX_LINE};

/// The part of a message before the body: start line and headers, every line with its CRLF.
pub(crate) struct Head<'a> {
    text: Cow<'a, str>,
}

impl<'a> Head<'a> {
    /// Finds the blank line and gives what is before and after it.
    pub(crate) fn split(bytes: &'a [u8]) -> Result<(Head<'a>, &'a [u8]), Defect> {
        let (len, nul) = scan(bytes)?;
        let text = match nul {
            // an escaped NUL in a quoted string is legal; an escaped space keeps everything else in place
            true => Cow::Owned(String::from_utf8_lossy(&bytes[..len]).replace('\0', " ")),
            false => String::from_utf8_lossy(&bytes[..len]),
        };
        Ok((Head { text }, &bytes[len + 2..]))
    }

    /// The bytes before the body, the blank line counted, if the head is whole.
    pub(crate) fn find_end(bytes: &[u8]) -> Result<Option<usize>, Defect> {
        match scan(bytes) {
            Ok((len, _)) => Ok(Some(len + 2)),
            Err(Defect::NoBlankLine) => Ok(None),
            Err(defect) => Err(defect),
        }
    }

    pub(crate) fn start_line(&self) -> &str {
        self.text.split('\r').next().unwrap_or("")
    }

    /// Every header as name and value, unfolded and trimmed.
    pub(crate) fn headers(&self) -> HeaderLines<'_> {
        let start = self.start_line().len() + 2;
        HeaderLines { rest: self.text.get(start..).unwrap_or("") }
    }
}

pub(crate) struct HeaderLines<'a> {
    rest: &'a str,
}

impl<'a> HeaderLines<'a> {
    fn physical(&mut self) -> Option<&'a str> {
        let at = self.rest.find('\r')?;
        let line = &self.rest[..at];
        self.rest = &self.rest[at + 2..];
        Some(line)
    }

    fn folds(&self) -> bool {
        self.rest.starts_with(BLANK)
    }

    fn logical(&mut self) -> Option<Cow<'a, str>> {
        let mut line = Cow::Borrowed(self.physical()?);
        while self.folds() {
            let more = self.physical()?;
            let line = line.to_mut();
            line.truncate(line.trim_end_matches(BLANK).len());
            line.push(' ');
            line.push_str(more.trim_matches(BLANK));
        }
        Some(line)
    }
}

impl<'a> Iterator for HeaderLines<'a> {
    type Item = Result<(Cow<'a, str>, Cow<'a, str>), Defect>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.logical()?;
        Some(match line {
            Cow::Borrowed(line) => name_and_value(line).map(|(name, value)| (name.into(), value.into())),
            Cow::Owned(line) => {
                name_and_value(&line).map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
            }
        })
    }
}

fn name_and_value(line: &str) -> Result<(&str, &str), Defect> {
    let (name, value) = line.split_once(':').ok_or(Defect::HeaderLine)?;
    let name = name.trim_end_matches(BLANK);
    if !super::value::is_token(name) {
        return Err(Defect::HeaderLine);
    }
    Ok((name, value.trim_matches(BLANK)))
}

/// The length of start line and headers, and whether they hold an escaped NUL.
fn scan(bytes: &[u8]) -> Result<(usize, bool), Defect> {
    let window = &bytes[..bytes.len().min(MAX_HEAD)];
    let (mut at, mut line, mut nul) = (0, 0, false);
    while let Some(offset) = window[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        at += offset;
        match bytes[at] {
            b'\r' if at + 1 == bytes.len() => break,
            b'\r' if bytes[at + 1] == b'\n' => {
                if at == line {
                    return Ok((at, nul));
                }
                if at - line > MAX_LINE {
                    return Err(if line == 0 { Defect::StartLineTooLong } else { Defect::LineTooLong });
                }
                at += 2;
                line = at;
            }
            0 if at > 0 && bytes[at - 1] == b'\\' => {
                nul = true;
                at += 1;
            }
            _ => return Err(Defect::ControlCharacter),
        }
        if at >= window.len() {
            break;
        }
    }
    Err(if bytes.len() > MAX_HEAD { Defect::HeadTooLarge } else { Defect::NoBlankLine })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(head: &str) -> Vec<(String, String)> {
        let (head, _) = Head::split(head.as_bytes()).expect("a head");
        head.headers().map(|line| line.expect("a header")).map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn folded_lines_become_one() {
        let read = lines(
            "BYE sip:a SIP/2.0\r\nTO :\r\n sip:b ;   tag    = 1\r\nVia: x\r\n  \t \r\n\ty  \r\nEmpty:\r\n\r\nbody",
        );
        let expected = [("TO", "sip:b ;   tag    = 1"), ("Via", "x y"), ("Empty", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn stray_control_characters_are_refused() {
        for bytes in [&b"A\nB\r\n\r\n"[..], b"A\rB\r\n\r\n", b"A\0\r\n\r\n", b"A\r\nB\n\r\n\r\n"] {
            assert_eq!(Head::split(bytes).err(), Some(Defect::ControlCharacter));
        }
        let (head, body) = Head::split(b"A\r\nB: \"\\\0\"\r\n\r\nrest").expect("a head");
        assert_eq!((head.start_line(), body), ("A", &b"rest"[..]));
        let (_, value) = head.headers().next().expect("a line").expect("a header");
        assert_eq!(value, "\"\\ \"");
    }

    #[test]
    fn limits_have_their_own_names() {
        let long = "x".repeat(MAX_LINE + 1);
        assert_eq!(Head::split(format!("{long}\r\n\r\n").as_bytes()).err(), Some(Defect::StartLineTooLong));
        assert_eq!(Head::split(format!("A\r\nB: {long}\r\n\r\n").as_bytes()).err(), Some(Defect::LineTooLong));
        let many = "B: c\r\n".repeat(MAX_HEAD / 6 + 1);
        assert_eq!(Head::split(format!("A\r\n{many}\r\n").as_bytes()).err(), Some(Defect::HeadTooLarge));
        assert_eq!(Head::split(b"A\r\nB: c\r\n").err(), Some(Defect::NoBlankLine));
        assert_eq!(Head::split(b"A\r\nB: c\r\n\r").err(), Some(Defect::NoBlankLine));
        assert_eq!(Head::split(b"").err(), Some(Defect::NoBlankLine));
    }
}
