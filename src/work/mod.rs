//! Background work: takes no input, looks at what is, and does what is due.

pub mod clocks;
pub mod disk;
pub mod outbox;
pub mod quality;
pub mod recordings;
pub mod retention;
pub mod seals;
pub mod supervision;
pub mod trends;
pub mod watchman;
