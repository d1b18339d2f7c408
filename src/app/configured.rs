//! Where a command's settings come from.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::layers::{ConfigError, Layers};

/// The option of every command that reads the configuration.
#[derive(Debug, clap::Args)]
pub struct Configured {
    /// TOML file; see config.example.toml. Every key may also come from the environment: HOTLINE__SIP__LISTEN.
    #[arg(long, value_name = "FILE", env = "HOTLINE_CONFIG")]
    config: Option<PathBuf>,
}

impl Configured {
    /// The file, then the environment.
    ///
    /// # Errors
    /// A file that can't be read, or a variable that sets no key.
    pub fn layers(&self) -> Result<Layers, ConfigError> {
        let mut layers = Layers::default();
        if let Some(file) = &self.config {
            layers.file(file)?;
        }
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        layers.environment(std::env::vars_os().filter_map(text))?;
        Ok(layers)
    }
}
