//! What is recorded, and when a request is over.
//!
//! The recorder sees the caller's frames a fixed delay after they came (see [`crate::media::jitter`]), so what the
//! call switches now takes effect that many frames later: a recording begins and ends at the sample that was meant.

use crate::media::command::Record;
use crate::media::event::{EndedBy, RecordEnded};
use crate::media::{FRAME, FRAME_MS, codec};

/// Decides about each frame.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// Frames from now to the reading of what comes now.
    delay: u32,
    call: bool,
    /// Frames until the whole call's recording becomes so.
    call_soon: Option<(u32, bool)>,
    request: Option<Request>,
    voice: Voice,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    record: Record,
    begins_in: u32,
    ends_in: Option<(u32, EndedBy)>,
    frames: u32,
    speech: u32,
    /// Frames since speech was last heard, or since the beginning.
    silence: u32,
}

/// Whether a frame belongs to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub call: bool,
    pub request: bool,
    pub speech: bool,
    /// The request ends with this frame (or, if it is not of the request, before it).
    pub ended: Option<RecordEnded>,
}

impl Recorder {
    pub fn new(delay: u32) -> Recorder {
        Recorder { delay, call: false, call_soon: None, request: None, voice: Voice::new() }
    }

    /// Starts a request; ignored while there is one.
    pub fn start(&mut self, record: Record) {
        if self.request.is_none() {
            let begins_in = self.delay;
            self.request = Some(Request { record, begins_in, ends_in: None, frames: 0, speech: 0, silence: 0 });
        }
    }

    pub fn stop(&mut self) {
        self.end(EndedBy::Stopped);
    }

    /// A key was pressed.
    pub fn key(&mut self) {
        if self.request.is_some_and(|request| request.record.stop_on_key) {
            self.end(EndedBy::Key);
        }
    }

    pub fn record_call(&mut self, on: bool) {
        self.call_soon = Some((self.delay, on));
    }

    /// A request is being recorded, or is about to be.
    pub fn is_recording_request(&self) -> bool {
        self.request.is_some()
    }

    /// Judges the next frame. While `held` the caller can't be heard, so silence does not end the request.
    pub fn frame(&mut self, number: u32, caller: &[u8; FRAME], held: bool) -> Verdict {
        match &mut self.call_soon {
            Some((0, on)) => {
                self.call = *on;
                self.call_soon = None;
            }
            Some((frames, _)) => *frames -= 1,
            None => {}
        }
        let speech = self.voice.hear(caller);
        let (request, ended) = match &mut self.request {
            Some(request) => request.frame(number, speech, held),
            None => (false, None),
        };
        if ended.is_some() {
            self.request = None;
        }
        Verdict { call: self.call, request, speech, ended }
    }

    /// The session is over; `number` would have been the next frame's.
    pub fn close(&mut self, number: u32) -> Option<RecordEnded> {
        let request = self.request.take()?;
        Some(request.ended(request.ends_in.map_or(EndedBy::Closed, |(_, by)| by), number))
    }

    fn end(&mut self, by: EndedBy) {
        let delay = self.delay;
        if let Some(request) = &mut self.request {
            request.ends_in.get_or_insert((delay, by));
        }
    }
}

impl Request {
    fn frame(&mut self, number: u32, speech: bool, held: bool) -> (bool, Option<RecordEnded>) {
        if let Some((frames, by)) = &mut self.ends_in {
            if *frames == 0 {
                let by = *by;
                return (false, Some(self.ended(by, number)));
            }
            *frames -= 1;
        }
        if self.begins_in > 0 {
            self.begins_in -= 1;
            return (false, None);
        }
        self.frames += 1;
        self.speech += u32::from(speech);
        self.silence = if speech { 0 } else { self.silence + u32::from(!held) };
        let Record { max_ms, silence_ms, .. } = self.record;
        let silent = silence_ms > 0 && self.silence * FRAME_MS >= silence_ms;
        let by = if self.frames * FRAME_MS >= max_ms {
            Some(EndedBy::Limit)
        } else if silent {
            Some(EndedBy::Silence)
        } else {
            None
        };
        (true, by.map(|by| self.ended(by, number.wrapping_add(1))))
    }

    fn ended(&self, ended_by: EndedBy, end_frame: u32) -> RecordEnded {
        let (speech_ms, duration_ms) = (self.speech * FRAME_MS, self.frames * FRAME_MS);
        RecordEnded { ended_by, speech_ms, duration_ms, end_frame }
    }
}

/// Tells speech from silence by the power of a frame over a noise floor that follows the line. Levels are decibels
/// below full scale.
#[derive(Clone, Debug)]
struct Voice {
    floor: f32,
    /// Frames that still count as speech after the last loud one: words have gaps.
    hangover: u8,
}

impl Voice {
    /// Speech is this much above the floor, and never below [`Voice::LEAST`].
    const ABOVE_FLOOR: f32 = 9.0;
    const LEAST: f32 = -48.0;
    const FLOOR: std::ops::RangeInclusive<f32> = -65.0..=-38.0;
    /// The floor falls quickly to a quieter frame and rises by 1.5 dB a second to a louder one.
    const FALL: f32 = 0.3;
    const RISE: f32 = 0.03;
    const HANGOVER: u8 = 4;

    fn new() -> Voice {
        Voice { floor: -60.0, hangover: 0 }
    }

    fn hear(&mut self, frame: &[u8; FRAME]) -> bool {
        let level = level(frame);
        let threshold = (self.floor + Voice::ABOVE_FLOOR).max(Voice::LEAST);
        let step = if level < self.floor { (level - self.floor) * Voice::FALL } else { Voice::RISE };
        self.floor = (self.floor + step).clamp(*Voice::FLOOR.start(), *Voice::FLOOR.end());
        self.hangover = if level >= threshold { Voice::HANGOVER } else { self.hangover.saturating_sub(1) };
        self.hangover > 0
    }
}

/// The power of a frame in decibels of a full-scale square wave.
fn level(frame: &[u8; FRAME]) -> f32 {
    let sum: i64 = frame.iter().map(|octet| i64::from(codec::alaw_decode(*octet)).pow(2)).sum();
    let mean = sum as f32 / FRAME as f32;
    10.0 * (mean.max(1.0) / (32_768.0 * 32_768.0)).log10()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::media::codec::ALAW_SILENCE;

    const QUIET: [u8; FRAME] = [ALAW_SILENCE; FRAME];
    const DELAY: u32 = 3;
    const RECORD: Record = Record { max_ms: 10_000, silence_ms: 1_000, stop_on_key: true };

    fn noise(rng: &mut StdRng, amplitude: i16) -> [u8; FRAME] {
        std::array::from_fn(|_| codec::alaw_encode(rng.random_range(-amplitude..=amplitude)))
    }

    /// Feeds frames until the request ends; the number of frames of the request, and the end.
    fn until_end(recorder: &mut Recorder, mut frame: impl FnMut(u32) -> [u8; FRAME]) -> (u32, RecordEnded) {
        let mut frames = 0;
        for n in 0..10_000 {
            let verdict = recorder.frame(n, &frame(n), false);
            frames += u32::from(verdict.request);
            if let Some(ended) = verdict.ended {
                return (frames, ended);
            }
        }
        panic!("the recording never ended");
    }

    #[test]
    fn silence_after_speech_ends_a_request() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut recorder = Recorder::new(DELAY);
        recorder.start(RECORD);
        let (frames, ended) =
            until_end(&mut recorder, |n| if (20..120).contains(&n) { noise(&mut rng, 8_000) } else { QUIET });
        assert_eq!(ended.ended_by, EndedBy::Silence);
        assert!((2_000..=2_100).contains(&ended.speech_ms), "{}", ended.speech_ms);
        assert_eq!(ended.duration_ms, frames * 20);
        assert!((3_340..=3_440).contains(&ended.duration_ms), "{}", ended.duration_ms);
    }

    #[test]
    fn a_request_begins_and_ends_at_the_sample_that_was_meant() {
        let mut recorder = Recorder::new(DELAY);
        recorder.start(RECORD);
        let verdicts: Vec<Verdict> = (0..20)
            .map(|n| {
                if n == 10 {
                    recorder.key();
                }
                recorder.frame(n, &QUIET, false)
            })
            .collect();
        let of_request: Vec<usize> = (0..20).filter(|n| verdicts[*n].request).collect();
        assert_eq!(of_request, (3..13).collect::<Vec<_>>());
        let ended = verdicts[13].ended.expect("the end");
        assert_eq!((ended.ended_by, ended.duration_ms, ended.end_frame), (EndedBy::Key, 200, 13));
        assert!(!recorder.is_recording_request());
    }

    #[test]
    fn the_limit_holds_to_the_frame() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut recorder = Recorder::new(0);
        recorder.start(Record { max_ms: 400, ..RECORD });
        let (frames, ended) = until_end(&mut recorder, |_| noise(&mut rng, 8_000));
        assert_eq!((frames, ended.ended_by, ended.duration_ms, ended.end_frame), (20, EndedBy::Limit, 400, 20));
    }

    #[test]
    fn hold_does_not_end_a_request_by_silence() {
        let mut recorder = Recorder::new(0);
        recorder.start(RECORD);
        for n in 0..400 {
            assert_eq!(recorder.frame(n, &QUIET, true).ended, None);
        }
        assert_eq!(until_end(&mut recorder, |_| QUIET).1.ended_by, EndedBy::Silence);
    }

    #[test]
    fn a_noisy_street_is_not_taken_for_speech_for_long_but_speech_over_it_is() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut recorder = Recorder::new(0);
        for n in 0..500 {
            recorder.frame(n, &noise(&mut rng, 400), false);
        }
        recorder.start(RECORD);
        let (_, ended) = until_end(&mut recorder, |n| noise(&mut rng, if n < 100 { 6_000 } else { 400 }));
        assert_eq!(ended.ended_by, EndedBy::Silence);
        assert!((2_000..2_200).contains(&ended.speech_ms), "{}", ended.speech_ms);
    }

    #[test]
    fn soft_speech_on_a_quiet_line_is_heard() {
        let mut rng = StdRng::seed_from_u64(4);
        let mut recorder = Recorder::new(0);
        for n in 0..50 {
            recorder.frame(n, &QUIET, false);
        }
        recorder.start(RECORD);
        let (_, ended) = until_end(&mut recorder, |n| if n < 100 { noise(&mut rng, 400) } else { QUIET });
        assert!(ended.speech_ms >= 2_000, "{}", ended.speech_ms);
    }

    #[test]
    fn the_whole_call_is_switched_apart_from_the_request() {
        let mut recorder = Recorder::new(DELAY);
        recorder.record_call(true);
        let before: Vec<bool> = (0..5).map(|n| recorder.frame(n, &QUIET, false).call).collect();
        assert_eq!(before, [false, false, false, true, true]);
        recorder.record_call(false);
        let after: Vec<bool> = (5..10).map(|n| recorder.frame(n, &QUIET, false).call).collect();
        assert_eq!(after, [true, true, true, false, false]);
        assert_eq!(recorder.close(10), None);
    }
}
