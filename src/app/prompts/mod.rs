//! `hotline prompts`: the prompts of both languages, for those who record, check and hear them.

mod check;
mod import;
mod list;
mod script;
mod sound;
pub(super) mod width;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use super::configured::Configured;
use super::print::print;
use crate::config;
use crate::prompt::{Problem, Prompts};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is said, by whom, how long and how loud.
    List(list::Arguments),
    /// Check the prompts: their texts, files, hashes, levels and lengths.
    Check(check::Arguments),
    /// Write the reading script of a voice actor: one HTML page to print.
    Script(script::Arguments),
    /// Make prompts of studio recordings: filtered, trimmed, levelled and noted in the manifest.
    Import(import::Arguments),
    /// Write a prompt as a caller hears it.
    Play(sound::Play),
    /// Read a number, a date or a time aloud: shows the prompts it is put together from and writes the sound.
    Say(sound::Say),
}

/// Which prompts a command is about.
#[derive(Debug, clap::Args)]
struct Source {
    #[command(flatten)]
    configured: Configured,
    /// Folder whose prompts stand in the place of the built-in ones [default: `[prompts] folder` of the configuration]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Does what is asked.
///
/// # Errors
/// What can't be used, or the environment's refusal.
pub fn prompts(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::List(list) => list.run(),
        Command::Check(check) => check.run(),
        Command::Script(script) => script.run(),
        Command::Import(import) => import.run(),
        Command::Play(play) => play.run(),
        Command::Say(say) => say.run(),
    }
}

impl Source {
    /// The folder that is named, else the configured one.
    fn folder(&self) -> Result<Option<PathBuf>, Failure> {
        match &self.folder {
            Some(folder) => Ok(Some(folder.clone())),
            None => configured_folder(&self.configured),
        }
    }

    fn prompts(&self) -> Result<Arc<Prompts>, Failure> {
        let Some(folder) = self.folder()? else { return Ok(Prompts::embedded()) };
        Prompts::load(&folder).map(Arc::new).map_err(|problems| told(&problems))
    }
}

/// `[prompts] folder`.
fn configured_folder(configured: &Configured) -> Result<Option<PathBuf>, Failure> {
    Ok(config::read(configured.layers()?)?.prompts.folder)
}

/// Tells each problem and says how many there are.
fn told(problems: &[Problem]) -> Failure {
    for problem in problems {
        eprintln!("{problem}");
    }
    Failure::Check(format!("problems found: {}", problems.len()))
}

/// Writes what a command was asked for.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::Setting(format!("--out {}: {error}", path.display())))
}
