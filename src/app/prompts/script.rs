//! `hotline prompts script`.

use std::path::{Path, PathBuf};

use super::{Source, told, write};
use crate::app::{Failure, lines};
use crate::ivr::{self, Flow, Moment};
use crate::language::Language;
use crate::prompt::script::{Passage, Said, page};
use crate::prompt::sheet::Sheet;

const EXAMPLES: &str = "\
Examples:
  hotline prompts script --lang bo --out script.html
  hotline prompts script --lang zh --folder /etc/hotline/prompts --out script.html

The page needs no network; print it from a browser.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Language that is read: bo or zh
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// Where the page is written
    #[arg(long, value_name = "HTML")]
    out: PathBuf,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let folder = self.source.folder()?;
        let sheet = Sheet::load(folder.as_deref(), self.lang).map_err(|problems| told(&problems))?;
        let flow = flow(folder.as_deref())?;
        let passages: Vec<Passage> = flow.passages().into_iter().map(passage).collect();
        write(&self.out, page(&sheet, &passages).as_bytes())?;
        println!("{}: {} prompts in {}", self.out.display(), sheet.entries().len(), self.lang);
        Ok(())
    }
}

/// The folder's own flow, else the built-in one.
fn flow(folder: Option<&Path>) -> Result<Flow, Failure> {
    let file = folder.map(|folder| folder.join("flows/inbound.toml")).filter(|file| file.exists());
    let (name, text) = match &file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            let name = file.display().to_string();
            (name.clone(), text.map_err(|error| Failure::Setting(format!("{name}: {error}")))?)
        }
        None => (lines::INBOUND_NAME.to_owned(), lines::INBOUND.to_owned()),
    };
    Flow::parse(&text, &name).map_err(|problems| {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        Failure::Check(format!("problems found: {}", problems.len()))
    })
}

fn passage(passage: ivr::Passage) -> Passage {
    let ivr::Passage { node, moment, said, next } = passage;
    let said = said.into_iter().map(|ivr::Said { language, what }| Said { language, what }).collect();
    Passage { node, moment: moment_in_chinese(moment), said, next }
}

const fn moment_in_chinese(moment: Moment) -> &'static str {
    match moment {
        Moment::Enter => "",
        Moment::Timeout => "没有按键时",
        Moment::Invalid => "按键无效时",
        Moment::Short => "说得太短时",
        Moment::Silence => "没有声音时",
        Moment::Limit => "到时限时",
    }
}
