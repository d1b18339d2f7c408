//! Composition root: what each command of the command line does with the parts.

pub mod call;
pub mod check;
pub mod demo;
mod failure;
mod lines;
mod metrics;
pub mod serve;
mod service;

pub use failure::Failure;
pub use serve::serve;
