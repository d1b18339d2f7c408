//! What goes into a call and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::ivr;
use crate::language::Language;
use crate::media::{clip::Clip, command, event};
use crate::prompt::Prompts;
use crate::sdp;
use crate::sip;
use crate::ticket::{CallEnd, EndedBy, EventKind, Outcome, RecordingKind};

/// What all calls of a line share.
#[derive(Debug)]
pub struct Setup {
    pub flow: ivr::Flow,
    /// The flow of return visits.
    pub visit: ivr::Flow,
    pub prompts: Arc<Prompts>,
    /// The tone before a recording.
    pub beep: Arc<Clip>,
    /// Keep the whole call as well as the request.
    pub record_calls: bool,
    /// A machine speaks some prompt of the flow, which is to be announced.
    pub synthetic: bool,
    /// The same of the flow of return visits.
    pub visit_synthetic: bool,
    /// Keep what the network says before a call of ours is answered.
    pub keep_early: bool,
    /// A call that lasts longer is said goodbye to.
    pub longest_call: Duration,
}

/// A call that comes in.
#[derive(Debug)]
pub struct Opening {
    pub leg: sip::Leg,
    pub caller: ivr::Caller,
    /// The offer of the INVITE, if it has one.
    pub offer: Option<Vec<u8>>,
    pub ours: sdp::Ours,
}

/// A call that is to be made.
#[derive(Debug)]
pub struct Dial {
    /// One for each way out, in their order; never empty.
    pub legs: Vec<sip::Leg>,
    pub caller: ivr::Caller,
    pub ours: sdp::Ours,
}

/// What happened to a call.
#[derive(Debug)]
pub enum Input {
    Sip(sip::Event),
    Media(event::Event),
    /// The store's reply to an [`Output::Ask`].
    Reply {
        ask: u32,
        reply: ivr::Reply,
    },
    /// The sound of an [`Output::Load`]; `None` when it can't be had.
    Loaded {
        take: ivr::Take,
        clip: Option<Arc<Clip>>,
    },
    /// The file of an [`Output::OpenTake`] can't be written: what is being said is lost.
    TakeFailed {
        take: ivr::Take,
    },
    /// The time of [`Call::wake_at`](super::Call::wake_at) has come. Harmless when it has not.
    Timeout,
    /// The service is to end: submit, say goodbye, hang up.
    Leave,
    /// The service ends now: submit, hang up.
    Abort,
}

/// What must be done, in this order.
#[derive(Debug)]
pub enum Output {
    Sip(sip::Command),
    /// Send the INVITE by the next way out.
    Dial {
        leg: sip::Leg,
        offer: Vec<u8>,
    },
    /// What came of the way out: it carried the call, whatever became of that, or refused it with this status (408 and
    /// 503 also stand for no answer and a failed transport).
    Trunk {
        trouble: Option<u16>,
    },
    /// Start the session; comes before any `Media`.
    OpenMedia(sdp::Negotiated),
    Media(command::Command),
    /// A recording of one side begins: its row and its file must exist before its first sample is kept.
    OpenTake {
        take: ivr::Take,
        kind: RecordingKind,
    },
    /// Its last frame is in the ring.
    CloseTake {
        take: ivr::Take,
        ended_by: EndedBy,
        /// The number after that of its last frame; `None`: whatever is in the ring.
        end_frame: Option<u32>,
    },
    /// The recording of the whole call begins.
    OpenCallRecording,
    /// Make a clip of a recording that was closed.
    Load {
        take: ivr::Take,
    },
    Ask {
        ask: u32,
        request: ivr::Request,
    },
    /// A return visit has brought this.
    Said(ivr::Spoken),
    /// The return visit is over. Once in a call that is for one or offered one, before [`Output::Over`].
    Settled(Settled),
    /// What is known of the request has changed.
    Draft(Box<ivr::Draft>),
    Note(Note),
    /// Where the caller is now.
    Board {
        node: Arc<str>,
        language: Option<Language>,
    },
    /// The last output.
    Over(Ended),
}

/// How a return visit's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub outcome: Outcome,
    /// The final response, if nobody answered and there was one.
    pub status: Option<u16>,
    pub q850: Option<u8>,
    pub message_left: bool,
    /// What the network said in place of an answer.
    pub early: Option<ivr::Take>,
}

/// One line of a call's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: DateTime<Utc>,
    /// Since the INVITE came.
    pub offset_ms: u64,
    pub kind: EventKind,
    pub text: String,
}

/// How the call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub by: CallEnd,
    pub language: Option<Language>,
}

/// A session's figures as the JSON of an `rtp` event.
pub fn figures(summary: &event::Summary) -> String {
    serde_json::json!({
        "packets_in": summary.packets_in,
        "packets_out": summary.packets_out,
        "lost": summary.lost,
        "late": summary.late,
        "discarded": summary.discarded,
        "foreign": summary.foreign,
        "jitter_ms": (f64::from(summary.jitter_ms) * 100.0).round() / 100.0,
        "round_trip_ms": summary.round_trip_ms,
        "peer_lost": summary.peer_lost,
        "skipped": summary.skipped,
        "overruns": summary.overruns,
    })
    .to_string()
}
