//! The other end of the line: a softphone that shares no code with `src/`, so that it can have the last word.
//!
//! Blocking sockets, a thread for SIP and one for RTP a call, and conditions with deadlines: a test never sleeps.
//! The phone is strict: what it finds wrong in the peer's messages or packets makes the test fail when it is dropped.

pub mod call;
pub mod child;
pub mod compare;
pub mod dialog;
pub mod file;
pub mod g711;
pub mod media;
pub mod net;
pub mod phone;
pub mod postgres;
pub mod rtp;
pub mod sdp;
pub mod service;
pub mod signal;
pub mod sip;
pub mod time;
pub mod tones;
pub mod wav;
