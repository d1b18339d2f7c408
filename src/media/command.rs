//! What a call asks of its sound.

use std::sync::Arc;

use crate::digit::Digit;
use crate::media::clip::Clip;
use crate::sdp::Negotiated;

/// One piece of a playback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    Clip(Arc<Clip>),
    /// Milliseconds of silence.
    Silence(u32),
}

/// One request of the call to its session. Each is carried out at the session's next visit, within 20 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Plays the cues after what is already queued; ends in one `Event::Played` with the token.
    Play { token: u64, clips: Vec<Cue> },
    /// Silence within one frame: each queued token ends as not complete.
    Stop,
    /// Starts recording the citizen's request. Ends in one `Event::RecordEnded`; until then another `Record` is
    /// ignored.
    Record(Record),
    /// Ends the request recording (`EndedBy::Stopped`); ignored while there is none.
    StopRecord,
    /// Switches the recording of the whole call on or off.
    CallRecording(bool),
    /// Listens, from now on and anew, for what stands for a person who does not answer: `Event::Tone` and
    /// `Event::LongSpeech`.
    Listen,
    /// A re-negotiation (re-INVITE, UPDATE): codec, direction and peer may change; the only thing that lets an
    /// address move.
    Reconfigure(Negotiated),
    /// Sends keys, 100 ms each with 100 ms between them: by RFC 4733 where it was negotiated, else as tones.
    SendDigits(Digits),
    /// A key that the signalling brought (SIP INFO); reported as `Event::Digit` unless it came by RTP as well.
    InfoDigit(Digit),
    /// Writes out what is still in the reorder buffer, sends RTCP BYE and ends in `Event::Closed`.
    Close,
}

/// How a request recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Longest recording.
    pub max_ms: u32,
    /// Ends after so much silence, at the start or after speech; 0: silence does not end it.
    pub silence_ms: u32,
    /// Any key ends it.
    pub stop_on_key: bool,
}

/// Up to [`Digits::MAX`] keys, held in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    keys: [Digit; Digits::MAX],
    len: u8,
}

impl Digits {
    pub const MAX: usize = 32;

    /// The keys of a text such as `12345#`; `None` if one is no key or there are more than [`Digits::MAX`].
    pub fn parse(text: &str) -> Option<Digits> {
        let mut digits = Digits { keys: [Digit::STAR; Digits::MAX], len: 0 };
        for c in text.chars() {
            *digits.keys.get_mut(usize::from(digits.len))? = Digit::from_char(c)?;
            digits.len += 1;
        }
        Some(digits)
    }

    pub fn as_slice(&self) -> &[Digit] {
        &self.keys[..usize::from(self.len)]
    }
}

impl From<Digit> for Digits {
    fn from(digit: Digit) -> Digits {
        Digits { keys: [digit; Digits::MAX], len: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_two_keys_fit_and_no_more() {
        assert_eq!(Digits::parse(&"7".repeat(32)).map(|digits| digits.as_slice().len()), Some(32));
        assert_eq!(Digits::parse(&"7".repeat(33)), None);
        assert_eq!(Digits::parse("12x"), None);
    }
}
