//! Composition root: what each command of the command line does with the parts.

pub mod call;
pub mod check;
mod configured;
pub mod demo;
mod failure;
mod lines;
mod metrics;
pub mod prompts;
pub mod serve;
mod service;

pub use configured::Configured;
pub use failure::Failure;
pub use serve::serve;
