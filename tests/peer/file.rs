//! Listening to a WAV file while another program is still writing it.

use std::path::PathBuf;
use std::time::Duration;

use super::call::name;
use super::time::{left, millis, now};
use super::tones::{Book, Ear, Heard};

/// A mono file of 16 bits at 8 kHz with a plain 44-byte header that need not be right yet.
pub struct GrowingFile {
    find: Box<dyn Fn() -> Option<PathBuf> + Send>,
    ear: Option<Ear>,
    /// Samples the ear has had.
    fed: usize,
    /// Sounds already waited for.
    taken: usize,
}

impl GrowingFile {
    /// `find` tells the file's path as soon as there is one.
    pub fn new(find: impl Fn() -> Option<PathBuf> + Send + 'static) -> GrowingFile {
        GrowingFile { find: Box::new(find), ear: None, fed: 0, taken: 0 }
    }

    pub fn samples(&self) -> Vec<i16> {
        let bytes = (self.find)().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        let data = bytes.get(44..).unwrap_or_default();
        data.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
    }

    /// Everything heard so far; only what is new in the file is listened to.
    pub fn heard(&mut self, book: &Book) -> Vec<Heard> {
        let samples = self.samples();
        let ear = self.ear.get_or_insert_with(|| Ear::new(book.clone()));
        ear.push(samples.get(self.fed..).unwrap_or_default());
        self.fed = samples.len();
        ear.heard().cloned().collect()
    }

    /// Waits for `prompt` among the sounds after the one waited for before.
    #[track_caller]
    pub fn hears(&mut self, book: &Book, prompt: &str, within: Duration) {
        let deadline = now() + within;
        loop {
            let heard = self.heard(book);
            let new = heard.iter().skip(self.taken);
            if let Some(at) = new.clone().position(|heard| name(&heard.sound) == prompt) {
                self.taken += at + 1;
                return;
            }
            let names: Vec<&str> = heard.iter().map(|heard| name(&heard.sound)).collect();
            assert!(!left(deadline).is_zero(), "no {prompt} within {within:?}, heard {names:?}");
            std::thread::park_timeout(millis(50));
        }
    }

    /// Waits until the file has grown by so many milliseconds.
    #[track_caller]
    pub fn grows(&self, ms: usize, within: Duration) {
        let (wanted, deadline) = (self.samples().len() + ms * 8, now() + within);
        while self.samples().len() < wanted {
            assert!(!left(deadline).is_zero(), "the file did not grow by {ms} ms within {within:?}");
            std::thread::park_timeout(millis(50));
        }
    }
}
