//! A piece of sound that is ready to send: made once, shared by all calls.

use crate::media::codec;
use crate::sdp::Codec;

/// Sound in both laws, 8 kHz mono.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    alaw: Box<[u8]>,
    ulaw: Box<[u8]>,
}

impl Clip {
    /// From A-law octets; the µ-law side is made here, once.
    pub fn from_alaw(alaw: impl Into<Box<[u8]>>) -> Clip {
        let alaw = alaw.into();
        let ulaw = alaw.iter().map(|octet| codec::alaw_to_ulaw(*octet)).collect();
        Clip { alaw, ulaw }
    }

    /// From linear samples at 8 kHz.
    pub fn from_linear(samples: &[i16]) -> Clip {
        Clip {
            alaw: samples.iter().map(|sample| codec::alaw_encode(*sample)).collect(),
            ulaw: samples.iter().map(|sample| codec::ulaw_encode(*sample)).collect(),
        }
    }

    pub fn octets(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcma => &self.alaw,
            Codec::Pcmu => &self.ulaw,
        }
    }

    pub fn alaw(&self) -> &[u8] {
        &self.alaw
    }

    /// Number of samples, which is the number of octets in either law.
    pub fn len(&self) -> usize {
        self.alaw.len()
    }

    pub fn is_empty(&self) -> bool {
        self.alaw.is_empty()
    }

    pub fn duration_ms(&self) -> u32 {
        u32::try_from(self.alaw.len() / 8).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip").field("duration_ms", &self.duration_ms()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_of_a_clip_are_as_long() {
        let clip = Clip::from_alaw(vec![codec::ALAW_SILENCE; 800]);
        assert_eq!(clip.octets(Codec::Pcma).len(), clip.octets(Codec::Pcmu).len());
        assert_eq!(clip.duration_ms(), 100);
    }
}
