//! A recording as a page plays it: the part of a page that `player.html` shows and `player.js` moves.

use chrono::{DateTime, Utc};

use super::ladder::{MomentKind, Story};
use crate::access::{Caller, Right};
use crate::console::pages::Frame;
use crate::store::Recording;
use crate::ticket::{RecordingId, RecordingState, Ticket};

/// Marks beside one waveform; a call of an hour has more prompts than anybody reads.
const MOST_MARKS: usize = 200;

/// What the template needs. Make one by [`Player::new`].
pub struct Player {
    pub id: RecordingId,
    /// What stands above it.
    pub title: String,
    pub duration_ms: u64,
    pub short: bool,
    pub silent: bool,
    pub damaged: bool,
    pub open: bool,
    pub deleted_at: Option<DateTime<Utc>>,
    /// Hearing it takes a reason.
    pub needs_reason: bool,
    pub may_download: bool,
    pub marks: Vec<Mark>,
}

/// A place in the sound that is worth going to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Since the recording's start.
    pub at_ms: u64,
    /// `key`, `prompt` or `answer`.
    pub kind: &'static str,
    pub text: String,
}

impl Mark {
    /// As a media fragment: seconds.
    pub fn seconds(&self) -> String {
        format!("{}.{}", self.at_ms / 1_000, self.at_ms % 1_000 / 100)
    }
}

impl Player {
    /// `story` is that of the recording's call, which began at `call_at`; without one there are no marks.
    pub fn new(
        recording: &Recording,
        ticket: Option<&Ticket>,
        story: Option<(&Story, DateTime<Utc>)>,
        caller: &Caller,
        title: String,
    ) -> Player {
        Player {
            id: recording.id,
            title,
            duration_ms: recording.duration_ms.unwrap_or_default(),
            short: recording.is_short(),
            silent: recording.is_silent(),
            damaged: recording.damaged,
            open: recording.state == RecordingState::Open,
            deleted_at: recording.deleted_at,
            needs_reason: ticket.is_some_and(|ticket| ticket.is_shielded() || ticket.anonymous),
            may_download: caller.has(Right::Download),
            marks: story.map(|(story, call_at)| marks(recording, story, call_at)).unwrap_or_default(),
        }
    }

    /// That and since when there is no sound any more.
    pub fn gone(&self, frame: &Frame) -> Option<String> {
        self.deleted_at.map(|at| frame.fill("player.deleted", &[&frame.time(at)]))
    }
}

fn marks(recording: &Recording, story: &Story, call_at: DateTime<Utc>) -> Vec<Mark> {
    let begins = u64::try_from((recording.started_at - call_at).num_milliseconds()).unwrap_or(0);
    let ends = begins + recording.duration_ms.unwrap_or(0);
    let marked = story.moments.iter().filter(|moment| (begins..=ends).contains(&moment.offset_ms));
    let marked = marked.filter_map(|moment| {
        let kind = match moment.kind {
            MomentKind::Key | MomentKind::Prompt | MomentKind::Answer => moment.kind.name(),
            _ => return None,
        };
        Some(Mark { at_ms: moment.offset_ms - begins, kind, text: moment.text.clone() })
    });
    marked.take(MOST_MARKS).collect()
}
