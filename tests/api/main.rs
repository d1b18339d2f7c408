//! The HTTP API over a real socket, on an in-memory database.

mod audio;
mod contract;
mod live;
mod reading;
mod service;
mod token;
