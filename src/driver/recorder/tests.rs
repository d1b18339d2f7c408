use std::path::PathBuf;

use super::*;
use crate::city::City;
use crate::driver::media::recording::{Recordings, Sink};
use crate::ticket::Direction;

/// One call's ring and files in a folder of their own.
struct Bench {
    sink: Sink,
    held: Held,
    folder: RecordingFolder,
    root: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let root = std::env::temp_dir().join(format!("hotline-recorder-{}-{name}", std::process::id()));
        let folder = RecordingFolder::open(&root).expect("a folder");
        let (sink, ring) = Recordings::new(1).open().expect("a ring");
        Bench { sink, held: Held { ring: Some(ring), ..Held::default() }, folder, root }
    }

    fn open(&mut self, kind: RecordingKind) {
        let started_at = "2026-11-22T00:00:00Z".parse().expect("a time");
        let call = NewCall {
            id: CallId::new(started_at, [1; 10]),
            node: "node".to_owned(),
            direction: Direction::Inbound,
            sip_call_id: None,
            city: City::Lhasa,
            line: "12345".to_owned(),
            phone: None,
            language: None,
            started_at,
            answered_at: None,
        };
        let id = RecordingId::new(started_at, [self.held.beside.len() as u8; 10]);
        self.held.open(&self.folder, FileSpec { call, id, kind, started_at, draft: None }, Mono::ZERO).expect("a file");
        if let Slot::Open(open) = self.held.slot(kind) {
            open.begun = true;
        }
    }

    fn frames(&mut self, numbers: std::ops::Range<u32>, call: bool, request: bool) {
        for number in numbers {
            let frame = Frame { number, caller: [number as u8; FRAME], system: [2; FRAME], call, request };
            assert!(self.sink.push(&frame), "the ring has room");
        }
    }

    fn close(&mut self, kind: RecordingKind, end_frame: Option<u32>) -> FinishedRecording {
        self.held.close(kind, EndedBy::Key, end_frame).expect("a closed file")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // what is left over in the folder for temporary files harms nobody
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn a_request_across_a_jump_is_written_to_its_last_frame_and_no_further() {
    let mut bench = Bench::new("jump");
    bench.open(RecordingKind::Request);
    bench.frames(8..18, false, true);
    bench.frames(40..50, false, true);
    bench.frames(50..60, false, true);
    let first = bench.close(RecordingKind::Request, Some(50));
    assert_eq!((first.duration_ms, first.damaged), (42 * 20, true), "the missed frames are silence");
    bench.open(RecordingKind::Request);
    let second = bench.close(RecordingKind::Request, Some(60));
    assert_eq!((second.duration_ms, second.damaged), (10 * 20, false));
}

#[test]
fn without_an_end_a_request_has_all_that_is_in_the_ring() {
    let mut bench = Bench::new("rest");
    bench.open(RecordingKind::Request);
    bench.frames(8..30, false, true);
    assert_eq!(bench.close(RecordingKind::Request, None).duration_ms, 22 * 20);
}

#[test]
fn the_whole_call_does_not_wait_at_its_end_for_a_request_that_never_begins() {
    let mut bench = Bench::new("call");
    bench.open(RecordingKind::Call);
    bench.frames(0..10, true, false);
    bench.frames(10..20, true, true);
    bench.frames(20..30, true, false);
    bench.held.drain(None);
    assert!(bench.held.front.is_some(), "until then it waits");
    let finished = bench.close(RecordingKind::Call, None);
    assert_eq!((finished.duration_ms, finished.damaged), (30 * 20, false));
}

#[test]
fn a_request_that_is_closed_after_the_whole_call_has_its_last_frames() {
    let mut bench = Bench::new("order");
    bench.open(RecordingKind::Call);
    bench.open(RecordingKind::Request);
    bench.frames(0..10, true, true);
    assert_eq!(bench.close(RecordingKind::Call, None).duration_ms, 10 * 20);
    bench.frames(10..20, true, true);
    assert_eq!(bench.close(RecordingKind::Request, None).duration_ms, 20 * 20);
}
