//! What a caller tells while the call goes on, and afterwards. Times are since the INVITE.

use std::time::Duration;

use super::Heard;
use crate::media::event::Summary;
use crate::sdp::Codec;
use crate::sip::Ended;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Message(Message),
    Answered(Answered),
    Pressed(Pressed),
    /// An [`Order::Play`](super::Order::Play) was said to its end.
    Played,
    Ended(Ended),
}

/// A message of the ladder: `INVITE`, `200 OK (INVITE)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: Duration,
    pub sent: bool,
    pub line: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub at: Duration,
    pub codec: Codec,
    /// Keys go as telephone events (RFC 4733), otherwise as tones.
    pub key_events: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    pub at: Duration,
    pub keys: String,
}

/// A call that is over.
#[derive(Clone, Debug)]
pub struct Report {
    pub ladder: Vec<Message>,
    pub answered: Option<Answered>,
    pub pressed: Vec<Pressed>,
    pub ended: Ended,
    /// When it ended.
    pub lasted: Duration,
    pub heard: Heard,
    /// `None` when there was no sound.
    pub rtp: Option<Summary>,
}

impl Report {
    /// The response that refused the call, `486 Busy Here`.
    pub fn refusal(&self) -> Option<&str> {
        let refused = |message: &&Message| !message.sent && message.line.starts_with(['3', '4', '5', '6']);
        let last = self.ladder.iter().rfind(refused)?;
        last.line.strip_suffix(" (INVITE)").filter(|_| self.answered.is_none())
    }
}
