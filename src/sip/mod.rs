//! The SIP user agent, pure: no socket, no task, no clock.

pub mod message;
pub mod wire;

pub use message::{Hop, Message, Method, Request, Response, StatusCode, Transport, Uri};
