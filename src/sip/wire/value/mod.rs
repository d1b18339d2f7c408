//! Values of header fields, read from their text. Nothing here allocates unless it says so: a value borrows the
//! header it was read from.

mod challenge;
mod cseq;
mod interval;
mod media_type;
mod name_addr;
mod params;
mod reason;
mod reliable;
mod replaces;
mod text;
mod uri;
mod via;

pub use challenge::Challenge;
pub use cseq::CSeq;
pub(crate) use cseq::split as split_cseq;
pub use interval::{Refresher, RetryAfter, SessionExpires, delta_seconds, max_forwards};
pub use media_type::MediaType;
pub use name_addr::NameAddr;
pub use params::Params;
pub use reason::Reason;
pub use reliable::RAck;
pub use replaces::Replaces;
pub(crate) use text::BLANK;
pub use text::{is_token, list, quote, unquote};
pub(crate) use uri::write_decimal;
pub use uri::{BadUri, Uri};
pub use via::{MAGIC_COOKIE, Via};

/// A header's value is not what its grammar says. What was in it is not repeated: it may name a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {0} that can't be read")]
pub struct BadValue(pub &'static str);
