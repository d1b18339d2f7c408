//! The store, for commands that work on it whether the service runs or not.

use std::path::PathBuf;

use super::service::{make_data_folder, rules, seeded, store_key};
use super::{Configured, Failure};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::store::Store;
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use tokio::runtime::Runtime;

/// Which store: the options of every command that opens it.
#[derive(Debug, clap::Args)]
pub struct Stored {
    #[command(flatten)]
    configured: Configured,
    /// Folder of the database, where the configuration names no other [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// The open store, and what its commands are given from outside.
pub(super) struct Opened {
    pub store: Store,
    pub now: DateTime<Utc>,
    pub random: StdRng,
}

impl Stored {
    /// Opens the store for `work` and closes it behind it.
    ///
    /// # Errors
    /// A setting that can't be used, or what `work` ends with.
    pub(super) fn with<T>(&self, work: impl AsyncFnOnce(Opened) -> Result<T, Failure>) -> Result<T, Failure> {
        let config = self.config()?;
        runtime()?.block_on(async {
            let store = open(&config).await?;
            let opened = Opened { store: store.clone(), now: Clock::start().wall(), random: seeded()? };
            let done = work(opened).await;
            store.close().await;
            done
        })
    }

    /// # Errors
    /// A setting that can't be used.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let mut layers = self.configured.layers()?;
        if let Some(data) = &self.data {
            layers.flag("--data", "data", &data.display().to_string())?;
        }
        Ok(config::read(layers)?)
    }
}

/// Connects to the database that is there, beside the service perhaps; it is neither created nor migrated.
pub(super) async fn open_existing(config: &Config) -> Result<Store, Failure> {
    let opened = Store::open_existing(&config.store, &config.data).await;
    opened.map_err(|error| Failure::Environment(format!("{}: {error}", config.data.display())))
}

pub(super) fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::Environment(format!("no runtime: {error}")))
}

async fn open(config: &Config) -> Result<Store, Failure> {
    if config.store.url.is_none() {
        make_data_folder(config)?;
    }
    let opened = Store::open(&config.store, &config.data).await;
    let store = opened.map_err(|error| config.sources.error(store_key(config), error.to_string()))?;
    Ok(store.with_rules(rules(config)))
}
