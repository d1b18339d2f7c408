//! `hotline prompts import`.

use std::path::{Path, PathBuf};

use super::{configured_folder, told};
use crate::app::Failure;
use crate::app::configured::Configured;
use crate::clock::{Clock, beijing_day};
use crate::language::Language;
use crate::prompt::import::{Import, Taken};
use crate::prompt::manifest::Review;
use crate::prompt::sheet::Sheet;

const EXAMPLES: &str = "\
Examples:
  hotline prompts import studio/ --lang bo --into /etc/hotline/prompts --dry-run
      says what would be changed, writes nothing
  hotline prompts import studio/ --lang bo --into /etc/hotline/prompts --reviewer 'Losang Drolma'
      the reviewer signs the texts of these recordings, today

Files are named as in the reading script (`hotline prompts script`): 017.wav, menu.head.wav or 017_menu.head.wav.
WAV of 16, 24 or 32 bits or float, 8 to 192 kHz; channels are mixed.

Exit code: 0 when every file was imported, 2 when one was refused; the others are imported all the same.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of the recordings
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// Language that is spoken: bo or zh
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// Folder that takes the prompts; made if it is missing [default: `[prompts] folder` of the configuration]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    #[command(flatten)]
    configured: Configured,
    /// Native speaker who has read and accepted the texts
    #[arg(long, value_name = "NAME", value_parser = name)]
    reviewer: Option<String>,
    /// Say what would be changed and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let into = self.into()?;
        let sheet = Sheet::load(Some(&into), self.lang).map_err(|problems| told(&problems))?;
        let setting = |problem: crate::prompt::Problem| Failure::Setting(problem.to_string());
        let import = Import::prepare(&sheet, &self.from, &into, self.review().as_ref(), tell).map_err(setting)?;
        for name in &import.left_alone {
            println!("{name}: left alone, not a .wav file");
        }
        if !self.dry_run {
            import.write(&into).map_err(|problem| Failure::Environment(problem.to_string()))?;
        }
        self.sum_up(&import, &sheet, &into);
        match import.refused {
            0 => Ok(()),
            refused => Err(Failure::Check(format!("files refused: {refused}"))),
        }
    }

    fn into(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.into {
            Some(folder) => Some(folder.clone()),
            None => configured_folder(&self.configured)?,
        };
        folder.ok_or_else(|| {
            Failure::Setting("--into: no folder is named, and the configuration has no [prompts] folder".to_owned())
        })
    }

    fn review(&self) -> Option<Review> {
        let reviewer = self.reviewer.clone()?;
        Some(Review { reviewer, reviewed: beijing_day(Clock::start().now().wall).to_string() })
    }

    fn sum_up(&self, import: &Import, sheet: &Sheet, into: &Path) {
        let (done, taken) = (if self.dry_run { "would import" } else { "imported" }, import.taken());
        let (missing, total) = (import.missing(sheet), sheet.entries().len());
        let (refused, lang) = (import.refused, self.lang);
        println!(
            "{done} {taken} into {}, refused {refused}, still missing {missing} of {total} in {lang}",
            into.display()
        );
    }
}

fn tell(name: &str, result: &Result<Taken, String>) {
    match result {
        Ok(taken) => println!("{name}: {taken}"),
        Err(what) => println!("{name}: refused: {what}"),
    }
}

fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let fits = !name.is_empty() && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err("a name is wanted".to_owned()) }
}
