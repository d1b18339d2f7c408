//! What a call did, written down from the outside, and whether it was right.

use std::time::Duration;

use hotline::call::{Ended, Output};
use hotline::clock::Mono;
use hotline::digit::Digit;
use hotline::ivr::{Draft, Request, Take};
use hotline::media::event::RecordEnded;
use hotline::media::frame::Frame;
use hotline::ticket::{EndedBy, EventKind};

/// One call's.
#[derive(Debug, Default)]
pub struct Ledger {
    pub answered: bool,
    pub nodes: Vec<String>,
    pub keys: Vec<Digit>,
    pub ended: Vec<Ended>,
    pub drafts: Vec<Draft>,
    pub closed: Vec<(Take, EndedBy)>,
    pub tickets: u32,
    /// Lines of the call's story, to compare two runs.
    pub story: Vec<String>,
    take: Option<OpenTake>,
    opened: u32,
    /// The takes that are the request by the rules of the flow's words: long enough, not replaced, not cancelled.
    kept: Vec<Take>,
    confirmed: bool,
    latest_frame: Option<u32>,
    signalling_ended: Option<Mono>,
}

#[derive(Debug)]
struct OpenTake {
    take: Take,
    since: Mono,
    frames: u32,
}

/// How long after the end of signalling a call may wait for its sound and for the store.
const LONGEST_END: Duration = Duration::from_millis(7_100);

impl Ledger {
    /// A frame for the recordings.
    pub fn frame(&mut self, frame: &Frame) {
        assert!(self.latest_frame.is_none_or(|latest| latest < frame.number), "a frame came twice");
        self.latest_frame = Some(frame.number);
        if frame.request {
            self.take.as_mut().expect("frames of a request come while a take is open").frames += 1;
        }
    }

    /// A request recording has ended, as the call is about to hear.
    pub fn recorded(&mut self, ended: &RecordEnded) {
        let Some(open) = &self.take else { return };
        assert_eq!(open.frames * 20, ended.duration_ms, "the frames are not as long as the recording");
        assert!(ended.speech_ms <= ended.duration_ms);
        self.judge_take(open.take, ended.speech_ms);
    }

    pub fn signalling_ended(&mut self, now: Mono) {
        self.signalling_ended.get_or_insert(now);
    }

    pub fn output(&mut self, now: Mono, output: &Output) {
        assert!(self.ended.is_empty(), "{output:?} after the call was over");
        match output {
            Output::OpenTake { take, .. } => {
                assert!(self.take.is_none(), "two takes at a time");
                self.opened += 1;
                self.take = Some(OpenTake { take: *take, since: now, frames: 0 });
            }
            Output::CloseTake { take, ended_by, end_frame } => {
                let open = self.take.take().expect("an open take");
                assert_eq!(open.take, *take);
                if end_frame.is_none() {
                    let speech = now.since(open.since).as_millis();
                    self.judge_take(*take, u32::try_from(speech).expect("short"));
                }
                self.closed.push((*take, *ended_by));
            }
            Output::Ask { request: Request::Submit(draft), .. } => self.submitted(draft),
            Output::Note(note) => {
                self.story.push(format!("{} {:?} {}", note.offset_ms, note.kind, note.text));
                match note.kind {
                    EventKind::Node => self.entered(&note.text),
                    EventKind::Ticket => self.tickets += 1,
                    _ => {}
                }
            }
            Output::Over(ended) => {
                let asked = self.signalling_ended.expect("signalling ends first");
                assert!(now.since(asked) <= LONGEST_END, "the end took {:?}", now.since(asked));
                self.ended.push(ended.clone());
            }
            _ => {}
        }
    }

    pub fn judge(&self) {
        assert_eq!(self.ended.len(), 1, "a call ends once");
        assert!(self.take.is_none(), "a take is left open");
        assert_eq!(self.opened as usize, self.closed.len(), "each take is closed once");
        assert_eq!(self.drafts.len(), usize::from(!self.kept.is_empty()), "kept {:?}", self.kept);
        assert!(self.tickets as usize <= self.drafts.len(), "a ticket that nobody asked for");
        assert!(self.answered || (self.nodes.is_empty() && self.opened == 0), "the flow began before the answer");
    }

    fn entered(&mut self, node: &str) {
        match node {
            "cancelled" => {
                self.kept.clear();
                self.confirmed = false;
            }
            "confidential" => self.confirmed = true,
            _ => {}
        }
        self.nodes.push(node.to_owned());
    }

    fn judge_take(&mut self, take: Take, speech_ms: u32) {
        let node = self.nodes.iter().rev().find(|node| node.starts_with("record"));
        let (enough, adds) = match node.map(String::as_str) {
            Some("record_add") => (1_000, true),
            _ => (3_000, false),
        };
        if speech_ms < enough {
            return;
        }
        if !adds {
            self.kept.clear();
        }
        self.kept.push(take);
    }

    fn submitted(&mut self, draft: &Draft) {
        assert!(self.take.is_none(), "submitted while a take was open");
        assert_eq!(draft.takes, self.kept);
        assert!(draft.takes.iter().all(|take| self.closed.iter().any(|(closed, _)| closed == take)));
        assert_eq!(draft.confirmed, self.confirmed);
        self.drafts.push(draft.clone());
    }
}
