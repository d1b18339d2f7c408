//! One call's sound, pure: RTP in, RTP out, keys, recording, playout.
//!
//! [`session::Session`] is one call; everything else here is a part of it. Sound is 8 kHz G.711 in frames of
//! 20 ms ([`FRAME`] samples). Time and bytes come in as arguments, packets, frames and events go out through an
//! [`session::Outlet`]. Nothing allocates after [`session::Session::new`].

pub mod clip;
pub mod codec;
pub mod command;
pub mod config;
pub mod dtmf;
pub mod event;
pub mod frame;
pub mod jitter;
pub mod latch;
pub mod peaks;
pub mod playout;
pub mod progress;
pub mod reception;
pub mod recorder;
pub mod rtcp;
pub mod rtp;
pub mod session;
pub mod tone;

/// Samples (and G.711 octets) in a frame of 20 ms at 8 kHz.
pub const FRAME: usize = 160;

/// Milliseconds in a frame.
pub const FRAME_MS: u32 = 20;
