//! Packs the prompts: every WAV that `prompts/manifest.toml` names, as A-law in one blob with an index, so that the
//! binary needs no files. A missing, silent or differently coded file, and one that says another text than its line,
//! end the build with one line for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fmt::Write as _, fs};

#[path = "src/media/codec.rs"]
#[expect(dead_code, reason = "the build only encodes A-law")]
mod codec;
#[path = "src/language.rs"]
#[expect(dead_code, reason = "the build only names languages")]
mod language;
#[path = "src/prompt/manifest/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the build wants only files and texts")]
mod manifest;
#[path = "src/prompt/problem.rs"]
mod problem;
#[path = "src/prompt/sound.rs"]
#[expect(dead_code, reason = "the build takes its own files whatever their size")]
mod sound;
#[path = "src/prompt/text.rs"]
mod text;

use manifest::{Line, Manifest};
use problem::Problem;
use sound::{Level, Sound};

const FOLDER: &str = "prompts";
const MANIFEST: &str = "prompts/manifest.toml";

/// Whose change makes a new pack; the migrations are read by a macro of the crate.
const READ: [&str; 11] = [
    "build.rs",
    "src/language.rs",
    "src/media/codec.rs",
    "src/prompt/manifest",
    "src/prompt/problem.rs",
    "src/prompt/sound.rs",
    "src/prompt/text.rs",
    MANIFEST,
    "prompts/bo",
    "prompts/zh",
    "migrations",
];

fn main() -> ExitCode {
    for path in READ {
        println!("cargo::rerun-if-changed={path}");
    }
    match pack() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn pack() -> Result<(), Vec<Problem>> {
    let text = fs::read_to_string(MANIFEST).map_err(|error| vec![whole(MANIFEST, error)])?;
    let manifest = Manifest::parse(&text, MANIFEST)?;
    let (mut pack, mut problems) = (Pack::new(), Vec::new());
    for (id, language, line) in manifest.lines() {
        if let Err(what) = pack.add(line) {
            let what = format!("{id} in {language}: {}: {what}", line.file);
            problems.push(Problem { file: MANIFEST.to_owned(), line: line.at, what });
        }
    }
    if problems.is_empty() { pack.write().map_err(|problem| vec![problem]) } else { Err(problems) }
}

/// The sounds one after the other.
struct Pack {
    /// The A-law octet of each sample from the lowest on: a table is quicker than unoptimised code.
    encode: Vec<u8>,
    blob: Vec<u8>,
    /// First byte and byte after the last, by file.
    index: BTreeMap<String, (usize, usize)>,
}

impl Pack {
    fn new() -> Pack {
        let encode = (i16::MIN..=i16::MAX).map(codec::alaw_encode).collect();
        Pack { encode, blob: Vec::new(), index: BTreeMap::new() }
    }

    /// Takes in the file of a line.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn add(&mut self, line: &Line) -> Result<(), String> {
        let bytes = fs::read(Path::new(FOLDER).join(&line.file)).map_err(|error| error.to_string())?;
        let sound = Sound::read(&bytes)?;
        if Level::of(&sound.samples).is_silent() {
            return Err("silent".to_owned());
        }
        if let Some(disagreement) = sound.disagreement(&line.text) {
            return Err(disagreement);
        }
        let start = self.blob.len();
        let octet = |sample: &i16| self.encode[(i32::from(*sample) - i32::from(i16::MIN)) as usize];
        self.blob.extend(sound.samples.iter().map(octet));
        self.index.insert(line.file.clone(), (start, self.blob.len()));
        Ok(())
    }

    /// Writes the blob and the index, which is Rust, into the folder of the build.
    fn write(&self) -> Result<(), Problem> {
        let mut index = String::from("&[");
        for (file, (start, end)) in &self.index {
            writeln!(index, "({file:?}, {start}, {end}),").expect("a string takes it");
        }
        index.push(']');
        let out = env::var("OUT_DIR").map_err(|error| whole("OUT_DIR", error))?;
        let write = |name: &str, bytes: &[u8]| fs::write(Path::new(&out).join(name), bytes);
        write("prompts.alaw", &self.blob)
            .and_then(|()| write("prompts.index", index.as_bytes()))
            .map_err(|error| whole(&out, error))
    }
}

fn whole(file: &str, what: impl ToString) -> Problem {
    Problem { file: file.to_owned(), line: 0, what: what.to_string() }
}
