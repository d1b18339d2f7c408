//! Settings of every session.

use serde::Deserialize;

use crate::media::FRAME_MS;
use crate::media::latch::Trust;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// So long without RTP or RTCP while both sides may send: the call is dead.
    pub rtp_timeout_ms: u32,
    /// How long packets may be overtaken by others and still be recorded in order, 20-200. A recording's end is
    /// reported so much later.
    pub reorder_ms: u32,
    /// Which hosts RTP is taken from.
    pub latch: Trust,
    /// Listen for keys as tones when telephone-event was not negotiated.
    pub inband_dtmf: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config { rtp_timeout_ms: 30_000, reorder_ms: 160, latch: Trust::Offered, inband_dtmf: true }
    }
}

impl Config {
    /// [`Config::reorder_ms`] in frames, at least one and at most [`MAX_DELAY`].
    pub fn delay(&self) -> u32 {
        (self.reorder_ms / FRAME_MS).clamp(1, MAX_DELAY)
    }
}

/// The most frames that a recording is behind.
pub const MAX_DELAY: u32 = 10;
