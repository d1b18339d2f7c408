//! What the caller hears: a queue of playbacks, cut into frames of the negotiated law.

use std::collections::VecDeque;

use crate::media::command::Cue;
use crate::media::{FRAME, codec};
use crate::sdp::Codec;

/// Playbacks that may wait.
const QUEUE: usize = 8;

#[derive(Debug)]
pub struct Playout {
    queue: VecDeque<Playback>,
}

#[derive(Debug)]
struct Playback {
    token: u64,
    cues: Vec<Cue>,
    cue: usize,
    /// Samples of the cue that are sent.
    sent: usize,
}

/// A playback that is over. The cues are handed back because what is freed is freed elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub token: u64,
    pub cues: Vec<Cue>,
}

impl Playout {
    pub fn new() -> Playout {
        Playout { queue: VecDeque::with_capacity(QUEUE) }
    }

    /// Puts a playback after the others; hands it back if too many wait.
    pub fn play(&mut self, token: u64, cues: Vec<Cue>) -> Result<(), Ended> {
        if self.queue.len() == QUEUE {
            return Err(Ended { token, cues });
        }
        self.queue.push_back(Playback { token, cues, cue: 0, sent: 0 });
        Ok(())
    }

    pub fn is_playing(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes away the first playback, played or not.
    pub fn stop_one(&mut self) -> Option<Ended> {
        self.queue.pop_front().map(|Playback { token, cues, .. }| Ended { token, cues })
    }

    /// The next 20 ms, silence where the queue runs out; tells `ended` of each playback whose last sample is in it.
    pub fn frame(&mut self, codec: Codec, frame: &mut [u8; FRAME], mut ended: impl FnMut(Ended)) {
        let mut filled = 0;
        while let Some(playback) = self.queue.front_mut() {
            filled += playback.fill(codec, &mut frame[filled..]);
            if playback.cue < playback.cues.len() {
                return;
            }
            ended(self.stop_one().expect("the playback at the front"));
        }
        frame[filled..].fill(silence(codec));
    }
}

impl Default for Playout {
    fn default() -> Playout {
        Playout::new()
    }
}

impl Playback {
    /// Fills as much of `room` as there is sound for, and returns how much.
    fn fill(&mut self, codec: Codec, room: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(cue) = self.cues.get(self.cue) {
            let length = match cue {
                Cue::Clip(clip) => clip.len(),
                Cue::Silence(ms) => *ms as usize * 8,
            };
            let count = (length - self.sent).min(room.len() - filled);
            let part = &mut room[filled..filled + count];
            match cue {
                Cue::Clip(clip) => clip.copy_to(codec, self.sent, part),
                Cue::Silence(_) => part.fill(silence(codec)),
            }
            filled += count;
            self.sent += count;
            if self.sent < length {
                break;
            }
            (self.cue, self.sent) = (self.cue + 1, 0);
        }
        filled
    }
}

/// The octet of silence.
pub fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => codec::ALAW_SILENCE,
        Codec::Pcmu => codec::ULAW_SILENCE,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::clip::Clip;

    fn clip(octets: impl Iterator<Item = u8>) -> Cue {
        Cue::Clip(Arc::new(Clip::from_alaw(octets.collect::<Vec<u8>>())))
    }

    /// The frames until the queue is empty, and the tokens in the frames of their end.
    fn play_all(playout: &mut Playout, codec: Codec) -> (Vec<u8>, Vec<(usize, u64)>) {
        let (mut heard, mut tokens) = (Vec::new(), Vec::new());
        while playout.is_playing() {
            let mut frame = [0; FRAME];
            playout.frame(codec, &mut frame, |ended| tokens.push((heard.len() / FRAME, ended.token)));
            heard.extend(frame);
        }
        (heard, tokens)
    }

    #[test]
    fn cues_follow_each_other_to_the_sample() {
        let mut playout = Playout::new();
        let octets = (0..250).map(|n| n as u8);
        playout.play(1, vec![clip(octets.clone()), Cue::Silence(5), clip(octets.clone())]).expect("room");
        playout.play(2, vec![clip(octets.clone().take(10))]).expect("room");
        let (heard, tokens) = play_all(&mut playout, Codec::Pcma);
        let mut expected: Vec<u8> = octets.clone().collect();
        expected.extend([codec::ALAW_SILENCE; 40]);
        expected.extend(octets.clone());
        expected.extend(octets.take(10));
        expected.resize(640, codec::ALAW_SILENCE);
        assert_eq!(heard, expected);
        assert_eq!(tokens, [(3, 1), (3, 2)]);
    }

    #[test]
    fn the_other_law_sounds_the_same() {
        let mut playout = Playout::new();
        playout.play(1, vec![clip(0..160)]).expect("room");
        let (heard, _) = play_all(&mut playout, Codec::Pcmu);
        assert_eq!(heard, (0..160).map(codec::alaw_to_ulaw).collect::<Vec<u8>>());
    }

    #[test]
    fn a_playback_of_nothing_ends_at_once() {
        let mut playout = Playout::new();
        playout.play(1, Vec::new()).expect("room");
        playout.play(2, vec![Cue::Silence(0)]).expect("room");
        let (heard, tokens) = play_all(&mut playout, Codec::Pcma);
        assert_eq!((heard.len(), tokens), (160, vec![(0, 1), (0, 2)]));
    }

    #[test]
    fn the_ninth_playback_that_waits_is_handed_back() {
        let mut playout = Playout::new();
        for token in 0..8 {
            playout.play(token, vec![Cue::Silence(20)]).expect("room");
        }
        let refused = playout.play(8, vec![Cue::Silence(20)]).expect_err("no room");
        assert_eq!(refused.token, 8);
    }
}
