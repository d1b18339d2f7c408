//! A gentle limiter: the gain sinks before a peak and rises after it, so that no wave is cut flat.

/// -3 dBFS.
pub const CEILING: f64 = 0.707_945_784_384_137_9;
/// -6 dBFS: above it a peak is held back, the more the higher it is.
const KNEE: f64 = 0.501_187_233_627_272_2;
/// The gain moves within so many samples before and after a peak: 2.5 ms at 8 kHz.
const REACH: usize = 20;

/// Brings every sample below [`CEILING`]. Returns the most that was taken from any, in dB; 0 when nothing was.
pub fn limit(samples: &mut [f64]) -> f64 {
    let wanted: Vec<f64> = samples.iter().map(|sample| gain(sample.abs())).collect();
    let held = around(&wanted, |near| near.iter().fold(1.0, |least: f64, gain| least.min(*gain)));
    let smooth = around(&held, |near| near.iter().sum::<f64>() / near.len() as f64);
    for (sample, gain) in samples.iter_mut().zip(&smooth) {
        *sample *= gain;
    }
    let least = smooth.iter().fold(1.0, |least: f64, gain| least.min(*gain));
    if least < 1.0 { -20.0 * least.log10() } else { 0.0 }
}

/// The gain that a peak of this height bears: 1 up to the knee, from there on a curve that nears the ceiling.
fn gain(height: f64) -> f64 {
    if height <= KNEE {
        return 1.0;
    }
    let room = CEILING - KNEE;
    (KNEE + room * ((height - KNEE) / room).tanh()) / height
}

/// What `of` makes of the values within [`REACH`] of each one. The mean of minima is never above the value itself,
/// since each of those minima has seen it.
fn around(values: &[f64], of: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let near = |at: usize| &values[at.saturating_sub(REACH)..(at + REACH + 1).min(values.len())];
    (0..values.len()).map(|at| of(near(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_the_knee_is_left_alone() {
        let quiet: Vec<f64> = (0..400).map(|at| 0.5 * (f64::from(at) / 5.0).sin()).collect();
        let mut limited = quiet.clone();
        assert_eq!(limit(&mut limited), 0.0);
        assert_eq!(limited, quiet);
    }

    #[test]
    fn a_peak_sinks_below_the_ceiling_without_a_flat_top() {
        for height in [0.6, 0.8, 1.0, 3.0, 50.0] {
            let mut samples: Vec<f64> = (0..400).map(|at| height * (f64::from(at) / 5.0).sin()).collect();
            let taken = limit(&mut samples);
            let highest = samples.iter().fold(0.0_f64, |most, sample| most.max(sample.abs()));
            assert!(highest < CEILING + 1e-9 && taken > 0.0, "{height}: {highest}, {taken} dB");
            let flat = samples.windows(3).filter(|three| three[1].abs() > 0.4 && three[0] == three[1]).count();
            assert_eq!(flat, 0, "{height}");
        }
    }

    #[test]
    fn the_gain_is_back_after_five_milliseconds() {
        let mut samples = vec![0.1; 400];
        samples[200] = 2.0;
        limit(&mut samples);
        assert_eq!((samples[200 - 2 * REACH - 1], samples[200 + 2 * REACH + 1]), (0.1, 0.1));
        assert!(samples[200] <= CEILING && samples[195] < 0.1);
    }
}
