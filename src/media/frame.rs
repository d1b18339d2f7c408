//! Twenty milliseconds of a recording.

use crate::media::FRAME;

/// 20 ms of both sides in A-law, as the recording ring carries them. Frames of one call have rising numbers; a
/// number that is left out is 20 ms that were not to be recorded or that the ring had no room for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Periods of 20 ms since the session began.
    pub number: u32,
    pub caller: [u8; FRAME],
    pub system: [u8; FRAME],
    /// Belongs to the recording of the whole call.
    pub call: bool,
    /// Belongs to the recording of the citizen's request.
    pub request: bool,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Frame { number, call, request, .. } = self;
        write!(f, "Frame({number}, call: {call}, request: {request})")
    }
}
