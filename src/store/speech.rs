//! How long somebody spoke: loudness, 20 ms at a time.
//!
//! The threshold is fixed, while that of a running call follows the line's noise: loud noise counts as speech here. So a
//! repair errs on the side of a ticket.

/// 20 ms at 8 kHz.
const FRAME: usize = 160;
const FRAME_MS: u64 = 20;

/// The root mean square from which a frame is speech: 44 dB under full scale. Quiet speech on a phone line lies
/// around -35 dB, a line's noise under -50 dB. In doubt it is speech: a needless ticket costs less than a lost one.
const LOUD: u64 = 200;

/// So many quiet frames after a loud one still belong to the word.
const HANGOVER: u32 = 10;

/// Adds up speech, frame by frame.
#[derive(Clone, Debug, Default)]
pub struct SpeechMeter {
    frames: u64,
    hangover: u32,
}

impl SpeechMeter {
    /// Takes the next 20 ms of 16-bit samples at 8 kHz.
    pub fn push(&mut self, frame: &[i16]) {
        if is_loud(frame) {
            self.hangover = HANGOVER;
            self.frames += 1;
        } else if self.hangover > 0 {
            self.hangover -= 1;
            self.frames += 1;
        }
    }

    pub fn speech_ms(&self) -> u64 {
        self.frames * FRAME_MS
    }
}

/// Milliseconds of speech in 16-bit samples at 8 kHz.
pub fn speech_ms(samples: &[i16]) -> u64 {
    let mut meter = SpeechMeter::default();
    samples.chunks(FRAME).for_each(|frame| meter.push(frame));
    meter.speech_ms()
}

fn is_loud(frame: &[i16]) -> bool {
    let energy: u64 = frame.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
    energy > LOUD * LOUD * frame.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f64, ms: usize) -> Vec<i16> {
        (0..ms * 8).map(|at| (amplitude * (at as f64 * 0.7).sin()) as i16).collect()
    }

    #[test]
    fn silence_and_line_noise_are_no_speech() {
        assert_eq!(speech_ms(&[]), 0);
        assert_eq!(speech_ms(&[0; 8_000]), 0);
        assert_eq!(speech_ms(&tone(60.0, 5_000)), 0);
    }

    #[test]
    fn talk_counts_with_the_gaps_inside_words() {
        let word: Vec<i16> = [tone(3_000.0, 200), tone(0.0, 100)].concat();
        assert_eq!(speech_ms(&word.repeat(10)), 3_000);
        assert_eq!(speech_ms(&tone(600.0, 3_000)), 3_000);
    }

    #[test]
    fn long_gaps_do_not_count() {
        let one: Vec<i16> = [tone(3_000.0, 400), tone(0.0, 2_000)].concat();
        assert_eq!(speech_ms(&one), 600);
    }
}
