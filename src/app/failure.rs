//! Why a command ends without success, in one line for the operator.

use std::process::ExitCode;

use crate::config::layers::ConfigError;

/// What went wrong, by who can mend it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration, the flow, the prompts or an argument: exit 2.
    #[error("{0}")]
    Setting(String),
    /// The machine or the network: exit 1.
    #[error("{0}")]
    Environment(String),
    /// Everything has been said on the way: only the exit code is left.
    #[error("{0}")]
    Check(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Setting(_) | Failure::Check(_) => ExitCode::from(2),
            Failure::Environment(_) => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Setting(error.to_string())
    }
}
