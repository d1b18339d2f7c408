//! Composition root: what each command of the command line does with the parts.

mod actor;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod call;
pub mod check;
pub mod client;
mod configured;
pub mod demo;
mod failure;
mod lines;
mod metrics;
mod password;
mod print;
pub mod prompts;
pub mod report;
pub mod serve;
mod service;
mod settings;
pub mod simulate;
mod stored;
mod table;
pub mod ticket;
pub mod user;
pub mod visits;

pub use configured::Configured;
pub use failure::Failure;
pub use serve::serve;
