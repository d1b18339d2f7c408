//! What a call's sound reports.

use crate::clock::Mono;
use crate::digit::Digit;
use crate::media::progress::Tone;

/// One report of a session to its call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A key was pressed; reported when it begins, once per press whatever way it came.
    Digit { digit: Digit, path: Path },
    /// A `Play` ended: everything was sent (`complete`), or it was stopped or refused.
    Played { token: u64, complete: bool, at: Mono },
    /// The request recording ended; its last frame is in the recording ring by now.
    RecordEnded(RecordEnded),
    /// A tone of the network, when it is recognised; not again before another one.
    Tone(Tone),
    /// Four seconds of speech on end; once for each such stretch.
    LongSpeech,
    /// Nothing has come from the peer for the configured time while both may send. Once, until it sends again.
    RtpTimeout,
    /// The last event of a session.
    Closed(Summary),
}

/// The way a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// telephone-event packets.
    Rfc4733,
    /// Tones in the sound (ITU-T Q.23).
    InBand,
    /// SIP INFO.
    Info,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordEnded {
    pub ended_by: EndedBy,
    /// Milliseconds judged to be speech.
    pub speech_ms: u32,
    /// Milliseconds of frames; what was missed in a jump of their numbers is not counted.
    pub duration_ms: u32,
    /// The frames of the request have numbers below this one; those of the next request do not.
    pub end_frame: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    Key,
    Silence,
    Limit,
    /// `Command::StopRecord`.
    Stopped,
    /// The session was closed while it recorded.
    Closed,
}

/// One call's RTP in figures, from both ends of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// RTP packets taken from the peer.
    pub packets_in: u64,
    pub packets_out: u64,
    /// Packets that the sequence numbers say were sent and that never came (RFC 3550 §A.3).
    pub lost: u64,
    /// Packets that came too late for the recording.
    pub late: u64,
    /// Packets thrown away: malformed, wrong payload type.
    pub discarded: u64,
    /// Packets from an address that is not the peer's.
    pub foreign: u64,
    /// Interarrival jitter at the end (RFC 3550 §6.4.1).
    pub jitter_ms: f32,
    /// Round trip by the latest RTCP report, if the peer sent any.
    pub round_trip_ms: Option<f32>,
    /// What the peer's latest report says it lost of ours.
    pub peer_lost: Option<u64>,
    /// Periods of 20 ms in which nothing was sent because the thread was late.
    pub skipped: u64,
    /// Recording frames lost because the writer did not keep up.
    pub overruns: u64,
}
