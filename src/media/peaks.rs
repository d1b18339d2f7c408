//! The outline of a recording's sound: what a waveform is drawn of, and how much of it is louder than a line's noise.
//!
//! One pass over sound of unknown length, in bounded memory: when there are as many points as there may be, neighbours
//! become one and each point stands for twice as long.

/// Points a channel at most.
pub const MAX_POINTS: usize = 2_000;

/// 10 ms at 8 kHz: the shortest stretch that a point stands for.
const FIRST_STRETCH: u32 = 80;

/// 20 ms at 8 kHz.
const FRAME: u32 = 160;
const FRAME_MS: u64 = 20;

/// The root mean square from which a frame is louder than a line's noise: 44 dB under full scale.
const LOUD: u64 = 200;

/// The outline of a whole recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    /// How many samples of a channel a point stands for; the last may stand for fewer.
    pub samples_a_point: u32,
    /// By channel, 0 to 255: the loudest sample of a stretch by its magnitude, 255 is full scale. Equally many each, at
    /// most [`MAX_POINTS`].
    pub channels: Vec<Vec<u8>>,
    /// Of the first channel, the other side's: frames that are loud.
    pub loud_ms: u64,
}

/// Makes [`Peaks`] of samples as they come.
#[derive(Clone, Debug)]
pub struct PeakMeter {
    stretch: u32,
    /// Samples of a channel in the point under way.
    filled: u32,
    under_way: Vec<u8>,
    channels: Vec<Vec<u8>>,
    frame_filled: u32,
    frame_energy: u64,
    loud_frames: u64,
}

impl PeakMeter {
    pub fn new(channels: u8) -> PeakMeter {
        let channels = usize::from(channels.max(1));
        PeakMeter {
            stretch: FIRST_STRETCH,
            filled: 0,
            under_way: vec![0; channels],
            channels: vec![Vec::with_capacity(MAX_POINTS); channels],
            frame_filled: 0,
            frame_energy: 0,
            loud_frames: 0,
        }
    }

    /// Takes the next sample of each channel; one that is missing is silence.
    pub fn push(&mut self, samples: &[i16]) {
        for (point, sample) in self.under_way.iter_mut().zip(samples) {
            *point = (*point).max(magnitude(*sample));
        }
        self.filled += 1;
        if self.filled == self.stretch {
            self.make_room();
            // a point that stands for twice as long now goes on
            if self.filled == self.stretch {
                self.keep_point();
            }
        }
        let first = samples.first().copied().unwrap_or_default();
        self.frame_energy += u64::from(first.unsigned_abs()).pow(2);
        self.frame_filled += 1;
        if self.frame_filled == FRAME {
            self.end_frame();
        }
    }

    /// The outline of all that came.
    pub fn finish(mut self) -> Peaks {
        if self.filled > 0 {
            self.make_room();
            self.keep_point();
        }
        if self.frame_filled > 0 {
            self.end_frame();
        }
        Peaks { samples_a_point: self.stretch, channels: self.channels, loud_ms: self.loud_frames * FRAME_MS }
    }

    fn make_room(&mut self) {
        if self.channels[0].len() == MAX_POINTS {
            self.channels.iter_mut().for_each(halve);
            self.stretch *= 2;
        }
    }

    fn keep_point(&mut self) {
        for (points, point) in self.channels.iter_mut().zip(&mut self.under_way) {
            points.push(std::mem::take(point));
        }
        self.filled = 0;
    }

    fn end_frame(&mut self) {
        self.loud_frames += u64::from(self.frame_energy > LOUD * LOUD * u64::from(self.frame_filled));
        (self.frame_filled, self.frame_energy) = (0, 0);
    }
}

fn halve(points: &mut Vec<u8>) {
    for at in 0..points.len() / 2 {
        points[at] = points[2 * at].max(points[2 * at + 1]);
    }
    points.truncate(points.len() / 2);
}

fn magnitude(sample: i16) -> u8 {
    (sample.unsigned_abs() >> 7).min(255) as u8
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::Clock;

    fn measured(channels: u8, samples: &[i16]) -> Peaks {
        let mut meter = PeakMeter::new(channels);
        samples.chunks_exact(usize::from(channels)).for_each(|samples| meter.push(samples));
        meter.finish()
    }

    /// A deterministic noise that swells and falls.
    fn noise(length: usize, seed: u32) -> Vec<i16> {
        let mut state = seed | 1;
        (0..length)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16 / (1 + (at / 5_000 % 7) as i16)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_points_are_those_of_a_second_look_at_the_end_resolution(
            channels in 1u8..=2,
            length in 0usize..400_000,
            seed: u32,
        ) {
            let samples = noise(length * usize::from(channels), seed);
            let peaks = measured(channels, &samples);
            let stretch = peaks.samples_a_point as usize;
            for (at, points) in peaks.channels.iter().enumerate() {
                let channel: Vec<i16> = samples.iter().skip(at).step_by(channels.into()).copied().collect();
                let again: Vec<u8> = channel
                    .chunks(stretch)
                    .map(|stretch| stretch.iter().map(|sample| magnitude(*sample)).max().unwrap_or_default())
                    .collect();
                prop_assert!(points.len() <= MAX_POINTS);
                prop_assert_eq!(points, &again);
            }
        }
    }

    #[test]
    fn no_sound_has_no_points_and_a_full_outline_is_not_halved_before_it_must() {
        assert_eq!(measured(2, &[]).channels, [Vec::<u8>::new(), Vec::new()]);
        let full = measured(1, &vec![1_000; MAX_POINTS * 80]);
        assert_eq!((full.samples_a_point, full.channels[0].len()), (80, MAX_POINTS));
        let over = measured(1, &vec![1_000; MAX_POINTS * 80 + 1]);
        assert_eq!((over.samples_a_point, over.channels[0].len()), (160, MAX_POINTS / 2 + 1));
    }

    #[test]
    fn loud_is_what_the_other_side_says() {
        let talk: Vec<i16> = (0..8_000).flat_map(|at| [if at % 2 == 0 { 3_000 } else { -3_000 }, 0]).collect();
        assert_eq!(measured(2, &talk).loud_ms, 1_000);
        let prompt: Vec<i16> = talk.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        assert_eq!(measured(2, &prompt).loud_ms, 0);
        assert_eq!(measured(1, &noise(8_000, 3).iter().map(|sample| sample / 500).collect::<Vec<_>>()).loud_ms, 0);
    }

    #[test]
    fn an_hour_of_a_call_is_quick() {
        let minute = noise(2 * 60 * 8_000, 7);
        let clock = Clock::start();
        let begun = clock.mono();
        let mut meter = PeakMeter::new(2);
        for _ in 0..60 {
            minute.chunks_exact(2).for_each(|samples| meter.push(samples));
        }
        let peaks = meter.finish();
        assert!((MAX_POINTS / 2..=MAX_POINTS).contains(&peaks.channels[1].len()));
        let took = clock.mono().since(begun);
        assert!(took < Duration::from_secs(60), "{took:?}");
    }
}
