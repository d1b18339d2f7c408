//! Filters of second order, and the change of the sample rate.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Frames of output at a time. The resampler takes them in transforms of 256 or a few more, 32 ms at 8 kHz: its filter
/// falls from 3.8 kHz on, above what [`super::BAND_HZ`] leaves.
const BLOCK: usize = 1_024;

/// `samples` of `from` Hz at `to` Hz, without the resampler's delay.
///
/// # Errors
/// What the resampler says.
pub fn resample(samples: &[f64], from: u32, to: u32) -> Result<Vec<f64>, String> {
    if from == to || samples.is_empty() {
        return Ok(samples.to_vec());
    }
    let input = SequentialSlice::new(samples, 1, samples.len()).map_err(|error| error.to_string())?;
    let mut resampler =
        Fft::<f64>::new(from as usize, to as usize, BLOCK, 1, FixedSync::Output).map_err(|error| error.to_string())?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|error| error.to_string())?;
    Ok(output.take_data())
}

/// A Butterworth filter of second order: 3 dB down at its corner, 12 dB an octave beyond it.
#[derive(Clone, Debug)]
pub struct Butterworth {
    feed: [f64; 3],
    back: [f64; 2],
    state: [f64; 2],
}

impl Butterworth {
    /// Lets through what lies above `corner` Hz.
    pub fn high_pass(corner: f64, rate: u32) -> Butterworth {
        let cosine = (TAU * corner / f64::from(rate)).cos();
        Butterworth::new(corner, rate, [(1.0 + cosine) / 2.0, -1.0 - cosine, (1.0 + cosine) / 2.0])
    }

    /// Lets through what lies below `corner` Hz.
    pub fn low_pass(corner: f64, rate: u32) -> Butterworth {
        let cosine = (TAU * corner / f64::from(rate)).cos();
        Butterworth::new(corner, rate, [(1.0 - cosine) / 2.0, 1.0 - cosine, (1.0 - cosine) / 2.0])
    }

    /// The bilinear transform of the analogue prototype (R. Bristow-Johnson's cookbook, Q = 1/√2).
    fn new(corner: f64, rate: u32, feed: [f64; 3]) -> Butterworth {
        let (sine, cosine) = (TAU * corner / f64::from(rate)).sin_cos();
        let alpha = sine * FRAC_1_SQRT_2;
        let whole = 1.0 + alpha;
        Butterworth {
            feed: feed.map(|coefficient| coefficient / whole),
            back: [-2.0 * cosine / whole, (1.0 - alpha) / whole],
            state: [0.0; 2],
        }
    }

    /// Filters on from where the last call ended.
    pub fn run(&mut self, samples: &mut [f64]) {
        for sample in samples {
            let input = *sample;
            let output = self.feed[0] * input + self.state[0];
            self.state[0] = self.feed[1] * input - self.back[0] * output + self.state[1];
            self.state[1] = self.feed[2] * input - self.back[1] * output;
            *sample = output;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32) -> Vec<f64> {
        (0..rate).map(|at| (TAU * hertz * f64::from(at) / f64::from(rate)).sin()).collect()
    }

    /// What a filter leaves of a tone, in dB, after it has settled.
    fn left_db(mut filter: Butterworth, hertz: f64) -> f64 {
        let mut samples = tone(hertz, 8_000);
        filter.run(&mut samples);
        let power = |samples: &[f64]| samples.iter().map(|sample| sample * sample).sum::<f64>();
        10.0 * (power(&samples[4_000..]) / 2_000.0).log10()
    }

    #[test]
    fn a_filter_is_three_db_down_at_its_corner_and_steep_beyond() {
        let high = |hertz| left_db(Butterworth::high_pass(150.0, 8_000), hertz);
        let low = |hertz| left_db(Butterworth::low_pass(3_500.0, 8_000), hertz);
        for (left, wanted) in [(high(150.0), -3.0), (low(3_500.0), -3.0), (high(1_000.0), 0.0), (low(1_000.0), 0.0)] {
            assert!((left - wanted).abs() < 0.1, "{left} dB, {wanted} wanted");
        }
        assert!(high(50.0) < -18.0 && low(3_900.0) < -20.0, "{} {}", high(50.0), low(3_900.0));
    }

    #[test]
    fn nothing_is_shifted_or_lost_by_the_change_of_rate() {
        for rate in [11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
            let mut samples = vec![0.0; rate as usize / 2];
            samples[rate as usize / 4] = 1.0;
            let changed = resample(&samples, rate, 8_000).expect("a rate");
            let highest = (0..changed.len()).max_by(|a, b| changed[*a].total_cmp(&changed[*b]));
            assert_eq!(changed.len(), 4_000.max((samples.len() * 8_000).div_ceil(rate as usize)), "{rate} Hz");
            assert!(highest.is_some_and(|at| at.abs_diff(2_000) <= 1), "{rate} Hz: {highest:?}");
        }
    }

    #[test]
    fn what_a_telephone_can_not_carry_does_not_fold_into_what_it_can() {
        let changed = resample(&tone(5_000.0, 48_000), 48_000, 8_000).expect("a rate");
        let loudest = changed[200..7_800].iter().fold(0.0_f64, |most, sample| most.max(sample.abs()));
        assert!(loudest < 0.001, "{loudest}");
    }
}
