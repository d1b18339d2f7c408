//! The HTTP API over a real socket, on an in-memory database.

mod access;
mod audio;
mod catalogue;
mod contract;
mod life;
mod live;
mod open311;
mod outbox;
mod pages;
mod people;
mod reading;
mod reports;
mod rights;
mod service;
mod tls;
mod token;
mod visits;
mod watch;
