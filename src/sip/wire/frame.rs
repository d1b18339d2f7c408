//! Messages out of a stream (RFC 3261 §18.3, RFC 5626 §3.5.1).

use super::lex::Head;
use super::malformed::{Defect, Malformed};
use super::value::delta_seconds;
use super::{MAX_HEAD, MAX_MESSAGE, header};

/// Cuts a TCP stream into messages by Content-Length. After every [`Framer::push`], pull until there is nothing more: then
/// at most one unfinished message (64 KiB) and one read are held.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// The whole length of the message at the front of the buffer, once its head was read.
    whole: Option<usize>,
    broken: bool,
}

/// What a stream brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, for [`super::parse()`].
    Message(Vec<u8>),
    /// A double CRLF, to be answered with a single one (RFC 5626 §4.4.1).
    Ping,
}

impl Framer {
    pub fn new() -> Framer {
        Framer::default()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame; `None` until more bytes come.
    ///
    /// # Errors
    /// A head that is too large or has no readable Content-Length: where the next message begins can't be told. Answer if
    /// there is an answer, then close the connection; this framer yields nothing more.
    pub fn pull(&mut self) -> Result<Option<Frame>, Malformed> {
        if self.whole.is_none() {
            if let Some(ping) = self.take_line_ends() {
                return Ok(Some(ping));
            }
            self.whole = self.measure().map_err(|defect| self.give_up(defect))?;
        }
        let Some(whole) = self.whole.filter(|whole| self.buffer.len() >= *whole) else { return Ok(None) };
        self.whole = None;
        let rest = self.buffer.split_off(whole);
        Ok(Some(Frame::Message(std::mem::replace(&mut self.buffer, rest))))
    }

    /// Whether part of a message is waiting for the rest (to time out a peer that never sends it).
    pub fn is_midway(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Drops CRLFs at the front; a pair of them is a ping. A single one waits for what follows it.
    fn take_line_ends(&mut self) -> Option<Frame> {
        while self.buffer.starts_with(b"\r\n") && self.buffer.len() > 2 {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.drain(..4);
                return Some(Frame::Ping);
            }
            if self.buffer == b"\r\n\r" {
                return None;
            }
            self.buffer.drain(..2);
        }
        None
    }

    fn measure(&self) -> Result<Option<usize>, Defect> {
        if b"\r\n\r".starts_with(&self.buffer) {
            return Ok(None);
        }
        let Some(end) = Head::find_end(&self.buffer)? else { return Ok(None) };
        let (head, _) = Head::split(&self.buffer)?;
        let length = content_length(&head)?;
        match end.checked_add(length).filter(|whole| *whole <= MAX_MESSAGE) {
            Some(whole) => Ok(Some(whole)),
            None => Err(Defect::BodyTooLarge),
        }
    }

    fn give_up(&mut self, defect: Defect) -> Malformed {
        self.broken = true;
        let bytes = std::mem::take(&mut self.buffer);
        Malformed::new(defect, &bytes[..bytes.len().min(MAX_HEAD)])
    }
}

/// Mandatory on a stream (RFC 3261 §20.14).
fn content_length(head: &Head<'_>) -> Result<usize, Defect> {
    let mut found = None;
    for line in head.headers() {
        let (name, value) = line?;
        if header::is_content_length_name(&name) {
            let length = delta_seconds(&value).map_err(|_| Defect::Value("Content-Length"))?;
            if found.replace(length as usize).is_some() {
                return Err(Defect::Repeated("Content-Length"));
            }
        }
    }
    found.ok_or(Defect::Missing("Content-Length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nl: 4\r\n\r\n\0\r\n!";

    fn frames(framer: &mut Framer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.pull().expect("a sound stream")).collect()
    }

    #[test]
    fn a_stream_in_any_pieces_gives_the_same_messages() {
        let stream = [b"\r\n\r\n", ONE, b"\r\n", ONE, b"\r\n\r\n"].concat();
        let expected = [Frame::Ping, Frame::Message(ONE.into()), Frame::Message(ONE.into()), Frame::Ping];
        for size in 1..stream.len() {
            let mut framer = Framer::new();
            let mut got = Vec::new();
            for piece in stream.chunks(size) {
                framer.push(piece);
                got.extend(frames(&mut framer));
            }
            assert_eq!(got, expected, "pieces of {size}");
            assert!(!framer.is_midway());
        }
    }

    #[test]
    fn a_lost_length_ends_the_stream_with_an_answer() {
        let mut framer = Framer::new();
        framer.push(b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nCall-ID: 1\r\n\r\n");
        let malformed = framer.pull().expect_err("no length");
        assert_eq!(malformed.defect, Defect::Missing("Content-Length"));
        assert_eq!(malformed.answer().map(|answer| answer.status), Some(400));
        framer.push(ONE);
        assert_eq!(framer.pull(), Ok(None));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_held() {
        let mut framer = Framer::new();
        framer.push(b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: 99999999999\r\n\r\n");
        let malformed = framer.pull().expect_err("too large");
        assert_eq!(
            (malformed.defect, malformed.answer().map(|answer| answer.status)),
            (Defect::BodyTooLarge, Some(413))
        );
        let mut endless = Framer::new();
        endless.push(b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n");
        endless.push(&b"X: y\r\n".repeat(MAX_HEAD / 6));
        assert_eq!(endless.pull().expect_err("too large").defect, Defect::HeadTooLarge);
    }
}
