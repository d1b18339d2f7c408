use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;

/// Noise in syllables of 120 to 300 ms with short gaps, as a voice has them, one second of silence before and after;
/// `peak_db` is where its highest sample lies.
fn speech(rate: u32, channels: u16, peak_db: f64, seed: u64) -> Studio {
    let (mut state, mut low, mut at) = (seed | 1, 0.0, 0);
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    let mut sound = vec![0.0; rate as usize];
    for _ in 0..6 {
        let length = (f64::from(rate) * (0.21 + 0.09 * noise())) as usize;
        for within in 0..length {
            let swell = (TAU / 2.0 * within as f64 / length as f64).sin();
            let voice = (TAU * 220.0 * at as f64 / f64::from(rate)).sin();
            low += (noise() - low) * (TAU * 1_500.0 / f64::from(rate)).min(1.0);
            sound.push(swell * (0.6 * voice + low));
            at += 1;
        }
        sound.extend(vec![0.0; rate as usize / 25]);
    }
    sound.extend(vec![0.0; rate as usize]);
    let gain = 10_f64.powf(peak_db / 20.0) / super::peak(&sound);
    let frames = sound.iter().map(|sample| (sample * gain) as f32);
    let samples = frames.flat_map(|sample| std::iter::repeat_n(sample, usize::from(channels))).collect();
    Studio { samples, rate, channels }
}

fn tone(hertz: f64, rate: u32, height: f64) -> Studio {
    let sample = |at: u32| (height * (TAU * hertz * f64::from(at) / f64::from(rate)).sin()) as f32;
    Studio { samples: (0..rate).map(sample).collect(), rate, channels: 1 }
}

/// How much of the sound's power one frequency has.
fn share(samples: &[i16], hertz: f64) -> f64 {
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().copied().map(f64::from).enumerate() {
        let angle = TAU * hertz * at as f64 / f64::from(RATE);
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
        power += sample * sample;
    }
    2.0 * (sine * sine + cosine * cosine) / (power * samples.len() as f64)
}

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn speech_of_any_level_rate_and_channels_comes_out_at_the_one_level(
        rate in 0..RATES.len(), channels in 1_u16..=2, peak_db in -50.0..-0.1, seed: u64
    ) {
        let mastered = master(&speech(RATES[rate], channels, peak_db, seed), Kind::Phrase).expect("a prompt");
        let level = Level::of(&mastered.samples);
        prop_assert!((level.active_dbov - ACTIVE_DBOV).abs() < 1.0, "{level:?}");
        prop_assert!(level.peak_dbfs <= -2.8, "{level:?}");
        prop_assert_eq!(level, mastered.report.level);
        let (before, after) = mastered.report.trimmed_s;
        prop_assert!((0.9..1.0).contains(&before) && (0.8..1.0).contains(&after), "{before} {after}");
    }

    #[test]
    fn a_tone_keeps_its_frequency(rate in 0..RATES.len(), height in 0.01_f64..0.9) {
        let mastered = master(&tone(1_000.0, RATES[rate], height), Kind::Phrase).expect("a prompt");
        let middle = &mastered.samples[1_000..7_000];
        prop_assert!(share(middle, 1_000.0) > 0.999, "{}", share(middle, 1_000.0));
        prop_assert!(share(middle, 1_001.0) < 0.9);
    }

    #[test]
    fn no_sound_whatever_it_is_passes_the_ceiling(
        rate in 8_000_u32..=192_000, channels in 1_u16..=3, samples in prop::collection::vec(-1.5_f32..1.5, 0..6_000)
    ) {
        if let Ok(mastered) = master(&Studio { samples, rate, channels }, Kind::Part) {
            let peak = mastered.samples.iter().map(|sample| sample.unsigned_abs()).max();
            prop_assert!(peak.is_some_and(|peak| f64::from(peak) <= 32_768.0 * limit::CEILING * 1.023), "{peak:?}");
        }
    }
}

#[test]
fn a_sentence_brings_more_silence_than_a_part_of_a_number() {
    for (id, before, after) in [("menu.head", 400, 960), ("digit.7", 80, 160), ("pair_end.42", 80, 160)] {
        let mastered = master(&tone(1_000.0, 48_000, 0.5), Kind::of(id)).expect("a prompt");
        let loud = |sample: &i16| sample.unsigned_abs() > 500;
        let first = mastered.samples.iter().position(loud).expect("a tone");
        let last = mastered.samples.iter().rposition(loud).expect("a tone");
        assert!(first.abs_diff(before) < 40, "{id}: {first} samples before");
        assert!((mastered.samples.len() - last).abs_diff(after) < 40, "{id}: {last} of {}", mastered.samples.len());
    }
}

#[test]
fn the_noise_of_a_room_is_cut_like_silence() {
    let mut seed = 12_345_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    for rate in [16_000, 48_000] {
        let mut studio = speech(rate, 1, -10.0, 9);
        // evenly spread: its power is a third of its height's
        let height = 3_f64.sqrt() * 10_f64.powf(-55.0 / 20.0);
        studio.samples.iter_mut().for_each(|sample| *sample += (height * noise()) as f32);
        let (before, after) = master(&studio, Kind::Phrase).expect("a prompt").report.trimmed_s;
        assert!((0.9..1.0).contains(&before) && (0.8..1.0).contains(&after), "{rate} Hz: {before} {after}");
    }
}

#[test]
fn it_begins_and_ends_without_a_click() {
    let mastered = master(&tone(1_000.0, 8_000, 0.5), Kind::Phrase).expect("a prompt");
    let steps = mastered.samples.windows(2).map(|two| two[0].abs_diff(two[1]));
    let within = mastered.samples[2_000..2_100].windows(2).map(|two| two[0].abs_diff(two[1])).max();
    assert!(steps.max() <= within.map(|step| step + 50), "no step is steeper than those of the tone");
}

#[test]
fn hum_and_hiss_are_taken_out() {
    let mut studio = tone(1_000.0, 48_000, 0.3);
    for (at, sample) in studio.samples.iter_mut().enumerate() {
        let angle = TAU * at as f64 / 48_000.0;
        *sample += (0.3 * (angle * 50.0).sin() + 0.3 * (angle * 6_000.0).sin()) as f32;
    }
    let mastered = master(&studio, Kind::Phrase).expect("a prompt");
    let middle = &mastered.samples[1_000..7_000];
    assert!(share(middle, 1_000.0) > 0.98 && share(middle, 50.0) < 0.02, "{}", share(middle, 50.0));
    assert!(share(middle, 2_000.0) < 1e-4, "6 kHz would fold to 2");
}

#[test]
fn what_can_not_become_a_prompt_is_refused() {
    let clipped = |places: usize| {
        let mut studio = tone(440.0, 48_000, 0.5);
        for at in 0..places {
            studio.samples[9_600 + at * 960..][..3].fill(-1.0);
        }
        master(&studio, Kind::Phrase)
    };
    assert!(clipped(2).is_ok());
    let error = clipped(3).err().map(|unfit| unfit.to_string());
    assert_eq!(error.as_deref(), Some("clipped in 3 places, first at 0.20 s: record it again at a lower level"));
    let in_both = |places: usize| {
        let mut studio = Studio { channels: 2, ..tone(440.0, 96_000, 0.5) };
        (0..places).for_each(|at| studio.samples[19_200 + at * 1_920..][..6].fill(-1.0));
        master(&studio, Kind::Phrase)
    };
    assert!(in_both(2).is_ok(), "two places in each of two channels are not four");
    assert_eq!(in_both(3).err(), Some(Unfit::Clipped { places: 3, first_s: 9_602.0 / 96_000.0 }));

    let studio = |samples| Studio { samples, rate: 48_000, channels: 1 };
    let mut click = vec![0.0; 48_000];
    click[24_000..24_960].fill(0.5);
    let steady = vec![0.3; 48_000];
    for (samples, wanted) in [
        (vec![], "there is no sound in it"),
        (tone(440.0, 48_000, 0.0009).samples, "silent: it peaks at -61 dBFS"),
        (steady, "silent: it peaks at -inf dBFS"),
    ] {
        let said = master(&studio(samples), Kind::Phrase).err().map(|unfit| unfit.to_string());
        assert_eq!(said.as_deref(), Some(wanted));
    }
    let short = master(&studio(click), Kind::Phrase).err();
    assert!(matches!(short, Some(Unfit::Short { ms: 15..45 })), "{short:?}");
    let two_minutes = Studio { samples: tone(440.0, 8_000, 0.5).samples.repeat(120), rate: 8_000, channels: 1 };
    assert_eq!(master(&two_minutes, Kind::Phrase).err(), Some(Unfit::Long { s: 120 }));
}

#[test]
fn the_report_reads_as_one_line() {
    let studio = speech(48_000, 2, -40.0, 7);
    let report = master(&studio, Kind::Phrase).expect("a prompt").report.to_string();
    assert!(report.starts_with("48 kHz to 8, 2 channels mixed, 0.9"), "{report}");
    assert!(report.contains(" s after, +30.") && report.ends_with(" s at -21.0 dBov"), "{report}");
    let plain = master(&tone(1_000.0, 8_000, 0.2), Kind::Phrase).expect("a prompt").report.to_string();
    assert!(plain.starts_with("-") || plain.starts_with("+"), "nothing else was changed: {plain}");
}
