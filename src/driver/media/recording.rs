//! Recording rings: 2 s of both sides between a media thread and the writer, as many as are allowed and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::media::FRAME_MS;
use crate::media::frame::Frame;

/// Frames in a ring.
const FRAMES: usize = 2_000 / FRAME_MS as usize;

/// The budget of rings.
#[derive(Clone)]
pub struct Recordings {
    live: Arc<AtomicUsize>,
    most: usize,
}

/// The media thread's end.
pub struct Sink {
    frames: Producer<Frame>,
    ring: Arc<Ring>,
}

/// The writer's end.
pub struct Source {
    frames: Consumer<Frame>,
    ring: Arc<Ring>,
}

/// What both ends share; the last one gives the place back.
struct Ring {
    overruns: AtomicU64,
    live: Arc<AtomicUsize>,
}

impl Recordings {
    pub fn new(most: usize) -> Recordings {
        Recordings { live: Arc::default(), most }
    }

    /// A ring; `None` when there are as many as there may be.
    pub fn open(&self) -> Option<(Sink, Source)> {
        let add = |live| (live < self.most).then_some(live + 1);
        self.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        let ring = Arc::new(Ring { overruns: AtomicU64::new(0), live: Arc::clone(&self.live) });
        let (producer, consumer) = RingBuffer::new(FRAMES);
        Some((Sink { frames: producer, ring: Arc::clone(&ring) }, Source { frames: consumer, ring }))
    }
}

impl Sink {
    /// False, and counted, if there is no room.
    pub(in crate::driver) fn push(&mut self, frame: &Frame) -> bool {
        let kept = self.frames.push(*frame).is_ok();
        if !kept {
            self.ring.overruns.fetch_add(1, Ordering::Relaxed);
        }
        kept
    }
}

impl Source {
    /// The next frame, if one is there; to be asked for at least once a second.
    pub fn pop(&mut self) -> Option<Frame> {
        self.frames.pop().ok()
    }

    /// Frames lost because they were not read in time: the recording is damaged.
    pub fn overruns(&self) -> u64 {
        self.ring.overruns.load(Ordering::Relaxed)
    }

    /// The session is gone and all is read.
    pub fn is_over(&self) -> bool {
        // In this order: what was pushed before the end was given up is seen.
        self.frames.is_abandoned() && self.frames.is_empty()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FRAME;

    fn frame(number: u32) -> Frame {
        Frame { number, caller: [1; FRAME], system: [2; FRAME], call: true, request: false }
    }

    #[test]
    fn two_seconds_fit_and_the_rest_is_counted() {
        let (mut sink, mut source) = Recordings::new(1).open().expect("a ring");
        let kept = (0..103).filter(|number| sink.push(&frame(*number))).count();
        assert_eq!((kept, source.overruns()), (100, 3));
        assert_eq!(source.pop(), Some(frame(0)));
        drop(sink);
        assert!(!source.is_over());
        assert_eq!(std::iter::from_fn(|| source.pop()).count(), 99);
        assert!(source.is_over());
    }

    #[test]
    fn the_budget_is_given_back_with_the_last_end() {
        let recordings = Recordings::new(1);
        let (sink, source) = recordings.open().expect("a ring");
        assert!(recordings.open().is_none());
        drop(sink);
        assert!(recordings.open().is_none());
        drop(source);
        assert!(recordings.open().is_some());
    }

    #[test]
    fn a_ring_of_two_seconds_has_33_kibibytes() {
        assert!(FRAMES * size_of::<Frame>() <= 33 * 1_024);
    }
}
