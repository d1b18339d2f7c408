//! The SIP user agent, pure: no socket, no task, no clock.

pub mod auth;
pub(crate) mod content;
pub(crate) mod dialog;
pub mod endpoint;
pub mod message;
pub(crate) mod offer_answer;
pub(crate) mod overload;
pub mod registration;
pub(crate) mod rel100;
pub(crate) mod session;
pub(crate) mod session_timer;
pub mod target;
pub(crate) mod timer;
pub(crate) mod transaction;
pub mod wire;

pub use auth::Account;
pub use endpoint::command::{Admission, Command, Invite, Leg, Options, Party, Reason, Registration};
pub use endpoint::event::{Ended, Event, IncomingInvite, Side, Why};
pub use endpoint::{Config, Counts, Endpoint, Input, Output};
pub use message::{Hop, Message, Method, Request, Response, StatusCode, Transport, Uri};
