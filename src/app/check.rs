//! `hotline check`: the configuration, the flows and the prompts, without starting anything.

use super::{Failure, lines, serve};
use crate::config::{self, layers::Layers};
use crate::driver::trunk::Trunk;

/// Says what is served when all is well, else each problem with its file and line.
pub fn check(layers: Layers) -> Result<(), Failure> {
    let config = config::read(layers)?;
    let mut problems: Vec<String> = Vec::new();
    for (name, trunk) in &config.trunk {
        if let Err(bad) = Trunk::new(name, trunk) {
            problems.push(config.sources.error(&format!("trunk.{name}.{}", bad.key), bad.what).to_string());
        }
    }
    if let Err(failure) = serve::filter(&config) {
        problems.push(failure.to_string());
    }
    match lines::served(&config) {
        Ok(served) => {
            let prompts = &served[0].setup.prompts;
            problems.extend(prompts.check().iter().map(ToString::to_string));
            if problems.is_empty() {
                println!("ok: lines {}, prompts {}, languages 2", served.len(), prompts.ids().count());
            }
        }
        Err(found) => problems.extend(found.iter().map(ToString::to_string)),
    }
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    Err(Failure::Check(format!("problems found: {}", problems.len())))
}
