//! Is what was recorded what was said? Normalised cross-correlation after alignment.

/// How two sounds lie to one another: `recorded[i]` is `sent[i + offset]`.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    pub offset: isize,
    /// 1.0 is the same shape, 0.0 unrelated; over the samples both have.
    pub correlation: f64,
    /// Samples both have.
    pub overlap: usize,
}

/// The second of `recorded` with the most energy is looked for in `sent`, then the whole is compared there.
pub fn align(sent: &[i16], recorded: &[i16]) -> Match {
    let length = 8000.min(recorded.len()).min(sent.len());
    if length == 0 {
        return Match { offset: 0, correlation: 0.0, overlap: 0 };
    }
    let sent: Vec<f32> = sent.iter().map(|sample| f32::from(*sample)).collect();
    let recorded: Vec<f32> = recorded.iter().map(|sample| f32::from(*sample)).collect();
    let probe_at = loudest(&recorded, length);
    let probe = &recorded[probe_at..probe_at + length];
    let best = (0..=sent.len() - length)
        .map(|at| (at, correlation(&sent[at..at + length], probe)))
        .max_by(|left, right| left.1.total_cmp(&right.1))
        .expect("at least one place");
    let offset = best.0.cast_signed() - probe_at.cast_signed();
    let from = (-offset).max(0).cast_unsigned();
    let to = recorded.len().min((sent.len().cast_signed() - offset).max(0).cast_unsigned());
    let overlap = to - from;
    let start = (from.cast_signed() + offset).cast_unsigned();
    let correlation = correlation(&sent[start..start + overlap], &recorded[from..to]);
    Match { offset, correlation: f64::from(correlation), overlap }
}

/// Fails unless at least `least_ms` of `sent` are in `recorded` with a correlation over 0.99.
#[track_caller]
pub fn assert_same_sound(sent: &[i16], recorded: &[i16], least_ms: usize) -> Match {
    let found = align(sent, recorded);
    assert!(
        found.correlation > 0.99 && found.overlap >= least_ms * 8,
        "{found:?} of {} ms sent and {} ms recorded, at least {least_ms} ms wanted",
        sent.len() / 8,
        recorded.len() / 8
    );
    found
}

fn loudest(sound: &[f32], length: usize) -> usize {
    (0..=sound.len() - length)
        .step_by(400)
        .map(|at| (at, sound[at..at + length].iter().map(|sample| sample * sample).sum::<f32>()))
        .max_by(|left, right| left.1.total_cmp(&right.1))
        .map_or(0, |found| found.0)
}

fn correlation(left: &[f32], right: &[f32]) -> f32 {
    let (mut product, mut left_power, mut right_power) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (left, right) in left.iter().zip(right) {
        product += left * right;
        left_power += left * left;
        right_power += right * right;
    }
    let norm = (left_power * right_power).sqrt();
    if norm > 0.0 { product / norm } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::g711::Law;
    use super::super::signal::talk;
    use super::*;

    #[test]
    fn a_shifted_copy_through_a_law_is_the_same_sound() {
        let sent = talk(7, 4000);
        let heard = Law::A.decode_all(&Law::A.encode_all(&sent));
        let mut late = vec![8; 1234];
        late.extend(&heard[..24_000]);
        assert_eq!(assert_same_sound(&sent, &late, 3000).offset, -1234);
        assert_eq!(assert_same_sound(&sent, &heard[800..], 3900).offset, 800);
    }

    #[test]
    fn another_voice_or_a_hole_of_200_ms_is_not() {
        let sent = talk(7, 3000);
        assert!(align(&sent, &talk(8, 3000)).correlation < 0.5);
        let mut holed = sent.clone();
        holed.drain(8000..9600);
        assert!(align(&sent, &holed).correlation < 0.9);
    }
}
