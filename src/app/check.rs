//! `hotline check`: the configuration, the flows and the prompts, without starting anything.

use super::{Failure, lines, serve, service};
use crate::config::{self, layers::Layers};
use crate::driver::trunk::Trunk;
use crate::prompt;
use crate::work::outbox::Ways;

/// Says what is served when all is well, else each problem with its file and line.
pub fn check(layers: Layers) -> Result<(), Failure> {
    let config = config::read(layers)?;
    let mut problems: Vec<String> = Vec::new();
    for (name, settings) in &config.trunk {
        let trunk = Trunk::new(name, settings).and_then(|trunk| trunk.is_heard(&config.sip.allow));
        if let Err(bad) = trunk {
            problems.push(config.sources.error(&format!("trunk.{name}.{}", bad.key), bad.what).to_string());
        }
    }
    if let Err(bad) = Ways::new(&config.webhook, config.sms.as_ref()) {
        problems.push(config.sources.error(&bad.key, bad.what).to_string());
    }
    if let Err(failure) = service::tls(&config) {
        problems.push(failure.to_string());
    }
    if let Err(failure) = serve::filter(&config) {
        problems.push(failure.to_string());
    }
    let (prompts, found) = prompt::check::over(config.prompts.folder.as_deref());
    problems.extend(found.iter().map(ToString::to_string));
    let lines = lines::with(&config, &prompts).map(|served| served.len()).unwrap_or_else(|found| {
        problems.extend(found.iter().map(ToString::to_string));
        0
    });
    if problems.is_empty() {
        println!("ok: lines {lines}, prompts {}, languages 2", prompts.ids().count());
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    Err(Failure::Check(format!("problems found: {}", problems.len())))
}
