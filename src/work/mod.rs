//! Background work: takes no input, looks at what is, and does what is due.

pub mod watchman;
