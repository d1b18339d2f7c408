//! What all calls run on: the real flow, and prompts of a fifth of a second at most.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hotline::call::Setup;
use hotline::ivr::Flow;
use hotline::language::Language;
use hotline::media::clip::Clip;
use hotline::media::tone;
use hotline::prompt::Prompts;

const FLOW: &str = include_str!("../../../prompts/flows/inbound.toml");
const VISIT: &str = include_str!("../../../prompts/flows/visit.toml");

/// The longest call in each setup, and whether whole calls are kept.
const KINDS: [(u64, bool); 4] = [(25, true), (90, true), (300, false), (900, true)];

static SETUPS: LazyLock<[Arc<Setup>; KINDS.len()]> = LazyLock::new(|| {
    let prompts = Arc::new(short_prompts());
    KINDS.map(|(longest_s, record_calls)| {
        Arc::new(Setup {
            synthetic: true,
            flow: Flow::parse(FLOW, "inbound.toml").expect("the built-in flow is sound"),
            prompts: Arc::clone(&prompts),
            beep: Arc::new(tone::beep()),
            record_calls,
            keep_early: true,
            visit_synthetic: true,
            visit: Flow::parse(VISIT, "visit.toml").expect("the built-in flow is sound"),
            longest_call: Duration::from_secs(longest_s),
        })
    })
});

pub fn setup(kind: usize) -> Arc<Setup> {
    Arc::clone(&SETUPS[kind % KINDS.len()])
}

/// A sound of so many milliseconds.
pub fn sound(ms: u32) -> Clip {
    Clip::from_linear(&samples(ms))
}

fn samples(ms: u32) -> Vec<i16> {
    (0..ms * 8).map(|n| if n % 16 < 8 { 3_000 } else { -3_000 }).collect()
}

/// Every prompt of the pack, 40 to 200 ms long.
fn short_prompts() -> Prompts {
    let folder = std::env::temp_dir().join(format!("hotline-sim-{}", std::process::id()));
    let embedded = Prompts::embedded();
    for language in Language::ALL {
        let of_language = folder.join(language.code());
        std::fs::create_dir_all(&of_language).expect("a folder for prompts");
        for (n, id) in embedded.ids().enumerate() {
            let ms = 40 + 20 * (n as u32 % 9);
            write(&of_language.join(format!("{id}.wav")), &samples(ms));
        }
    }
    let prompts = Prompts::load(&folder).expect("short prompts");
    std::fs::remove_dir_all(&folder).expect("the folder of prompts goes");
    prompts
}

fn write(path: &Path, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("a prompt's file");
    for sample in samples {
        file.write_sample(*sample).expect("a sample");
    }
    file.finalize().expect("a prompt");
}
