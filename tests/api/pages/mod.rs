//! The console's pages over HTTP, as a browser without script sees them.

mod admin;
mod board;
mod browser;
mod door;
mod listening;
mod oidc;
mod prompts;
mod provider;
mod quality;
mod reports;
mod second_factor;
mod tickets;
