//! Bytes to messages and back: rsip's types, our own lexer, values and writer.
//!
//! rsip's parsers are not used: they refuse folded and compact headers, unknown methods and IPv6 references, lose the
//! `+` of a `tel:` URI, and ignore Content-Length.

pub mod emit;
pub mod fields;
pub mod frame;
pub mod header;
mod lex;
mod malformed;
mod parse;
pub mod phrase;
pub mod value;

pub use fields::Fields;
pub use malformed::{Answer, Defect, Malformed, Reply, Silence};
pub use parse::parse;

/// The largest message, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The most that start line and headers may take together, in bytes.
pub const MAX_HEAD: usize = 16 * 1024;
/// The most headers a message may have, each value of a list of Via, Route, Record-Route or Contact counted.
pub const MAX_HEADERS: usize = 128;
/// The longest line, in bytes, as it came (before unfolding).
pub const MAX_LINE: usize = 8 * 1024;
