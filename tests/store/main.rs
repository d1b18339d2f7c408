//! The store's promises, the same on SQLite in memory, in a file, and on PostgreSQL.

mod calls;
mod cluster;
mod fixture;
mod lists;
mod numbers;
mod opening;
mod progress;
mod recording;
mod repair;
mod schema;
mod tickets;
