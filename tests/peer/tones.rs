//! A code book: each prompt of each language is a chord of its own, so a test knows what the caller heard.
//!
//! A chord is three sines out of a grid of 100 Hz steps that leaves out the DTMF band. Multiples of 100 Hz are
//! orthogonal over any window of 10 ms, so 40 ms name a chord without doubt, A-law or not. A clip is 30 ms of
//! silence, 240 ms of chord, 30 ms of silence: two equal clips in a row are still two.

use std::collections::BTreeMap;
use std::path::Path;

use super::signal::{RATE, power, power_at};
use super::wav;

pub const CLIP_MS: u32 = 300;
const EDGE_MS: usize = 30;
const CHORD_MS: usize = 240;
const AMPLITUDE: f64 = 5000.0;
const WINDOW: usize = 320;
const HOP: usize = 80;
/// Windows in a row that make a chord heard: 40 ms and four hops.
const RUN: usize = 5;
/// Unclear windows that a run survives: those a lost packet of 20 ms touches.
const HOLE: usize = 6;

/// What a stretch of sound was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A prompt of the book: `bo/greet.hello`.
    Prompt(String),
    /// A single sine: the tone before a recording.
    Beep,
}

/// A sound, where it began and how long it lasted, in milliseconds of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub sound: Sound,
    pub at_ms: u64,
    pub lasted_ms: u64,
}

/// Which chord is which prompt.
#[derive(Clone, Debug)]
pub struct Book {
    names: Vec<String>,
    by_chord: BTreeMap<[usize; 3], usize>,
}

impl Book {
    /// A chord for every id in each of `bo` and `zh`.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Book {
        let mut names: Vec<String> = ids.into_iter().flat_map(|id| [format!("bo/{id}"), format!("zh/{id}")]).collect();
        names.sort();
        names.dedup();
        let chords = chords();
        assert!(names.len() <= chords.len(), "{} prompts, {} chords", names.len(), chords.len());
        let by_chord = chords.into_iter().take(names.len()).enumerate().map(|(index, chord)| (chord, index)).collect();
        Book { names, by_chord }
    }

    /// A chord for every prompt of a manifest.
    pub fn of_manifest(path: &Path) -> Book {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value: toml::Value = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut ids = Vec::new();
        collect_ids(&value, "", &mut ids);
        assert!(!ids.is_empty(), "{} names no prompt", path.display());
        Book::of(ids.iter().map(String::as_str))
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The clip of `bo/greet.hello`: 300 ms at 8 kHz.
    pub fn clip(&self, name: &str) -> Vec<i16> {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no prompt {name}"));
        let (chord, _) = self.by_chord.iter().find(|(_, at)| **at == index).expect("a chord a name");
        let grid = grid();
        let mut clip = vec![0; EDGE_MS * 8];
        clip.extend((0..CHORD_MS * 8).map(|at| {
            let sum: f64 =
                chord.iter().map(|tone| (std::f64::consts::TAU * grid[*tone] * at as f64 / RATE).sin()).sum();
            rounded(sum * AMPLITUDE)
        }));
        clip.extend(vec![0; EDGE_MS * 8]);
        clip
    }

    /// Writes `bo/ID.wav` and `zh/ID.wav` for every prompt into `folder`.
    pub fn write(&self, folder: &Path) {
        for name in &self.names {
            let path = folder.join(format!("{name}.wav"));
            std::fs::create_dir_all(path.parent().expect("a language")).expect("the prompt folder can be made");
            std::fs::write(&path, wav::write(&self.clip(name))).expect("a prompt can be written");
        }
    }

    /// Everything heard in `sound`.
    pub fn decode(&self, sound: &[i16]) -> Vec<Heard> {
        let mut ear = Ear::new(self.clone());
        ear.push(sound);
        ear.heard().cloned().collect()
    }

    fn name(&self, window: &[i16]) -> Window {
        let total = power(window);
        if total < 60_000.0 {
            return Window::Silent;
        }
        let mut powers: Vec<(f64, usize)> =
            grid().iter().enumerate().map(|(index, frequency)| (power_at(window, *frequency), index)).collect();
        powers.sort_by(|left, right| right.0.total_cmp(&left.0));
        let three: f64 = powers[..3].iter().map(|tone| tone.0).sum();
        let pure = three > total * 0.85 && powers[2].0 > powers[0].0 / 4.0 && powers[3].0 < powers[2].0 / 10.0;
        let loud = powers[2].0 > AMPLITUDE * AMPLITUDE / 2.0 / 8.0;
        if pure && loud {
            let mut chord = [powers[0].1, powers[1].1, powers[2].1];
            chord.sort_unstable();
            let index = self.by_chord.get(&chord);
            return index.map_or(Window::Unclear, |index| Window::Clear(Sound::Prompt(self.names[*index].clone())));
        }
        let strongest = (12..=68).map(|step| power_at(window, f64::from(step) * 25.0)).fold(0.0, f64::max);
        if strongest > total * 0.8 { Window::Clear(Sound::Beep) } else { Window::Unclear }
    }
}

/// What 40 ms are. A lost packet makes windows unclear but none silent, the edges of two clips make one silent.
enum Window {
    Silent,
    Unclear,
    Clear(Sound),
}

/// Windows of one sound in a row.
#[derive(Debug)]
struct Run {
    sound: Sound,
    first: usize,
    count: usize,
    unclear: usize,
}

/// Listens as sound arrives; a sound is reported from the moment it is certain, and grows until it ends.
#[derive(Debug)]
pub struct Ear {
    book: Book,
    pending: Vec<i16>,
    /// Windows looked at so far.
    windows: usize,
    run: Option<Run>,
    done: Vec<Heard>,
}

impl Ear {
    pub fn new(book: Book) -> Ear {
        Ear { book, pending: Vec::new(), windows: 0, run: None, done: Vec::new() }
    }

    pub fn push(&mut self, samples: &[i16]) {
        self.pending.extend(samples);
        let mut at = 0;
        while at + WINDOW <= self.pending.len() {
            let sound = self.book.name(&self.pending[at..at + WINDOW]);
            self.take(sound);
            at += HOP;
        }
        self.pending.drain(..at);
    }

    /// So many samples were never sent: a sender that was late goes on where it was, and so does the sound.
    pub fn skip(&mut self, samples: usize) {
        self.windows += samples / HOP;
    }

    /// Sounds heard so far, the one still going on included.
    pub fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.done.iter()
    }

    /// One window after the other. A run becomes an entry at its fifth window and the entry then grows with it.
    fn take(&mut self, window: Window) {
        let index = self.windows;
        self.windows += 1;
        let sound = match window {
            Window::Clear(sound) => sound,
            Window::Silent => return self.run = None,
            Window::Unclear => {
                self.run.take_if(|run| run.unclear >= HOLE);
                self.run.iter_mut().for_each(|run| run.unclear += 1);
                return;
            }
        };
        let run = match self.run.take() {
            Some(run) if run.sound == sound => Run { count: run.count + 1, unclear: 0, ..run },
            _ => Run { sound, first: index, count: 1, unclear: 0 },
        };
        let lasted_ms = (index - run.first) as u64 * 10 + 40;
        if run.count == RUN {
            self.done.push(Heard { sound: run.sound.clone(), at_ms: run.first as u64 * 10, lasted_ms });
        } else if run.count > RUN {
            self.done.last_mut().expect("pushed at the fifth window").lasted_ms = lasted_ms;
        }
        self.run = Some(run);
    }
}

/// 300-600 Hz and 1700-3400 Hz: no pair in it can be taken for a key.
fn grid() -> &'static [f64; 22] {
    const GRID: [f64; 22] = {
        let mut grid = [0.0; 22];
        let mut index = 0;
        while index < 22 {
            grid[index] = if index < 4 { 300.0 } else { 1300.0 } + 100.0 * index as f64;
            index += 1;
        }
        grid
    };
    &GRID
}

fn chords() -> Vec<[usize; 3]> {
    let count = grid().len();
    (0..count)
        .flat_map(|low| (low + 1..count).flat_map(move |mid| (mid + 1..count).map(move |high| [low, mid, high])))
        .collect()
}

/// A prompt is a table with a text in a language; its id is the path of keys that leads to it.
fn collect_ids(value: &toml::Value, path: &str, ids: &mut Vec<String>) {
    let Some(table) = value.as_table() else { return };
    let speaks = |language: &str| table.get(language).is_some_and(|text| text.get("text").is_some());
    if speaks("bo") || speaks("zh") {
        return ids.push(path.to_owned());
    }
    for (key, inner) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        collect_ids(inner, &path, ids);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "three amplitudes stay inside 16 bits")]
fn rounded(value: f64) -> i16 {
    value.round() as i16
}

#[cfg(test)]
mod tests {
    use super::super::g711::Law;
    use super::super::signal;
    use super::*;

    fn book() -> Book {
        let ids: Vec<String> = (0..420).map(|index| format!("prompt.{index}")).collect();
        Book::of(ids.iter().map(String::as_str))
    }

    fn names(heard: &[Heard]) -> Vec<String> {
        heard
            .iter()
            .map(|heard| match &heard.sound {
                Sound::Prompt(name) => name.clone(),
                Sound::Beep => "beep".into(),
            })
            .collect()
    }

    fn through(law: Law, sound: &[i16]) -> Vec<i16> {
        law.decode_all(&law.encode_all(sound))
    }

    #[test]
    fn every_prompt_is_known_through_both_laws_also_when_cut_in_half() {
        let book = book();
        for (index, name) in book.names.iter().enumerate() {
            let law = if index % 2 == 0 { Law::A } else { Law::Mu };
            let clip = through(law, &book.clip(name));
            let wanted = std::slice::from_ref(name);
            assert_eq!(names(&book.decode(&clip)), wanted);
            assert_eq!(names(&book.decode(&clip[..clip.len() / 2])), wanted, "the first half");
            assert_eq!(names(&book.decode(&clip[clip.len() / 2..])), wanted, "the second half");
        }
    }

    #[test]
    fn clips_without_gaps_at_any_offset_are_told_apart() {
        let book = book();
        for shift in [0, 13, 40, 79] {
            let mut sound = vec![0; shift];
            let order = [5, 5, 5, 700, 5, 701, 702, 0, 0];
            for index in order {
                sound.extend(book.clip(&book.names[index]));
            }
            sound.extend(vec![0; 400]);
            let wanted: Vec<String> = order.iter().map(|index| book.names[*index].clone()).collect();
            assert_eq!(names(&book.decode(&through(Law::A, &sound))), wanted, "shifted by {shift} samples");
        }
    }

    #[test]
    fn ids_are_the_paths_of_a_manifests_tables() {
        let text = "[lang.zh]\nzh = { text = 'a' }\nbo = { text = 'b' }\n[lang.bo]\nbo = { text = 'c' }\n[press.0]\nzh = { text = '-' }";
        let mut ids = Vec::new();
        collect_ids(&toml::from_str(text).expect("TOML"), "", &mut ids);
        assert_eq!(ids, ["lang.bo", "lang.zh", "press.0"]);
    }

    #[test]
    fn a_late_sender_does_not_make_two_of_one() {
        let (book, name) = (book(), "zh/prompt.7");
        let clip = book.clip(name);
        let mut ear = Ear::new(book);
        ear.push(&clip[..1200]);
        ear.skip(1600);
        ear.push(&clip[1200..]);
        let heard: Vec<Heard> = ear.heard().cloned().collect();
        assert_eq!(names(&heard), [name]);
        assert!((400..500).contains(&heard[0].lasted_ms), "{heard:?}");
    }

    #[test]
    fn a_lost_packet_does_not_make_two_of_one() {
        let book = book();
        let mut clip = book.clip(&book.names[300]);
        clip[1000..1160].fill(0);
        assert_eq!(names(&book.decode(&clip)), [book.names[300].clone()]);
    }

    #[test]
    fn talk_and_keys_are_no_prompt_and_a_prompt_is_no_key() {
        let book = book();
        for seed in 0..5 {
            assert_eq!(book.decode(&through(Law::A, &signal::talk(seed, 3000))), []);
        }
        for digit in "0123456789*#".chars() {
            assert_eq!(book.decode(&signal::key(digit, 200)), []);
        }
        for name in &book.names {
            assert_eq!(signal::keys_in(&book.clip(name)), "");
        }
        assert_eq!(names(&book.decode(&signal::sine(1000.0, 8000.0, 300))), ["beep"]);
    }
}
