//! Folders with prompts, for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Problem, Prompts, check};

/// A folder of its own for a test, with the folders of both languages; gone afterwards.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hotline-prompts-{}-{number}-{name}", std::process::id()));
        for language in ["bo", "zh"] {
            fs::create_dir_all(path.join(language)).expect("a folder");
        }
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), bytes).expect("a file");
    }

    pub(crate) fn load(&self) -> Prompts {
        Prompts::load(&self.0).expect("prompts")
    }

    /// The prompts of the folder alone.
    pub(crate) fn standing(&self) -> Prompts {
        let (prompts, problems) = check::folder(&self.0);
        assert_eq!(problems, []);
        prompts
    }

    /// What loading the folder is refused for.
    pub(crate) fn problems(&self) -> Vec<String> {
        said(&Prompts::load(&self.0).expect_err("a mistake"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is wrong, without the places.
pub(crate) fn said(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.what.clone()).collect()
}

/// Half a second at this rate; 3,000 is as loud as a prompt.
pub(crate) fn wav(rate: u32, amplitude: i16) -> Vec<u8> {
    wav_of(rate, (0..rate / 2).map(|at| if at / 8 % 2 == 0 { amplitude } else { -amplitude }), "")
}

/// The sound of a prompt of so many milliseconds that says `text`; nothing is noted of an empty one.
pub(crate) fn spoken(ms: u32, text: &str) -> Vec<u8> {
    wav_of(8_000, (0..ms * 8).map(|at| if at / 8 % 2 == 0 { 3_000 } else { -3_000 }), text)
}

pub(crate) fn wav_of(rate: u32, samples: impl Iterator<Item = i16>, text: &str) -> Vec<u8> {
    let chunk = |name: &[u8; 4], body: &[u8]| {
        let size = u32::try_from(body.len()).expect("a short file").to_le_bytes();
        [&name[..], &size, body, &[0][..body.len() % 2]].concat()
    };
    let format = [&[1, 0, 1, 0][..], &rate.to_le_bytes(), &(rate * 2).to_le_bytes(), &[2, 0, 16, 0]].concat();
    let info = [b"INFO".to_vec(), chunk(b"ICMT", format!("{text}\0").as_bytes())].concat();
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let body = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"LIST", &info), chunk(b"data", &data)].concat();
    chunk(b"RIFF", &body)
}
