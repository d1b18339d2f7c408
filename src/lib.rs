//! The government service hotline 12345 of a Tibetan city: a citizen calls, a ticket exists.
//!
//! The map is `ARCHITECTURE.md`; a module may use only modules of a lower rank, which `tests/it/ranks.rs` checks.

#![forbid(unsafe_code)]

pub mod city;
pub mod clock;
pub mod digit;
pub mod language;
pub mod phone;
pub mod secret;

pub mod sdp;
pub mod sip;

pub mod access;
pub mod callback;
pub mod ivr;
pub mod media;
pub mod prompt;
pub mod simulate;
pub mod ticket;

pub mod call;
pub mod live;
pub mod store;

pub mod driver;
pub mod report;

pub mod console;
pub mod dialer;
pub mod work;

pub mod app;
pub mod config;
