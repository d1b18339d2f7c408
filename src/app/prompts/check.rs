//! `hotline prompts check`.

use std::sync::Arc;

use super::{Source, told};
use crate::app::Failure;
use crate::language::Language;
use crate::prompt::check;

const EXAMPLES: &str = "\
Examples:
  hotline prompts check
  hotline prompts check --folder /etc/hotline/prompts
  hotline prompts check --folder prompts --alone

Exit code: 0 when all is well; 2 otherwise, each problem with its file and line.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The folder stands alone: its manifest lists every prompt, and no file is without a line
    #[arg(long)]
    alone: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let (prompts, problems) = match self.source.folder()? {
            Some(folder) if self.alone => {
                let (prompts, problems) = check::folder(&folder);
                (Arc::new(prompts), problems)
            }
            None if self.alone => {
                let what = "--alone: no folder is named or configured: --folder DIR";
                return Err(Failure::Setting(what.to_owned()));
            }
            folder => check::over(folder.as_deref()),
        };
        if !problems.is_empty() {
            return Err(told(&problems));
        }
        let spoken = |language| prompts.ids().filter(|id| prompts.line(language, id).is_some()).count();
        println!("ok: prompts {} in bo, {} in zh", spoken(Language::Bo), spoken(Language::Zh));
        Ok(())
    }
}
