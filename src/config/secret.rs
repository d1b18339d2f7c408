//! Passwords: from the environment or from a file of their own, never from the configuration file.

use std::path::Path;

use super::Config;
use super::layers::{ConfigError, ENVIRONMENT_PREFIX, Layers};
use crate::secret::Secret;

/// Refuses passwords in the configuration file, before anything can print their values.
pub fn refuse(layers: &Layers) -> Result<(), ConfigError> {
    let Some(key) = layers.keys_of_files().find(|key| is_secret(key)) else { return Ok(()) };
    let variable = format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "__").to_uppercase());
    let what = if key.ends_with(".password") { "password" } else { "secret" };
    Err(layers.error(key, format!("a {what} does not belong in this file: set {variable}, or {key}_file")))
}

fn is_secret(key: &str) -> bool {
    let parts: Vec<&str> = key.split('.').collect();
    matches!(
        parts[..],
        ["trunk", _, "password"] | ["webhook", _, "secret"] | ["sms", "secret"] | ["oidc", "client_secret"]
    )
}

/// Reads the secrets that have a file of their own.
pub fn place(layers: &Layers, config: &mut Config) -> Result<(), ConfigError> {
    let from_file = layers.keys_of_files().any(|key| key == "store.url");
    if from_file && config.store.url.as_ref().is_some_and(|url| url.has_password()) {
        let what = "a password does not belong in this file: set HOTLINE__STORE__URL, or store.url_file";
        return Err(layers.error("store.url", what));
    }
    if let Some(file) = &config.store.url_file {
        let url = read(layers, "store.url_file", file)?;
        config.store.url = Some(url.into());
    }
    for (name, trunk) in &mut config.trunk {
        if let Some(file) = &trunk.password_file {
            let text = read(layers, &format!("trunk.{name}.password_file"), file)?;
            trunk.password = Some(Secret::from(text));
        }
    }
    for (name, webhook) in &mut config.webhook {
        if let Some(file) = &webhook.secret_file {
            let text = read(layers, &format!("webhook.{name}.secret_file"), file)?;
            webhook.secret = Some(Secret::from(text));
        }
    }
    if let Some(oidc) = &mut config.oidc
        && let Some(file) = &oidc.client_secret_file
    {
        oidc.client_secret = Some(Secret::from(read(layers, "oidc.client_secret_file", file)?));
    }
    if let Some(sms) = &mut config.sms
        && let Some(file) = &sms.secret_file
    {
        sms.secret = Some(Secret::from(read(layers, "sms.secret_file", file)?));
    }
    Ok(())
}

fn read(layers: &Layers, key: &str, file: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|e| layers.error(key, format!("{}: {e}", file.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
