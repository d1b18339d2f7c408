//! The return visit's rules (domain §4), pure: when the requester of a closed ticket is called, by what way next, and what
//! an unanswered call says.

mod config;
pub mod dial_plan;
pub mod outcome;
mod policy;
mod reason;
pub mod reply;
mod window;

pub use config::{Config, Own};
pub use policy::{History, Next, Policy, Tried, Use};
pub use reason::{Because, Held};
pub use window::{BadWindow, Weekday, Window};
