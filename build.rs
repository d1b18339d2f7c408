//! Packs the prompts: every WAV that `prompts/manifest.toml` names, as A-law in one blob with an index, so that the
//! binary needs no files. A missing, silent or differently coded file ends the build with one line for each.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fmt::Write as _, fs};

#[path = "src/media/codec.rs"]
#[expect(dead_code, reason = "the build only encodes A-law")]
mod codec;
#[path = "src/prompt/sound.rs"]
#[expect(dead_code, reason = "the build takes its own files whatever their size")]
mod sound;

const MANIFEST: &str = "prompts/manifest.toml";

fn main() -> ExitCode {
    for path in
        ["build.rs", "src/media/codec.rs", "src/prompt/sound.rs", MANIFEST, "prompts/bo", "prompts/zh", "migrations"]
    {
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

fn pack() -> Result<(), Vec<String>> {
    let text = fs::read_to_string(MANIFEST).map_err(|error| vec![format!("{MANIFEST}: {error}")])?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count());
        vec![format!("{MANIFEST}:{line}: {}", error.message())]
    })?;
    let encode: Vec<u8> = (i16::MIN..=i16::MAX).map(codec::alaw_encode).collect();
    let mut blob = Vec::new();
    let mut index = String::from("&[");
    let mut problems = Vec::new();
    for file in files(&table) {
        let start = blob.len();
        match read(file) {
            Ok(samples) => blob.extend(samples.iter().map(|&sample| encode[(i32::from(sample) + 32_768) as usize])),
            Err(what) => problems.push(format!("{MANIFEST}:{}: {file}: {what}", line_naming(&text, file))),
        }
        writeln!(index, "({file:?}, {start}, {}),", blob.len()).expect("a string takes it");
    }
    index.push(']');
    if problems.is_empty() { write(&blob, &index) } else { Err(problems) }
}

/// The files of all prompts in all languages, sorted.
fn files(table: &toml::Table) -> BTreeSet<&str> {
    let prompts = table.values().filter_map(toml::Value::as_table).flat_map(toml::Table::values);
    let lines = prompts.filter_map(toml::Value::as_table).flat_map(toml::Table::values);
    lines.filter_map(|line| line.get("file")?.as_str()).collect()
}

fn read(file: &str) -> Result<Vec<i16>, String> {
    let bytes = fs::read(Path::new("prompts").join(file)).map_err(|error| error.to_string())?;
    let samples = sound::samples(&bytes)?;
    if sound::Level::of(&samples).is_silent() { Err("silent".to_owned()) } else { Ok(samples) }
}

fn line_naming(text: &str, file: &str) -> usize {
    let name = format!("{file:?}");
    text.lines().position(|line| line.contains(&name)).map_or(1, |at| at + 1)
}

fn write(blob: &[u8], index: &str) -> Result<(), Vec<String>> {
    let out = env::var("OUT_DIR").map_err(|error| vec![error.to_string()])?;
    let out = Path::new(&out);
    fs::write(out.join("prompts.alaw"), blob)
        .and_then(|()| fs::write(out.join("prompts.index"), index))
        .map_err(|error| vec![format!("{}: {error}", out.display())])
}
